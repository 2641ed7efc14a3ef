package jq

import "github.com/itchyny/gojq"

// places remembers where each node of a parsed cell stands in its text. The
// parser keeps no positions, so the tree is walked in source order beside the
// tokens: every node says which tokens it was made of, and a mismatch makes
// the walk give up rather than guess.
type places struct {
	of   map[any]Span
	toks []token
	next int
	lost bool
}

// locate returns the places of all nodes of q, which was parsed from the text
// that toks were read from.
func locate(q *gojq.Query, toks []token) *places {
	p := &places{of: make(map[any]Span, len(toks)), toks: toks}
	p.query(q)
	if p.toks[p.next].kind != tokEOF {
		p.lost = true
	}
	return p
}

// span returns the place of node, or the whole text where it is not known.
func (p *places) span(node any) Span {
	if s, ok := p.of[node]; ok && !p.lost {
		return s
	}
	return Span{0, p.toks[len(p.toks)-1].To}
}

func (p *places) known(node any) (Span, bool) {
	s, ok := p.of[node]
	return s, ok && !p.lost
}

func (p *places) peek(text string) bool { return p.toks[p.next].text == text }

// take consumes one token of the given kind; text may be "" for any.
func (p *places) take(kind tokenKind, text string) Span {
	t := p.toks[p.next]
	if p.lost || t.kind != kind || text != "" && t.text != text {
		p.lost = true
		return t.Span
	}
	p.next++
	return t.Span
}

func (p *places) op(text string) Span   { return p.take(tokOp, text) }
func (p *places) word(text string) Span { return p.take(tokIdent, text) }

// mark runs walk and records for node everything that it consumed.
func (p *places) mark(node any, walk func()) {
	from, first := p.toks[p.next].From, p.next
	walk()
	to := from
	if p.next > first {
		to = p.toks[p.next-1].To
	}
	p.of[node] = Span{from, to}
}

func (p *places) query(q *gojq.Query) {
	if p.lost {
		return
	}
	p.mark(q, func() {
		for _, fd := range q.FuncDefs {
			p.funcDef(fd)
		}
		switch {
		case q.Term != nil:
			p.term(q.Term)
		case q.Right != nil:
			p.query(q.Left)
			if len(q.Patterns) > 0 {
				p.word("as")
				p.patterns(q.Patterns)
			}
			p.of[opOf{q}] = p.operator(q.Op)
			p.query(q.Right)
		}
	})
}

// opOf is the key for the place of the operator of a query.
type opOf struct{ q *gojq.Query }

func (p *places) funcDef(fd *gojq.FuncDef) {
	p.mark(fd, func() {
		p.word("def")
		p.take(tokIdent, fd.Name)
		if len(fd.Args) > 0 {
			p.op("(")
			for i, a := range fd.Args {
				if i > 0 {
					p.op(";")
				}
				if a[0] == '$' {
					p.take(tokVariable, a)
				} else {
					p.take(tokIdent, a)
				}
			}
			p.op(")")
		}
		p.op(":")
		p.query(fd.Body)
		p.op(";")
	})
}

func (p *places) operator(op gojq.Operator) Span {
	if text := op.String(); op == gojq.OpAnd || op == gojq.OpOr {
		return p.word(text)
	} else {
		return p.op(text)
	}
}

func (p *places) patterns(ps []*gojq.Pattern) {
	for i, pat := range ps {
		if i > 0 {
			p.op("?")
			p.op("//")
		}
		p.pattern(pat)
	}
}

func (p *places) pattern(pat *gojq.Pattern) {
	p.mark(pat, func() {
		switch {
		case pat.Name != "":
			p.take(tokVariable, pat.Name)
		case len(pat.Array) > 0:
			p.op("[")
			for i, e := range pat.Array {
				if i > 0 {
					p.op(",")
				}
				p.pattern(e)
			}
			p.op("]")
		default:
			p.op("{")
			for i, kv := range pat.Object {
				if i > 0 {
					p.op(",")
				}
				p.mark(kv, func() { p.patternKey(kv) })
			}
			p.op("}")
		}
	})
}

func (p *places) patternKey(kv *gojq.PatternObject) {
	p.entryKey(kv, kv.Key, kv.KeyString, kv.KeyQuery)
	if kv.Val != nil {
		p.op(":")
		p.pattern(kv.Val)
	}
}

// entryKey is the key of an object entry: a name, a text, or a query in brackets.
func (p *places) entryKey(kv any, name string, text *gojq.String, query *gojq.Query) {
	switch {
	case name != "":
		p.of[keyOf{kv}] = p.key(name)
	case text != nil:
		p.mark(keyOf{kv}, func() { p.str(text) })
	default:
		p.op("(")
		p.query(query)
		p.op(")")
	}
}

// keyOf is the key for the place of the key of an object entry.
type keyOf struct{ kv any }

func (p *places) key(name string) Span {
	if name[0] == '$' {
		return p.take(tokVariable, name)
	}
	return p.take(tokIdent, name)
}
