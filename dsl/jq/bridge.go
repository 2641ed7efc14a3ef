package jq

import (
	"errors"

	"github.com/itchyny/gojq"
)

func (b *builder) bridgeCall(f *gojq.Func, sc *names) (*node, error) {
	return b.bridge(&gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: f}}, sc)
}

// bridge runs a part of a cell in the interpreter: what is not compiled here,
// such as assignments and functions of time. Variables go in by value; a part
// that uses definitions or labels of the cell cannot be cut out.
func (b *builder) bridge(q *gojq.Query, sc *names) (*node, error) {
	var vars []string
	var reads []valueFunc
	seen := map[string]bool{}
	for n := sc; n != nil; n = n.up {
		if n.name[0] != '$' {
			return nil, errNotCompiled
		}
		if seen[n.name] {
			continue
		}
		seen[n.name] = true
		v, err := b.variable(n.name, sc)
		if err != nil {
			return nil, err
		}
		vars, reads = append(vars, n.name), append(reads, v.one)
	}
	code, err := interpreter(q, vars, b.opt)
	if err != nil {
		return nil, errNotCompiled
	}
	b.bridges++
	return stream(func(m *machine, in any, yield yieldFunc) error {
		vals := make([]any, len(reads))
		for i, read := range reads {
			v, err := read(m, in)
			if err != nil {
				return err
			}
			vals[i] = v
		}
		return m.interpret(code, in, vals, yield)
	}), nil
}

// interpret pushes the outputs of code to yield.
func (m *machine) interpret(code *gojq.Code, in any, vars []any, yield yieldFunc) error {
	if m.guard == nil {
		m.guard = newGuard(m)
	}
	it := code.RunWithContext(m.guard, in, append([]any{m}, vars...)...)
	for {
		m.tick()
		v, ok := it.Next()
		if !ok {
			m.guard.check()
			return nil
		}
		if err, isErr := v.(error); isErr {
			m.guard.check()
			var limit *LimitError
			if errors.As(err, &limit) {
				panic(limit)
			}
			return err
		}
		if err := yield(v); err != nil {
			return err
		}
	}
}
