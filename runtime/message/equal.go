package message

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
)

// Equal reports whether two JSON values say the same. Numbers are compared by
// their exact decimal value, whatever their literal or Go type: 1, 1.0 and
// 10e-1 are equal, 0.1 and 0.10000000000000001 are not. Text, keys and the
// order of arrays must agree; the order of keys does not exist.
func Equal(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	case string:
		y, ok := b.(string)
		return ok && x == y
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !Equal(v, w) {
				return false
			}
		}
		return true
	}
	x, ok := literal(a)
	y, also := literal(b)
	return ok && also && (x == y || sameNumber(x, y))
}

// literal returns the JSON literal of a number.
func literal(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return string(v), true
	case int, float64, *big.Int:
		return string(Marshal(v)), true
	}
	return "", false
}

func sameNumber(a, b string) bool {
	x, ok := readNumber(a)
	y, also := readNumber(b)
	return ok && also && x.negative == y.negative && x.digits == y.digits && x.exponent.Cmp(y.exponent) == 0
}

// A numeral is 0.digits times ten to the exponent; digits neither starts nor
// ends with a zero. Zero has no digits, no sign and no exponent.
type numeral struct {
	negative bool
	digits   string
	exponent *big.Int
}

func readNumber(s string) (numeral, bool) {
	if !numberLiteral(s) {
		return numeral{}, false
	}
	n := numeral{exponent: new(big.Int)}
	s, n.negative = strings.CutPrefix(s, "-")
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n.exponent.SetString(strings.TrimPrefix(s[i+1:], "+"), 10)
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n.digits = strings.TrimLeft(whole+fraction, "0")
	if n.digits == "" {
		return numeral{exponent: new(big.Int)}, true
	}
	n.exponent.Add(n.exponent, big.NewInt(int64(len(n.digits)-len(fraction))))
	n.digits = strings.TrimRight(n.digits, "0")
	return n, true
}

// numberLiteral reports whether s is a number of JSON.
func numberLiteral(s string) bool {
	d := decoder{raw: []byte(s), text: s, lim: Unlimited}
	if s == "" || s[0] != '-' && s[0]-'0' >= 10 {
		return false
	}
	d.box.next = 1
	_, end := d.number(0)
	return end == len(s)
}

// Digest names raw bytes: the same digest means the same bytes. It has 64
// hexadecimal digits (SHA-256).
func Digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Size returns the number of bytes that Marshal(v) has.
func Size(v any) int {
	e := encoders.Get().(*encoder)
	e.out = e.append(e.out[:0], v)
	n := len(e.out)
	if cap(e.out) > maxOut {
		e.out = nil
	}
	encoders.Put(e)
	return n
}
