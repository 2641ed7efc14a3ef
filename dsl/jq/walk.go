package jq

import "github.com/itchyny/gojq"

// walk hands every node of q to see, parents first, in reading order.
func walk(q *gojq.Query, see func(node any)) {
	if q == nil {
		return
	}
	see(q)
	for _, fd := range q.FuncDefs {
		walk(fd.Body, see)
	}
	if q.Term != nil {
		walkTerm(q.Term, see)
		return
	}
	walk(q.Left, see)
	walkPatterns(q.Patterns, see)
	walk(q.Right, see)
}

func walkTerm(t *gojq.Term, see func(any)) {
	see(t)
	switch t.Type {
	case gojq.TermTypeIndex:
		walkIndex(t.Index, see)
	case gojq.TermTypeFunc:
		see(t.Func)
		for _, a := range t.Func.Args {
			walk(a, see)
		}
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			walkStr(kv.KeyString, see)
			walk(kv.KeyQuery, see)
			walk(kv.Val, see)
		}
	case gojq.TermTypeArray:
		walk(t.Array.Query, see)
	case gojq.TermTypeUnary:
		walkTerm(t.Unary.Term, see)
	case gojq.TermTypeFormat, gojq.TermTypeString:
		walkStr(t.Str, see)
	case gojq.TermTypeIf:
		walk(t.If.Cond, see)
		walk(t.If.Then, see)
		for _, e := range t.If.Elif {
			walk(e.Cond, see)
			walk(e.Then, see)
		}
		walk(t.If.Else, see)
	case gojq.TermTypeTry:
		walk(t.Try.Body, see)
		walk(t.Try.Catch, see)
	case gojq.TermTypeReduce:
		walk(t.Reduce.Query, see)
		walkPatterns(t.Reduce.Patterns, see)
		walk(t.Reduce.Start, see)
		walk(t.Reduce.Update, see)
	case gojq.TermTypeForeach:
		walk(t.Foreach.Query, see)
		walkPatterns(t.Foreach.Patterns, see)
		walk(t.Foreach.Start, see)
		walk(t.Foreach.Update, see)
		walk(t.Foreach.Extract, see)
	case gojq.TermTypeLabel:
		walk(t.Label.Body, see)
	case gojq.TermTypeQuery:
		walk(t.Query, see)
	}
	for _, s := range t.SuffixList {
		if s.Index != nil {
			walkIndex(s.Index, see)
		}
	}
}

func walkIndex(x *gojq.Index, see func(any)) {
	see(x)
	walkStr(x.Str, see)
	walk(x.Start, see)
	walk(x.End, see)
}

func walkStr(s *gojq.String, see func(any)) {
	if s == nil {
		return
	}
	see(s)
	for _, q := range s.Queries {
		if q.Term.Str == nil { // literal pieces of a text are no texts
			walk(q, see)
		}
	}
}

func walkPatterns(ps []*gojq.Pattern, see func(any)) {
	for _, p := range ps {
		walkPatterns(p.Array, see)
		for _, kv := range p.Object {
			walkStr(kv.KeyString, see)
			walk(kv.KeyQuery, see)
			if kv.Val != nil {
				walkPatterns([]*gojq.Pattern{kv.Val}, see)
			}
		}
	}
}
