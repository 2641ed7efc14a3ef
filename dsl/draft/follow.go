package draft

import (
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/value"
)

// Some fields of a contract are about other fields of it: the text that a time was read
// from, how its zone was found, whether it has happened. They follow from the rows of
// those.

// follows gives such fields their rows.
func (m *mapper) follows(all []*slot, scalars []source) {
	for _, s := range all {
		if s.match != nil || s.fixed() {
			continue
		}
		switch s.shape.Type.Base {
		case value.String:
			if at := textOf(s, all); at != nil {
				src := at.match.read
				s.match = &match{slot: s, src: src, score: 0.8, conv: conversion{fit: 1}, why: "the text that " + at.path[len(at.path)-1] + " is read from"}
				if src.node.Numbers > 0 {
					s.match.conv.keys = []string{"type: string"}
				}
			}
		case value.Choice:
			m.aboutTime(s, all, scalars)
		}
	}
}

// textOf is the time whose text a field asks for: occurred_at for occurred_text.
func textOf(s *slot, all []*slot) *slot {
	words := likeness.Words(lastName(s.path))
	if len(words) < 2 || words[len(words)-1] != "text" {
		return nil
	}
	for _, o := range all {
		theirs := likeness.Words(lastName(o.path))
		if o.match != nil && o.shape.Type.Temporal() && len(theirs) == len(words) && slices.Equal(theirs[:len(theirs)-1], words[:len(words)-1]) &&
			slices.Equal(o.path[:len(o.path)-1], s.path[:len(s.path)-1]) && o.match.read.node != nil {
			return o
		}
	}
	return nil
}

// aboutTime fills a choice of how the zone of the main time was found, or of whether
// the time is one that was planned or that has come.
func (m *mapper) aboutTime(s *slot, all []*slot, scalars []source) {
	main := mainTime(s, all)
	if main == nil {
		return
	}
	has := func(options ...string) bool {
		return !slices.ContainsFunc(options, func(o string) bool { return !slices.Contains(s.shape.Options, o) })
	}
	give := func(option, why string) {
		if has(option) {
			s.match = &match{slot: s, fixed: option, score: 0.7, conv: conversion{fit: 1}, why: why}
		}
	}
	name := lastName(main.path)
	switch {
	case has("offset", "unknown"):
		form, pattern := main.match.read.node.Form()
		assumed := slices.ContainsFunc(main.match.conv.keys, func(k string) bool { return strings.HasPrefix(k, "zone: ") })
		epoch := slices.ContainsFunc(main.match.conv.keys, func(k string) bool { return strings.HasPrefix(k, "parse: epoch") })
		switch {
		case main.match.zone != "":
			give("zone_code", name+" is read with the zone that stands beside it")
		case assumed:
			give("partner_default", "the zone of "+name+" is assumed")
		case form == profile.DateTime || epoch || pattern != "":
			give("offset", name+" has its offset")
		}
	case has("actual", "estimated"):
		if likeness.Has(lastName(main.match.read.path), "estimated", "planned", "requested") {
			return
		}
		for _, src := range scalars {
			if src.node.Booleans > 0 && src.node.Booleans == src.node.Seen && src.far >= 0.9 && likeness.Has(lastName(src.path), "estimated") {
				s.match = &match{slot: s, src: src, score: 0.7, conv: conversion{fit: 1}, why: lastName(src.path) + " tells"}
				s.match.src.expr = "if " + src.expr + ` then "estimated" else "actual" end`
				return
			}
		}
		give("actual", name+" is when it happened")
	}
}

// mainTime is the required time of the whole, or that of what happened.
func mainTime(s *slot, all []*slot) *slot {
	if len(s.path) != 1 {
		return nil
	}
	for _, o := range all {
		if o.match != nil && o.match.read.node != nil && len(o.path) == 1 && o.shape.Type.Base == value.DateTime && likeness.Has(lastName(o.path), "actual") {
			return o
		}
	}
	return nil
}
