package jq

import (
	"errors"
	"strconv"

	"github.com/itchyny/gojq"
)

// errNotCompiled says that a cell has to run in the interpreter.
var errNotCompiled = errors.New("runs in the interpreter")

// maxNodes bounds a compiled cell: definitions are copied to where they are
// used, and nested ones could multiply.
const maxNodes = 20_000

// names is what a name means at a place of a cell, inner ones first.
type names struct {
	up    *names
	name  string // "$x", "f/2", or "label $x"
	slot  int    // of a variable or label that the cell binds
	outer int    // of a variable from outside, counted from 1
	fixed *node  // a variable with a constant value
	def   *gojq.FuncDef
	arg   *gojq.Query // the argument given for a parameter, seen from at
	at    *names
}

func (n *names) find(name string) *names {
	for ; n != nil; n = n.up {
		if n.name == name {
			return n
		}
	}
	return nil
}

type builder struct {
	opt     Options
	slots   int
	nodes   int
	bridges int
	inside  []*gojq.FuncDef // definitions being copied, to notice recursion
}

// build compiles a cell to closures, or returns errNotCompiled.
func build(q *gojq.Query, opt Options) (root *node, b *builder, err error) {
	b = &builder{opt: opt}
	var scope *names
	for i, v := range opt.Vars {
		scope = &names{up: scope, name: "$" + v, outer: i + 1}
	}
	root, err = b.query(q, scope)
	return root, b, err
}

func (b *builder) newSlot() int { b.slots++; return b.slots - 1 }

func (b *builder) query(q *gojq.Query, sc *names) (*node, error) {
	if b.nodes++; b.nodes > maxNodes {
		return nil, errNotCompiled
	}
	if q.Meta != nil || len(q.Imports) > 0 {
		return nil, errNotCompiled
	}
	for _, fd := range q.FuncDefs {
		sc = &names{up: sc, name: fd.Name + "/" + strconv.Itoa(len(fd.Args)), def: fd}
	}
	if q.Term != nil {
		return b.term(q.Term, sc)
	}
	if q.Right == nil {
		return nil, errNotCompiled
	}
	switch q.Op {
	case gojq.OpAssign, gojq.OpModify, gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul,
		gojq.OpUpdateDiv, gojq.OpUpdateMod, gojq.OpUpdateAlt:
		return b.update(q, sc)
	case gojq.OpPipe:
		if len(q.Patterns) > 0 {
			return b.bind(q, sc)
		}
	}
	l, err := b.query(q.Left, sc)
	if err != nil {
		return nil, err
	}
	r, err := b.query(q.Right, sc)
	if err != nil {
		return nil, err
	}
	switch q.Op {
	case gojq.OpPipe:
		return pipe(l, r), nil
	case gojq.OpComma:
		return comma(l, r), nil
	case gojq.OpAlt:
		return alternative(l, r), nil
	case gojq.OpAnd:
		return branch(l, toBool(r), constant(false)), nil
	case gojq.OpOr:
		return branch(l, constant(true), toBool(r)), nil
	}
	return operate(q.Op, l, r)
}

func comma(l, r *node) *node {
	return stream(func(m *machine, in any, yield yieldFunc) error {
		if err := l.each(m, in, yield); err != nil {
			return err
		}
		return r.each(m, in, yield)
	})
}

// alternative gives the values of l that are neither null nor false, or else r.
func alternative(l, r *node) *node {
	if l.one != nil && r.one != nil {
		f, g := l.one, r.one
		return single(func(m *machine, in any) (any, error) {
			v, err := f(m, in)
			if err != nil || truthy(v) {
				return v, err
			}
			return g(m, in)
		})
	}
	if lm := l.asMaybe(); lm != nil && r.one != nil {
		g := r.one
		return single(func(m *machine, in any) (any, error) {
			v, ok, err := lm(m, in)
			if err != nil || ok && truthy(v) {
				return v, err
			}
			return g(m, in)
		})
	}
	if lm, rm := l.asMaybe(), r.asMaybe(); lm != nil && rm != nil {
		return atMost(func(m *machine, in any) (any, bool, error) {
			v, ok, err := lm(m, in)
			if err != nil || ok && truthy(v) {
				return v, ok, err
			}
			return rm(m, in)
		})
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		found := false
		err := l.each(m, in, func(v any) error {
			m.tick()
			if !truthy(v) {
				return nil
			}
			found = true
			return yield(v)
		})
		if err != nil || found {
			return err
		}
		return r.each(m, in, yield)
	})
}

func toBool(n *node) *node {
	return pipe(n, single(func(_ *machine, in any) (any, error) { return truthy(in), nil }))
}

// branch gives yes or no for every value of cond.
func branch(cond, yes, no *node) *node {
	if c := cond.one; c != nil {
		if yes.one != nil && no.one != nil {
			y, n := yes.one, no.one
			return single(func(m *machine, in any) (any, error) {
				v, err := c(m, in)
				if err != nil {
					return nil, err
				}
				if truthy(v) {
					return y(m, in)
				}
				return n(m, in)
			})
		}
		if y, n := yes.asMaybe(), no.asMaybe(); y != nil && n != nil {
			return atMost(func(m *machine, in any) (any, bool, error) {
				v, err := c(m, in)
				if err != nil {
					return nil, false, err
				}
				if truthy(v) {
					return y(m, in)
				}
				return n(m, in)
			})
		}
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return cond.each(m, in, func(v any) error {
			m.tick()
			if truthy(v) {
				return yes.each(m, in, yield)
			}
			return no.each(m, in, yield)
		})
	})
}

func (b *builder) bind(q *gojq.Query, sc *names) (*node, error) {
	if len(q.Patterns) > 1 {
		return b.bridge(q, sc)
	}
	source, err := b.query(q.Left, sc)
	if err != nil {
		return nil, err
	}
	pat := q.Patterns[0]
	if source.constant && pat.Name != "" {
		return b.query(q.Right, &names{up: sc, name: pat.Name, fixed: source})
	}
	set, inner, err := b.pattern(pat, sc)
	if err != nil {
		return nil, err
	}
	body, err := b.query(q.Right, inner)
	if err != nil {
		return nil, err
	}
	if pat.Name != "" && source.one != nil {
		return bindOne(inner.slot, source.one, body), nil
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return source.each(m, in, func(v any) error {
			m.tick()
			return set(m, v, func() error { return body.each(m, in, yield) })
		})
	}), nil
}

// bindOne binds a single value. The old value of the slot comes back after,
// because the same place can be active twice inside recurse and walk.
func bindOne(slot int, source valueFunc, body *node) *node {
	switch {
	case body.one != nil:
		f := body.one
		return single(func(m *machine, in any) (any, error) {
			v, err := source(m, in)
			if err != nil {
				return nil, err
			}
			old := m.slots[slot]
			m.slots[slot] = v
			out, err := f(m, in)
			m.slots[slot] = old
			return out, err
		})
	case body.maybe != nil:
		f := body.maybe
		return atMost(func(m *machine, in any) (any, bool, error) {
			v, err := source(m, in)
			if err != nil {
				return nil, false, err
			}
			old := m.slots[slot]
			m.slots[slot] = v
			out, ok, err := f(m, in)
			m.slots[slot] = old
			return out, ok, err
		})
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		v, err := source(m, in)
		if err != nil {
			return err
		}
		old := m.slots[slot]
		m.slots[slot] = v
		err = body.each(m, in, yield)
		m.slots[slot] = old
		return err
	})
}

// setter binds what a pattern names in v, runs next, and unbinds.
type setter func(m *machine, v any, next func() error) error

func (b *builder) pattern(p *gojq.Pattern, sc *names) (setter, *names, error) {
	if p.Name != "" {
		slot := b.newSlot()
		set := func(m *machine, v any, next func() error) error {
			old := m.slots[slot]
			m.slots[slot] = v
			err := next()
			m.slots[slot] = old
			return err
		}
		return set, &names{up: sc, name: p.Name, slot: slot}, nil
	}
	var parts []setter
	for i, e := range p.Array {
		part, inner, err := b.pattern(e, sc)
		if err != nil {
			return nil, nil, err
		}
		sc = inner
		parts = append(parts, func(m *machine, v any, next func() error) error {
			var elem any
			switch list := v.(type) {
			case nil:
			case []any:
				if i < len(list) {
					elem = list[i]
				}
			default:
				return &failure{kind: notArray, v: v}
			}
			return part(m, elem, next)
		})
	}
	for _, kv := range p.Object {
		part, inner, err := b.patternEntry(kv, sc)
		if err != nil {
			return nil, nil, err
		}
		sc = inner
		parts = append(parts, part)
	}
	return chain(parts), sc, nil
}

// chain runs the parts inside each other, all on the same value.
func chain(parts []setter) setter {
	if len(parts) == 1 {
		return parts[0]
	}
	return func(m *machine, v any, next func() error) error {
		var run func(i int) error
		run = func(i int) error {
			if i == len(parts) {
				return next()
			}
			return parts[i](m, v, func() error { return run(i + 1) })
		}
		return run(0)
	}
}

func (b *builder) patternEntry(kv *gojq.PatternObject, sc *names) (setter, *names, error) {
	var parts []setter
	key := constant(kv.Key)
	var err error
	switch {
	case kv.Key != "" && kv.Key[0] == '$':
		key = constant(kv.Key[1:])
		var part setter
		if part, sc, err = b.pattern(&gojq.Pattern{Name: kv.Key}, sc); err != nil {
			return nil, nil, err
		}
		parts = append(parts, part)
	case kv.KeyString != nil && kv.KeyString.Queries == nil && kv.KeyString.Str != "":
		key = constant(kv.KeyString.Str)
	case kv.KeyString != nil:
		key, err = b.text(kv.KeyString, nil, sc)
	case kv.KeyQuery != nil:
		key, err = b.query(kv.KeyQuery, sc)
	}
	if err != nil {
		return nil, nil, err
	}
	if kv.Val != nil {
		var part setter
		if part, sc, err = b.pattern(kv.Val, sc); err != nil {
			return nil, nil, err
		}
		parts = append(parts, part)
	}
	set := chain(parts)
	return func(m *machine, v any, next func() error) error {
		return key.each(m, v, func(k any) error {
			elem, err := m.index(v, k)
			if err != nil {
				return err
			}
			return set(m, elem, next)
		})
	}, sc, nil
}
