package template

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
)

// Difference is one place at which two trees differ.
type Difference struct {
	Def  string // kind/name; "" for parameters
	Path string // "" is the whole definition
	A, B *ast.Node
}

// Diff compares what two clients have: their parameters, then their definitions.
func Diff(a, b *Instance) []Difference {
	var out []Difference
	var names []string
	for _, in := range []*Instance{a, b} {
		for name := range in.values {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if x, y := a.values[name].Node, b.values[name].Node; !Equal(x, y) {
			out = append(out, Difference{Path: name, A: x, B: y})
		}
	}
	defs := map[string][2]*Definition{}
	for i, in := range []*Instance{a, b} {
		for j := range in.Definitions {
			d := &in.Definitions[j]
			pair := defs[d.Kind.Name+"/"+d.Name]
			pair[i] = d
			defs[d.Kind.Name+"/"+d.Name] = pair
		}
	}
	var keys []string
	for key := range defs {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		switch pair := defs[key]; {
		case pair[0] == nil:
			out = append(out, Difference{Def: key, B: pair[1].Root})
		case pair[1] == nil:
			out = append(out, Difference{Def: key, A: pair[0].Root})
		default:
			for _, d := range trees(pair[0].Root, pair[1].Root, nil) {
				d.Def, d.Path = key, written(pair[0].Kind.Name, strings.Split(d.Path, between))
				out = append(out, d)
			}
		}
	}
	return out
}

// between stands between the segments of a path.
const between = "\x02"

// trees compares two trees; the segments of a path are joined by between.
func trees(a, b *ast.Node, segs []string) []Difference {
	if Equal(a, b) {
		return nil
	}
	here := []Difference{{Path: strings.Join(segs, between), A: a, B: b}}
	switch {
	case a == nil || b == nil || a.Kind != b.Kind || a.Kind == ast.Scalar:
		return here
	case a.Kind == ast.List:
		return items(a, b, segs, here)
	}
	var out []Difference
	for _, p := range a.Pairs {
		out = append(out, trees(p.Value, b.Get(p.Key.Text), append(slices.Clone(segs), p.Key.Text))...)
	}
	for _, p := range b.Pairs {
		if a.Get(p.Key.Text) == nil {
			out = append(out, trees(nil, p.Value, append(slices.Clone(segs), p.Key.Text))...)
		}
	}
	return out
}

// items compares the items of lists that can be told apart; others are compared
// as a whole.
func items(a, b *ast.Node, segs []string, whole []Difference) []Difference {
	seen := map[string]bool{}
	for _, list := range []*ast.Node{a, b} {
		for i, it := range list.Items {
			if it.Kind != ast.Map || strings.HasPrefix(strings.TrimLeft(label(list, i), mark), "[") {
				return whole
			}
			seen[label(list, i)] = true
		}
	}
	if len(a.Items)+len(b.Items) == 0 {
		return whole
	}
	var out []Difference
	for i := range a.Items {
		l := label(a, i)
		out = append(out, trees(a.Items[i], child(b, l), append(slices.Clone(segs), l))...)
	}
	for i := range b.Items {
		if l := label(b, i); child(a, l) == nil {
			out = append(out, trees(nil, b.Items[i], append(slices.Clone(segs), l))...)
		}
	}
	if len(out) == 0 {
		return whole // the same items in another order
	}
	return out
}
