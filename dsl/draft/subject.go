package draft

import (
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/value"
)

// subjectForms are the forms that a schema shows for a subject: order/SO-1,
// tracking/ups/1Z9.
var subjectForms = regexp.MustCompile(`\b([a-z_]+)/(?:([a-z0-9_-]+)/)?[A-Za-z0-9-]+`)

// subject guesses what an event is about: a field named so is put together of a
// word and a number, in the way that the note of the schema shows.
func (m *mapper) subject(list []*slot, at *scope) {
	if at.root != nil {
		return
	}
	for _, s := range list {
		if s.match == nil && lastName(s.path) == "subject" && s.shape.Type.Base == value.String {
			s.match = m.about(s, list, at)
		}
	}
}

// about returns the best number that one of the forms of a subject takes. The
// word that stands in the name of the schema is the first choice; of others that
// are as good, the last shown.
// Where the number of a thing has a field of its own, the subject is made of the
// same.
func (m *mapper) about(s *slot, list []*slot, at *scope) *match {
	var best *match
	named := false
	for _, form := range subjectForms.FindAllStringSubmatch(s.shape.Note, -1) {
		kind, partner := form[1], ""
		if form[2] != "" {
			if partner = m.request.sender(); partner == "" {
				continue // nobody knows whose number it is
			}
			partner += "/"
		}
		inName := slices.ContainsFunc(strings.FieldsFunc(m.request.Output, func(r rune) bool { return r == '/' || r == '@' }), func(part string) bool {
			return likeness.Has(part, likeness.Concepts(kind)...)
		})
		sources, own := at.scalars(), numberOf(kind, list)
		if own != nil {
			sources = nil
			if own.match != nil {
				sources = []source{own.match.read}
			}
		}
		for _, src := range sources {
			score := likeness.Compare([]string{kind, "number"}, src.path) * src.far
			if own != nil {
				score = max(score, least) // it was judged as the number already
			}
			if score < least || !numbers(src) || own == nil && likeness.Shared([]string{kind}, src.path) == nil || best != nil && (named && !inName || named == inName && score < best.score) {
				continue
			}
			named = inName
			read := src
			read.expr = src.expr + ` | values | "` + kind + "/" + partner + `\(.)"`
			best = &match{slot: s, src: read, conv: conversion{fit: 1}, score: score,
				why: lastName(src.path) + " is the number of its " + kind + "; the schema writes " + form[0]}
		}
	}
	return best
}

// numberOf is the field for the number of a kind of thing, nil for none.
func numberOf(kind string, list []*slot) *slot {
	i := slices.IndexFunc(list, func(s *slot) bool {
		name := lastName(s.path)
		return len(s.path) == 1 && likeness.Has(name, likeness.Concepts(kind)...) && likeness.Has(name, "number")
	})
	if i < 0 {
		return nil
	}
	return list[i]
}

// numbers reports whether the values of a source can tell one thing from others.
func numbers(src source) bool {
	return src.node.Texts+src.node.Numbers > 0 && src.node.Present() > 0 && !oneForAll(src.node)
}

// partnerOf is who sends what a schema describes, as its name tells: ups of
// ups/alert@1 and of vendor/ups-alert@1. It is "" where nothing tells.
func partnerOf(schema string) string {
	first, rest, ok := strings.Cut(schema, "/")
	switch {
	case !ok:
		return ""
	case !slices.Contains([]string{"vendor", "vendors", "partner", "partners", "carrier", "carriers"}, first):
		return first
	}
	return strings.FieldsFunc(rest+"@", func(r rune) bool { return r == '-' || r == '_' || r == '@' || r == '/' })[0]
}
