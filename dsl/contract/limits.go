package contract

import (
	"fmt"

	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// limits compares the bounds of one field.
func (c *comparison) limits(path []string) {
	a, b := c.old.Limits(path), c.new.Limits(path)
	for _, n := range []struct {
		word   string
		a, b   *int
		lowest bool
	}{
		{"min_length", a.MinLength, b.MinLength, true}, {"max_length", a.MaxLength, b.MaxLength, false},
		{"min_items", a.MinItems, b.MinItems, true}, {"max_items", a.MaxItems, b.MaxItems, false},
	} {
		c.bound(path, n.word, decimal(n.a), decimal(n.b), n.lowest)
	}
	c.bound(path, "min", a.Min, b.Min, true)
	c.bound(path, "max", a.Max, b.Max, false)
	c.pattern(path, a, b)
}

func decimal(n *int) *value.Decimal {
	if n == nil {
		return nil
	}
	d := value.DecimalFromInt(int64(*n))
	return &d
}

// bound compares one bound; nil is none.
func (c *comparison) bound(path []string, word string, a, b *value.Decimal, lowest bool) {
	tighter := false
	switch {
	case a == nil && b == nil:
		return
	case a == nil:
		tighter = true
	case b == nil:
	default:
		order := b.Cmp(*a)
		if order == 0 {
			return
		}
		tighter = order > 0 == lowest
	}
	text := fmt.Sprintf("%s was %s and is %s now", word, shown(a), shown(b))
	if tighter {
		c.add(path, "limit_tightened", text, "some values that were good are refused", "")
	} else {
		c.add(path, "limit_loosened", text, "", "values may come that were refused")
	}
}

func shown(d *value.Decimal) string {
	if d == nil {
		return "not set"
	}
	return d.String()
}

func (c *comparison) pattern(path []string, a, b schema.Limits) {
	switch {
	case a.Pattern == b.Pattern:
	case a.Pattern == "":
		c.add(path, "limit_tightened", "must look like "+b.Pattern+" now", "some values that were good are refused", "")
	case b.Pattern == "":
		c.add(path, "limit_loosened", "may look like anything now", "", "values may come that were refused")
	default:
		c.add(path, "limit_changed", "must look like "+b.Pattern+" now, not like "+a.Pattern,
			"some values that were good may be refused", "values may come that were refused")
	}
}
