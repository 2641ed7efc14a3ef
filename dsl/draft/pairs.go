package draft

import (
	"slices"
	"strconv"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/value"
)

// Numbers often come as a list of pairs, {"type": "PO", "value": "4500098122"}: what it is
// stands in one field, the number in the other.

// pair returns the fields of an item that say what it is and what its value is, "" for
// items that are no pairs.
func pair(item *profile.Node) (tells, has string) {
	for _, name := range item.Order {
		f := item.Fields[name]
		concepts := likeness.Concepts(name)
		switch {
		case f.Objects+f.Lists > 0 || f.Texts+f.Numbers < item.Objects:
		case slices.Contains(likeness.Words(name), "value"), slices.Equal(concepts, []string{"reference"}), slices.Equal(concepts, []string{"number"}):
			if has != "" {
				return "", ""
			}
			has = name
		case tells == "" && f.Texts == item.Objects && f.Empty == 0 && !f.More && slices.ContainsFunc(concepts, func(c string) bool {
			return slices.Contains(qualifiers, c) || c == "name" || c == "key"
		}):
			tells = name
		}
	}
	if tells == "" || has == "" || len(item.Order) > 4 {
		return "", ""
	}
	return tells, has
}

// ofNumbers reports whether the name of a list speaks of numbers and references.
func ofNumbers(path []string) bool {
	return likeness.Has(lastName(path), "reference", "number")
}

// pairTarget returns the fields of a list of the target whose items are pairs, nil for
// others.
func pairTarget(fields []*slot) (tells, has *slot) {
	for _, s := range fields {
		switch {
		case len(s.path) != 1:
		case s.shape.Type.Base == value.Choice && s.required && tells == nil:
			tells = s
		case s.path[0] == "value" && s.shape.Type.Base == value.String:
			has = s
		}
	}
	if tells == nil || has == nil {
		return nil, nil
	}
	return tells, has
}

// likePairs compares a list of pairs with one of the target: both are numbers of all
// kinds.
func likePairs(s *slot, src source) float64 {
	items := src.node.Items()
	if s.shape.Item == nil || items == nil || items.Objects == 0 || !ofNumbers(s.path) || !ofNumbers(src.path) {
		return 0
	}
	tells, _ := pairTarget(slots(s.shape.Item, nil, nil, true, 0))
	if kind, _ := pair(items); tells == nil || kind == "" {
		return 0
	}
	return 0.6
}

// pairs fills the two fields of a pair from those of a pair.
func (m *mapper) pairs(fields []*slot, at *scope) {
	tells, has := pairTarget(fields)
	kind, number := pair(at.node)
	if tells == nil || kind == "" {
		return
	}
	give := func(s *slot, name string) {
		src := source{node: at.node.Fields[name], expr: field(name), path: below(at.path, name), far: 1}
		conv := convert(s.shape, src, m.habits)
		if conv.fit == 0 {
			conv = conversion{fit: 0.9}
		}
		s.match = &match{slot: s, src: src, read: src, score: 0.7, conv: conv, why: "a pair: " + kind + " says what " + number + " is"}
	}
	give(tells, kind)
	give(has, number)
}

// calledSo offers the numbers of a list of pairs as fields with the name of what they are.
func calledSo(item *profile.Node, at source, scalar func(source)) {
	tells, has := pair(item)
	if tells == "" || !ofNumbers(at.path) {
		return
	}
	for _, v := range item.Fields[tells].Values {
		if len(likeness.Words(v.Text)) == 0 || len(v.Text) > 40 {
			continue
		}
		what := v.Text
		if !likeness.Has(what, "number") {
			what += "_number"
		}
		scalar(source{node: item.Fields[has], expr: "first(" + at.expr + "[]? | select(" + field(tells) + " == " + strconv.Quote(v.Text) + ") | " + field(has) + ")",
			path: below(at.path, what), far: 0.9, how: "the item whose " + tells + " is " + v.Text})
	}
}
