package jq

import (
	"encoding/json"

	"github.com/itchyny/gojq"
)

// binary computes one operator.
type binary func(m *machine, l, r any) (any, error)

var binaries = map[gojq.Operator]binary{
	gojq.OpAdd: (*machine).add,
	gojq.OpSub: (*machine).sub,
	gojq.OpMul: (*machine).mul,
	gojq.OpDiv: (*machine).div,
	gojq.OpMod: (*machine).mod,
	gojq.OpEq:  func(m *machine, l, r any) (any, error) { return m.equal(l, r), nil },
	gojq.OpNe:  func(m *machine, l, r any) (any, error) { return !m.equal(l, r), nil },
	gojq.OpGt:  func(m *machine, l, r any) (any, error) { return m.compare(l, r) > 0, nil },
	gojq.OpLt:  func(m *machine, l, r any) (any, error) { return m.compare(l, r) < 0, nil },
	gojq.OpGe:  func(m *machine, l, r any) (any, error) { return m.compare(l, r) >= 0, nil },
	gojq.OpLe:  func(m *machine, l, r any) (any, error) { return m.compare(l, r) <= 0, nil },
}

// equal is compare == 0 without the order.
func (m *machine) equal(l, r any) bool {
	switch x := l.(type) {
	case string:
		y, ok := r.(string)
		return ok && x == y
	case nil:
		return r == nil
	case bool:
		y, ok := r.(bool)
		return ok && x == y
	}
	return m.compare(l, r) == 0
}

// operate gives l op r for all combinations; r varies slowest.
func operate(op gojq.Operator, l, r *node) (*node, error) {
	f, ok := binaries[op]
	if !ok {
		return nil, errNotCompiled
	}
	switch {
	case l.constant && r.constant:
		if v, ok := fold(f, l.value, r.value); ok {
			return constant(v), nil
		}
		x, y := l.value, r.value
		return single(func(m *machine, _ any) (any, error) { return f(m, x, y) }), nil
	case l.one != nil && r.one != nil && op == gojq.OpAdd:
		return sum(f, l, r), nil
	case l.one != nil && r.one != nil && quicks[op] != nil:
		return reckon(f, quicks[op], l, r), nil
	case l.one != nil && r.constant:
		return single(withConstant(op, f, l.one, r.value)), nil
	case l.one != nil && r.one != nil:
		return single(both(f, l, r)), nil
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return r.each(m, in, func(y any) error {
			return l.each(m, in, func(x any) error {
				m.tick()
				v, err := f(m, x, y)
				if err != nil {
					return err
				}
				return yield(v)
			})
		})
	}), nil
}

// fold computes an operator of two constants, if the result is small.
func fold(f binary, l, r any) (v any, ok bool) {
	if !small(l) || !small(r) {
		return nil, false
	}
	defer func() {
		if recover() != nil { // out of the little it may build
			v, ok = nil, false
		}
	}()
	m := &machine{frame: &Frame{}, steps: 1 << 16, bytes: 1 << 12}
	v, err := f(m, l, r)
	return v, err == nil && small(v)
}

// small reports whether v is a value that may be computed while compiling.
func small(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) <= 256
	case int, float64, bool, nil:
		return true
	}
	return false
}

// withConstant is an operator with a constant on the right, which is what most
// conditions look like.
func withConstant(op gojq.Operator, f binary, a valueFunc, y any) valueFunc {
	if s, ok := y.(string); ok && (op == gojq.OpEq || op == gojq.OpNe) {
		want := op == gojq.OpEq
		return func(m *machine, in any) (any, error) {
			x, err := a(m, in)
			if err != nil {
				return nil, err
			}
			t, ok := x.(string)
			return (ok && t == s) == want, nil
		}
	}
	if n, ok := y.(int); ok && op >= gojq.OpEq && op <= gojq.OpLe {
		return func(m *machine, in any) (any, error) {
			x, err := a(m, in)
			if err != nil {
				return nil, err
			}
			if v := m.num(x); v.kind == isInt {
				return compareInts(op, v.i, n), nil
			}
			return f(m, x, y)
		}
	}
	return func(m *machine, in any) (any, error) {
		x, err := a(m, in)
		if err != nil {
			return nil, err
		}
		return f(m, x, y)
	}
}

func compareInts(op gojq.Operator, a, b int) bool {
	switch op {
	case gojq.OpEq:
		return a == b
	case gojq.OpNe:
		return a != b
	case gojq.OpGt:
		return a > b
	case gojq.OpLt:
		return a < b
	case gojq.OpGe:
		return a >= b
	}
	return a <= b
}

// numberText returns the text of a number as it was written.
func numberText(v any) (json.Number, bool) {
	n, ok := v.(json.Number)
	return n, ok
}

func flipSign(n json.Number) json.Number {
	if n != "" && n[0] == '-' {
		return n[1:]
	}
	return "-" + n
}
