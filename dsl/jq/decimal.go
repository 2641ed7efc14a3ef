package jq

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// decimal is coef / 10^scale. The scale is what the number was written with,
// so 1.10 + 2.20 is 3.30.
type decimal struct {
	coef  *big.Int
	scale int
}

const (
	maxDigits = 1000 // digits of a number that exact functions accept
	maxScale  = 400  // decimals, and the greatest exponent
	maxPlaces = 30   // decimals that a cell may ask for
)

// decimalOf reads a number or a text that holds one.
func decimalOf(v any) (decimal, bool) {
	switch v := v.(type) {
	case int:
		return decimal{big.NewInt(int64(v)), 0}, true
	case *big.Int:
		return decimal{v, 0}, v.BitLen() < maxDigits*3
	case float64:
		return parseDecimal(strconv.FormatFloat(v, 'g', -1, 64))
	case json.Number:
		return parseDecimal(v.String())
	case string:
		return parseDecimal(strings.TrimSpace(v))
	}
	return decimal{}, false
}

func parseDecimal(s string) (decimal, bool) {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e > maxScale || e < -maxScale {
			return decimal{}, false
		}
		mantissa, exponent = s[:i], e
	}
	whole, frac, dotted := strings.Cut(mantissa, ".")
	if dotted && frac == "" || len(mantissa) > maxDigits {
		return decimal{}, false
	}
	unsigned := strings.TrimPrefix(strings.TrimPrefix(whole, "-"), "+")
	if unsigned == "" && frac == "" || len(whole)-len(unsigned) > 1 || !allDigits(unsigned) || !allDigits(frac) {
		return decimal{}, false
	}
	scale := len(frac) - exponent
	if scale > maxScale {
		return decimal{}, false
	}
	coef, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return decimal{}, false
	}
	if scale < 0 {
		coef.Mul(coef, pow10(-scale))
		scale = 0
	}
	return decimal{coef, scale}, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// number gives the decimal as a number that keeps its literal.
func (d decimal) number() any {
	s := new(big.Int).Abs(d.coef).String()
	if d.scale > 0 {
		if pad := d.scale + 1 - len(s); pad > 0 {
			s = strings.Repeat("0", pad) + s
		}
		s = s[:len(s)-d.scale] + "." + s[len(s)-d.scale:]
	}
	if d.coef.Sign() < 0 {
		s = "-" + s
	}
	return json.Number(s)
}

// at returns the coefficient of d for a scale that is not smaller.
func (d decimal) at(scale int) *big.Int {
	if scale == d.scale {
		return d.coef
	}
	return new(big.Int).Mul(d.coef, pow10(scale-d.scale))
}

func (d decimal) add(e decimal) decimal {
	scale := max(d.scale, e.scale)
	return decimal{new(big.Int).Add(d.at(scale), e.at(scale)), scale}
}

func (d decimal) neg() decimal { return decimal{new(big.Int).Neg(d.coef), d.scale} }

func (d decimal) mul(e decimal) decimal {
	return decimal{new(big.Int).Mul(d.coef, e.coef), d.scale + e.scale}
}

// round gives exactly n decimals; a half goes away from zero.
func (d decimal) round(n int) decimal {
	if d.scale <= n {
		return decimal{d.at(n), n}
	}
	return decimal{quoHalfAway(d.coef, pow10(d.scale-n)), n}
}

// quoHalfAway divides and rounds to the nearest; a half goes away from zero.
func quoHalfAway(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(b) >= 0 {
		q.Add(q, big.NewInt(int64(a.Sign()*b.Sign())))
	}
	return q
}

func needNumber(name string, v any) error {
	if _, isNumber := gojq.ToFloat64(v); isNumber {
		return fmt.Errorf("%s takes numbers of up to %d digits but got: %s", name, maxDigits, preview(v))
	}
	return fmt.Errorf("%s needs numbers but got: %s", name, preview(v))
}

// placesOf reads the number of decimals that a cell asks for.
func placesOf(name string, v any) (int, error) {
	n, ok := gojq.ToInt(v)
	if f, _ := gojq.ToFloat64(v); !ok || n < 0 || n > maxPlaces || f != float64(n) {
		return 0, fmt.Errorf("%s needs 0 to %d decimals but got: %s", name, maxPlaces, preview(v))
	}
	return n, nil
}

func exactSum(in any, _ []any) any {
	list, ok := in.([]any)
	if !ok {
		return fmt.Errorf("exact_sum needs a list of numbers but got: %s", preview(in))
	}
	sum := decimal{new(big.Int), 0}
	for _, v := range list {
		if v == nil {
			continue
		}
		d, ok := decimalOf(v)
		if !ok {
			return needNumber("exact_sum", v)
		}
		sum = sum.add(d)
	}
	return sum.number()
}

// exactPair reads the two operands of an exact function.
func exactPair(name string, args []any) (a, b decimal, err error) {
	a, ok := decimalOf(args[0])
	if !ok {
		return a, b, needNumber(name, args[0])
	}
	if b, ok = decimalOf(args[1]); !ok {
		return a, b, needNumber(name, args[1])
	}
	return a, b, nil
}

func exactSub(_ any, args []any) any {
	a, b, err := exactPair("exact_sub", args)
	if err != nil {
		return err
	}
	return a.add(b.neg()).number()
}

func exactMul(_ any, args []any) any {
	a, b, err := exactPair("exact_mul", args)
	if err != nil {
		return err
	}
	return a.mul(b).number()
}

func exactDiv(_ any, args []any) any {
	a, b, err := exactPair("exact_div", args)
	if err != nil {
		return err
	}
	n, err := placesOf("exact_div", args[2])
	if err != nil {
		return err
	}
	if b.coef.Sign() == 0 {
		return fmt.Errorf("exact_div cannot divide %s by zero", preview(args[0]))
	}
	// a/10^as / (b/10^bs) * 10^n = a * 10^(n+bs-as) / b
	num, den, shift := a.coef, b.coef, n+b.scale-a.scale
	if shift >= 0 {
		num = new(big.Int).Mul(num, pow10(shift))
	} else {
		den = new(big.Int).Mul(den, pow10(-shift))
	}
	return decimal{quoHalfAway(num, den), n}.number()
}

func exactRound(in any, args []any) any {
	if in == nil {
		return nil
	}
	d, ok := decimalOf(in)
	if !ok {
		return needNumber("exact_round", in)
	}
	n, err := placesOf("exact_round", args[0])
	if err != nil {
		return err
	}
	return d.round(n).number()
}
