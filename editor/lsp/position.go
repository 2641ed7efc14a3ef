package lsp

import (
	"unicode/utf8"

	"crossdock/dsl/diag"
)

// Position is a place in a text: line and character count from 0, characters in
// the units that client and server agreed on.
type Position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// Range is a half-open range of a text.
type Range struct {
	Start Position `json:"start"`
	End   Position `json:"end"`
}

// encoding is the unit in which characters of a line are counted.
type encoding string

// The encodings; utf-16 is what everybody has to speak.
const (
	utf8Units  encoding = "utf-8"
	utf16Units encoding = "utf-16"
	utf32Units encoding = "utf-32"
)

// choose takes the first encoding of a client that we know. Ours is closest to
// utf-32, but what is most used is best tested: utf-16 wins where it is offered.
func choose(offered []string) encoding {
	for _, o := range offered {
		if e := encoding(o); e == utf16Units {
			return e
		}
	}
	for _, o := range offered {
		if e := encoding(o); e == utf8Units || e == utf32Units {
			return e
		}
	}
	return utf16Units
}

// size is how many units a character takes.
func (e encoding) size(r rune) int {
	switch e {
	case utf8Units:
		return utf8.RuneLen(r)
	case utf32Units:
		return 1
	}
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// position turns a place of ours into one of the protocol.
func (e encoding) position(t *diag.Text, p diag.Point) Position {
	if p.Line < 1 {
		return Position{}
	}
	if p.Line > t.Lines() {
		return e.position(t, diag.Point{Line: t.Lines(), Col: 1 << 30})
	}
	out, left := Position{Line: p.Line - 1}, p.Col-1
	for _, r := range t.Line(p.Line) {
		if left <= 0 {
			break
		}
		out.Character += e.size(r)
		left--
	}
	return out
}

// point turns a place of the protocol into one of ours. Places behind the end of
// a line give its end; those inside a character its start.
func (e encoding) point(t *diag.Text, p Position) diag.Point {
	if p.Line < 0 {
		return diag.Point{Line: 1, Col: 1}
	}
	if p.Line >= t.Lines() {
		return t.Point(len(t.Bytes()))
	}
	out, units := diag.Point{Line: p.Line + 1, Col: 1}, 0
	for _, r := range t.Line(out.Line) {
		units += e.size(r)
		if units > p.Character {
			break
		}
		out.Col++
	}
	return out
}

// span turns a span of ours into a range. A span without a place is the start of
// the file.
func (e encoding) span(t *diag.Text, s diag.Span) Range {
	r := Range{e.position(t, s.Start), e.position(t, s.End)}
	if r.End.Line < r.Start.Line || r.End.Line == r.Start.Line && r.End.Character < r.Start.Character {
		r.End = r.Start
	}
	return r
}
