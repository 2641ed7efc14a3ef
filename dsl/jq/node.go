package jq

// A cell runs as a tree of Go closures. A node gives its values in the
// cheapest way it knows: exactly one value, at most one, one or none for each
// element of a list, or any number pushed to yield.
type node struct {
	one   valueFunc
	maybe maybeFunc
	loop  *loop
	many  streamFunc

	constant bool // one gives value whatever the input
	value    any
	keys     []string  // one reads these names, one in the other, from base
	base     valueFunc // nil is the input
	lists    *loop     // one gives the values of this loop as a list
	adds     bool      // one is add
	gathers  *node     // one gives the values of this node as a list
	seeks    *bool     // one is any (true) or all (false) of its input
	reckoned reckoned  // does what one does
	terms    []*node   // one is the sum of these
}

type (
	valueFunc  func(m *machine, in any) (any, error)
	maybeFunc  func(m *machine, in any) (any, bool, error)
	yieldFunc  func(v any) error
	streamFunc func(m *machine, in any, yield yieldFunc) error
)

// loop visits the elements of the list or object that source gives; body turns
// an element into a value or drops it, and nil means to take it as it is.
type loop struct {
	source   valueFunc
	body     maybeFunc
	reckoned reckoned // does what body does, where that is set
}

func single(f valueFunc) *node  { return &node{one: f} }
func atMost(f maybeFunc) *node  { return &node{maybe: f} }
func stream(f streamFunc) *node { return &node{many: f} }
func constant(v any) *node {
	return &node{constant: true, value: v, one: func(*machine, any) (any, error) { return v, nil }}
}

// each pushes all values of n for in to yield.
func (n *node) each(m *machine, in any, yield yieldFunc) error {
	switch {
	case n.one != nil:
		v, err := n.one(m, in)
		if err != nil {
			return err
		}
		return yield(v)
	case n.maybe != nil:
		v, ok, err := n.maybe(m, in)
		if err != nil || !ok {
			return err
		}
		return yield(v)
	case n.loop != nil:
		return n.loop.each(m, in, yield)
	}
	return n.many(m, in, yield)
}

func (l *loop) each(m *machine, in any, yield yieldFunc) error {
	elems, err := l.elements(m, in)
	if err != nil {
		return err
	}
	for _, v := range elems {
		m.tick()
		if l.body != nil {
			w, ok, err := l.body(m, v)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			v = w
		}
		if err := yield(v); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) elements(m *machine, in any) ([]any, error) {
	v, err := l.source(m, in)
	if err != nil {
		return nil, err
	}
	return m.elements(v)
}

// elements returns the elements of a list, or the values of an object in the
// order of their names.
func (m *machine) elements(v any) ([]any, error) {
	switch v := v.(type) {
	case []any:
		return v, nil
	case map[string]any:
		keys := m.sortedKeys(v)
		out := m.list(len(keys))
		for _, k := range keys {
			out = append(out, v[k])
		}
		return out, nil
	}
	return nil, &failure{kind: notIterable, v: v}
}

// asMaybe returns n as a maybeFunc if it gives at most one value.
func (n *node) asMaybe() maybeFunc {
	if n.one != nil {
		one := n.one
		return func(m *machine, in any) (any, bool, error) {
			v, err := one(m, in)
			return v, err == nil, err
		}
	}
	return n.maybe
}

func identity(_ *machine, in any) (any, error) { return in, nil }

func (n *node) isIdentity() bool {
	return n.one != nil && n.keys != nil && len(n.keys) == 0 && n.base == nil
}

func dot() *node { return &node{one: identity, keys: []string{}} }

// pipe gives r for every value of l.
func pipe(l, r *node) *node {
	switch {
	case l.isIdentity():
		return r
	case r.isIdentity():
		return l
	case l.one != nil && r.keys != nil && r.base == nil:
		return field(l, r.keys...)
	case l.one != nil && r.constant:
		f := l.one
		return single(func(m *machine, in any) (any, error) {
			if _, err := f(m, in); err != nil {
				return nil, err
			}
			return r.value, nil
		})
	case l.lists != nil && r.adds:
		return single(addLoop(l.lists, after(l.one, r.one)))
	case l.gathers != nil && r.seeks != nil:
		return single(seek(l.gathers, *r.seeks))
	case l.one != nil && r.one != nil:
		return single(after(l.one, r.one))
	case l.one != nil && r.maybe != nil:
		f, g := l.one, r.maybe
		return atMost(func(m *machine, in any) (any, bool, error) {
			v, err := f(m, in)
			if err != nil {
				return nil, false, err
			}
			return g(m, v)
		})
	case l.one != nil && r.loop != nil:
		return &node{loop: &loop{source: after(l.one, r.loop.source), body: r.loop.body}}
	case l.maybe != nil && r.asMaybe() != nil:
		return atMost(then(l.maybe, r))
	case l.loop != nil && r.asMaybe() != nil:
		if l.loop.body != nil {
			return &node{loop: &loop{source: l.loop.source, body: then(l.loop.body, r)}}
		}
		return &node{loop: &loop{source: l.loop.source, body: r.asMaybe(), reckoned: r.reckoned}}
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return l.each(m, in, func(v any) error { return r.each(m, v, yield) })
	})
}

func after(f, g valueFunc) valueFunc {
	return func(m *machine, in any) (any, error) {
		v, err := f(m, in)
		if err != nil {
			return nil, err
		}
		return g(m, v)
	}
}

// then gives r, which gives at most one value, for what f gives.
func then(f maybeFunc, r *node) maybeFunc {
	if g := r.one; g != nil {
		return func(m *machine, in any) (any, bool, error) {
			v, ok, err := f(m, in)
			if err != nil || !ok {
				return nil, false, err
			}
			v, err = g(m, v)
			return v, err == nil, err
		}
	}
	g := r.maybe
	return func(m *machine, in any) (any, bool, error) {
		v, ok, err := f(m, in)
		if err != nil || !ok {
			return nil, false, err
		}
		return g(m, v)
	}
}

// field reads names, one in the other, from what n gives, which must be a
// single value.
func field(n *node, more ...string) *node {
	var keys []string
	base := n.one
	if n.keys != nil {
		keys, base = n.keys, n.base
	}
	keys = append(keys[:len(keys):len(keys)], more...)
	return &node{one: readFields(base, keys), keys: keys, base: base}
}

func readFields(base valueFunc, keys []string) valueFunc {
	if base == nil && len(keys) == 1 {
		key := keys[0]
		return func(_ *machine, in any) (any, error) { return get(in, key) }
	}
	if base == nil && len(keys) == 2 {
		first, second := keys[0], keys[1]
		return func(_ *machine, in any) (any, error) {
			v, err := get(in, first)
			if err != nil {
				return nil, err
			}
			return get(v, second)
		}
	}
	return func(m *machine, in any) (v any, err error) {
		v = in
		if base != nil {
			if v, err = base(m, in); err != nil {
				return nil, err
			}
		}
		for _, k := range keys {
			if v, err = get(v, k); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
}

func get(v any, key string) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return v[key], nil
	case nil:
		return nil, nil
	}
	return nil, &failure{kind: notObject, v: v}
}

func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	}
	return true
}

// collect gives the values of n as one list.
func collect(n *node) *node {
	if n.constant {
		return constant([]any{n.value})
	}
	switch {
	case n.one != nil:
		one := n.one
		return single(func(m *machine, in any) (any, error) {
			v, err := one(m, in)
			if err != nil {
				return nil, err
			}
			m.grow(sizeList + sizeElement)
			return []any{v}, nil
		})
	case n.loop != nil:
		l := n.loop
		return &node{one: func(m *machine, in any) (any, error) { return l.collect(m, in) }, lists: l, gathers: n}
	}
	return &node{one: func(m *machine, in any) (any, error) { return gather(m, n, in) }, gathers: n}
}

// seek is any or all of the values of n as a list, without making the list. It
// looks at all of them, because the list would have held all or been an error.
func seek(n *node, want bool) valueFunc {
	return func(m *machine, in any) (any, error) {
		found := false
		err := n.each(m, in, func(v any) error {
			m.tick()
			found = found || truthy(v) == want
			return nil
		})
		if err != nil {
			return nil, err
		}
		return found == want, nil
	}
}

func (l *loop) collect(m *machine, in any) (any, error) {
	elems, err := l.elements(m, in)
	if err != nil {
		return nil, err
	}
	out := m.list(len(elems))
	if l.body == nil {
		return append(out, elems...), nil
	}
	for _, v := range elems {
		m.tick()
		w, ok, err := l.body(m, v)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, w)
		}
	}
	return out, nil
}

// gather returns all values of n as a list.
func gather(m *machine, n *node, in any) ([]any, error) {
	out := []any{}
	err := n.each(m, in, func(v any) error {
		out = m.push(out, v)
		m.tick()
		return nil
	})
	return out, err
}

// cross gives f of one value of every argument, for all combinations. The last
// argument varies slowest, as in the interpreter. All arguments see the input.
func cross(args []*node, f func(m *machine, in any, args []any) (any, error)) *node {
	fixed := make([]any, len(args))
	allConstant, allOne := true, true
	for i, a := range args {
		allConstant = allConstant && a.constant
		allOne = allOne && a.one != nil
		fixed[i] = a.value
	}
	switch {
	case allConstant:
		return single(func(m *machine, in any) (any, error) { return f(m, in, fixed) })
	case allOne && len(args) == 1:
		arg := args[0].one
		return single(func(m *machine, in any) (any, error) {
			v, err := arg(m, in)
			if err != nil {
				return nil, err
			}
			buf := [1]any{v}
			return f(m, in, buf[:])
		})
	case allOne:
		return single(func(m *machine, in any) (any, error) {
			vals := make([]any, len(args))
			for i := len(args) - 1; i >= 0; i-- {
				v, err := args[i].one(m, in)
				if err != nil {
					return nil, err
				}
				vals[i] = v
			}
			return f(m, in, vals)
		})
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		vals := make([]any, len(args))
		var fill func(i int) error
		fill = func(i int) error {
			if i < 0 {
				v, err := f(m, in, append([]any(nil), vals...))
				if err != nil {
					return err
				}
				return yield(v)
			}
			return args[i].each(m, in, func(v any) error {
				vals[i] = v
				return fill(i - 1)
			})
		}
		return fill(len(args) - 1)
	})
}
