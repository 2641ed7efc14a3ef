package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"crossdock/dsl/value"
)

// Path is a place that a rule reads: a name of the scope and the way down from
// it. Items of a list that a function walks over are value.Items.
type Path struct {
	Root     string
	Segments []Segment
	From, To int // byte offsets of the whole path
}

// Segment is one step of a path.
type Segment struct {
	Name     string // a field, or value.Items
	Index    int    // where the rule names one item of a list: its number
	Indexed  bool
	Optional bool // written with ?.
	From, To int  // byte offsets
}

// String returns the path as it is written: "data.items[0].sku".
func (p Path) String() string {
	var b strings.Builder
	b.WriteString(p.Root)
	for _, s := range p.Segments {
		switch {
		case s.Indexed:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case s.Name == value.Items:
			b.WriteString(s.Name)
		case plainName(s.Name):
			b.WriteString("." + s.Name)
		default:
			b.WriteString("[" + strconv.Quote(s.Name) + "]")
		}
	}
	return b.String()
}

// Keys returns the segments as a schema knows them: names and value.Items.
func (p Path) Keys() []string {
	keys := make([]string, len(p.Segments))
	for i, s := range p.Segments {
		keys[i] = s.Name
	}
	return keys
}

func plainName(s string) bool {
	for i, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// walker knows, while going through a tree, which names mean something else
// here and which list a predicate walks over.
type walker struct {
	c       *compilation
	locals  []local
	current []*Path // the items of the lists walked over, innermost last; nil: unknown
}

// local is a variable of `let` and the path it stands for, if it does.
type local struct {
	name string
	path *Path
}

func (w *walker) local(name string) (*Path, bool) {
	for _, l := range slices.Backward(w.locals) {
		if l.name == name {
			return l.path, true
		}
	}
	return nil, false
}

// fixed returns the literal key of a member access.
func fixed(n ast.Node) (name string, index int, indexed, ok bool) {
	switch p := n.(type) {
	case *ast.StringNode:
		return p.Value, 0, false, true
	case *ast.IntegerNode:
		return value.Items, p.Value, true, true
	case *ast.UnaryNode:
		if i, isInt := p.Node.(*ast.IntegerNode); isInt && p.Operator == "-" {
			return value.Items, -i.Value, true, true
		}
	}
	return "", 0, false, false
}

// chain is a member access with literal keys only: what it starts from and the
// segments behind it.
type chain struct {
	start    ast.Node // an identifier, a pointer, or anything else
	segments []Segment
}

// unchain takes a member access apart. It returns no segments where n is none.
func (c *compilation) unchain(n ast.Node) chain {
	switch m := n.(type) {
	case *ast.ChainNode:
		return c.unchain(m.Node)
	case *ast.MemberNode:
		name, index, indexed, ok := fixed(m.Property)
		if !ok || m.Method {
			return chain{start: n}
		}
		out := c.unchain(m.Node)
		from, to := c.span(m.Property)
		if from < len(c.src) && (c.src[from] == '.' || c.src[from] == '?') {
			from++
		}
		out.segments = append(out.segments, Segment{Name: name, Index: index, Indexed: indexed, Optional: m.Optional, From: from, To: to})
		return out
	}
	return chain{start: n}
}

// pathOf returns the path that a node reads, if it is one.
func (w *walker) pathOf(n ast.Node) (Path, bool) {
	ch := w.c.unchain(n)
	var p Path
	switch s := ch.start.(type) {
	case *ast.IdentifierNode:
		if known, isLocal := w.local(s.Value); isLocal {
			if known == nil {
				return Path{}, false
			}
			p = *known
		} else if _, inScope := w.c.scope.Names[s.Value]; inScope {
			p.Root = s.Value
		} else {
			return Path{}, false
		}
		p.From, p.To = w.c.span(s)
	case *ast.PointerNode:
		if s.Name != "" || len(w.current) == 0 || w.current[len(w.current)-1] == nil {
			return Path{}, false
		}
		p = *w.current[len(w.current)-1]
		p.From, p.To = w.c.span(s)
		if len(ch.segments) > 0 && (p.From >= len(w.c.src) || w.c.src[p.From] != '#') {
			// `.x` is short for `#.x`; the dot belongs to the path.
			p.From = max(0, ch.segments[0].From-1)
		}
	default:
		return Path{}, false
	}
	p.Segments = slices.Concat(p.Segments, ch.segments)
	if len(ch.segments) > 0 {
		last := ch.segments[len(ch.segments)-1]
		p.To = last.To
		bracketed := last.Indexed || strings.IndexByte("\"'`", w.c.src[last.From]) >= 0
		if bracketed && p.To < len(w.c.src) && w.c.src[p.To] == ']' {
			p.To++
		}
	}
	return p, true
}

// into goes into a predicate over list and calls f with the place of its items
// known.
func (w *walker) into(list ast.Node, f func()) {
	var items *Path
	if p, ok := w.pathOf(throughFilters(list)); ok {
		p.Segments = append(slices.Clone(p.Segments), Segment{Name: value.Items, From: p.From, To: p.To})
		items = &p
	}
	w.current = append(w.current, items)
	f()
	w.current = w.current[:len(w.current)-1]
}

// throughFilters looks through what leaves the items of a list as they are:
// filter(...), take(...), and `list ?? []`.
func throughFilters(n ast.Node) ast.Node {
	switch t := n.(type) {
	case *ast.BuiltinNode:
		switch t.Name {
		case "filter", "take", "reverse":
			return throughFilters(t.Arguments[0])
		}
	case *ast.BinaryNode:
		if t.Operator == "??" {
			if a, ok := t.Right.(*ast.ArrayNode); ok && len(a.Nodes) == 0 {
				return throughFilters(t.Left)
			}
		}
	}
	return n
}
