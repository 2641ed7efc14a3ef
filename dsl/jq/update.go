package jq

import (
	"maps"

	"github.com/itchyny/gojq"
)

// fieldPath returns the names of q if it is a plain path such as .a.b, or nil.
func fieldPath(q *gojq.Query) []string {
	t := bare(q)
	if t == nil || t.Type != gojq.TermTypeIndex {
		return nil
	}
	var path []string
	add := func(x *gojq.Index) bool {
		name, ok := x.Name, x.Name != ""
		switch {
		case x.Str != nil && x.Str.Queries == nil:
			name, ok = x.Str.Str, true
		case x.Start != nil && !x.IsSlice:
			name, ok = literalText(x.Start)
		}
		path = append(path, name)
		return ok
	}
	if !add(t.Index) {
		return nil
	}
	for _, s := range t.SuffixList {
		if s.Index == nil || !add(s.Index) {
			return nil
		}
	}
	return path
}

// update compiles an assignment to a plain path; all others run in the
// interpreter.
func (b *builder) update(q *gojq.Query, sc *names) (*node, error) {
	path := fieldPath(q.Left)
	if path == nil {
		return b.bridge(q, sc)
	}
	r, err := b.query(q.Right, sc)
	if err != nil {
		return nil, err
	}
	listed := make([]any, len(path))
	for i, k := range path {
		listed[i] = k
	}
	if q.Op == gojq.OpAssign {
		return cross([]*node{r}, func(m *machine, in any, args []any) (any, error) {
			out, err := m.setFields(in, path, args[0])
			if err != nil {
				return nil, &failure{kind: wrapped2, name: "setpath", v: in, w: listed, x: args[0], err: err}
			}
			return out, nil
		}), nil
	}
	if q.Op == gojq.OpModify {
		change := firstOrOnly(r)
		return single(func(m *machine, in any) (any, error) { return m.modify(in, path, change) }), nil
	}
	f := func(_ *machine, l, r any) (any, error) {
		if truthy(l) {
			return l, nil
		}
		return r, nil
	}
	if op, ok := updates[q.Op]; ok {
		f = binaries[op]
	}
	return cross([]*node{r}, func(m *machine, in any, args []any) (any, error) {
		operand := args[0]
		return m.modify(in, path, func(m *machine, v any) (any, bool, error) {
			out, err := f(m, v, operand)
			return out, err == nil, err
		})
	}), nil
}

// modify replaces what is at path by what change makes of it, or removes it.
func (m *machine) modify(in any, path []string, change maybeFunc) (any, error) {
	v, err := in, error(nil)
	for _, k := range path {
		if v, err = get(v, k); err != nil {
			return nil, err
		}
	}
	v, ok, err := change(m, v)
	if err != nil {
		return nil, err
	}
	if !ok {
		return m.dropFields(in, path), nil
	}
	return m.setFields(in, path, v)
}

// setFields returns in with v at path; in itself stays as it is.
func (m *machine) setFields(in any, path []string, v any) (any, error) {
	if len(path) == 0 {
		return v, nil
	}
	object, ok := in.(map[string]any)
	if !ok && in != nil {
		return nil, &failure{kind: notObject, v: in}
	}
	inner, err := m.setFields(object[path[0]], path[1:], v)
	if err != nil {
		return nil, err
	}
	m.growObject(len(object) + 1)
	out := make(map[string]any, len(object)+1)
	maps.Copy(out, object)
	out[path[0]] = inner
	return out, nil
}

// dropFields returns in without what is at path, which can be read.
func (m *machine) dropFields(in any, path []string) any {
	object, ok := in.(map[string]any)
	if !ok {
		return in
	}
	v, there := object[path[0]]
	if !there {
		return in
	}
	m.growObject(len(object))
	out := maps.Clone(object)
	if len(path) == 1 {
		delete(out, path[0])
	} else {
		out[path[0]] = m.dropFields(v, path[1:])
	}
	return out
}

// del compiles del of plain paths, which go one by one: none of them is a
// position that another removal could move.
func (b *builder) del(f *gojq.Func, sc *names) (*node, error) {
	var paths [][]string
	for rest := f.Args[0]; rest != nil; {
		last := rest
		if rest.Op == gojq.OpComma && len(rest.FuncDefs) == 0 {
			last, rest = rest.Right, rest.Left
		} else {
			rest = nil
		}
		path := fieldPath(last)
		if path == nil {
			return b.bridgeCall(f, sc)
		}
		paths = append([][]string{path}, paths...)
	}
	return single(func(m *machine, in any) (any, error) {
		for _, path := range paths {
			v, err := in, error(nil)
			for _, k := range path {
				if v, err = get(v, k); err != nil {
					return nil, err
				}
			}
		}
		out := in
		for _, path := range paths {
			out = m.dropFields(out, path)
		}
		return out, nil
	}), nil
}
