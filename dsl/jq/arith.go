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

// pair holds two numbers of the same kind.
type pair struct {
	kind   byte // 'i', 'f' or 'b'
	i, j   int
	f, g   float64
	b, c   *big.Int
	number bool
}

// pairOf brings two numbers, already plain, to a common kind.
func pairOf(l, r any) (p pair) {
	switch l := l.(type) {
	case int:
		switch r := r.(type) {
		case int:
			return pair{kind: 'i', i: l, j: r, number: true}
		case float64:
			return pair{kind: 'f', f: float64(l), g: r, number: true}
		case *big.Int:
			return pair{kind: 'b', b: big.NewInt(int64(l)), c: r, number: true}
		}
	case float64:
		switch r := r.(type) {
		case int:
			return pair{kind: 'f', f: l, g: float64(r), number: true}
		case float64:
			return pair{kind: 'f', f: l, g: r, number: true}
		case *big.Int:
			return pair{kind: 'f', f: l, g: bigFloat(r), number: true}
		}
	case *big.Int:
		switch r := r.(type) {
		case int:
			return pair{kind: 'b', b: l, c: big.NewInt(int64(r)), number: true}
		case float64:
			return pair{kind: 'f', f: bigFloat(l), g: r, number: true}
		case *big.Int:
			return pair{kind: 'b', b: l, c: r, number: true}
		}
	}
	return pair{}
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
	a, b := m.plain(l), m.plain(r)
	if p := pairOf(a, b); p.number {
		switch p.kind {
		case 'i':
			if v := p.i + p.j; (v >= p.i) == (p.j >= 0) {
				return v, nil
			}
			return new(big.Int).Add(big.NewInt(int64(p.i)), big.NewInt(int64(p.j))), nil
		case 'f':
			return p.f + p.g, nil
		}
		return m.big(new(big.Int).Add(p.b, p.c)), nil
	}
	if l == nil {
		return b, nil
	}
	if r == nil {
		return a, nil
	}
	return nil, &failure{kind: badBinary, name: "add", v: a, w: b}
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
	m.grow(sizeObject + (len(x)+len(y))*sizeEntry)
	out := make(map[string]any, len(x)+len(y))
	maps.Copy(out, x)
	maps.Copy(out, y)
	return out
}

func (m *machine) sub(l, r any) (any, error) {
	a, b := m.plain(l), m.plain(r)
	if p := pairOf(a, b); p.number {
		switch p.kind {
		case 'i':
			if v := p.i - p.j; (v <= p.i) == (p.j >= 0) {
				return v, nil
			}
			return new(big.Int).Sub(big.NewInt(int64(p.i)), big.NewInt(int64(p.j))), nil
		case 'f':
			return p.f - p.g, nil
		}
		return m.big(new(big.Int).Sub(p.b, p.c)), nil
	}
	x, ok1 := l.([]any)
	y, ok2 := r.([]any)
	if !ok1 || !ok2 {
		return nil, &failure{kind: badBinary, name: "subtract", v: a, w: b}
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
	a, b := m.plain(l), m.plain(r)
	if p := pairOf(a, b); p.number {
		switch p.kind {
		case 'i':
			if p.j == -1 {
				return negated(p.i), nil
			}
			if v := p.i * p.j; p.j == 0 || v/p.j == p.i {
				return v, nil
			}
			return new(big.Int).Mul(big.NewInt(int64(p.i)), big.NewInt(int64(p.j))), nil
		case 'f':
			return p.f * p.g, nil
		}
		if p.b.BitLen()+p.c.BitLen() > maxBits {
			panic(&LimitError{ErrMemory, "computes a number with too many digits"})
		}
		m.spend((p.b.BitLen() >> 9) * (p.c.BitLen() >> 9))
		return m.big(new(big.Int).Mul(p.b, p.c)), nil
	}
	x, ok1 := l.(map[string]any)
	y, ok2 := r.(map[string]any)
	if ok1 && ok2 {
		return m.merge(x, y), nil
	}
	if s, ok := a.(string); ok {
		if n, ok := m.float(b); ok {
			return m.repeat(s, n)
		}
	}
	if s, ok := b.(string); ok {
		if n, ok := m.float(a); ok {
			return m.repeat(s, n)
		}
	}
	return nil, &failure{kind: badBinary, name: "multiply", v: a, w: b}
}

// merge lays y over x, object by object all the way down.
func (m *machine) merge(x, y map[string]any) any {
	m.grow(sizeObject + (len(x)+len(y))*sizeEntry)
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
	a, b := m.plain(l), m.plain(r)
	if p := pairOf(a, b); p.number {
		switch p.kind {
		case 'i':
			switch {
			case p.j == 0:
				return nil, &failure{kind: zeroDivision, v: p.i, w: p.j}
			case p.j == -1:
				return negated(p.i), nil
			case p.i%p.j == 0:
				return p.i / p.j, nil
			}
			return float64(p.i) / float64(p.j), nil
		case 'f':
			if p.g == 0 {
				return nil, &failure{kind: zeroDivision, v: p.f, w: p.g}
			}
			return p.f / p.g, nil
		}
		if p.c.Sign() == 0 {
			return nil, &failure{kind: zeroDivision, v: p.b, w: p.c}
		}
		m.spend((p.b.BitLen() >> 9) * (p.c.BitLen() >> 9))
		q, rest := new(big.Int).DivMod(p.b, p.c, new(big.Int))
		if rest.Sign() == 0 {
			return m.big(q), nil
		}
		return bigFloat(p.b) / bigFloat(p.c), nil
	}
	s, ok1 := a.(string)
	sep, ok2 := b.(string)
	if ok1 && ok2 {
		return m.splitText(s, sep), nil
	}
	return nil, &failure{kind: badBinary, name: "divide", v: a, w: b}
}

func (m *machine) mod(l, r any) (any, error) {
	a, b := m.plain(l), m.plain(r)
	p := pairOf(a, b)
	switch p.kind {
	case 'i':
		switch p.j {
		case 0:
			return nil, &failure{kind: zeroModulo, v: p.i, w: p.j}
		case -1:
			return 0, nil
		}
		return p.i % p.j, nil
	case 'f':
		if math.IsNaN(p.f) || math.IsNaN(p.g) {
			return math.NaN(), nil
		}
		i, _ := m.integer(p.f)
		j, _ := m.integer(p.g)
		if j == 0 {
			return nil, &failure{kind: zeroModulo, v: p.f, w: p.g}
		}
		if j == -1 {
			return 0, nil
		}
		return i % j, nil
	case 'b':
		if p.c.Sign() == 0 {
			return nil, &failure{kind: zeroModulo, v: p.b, w: p.c}
		}
		m.spend((p.b.BitLen() >> 9) * (p.c.BitLen() >> 9))
		return m.big(new(big.Int).Rem(p.b, p.c)), nil
	}
	return nil, &failure{kind: badBinary, name: "modulo", v: a, w: b}
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
