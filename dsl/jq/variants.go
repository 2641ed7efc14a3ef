package jq

import (
	"slices"

	"github.com/itchyny/gojq"
)

// Variant is a cell with one small change: a mistake somebody could have made.
type Variant struct {
	From, To int // what of the cell is changed
	Text     string
	What     string // in words: "`+` became `-`"
	Source   string // of the changed cell
}

// turned are the operators that stand in for one another.
var turned = map[gojq.Operator]gojq.Operator{
	gojq.OpAdd: gojq.OpSub, gojq.OpSub: gojq.OpAdd, gojq.OpMul: gojq.OpDiv, gojq.OpDiv: gojq.OpMul,
	gojq.OpEq: gojq.OpNe, gojq.OpNe: gojq.OpEq, gojq.OpLt: gojq.OpGe, gojq.OpGe: gojq.OpLt, gojq.OpGt: gojq.OpLe, gojq.OpLe: gojq.OpGt,
	gojq.OpAnd: gojq.OpOr, gojq.OpOr: gojq.OpAnd,
}

// nowhere is a field that no payload has.
const nowhere = "no_such_field__"

// Variants returns changes of the cell in reading order: another operator,
// another text, a field that is not there, a missing alternative, the last
// instead of the first. They are made at the places of the tree of the cell; some
// may not compile.
func (p *Program) Variants() []Variant {
	f := p.known()
	var out []Variant
	add := func(at Span, text, what string) {
		if at.From >= at.To || at.To > len(p.src) {
			return
		}
		v := Variant{From: at.From, To: at.To, Text: text, What: what, Source: p.src[:at.From] + text + p.src[at.To:]}
		if !slices.ContainsFunc(out, func(o Variant) bool { return o.Source == v.Source }) {
			out = append(out, v)
		}
	}
	walk(f.query, func(node any) {
		q, ok := node.(*gojq.Query)
		if !ok {
			return
		}
		if other, ok := turned[q.Op]; ok && q.Right != nil {
			add(f.places.span(opOf{q}), other.String(), "`"+q.Op.String()+"` became `"+other.String()+"`")
		}
	})
	for _, u := range p.Uses() {
		at := Span{From: u.From, To: u.To}
		switch u.Kind {
		case UseDefault:
			add(Span{From: u.Left.To, To: u.Right.To}, "", "the alternative behind `//` is gone")
		case UseText:
			add(at, `"changed"`, "the text "+p.src[u.From:u.To]+" became another")
		case UseFirst:
			if u.Text == "first" {
				add(at, "last", "`first` became `last`")
			}
		}
	}
	for _, path := range p.Paths() {
		if n := len(path.Segments); n > 0 {
			if s := path.Segments[n-1]; s.Step == Field && s.From < s.To && p.src[s.From] != '.' {
				add(Span{From: s.From, To: s.To}, nowhere, "`"+s.Name+"` is not read")
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Variant) int { return a.From - b.From })
	return out
}
