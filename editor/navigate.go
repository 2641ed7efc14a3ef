package editor

import (
	"io/fs"
	"path/filepath"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
)

// Definition returns where the name at a place is defined. Places in the shipped
// library have paths that begin with "std/".
func (s *State) Definition(path string, p diag.Point) []diag.Span {
	x := s.mentions()
	m, ok := x.at(path, p)
	if !ok {
		return nil
	}
	return s.definitions(m.Symbol)
}

func (s *State) definitions(sym Symbol) []diag.Span {
	x := s.mentions()
	var out []diag.Span
	for _, m := range x.of(sym) {
		if m.Defines {
			out = append(out, m.Span)
		}
	}
	if len(out) > 0 {
		return out
	}
	switch sym.Kind {
	case "field": // of an imported schema, or described by its parent
		s, sym := s.concrete(sym)
		name, field, _ := strings.Cut(sym.Name, "#")
		sc := s.Workspace.Schemas[name]
		if sc == nil {
			return nil
		}
		for parts := schema.Split(field); len(parts) > 0; parts = parts[:len(parts)-1] {
			if span, ok := sc.Schema.Span(parts); ok {
				return []diag.Span{span}
			}
		}
	case "column":
		name, _, _ := strings.Cut(sym.Name, "#")
		return s.definitions(Symbol{"lookup", name})
	case "file":
		if _, err := s.folder.read(sym.Name); err == nil {
			top := diag.Point{Line: 1, Col: 1}
			return []diag.Span{{File: sym.Name, Start: top, End: top}}
		}
	}
	return nil
}

// References returns every place where the name at a place is used, with its
// definition where that is asked for.
func (s *State) References(path string, p diag.Point, definition bool) []diag.Span {
	x := s.mentions()
	m, ok := x.at(path, p)
	if !ok {
		return nil
	}
	var out []diag.Span
	for _, o := range x.of(m.Symbol) {
		if definition || !o.Defines {
			out = append(out, o.Span)
		}
	}
	return out
}

// Outline is one entry of the outline of a file.
type Outline struct {
	Name, Detail string
	Kind         string // of a Symbol, or "key", "row", "step", "case"
	Span         diag.Span
	At           diag.Span // of the name alone
	Children     []Outline
}

// Outline returns what a file consists of.
func (s *State) Outline(path string) []Outline {
	f := s.Workspace.Files[path]
	kind, ok := spec.KindOfFile(path)
	if f == nil || f.Root == nil || !ok || len(f.Root.Pairs) == 0 {
		return nil
	}
	head := f.Root.Pairs[0]
	top := Outline{Name: head.Value.Text, Detail: kind.Name, Kind: kind.Name, Span: f.Root.Span, At: head.Value.Span}
	for _, p := range f.Root.Pairs[1:] {
		top.Children = append(top.Children, outline(p.Key.Text, p.Key, p.Value, 0))
	}
	return []Outline{top}
}

// deepest bounds how deep an outline goes.
const deepest = 6

func outline(name string, key, n *ast.Node, depth int) Outline {
	o := Outline{Name: name, Kind: "key", Span: diag.Span{File: key.Span.File, Start: key.Span.Start, End: n.Span.End}, At: key.Span}
	if n.Kind == ast.Scalar {
		o.Detail = oneLine(n.Text, 60)
	}
	if !o.Span.Contains(o.At) {
		o.Span = o.At
	}
	if depth >= deepest {
		return o
	}
	for _, p := range n.Pairs {
		o.Children = append(o.Children, outline(p.Key.Text, p.Key, p.Value, depth+1))
	}
	for _, item := range n.Items {
		label := "-"
		at := item
		switch {
		case item.Kind == ast.Map && item.Get("name") != nil:
			label = item.Get("name").Text
		case item.Kind == ast.Map && len(item.Pairs) > 0:
			label = item.Pairs[0].Key.Text
			if v := item.Pairs[0].Value; v.Kind == ast.Scalar {
				label += " " + oneLine(v.Text, 40)
			}
		case item.Kind == ast.Scalar:
			continue
		}
		o.Children = append(o.Children, outline(label, at, item, depth+1))
	}
	return o
}

func oneLine(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// Found is a definition whose name fits a search.
type Found struct {
	Symbol Symbol
	Span   diag.Span
}

// Search returns the definitions and parts of definitions whose name holds all
// letters of the query in their order, the first 500.
func (s *State) Search(query string) []Found {
	var out []Found
	for _, m := range s.mentions().mentions {
		if m.Defines && fits(m.Symbol.Name, query) && len(out) < 500 && !strings.HasPrefix(m.Span.File, "std/") {
			out = append(out, Found{m.Symbol, m.Span})
		}
	}
	return out
}

func fits(name, query string) bool {
	rest := []rune(strings.ToLower(query))
	for _, r := range strings.ToLower(name) {
		if len(rest) > 0 && rest[0] == r {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}

// Materialise makes a file of the shipped library readable on disk and returns
// where. It is written below the folder of the workspace that keeps such things.
func (s *State) Materialise(path, below string) (string, error) {
	raw, err := s.folder.read(path)
	if err != nil {
		return "", fs.ErrNotExist
	}
	to := filepath.Join(s.folder.Dir, filepath.FromSlash(below), filepath.FromSlash(path))
	return to, writeOnce(to, raw)
}
