// Package drift compares documents with the contract that they should keep to:
// what is new in them, what is missing, what is of another kind, which codes and
// notations nobody knew.
//
// It is pure. Values of personal fields never appear in what it reports.
package drift

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/profile"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// Kind says how documents differ from their contract.
type Kind string

// The kinds of drift, the worst first.
const (
	Missing Kind = "missing" // a required field is not there
	Type    Kind = "type"    // a value is of another kind
	Code    Kind = "code"    // a code that is no option
	Format  Kind = "format"  // a date, address or pattern is written otherwise
	Limit   Kind = "limit"   // longer, larger or more than agreed
	New     Kind = "new"     // a field that the contract does not list
	Unseen  Kind = "unseen"  // an optional field that no document had
)

var order = []Kind{Missing, Type, Code, Format, Limit, New, Unseen}

// Finding is one difference, of however many documents.
type Finding struct {
	Kind      Kind     `json:"kind"`
	Path      string   `json:"path"` // "lines[].sku"
	Text      string   `json:"text"` // one sentence without a period
	Documents int      `json:"documents"`
	First     int      `json:"first"`             // the first of them, counted from 0
	Refused   bool     `json:"refused,omitempty"` // such documents are refused at the door
	Segments  []string `json:"-"`                 // of Path

	last int // the document that was counted last
}

// Drifted reports whether the finding says that documents changed. That nobody
// sent an optional field may be chance.
func (f Finding) Drifted() bool { return f.Kind != Unseen }

// Of compares documents with a schema. The findings are sorted by kind, the
// worst first, and by path.
func Of(s *schema.Schema, docs []any) []Finding {
	c := &comparison{found: map[string]*Finding{}}
	p := profile.New()
	for i, d := range docs {
		p.Add(d)
		c.violations(s.Validate(d), i)
	}
	c.walk(s.Shape(), p.Root, nil, false)
	for i, d := range docs {
		c.locate(d, nil, i)
	}
	var out []Finding
	for _, f := range c.found {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text))
	})
	return out
}

type comparison struct {
	found map[string]*Finding // by kind and path, and by text where it tells values apart
}

var index = regexp.MustCompile(`\[[0-9]+\]`)

// kinds are the codes of violations.
var kinds = map[string]Kind{"required": Missing, "type": Type, "option": Code, "pattern": Format, "format": Format,
	"range": Limit, "length": Limit, "items": Limit, "unknown_field": New}

// violations notes in which ways one document breaks the contract.
func (c *comparison) violations(list []schema.Violation, doc int) {
	for _, v := range list {
		kind, known := kinds[v.Code]
		if !known {
			kind = Limit
		}
		path := index.ReplaceAllString(v.Path, value.Items)
		text := "expected " + v.Expected + ", found " + v.Found
		key := string(kind) + " " + path
		switch kind {
		case Missing:
			text = "is required and not there"
		case New:
			text = "is not in the contract, which is closed"
		case Code:
			text, key = "the code "+strings.TrimPrefix(v.Found, "the text ")+" is no option", key+" "+v.Found
		}
		if f := c.found[key]; f != nil {
			if f.last != doc {
				f.Documents++
				f.last = doc
			}
			continue
		}
		if len(c.found) < maxFindings {
			c.found[key] = &Finding{Kind: kind, Path: path, Text: text, Documents: 1, First: doc, last: doc, Refused: true, Segments: schema.Split(path)}
		}
	}
}

// maxFindings bounds a report: behind so many differences it is another document.
const maxFindings = 500

// walk looks for fields that are not listed, and for listed ones that nobody
// sent.
func (c *comparison) walk(shape *value.Shape, n *profile.Node, path []string, pii bool) {
	if shape == nil || len(path) > profile.MaxDepth {
		return
	}
	pii = pii || shape.PII
	if n.Item != nil && shape.Item != nil {
		c.walk(shape.Item, n.Item, below(path, value.Items), pii)
	}
	if len(shape.Fields) == 0 {
		return // nothing was agreed on what is in it
	}
	for _, name := range n.Order {
		at := below(path, name)
		f, known := shape.Fields[name]
		if known {
			c.walk(f, n.Fields[name], at, pii)
			continue
		}
		if shape.Open || len(c.found) >= maxFindings {
			continue
		}
		written := schema.Join(at)
		if c.found["new "+written] == nil {
			c.found["new "+written] = &Finding{Kind: New, Path: written, Text: "is new: " + about(n.Fields[name], pii), First: -1, Segments: at}
		}
	}
	for _, name := range shape.Order {
		if _, there := n.Fields[name]; !there && n.Objects > 0 && !shape.Fields[name].Required && len(c.found) < maxFindings {
			written := schema.Join(below(path, name))
			c.found["unseen "+written] = &Finding{Kind: Unseen, Path: written, Text: fmt.Sprintf("is optional, and not in any of %d", n.Objects), Segments: below(path, name)}
		}
	}
}

func below(path []string, name string) []string { return append(path[:len(path):len(path)], name) }

// about describes the values of a new field by kind alone: it may be personal.
func about(n *profile.Node, pii bool) string {
	kinds := strings.Join(n.Kinds(), " or ")
	if form, _ := n.Form(); form != profile.NoForm && !pii && n.Texts > 0 {
		kinds += " (" + string(form) + ")"
	}
	if kinds == "" {
		return "always null"
	}
	return kinds
}

// locate counts the documents that have a new field.
func (c *comparison) locate(v any, path []string, doc int) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			c.locate(item, below(path, value.Items), doc)
		}
	case map[string]any:
		if len(path) > profile.MaxDepth {
			return
		}
		for name, field := range v {
			at := below(path, name)
			f := c.found["new "+schema.Join(at)]
			switch {
			case f == nil:
			case f.First < 0:
				f.First, f.last, f.Documents = doc, doc, 1
			case f.last != doc:
				f.Documents++
				f.last = doc
			}
			c.locate(field, at, doc)
		}
	}
}
