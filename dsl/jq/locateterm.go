package jq

import (
	"github.com/itchyny/gojq"
)

func (p *places) term(t *gojq.Term) {
	p.mark(t, func() {
		p.mark(baseOf{t}, func() { p.base(t) })
		for _, s := range t.SuffixList {
			p.mark(s, func() { p.suffix(s) })
		}
	})
}

// baseOf is the key for the place of a term without its suffixes.
type baseOf struct{ t *gojq.Term }

func (p *places) base(t *gojq.Term) {
	switch t.Type {
	case gojq.TermTypeIdentity:
		p.op(".")
	case gojq.TermTypeRecurse:
		p.op("..")
	case gojq.TermTypeNull:
		p.word("null")
	case gojq.TermTypeTrue:
		p.word("true")
	case gojq.TermTypeFalse:
		p.word("false")
	case gojq.TermTypeIndex:
		p.mark(t.Index, func() { p.index(t.Index) })
	case gojq.TermTypeFunc:
		p.call(t.Func)
	case gojq.TermTypeObject:
		p.object(t.Object)
	case gojq.TermTypeArray:
		p.op("[")
		if t.Array.Query != nil {
			p.query(t.Array.Query)
		}
		p.op("]")
	case gojq.TermTypeNumber:
		p.take(tokNumber, t.Number)
	case gojq.TermTypeUnary:
		p.op(t.Unary.Op.String())
		p.term(t.Unary.Term)
	case gojq.TermTypeFormat:
		p.take(tokFormat, t.Format)
		if t.Str != nil {
			p.str(t.Str)
		}
	case gojq.TermTypeString:
		p.str(t.Str)
	default:
		p.block(t)
	}
}

func (p *places) block(t *gojq.Term) {
	switch t.Type {
	case gojq.TermTypeIf:
		p.branches(t.If)
	case gojq.TermTypeTry:
		p.word("try")
		p.query(t.Try.Body)
		if t.Try.Catch != nil {
			p.word("catch")
			p.query(t.Try.Catch)
		}
	case gojq.TermTypeReduce:
		p.word("reduce")
		p.query(t.Reduce.Query)
		p.loop(t.Reduce.Patterns, t.Reduce.Start, t.Reduce.Update)
	case gojq.TermTypeForeach:
		p.word("foreach")
		p.query(t.Foreach.Query)
		if t.Foreach.Extract == nil {
			p.loop(t.Foreach.Patterns, t.Foreach.Start, t.Foreach.Update)
		} else {
			p.loop(t.Foreach.Patterns, t.Foreach.Start, t.Foreach.Update, t.Foreach.Extract)
		}
	case gojq.TermTypeLabel:
		p.word("label")
		p.take(tokVariable, t.Label.Ident)
		p.op("|")
		p.query(t.Label.Body)
	case gojq.TermTypeBreak:
		p.word("break")
		p.take(tokVariable, t.Break)
	case gojq.TermTypeQuery:
		p.op("(")
		p.query(t.Query)
		p.op(")")
	}
}

func (p *places) loop(ps []*gojq.Pattern, parts ...*gojq.Query) {
	p.word("as")
	p.patterns(ps)
	p.op("(")
	for i, q := range parts {
		if i > 0 {
			p.op(";")
		}
		p.query(q)
	}
	p.op(")")
}

func (p *places) branches(e *gojq.If) {
	p.word("if")
	p.query(e.Cond)
	p.word("then")
	p.query(e.Then)
	for _, el := range e.Elif {
		p.word("elif")
		p.query(el.Cond)
		p.word("then")
		p.query(el.Then)
	}
	if e.Else != nil {
		p.word("else")
		p.query(e.Else)
	}
	p.word("end")
}

func (p *places) call(f *gojq.Func) {
	p.mark(f, func() {
		p.of[keyOf{f}] = p.key(f.Name)
		if len(f.Args) == 0 {
			return
		}
		p.op("(")
		for i, a := range f.Args {
			if i > 0 {
				p.op(";")
			}
			p.query(a)
		}
		p.op(")")
	})
}

func (p *places) object(o *gojq.Object) {
	p.op("{")
	for i, kv := range o.KeyVals {
		if i > 0 {
			p.op(",")
		}
		p.mark(kv, func() { p.keyVal(kv) })
	}
	if len(o.KeyVals) > 0 && p.peek(",") {
		p.op(",")
	}
	p.op("}")
}

func (p *places) keyVal(kv *gojq.ObjectKeyVal) {
	p.entryKey(kv, kv.Key, kv.KeyString, kv.KeyQuery)
	if kv.Val != nil {
		p.op(":")
		p.query(kv.Val)
	}
}

func (p *places) str(s *gojq.String) {
	p.mark(s, func() {
		if s.Queries == nil {
			p.take(tokString, "")
			return
		}
		p.take(tokStrOpen, "")
		for _, q := range s.Queries {
			if q.Term.Str != nil {
				p.mark(q, func() { p.take(tokStrPart, "") })
				continue
			}
			p.mark(q, func() {
				p.take(tokInterp, "")
				p.query(q.Term.Query)
				p.op(")")
			})
		}
		p.take(tokStrClose, "")
	})
}

func (p *places) suffix(s *gojq.Suffix) {
	switch {
	case s.Optional:
		p.op("?")
	case s.Iter:
		p.dot()
		p.op("[")
		p.op("]")
	default:
		p.mark(s.Index, func() { p.index(s.Index) })
	}
}

// dot consumes the dot that may stand before a bracket.
func (p *places) dot() {
	if p.peek(".") {
		p.op(".")
	}
}

func (p *places) index(x *gojq.Index) {
	switch {
	case x.Name != "":
		p.take(tokField, "."+x.Name)
	case x.Str != nil:
		p.op(".")
		p.str(x.Str)
	default:
		p.dot()
		p.op("[")
		if x.Start != nil {
			p.query(x.Start)
		}
		if x.IsSlice {
			p.op(":")
		}
		if x.End != nil {
			p.query(x.End)
		}
		p.op("]")
	}
}
