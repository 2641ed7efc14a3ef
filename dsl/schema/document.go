package schema

import (
	"encoding/json"

	"crossdock/dsl/value"
)

// timePattern is a time of day as the language writes it.
const timePattern = `^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?$`

// document returns the JSON Schema (2020-12) of a draft.
func document(name string, root *draft, closed bool) any {
	d := object(root, closed)
	d["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	d["title"] = name
	return d
}

// object returns the JSON Schema of one draft. A field that is not required
// may be null: for the language that is the same as missing.
func object(d *draft, closed bool) map[string]any {
	s, m := d.shape, map[string]any{}
	if t := jsonType(s.Type.Base); t != "" {
		if s.Required {
			m["type"] = t
		} else {
			m["type"] = []any{t, "null"}
		}
	}
	constrain(m, d)
	if len(s.Options) > 0 {
		var options []any
		for _, o := range s.Options {
			options = append(options, o)
		}
		if !s.Required {
			options = append(options, nil)
		}
		m["enum"] = options
	}
	if s.Note != "" {
		m["description"] = s.Note
	}
	if d.limits.example != "" {
		m["examples"] = []any{d.limits.example}
	}
	if len(d.order) > 0 {
		properties := map[string]any{}
		var required []any
		for _, name := range d.order {
			c := d.children[name]
			properties[name] = object(c, closed)
			if c.shape.Required {
				required = append(required, name)
			}
		}
		m["properties"] = properties
		if required != nil {
			m["required"] = required
		}
		if closed {
			m["additionalProperties"] = false
		}
	}
	if d.item != nil {
		m["items"] = object(d.item, closed)
	}
	return m
}

func jsonType(b value.Base) string {
	switch b {
	case value.Integer:
		return "integer"
	case value.Number, value.Fixed:
		return "number"
	case value.Boolean:
		return "boolean"
	case value.List:
		return "array"
	case value.Object:
		return "object"
	case value.Any:
		return ""
	}
	return "string"
}

func constrain(m map[string]any, d *draft) {
	number := func(key string, v *value.Decimal) {
		if v != nil {
			m[key] = v.Number()
		}
	}
	count := func(key string, v *int) {
		if v != nil {
			m[key] = json.Number(value.DecimalFromInt(int64(*v)).String())
		}
	}
	number("minimum", d.limits.min)
	number("maximum", d.limits.max)
	count("minLength", d.limits.minLength)
	count("maxLength", d.limits.maxLength)
	count("minItems", d.limits.minItems)
	count("maxItems", d.limits.maxItems)
	if d.limits.pattern != "" {
		m["pattern"] = d.limits.pattern
	}
	switch d.shape.Type.Base {
	case value.Fixed:
		m["multipleOf"] = json.Number("1e-" + value.DecimalFromInt(int64(d.shape.Type.Digits)).String())
	case value.Date:
		m["format"] = "date"
	case value.DateTime:
		m["format"] = "date-time"
	case value.URL:
		m["format"] = "uri"
	case value.Time:
		addPattern(m, timePattern)
	case value.Name:
		addPattern(m, `^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)
	}
}

// addPattern joins the pattern of a type to one that was written.
func addPattern(m map[string]any, pattern string) {
	if _, taken := m["pattern"]; !taken {
		m["pattern"] = pattern
		return
	}
	m["allOf"] = []any{map[string]any{"pattern": pattern}}
}
