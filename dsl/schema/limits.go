package schema

import (
	"reflect"

	"crossdock/dsl/value"
)

// Limits are the bounds of one field. What is nil or "" has no bound.
type Limits struct {
	Pattern              string
	Min, Max             *value.Decimal
	MinLength, MaxLength *int // characters
	MinItems, MaxItems   *int
}

// Limits returns the bounds of the field at path. Those of a published JSON
// Schema are not known: they are never set.
func (s *Schema) Limits(path []string) Limits {
	c := s.checks
	for _, name := range path {
		switch {
		case c == nil:
			return Limits{}
		case name == value.Items:
			c = c.item
		default:
			c = c.field(name)
		}
	}
	if c == nil {
		return Limits{}
	}
	l := c.limits
	return Limits{l.pattern, l.min, l.max, l.minLength, l.maxLength, l.minItems, l.maxItems}
}

func (c *check) field(name string) *check {
	for _, f := range c.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

// SameChecks reports whether both schemas are made of `fields:`, whose bounds
// are all known, or say the same but for descriptions.
func (s *Schema) SameChecks(other *Schema) bool {
	if s.checks != nil && other.checks != nil {
		return true
	}
	return reflect.DeepEqual(undescribed(s.document), undescribed(other.document))
}

// undescribed is a JSON Schema without what is only for people.
func undescribed(doc any) any {
	switch t := doc.(type) {
	case []any:
		out := make([]any, len(t))
		for i, v := range t {
			out[i] = undescribed(v)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, v := range t {
			_, text := v.(string)
			switch {
			case text && (k == "title" || k == "description" || k == "$comment" || k == "$id"), k == "examples":
			default:
				out[k] = undescribed(v)
			}
		}
		return out
	}
	return doc
}
