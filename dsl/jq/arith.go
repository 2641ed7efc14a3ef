package jq

import (
	"maps"
	"math"
	"math/big"
	"strings"
)

// maxBits bounds whole numbers, because one multiplication of larger ones
// could not be stopped.
const maxBits = 1 << 20

func (m *machine) big(b *big.Int) *big.Int {
	if b.BitLen() > maxBits {
		panic(&LimitError{ErrMemory, "computes a number with too many digits"})
	}
	m.grow(32 + b.BitLen()/8)
	return b
}

func (m *machine) add(l, r any) (any, error) {
	switch x := l.(type) {
	case string:
		if y, ok := r.(string); ok {
			m.grow(len(x) + len(y))
			return x + y, nil
		}
	case []any:
		if y, ok := r.([]any); ok {
			return m.addLists(x, y), nil
		}
	case map[string]any:
		if y, ok := r.(map[string]any); ok {
			return m.addObjects(x, y), nil
		}
	}
	a, b := m.num(l), m.num(r)
	if common(a, b) != noNumber {
		return m.addNums(a, b).any(), nil
	}
	if l == nil {
		return m.plain(r), nil
	}
	if r == nil {
		return m.plain(l), nil
	}
	return nil, &failure{kind: badBinary, name: "add", v: m.plain(l), w: m.plain(r)}
}

func (m *machine) addNums(a, b num) num {
	switch common(a, b) {
	case isInt:
		if v := a.i + b.i; (v >= a.i) == (b.i >= 0) {
			return num{kind: isInt, i: v}
		}
	case isFloat:
		return num{kind: isFloat, f: a.float() + b.float()}
	}
	return num{kind: isBig, b: m.big(new(big.Int).Add(a.big(), b.big()))}
}

func (m *machine) addLists(x, y []any) any {
	if len(x) == 0 {
		return y
	}
	if len(y) == 0 {
		return x
	}
	m.grow((len(x) + len(y)) * sizeElement)
	out := make([]any, 0, len(x)+len(y))
	return append(append(out, x...), y...)
}

func (m *machine) addObjects(x, y map[string]any) any {
	if len(x) == 0 {
		return y
	}
	if len(y) == 0 {
		return x
	}
	m.growObject(len(x) + len(y))
	out := make(map[string]any, len(x)+len(y))
	maps.Copy(out, x)
	maps.Copy(out, y)
	return out
}

func (m *machine) sub(l, r any) (any, error) {
	a, b := m.num(l), m.num(r)
	switch common(a, b) {
	case isInt:
		if v := a.i - b.i; (v <= a.i) == (b.i >= 0) {
			return v, nil
		}
		return new(big.Int).Sub(a.big(), b.big()), nil
	case isFloat:
		return a.float() - b.float(), nil
	case isBig:
		return m.big(new(big.Int).Sub(a.big(), b.big())), nil
	}
	x, ok1 := l.([]any)
	y, ok2 := r.([]any)
	if !ok1 || !ok2 {
		return nil, &failure{kind: badBinary, name: "subtract", v: m.plain(l), w: m.plain(r)}
	}
	out := m.list(len(x))
next:
	for _, v := range x {
		for _, w := range y {
			if m.compare(v, w) == 0 {
				continue next
			}
		}
		out = append(out, v)
	}
	return out, nil
}

func (m *machine) mul(l, r any) (any, error) {
	a, b := m.num(l), m.num(r)
	switch common(a, b) {
	case isInt:
		if b.i == -1 {
			return negated(a.i), nil
		}
		if v := a.i * b.i; b.i == 0 || v/b.i == a.i {
			return v, nil
		}
		return new(big.Int).Mul(a.big(), b.big()), nil
	case isFloat:
		return a.float() * b.float(), nil
	case isBig:
		return m.mulBig(a.big(), b.big()), nil
	}
	x, ok1 := l.(map[string]any)
	y, ok2 := r.(map[string]any)
	if ok1 && ok2 {
		return m.merge(x, y), nil
	}
	if s, ok := l.(string); ok && b.kind != noNumber {
		return m.repeat(s, b.float())
	}
	if s, ok := r.(string); ok && a.kind != noNumber {
		return m.repeat(s, a.float())
	}
	return nil, &failure{kind: badBinary, name: "multiply", v: m.plain(l), w: m.plain(r)}
}

func (m *machine) mulBig(a, b *big.Int) *big.Int {
	if a.BitLen()+b.BitLen() > maxBits {
		panic(&LimitError{ErrMemory, "computes a number with too many digits"})
	}
	m.spend((a.BitLen() >> 9) * (b.BitLen() >> 9))
	return m.big(new(big.Int).Mul(a, b))
}

// merge lays y over x, object by object all the way down.
func (m *machine) merge(x, y map[string]any) any {
	m.growObject(len(x) + len(y))
	out := make(map[string]any, len(x)+len(y))
	maps.Copy(out, x)
	for k, v := range y {
		if below, ok := out[k].(map[string]any); ok {
			if over, ok := v.(map[string]any); ok {
				v = m.merge(below, over)
			}
		}
		out[k] = v
	}
	return out
}

func (m *machine) repeat(s string, n float64) (any, error) {
	if n < 0 || math.IsNaN(n) {
		return nil, nil
	}
	times := int(min(n, math.MaxInt32))
	if uint64(len(s))*uint64(times) >= math.MaxInt32 {
		return nil, &failure{kind: repeatTooLarge, v: s, w: n}
	}
	m.grow(len(s) * times)
	return strings.Repeat(s, times), nil
}

func (m *machine) div(l, r any) (any, error) {
	a, b := m.num(l), m.num(r)
	switch common(a, b) {
	case isInt:
		switch {
		case b.i == 0:
			return nil, &failure{kind: zeroDivision, v: a.i, w: b.i}
		case b.i == -1:
			return negated(a.i), nil
		case a.i%b.i == 0:
			return a.i / b.i, nil
		}
		return float64(a.i) / float64(b.i), nil
	case isFloat:
		if b.float() == 0 {
			return nil, &failure{kind: zeroDivision, v: a.float(), w: b.float()}
		}
		return a.float() / b.float(), nil
	case isBig:
		x, y := a.big(), b.big()
		if y.Sign() == 0 {
			return nil, &failure{kind: zeroDivision, v: x, w: y}
		}
		m.spend((x.BitLen() >> 9) * (y.BitLen() >> 9))
		q, rest := new(big.Int).DivMod(x, y, new(big.Int))
		if rest.Sign() == 0 {
			return m.big(q), nil
		}
		return bigFloat(x) / bigFloat(y), nil
	}
	s, ok1 := l.(string)
	sep, ok2 := r.(string)
	if ok1 && ok2 {
		return m.splitText(s, sep), nil
	}
	return nil, &failure{kind: badBinary, name: "divide", v: m.plain(l), w: m.plain(r)}
}

func (m *machine) mod(l, r any) (any, error) {
	a, b := m.num(l), m.num(r)
	switch common(a, b) {
	case isInt:
		switch b.i {
		case 0:
			return nil, &failure{kind: zeroModulo, v: a.i, w: b.i}
		case -1:
			return 0, nil
		}
		return a.i % b.i, nil
	case isFloat:
		return m.modFloat(a.float(), b.float())
	case isBig:
		x, y := a.big(), b.big()
		if y.Sign() == 0 {
			return nil, &failure{kind: zeroModulo, v: x, w: y}
		}
		m.spend((x.BitLen() >> 9) * (y.BitLen() >> 9))
		return m.big(new(big.Int).Rem(x, y)), nil
	}
	return nil, &failure{kind: badBinary, name: "modulo", v: m.plain(l), w: m.plain(r)}
}

func (m *machine) modFloat(a, b float64) (any, error) {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN(), nil
	}
	i, _ := m.integer(a)
	j, _ := m.integer(b)
	switch j {
	case 0:
		return nil, &failure{kind: zeroModulo, v: a, w: b}
	case -1:
		return 0, nil
	}
	return i % j, nil
}

func (m *machine) negate(v any) (any, error) {
	switch v := v.(type) {
	case int:
		return negated(v), nil
	case float64:
		return -v, nil
	case *big.Int:
		return new(big.Int).Neg(v), nil
	}
	if n, ok := numberText(v); ok {
		return flipSign(n), nil
	}
	return nil, &failure{kind: badUnary, name: "negate", v: v}
}
