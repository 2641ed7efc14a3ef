package jq

import (
	"encoding/json"

	"github.com/itchyny/gojq"
)

func (b *builder) term(t *gojq.Term, sc *names) (*node, error) {
	if n := len(t.SuffixList); n > 0 {
		head := *t
		head.SuffixList = t.SuffixList[:n-1]
		return b.suffix(&head, t.SuffixList[n-1], sc)
	}
	switch t.Type {
	case gojq.TermTypeIdentity:
		return dot(), nil
	case gojq.TermTypeRecurse:
		return stream(func(m *machine, in any, yield yieldFunc) error { return m.descend(in, yield) }), nil
	case gojq.TermTypeNull:
		return constant(nil), nil
	case gojq.TermTypeTrue:
		return constant(true), nil
	case gojq.TermTypeFalse:
		return constant(false), nil
	case gojq.TermTypeIndex:
		return b.index(&gojq.Term{Type: gojq.TermTypeIdentity}, t.Index, sc)
	case gojq.TermTypeFunc:
		return b.call(t.Func, sc)
	case gojq.TermTypeObject:
		return b.object(t.Object, sc)
	case gojq.TermTypeArray:
		if t.Array.Query == nil {
			return constant([]any{}), nil
		}
		n, err := b.query(t.Array.Query, sc)
		if err != nil {
			return nil, err
		}
		return collect(n), nil
	case gojq.TermTypeNumber:
		return constant(longNumber(json.Number(t.Number))), nil
	case gojq.TermTypeUnary:
		return b.unary(t.Unary, sc)
	case gojq.TermTypeFormat:
		return b.format(t, sc)
	case gojq.TermTypeString:
		return b.text(t.Str, nil, sc)
	case gojq.TermTypeQuery:
		return b.query(t.Query, sc)
	}
	return b.block(t, sc)
}

func (b *builder) block(t *gojq.Term, sc *names) (*node, error) {
	switch t.Type {
	case gojq.TermTypeIf:
		return b.branches(t.If, sc)
	case gojq.TermTypeTry:
		return b.try(t.Try, sc)
	case gojq.TermTypeReduce:
		return b.reduce(t, sc)
	case gojq.TermTypeForeach:
		return b.foreach(t, sc)
	case gojq.TermTypeLabel:
		return b.label(t.Label, sc)
	case gojq.TermTypeBreak:
		l := sc.find("label " + t.Break)
		if l == nil {
			return nil, errNotCompiled
		}
		slot := l.slot
		return atMost(func(m *machine, _ any) (any, bool, error) {
			return nil, false, m.slots[slot].(*left)
		}), nil
	}
	return nil, errNotCompiled
}

func (b *builder) suffix(head *gojq.Term, s *gojq.Suffix, sc *names) (*node, error) {
	switch {
	case s.Index != nil:
		return b.index(head, s.Index, sc)
	case s.Iter:
		n, err := b.term(head, sc)
		if err != nil {
			return nil, err
		}
		return pipe(n, &node{loop: &loop{source: identity}}), nil
	}
	// A question mark covers only the last step, and that step sees what is
	// before it as its input.
	if n := len(head.SuffixList); n > 0 {
		last := head.SuffixList[n-1]
		rest := *head
		rest.SuffixList = head.SuffixList[:n-1]
		step := &gojq.Term{Type: gojq.TermTypeIdentity, SuffixList: []*gojq.Suffix{last}}
		if last.Index != nil {
			step = &gojq.Term{Type: gojq.TermTypeIndex, Index: last.Index}
		}
		if !last.Optional {
			l, err := b.term(&rest, sc)
			if err != nil {
				return nil, err
			}
			r, err := b.term(step, sc)
			if err != nil {
				return nil, err
			}
			return pipe(l, attempt(r, nil)), nil
		}
	}
	n, err := b.term(head, sc)
	if err != nil {
		return nil, err
	}
	return attempt(n, nil), nil
}

// index reads x from what head gives. What is written in the brackets sees the
// input of the whole term and comes first.
func (b *builder) index(head *gojq.Term, x *gojq.Index, sc *names) (*node, error) {
	n, err := b.term(head, sc)
	if err != nil {
		return nil, err
	}
	if x.IsSlice {
		return b.slice(n, x, sc)
	}
	var key *node
	switch {
	case x.Name != "":
		key = constant(x.Name)
	case x.Str != nil:
		key, err = b.text(x.Str, nil, sc)
	default:
		key, err = b.query(x.Start, sc)
	}
	if err != nil {
		return nil, err
	}
	if key.constant {
		if name, ok := key.value.(string); ok {
			if n.one != nil {
				return field(n, name), nil
			}
			return pipe(n, field(dot(), name)), nil
		}
		k := key.value
		return pipe(n, single(func(m *machine, in any) (any, error) { return m.index(in, k) })), nil
	}
	if n.constant {
		if table, ok := n.value.(map[string]any); ok && key.one != nil {
			one := key.one
			return single(func(m *machine, in any) (any, error) {
				k, err := one(m, in)
				if err != nil {
					return nil, err
				}
				if s, ok := k.(string); ok {
					return table[s], nil
				}
				return m.index(table, k)
			}), nil
		}
	}
	return cross([]*node{n, key}, func(m *machine, _ any, args []any) (any, error) { return m.index(args[0], args[1]) }), nil
}

func (b *builder) slice(n *node, x *gojq.Index, sc *names) (*node, error) {
	ends := [2]*node{constant(nil), constant(nil)} // end, start: the order of evaluation is start first
	for i, q := range []*gojq.Query{x.End, x.Start} {
		if q != nil {
			e, err := b.query(q, sc)
			if err != nil {
				return nil, err
			}
			ends[i] = e
		}
	}
	return cross([]*node{n, ends[0], ends[1]}, func(m *machine, _ any, args []any) (any, error) {
		return m.cut(args[0], args[2], args[1])
	}), nil
}

func (b *builder) unary(u *gojq.Unary, sc *names) (*node, error) {
	n, err := b.term(u.Term, sc)
	if err != nil {
		return nil, err
	}
	if u.Op == gojq.OpSub {
		if n.constant {
			if v, err := new(machine).negate(n.value); err == nil {
				return constant(v), nil
			}
		}
		return pipe(n, single(func(m *machine, in any) (any, error) { return m.negate(in) })), nil
	}
	return pipe(n, single(func(m *machine, in any) (any, error) {
		if _, ok := m.float(in); !ok {
			return nil, &failure{kind: badUnary, name: "plus", v: in}
		}
		return in, nil
	})), nil
}

func (b *builder) branches(e *gojq.If, sc *names) (*node, error) {
	cond, err := b.query(e.Cond, sc)
	if err != nil {
		return nil, err
	}
	yes, err := b.query(e.Then, sc)
	if err != nil {
		return nil, err
	}
	no := dot()
	switch {
	case len(e.Elif) > 0:
		no, err = b.branches(&gojq.If{Cond: e.Elif[0].Cond, Then: e.Elif[0].Then, Elif: e.Elif[1:], Else: e.Else}, sc)
	case e.Else != nil:
		no, err = b.query(e.Else, sc)
	}
	if err != nil {
		return nil, err
	}
	return branch(cond, yes, no), nil
}
