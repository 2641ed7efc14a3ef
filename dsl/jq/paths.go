package jq

import (
	"slices"
	"strconv"
)

// Step is the kind of one segment of a Path.
type Step uint8

// The kinds of segments.
const (
	Field   Step = iota // .name
	Each                // [] or what map and its like do
	Index               // [3]
	Slice               // [1:3], the elements stay where they are
	Dynamic             // [expr], known only while running
)

// Segment is one step of a Path with its place in the cell. A segment that no
// text stands for, such as the elements that map visits, has From == To.
type Segment struct {
	Step     Step
	Name     string // the name of a Field
	N        int    // the position of an Index
	From, To int
}

// Path is a place in the input, or in a variable, that a cell reads.
type Path struct {
	Var      string // name of the variable it starts from, without $; "" is the input
	Segments []Segment
	Optional bool // read with ? or asked for with has
}

// String returns the path in jq, as in $root.lines[].sku.
func (p Path) String() string {
	out := ""
	if p.Var != "" {
		out = "$" + p.Var
	}
	for _, s := range p.Segments {
		switch s.Step {
		case Field:
			if plainName(s.Name) {
				out += "." + s.Name
			} else {
				out += "." + strconv.Quote(s.Name)
			}
		case Each, Dynamic:
			out += "[]"
		case Index:
			out += "[" + strconv.Itoa(s.N) + "]"
		case Slice:
			out += "[:]"
		}
	}
	if out == "" || out[0] == '[' {
		out = "." + out
	}
	return out
}

func plainName(s string) bool {
	if s == "" || !identStart(s[0]) {
		return false
	}
	for i := range len(s) {
		if !identStart(s[i]) && !digit(s[i]) {
			return false
		}
	}
	return true
}

// extends reports whether p is other with at least one more step, read at the
// same place of the cell.
func (p Path) extends(other Path) bool {
	n := len(other.Segments)
	return p.Var == other.Var && len(p.Segments) > n && slices.Equal(p.Segments[:n], other.Segments)
}

func (p Path) equal(other Path) bool {
	return p.Var == other.Var && slices.Equal(p.Segments, other.Segments)
}

// flow is what is known about a value while a cell is followed on paper: the
// places of the input it may be, and what it was built from.
type flow struct {
	paths  []Path
	elem   *flow            // the elements of a list that the cell built
	fields map[string]*flow // the entries of an object that the cell built
	types  Types            // what it is where the cell made it
	row    *Column          // it is a whole row of a table
	vague  bool             // it may be something else, of which nothing is known
}

// maxFlow bounds the places that one value may be, so that following a cell
// takes time in proportion to its length.
const maxFlow = 64

var opaque = &flow{vague: true}

func union(a, b *flow) *flow {
	switch {
	case a == nil || a == b:
		return b
	case b == nil:
		return a
	case a == opaque:
		a, b = b, a
	}
	if b == opaque {
		if a.vague {
			return a
		}
		out := *a
		out.vague = true
		return &out
	}
	out := &flow{paths: slices.Clone(a.paths), elem: a.elem, types: a.types | b.types, vague: a.vague || b.vague || len(a.paths)+len(b.paths) > maxFlow}
	for _, p := range b.paths {
		if len(out.paths) < maxFlow && !slices.ContainsFunc(out.paths, p.equal) {
			out.paths = append(out.paths, p)
		}
	}
	if b.elem != nil {
		out.elem = union(a.elem, b.elem)
	}
	if len(a.fields)+len(b.fields) > 0 {
		out.fields = map[string]*flow{}
		for k, v := range a.fields {
			out.fields[k] = v
		}
		for k, v := range b.fields {
			out.fields[k] = union(out.fields[k], v)
		}
	}
	return out
}

// Paths returns the places that the cell reads from its input and from its
// variables, in the order of their first appearance. It follows pipes,
// variables, constructions and the functions that pass their input on; what it
// cannot follow it leaves out, so it never names a place that is not read.
func (p *Program) Paths() []Path {
	return slices.Clone(p.traced().paths)
}

// traced returns the facts of the cell with what following it shows.
func (p *Program) traced() *facts {
	f := p.known()
	f.traced.Do(func() { f.paths = p.trace(f) })
	return f
}

func (p *Program) trace(f *facts) []Path {
	t := &tracer{pl: f.places}
	root := &env{}
	for _, v := range p.vars {
		root = root.bindVar("$"+v, &flow{paths: []Path{{Var: v}}})
	}
	whole := t.query(f.query, &flow{paths: []Path{{}}}, root)
	t.keep(whole)
	if whole.row != nil {
		t.column(whole.row.Table, "", whole.row.Span)
	}
	f.operations, f.columns, f.gives = t.operations, t.columns, given(whole)
	var out []Path
	for i, q := range t.reads {
		if slices.ContainsFunc(t.reads[:i], q.equal) {
			continue
		}
		// A place is noted before the question mark behind it is seen.
		q.Optional = q.Optional || slices.ContainsFunc(t.reads[i+1:], func(o Path) bool { return o.Optional && o.equal(q) })
		passed := slices.ContainsFunc(t.reads, func(o Path) bool { return o.extends(q) })
		if passed && !slices.ContainsFunc(t.whole, q.equal) {
			continue
		}
		out = append(out, q)
	}
	slices.SortStableFunc(out, func(a, b Path) int { return a.place() - b.place() })
	return out
}

func (p Path) place() int {
	if len(p.Segments) == 0 {
		return 0
	}
	return p.Segments[len(p.Segments)-1].From
}
