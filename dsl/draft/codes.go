package draft

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
	"crossdock/dsl/value"
)

// Coded is a lookup that a drafted mapping reads: the codes that were seen, with the
// option that each seems to mean, or none.
type Coded struct {
	Name    string
	From    string
	Options []string
	Codes   []profile.Value
}

// Text is the lookup. A code without a certain meaning has none: lint names it, and
// it stops a message until somebody has said what it means.
func (c *Coded) Text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "lookup: %s\n# %s of %s. Look at each: a guess says so; lint names those that are still empty.\n", c.Name, plural(len(c.Codes), "code"), comment(c.From))
	for line := range slices.Chunk(c.Options, 6) {
		fmt.Fprintf(&b, "# one of: %s\n", comment(strings.Join(line, ", ")))
	}
	b.WriteString("on_miss: error   # an unknown code is never guessed; or pass, or default\nrows:\n")
	codes := slices.Clone(c.Codes)
	slices.SortFunc(codes, func(x, y profile.Value) int { return strings.Compare(x.Text, y.Text) })
	for _, v := range codes {
		if means := meaning(v.Text, c.Options); means != "" {
			fmt.Fprintf(&b, "  %s: %s   # guess; seen %s\n", quote(v.Text), quote(means), times(v.Count))
			continue
		}
		fmt.Fprintf(&b, "  %s:   # seen %s\n", quote(v.Text), times(v.Count))
	}
	return []byte(b.String())
}

// Open counts the codes that have no meaning yet.
func (c *Coded) Open() int {
	open := 0
	for _, v := range c.Codes {
		if meaning(v.Text, c.Options) == "" {
			open++
		}
	}
	return open
}

// lookups gives rows of a choice whose source has other words a lookup, and finds the
// codes for what an event is where names did not tell.
func (m *mapper) lookups(all []*slot, scalars []source) {
	if !m.request.Lookups {
		return
	}
	for _, s := range all {
		if s.shape.Type.Base != value.Choice || len(s.shape.Options) < 2 || s.match != nil && (s.match.conv.known || s.match.fixed != "") {
			continue
		}
		if s.required && s.match == nil || s.match != nil && s.match.conv.fit < 1 && understood(s.match.src, s.shape.Options) == 0 {
			m.code(s, scalars)
		}
		if s.match == nil || s.match.conv.fit >= 1 {
			continue
		}
		name := m.request.Name + "-" + strings.ReplaceAll(strings.Join(slices.DeleteFunc(slices.Clone(s.whole), func(p string) bool { return p == value.Items }), "-"), "_", "-")
		s.match.lookup = &Coded{Name: name, From: s.match.src.expr, Options: s.shape.Options, Codes: codesIn(s.match.src)}
		s.match.conv.keys = append([]string{"lookup: " + name}, s.match.conv.keys...)
		s.match.conv.notes = slices.DeleteFunc(s.match.conv.notes, func(n string) bool { return strings.HasPrefix(n, "needs a lookup") })
	}
	m.keptCode(all)
	m.when(all, scalars)
}

// codesIn are the values of a place that are codes.
func codesIn(src source) []profile.Value {
	return slices.DeleteFunc(slices.Clone(src.node.Values), func(v profile.Value) bool { return strings.TrimSpace(v.Text) == "" })
}

// understood counts the codes of a place whose meaning is certain.
func understood(src source, options []string) int {
	n := 0
	for _, v := range src.node.Values {
		if meaning(v.Text, options) != "" {
			n++
		}
	}
	return n
}

// ofEvents are the concepts that a field with the codes of events may speak of.
var ofEvents = []string{"status", "event", "code", "type", "raw", "tracking", "shipment", "delivery", "order", "stop", "package", "task"}

// code finds the field with the codes of what happened: one whose codes mean options,
// else by its name.
func (m *mapper) code(s *slot, scalars []source) {
	if !likeness.Has(lastName(s.path), "event", "status") || len(s.path) != 1 {
		return
	}
	var best *source
	most := 0
	for _, src := range scalars {
		concepts := likeness.Concepts(lastName(src.path))
		if src.far < 0.9 || src.role != "" || !coded(src) || !src.node.CodeLike() && src.node.Numbers == 0 || src.node.Empty > 0 || yesNo(src) ||
			slices.ContainsFunc(concepts, func(c string) bool { return !likeness.Unknown(c) && !slices.Contains(ofEvents, c) }) ||
			of([]string{"location", "address", "carrier", "company", "sku", "service", "vehicle", "receiver", "sender", "billing"}, src.path) {
			continue
		}
		points := 10 * understood(src, s.shape.Options)
		for _, c := range []struct {
			concept string
			points  int
		}{{"status", 4}, {"code", 3}, {"event", 2}, {"type", 1}} {
			if slices.Contains(concepts, c.concept) {
				points += c.points
			}
		}
		if points < 10 && (oneForAll(src.node) || envelope(src)) {
			continue
		}
		if points > most {
			best, most = &src, points
		}
	}
	if best == nil || s.match != nil && most < 10 {
		return
	}
	s.match = &match{slot: s, src: *best, read: *best, score: 0.5, conv: conversion{fit: 0.9}, why: lastName(best.path) + " seems to hold the codes of what happened"}
}

// yesNo reports whether a place answers yes or no, as IsStatusException does.
func yesNo(src source) bool {
	return slices.Contains([]string{"is", "has"}, likeness.Words(lastName(src.path))[0])
}

// when gives the time at which something happened the only one that stands beside the
// code of it, whatever it is called.
func (m *mapper) when(all []*slot, scalars []source) {
	i := slices.IndexFunc(all, func(s *slot) bool { return s.match != nil && s.match.lookup != nil && len(s.path) == 1 && s.required })
	if i < 0 {
		return
	}
	for _, s := range all {
		if s.match != nil || len(s.path) != 1 || s.shape.Type.Base != value.DateTime || !likeness.Has(lastName(s.path), "actual") {
			continue
		}
		var found []source
		for _, src := range scalars {
			form, _ := src.node.Form()
			if objectOf(src.expr) != objectOf(all[i].match.read.expr) || form != profile.DateTime && form != profile.Local && form != profile.PatternTime ||
				likeness.Has(lastName(src.path), "estimated", "planned", "requested", "start", "end") {
				continue
			}
			found = append(found, src)
		}
		if len(found) != 1 {
			continue
		}
		if conv := convert(s.shape, found[0], m.habits); conv.fit > 0 {
			s.match = &match{slot: s, src: found[0], read: found[0], conv: conv, score: least, why: "the only time beside " + lastName(all[i].match.read.path)}
		}
	}
}

// envelope reports whether the only value of a place says what kind of message it is:
// event of type.
func envelope(src source) bool {
	return len(src.node.Values) == 1 && !slices.ContainsFunc(likeness.Concepts(src.node.Values[0].Text), func(c string) bool { return !slices.Contains(ofEvents, c) })
}

// keptCode gives the field that keeps the code of the other side as it came the source
// of the event.
func (m *mapper) keptCode(all []*slot) {
	i := slices.IndexFunc(all, func(s *slot) bool {
		return s.match != nil && s.match.lookup != nil && len(s.path) == 1 && s.required
	})
	if i < 0 {
		return
	}
	for _, s := range all {
		if len(s.path) > 1 && lastName(s.path) == "code" && likeness.Has(s.path[len(s.path)-2], "raw") && s.shape.Type.Base == value.String {
			src := all[i].match.read
			s.match = &match{slot: s, src: src, read: src, score: 0.8, conv: conversion{fit: 1}, why: "the code that " + lastName(all[i].path) + " is made of"}
			if src.node.Numbers > 0 {
				s.match.conv.keys = []string{"type: string"}
			}
		}
	}
}

// finer reports whether a number tells apart more than another: an order may have
// several shipments, and a shipment several parcels.
func finer(s, other *slot) bool {
	rank := func(s *slot) int {
		return slices.IndexFunc([]string{"order", "shipment", "tracking"}, func(c string) bool { return likeness.Has(lastName(s.path), c) })
	}
	return rank(s) > rank(other)
}

// eventID gives the id of an event the one that the other side has for its message, or
// puts it together where there is none: of what it is about, what happened and when.
// Where a part is missing there is none, and the row fails.
func (m *mapper) eventID(all []*slot, scalars []source) {
	var id, code, time, subject *slot
	for _, s := range all {
		switch concepts := likeness.Concepts(lastName(s.path)); {
		case len(s.path) != 1:
		case slices.Equal(concepts, []string{"event", "number"}) && s.shape.Type.Base == value.String:
			id = s
		case s.match == nil || s.match.read.node == nil:
		case s.required && s.shape.Type.Base == value.Choice && s.match.conv.fit != 0 && s.match.fixed == "" && likeness.Has(lastName(s.path), "event", "status"):
			code = s
		case s.shape.Type.Base == value.DateTime && likeness.Has(lastName(s.path), "actual"):
			time = s
		case slices.Contains(concepts, "number") && slices.ContainsFunc([]string{"tracking", "shipment", "order"}, func(c string) bool { return slices.Contains(concepts, c) }):
			if subject == nil || finer(s, subject) {
				subject = s
			}
		}
	}
	if id == nil || id.match != nil || !id.required || time == nil {
		return
	}
	if own := ownEvent(all, scalars, time.match.read); own != nil {
		read := *own
		id.match = &match{slot: id, src: read, read: read, score: 0.6, conv: convert(id.shape, read, m.habits), why: lastName(read.path) + " is the id of the message, if each event has one of its own"}
		return
	}
	if subject == nil {
		return
	}
	parts, why := []string{subject.match.read.expr}, "there is no id of its own: what it is about, what happened and when"
	add := func(expr string) {
		if !slices.Contains(parts, expr) {
			parts = append(parts, expr)
		}
	}
	if ofOrder(lastName(subject.path)) {
		if parcel := parcelOf(scalars); parcel != nil {
			add(parcel.expr)
		} else {
			why += "; an order in two parcels needs their numbers, too"
		}
	}
	if code != nil {
		add(code.match.read.expr)
	} else if status := statusBeside(scalars, time.match.read); status != nil {
		add(status.expr)
	}
	add(time.match.read.expr)
	src := subject.match.read
	src.expr = "[" + strings.Join(parts, ", ") + `] | select(all(. != null)) | map(tostring) | join("/")`
	id.match = &match{slot: id, src: src, score: 0.5, conv: conversion{fit: 1}, why: why}
}

// ofOrder reports whether a number is that of an order and of nothing below it.
func ofOrder(name string) bool {
	return likeness.Has(name, "order") && !likeness.Has(name, "tracking", "shipment", "package", "delivery")
}

// ownEvent is the id that the other side gives its message: one that stands beside the
// time and is the number of an event or a message, or of nothing that is named.
func ownEvent(all []*slot, scalars []source, time source) *source {
	var best *source
	most := 0
	for _, src := range scalars {
		if src.far < 1 || src.role != "" || objectOf(src.expr) != objectOf(time.expr) || !numbers(src) || src.node.Fractions > 0 ||
			slices.ContainsFunc(all, func(s *slot) bool { return s.match != nil && s.match.src.expr == src.expr }) {
			continue
		}
		points := 0
		switch words := likeness.Words(lastName(src.path)); {
		case len(words) == 2 && slices.Contains([]string{"event", "message", "msg", "notification", "webhook"}, words[0]) && slices.Contains([]string{"id", "uuid", "guid", "no", "number"}, words[1]):
			points = 2
		case len(words) == 1 && slices.Contains([]string{"id", "uuid", "guid"}, words[0]) && len(src.path) == 1:
			points = 1
		}
		if points > most {
			best, most = &src, points
		}
	}
	return best
}

// parcelOf is the only number of a parcel that stands in a document, nil for none.
func parcelOf(scalars []source) *source {
	var found []source
	for _, src := range scalars {
		name := lastName(src.path)
		above := len(src.path) > 1 && likeness.Has(src.path[len(src.path)-2], "package", "shipment", "tracking")
		if src.far >= 0.9 && src.role == "" && numbers(src) && src.node.Fractions == 0 && likeness.Has(name, "number") && !likeness.Has(name, "order", "carrier", "customer") &&
			(likeness.Has(name, "package", "shipment", "tracking") || above && len(likeness.Words(name)) == 1) {
			found = append(found, src)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return &found[0]
}

// statusBeside is the field beside a time that says what happened then, nil for none.
func statusBeside(scalars []source, time source) *source {
	for _, word := range []string{"status", "event", "code"} {
		for _, src := range scalars {
			if src.far >= 0.9 && src.role == "" && objectOf(src.expr) == objectOf(time.expr) && coded(src) && likeness.Has(lastName(src.path), word) && !likeness.Has(lastName(src.path), "number") {
				return &src
			}
		}
	}
	return nil
}
