package draft

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/value"
)

// oneLine writes a list for which the samples have none: a row of a sheet is often a
// line of an order, with what belongs to the order in each. What the document itself
// was read for is not read again.
func (m *mapper) oneLine(s *slot, list []*slot, at *scope, indent string) bool {
	if at.root != nil || s.shape.Type.Base != value.List || s.shape.Item == nil || len(s.shape.Item.Fields) == 0 || len(at.lists()) > 0 {
		return false
	}
	for _, name := range at.node.Order {
		if f := at.node.Fields[name]; f.Objects+f.Lists > 0 {
			return false // no row of a sheet
		}
	}
	taken := map[string]bool{}
	for _, o := range list {
		if o.match != nil {
			taken[o.match.src.expr] = true
		}
	}
	left := &profile.Node{Objects: at.node.Objects, Seen: at.node.Seen, Fields: map[string]*profile.Node{}}
	for _, name := range at.node.Order {
		if !taken[field(name)] {
			left.Fields[name] = at.node.Fields[name]
			left.Order = append(left.Order, name)
		}
	}
	inner := &scope{node: left, path: below(s.whole, value.Items)}
	fields := slots(s.shape.Item, nil, below(s.whole, value.Items), true, 0)
	(&mapper{request: m.request, habits: m.habits}).assign(fields, inner)
	found, required := 0, false
	for _, f := range fields {
		if f.match != nil {
			found++
			required = required || f.required
		}
	}
	if found < 2 || !required {
		return false
	}
	s.match = &match{slot: s, src: source{node: at.node, expr: ".", path: s.whole}, conv: conversion{fit: 1}, score: 0.5,
		why: "a row is one line; rows of one order are put together with each: .rows | group_by(...)"}
	fmt.Fprintf(&m.text, "%s%s:%s\n%s  each: .\n", indent, key(strings.Join(s.path, ".")), m.note(s), indent)
	if s.required {
		fmt.Fprintf(&m.text, "%s  required: true\n", indent)
	}
	fmt.Fprintf(&m.text, "%s  fields:\n", indent)
	m.object(s.shape.Item, below(s.whole, value.Items), inner, indent+"    ")
	return true
}

// onlyName gives a required name the only one that a row of a sheet has, where the
// rest of the address was found there.
func (m *mapper) onlyName(list []*slot, scalars []source, used map[string]int, at *scope) {
	if at.root != nil || len(at.path) > 0 {
		return
	}
	for _, s := range list {
		if s.match != nil || !s.required || len(s.path) < 2 || !slices.Equal(likeness.Concepts(lastName(s.path)), []string{"name"}) || !m.flat(s, list) {
			continue
		}
		var found []source
		for _, src := range scalars {
			concepts := likeness.Concepts(lastName(src.path))
			if len(src.path) == 1 && used[src.expr] == 0 && slices.Contains(concepts, "name") && !wordless(src.node) &&
				!slices.ContainsFunc(concepts, func(c string) bool {
					return !slices.Contains([]string{"name", "buyer", "contact", "receiver", "company"}, c)
				}) {
				found = append(found, src)
			}
		}
		if len(found) == 1 {
			s.match = &match{slot: s, src: found[0], conv: convert(s.shape, found[0], m.habits), score: least, why: "the only name there is"}
			used[found[0].expr]++
		}
	}
}

// flat reports whether a neighbour of a field was found in the document itself.
func (m *mapper) flat(s *slot, list []*slot) bool {
	return slices.ContainsFunc(list, func(o *slot) bool {
		return o != s && o.match != nil && len(o.match.src.path) == 1 && o.match.src.far == 1 && slices.Equal(o.path[:len(o.path)-1], s.path[:len(s.path)-1])
	})
}

// keyed lists the objects whose names are data, such as numbers of parcels.
func keyed(n *profile.Node, at string) []string {
	var out []string
	for _, name := range n.Order {
		f := n.Fields[name]
		switch {
		case f.Objects == 0:
		case f.Keyed():
			out = append(out, at+field(name))
		default:
			out = append(out, keyed(f, at+field(name))...)
		}
	}
	return out
}
