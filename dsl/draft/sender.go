package draft

import (
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/value"
)

// sender is who sends what a mapping reads, as the schema of the input or the name of
// the mapping tells: ups of ups/alert@1, of ups-to-event and of vendors/ups-scans. It is
// "" where nothing tells.
func (r Request) sender() string {
	if who := partnerOf(r.From); who != "" {
		return who
	}
	name := r.Name[strings.LastIndexByte(r.Name, '/')+1:]
	name, _, _ = strings.Cut(name, "-to-")
	parts := strings.FieldsFunc(name, func(c rune) bool { return c == '-' || c == '_' })
	for len(parts) > 0 && ofTheTrade(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	if len(parts) == 0 || ofTheTrade(parts[0]) {
		return ""
	}
	return strings.Join(parts, "-")
}

// ofTheTrade reports whether a word speaks of a document and names nobody.
func ofTheTrade(word string) bool {
	return len(word) < 2 || slices.Contains([]string{"in", "out", "webhook", "webhooks", "feed", "api", "push", "new", "draft", "test", "map", "mapping"}, word) ||
		!slices.ContainsFunc(likeness.Concepts(word), likeness.Unknown)
}

// whoSends gives the fields that ask who reported something, and of which system its
// codes are, the name of the sender: no payload says it of itself.
func (m *mapper) whoSends(all []*slot) {
	who := m.request.sender()
	if who == "" {
		return
	}
	for _, s := range all {
		if s.fixed() || s.shape.Type.Base != value.String || s.match != nil && s.match.score >= 0.8 {
			continue
		}
		asked := s.required && len(s.path) == 1 && slices.Contains([]string{"partner", "source", "carrier"}, s.path[0])
		if s.match == nil && asked || beforeCode(s, all) {
			s.match = &match{slot: s, fixed: who, score: 0.6, conv: conversion{fit: 1}, why: "who sends it, as the name tells"}
		}
	}
}

// beforeCode reports whether a field asks for the system that a code beside it is of.
func beforeCode(s *slot, all []*slot) bool {
	return len(s.path) > 1 && slices.Equal(likeness.Concepts(lastName(s.path)), []string{"system"}) && sibling(s, all, "code") != nil
}

// sibling is the field of the same object with a name, nil for none.
func sibling(s *slot, all []*slot, name string) *slot {
	for _, o := range all {
		if o != s && lastName(o.path) == name && slices.Equal(o.path[:len(o.path)-1], s.path[:len(s.path)-1]) {
			return o
		}
	}
	return nil
}
