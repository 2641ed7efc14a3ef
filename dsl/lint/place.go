package lint

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/jq"
	"crossdock/dsl/rule"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// place is a point on the way through a document.
type place struct {
	shape    *value.Shape // nil where the schema says nothing from here on
	examples []example
	path     []string // from the top of the document
	label    string   // the schema, or what else says what exists
	schema   *schema.Schema
	written  string // how a cell writes it
	part     bool   // a splitting cell makes it
	shown    bool   // shape is that of one example, and the real one may have more
}

// start is the place that a shape stands for.
func (p *pass) start(s cell.Shape, written string) place {
	at := place{examples: p.examples(s), path: s.Path, schema: s.Schema, written: written}
	at.part = s.Examples != nil && s.Examples.Split != nil
	switch {
	case s.Made != nil:
		at.label, at.shown = s.Made.By, s.Made.Shown
		if step, _, ok := s.Made.Shape.At(s.Path); ok {
			at.shape = step.Shape
		}
	case s.Schema != nil:
		at.label = s.Schema.Name
		if step, _, ok := s.Schema.Shape().At(s.Path); ok {
			at.shape = step.Shape
		}
	}
	return at
}

// known reports whether anything tells what is there.
func (at place) known() bool { return at.schema != nil || at.shape.Known() || len(at.examples) > 0 }

// segment is one step that a cell makes.
type segment struct {
	name     string // a field, or value.Items
	dynamic  bool   // known only while running
	from, to int    // bytes of the cell
}

// jqSegments are the steps of a path of jq.
func jqSegments(p jq.Path) []segment {
	out := make([]segment, 0, len(p.Segments))
	for _, s := range p.Segments {
		seg := segment{name: s.Name, from: s.From, to: s.To}
		switch s.Step {
		case jq.Each, jq.Index:
			seg.name = value.Items
		case jq.Slice:
			continue
		case jq.Dynamic:
			seg.dynamic = true
		}
		out = append(out, seg)
	}
	return out
}

// ruleSegments are the steps of a path of expr.
func ruleSegments(p rule.Path) []segment {
	out := make([]segment, 0, len(p.Segments))
	for _, s := range p.Segments {
		out = append(out, segment{name: s.Name, from: s.From, to: s.To})
	}
	return out
}

// verdict says what is wrong with a step.
type verdict uint8

const (
	exists  verdict = iota // or nobody knows better
	absent                 // the schema does not list it, and no sample has it
	unseen                 // there is no schema, and no sample has it
	ofList                 // a field of a list
	ofValue                // a field or items of what has none
)

// next makes one step. end is set where nothing is known from there on.
func (at place) next(seg segment) (to place, v verdict, end bool) {
	to = at
	to.path = append(at.path[:len(at.path):len(at.path)], seg.name)
	if seg.dynamic {
		return to, exists, true
	}
	to.examples = below(at.examples, seg.name)
	if seg.name == value.Items {
		return at.items(to)
	}
	objects, lists, plain := 0, 0, 0
	for _, e := range at.examples {
		switch e.value.(type) {
		case map[string]any:
			objects++
		case []any:
			lists++
		case nil:
		default:
			plain++
		}
	}
	step, _, ok := at.shape.At([]string{seg.name})
	to.shape = step.Shape
	switch {
	case at.shape.Known() && ok && at.shape.Fields[seg.name] != nil, len(to.examples) > 0:
		if !ok {
			to.shape = nil
		}
		return to, exists, !to.shape.Known() && len(to.examples) == 0
	case at.shape.Known() && !ok && at.shape.Type.Base == value.List:
		return to, ofList, true
	case at.shape.Known() && !ok && at.dotted(seg.name):
		return to, exists, true
	case at.shape.Known() && !ok && len(at.shape.Order) == 0 && at.shape.Type.Base != value.Object:
		return to, ofValue, true
	case at.shape.Known() && !ok:
		return to, absent, true
	case at.schema == nil && objects > 0:
		return to, unseen, true
	case at.schema == nil && lists > 0 && objects == 0:
		return to, ofList, true
	case at.schema == nil && plain > 0 && objects+lists == 0 && !at.shape.Known():
		return to, ofValue, true
	}
	return to, exists, true
}

// dotted reports whether a name with dots of its own, such as @odata.nextLink,
// is listed: a schema writes it as if it were nested.
func (at place) dotted(name string) bool {
	if !strings.Contains(name, ".") {
		return false
	}
	_, _, ok := at.shape.At(schema.Split(name))
	return ok
}

// items makes the step to the items.
func (at place) items(to place) (place, verdict, bool) {
	to.shape = nil
	if !at.shape.Known() {
		return to, exists, len(to.examples) == 0
	}
	switch at.shape.Type.Base {
	case value.List, value.Any:
		to.shape = at.shape.Item
		return to, exists, !to.shape.Known() && len(to.examples) == 0
	case value.Object:
		return to, exists, true // the values of its fields
	}
	if slices.ContainsFunc(at.examples, func(e example) bool { _, list := e.value.([]any); return list }) {
		return to, exists, false
	}
	return to, ofValue, true
}

// names returns the fields that exist at a place, the file that shows some of
// them, and whether the schema lists them.
func (at place) names() (names []string, seen string, listed bool) {
	names = at.shape.Names()
	listed = len(names) > 0
	for _, e := range at.examples {
		m, ok := e.value.(map[string]any)
		if !ok {
			continue
		}
		if seen == "" {
			seen = e.file
		}
		for name := range m {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, seen, listed
}

// where words the place inside its document, " at partners[]".
func (at place) where() string {
	if len(at.path) == 0 {
		return ""
	}
	return " at " + schema.Join(at.path)
}

// resolve follows the whole path of a jq cell and returns where it ends; ok is
// false where that is not known.
func (p *pass) resolve(c *cell.Cell, path jq.Path) (at place, ok bool) {
	from, rest := c.Start(path)
	if !from.Set() {
		return place{}, false
	}
	at = p.start(from, "")
	for _, seg := range jqSegments(rest) {
		next, v, end := at.next(seg)
		if v != exists || seg.dynamic {
			return place{}, false
		}
		at = next
		if end && at.shape == nil && len(at.examples) == 0 {
			return at, false
		}
	}
	return at, true
}

func missingFile(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// plain words an error of the file system or of a decoder.
func plain(err error) string {
	if missingFile(err) {
		return "there is no such file"
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}
