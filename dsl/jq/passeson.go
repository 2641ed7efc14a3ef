package jq

import (
	"slices"

	"github.com/itchyny/gojq"
)

// PassesOn reports whether the cell does nothing but select: a path, or paths
// behind one another. What it gives stands in the payload as it is; a part of a
// text or list, such as .line[4:12], does not.
func (p *Program) PassesOn() bool { return passesOn(p.known().query) }

func passesOn(q *gojq.Query) bool {
	if q == nil || len(q.FuncDefs) > 0 {
		return false
	}
	if q.Term == nil {
		return q.Op == gojq.OpPipe && len(q.Patterns) == 0 && passesOn(q.Left) && passesOn(q.Right)
	}
	t := q.Term
	if slices.ContainsFunc(t.SuffixList, func(s *gojq.Suffix) bool { return s.Index != nil && s.Index.IsSlice }) {
		return false
	}
	switch t.Type {
	case gojq.TermTypeIdentity:
		return true
	case gojq.TermTypeIndex:
		return !t.Index.IsSlice
	case gojq.TermTypeFunc:
		return len(t.Func.Name) > 1 && t.Func.Name[0] == '$'
	case gojq.TermTypeQuery:
		return passesOn(t.Query)
	}
	return false
}

// MakesObject reports whether the cell gives one object of its own for any input,
// and nothing else: {sku: .sku}.
func (p *Program) MakesObject() bool {
	q := p.known().query
	return p.Single() && len(q.FuncDefs) == 0 && q.Term != nil && q.Term.Type == gojq.TermTypeObject && len(q.Term.SuffixList) == 0
}
