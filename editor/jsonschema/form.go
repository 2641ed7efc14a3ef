package jsonschema

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/spec"
)

func expectation() *spec.Form { return spec.FormOf(reflect.TypeFor[spec.Expectation]()) }

// of returns the schema of what may stand at a place: a reference where the form
// has a name.
func (m *maker) of(f *spec.Form) object {
	if f.Name == "" {
		return m.body(f)
	}
	name, made := m.named[f]
	if !made {
		name = f.Name
		for n := 2; m.taken[name]; n++ {
			name = f.Name + strconv.Itoa(n)
		}
		m.named[f], m.taken[name] = name, true
		m.defs[name] = object{} // it may contain itself
		m.defs[name] = m.body(f)
	}
	return object{"$ref": "#/$defs/" + name}
}

// body is the schema of a form itself.
func (m *maker) body(f *spec.Form) object {
	if f.Any {
		return object{}
	}
	out := object{}
	var types []string
	if f.Map() {
		types = append(types, "object")
		m.entries(f, out)
	}
	if f.Items != nil {
		types = append(types, "array")
		out["items"] = m.of(f.Items)
	}
	if f.Scalar != nil {
		scalar := m.scalar(f.Scalar)
		types = append(types, scalar["type"].([]string)...)
		delete(scalar, "type")
		if words, listed := scalar["examples"].([]string); listed && scalar["else"] != nil && (f.Map() || f.Items != nil) {
			// An enum would be asked of maps and lists too; a pattern is not.
			delete(scalar, "if")
			delete(scalar, "else")
			scalar["pattern"], scalar["patternErrorMessage"] = onlyWords(words), "expected "+strings.Join(words, ", ")
		}
		maps.Copy(out, scalar)
	}
	if f.Empty {
		types = append(types, "null")
	}
	out["type"] = types
	if len(types) == 1 {
		out["type"] = types[0]
	}
	if f.Name == "Row" {
		out["allOf"] = rowRules()
	}
	if snippet := snippets[f.Name]; snippet != nil {
		out["defaultSnippets"] = snippet
	}
	return out
}

// onlyWords is a pattern that allows the words, variables and parameters.
func onlyWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = regexp.QuoteMeta(w)
	}
	return `^(?:` + strings.Join(quoted, "|") + `)$|\$\{`
}

// entries describes the keys of a map.
func (m *maker) entries(f *spec.Form, out object) {
	if f.Values != nil {
		out["additionalProperties"] = m.of(f.Values)
		if names := m.names(f.Refers); names != nil {
			properties := object{}
			for _, n := range names {
				properties[n] = m.of(f.Values)
			}
			out["properties"], out["additionalProperties"] = properties, false
		}
		return
	}
	properties := object{}
	var required []string
	for _, k := range f.Keys {
		if k.Later {
			continue
		}
		properties[k.Name] = m.key(k)
		if k.Required {
			required = append(required, k.Name)
		}
	}
	out["properties"], out["additionalProperties"] = properties, false
	if required != nil {
		out["required"] = required
	}
	if f.Name == "Trigger" {
		out["maxProperties"] = 1
	}
}

// key is the schema of one key with its doc.
func (m *maker) key(k spec.Key) object {
	s := m.of(k.Form)
	s["description"] = k.Doc
	markdown := k.Doc
	if sc := k.Form.Scalar; sc != nil {
		switch {
		case sc.Lang == "jq":
			markdown += "\n\nA cell in **jq**: `.` is the payload."
		case sc.Lang == "expr":
			markdown += "\n\nA cell in **expr**: `data` is the payload; the answer is yes or no."
		case sc.Takes != "":
			markdown += "\n\nTakes " + sc.Takes + "."
		case len(sc.Words) > 1:
			markdown += "\n\nOne of `" + strings.Join(sc.Words, "`, `") + "`."
		}
	}
	if k.Required {
		markdown += "\n\nMust be there."
	}
	s["markdownDescription"] = markdown
	if k.Ignored != "" {
		s["deprecationMessage"] = "has no effect yet: " + k.Ignored
	}
	return s
}

// scalar is the schema of a single value. YAML gives unquoted values a type;
// the language reads them as text, and so must the schema.
func (m *maker) scalar(s *spec.Scalar) object {
	text := []string{"string", "number", "boolean"}
	out := object{}
	known := s.Words
	if names := m.names(s.Ref); names != nil {
		known = names
	}
	switch {
	case known != nil:
		out["type"] = typesOf(known)
		words(out, known)
	case s.Base == spec.IsBool:
		out["type"], out["pattern"] = []string{"boolean", "string"}, `^(true|false)$|\$\{`
		out["patternErrorMessage"] = "expected true or false"
	case s.Base == spec.IsInteger:
		out["type"], out["pattern"] = []string{"integer", "string"}, `^[-+]?[0-9]+$|\$\{`
		out["patternErrorMessage"] = "expected a whole number"
		bounds(out, s)
	case s.Base == spec.IsNumber:
		out["type"], out["pattern"] = []string{"number", "string"}, `^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$|\$\{`
		out["patternErrorMessage"] = "expected a number"
		bounds(out, s)
	case s.Pattern != "":
		out["type"], out["pattern"] = []string{"string"}, s.Pattern+`|\$\{`
		out["patternErrorMessage"] = "expected " + s.Takes
		if s.Min != nil {
			out["type"] = []string{"string", "integer"}
			bounds(out, s)
		}
	default:
		out["type"] = text
		if len(s.Never) > 0 {
			out["not"] = object{"enum": spellings(s.Never)}
		}
	}
	if len(s.Examples) > 0 {
		out["examples"] = s.Examples
	}
	return out
}

func bounds(out object, s *spec.Scalar) {
	if s.Min != nil {
		out["minimum"] = *s.Min
	}
	if s.Max != nil {
		out["maximum"] = *s.Max
	}
}

// words allows nothing but the words, and a variable or parameter where there
// are some.
func words(out object, words []string) {
	out["if"] = object{"type": "string", "pattern": `\$\{`}
	out["else"] = object{"enum": spellings(words)}
	out["examples"] = words // what stands behind else is checked, but offered by no editor
}

// typesOf are the types that YAML may give the words.
func typesOf(words []string) []string {
	types := []string{"string"}
	for _, w := range words {
		if _, err := strconv.ParseFloat(w, 64); err == nil && !slices.Contains(types, "number") {
			types = append(types, "number")
		}
		if (w == "true" || w == "false") && !slices.Contains(types, "boolean") {
			types = append(types, "boolean")
		}
	}
	return types
}

// spellings are the words as YAML may give them.
func spellings(words []string) []any {
	var out []any
	for _, w := range words {
		out = append(out, w)
		if n, err := strconv.ParseFloat(w, 64); err == nil && fmt.Sprint(n) == w {
			out = append(out, n)
		}
		if w == "true" || w == "false" {
			out = append(out, w == "true")
		}
	}
	return out
}

// rowRules are what a long row may not say together.
func rowRules() []any {
	has := func(names ...string) object {
		return object{"type": "object", "required": names}
	}
	without := func(names ...string) object {
		p := object{}
		for _, n := range names {
			p[n] = false
		}
		return object{"properties": p}
	}
	var nothing []any
	for _, name := range []string{"from", "const", "each", "fields"} {
		nothing = append(nothing, has(name))
	}
	return []any{
		object{"if": has("const"), "then": without("from", "each", "fields")},
		object{"if": has("each", "from"), "then": without("fields")},
		object{"if": object{"type": "object", "not": object{"anyOf": nothing}}, "then": object{"required": []string{"from"}}},
	}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
