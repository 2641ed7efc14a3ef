package jq

import "github.com/itchyny/gojq"

// Lists returns the place of the second of several values that the cell gives
// whatever comes in: `.a, .b`. What may be nothing, or one of many, is left out.
func (p *Program) Lists() (Span, bool) {
	f := p.known()
	q := second(f.query)
	if q == nil {
		return Span{}, false
	}
	return f.places.span(q), true
}

// second is the query of the second value; nil where there may be only one.
func second(q *gojq.Query) *gojq.Query {
	if q == nil {
		return nil
	}
	if q.Term != nil {
		if q.Term.Type == gojq.TermTypeQuery && len(q.Term.SuffixList) == 0 {
			return second(q.Term.Query)
		}
		return nil
	}
	switch q.Op {
	case gojq.OpComma:
		if certain(q.Left) && certain(q.Right) {
			return q.Right
		}
	case gojq.OpPipe: // several values in front stay several behind what gives one for each
		if certain(q.Right) && len(q.Patterns) == 0 {
			if s := second(q.Left); s != nil {
				return s
			}
		}
		if certain(q.Left) {
			return second(q.Right)
		}
	}
	return nil
}

// certain reports whether a query surely gives a value: a path without `?` and
// iteration, a text, number, object or list.
func certain(q *gojq.Query) bool {
	if q == nil || len(q.FuncDefs) > 0 {
		return false
	}
	if q.Term == nil {
		return (q.Op == gojq.OpPipe && len(q.Patterns) == 0 || q.Op == gojq.OpAdd || q.Op == gojq.OpComma) && certain(q.Left) && certain(q.Right)
	}
	for _, s := range q.Term.SuffixList {
		if s.Iter || s.Optional {
			return false
		}
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeIdentity, gojq.TermTypeIndex, gojq.TermTypeString, gojq.TermTypeNumber, gojq.TermTypeObject, gojq.TermTypeArray:
		return true
	case gojq.TermTypeFunc:
		return len(t.Func.Name) > 1 && t.Func.Name[0] == '$'
	case gojq.TermTypeQuery:
		return certain(t.Query)
	}
	return false
}
