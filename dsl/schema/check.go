package schema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"crossdock/dsl/value"
)

// check is a field of a `fields:` schema made ready for validation.
type check struct {
	name      string
	shape     *value.Shape
	limits    limits
	pattern   *regexp.Regexp
	converter *value.Converter // texts with a form of their own
	fields    []*check
	item      *check
}

func newCheck(name string, d *draft) *check {
	c := &check{name: name, shape: d.shape, limits: d.limits}
	if d.limits.pattern != "" {
		c.pattern = regexp.MustCompile(d.limits.pattern)
	}
	switch d.shape.Type.Base {
	case value.Date, value.DateTime, value.Time, value.URL, value.Name:
		// Without options a type always makes a converter.
		c.converter, _ = value.NewConverter(d.shape.Type, value.Options{})
	}
	for _, name := range d.order {
		c.fields = append(c.fields, newCheck(name, d.children[name]))
	}
	if d.item != nil {
		c.item = newCheck(value.Items, d.item)
	}
	return c
}

// place is the way to a value, linked so that nothing is built unless a
// violation is found.
type place struct {
	up    *place
	name  string
	index int
	pii   bool
}

func (p *place) String() string {
	if p == nil {
		return ""
	}
	up := p.up.String()
	switch {
	case p.name == value.Items:
		return up + "[" + strconv.Itoa(p.index) + "]"
	case up == "":
		return p.name
	}
	return up + "." + p.name
}

// checker walks one value.
type checker struct {
	closed bool
	found  []Violation
}

func (c *checker) add(p *place, code, expected string, v any) {
	if len(c.found) >= maxViolations {
		return
	}
	path := p.String()
	found := describe(v, p != nil && p.pii)
	c.found = append(c.found, Violation{Path: path, Code: code, Expected: expected, Found: found,
		Message: subject(path) + ": expected " + expected + ", found " + found})
}

func (c *checker) check(k *check, v any, p *place) {
	if v == nil {
		// A field that is not required may be null, which means missing.
		if k.shape.Required {
			c.add(p, "type", c.word(k), v)
		}
		return
	}
	switch k.shape.Type.Base {
	case value.Any:
		c.text(k, v, p)
		c.number(k, v, p)
	case value.Object:
		m, ok := v.(map[string]any)
		if !ok {
			c.add(p, "type", "an object", v)
			return
		}
		c.object(k, m, p)
	case value.List:
		items, ok := v.([]any)
		if !ok {
			c.add(p, "type", "a list", v)
			return
		}
		c.list(k, items, p)
	case value.Boolean:
		if _, ok := v.(bool); !ok {
			c.add(p, "type", "true or false", v)
		}
	case value.Integer, value.Number, value.Fixed:
		if value.Kind(v) != "number" {
			c.add(p, "type", c.word(k), v)
			return
		}
		c.number(k, v, p)
	default:
		if _, ok := v.(string); !ok {
			c.add(p, "type", "text", v)
			return
		}
		c.text(k, v, p)
	}
}

func (c *checker) word(k *check) string {
	switch k.shape.Type.Base {
	case value.Integer:
		return "a whole number"
	case value.Number:
		return "a number"
	case value.Fixed:
		return fmt.Sprintf("a number with at most %d digits after the point", k.shape.Type.Digits)
	case value.Boolean:
		return "true or false"
	case value.Object:
		return "an object"
	case value.List:
		return "a list"
	case value.Any:
		return "a value"
	}
	return "text"
}

func (c *checker) object(k *check, m map[string]any, p *place) {
	seen := 0
	for _, f := range k.fields {
		v, ok := m[f.name]
		if ok {
			seen++
		}
		at := place{up: p, name: f.name, pii: f.shape.PII || p != nil && p.pii}
		if !ok {
			if f.shape.Required && len(c.found) < maxViolations {
				path := at.String()
				c.found = append(c.found, Violation{Path: path, Code: "required", Expected: c.word(f), Found: "nothing", Message: path + " is missing"})
			}
			continue
		}
		if scalarFits(f, v) {
			continue
		}
		c.check(f, v, &at)
	}
	if !c.closed || seen == len(m) || len(k.fields) == 0 && k.shape.Type.Base == value.Object {
		return
	}
	var unknown []string
	for name := range m {
		if _, ok := k.shape.Fields[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		if len(c.found) < maxViolations {
			c.found = append(c.found, unknownField((&place{up: p, name: name}).String(), name, k.shape.Order))
		}
	}
}

// scalarFits recognises the commonest right values at once.
func scalarFits(k *check, v any) bool {
	switch v := v.(type) {
	case string:
		return k.shape.Type.Base == value.String && k.pattern == nil && k.limits.minLength == nil && k.limits.maxLength == nil && len(k.shape.Options) == 0
	case bool:
		return k.shape.Type.Base == value.Boolean
	case json.Number:
		return k.shape.Type.Base == value.Number && k.limits.min == nil && k.limits.max == nil && len(v) < 100
	}
	return false
}

func (c *checker) list(k *check, items []any, p *place) {
	if n := k.limits.minItems; n != nil && len(items) < *n {
		c.add(p, "items", fmt.Sprintf("at least %d items", *n), fmt.Sprintf("%d", len(items)))
	}
	if n := k.limits.maxItems; n != nil && len(items) > *n {
		c.add(p, "items", fmt.Sprintf("at most %d items", *n), fmt.Sprintf("%d", len(items)))
	}
	if k.item == nil {
		return
	}
	at := place{up: p, name: value.Items, pii: k.item.shape.PII || p != nil && p.pii}
	for i, v := range items {
		at.index = i
		c.check(k.item, v, &at)
	}
}

func (c *checker) number(k *check, v any, p *place) {
	if value.Kind(v) != "number" {
		return
	}
	base := k.shape.Type.Base
	if base == value.Number && k.limits.min == nil && k.limits.max == nil {
		if n, ok := v.(json.Number); ok && len(n) < 100 {
			return
		}
	}
	d, err := decimalOf(v)
	if err != nil {
		c.add(p, "range", "a number of at most 1000 digits", v)
		return
	}
	switch {
	case base == value.Integer && !d.IsInteger(), base == value.Fixed && d.Normal().Scale() > k.shape.Type.Digits:
		c.add(p, "type", c.word(k), v)
	case k.limits.min != nil && d.Cmp(*k.limits.min) < 0:
		c.add(p, "range", "at least "+k.limits.min.String(), v)
	case k.limits.max != nil && d.Cmp(*k.limits.max) > 0:
		c.add(p, "range", "at most "+k.limits.max.String(), v)
	}
}

func decimalOf(v any) (value.Decimal, error) {
	if b, ok := v.(*big.Int); ok && b.BitLen() > 4000 {
		return value.Decimal{}, &value.Error{Code: value.CodeRange, Message: "the number is too large"}
	}
	return value.DecimalOf(v)
}

func (c *checker) text(k *check, v any, p *place) {
	s, ok := v.(string)
	if !ok {
		return
	}
	if len(k.shape.Options) > 0 && !slices.Contains(k.shape.Options, s) {
		c.add(p, "option", "one of "+strings.Join(k.shape.Options, ", "), v)
		return
	}
	if k.converter != nil {
		out, err := k.converter.Convert(v)
		if e, bad := err.(*value.Error); bad {
			c.form(k, p, s, e)
		} else if k.shape.Type.Base == value.Date && out != s {
			c.add(p, "format", "a date as 2026-05-16", v)
		}
	}
	if k.pattern != nil && !k.pattern.MatchString(s) {
		c.add(p, "pattern", "text like "+k.limits.pattern, v)
	}
	if k.limits.minLength == nil && k.limits.maxLength == nil {
		return
	}
	n := utf8.RuneCountInString(s)
	if k.limits.minLength != nil && n < *k.limits.minLength {
		c.add(p, "length", fmt.Sprintf("at least %d characters", *k.limits.minLength), v)
	}
	if k.limits.maxLength != nil && n > *k.limits.maxLength {
		c.add(p, "length", fmt.Sprintf("at most %d characters", *k.limits.maxLength), v)
	}
}

// form reports a text that does not have the form of its type, with the reason
// where that does not show personal data.
func (c *checker) form(k *check, p *place, s string, e *value.Error) {
	before := len(c.found)
	c.add(p, "format", "a "+k.shape.Type.String(), s)
	if len(c.found) > before && (p == nil || !p.pii) {
		c.found[before].Message = subject(p.String()) + ": " + e.Message
	}
}
