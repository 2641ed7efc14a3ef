package jq

import "github.com/itchyny/gojq"

// Text is a text that stands in a cell.
type Text struct {
	Span
	Value string
}

// Outcomes are the texts of a cell that can be all of what it gives, in reading
// order: the branches of an `if`, alternatives, and what an object holds that is
// looked into as a table. What something else is made of is none.
func (p *Program) Outcomes() []Text {
	f := p.known()
	o := outcomes{places: f.places}
	o.query(f.query)
	return o.texts
}

type outcomes struct {
	places *places
	texts  []Text
}

func (o *outcomes) query(q *gojq.Query) {
	switch {
	case q == nil || len(q.FuncDefs) > 0:
	case q.Term != nil:
		o.term(q.Term)
	case q.Op == gojq.OpPipe: // what is in front goes in, and what is behind comes out
		o.query(q.Right)
	case q.Op == gojq.OpAlt, q.Op == gojq.OpComma:
		o.query(q.Left)
		o.query(q.Right)
	}
}

func (o *outcomes) term(t *gojq.Term) {
	switch {
	case t.Type == gojq.TermTypeObject && chosen(t.SuffixList):
		for _, kv := range t.Object.KeyVals {
			o.query(kv.Val)
		}
	case len(t.SuffixList) > 0:
	case t.Type == gojq.TermTypeString && t.Str.Queries == nil && t.Format == "":
		o.texts = append(o.texts, Text{o.places.span(t.Str), t.Str.Str})
	case t.Type == gojq.TermTypeQuery:
		o.query(t.Query)
	case t.Type == gojq.TermTypeIf:
		o.query(t.If.Then)
		for _, e := range t.If.Elif {
			o.query(e.Then)
		}
		o.query(t.If.Else)
	case t.Type == gojq.TermTypeTry:
		o.query(t.Try.Body)
		o.query(t.Try.Catch)
	}
}

// chosen reports whether one value of an object is taken by a key that comes in:
// {"a": "b"}[.x].
func chosen(suffixes []*gojq.Suffix) bool {
	if len(suffixes) != 1 || suffixes[0].Index == nil {
		return false
	}
	i := suffixes[0].Index
	return i.Start != nil && !i.IsSlice
}
