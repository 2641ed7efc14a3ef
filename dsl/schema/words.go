package schema

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"crossdock/dsl/diag"
	"crossdock/dsl/value"
)

// leaves returns the errors that say something. via are those around e.
func leaves(e *jsonschema.ValidationError, via []*jsonschema.ValidationError, out []leaf) []leaf {
	via = append(slices.Clone(via), e)
	if len(e.Causes) == 0 {
		return append(out, leaf{e, via})
	}
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return append(out, nearest(e, via)...)
	}
	for _, c := range e.Causes {
		out = leaves(c, via, out)
	}
	return out
}

// nearest returns the errors of the alternative that was probably meant: the
// one that fails deepest in the value. Where all fail at the value itself
// because of its type, the types are joined; "or null" is never what was meant.
func nearest(e *jsonschema.ValidationError, via []*jsonschema.ValidationError) []leaf {
	var best []leaf
	deepest := -1
	var types []string
	sameType := true
	for _, c := range e.Causes {
		under := leaves(c, via, nil)
		t, isType := under[0].ErrorKind.(*kind.Type)
		isType = isType && len(under) == 1 && len(under[0].InstanceLocation) == len(e.InstanceLocation)
		if isType {
			types = append(types, t.Want...)
			if slices.Equal(t.Want, []string{"null"}) {
				if best == nil {
					best = under
				}
				continue
			}
		} else {
			sameType = false
		}
		depth := 0
		for _, l := range under {
			depth = max(depth, len(l.InstanceLocation))
		}
		if depth > deepest || depth == deepest && len(under) < len(best) {
			best, deepest = under, depth
		}
	}
	if sameType && len(types) > 0 {
		slices.Sort(types)
		joined := *best[0].ValidationError
		joined.ErrorKind = &kind.Type{Got: best[0].ErrorKind.(*kind.Type).Got, Want: slices.Compact(types)}
		return []leaf{{&joined, best[0].via}}
	}
	return best
}

// violations words errors about a JSON Schema itself.
func violations(e *jsonschema.ValidationError, doc any) []Violation {
	var out []Violation
	for _, l := range leaves(e, nil, nil) {
		out = append(out, (&Schema{}).word(l.ValidationError, doc, "")...)
	}
	return out
}

// word turns one error of the validator into words. when says under which
// condition the schema asks for it, "" for always.
func (s *Schema) word(e *jsonschema.ValidationError, whole any, when string) []Violation {
	path := pointer(whole, e.InstanceLocation)
	pii := s.hidden(whole, e.InstanceLocation)
	found := describe(at(whole, e.InstanceLocation), pii)
	one := func(code, expected string) []Violation {
		return []Violation{{Path: path, Code: code, Expected: expected, Found: found,
			Message: subject(path) + ": expected " + strings.TrimSpace(expected+" "+when) + ", found " + found}}
	}
	missing := func(names []string, when string) []Violation {
		var out []Violation
		for _, name := range names {
			p := pointer(whole, append(slices.Clone(e.InstanceLocation), name))
			v := Violation{Path: p, Code: "required", Expected: "a value", Found: "nothing", Message: p + " is missing"}
			if when != "" {
				v.Message += ": it is required " + when
			}
			out = append(out, v)
		}
		return out
	}
	present := func(name, when string) string {
		return strings.Join(slices.DeleteFunc([]string{when, "when " + pointer(whole, append(slices.Clone(e.InstanceLocation), name)) + " is present"},
			func(s string) bool { return s == "" }), " and ")
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return missing(k.Missing, when)
	case *kind.DependentRequired:
		return missing(k.Missing, present(k.Prop, when))
	case *kind.Dependency:
		return missing(k.Missing, present(k.Prop, when))
	case *kind.AdditionalProperties:
		var out []Violation
		for _, name := range k.Properties {
			out = append(out, unknownField(pointer(whole, append(slices.Clone(e.InstanceLocation), name)), name, nil))
		}
		return out
	case *kind.FalseSchema:
		if when != "" {
			return []Violation{{Path: path, Code: "unknown_field", Expected: "no such field", Found: "one", Message: subject(path) + " must not be there " + when}}
		}
		return []Violation{unknownField(path, path, nil)}
	case *kind.Type:
		words := make([]string, len(k.Want))
		for i, w := range k.Want {
			words[i] = jsonWord(w)
		}
		return one("type", strings.Join(words, " or "))
	case *kind.Enum:
		return one("option", "one of "+list(k.Want))
	case *kind.Const:
		return one("option", list([]any{k.Want}))
	case *kind.Format:
		return one("format", "a "+strings.ReplaceAll(k.Want, "date-time", "datetime with an offset"))
	case *kind.Pattern:
		return one("pattern", "text like "+k.Want)
	case *kind.UniqueItems:
		return one("items", fmt.Sprintf("items that differ (those at %d and %d are equal)", k.Duplicates[0], k.Duplicates[1]))
	}
	if code, expected := bound(e.ErrorKind); code != "" {
		return one(code, expected)
	}
	switch e.ErrorKind.(type) {
	case *kind.Not:
		return one("schema", "a value that `not` of the schema does not exclude")
	case *kind.OneOf:
		return one("schema", "a value that fits exactly one of the alternatives in `oneOf`")
	}
	keyword := strings.Join(e.ErrorKind.KeywordPath(), ".")
	return one("schema", "what `"+keyword+"` of the schema asks for")
}

func unknownField(path, name string, known []string) Violation {
	v := Violation{Path: path, Code: "unknown_field", Expected: "no such field", Found: "one", Message: path + " is not a field of the schema"}
	if hint := diag.DidYouMean(name, known); hint != "" {
		v.Message += ", " + hint
	}
	return v
}

func jsonWord(w string) string {
	return map[string]string{"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
		"array": "a list", "object": "an object", "null": "null"}[w]
}

func list(values []any) string {
	words := make([]string, 0, len(values))
	for _, v := range values {
		if text, ok := value.Text(v); ok {
			words = append(words, text)
		} else if v != nil {
			words = append(words, value.Describe(v))
		}
	}
	return strings.Join(words, ", ")
}

func ratText(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(18), "0")
}

// bound words the bounds of numbers, texts and lists.
func bound(k jsonschema.ErrorKind) (code, expected string) {
	switch k := k.(type) {
	case *kind.MinLength:
		return "length", fmt.Sprintf("at least %d characters", k.Want)
	case *kind.MaxLength:
		return "length", fmt.Sprintf("at most %d characters", k.Want)
	case *kind.MinItems:
		return "items", fmt.Sprintf("at least %d items", k.Want)
	case *kind.MaxItems:
		return "items", fmt.Sprintf("at most %d items", k.Want)
	case *kind.Minimum:
		return "range", "at least " + ratText(k.Want)
	case *kind.Maximum:
		return "range", "at most " + ratText(k.Want)
	case *kind.ExclusiveMinimum:
		return "range", "more than " + ratText(k.Want)
	case *kind.ExclusiveMaximum:
		return "range", "less than " + ratText(k.Want)
	case *kind.MultipleOf:
		return "range", "a multiple of " + ratText(k.Want)
	}
	return "", ""
}
