package jq

import (
	"strings"

	"github.com/itchyny/gojq"
)

// object builds an object constructor. Keys and values come in reading order,
// and a later one wins.
func (b *builder) object(o *gojq.Object, sc *names) (*node, error) {
	if len(o.KeyVals) == 0 {
		return constant(map[string]any{}), nil
	}
	keys, vals := make([]*node, len(o.KeyVals)), make([]*node, len(o.KeyVals))
	fixed, ones, allConstant := true, true, true
	for i, kv := range o.KeyVals {
		k, v, err := b.entry(kv, sc)
		if err != nil {
			return nil, err
		}
		keys[i], vals[i] = k, v
		_, isText := k.value.(string)
		fixed = fixed && k.constant && isText
		ones = ones && v.one != nil
		allConstant = allConstant && v.constant
	}
	if !fixed || !ones {
		return crossObject(keys, vals), nil
	}
	names := make([]string, len(keys))
	values := make([]valueFunc, len(keys))
	for i := range keys {
		names[i], values[i] = keys[i].value.(string), vals[i].one
	}
	if allConstant {
		out := map[string]any{}
		for i, name := range names {
			out[name] = vals[i].value
		}
		return constant(out), nil
	}
	return single(func(m *machine, in any) (any, error) {
		m.growObject(len(names))
		out := make(map[string]any, len(names))
		for i, f := range values {
			v, err := f(m, in)
			if err != nil {
				return nil, err
			}
			out[names[i]] = v
		}
		return out, nil
	}), nil
}

func (b *builder) entry(kv *gojq.ObjectKeyVal, sc *names) (key, val *node, err error) {
	switch {
	case kv.Key != "" && kv.Key[0] == '$':
		if kv.Val != nil { // {$x: ...} takes the name from the variable
			key, err = b.call(&gojq.Func{Name: kv.Key}, sc)
			break
		}
		key = constant(kv.Key[1:])
		val, err = b.call(&gojq.Func{Name: kv.Key}, sc)
	case kv.Key != "":
		key = constant(kv.Key)
		if kv.Val == nil {
			val = field(dot(), kv.Key)
		}
	case kv.KeyString != nil:
		if key, err = b.text(kv.KeyString, nil, sc); err != nil {
			return nil, nil, err
		}
		if kv.Val == nil {
			if s, ok := key.value.(string); key.constant && ok {
				val = field(dot(), s)
				break
			}
			if key.one == nil { // the value must follow the key it was made with
				return nil, nil, errNotCompiled
			}
			val = cross([]*node{dot(), key}, func(m *machine, _ any, args []any) (any, error) { return m.index(args[0], args[1]) })
		}
	default:
		key, err = b.query(kv.KeyQuery, sc)
	}
	if err == nil && kv.Val != nil {
		val, err = b.query(kv.Val, sc)
	}
	return key, val, err
}

// crossObject builds one object for every combination of keys and values; the
// last one varies fastest.
func crossObject(keys, vals []*node) *node {
	build := func(m *machine, ks, vs []any) (any, error) {
		m.growObject(len(ks))
		out := make(map[string]any, len(ks))
		for i := len(ks) - 1; i >= 0; i-- {
			name, ok := ks[i].(string)
			if !ok {
				return nil, &failure{kind: keyNotText, v: ks[i]}
			}
			if _, there := out[name]; !there {
				out[name] = vs[i]
			}
		}
		return out, nil
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		ks, vs := make([]any, len(keys)), make([]any, len(keys))
		var fill func(i int) error
		fill = func(i int) error {
			if i == len(keys) {
				m.tick()
				v, err := build(m, ks, vs)
				if err != nil {
					return err
				}
				return yield(v)
			}
			return keys[i].each(m, in, func(k any) error {
				ks[i] = k
				return vals[i].each(m, in, func(v any) error {
					ks[i], vs[i] = k, v
					return fill(i + 1)
				})
			})
		}
		return fill(0)
	})
}

// text builds a string with interpolation; each value goes through f, or
// through tostring if f is nil.
func (b *builder) text(s *gojq.String, f *node, sc *names) (*node, error) {
	if s.Queries == nil {
		return constant(s.Str), nil
	}
	if f == nil {
		f = single(func(m *machine, in any) (any, error) { return m.text(in), nil })
	}
	parts := make([]*node, len(s.Queries))
	ones := true
	for i, q := range s.Queries {
		if q.Term.Str != nil {
			parts[i] = constant(q.Term.Str.Str)
			continue
		}
		n, err := b.query(q, sc)
		if err != nil {
			return nil, err
		}
		parts[i] = pipe(n, f)
		ones = ones && parts[i].one != nil
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	if ones {
		return single(joinOnes(parts)), nil
	}
	out := parts[0]
	for _, p := range parts[1:] {
		var err error
		if out, err = operate(gojq.OpAdd, out, p); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// joinOnes concatenates texts; the last one is computed first, as everywhere
// on the right of a plus.
func joinOnes(parts []*node) valueFunc {
	return func(m *machine, in any) (any, error) {
		var buf [8]string
		texts := buf[:min(len(parts), len(buf))]
		if len(parts) > len(buf) {
			texts = make([]string, len(parts))
		}
		size := 0
		for i := len(parts) - 1; i >= 0; i-- {
			if parts[i].constant {
				texts[i], _ = parts[i].value.(string)
			} else {
				v, err := parts[i].one(m, in)
				if err != nil {
					return nil, err
				}
				texts[i], _ = v.(string)
			}
			size += len(texts[i])
		}
		m.grow(size)
		return strings.Join(texts, ""), nil
	}
}

func (b *builder) format(t *gojq.Term, sc *names) (*node, error) {
	f, ok := formatters[t.Format]
	if !ok {
		return nil, errNotCompiled
	}
	n := single(f)
	if t.Str == nil {
		return n, nil
	}
	return b.text(t.Str, n, sc)
}
