package template

import (
	"errors"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
)

// errByHand is for places of an instance that are written in a way that only a
// person changes safely.
var errByHand = errors.New("it is written in a way that has to be changed by hand")

// Without returns the file of an instance without the override at a place: its
// key, or its item of a `drop`. What is left empty around it goes, too; comments
// in other lines and all else stay.
func Without(src []byte, file string, at diag.Span) ([]byte, error) {
	f, list := parser.Parse(file, src)
	if list.HasErrors() || f.Root == nil {
		return nil, errByHand
	}
	trail := find1(f.Root, at, nil)
	if len(trail) == 0 {
		return nil, errByHand
	}
	// What would be empty without it goes as a whole.
	for len(trail) > 1 && lonely(trail[len(trail)-1]) {
		trail = trail[:len(trail)-1]
	}
	return cutOut(src, file, f.Root, trail[len(trail)-1])
}

// entry is an entry of a map or a list.
type entry struct {
	around *ast.Node // the map or list
	i      int
}

// lonely reports whether an entry is all that its map or list says: the day and
// the note of an override say nothing without it.
func lonely(e entry) bool {
	if e.around.Kind == ast.List {
		return len(e.around.Items) == 1
	}
	for i, p := range e.around.Pairs {
		if i != e.i && p.Key.Text != "until" && p.Key.Text != "note" {
			return false
		}
	}
	return true
}

// find1 is the way to the entry whose key, or whose item, holds a place.
func find1(n *ast.Node, at diag.Span, trail []entry) []entry {
	for i, p := range n.Pairs {
		here := append(slices.Clone(trail), entry{n, i})
		if p.Key.Span.Contains(at) {
			return here
		}
		if found := find1(p.Value, at, here); found != nil {
			return found
		}
	}
	for i, it := range n.Items {
		here := append(slices.Clone(trail), entry{n, i})
		if it.Kind == ast.Scalar && it.Span.Contains(at) {
			return here
		}
		if found := find1(it, at, here); found != nil {
			return found
		}
	}
	return nil
}

// spanOf is an entry from its first character to its last.
func spanOf(n *ast.Node, i int) diag.Span {
	if n.Kind == ast.List {
		return n.Items[i].Span
	}
	p := n.Pairs[i]
	out := p.Key.Span
	if p.Key.Span.End.Less(p.Value.Span.End) {
		out.End = p.Value.Span.End
	}
	return out
}

// cutOut removes an entry from a text.
func cutOut(src []byte, file string, root *ast.Node, e entry) ([]byte, error) {
	n, i, count := e.around, e.i, max(len(e.around.Pairs), len(e.around.Items))
	cut := spanOf(n, i)
	switch {
	case n.Flow && i+1 < count:
		cut.End = spanOf(n, i+1).Start
	case n.Flow && i > 0:
		cut.Start = spanOf(n, i-1).End
	case n.Flow:
		return nil, errByHand // an empty { } was to go with what is around it
	default:
		// The dash of an item stands before it, and a comment behind its end.
		cut.Start = diag.Point{Line: cut.Start.Line, Col: 1}
		cut.End = diag.Point{Line: cut.End.Line + 1, Col: 1}
	}
	out := edited(src, file, cut, "")
	f, list := parser.Parse(file, out)
	if list.HasErrors() || f.Root == nil || !Equal(f.Root, minus(root, e)) {
		return nil, errByHand
	}
	return out, nil
}

func edited(src []byte, file string, at diag.Span, text string) []byte {
	at.File = file
	out, _ := diag.ApplyFixes(file, src, diag.List{{Fixes: []diag.Fix{{Edits: []diag.Edit{{Span: at, Text: text}}}}}})
	return out
}

// minus is a tree without one entry.
func minus(n *ast.Node, e entry) *ast.Node {
	out := *n
	out.Pairs, out.Items = nil, nil
	for i, p := range n.Pairs {
		if n != e.around || i != e.i {
			out.Pairs = append(out.Pairs, ast.Pair{Key: p.Key, Value: minus(p.Value, e)})
		}
	}
	for i, it := range n.Items {
		if n != e.around || i != e.i {
			out.Items = append(out.Items, minus(it, e))
		}
	}
	return &out
}

// WithParam returns the file of an instance with one more parameter, whose value
// is written as YAML.
func WithParam(src []byte, file, name, text string) ([]byte, error) {
	f, list := parser.Parse(file, src)
	if list.HasErrors() || f.Root == nil {
		return nil, errByHand
	}
	if len(src) > 0 && src[len(src)-1] != '\n' {
		src = append(slices.Clone(src), '\n')
	}
	params := f.Root.Pair("params")
	var at diag.Point
	line := name + ": " + text
	switch {
	case params == nil || params.Value.Empty:
		anchor := f.Root.Pair("of")
		head := "params:\n"
		if params != nil {
			anchor, head = params, ""
		}
		i := slices.IndexFunc(f.Root.Pairs, func(p ast.Pair) bool { return p.Key == anchor.Key })
		at, line = diag.Point{Line: spanOf(f.Root, i).End.Line + 1, Col: 1}, head+"  "+line+"\n"
	case params.Value.Kind != ast.Map:
		return nil, errByHand
	case len(params.Value.Pairs) == 0: // { }
		at = params.Value.Span.Start
		at.Col++
	default:
		last := spanOf(params.Value, len(params.Value.Pairs)-1)
		if params.Value.Flow {
			at, line = last.End, ", "+line
			break
		}
		pad := strings.Repeat(" ", params.Value.Pairs[0].Key.Span.Start.Col-1)
		at, line = diag.Point{Line: last.End.Line + 1, Col: 1}, pad+line+"\n"
	}
	out := edited(src, file, diag.Span{Start: at, End: at}, line)
	changed, list := parser.Parse(file, out)
	if list.HasErrors() || changed.Root == nil || changed.Root.Get("params").Get(name) == nil {
		return nil, errByHand
	}
	return out, nil
}

// Asks are the parameters that an instance has to say for a template and does
// not.
func (t *Template) Asks(in *Instance) []*Param {
	var out []*Param
	for _, p := range t.Params {
		if p.Required && in.Spec.Params.Pair(p.Name) == nil {
			out = append(out, p)
		}
	}
	return out
}
