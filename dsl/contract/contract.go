// Package contract compares two versions of a schema: what changed, and whom it
// breaks.
//
// A contract has two sides. Who sends is broken where a document that was good
// is refused now; who reads is broken where a good document may hold now what
// it never held before, or lack what was promised. A change that breaks nobody
// may keep the name of the schema; any other needs the next major version.
//
// Compare is pure and safe for concurrent use.
package contract

import (
	"slices"
	"strings"

	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// Change is one difference between two versions of a schema.
type Change struct {
	Path     string `json:"path"`             // "lines[].sku"; "" is the whole document
	Rule     string `json:"rule"`             // a stable word, see Rules
	Text     string `json:"text"`             // one sentence without a period
	Sender   string `json:"sender,omitempty"` // how it breaks who sends such documents, "" where it does not
	Reader   string `json:"reader,omitempty"` // how it breaks who reads such documents
	Breaking bool   `json:"breaking"`         // it breaks one of them
}

// Rules are the words of Change.Rule with what they mean.
var Rules = []struct{ Word, Text string }{
	{"field_added", "an optional field is new"},
	{"field_removed", "a field is gone"},
	{"required_added", "a field must be there now"},
	{"required_removed", "a field may be missing now"},
	{"type_narrowed", "some values of the old type are refused now"},
	{"type_widened", "values are allowed that the old type refused"},
	{"type_changed", "the values are of another kind"},
	{"options_removed", "codes are refused that were allowed"},
	{"options_added", "codes are allowed that did not exist"},
	{"limit_tightened", "a length, range, pattern or count allows less"},
	{"limit_loosened", "a length, range, pattern or count allows more"},
	{"limit_changed", "a pattern allows other values"},
	{"closed", "fields that are not listed are refused now"},
	{"opened", "fields that are not listed are allowed now"},
	{"pii_added", "a field is personal data now, and is masked"},
	{"pii_removed", "a field is no longer masked"},
	{"not_compared", "a published JSON Schema differs in what is not compared"},
}

// Breaking keeps the changes that need a new major version.
func Breaking(list []Change) []Change {
	var out []Change
	for _, c := range list {
		if c.Breaking {
			out = append(out, c)
		}
	}
	return out
}

// Compare returns every difference from old to new, in the order of new, what
// is gone last. Notes and examples do not count.
func Compare(old, new *schema.Schema) []Change {
	c := &comparison{old: old, new: new, seen: map[[2]*value.Shape]bool{}}
	if old.Closed != new.Closed {
		if new.Closed {
			c.add(nil, "closed", "fields that are not listed are refused now", "documents with other fields are refused", "")
		} else {
			c.add(nil, "opened", "fields that are not listed are allowed now", "", "documents may hold fields that were refused")
		}
	}
	c.shapes(nil, old.Shape(), new.Shape())
	if len(c.list) == 0 && !old.SameChecks(new) {
		c.add(nil, "not_compared", "the JSON Schema differs in something that is not compared here",
			"whether documents are refused now has to be tried with samples", "")
	}
	return c.list
}

type comparison struct {
	old, new *schema.Schema
	list     []Change
	seen     map[[2]*value.Shape]bool
}

func (c *comparison) add(path []string, rule, text, sender, reader string) {
	c.list = append(c.list, Change{Path: schema.Join(path), Rule: rule, Text: text, Sender: sender, Reader: reader, Breaking: sender != "" || reader != ""})
}

// maxDepth bounds schemas that refer to themselves in ever new shapes.
const maxDepth = 64

func (c *comparison) shapes(path []string, a, b *value.Shape) {
	if a == nil {
		a = &value.Shape{}
	}
	if b == nil {
		b = &value.Shape{}
	}
	if c.seen[[2]*value.Shape{a, b}] || len(path) > maxDepth {
		return
	}
	c.seen[[2]*value.Shape{a, b}] = true
	c.types(path, a, b)
	c.options(path, a, b)
	c.limits(path)
	c.pii(path, a, b)
	c.fields(path, a, b)
	if a.Item != nil || b.Item != nil {
		c.shapes(join(path, value.Items), a.Item, b.Item)
	}
}

func join(path []string, name string) []string { return append(path[:len(path):len(path)], name) }

func (c *comparison) fields(path []string, a, b *value.Shape) {
	for _, name := range b.Order {
		at, is, was := join(path, name), b.Fields[name], a.Fields[name]
		switch {
		case was != nil:
			c.presence(at, was, is)
			c.shapes(at, was, is)
		case is.Required:
			c.add(at, "required_added", "is new and required", "documents without it are refused", "")
		case c.old.Closed:
			c.add(at, "field_added", "is new", "", "it was refused before, because the schema was closed")
		default:
			c.add(at, "field_added", "is new, and optional", "", "")
		}
	}
	for _, name := range a.Order {
		if _, there := b.Fields[name]; there {
			continue
		}
		sender := ""
		if c.new.Closed {
			sender = "documents that have it are refused"
		}
		c.add(join(path, name), "field_removed", "is gone", sender, "it is promised no more")
	}
}

func (c *comparison) presence(path []string, a, b *value.Shape) {
	switch {
	case !a.Required && b.Required:
		c.add(path, "required_added", "is required now", "documents without it are refused", "")
	case a.Required && !b.Required:
		c.add(path, "required_removed", "is optional now", "", "it was always there and may be missing")
	}
}

func (c *comparison) types(path []string, a, b *value.Shape) {
	was, is := plain(a.Type), plain(b.Type)
	if was == is {
		return
	}
	text := "was " + a.Type.String() + " and is " + b.Type.String() + " now"
	wider, narrower := holds(is, was), holds(was, is)
	switch {
	case wider && narrower:
	case narrower:
		c.add(path, "type_narrowed", text, "some values that were good are refused", "")
	case wider:
		c.add(path, "type_widened", text, "", "values of another kind may come")
	default:
		c.add(path, "type_changed", text, "values that were good are refused", "values of another kind come")
	}
}

// plain is a type without what is compared apart: a choice is a text with
// options, and the items of a list have a shape of their own.
func plain(t value.Type) value.Type {
	if t.Base == value.Choice {
		return value.Type{Base: value.String}
	}
	return value.Type{Base: t.Base, Digits: t.Digits}
}

// holds reports whether every value of type b is one of type a.
func holds(a, b value.Type) bool {
	switch {
	case a == b, a.Base == value.Any:
		return true
	case a.Base == value.String:
		return b.Textual()
	case a.Base == value.Number:
		return b.Numeric()
	case a.Base == value.Fixed:
		return b.Base == value.Integer || b.Base == value.Fixed && b.Digits <= a.Digits
	case a.Base == value.Integer:
		return b.Base == value.Fixed && b.Digits == 0
	}
	return false
}

func (c *comparison) options(path []string, a, b *value.Shape) {
	gone, added := missing(a.Options, b.Options), missing(b.Options, a.Options)
	switch {
	case len(a.Options) == 0 && len(b.Options) > 0:
		c.add(path, "options_removed", "allows only "+words(b.Options)+" now", "other texts are refused", "")
		return
	case len(a.Options) > 0 && len(b.Options) == 0:
		c.add(path, "options_added", "allows any text now", "", "texts may come that were no option")
		return
	}
	if len(gone) > 0 {
		c.add(path, "options_removed", "no longer allows "+words(gone), "documents with it are refused", "")
	}
	if len(added) > 0 {
		c.add(path, "options_added", "allows "+words(added)+" too", "", "a code may come that nobody knew")
	}
}

func missing(from, in []string) []string {
	var out []string
	for _, o := range from {
		if !slices.Contains(in, o) {
			out = append(out, o)
		}
	}
	return out
}

// words lists options, the first of them.
func words(list []string) string {
	const most = 8
	if len(list) > most {
		return strings.Join(list[:most], ", ") + ", ..."
	}
	return strings.Join(list, ", ")
}

func (c *comparison) pii(path []string, a, b *value.Shape) {
	switch {
	case !a.PII && b.PII:
		c.add(path, "pii_added", "is personal data now, and is masked where people see it", "", "")
	case a.PII && !b.PII:
		c.add(path, "pii_removed", "is no longer marked as personal data: it is shown as it is", "", "")
	}
}
