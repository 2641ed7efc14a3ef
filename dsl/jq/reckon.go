package jq

import (
	"strings"

	"github.com/itchyny/gojq"
)

// reckoned computes a number without making a value of it, which would be one
// allocation for each step of a sum. Where n is no number, v is the value.
type reckoned func(m *machine, in any) (n num, v any, err error)

// quick is an operator on numbers; it gives no number where the work is left
// to the operator for all values.
type quick func(a, b num) num

var quicks = map[gojq.Operator]quick{
	gojq.OpAdd: quickAdd,
	gojq.OpSub: quickSub,
	gojq.OpMul: quickMul,
}

func quickAdd(a, b num) num {
	switch common(a, b) {
	case isInt:
		if v := a.i + b.i; (v >= a.i) == (b.i >= 0) {
			return num{kind: isInt, i: v}
		}
	case isFloat:
		return num{kind: isFloat, f: a.float() + b.float()}
	}
	return num{}
}

func quickSub(a, b num) num {
	switch common(a, b) {
	case isInt:
		if v := a.i - b.i; (v <= a.i) == (b.i >= 0) {
			return num{kind: isInt, i: v}
		}
	case isFloat:
		return num{kind: isFloat, f: a.float() - b.float()}
	}
	return num{}
}

// maxFactor bounds the factors whose product fits an int for certain.
const maxFactor = 1 << 31

func quickMul(a, b num) num {
	switch common(a, b) {
	case isInt:
		if a.i < maxFactor && a.i > -maxFactor && b.i < maxFactor && b.i > -maxFactor {
			return num{kind: isInt, i: a.i * b.i}
		}
	case isFloat:
		return num{kind: isFloat, f: a.float() * b.float()}
	}
	return num{}
}

// operand gives what n gives as a number to reckon with, and beside it the
// value it was read from, if it was read from one.
func operand(n *node) reckoned {
	switch {
	case n.reckoned != nil:
		return n.reckoned
	case n.constant:
		v := n.value
		fixed := new(machine).num(v)
		return func(*machine, any) (num, any, error) { return fixed, v, nil }
	case len(n.keys) == 1 && n.base == nil:
		key := n.keys[0]
		return func(m *machine, in any) (num, any, error) {
			v, err := get(in, key)
			return m.num(v), v, err
		}
	}
	one := n.one
	return func(m *machine, in any) (num, any, error) {
		v, err := one(m, in)
		return m.num(v), v, err
	}
}

// reckon is f, quick for numbers, of two nodes that give one value each.
func reckon(f binary, fast quick, l, r *node) *node {
	a, b := operand(l), operand(r)
	n := func(m *machine, in any) (num, any, error) {
		y, right, err := b(m, in)
		if err != nil {
			return num{}, nil, err
		}
		x, left, err := a(m, in)
		if err != nil {
			return num{}, nil, err
		}
		if n := fast(x, y); n.kind != noNumber {
			return n, nil, nil
		}
		v, err := f(m, x.from(left), y.from(right))
		return num{}, v, err
	}
	return &node{reckoned: n, one: func(m *machine, in any) (any, error) {
		x, v, err := n(m, in)
		if err != nil {
			return nil, err
		}
		return x.from(v), nil
	}}
}

// from returns the value that n was read from, or n as a value if there is none.
func (n num) from(v any) any {
	if v != nil || n.kind == noNumber {
		return v
	}
	return n.any()
}

// maxTerms bounds the sums that joined adds in one go.
const maxTerms = 16

// joined is the sum of three or more terms with a text among them. It makes one
// text where one plus after the other would make one each.
func joined(terms []*node) valueFunc {
	plus := binaries[gojq.OpAdd]
	return func(m *machine, in any) (any, error) {
		var values [maxTerms]any
		var texts [maxTerms]string
		size, all := 0, true
		for i := len(terms) - 1; i >= 0; i-- { // the right of a plus comes first
			v, err := terms[i].one(m, in)
			if err != nil {
				return nil, err
			}
			s, ok := v.(string)
			values[i], texts[i] = v, s
			size, all = size+len(s), all && ok
		}
		if all {
			m.grow(size)
			return strings.Join(texts[:len(terms)], ""), nil
		}
		sum := values[0]
		for _, v := range values[1:len(terms)] {
			var err error
			if sum, err = plus(m, sum, v); err != nil {
				return nil, err
			}
		}
		return sum, nil
	}
}

// sum is l + r for nodes that give one value each.
func sum(f binary, l, r *node) *node {
	terms := append(l.terms[:len(l.terms):len(l.terms)], r)
	if l.terms == nil {
		terms = []*node{l, r}
	}
	text := false
	for _, t := range terms {
		_, isText := t.value.(string)
		text = text || isText
	}
	var n *node
	switch {
	case text && len(terms) > 2 && len(terms) <= maxTerms:
		n = single(joined(terms))
	case text:
		n = single(both(f, l, r))
	default:
		n = reckon(f, quickAdd, l, r)
	}
	n.terms = terms
	return n
}

// both is f of two nodes that give one value each.
func both(f binary, l, r *node) valueFunc {
	a, b := l.one, r.one
	return func(m *machine, in any) (any, error) {
		y, err := b(m, in)
		if err != nil {
			return nil, err
		}
		x, err := a(m, in)
		if err != nil {
			return nil, err
		}
		return f(m, x, y)
	}
}
