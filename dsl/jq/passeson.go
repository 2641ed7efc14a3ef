package jq

import "github.com/itchyny/gojq"

// PassesOn reports whether the cell does nothing but select: a path, or paths
// behind one another. What it gives stands in the payload as it is.
func (p *Program) PassesOn() bool { return passesOn(p.known().query) }

func passesOn(q *gojq.Query) bool {
	if q == nil || len(q.FuncDefs) > 0 {
		return false
	}
	if q.Term == nil {
		return q.Op == gojq.OpPipe && len(q.Patterns) == 0 && passesOn(q.Left) && passesOn(q.Right)
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeIdentity, gojq.TermTypeIndex:
		return true
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
