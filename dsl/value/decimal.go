package value

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// maxDigits bounds the digits before and after the point that a literal or a
// product may need, so that no exponent and no chain of products can exhaust
// memory.
const maxDigits = 1000

// Decimal is an exact decimal number. It remembers how many digits stood after
// the point, so "1.10" stays "1.10". The zero Decimal is 0. Decimals are
// immutable and safe for concurrent use. Zero has no sign: "-0" reads as 0.
type Decimal struct {
	big   *big.Int // the coefficient where it does not fit small; else nil
	small int64
	scale int // digits after the point, never negative
}

var (
	ten       = big.NewInt(10)
	powers    = smallPowers()
	bigPowers = largePowers()
)

func smallPowers() (p [19]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}

func largePowers() (p [64]*big.Int) {
	p[0] = big.NewInt(1)
	for i := 1; i < len(p); i++ {
		p[i] = new(big.Int).Mul(p[i-1], ten)
	}
	return p
}

// pow10 returns 10^n. The result must not be changed.
func pow10(n int) *big.Int {
	if n < len(bigPowers) {
		return bigPowers[n]
	}
	return new(big.Int).Exp(ten, big.NewInt(int64(n)), nil)
}

func fromBig(b *big.Int, scale int) Decimal {
	if b.IsInt64() {
		return Decimal{small: b.Int64(), scale: scale}
	}
	return Decimal{big: b, scale: scale}
}

// coefficient returns the digits as a big integer that must not be changed.
func (d Decimal) coefficient() *big.Int {
	if d.big != nil {
		return d.big
	}
	return big.NewInt(d.small)
}

// DecimalFromInt returns n.
func DecimalFromInt(n int64) Decimal { return Decimal{small: n} }

// DecimalOf returns the exact value of a JSON number: json.Number, int, int64,
// float64 (its shortest decimal form) or *big.Int. Anything else, text
// included, is an error of code "type".
func DecimalOf(v any) (Decimal, error) {
	switch v := v.(type) {
	case json.Number:
		return ParseDecimal(string(v))
	case int:
		return Decimal{small: int64(v)}, nil
	case int64:
		return Decimal{small: v}, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Decimal{}, &Error{Code: CodeRange, Message: "the number is infinite or undefined"}
		}
		return ParseDecimal(strconv.FormatFloat(v, 'g', -1, 64))
	case *big.Int:
		return fromBig(new(big.Int).Set(v), 0), nil
	}
	return Decimal{}, &Error{Code: CodeType, Message: "expected a number, found " + Describe(v)}
}

// ParseDecimal reads a decimal literal: an optional sign, digits with an
// optional point, and an optional exponent. Leading zeros and a leading point
// are allowed; blanks, thousands separators and a trailing sign are not.
func ParseDecimal(s string) (Decimal, error) {
	if d, ok := parseSmall(s); ok {
		return d, nil
	}
	return parseLong(s)
}

// parseSmall reads literals of up to 18 digits without an exponent.
func parseSmall(s string) (Decimal, bool) {
	i, neg := 0, false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	var n int64
	digits, scale, point := 0, 0, false
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			n = n*10 + int64(c-'0')
			digits++
			if point {
				scale++
			}
		case c == '.' && !point:
			point = true
		default:
			return Decimal{}, false
		}
		if digits > 18 {
			return Decimal{}, false
		}
	}
	if digits == 0 || point && scale == 0 {
		return Decimal{}, false
	}
	if neg {
		n = -n
	}
	return Decimal{small: n, scale: scale}, true
}

func parseLong(s string) (Decimal, error) {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil {
			if !isInteger(s[i+1:]) {
				return Decimal{}, notNumber(s)
			}
			return Decimal{}, tooLarge(s)
		}
		mantissa, exponent = s[:i], e
	}
	sign := ""
	if mantissa != "" && (mantissa[0] == '-' || mantissa[0] == '+') {
		sign, mantissa = mantissa[:1], mantissa[1:]
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	if whole+fraction == "" || point && fraction == "" || !onlyDigits(whole) || !onlyDigits(fraction) {
		return Decimal{}, notNumber(s)
	}
	if len(whole) > 10*maxDigits || len(fraction) > 10*maxDigits {
		return Decimal{}, tooLarge(s)
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return Decimal{scale: min(max(0, len(fraction)-exponent), maxDigits)}, nil
	}
	scale := len(fraction) - exponent
	if scale > maxDigits || len(digits) > 2*maxDigits || -scale > maxDigits || len(digits)-scale > maxDigits {
		return Decimal{}, tooLarge(s)
	}
	n, ok := new(big.Int).SetString(sign+digits, 10)
	if !ok {
		return Decimal{}, notNumber(s)
	}
	if scale < 0 {
		n.Mul(n, pow10(-scale))
		scale = 0
	}
	return fromBig(n, scale), nil
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func isInteger(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	return s != "" && onlyDigits(s)
}

func notNumber(s string) error {
	return &Error{Code: CodeParse, Message: quote(s) + " is not a number"}
}

func tooLarge(s string) error {
	return &Error{Code: CodeRange, Message: "the number " + quote(s) + " is too large or too fine to be worked on exactly"}
}

// String returns the plain decimal notation with all digits after the point.
func (d Decimal) String() string {
	var buf [24]byte
	return string(d.Append(buf[:0]))
}

// Append appends the notation of String to b.
func (d Decimal) Append(b []byte) []byte {
	start := len(b)
	if d.big != nil {
		b = d.big.Append(b, 10)
	} else {
		b = strconv.AppendInt(b, d.small, 10)
	}
	if d.scale == 0 {
		return b
	}
	if b[start] == '-' {
		start++
	}
	for len(b)-start <= d.scale {
		b = append(b, 0)
		copy(b[start+1:], b[start:])
		b[start] = '0'
	}
	point := len(b) - d.scale
	b = append(b, 0)
	copy(b[point+1:], b[point:])
	b[point] = '.'
	return b
}

// Number returns d as a JSON number that keeps its digits.
func (d Decimal) Number() json.Number { return json.Number(d.String()) }

// Scale returns the number of digits after the point.
func (d Decimal) Scale() int { return d.scale }

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int {
	switch {
	case d.big != nil:
		return d.big.Sign()
	case d.small < 0:
		return -1
	case d.small > 0:
		return 1
	}
	return 0
}

// IsInteger reports whether d has no fraction: 1.00 is an integer.
func (d Decimal) IsInteger() bool {
	if d.scale == 0 {
		return true
	}
	if d.big == nil {
		if d.scale < len(powers) {
			return d.small%powers[d.scale] == 0
		}
		return d.small == 0
	}
	return new(big.Int).Rem(d.big, pow10(d.scale)).Sign() == 0
}

// Int64 returns d where it is an integer of 64 bits.
func (d Decimal) Int64() (n int64, ok bool) {
	if !d.IsInteger() {
		return 0, false
	}
	t := d.Round(0)
	return t.small, t.big == nil
}

// Float64 returns the nearest binary floating point number, which may be
// infinite.
func (d Decimal) Float64() float64 {
	if d.scale == 0 && d.big == nil {
		return float64(d.small)
	}
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil {
		return math.Inf(d.Sign())
	}
	return f
}
