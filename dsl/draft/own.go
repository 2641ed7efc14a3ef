package draft

import (
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/value"
)

// own gives the fields of a document that say what it is, its number and its date,
// what the other side calls so: the number of an order has a name of its own in every
// system, and so has the day on which it was made.
func (m *mapper) own(list []*slot, scalars []source, used map[string]int, at *scope) {
	if at.root != nil || len(at.path) > 0 {
		return
	}
	for _, s := range list {
		if len(s.path) != 1 || s.fixed() || s.shape.Type.Base == value.List || s.match != nil && s.match.score >= 0.8 {
			continue
		}
		rank := ownNumber
		switch {
		case ofItself(s.path[0]) && s.shape.Type.Base == value.String:
		case s.match == nil && ofItsDay(s):
			rank = ownDay
		default:
			continue
		}
		var best *match
		most, tied := 0, false
		for _, src := range scalars {
			points := rank(src)
			if points == 0 || len(src.path) != 1 || used[src.expr] > 0 && !(s.match != nil && s.match.src.expr == src.expr) || points < most {
				continue
			}
			conv := convert(s.shape, src, m.habits)
			if conv.fit == 0 {
				continue
			}
			tied = points == most
			most, best = points, &match{slot: s, src: src, conv: conv, score: 0.5, why: lastName(src.path) + " is what the document is called by"}
		}
		if best == nil || tied {
			continue
		}
		if rank(best.src) < 2 && s.match != nil {
			continue
		}
		if s.shape.Type.Temporal() {
			best.why = lastName(best.src.path) + " is when the document was made"
		}
		if s.match != nil {
			used[s.match.src.expr]--
		}
		s.match = best
		used[best.src.expr]++
	}
}

// ofItself reports whether a field asks for the number of the document.
func ofItself(name string) bool {
	return slices.Equal(likeness.Concepts(name), []string{"reference"})
}

// ofItsDay reports whether a field asks for the day of an order.
func ofItsDay(s *slot) bool {
	concepts := likeness.Concepts(s.path[0])
	return s.shape.Type.Temporal() && slices.Contains(concepts, "order") && len(concepts) == 2 && slices.ContainsFunc(concepts, func(c string) bool { return c == "date" || c == "time" || c == "created" })
}

// papers are what a document can be.
var papers = []string{"order", "shipment", "delivery", "document", "invoice", "return"}

// ownNumber ranks a field of the document by how certainly its number is in it.
func ownNumber(src source) int {
	n, words := src.node, likeness.Words(lastName(src.path))
	concepts := likeness.Concepts(lastName(src.path))
	form, _ := n.Form()
	rest := slices.DeleteFunc(slices.Clone(concepts), func(c string) bool { return c == "number" || slices.Contains(papers, c) })
	number := slices.Contains(concepts, "number")
	of := len(concepts) - len(rest) - 1 // how many papers are named
	switch {
	case n.Texts+n.Numbers == 0 || n.Fractions > 0 || form == profile.UUID || oneForAll(n) || src.far < 1 || !number:
		return 0
	case len(rest) == 0 && of > 0:
		return 5
	case len(rest) == 0 && len(words) == 1 && words[0] != "id" && words[0] != "uuid" && words[0] != "key":
		return 4 // its number, and not its key
	case len(rest) == 1 && of > 0 && likeness.Unknown(rest[0]):
		return 3 // AmazonOrderId
	case len(rest) == 1 && of == 0 && likeness.Unknown(rest[0]) && n.Texts > 0:
		return 2 // tranId, increment_id
	}
	return 0
}

// ownDay ranks a field of the document by how certainly it is the day it was made.
func ownDay(src source) int {
	concepts := likeness.Concepts(lastName(src.path))
	has := func(c string) bool { return slices.Contains(concepts, c) }
	switch {
	case src.far < 1 || strings.Contains(lastName(src.path), "post"):
		return 0
	case has("order") && (has("date") || has("time") || has("created")):
		return 5
	case has("purchase") && (has("date") || has("time")):
		return 4
	case has("created"):
		return 3
	case len(concepts) == 2 && concepts[1] == "date" && likeness.Unknown(concepts[0]):
		return 2 // tranDate
	case slices.Equal(concepts, []string{"date"}):
		return 1
	}
	return 0
}
