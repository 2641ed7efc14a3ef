package jq

import "github.com/itchyny/gojq"

// recurseInto is recurse(f) for an f that ends with the data.
func (b *builder) recurseInto(f *gojq.Func, sc *names) (*node, error) {
	if !descends(f.Args[0]) {
		return b.bridge(&gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: f}}, sc)
	}
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	var visit func(m *machine, v any, yield yieldFunc) error
	visit = func(m *machine, v any, yield yieldFunc) error {
		m.enter()
		defer m.leave()
		if err := yield(v); err != nil {
			return err
		}
		return n.each(m, v, func(w any) error { return visit(m, w, yield) })
	}
	return stream(visit), nil
}

// mapValues replaces every element by the first value of f, or drops it.
func (b *builder) mapValues(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	return single(replaceWith(firstOrOnly(n))), nil
}

func firstOrOnly(n *node) maybeFunc {
	if f := n.asMaybe(); f != nil {
		return f
	}
	return firstIn(n)
}

func replaceWith(f maybeFunc) valueFunc {
	return func(m *machine, in any) (any, error) {
		switch v := in.(type) {
		case []any:
			out := m.list(len(v))
			for _, e := range v {
				m.tick()
				w, ok, err := f(m, e)
				if err != nil {
					return nil, err
				}
				if ok {
					out = append(out, w)
				}
			}
			return out, nil
		case map[string]any:
			m.growObject(len(v))
			out := make(map[string]any, len(v))
			for _, k := range m.sortedKeys(v) {
				m.tick()
				w, ok, err := f(m, v[k])
				if err != nil {
					return nil, err
				}
				if ok {
					out[k] = w
				}
			}
			return out, nil
		}
		return nil, &failure{kind: notIterable, v: in}
	}
}

func (b *builder) withEntries(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	mapped := collect(pipe(elementsNode(), n)).one
	return single(func(m *machine, in any) (any, error) {
		entries, err := m.toEntries(in)
		if err != nil {
			return nil, err
		}
		if entries, err = mapped(m, entries); err != nil {
			return nil, err
		}
		return m.fromEntries(entries)
	}), nil
}

// walkAll gives f for every value from the inside out.
func (b *builder) walkAll(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	var visit func(m *machine, v any, yield yieldFunc) error
	visit = func(m *machine, v any, yield yieldFunc) error {
		m.enter()
		defer m.leave()
		inner := &node{many: visit}
		var err error
		switch v.(type) {
		case []any:
			if v, err = mapped(m, v, inner); err != nil {
				return err
			}
		case map[string]any:
			if v, err = replaceWith(firstIn(inner))(m, v); err != nil {
				return err
			}
		}
		return n.each(m, v, yield)
	}
	return stream(visit), nil
}

// mapped gives all values of n for the elements of v as a list.
func mapped(m *machine, v any, n *node) (any, error) {
	elems, err := m.elements(v)
	if err != nil {
		return nil, err
	}
	out := m.list(len(elems))
	for _, e := range elems {
		err := n.each(m, e, func(w any) error {
			out = m.push(out, w)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keyed builds the functions that order a list by f: the keys are lists of all
// values of f, as an error message shows them.
func keyed(name string, finish func(m *machine, in any, keys []any) (any, error)) special {
	return func(b *builder, f *gojq.Func, sc *names) (*node, error) {
		n, err := b.query(f.Args[0], sc)
		if err != nil {
			return nil, err
		}
		one := n.one
		return single(func(m *machine, in any) (any, error) {
			list, isList := in.([]any)
			if one != nil && isList {
				keys := m.list(len(list))
				for _, v := range list {
					m.tick()
					k, err := one(m, v)
					if err != nil {
						return nil, err
					}
					keys = append(keys, k)
				}
				return finish(m, in, keys)
			}
			elems, err := m.elements(in)
			if err != nil {
				return nil, err
			}
			keys := m.list(len(elems))
			for _, v := range elems {
				k, err := gather(m, n, v)
				if err != nil {
					return nil, err
				}
				keys = append(keys, k)
			}
			if !isList {
				return nil, fail1(name, in, keys)
			}
			return finish(m, in, keys)
		}), nil
	}
}
