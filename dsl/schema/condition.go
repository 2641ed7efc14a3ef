package schema

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"crossdock/dsl/value"
)

// leaf is an error that says something, with those that led to it.
type leaf struct {
	*jsonschema.ValidationError
	via []*jsonschema.ValidationError // from the outside, itself the last
}

// condition says under which conditions what a leaf asks for is asked at all:
// "when country is US". It is "" where it always is, or where the condition
// cannot be said in a few words.
func (s *Schema) condition(l leaf, whole any) string {
	var out, seen []string
	for _, e := range l.via {
		for _, c := range s.conditions(e) {
			if slices.Contains(seen, c.schema) {
				continue
			}
			seen = append(seen, c.schema)
			if words := c.words(whole); words != "" && !slices.Contains(out, words) {
				out = append(out, words)
			}
		}
	}
	return strings.Join(out, " and ")
}

// branch is one `then`, `else` or `dependentSchemas` on the way to an error.
type branch struct {
	schema  string         // where it stands
	keyword string         // then, else or the name of the field that is there
	test    map[string]any // what `if` says; nil for a field
	at      []string       // the value that is looked at
}

// conditions finds the branches in the place of the schema that an error names.
func (s *Schema) conditions(e *jsonschema.ValidationError) []branch {
	base, pointer, _ := strings.Cut(e.SchemaURL, "#")
	own, _, _ := strings.Cut(s.compiled.Location, "#")
	if base != own || pointer == "" {
		return nil
	}
	var out []branch
	var depths []int // how far below the value of the branch the error is
	node := s.document
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	steps := 0
	for i := 0; i < len(tokens); i++ {
		keyword := token(tokens[i])
		holder, _ := node.(map[string]any)
		node = holder[keyword]
		named := ""
		switch keyword {
		case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies", "allOf", "anyOf", "oneOf", "prefixItems", "items":
			if list, many := node.([]any); keyword != "items" || many {
				if i++; i >= len(tokens) {
					return nil
				}
				named = token(tokens[i])
				node = inside(node, list, named)
			}
		}
		switch keyword {
		case "properties", "patternProperties", "prefixItems", "items", "additionalProperties", "additionalItems", "contains", "unevaluatedProperties", "unevaluatedItems", "propertyNames":
			steps++
		case "then", "else":
			test, _ := holder["if"].(map[string]any)
			out = append(out, branch{schema: strings.Join(tokens[:i+1], "/"), keyword: keyword, test: test})
			depths = append(depths, steps)
		case "dependentSchemas", "dependencies":
			out = append(out, branch{schema: strings.Join(tokens[:i+1], "/"), keyword: named})
			depths = append(depths, steps)
		}
	}
	for i := range out {
		up := steps - depths[i]
		if up > len(e.InstanceLocation) {
			return nil
		}
		out[i].at = slices.Clone(e.InstanceLocation[:len(e.InstanceLocation)-up])
	}
	return out
}

// token reads one step of a JSON pointer in an address.
func token(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		s = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
}

func inside(node any, list []any, name string) any {
	if list != nil {
		n := 0
		if _, err := fmt.Sscan(name, &n); err != nil || n < 0 || n >= len(list) {
			return nil
		}
		return list[n]
	}
	m, _ := node.(map[string]any)
	return m[name]
}

// words says a branch: "when country is US", "unless country is US".
func (b branch) words(whole any) string {
	switch b.keyword {
	case "then":
		if said := tested(b.test, b.at, whole); said != "" {
			return "when " + said
		}
		return "when what `if` of the schema says is so"
	case "else":
		// One word of a field that is not there is plainer than what it is not.
		if said := tested(b.test, b.at, whole); said != "" {
			return "unless " + strings.ReplaceAll(said, " or missing", "")
		}
		return "unless what `if` of the schema says is so"
	}
	return "when " + pointer(whole, append(slices.Clone(b.at), b.keyword)) + " is present"
}

// tested says what an `if` asks, "" where that takes more than a few words.
func tested(test map[string]any, at []string, whole any) string {
	var out []string
	required := names(test["required"])
	properties, _ := test["properties"].(map[string]any)
	for _, keyword := range sortedKeys(test) {
		switch keyword {
		case "properties", "required", "type", "$comment", "title", "description":
		case "allOf", "anyOf":
			parts, _ := test[keyword].([]any)
			said := all(parts, at, whole)
			if said == nil {
				return ""
			}
			word := " and "
			if keyword == "anyOf" {
				word = " or "
			}
			out = append(out, strings.Join(said, word))
		case "not":
			inner, _ := test["not"].(map[string]any)
			absent := names(inner["required"])
			if len(inner) != 1 || len(absent) != 1 {
				return ""
			}
			out = append(out, path(whole, at, absent[0])+" is missing")
		default:
			return ""
		}
	}
	for _, name := range sortedKeys(properties) {
		rule, _ := properties[name].(map[string]any)
		said := is(rule, append(slices.Clone(at), name), whole)
		switch {
		case said == "":
			return ""
		case !slices.Contains(required, name):
			said += " or missing" // which also fits
		}
		out = append(out, said)
	}
	for _, name := range required {
		if properties[name] == nil {
			out = append(out, path(whole, at, name)+" is present")
		}
	}
	if len(out) > 4 {
		return ""
	}
	return strings.Join(out, " and ")
}

func all(parts []any, at []string, whole any) []string {
	var out []string
	for _, p := range parts {
		m, _ := p.(map[string]any)
		said := tested(m, at, whole)
		if said == "" {
			return nil
		}
		out = append(out, said)
	}
	return out
}

// is says what a rule asks of one field, "" where that takes more than a word.
func is(rule map[string]any, at []string, whole any) string {
	where := pointer(whole, at)
	if rule["properties"] != nil || rule["required"] != nil {
		return tested(rule, at, whole)
	}
	var out []string
	for _, keyword := range sortedKeys(rule) {
		switch v := rule[keyword]; keyword {
		case "const":
			out = append(out, where+" is "+list([]any{v}))
		case "enum":
			options, _ := v.([]any)
			out = append(out, where+" is one of "+list(options))
		case "minimum":
			out = append(out, where+" is at least "+list([]any{v}))
		case "maximum":
			out = append(out, where+" is at most "+list([]any{v}))
		case "exclusiveMinimum":
			out = append(out, where+" is more than "+list([]any{v}))
		case "exclusiveMaximum":
			out = append(out, where+" is less than "+list([]any{v}))
		case "pattern":
			out = append(out, where+" is text like "+list([]any{v}))
		case "not":
			inner, _ := v.(map[string]any)
			if len(inner) != 1 {
				return ""
			}
			switch {
			case inner["const"] != nil:
				out = append(out, where+" is not "+list([]any{inner["const"]}))
			case inner["enum"] != nil:
				options, _ := inner["enum"].([]any)
				out = append(out, where+" is none of "+list(options))
			default:
				return ""
			}
		case "type", "$comment", "title", "description":
		default:
			return ""
		}
	}
	if len(out) == 0 {
		return where + " is present"
	}
	return strings.Join(out, " and ")
}

func path(whole any, at []string, name string) string {
	return pointer(whole, append(slices.Clone(at), name))
}

func names(v any) []string {
	items, _ := v.([]any)
	var out []string
	for _, item := range items {
		if text, ok := value.Text(item); ok {
			out = append(out, text)
		}
	}
	return out
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
