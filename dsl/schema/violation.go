package schema

import (
	"encoding/json"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"crossdock/dsl/value"
)

// Violation is one way in which a value breaks its schema. Found never shows
// personal data.
type Violation struct {
	Path     string // "lines[2].sku", items counted from 0; "" is the whole value
	Message  string // one sentence without a period, path included
	Expected string
	Found    string
	Code     string // required, type, option, pattern, range, length, items, format, unknown_field or schema
}

// String returns the message.
func (v Violation) String() string { return v.Message }

// maxViolations bounds what one value can report.
const maxViolations = 100

// Validate returns every violation of the schema by v, a JSON value, in the
// order of the schema, and nothing where v keeps to it. At most 100 are
// reported. It is safe for concurrent use.
func (s *Schema) Validate(v any) []Violation {
	if s.compiled == nil {
		c := checker{closed: s.Closed}
		c.check(s.checks, v)
		return c.found
	}
	return s.validateJSON(v)
}

func (s *Schema) validateJSON(v any) (out []Violation) {
	// The validator must not bring down more than this one value.
	defer func() {
		if r := recover(); r != nil {
			out = []Violation{{Message: "the value could not be checked", Code: "schema"}}
		}
	}()
	if path, literal, bad := unfitNumber(v, nil); bad {
		return []Violation{{Path: pointer(v, path), Code: "range", Expected: "a number of at most 1000 digits", Found: literal,
			Message: subject(pointer(v, path)) + " is a number too large to be checked"}}
	}
	v = plain(v)
	err := s.compiled.Validate(v)
	if err == nil {
		return nil
	}
	invalid, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return []Violation{{Message: err.Error(), Code: "schema"}}
	}
	for _, l := range leaves(invalid, nil, nil) {
		out = append(out, s.word(l.ValidationError, v, s.condition(l, v))...)
		if len(out) >= maxViolations {
			break
		}
	}
	slices.SortStableFunc(out, func(a, b Violation) int { return strings.Compare(a.Path, b.Path) })
	return slices.Compact(out)
}

// unfitNumber finds a number whose exponent would exhaust memory.
func unfitNumber(v any, path []string) ([]string, string, bool) {
	switch v := v.(type) {
	case json.Number:
		if len(v) > 20 || strings.ContainsAny(string(v), "eE") {
			if _, err := value.ParseDecimal(string(v)); err != nil {
				return path, value.Describe(v), true
			}
		}
	case []any:
		for i, item := range v {
			if p, literal, bad := unfitNumber(item, append(path, strconv.Itoa(i))); bad {
				return p, literal, true
			}
		}
	case map[string]any:
		for name, item := range v {
			if p, literal, bad := unfitNumber(item, append(path, name)); bad {
				return p, literal, true
			}
		}
	}
	return nil, "", false
}

// plain returns v with integers of any size as JSON numbers, which is how the
// validator knows them. What holds none is not copied.
func plain(v any) any {
	switch t := v.(type) {
	case *big.Int:
		return json.Number(t.String())
	case []any:
		for i, x := range t {
			if y := plain(x); !identical(x, y) {
				t = slices.Clone(t)
				t[i] = y
				for j := i + 1; j < len(t); j++ {
					t[j] = plain(t[j])
				}
				return t
			}
		}
	case map[string]any:
		for name, x := range t {
			if y := plain(x); !identical(x, y) {
				t = maps.Clone(t)
				for name := range t {
					t[name] = plain(t[name])
				}
				t[name] = y
				return t
			}
		}
	}
	return v
}

// identical reports whether plain left x alone.
func identical(x, y any) bool {
	switch a := x.(type) {
	case *big.Int:
		return false
	case []any:
		b := y.([]any)
		return len(a) == 0 || &a[0] == &b[0]
	case map[string]any:
		return reflect.ValueOf(x).Pointer() == reflect.ValueOf(y).Pointer()
	}
	return true
}

// pointer writes the place of a value as people do.
func pointer(v any, path []string) string {
	var b strings.Builder
	for _, name := range path {
		switch t := v.(type) {
		case []any:
			i, err := strconv.Atoi(name)
			if err == nil && i >= 0 && i < len(t) {
				v = t[i]
			}
			b.WriteString("[" + name + "]")
			continue
		case map[string]any:
			v = t[name]
		default:
			v = nil
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

func subject(path string) string {
	if path == "" {
		return "the value"
	}
	return path
}

// at returns the value at path.
func at(v any, path []string) any {
	for _, name := range path {
		switch t := v.(type) {
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(t) {
				return nil
			}
			v = t[i]
		case map[string]any:
			v = t[name]
		default:
			return nil
		}
	}
	return v
}

// hidden reports whether the field at path is personal data.
func (s *Schema) hidden(v any, path []string) bool {
	var segments []string
	for _, name := range path {
		switch t := v.(type) {
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(t) {
				return true
			}
			v, name = t[i], value.Items
		case map[string]any:
			v = t[name]
		}
		segments = append(segments, name)
	}
	step, _, ok := s.Shape().At(segments)
	return ok && step.PII
}

// describe names a value for a message, hiding what is personal.
func describe(v any, pii bool) string {
	if pii {
		return value.Kind(v) + " (hidden)"
	}
	return value.Describe(v)
}
