package jq

import (
	"sync"

	"github.com/itchyny/gojq"
)

// special builds a builtin that takes expressions.
type special func(b *builder, f *gojq.Func, sc *names) (*node, error)

// specials holds the builtins that take expressions, by name and arity. It is
// filled on first use, because what it refers to looks into it again.
var (
	specials    map[string]special
	specialOnce sync.Once
)

func findSpecial(id string) (special, bool) {
	specialOnce.Do(fillSpecials)
	s, ok := specials[id]
	return s, ok
}

func fillSpecials() {
	specials = map[string]special{
		"empty/0":     func(*builder, *gojq.Func, *names) (*node, error) { return nothing, nil },
		"map/1":       (*builder).mapList,
		"select/1":    (*builder).selectIf,
		"values/0":    dropUnless(func(v any) bool { return v != nil }),
		"nulls/0":     dropUnless(func(v any) bool { return v == nil }),
		"strings/0":   dropUnless(func(v any) bool { return gojq.TypeOf(v) == "string" }),
		"numbers/0":   dropUnless(func(v any) bool { return gojq.TypeOf(v) == "number" }),
		"booleans/0":  dropUnless(func(v any) bool { return gojq.TypeOf(v) == "boolean" }),
		"arrays/0":    dropUnless(func(v any) bool { return gojq.TypeOf(v) == "array" }),
		"objects/0":   dropUnless(func(v any) bool { return gojq.TypeOf(v) == "object" }),
		"iterables/0": dropUnless(isContainer),
		"scalars/0":   dropUnless(func(v any) bool { return !isContainer(v) }),
		"first/1":     (*builder).firstOf,
		"last/1":      (*builder).lastOf,
		"isempty/1":   (*builder).isEmpty,
		"any/0":       (*builder).anyOf,
		"any/1":       (*builder).anyOf,
		"any/2":       (*builder).anyOf,
		"all/0":       (*builder).allOf,
		"all/1":       (*builder).allOf,
		"all/2":       (*builder).allOf,
		"add/1":       (*builder).addOf,
		"in/1":        (*builder).inOf,
		"limit/2":     (*builder).limit,
		"range/1":     (*builder).span,
		"range/2":     (*builder).span,
		"range/3":     (*builder).span,
		"recurse/0": func(b *builder, _ *gojq.Func, sc *names) (*node, error) {
			return b.term(&gojq.Term{Type: gojq.TermTypeRecurse}, sc)
		},
		"recurse/1":      (*builder).recurseInto,
		"map_values/1":   (*builder).mapValues,
		"with_entries/1": (*builder).withEntries,
		"walk/1":         (*builder).walkAll,
		"del/1":          (*builder).del,
		"IN/1":           (*builder).isIn,
		"IN/2":           (*builder).isIn,
		"INDEX/1":        (*builder).indexBy,
		"INDEX/2":        (*builder).indexBy,
		"sort_by/1":      keyed("sort_by", func(m *machine, in any, keys []any) (any, error) { return m.sorted("sort_by", in, keys) }),
		"group_by/1":     keyed("group_by", func(m *machine, in any, keys []any) (any, error) { return m.grouped(in, keys) }),
		"unique_by/1":    keyed("unique_by", func(m *machine, in any, keys []any) (any, error) { return m.distinct("unique_by", in, keys) }),
		"min_by/1":       keyed("min_by", func(m *machine, in any, keys []any) (any, error) { return m.pick(in.([]any), keys, true), nil }),
		"max_by/1":       keyed("max_by", func(m *machine, in any, keys []any) (any, error) { return m.pick(in.([]any), keys, false), nil }),
		"test/1":         (*builder).regexTest,
		"test/2":         (*builder).regexTest,
		"match/1":        (*builder).regexMatch,
		"match/2":        (*builder).regexMatch,
		"capture/1":      (*builder).regexCapture,
		"capture/2":      (*builder).regexCapture,
		"scan/1":         (*builder).regexScan,
		"scan/2":         (*builder).regexScan,
		"splits/1":       (*builder).regexSplits,
		"splits/2":       (*builder).regexSplits,
		"split/2":        (*builder).regexSplits,
		"sub/2":          (*builder).regexSub,
		"sub/3":          (*builder).regexSub,
		"gsub/2":         (*builder).regexSub,
		"gsub/3":         (*builder).regexSub,
	}
}

var nothing = atMost(func(*machine, any) (any, bool, error) { return nil, false, nil })

func isContainer(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func dropUnless(keep func(any) bool) special {
	return func(*builder, *gojq.Func, *names) (*node, error) {
		return atMost(func(_ *machine, in any) (any, bool, error) { return in, keep(in), nil }), nil
	}
}

func elementsNode() *node { return &node{loop: &loop{source: identity}} }

func (b *builder) mapList(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	return collect(pipe(elementsNode(), n)), nil
}

func (b *builder) selectIf(f *gojq.Func, sc *names) (*node, error) {
	cond, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	return branch(cond, dot(), nothing), nil
}

func (b *builder) firstOf(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	if n.one != nil || n.maybe != nil {
		return n, nil
	}
	return atMost(firstIn(n)), nil
}

func firstIn(n *node) maybeFunc {
	if l := n.loop; l != nil {
		return func(m *machine, in any) (any, bool, error) {
			elems, err := l.elements(m, in)
			if err != nil {
				return nil, false, err
			}
			for _, v := range elems {
				m.tick()
				if l.body == nil {
					return v, true, nil
				}
				if w, ok, err := l.body(m, v); err != nil || ok {
					return w, ok, err
				}
			}
			return nil, false, nil
		}
	}
	return func(m *machine, in any) (out any, ok bool, err error) {
		found := &left{}
		err = n.each(m, in, func(v any) error {
			out, ok = v, true
			return found
		})
		if err == error(found) {
			err = nil
		}
		return out, ok, err
	}
}

func (b *builder) lastOf(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	return atMost(func(m *machine, in any) (out any, ok bool, err error) {
		err = n.each(m, in, func(v any) error {
			m.tick()
			out, ok = v, true
			return nil
		})
		return out, ok && err == nil, err
	}), nil
}

func (b *builder) isEmpty(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	first := n.asMaybe()
	if first == nil {
		first = firstIn(n)
	}
	return single(func(m *machine, in any) (any, error) {
		_, ok, err := first(m, in)
		return !ok, err
	}), nil
}

// search gives want if a value of gen | cond is truthy as want says.
func (b *builder) search(f *gojq.Func, sc *names, want bool) (*node, error) {
	gen, cond := elementsNode(), dot()
	var err error
	switch len(f.Args) {
	case 1:
		cond, err = b.query(f.Args[0], sc)
	case 2:
		if gen, err = b.query(f.Args[0], sc); err == nil {
			cond, err = b.query(f.Args[1], sc)
		}
	}
	if err != nil {
		return nil, err
	}
	n := searchIn(gen, cond, want)
	if len(f.Args) == 0 {
		n.seeks = &want
	}
	return n, nil
}

func searchIn(gen, cond *node, want bool) *node {
	hit := pipe(pipe(gen, cond), atMost(func(_ *machine, in any) (any, bool, error) { return nil, truthy(in) == want, nil }))
	first := hit.asMaybe()
	if first == nil {
		first = firstIn(hit)
	}
	return single(func(m *machine, in any) (any, error) {
		_, ok, err := first(m, in)
		return ok == want, err
	})
}

// isIn is IN: whether the input, or a value of a first argument, is among the
// values of the last one.
func (b *builder) isIn(f *gojq.Func, sc *names) (*node, error) {
	among, err := b.query(f.Args[len(f.Args)-1], sc)
	if err != nil {
		return nil, err
	}
	l, r := among, dot()
	if len(f.Args) == 2 {
		if l, err = b.query(f.Args[0], sc); err != nil {
			return nil, err
		}
		r = among
	}
	equal, err := operate(gojq.OpEq, l, r)
	if err != nil {
		return nil, err
	}
	return searchIn(equal, dot(), true), nil
}

// indexBy is INDEX: the rows of a stream, or of the input, by a key.
func (b *builder) indexBy(f *gojq.Func, sc *names) (*node, error) {
	rows, by := elementsNode(), f.Args[len(f.Args)-1]
	var err error
	if len(f.Args) == 2 {
		if rows, err = b.query(f.Args[0], sc); err != nil {
			return nil, err
		}
	}
	key, err := b.query(by, sc)
	if err != nil {
		return nil, err
	}
	if key.one == nil {
		return b.bridgeCall(f, sc)
	}
	return single(func(m *machine, in any) (any, error) {
		out := map[string]any{}
		m.growObject(0)
		err := rows.each(m, in, func(row any) error {
			m.grow(sizeEntry)
			m.tick()
			k, err := key.one(m, row)
			if err != nil {
				return err
			}
			out[m.text(k)] = row
			return nil
		})
		if err != nil {
			return nil, err
		}
		return out, nil
	}), nil
}

func (b *builder) anyOf(f *gojq.Func, sc *names) (*node, error) { return b.search(f, sc, true) }
func (b *builder) allOf(f *gojq.Func, sc *names) (*node, error) { return b.search(f, sc, false) }

func (b *builder) addOf(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	list := collect(n).one
	return single(func(m *machine, in any) (any, error) {
		v, err := list(m, in)
		if err != nil {
			return nil, err
		}
		return m.total(v.([]any))
	}), nil
}

func (b *builder) inOf(f *gojq.Func, sc *names) (*node, error) {
	n, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	return cross([]*node{n}, func(m *machine, in any, args []any) (any, error) { return m.has(args[0], in) }), nil
}

func (b *builder) limit(f *gojq.Func, sc *names) (*node, error) {
	count, err := b.query(f.Args[0], sc)
	if err != nil {
		return nil, err
	}
	gen, err := b.query(f.Args[1], sc)
	if err != nil {
		return nil, err
	}
	return perValue(count, func(m *machine, in, n any, yield yieldFunc) error {
		switch c := m.compare(n, 0); {
		case c < 0:
			return broken("limit doesn't support negative count")
		case c == 0:
			return nil
		}
		done := &left{}
		err := gen.each(m, in, func(v any) (err error) {
			m.tick()
			if n, err = m.sub(n, 1); err != nil {
				return err
			}
			if err := yield(v); err != nil {
				return err
			}
			if m.compare(n, 0) <= 0 {
				return done
			}
			return nil
		})
		if err == error(done) {
			return nil
		}
		return err
	}), nil
}

// span is range: numbers from a start up to an end by a step.
func (b *builder) span(f *gojq.Func, sc *names) (*node, error) {
	parts := []*node{constant(0), nil, constant(1)}
	for i, a := range f.Args {
		n, err := b.query(a, sc)
		if err != nil {
			return nil, err
		}
		if len(f.Args) == 1 {
			i = 1
		}
		parts[i] = n
	}
	return perValue(parts[0], func(m *machine, in, from any, yield yieldFunc) error {
		return parts[1].each(m, in, func(to any) error {
			return parts[2].each(m, in, func(step any) error { return m.count(from, to, step, yield) })
		})
	}), nil
}

func (m *machine) count(from, to, step any, yield yieldFunc) error {
	for _, v := range []any{from, to, step} {
		if _, ok := m.float(v); !ok {
			return fail0("range", v)
		}
	}
	i, ok1 := from.(int)
	end, ok2 := m.plain(to).(int)
	if by, ok := m.plain(step).(int); ok && by == 1 && ok1 && ok2 {
		for ; i < end; i++ {
			m.tick()
			if err := yield(i); err != nil {
				return err
			}
		}
		return nil
	}
	for v := from; m.compare(step, 0)*m.compare(v, to) < 0; {
		m.tick()
		if err := yield(v); err != nil {
			return err
		}
		next, err := m.add(v, step)
		if err != nil {
			return err
		}
		v = next
	}
	return nil
}
