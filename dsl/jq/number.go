package jq

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// exactPowers holds the powers of ten that float64 represents exactly.
var exactPowers = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// num is a number to reckon with: an int, a float64, or a *big.Int for whole
// numbers that fit neither.
type num struct {
	kind numKind
	i    int
	f    float64
	b    *big.Int
}

type numKind uint8

const (
	noNumber numKind = iota
	isInt
	isFloat
	isBig
)

// num reads the number v; the kind is noNumber if v is none.
func (m *machine) num(v any) num {
	switch v := v.(type) {
	case json.Number:
		if n := shortNumber(string(v)); n.kind != noNumber {
			return n
		}
		m.spend(len(v) >> 3)
		return m.num(longNumber(v))
	case int:
		return num{kind: isInt, i: v}
	case float64:
		return num{kind: isFloat, f: v}
	case *big.Int:
		return num{kind: isBig, b: v}
	}
	return num{}
}

// any gives n as a value of a cell.
func (n num) any() any {
	switch n.kind {
	case isInt:
		return n.i
	case isFloat:
		return n.f
	}
	return n.b
}

func (n num) float() float64 {
	switch n.kind {
	case isInt:
		return float64(n.i)
	case isFloat:
		return n.f
	}
	return bigFloat(n.b)
}

func (n num) big() *big.Int {
	if n.kind == isInt {
		return big.NewInt(int64(n.i))
	}
	return n.b
}

// common returns the kind that an operation on a and b is done in.
func common(a, b num) numKind {
	switch {
	case a.kind == noNumber || b.kind == noNumber:
		return noNumber
	case a.kind == isInt && b.kind == isInt:
		return isInt
	case a.kind == isFloat || b.kind == isFloat:
		return isFloat
	}
	return isBig
}

// value turns a number as it was written into one to reckon with.
func (m *machine) value(n json.Number) any { return m.num(n).any() }

// shortNumber reads what nearly all numbers look like: up to 18 digits, or 15
// digits with a decimal point, for which the division is exact.
func shortNumber(s string) num {
	i, neg := 0, false
	if s != "" && s[0] == '-' {
		i, neg = 1, true
	}
	if len(s)-i > 18 || len(s) == i {
		return num{}
	}
	n, dot := 0, -1
	for j := i; j < len(s); j++ {
		c := s[j]
		if c == '.' && dot < 0 && j > i {
			dot = j
			continue
		}
		if !digit(c) {
			return num{}
		}
		n = n*10 + int(c-'0')
	}
	if dot < 0 {
		if neg {
			n = -n
		}
		return num{kind: isInt, i: n}
	}
	if len(s)-i-1 > 15 || dot == len(s)-1 {
		return num{}
	}
	f := float64(n) / exactPowers[len(s)-dot-1]
	if neg {
		f = -f
	}
	return num{kind: isFloat, f: f}
}

func longNumber(n json.Number) any {
	s := string(n)
	if i, err := strconv.Atoi(s); err == nil {
		return i
	}
	if strings.ContainsAny(s, ".eE") {
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	if b, ok := new(big.Int).SetString(s, 10); ok {
		return b
	}
	if strings.HasPrefix(s, "-") {
		return math.Inf(-1)
	}
	return math.Inf(1)
}

// plain returns v with numbers as they were written made ready to reckon with.
func (m *machine) plain(v any) any {
	if n, ok := v.(json.Number); ok {
		return m.value(n)
	}
	return v
}

// float returns the number v as a float64.
func (m *machine) float(v any) (float64, bool) {
	n := m.num(v)
	if n.kind == noNumber {
		return 0, false
	}
	return n.float(), true
}

// integer returns the number v cut to an int, at the ends of its range if it
// lies outside.
func (m *machine) integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case json.Number:
		return m.integer(m.value(v))
	}
	return gojq.ToInt(v)
}

func bigFloat(b *big.Int) float64 {
	f, _ := gojq.ToFloat64(b)
	return f
}

func negated(n int) any {
	if n == math.MinInt {
		return new(big.Int).Neg(big.NewInt(int64(n)))
	}
	return -n
}

// floorIndex and ceilIndex turn the ends of a slice into positions.
func (m *machine) floorIndex(v any) (int, bool) {
	v = m.plain(v)
	if f, ok := v.(float64); ok {
		v = math.Floor(f)
	}
	return m.integer(v)
}

func (m *machine) ceilIndex(v any) (int, bool) {
	v = m.plain(v)
	if f, ok := v.(float64); ok {
		if -1 < f && f < 0 || math.IsNaN(f) {
			return math.MaxInt, true
		}
		v = math.Ceil(f)
	}
	return m.integer(v)
}
