package jq

import (
	"encoding/json"
	"strconv"

	"github.com/itchyny/gojq"
)

func (b *builder) call(f *gojq.Func, sc *names) (*node, error) {
	if f.Name[0] == '$' {
		return b.variable(f.Name, sc)
	}
	id := f.Name + "/" + strconv.Itoa(len(f.Args))
	if n := sc.find(id); n != nil {
		if n.def != nil {
			return b.inline(n, f, sc)
		}
		return b.query(n.arg, n.at)
	}
	if refused[f.Name] != "" {
		return nil, errNotCompiled
	}
	if compile, ok := findSpecial(id); ok {
		return compile(b, f, sc)
	}
	args := make([]*node, len(f.Args))
	for i, a := range f.Args {
		n, err := b.query(a, sc)
		if err != nil {
			return nil, err
		}
		args[i] = n
	}
	if p, ok := pures[id]; ok {
		n := apply(p, args)
		n.adds = id == "add/0"
		return n, nil
	}
	if fn, ok := b.added(f.Name, len(args)); ok {
		return apply(func(m *machine, in any, args []any) (any, error) {
			m.tick()
			v := fn(in, args)
			switch v := v.(type) {
			case error:
				return nil, v
			case string:
				m.grow(len(v))
			case json.Number:
				m.grow(len(v))
			}
			return v, nil
		}, args), nil
	}
	if p, ok := borrow(id); ok {
		return apply(p, args), nil
	}
	return b.bridgeCall(f, sc)
}

func apply(p pure, args []*node) *node {
	if len(args) == 0 {
		return single(func(m *machine, in any) (any, error) { return p(m, in, nil) })
	}
	return cross(args, p)
}

// added returns the function of ours with a name and a number of arguments.
func (b *builder) added(name string, arity int) (func(any, []any) any, bool) {
	for _, f := range functions {
		if f.Name == name && len(f.Params) == arity {
			return f.bind(b.opt), true
		}
	}
	return nil, false
}

func (b *builder) variable(name string, sc *names) (*node, error) {
	n := sc.find(name)
	switch {
	case n == nil:
		return nil, errNotCompiled
	case n.fixed != nil:
		return n.fixed, nil
	case n.outer > 0:
		i := n.outer - 1
		return single(func(m *machine, _ any) (any, error) { return m.frame.Vars[i], nil }), nil
	}
	slot := n.slot
	return single(func(m *machine, _ any) (any, error) { return m.slots[slot], nil }), nil
}

// inline copies a definition to where it is used. Its arguments are copied to
// where they are used in turn, seen from where they were written.
func (b *builder) inline(n *names, f *gojq.Func, sc *names) (*node, error) {
	for _, fd := range b.inside {
		if fd == n.def {
			return nil, errNotCompiled
		}
	}
	b.inside = append(b.inside, n.def)
	defer func() { b.inside = b.inside[:len(b.inside)-1] }()
	inner := n
	type value struct {
		slot int
		from *node
	}
	var values []value
	for i, a := range n.def.Args {
		if a[0] == '$' {
			from, err := b.query(f.Args[i], sc)
			if err != nil {
				return nil, err
			}
			slot := b.newSlot()
			values = append(values, value{slot, from})
			inner = &names{up: inner, name: a[1:] + "/0", arg: f.Args[i], at: sc}
			inner = &names{up: inner, name: a, slot: slot}
			continue
		}
		inner = &names{up: inner, name: a + "/0", arg: f.Args[i], at: sc}
	}
	body, err := b.query(n.def.Body, inner)
	if err != nil {
		return nil, err
	}
	for i := len(values) - 1; i >= 0; i-- {
		body = bindAny(values[i].slot, values[i].from, body)
	}
	return body, nil
}

// bindAny binds every value of source in turn.
func bindAny(slot int, source, body *node) *node {
	if source.one != nil {
		return bindOne(slot, source.one, body)
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return source.each(m, in, func(v any) error {
			m.tick()
			old := m.slots[slot]
			m.slots[slot] = v
			err := body.each(m, in, yield)
			m.slots[slot] = old
			return err
		})
	})
}

// perValue gives make(v) for every value of an argument; it is how parameters
// with a $ work in the builtins.
func perValue(arg *node, run func(m *machine, in, v any, yield yieldFunc) error) *node {
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return arg.each(m, in, func(v any) error {
			m.tick()
			return run(m, in, v, yield)
		})
	})
}
