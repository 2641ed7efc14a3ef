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

// step is one step of the way to the value being checked.
type step struct {
	name  string // value.Items for an item of a list
	index int
	pii   bool // it, or something on the way to it, is personal data
}

// checker walks one value.
type checker struct {
	closed bool
	path   []step
	found  []Violation
}

func (c *checker) push(k *check, index int) {
	c.path = append(c.path, step{name: k.name, index: index, pii: k.shape.PII || c.pii()})
}

func (c *checker) pop() { c.path = c.path[:len(c.path)-1] }

func (c *checker) pii() bool { return len(c.path) > 0 && c.path[len(c.path)-1].pii }

// at writes the path with one more name where that is not "".
func (c *checker) at(name string) string {
	var b strings.Builder
	for _, s := range c.path {
		if s.name == value.Items {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
	}
	if name != "" {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(name)
	}
	return b.String()
}

func (c *checker) add(code, expected string, v any) { c.say(code, expected, describe(v, c.pii())) }

func (c *checker) say(code, expected, found string) {
	if len(c.found) < maxViolations {
		path := c.at("")
		c.found = append(c.found, Violation{Path: path, Code: code, Expected: expected, Found: found,
			Message: subject(path) + ": expected " + expected + ", found " + found})
	}
}

func (c *checker) check(k *check, v any) {
	if v == nil {
		// A field that is not required may be null, which means missing.
		if k.shape.Required {
			c.add("type", c.word(k), v)
		}
		return
	}
	switch k.shape.Type.Base {
	case value.Any:
		c.text(k, v)
		c.number(k, v)
	case value.Object:
		if m, ok := v.(map[string]any); ok {
			c.object(k, m)
			return
		}
		c.add("type", "an object", v)
	case value.List:
		if items, ok := v.([]any); ok {
			c.list(k, items)
			return
		}
		c.add("type", "a list", v)
	case value.Boolean:
		if _, ok := v.(bool); !ok {
			c.add("type", "true or false", v)
		}
	case value.Integer, value.Number, value.Fixed:
		if value.Kind(v) != "number" {
			c.add("type", c.word(k), v)
			return
		}
		c.number(k, v)
	default:
		if _, ok := v.(string); !ok {
			c.add("type", "text", v)
			return
		}
		c.text(k, v)
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

func (c *checker) object(k *check, m map[string]any) {
	seen := 0
	for _, f := range k.fields {
		v, ok := m[f.name]
		if !ok {
			if f.shape.Required && len(c.found) < maxViolations {
				path := c.at(f.name)
				c.found = append(c.found, Violation{Path: path, Code: "required", Expected: c.word(f), Found: "nothing", Message: path + " is missing"})
			}
			continue
		}
		seen++
		if scalarFits(f, v) {
			continue
		}
		c.push(f, 0)
		c.check(f, v)
		c.pop()
	}
	if c.closed && seen < len(m) && len(k.fields) > 0 {
		c.unknown(k, m)
	}
}

func (c *checker) unknown(k *check, m map[string]any) {
	var unknown []string
	for name := range m {
		if _, ok := k.shape.Fields[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		if len(c.found) < maxViolations {
			c.found = append(c.found, unknownField(c.at(name), name, k.shape.Order))
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

func (c *checker) list(k *check, items []any) {
	if n := k.limits.minItems; n != nil && len(items) < *n {
		c.say("items", fmt.Sprintf("at least %d items", *n), strconv.Itoa(len(items)))
	}
	if n := k.limits.maxItems; n != nil && len(items) > *n {
		c.say("items", fmt.Sprintf("at most %d items", *n), strconv.Itoa(len(items)))
	}
	if k.item == nil {
		return
	}
	for i, v := range items {
		if scalarFits(k.item, v) {
			continue
		}
		c.push(k.item, i)
		c.check(k.item, v)
		c.pop()
	}
}

func (c *checker) number(k *check, v any) {
	if value.Kind(v) != "number" {
		return
	}
	base := k.shape.Type.Base
	d, err := decimalOf(v)
	if err != nil {
		c.add("range", "a number of at most 1000 digits", v)
		return
	}
	switch {
	case base == value.Integer && !d.IsInteger(), base == value.Fixed && d.Scale() > k.shape.Type.Digits && d.Normal().Scale() > k.shape.Type.Digits:
		c.add("type", c.word(k), v)
	case k.limits.min != nil && d.Cmp(*k.limits.min) < 0:
		c.add("range", "at least "+k.limits.min.String(), v)
	case k.limits.max != nil && d.Cmp(*k.limits.max) > 0:
		c.add("range", "at most "+k.limits.max.String(), v)
	}
}

func decimalOf(v any) (value.Decimal, error) {
	if b, ok := v.(*big.Int); ok && b.BitLen() > 4000 {
		return value.Decimal{}, &value.Error{Code: value.CodeRange, Message: "the number is too large"}
	}
	return value.DecimalOf(v)
}

func (c *checker) text(k *check, v any) {
	s, ok := v.(string)
	if !ok {
		return
	}
	if len(k.shape.Options) > 0 && !slices.Contains(k.shape.Options, s) {
		c.add("option", "one of "+strings.Join(k.shape.Options, ", "), v)
		return
	}
	if k.converter != nil {
		c.form(k, s)
	}
	if k.pattern != nil && !k.pattern.MatchString(s) {
		c.add("pattern", "text like "+k.limits.pattern, v)
	}
	if k.limits.minLength == nil && k.limits.maxLength == nil {
		return
	}
	n := utf8.RuneCountInString(s)
	if k.limits.minLength != nil && n < *k.limits.minLength {
		c.add("length", fmt.Sprintf("at least %d characters", *k.limits.minLength), v)
	}
	if k.limits.maxLength != nil && n > *k.limits.maxLength {
		c.add("length", fmt.Sprintf("at most %d characters", *k.limits.maxLength), v)
	}
}

// form checks a text that must have the form of its type, and gives the reason
// where that does not show personal data.
func (c *checker) form(k *check, s string) {
	err := k.converter.Check(s)
	if err == nil && k.shape.Type.Base == value.Date && len(s) != len("2026-05-16") {
		c.say("format", "a date as 2026-05-16", describe(s, c.pii()))
		return
	}
	e, bad := err.(*value.Error)
	if !bad {
		return
	}
	before := len(c.found)
	c.say("format", "a "+k.shape.Type.String(), describe(s, c.pii()))
	if len(c.found) > before && !c.pii() {
		c.found[before].Message = subject(c.at("")) + ": " + e.Message
	}
}
