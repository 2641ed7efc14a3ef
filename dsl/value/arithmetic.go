package value

import (
	"math"
	"math/big"
)

// rescale returns the coefficient of d with scale digits after the point,
// where scale is not smaller than that of d. It reports false where the result
// does not fit 64 bits.
func (d Decimal) rescale(scale int) (int64, bool) {
	if d.big != nil {
		return 0, false
	}
	if d.small == 0 || scale == d.scale {
		return d.small, true
	}
	if scale-d.scale >= len(powers) {
		return 0, false
	}
	p := powers[scale-d.scale]
	r := d.small * p
	if r/p != d.small {
		return 0, false
	}
	return r, true
}

func (d Decimal) rescaleBig(scale int) *big.Int {
	if scale == d.scale {
		return d.coefficient()
	}
	return new(big.Int).Mul(d.coefficient(), pow10(scale-d.scale))
}

// Add returns d + e with as many digits after the point as the finer one has.
func (d Decimal) Add(e Decimal) Decimal {
	scale := max(d.scale, e.scale)
	if a, ok := d.rescale(scale); ok {
		if b, ok := e.rescale(scale); ok {
			if s := a + b; (s > a) == (b > 0) {
				return Decimal{small: s, scale: scale}
			}
		}
	}
	return fromBig(new(big.Int).Add(d.rescaleBig(scale), e.rescaleBig(scale)), scale)
}

// Sub returns d - e with as many digits after the point as the finer one has.
func (d Decimal) Sub(e Decimal) Decimal { return d.Add(e.Neg()) }

// Neg returns -d.
func (d Decimal) Neg() Decimal {
	if d.big == nil && d.small != math.MinInt64 {
		return Decimal{small: -d.small, scale: d.scale}
	}
	return fromBig(new(big.Int).Neg(d.coefficient()), d.scale)
}

// Abs returns d without its sign.
func (d Decimal) Abs() Decimal {
	if d.Sign() < 0 {
		return d.Neg()
	}
	return d
}

// Mul returns d * e; its digits after the point are those of both together. A
// product of more than 2,000 digits is an error of code "range".
func (d Decimal) Mul(e Decimal) (Decimal, error) {
	scale := d.scale + e.scale
	if d.big == nil && e.big == nil {
		a, b := d.small, e.small
		if a == 0 || b == 0 {
			return Decimal{scale: min(scale, maxDigits)}, nil
		}
		r := a * b
		if r/b == a && (a != -1 || b != math.MinInt64) && (b != -1 || a != math.MinInt64) && scale <= 2*maxDigits {
			return Decimal{small: r, scale: scale}, nil
		}
	}
	x, y := d.coefficient(), e.coefficient()
	// One decimal digit takes 3.32 bits.
	if scale > 2*maxDigits || x.BitLen()+y.BitLen() > 2*maxDigits*10/3 {
		return Decimal{}, &Error{Code: CodeRange, Message: "the product has too many digits to be worked on exactly"}
	}
	return fromBig(new(big.Int).Mul(x, y), scale), nil
}

// Div returns d / e rounded half away from zero to n digits after the point.
// A division by zero and an n outside 0 to 1,000 are errors of code "range".
func (d Decimal) Div(e Decimal, n int) (Decimal, error) {
	if e.Sign() == 0 {
		return Decimal{}, &Error{Code: CodeRange, Message: "division by zero"}
	}
	if n < 0 || n > maxDigits {
		return Decimal{}, &Error{Code: CodeRange, Message: "a quotient can have 0 to 1000 digits after the point"}
	}
	num, den := d.coefficient(), e.coefficient()
	// d/e = num/den * 10^(e.scale-d.scale); wanted is that times 10^n.
	if shift := n + e.scale - d.scale; shift >= 0 {
		num = new(big.Int).Mul(num, pow10(shift))
	} else {
		den = new(big.Int).Mul(den, pow10(-shift))
	}
	return fromBig(quoHalfAway(num, den), n), nil
}

// quoHalfAway returns num/den rounded half away from zero.
func quoHalfAway(num, den *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(num, den, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(den) >= 0 {
		if num.Sign()*den.Sign() < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// Round returns d with exactly n digits after the point, rounded half away
// from zero (1.005 becomes 1.01 and -1.005 becomes -1.01), or filled with
// zeros. A negative n rounds to tens, hundreds and so on. n is held within
// -1,000 and 1,000.
func (d Decimal) Round(n int) Decimal {
	n = max(-maxDigits, min(n, maxDigits))
	if n == d.scale {
		return d
	}
	if n > d.scale {
		if c, ok := d.rescale(n); ok {
			return Decimal{small: c, scale: n}
		}
		return fromBig(d.rescaleBig(n), n)
	}
	if cut := d.scale - n; d.big == nil && cut < len(powers) && n >= 0 {
		p := powers[cut]
		q, r := d.small/p, d.small%p
		if r >= p-r && r > 0 {
			q++
		} else if -r >= p+r && r < 0 {
			q--
		}
		return Decimal{small: q, scale: n}
	}
	q := quoHalfAway(d.coefficient(), pow10(d.scale-n))
	if n < 0 {
		return fromBig(q.Mul(q, pow10(-n)), 0)
	}
	return fromBig(q, n)
}

// Normal returns d without zeros at the end of its fraction.
func (d Decimal) Normal() Decimal {
	if d.big == nil {
		for d.scale > 0 && d.small%10 == 0 {
			d.small /= 10
			d.scale--
		}
		return d
	}
	n, scale, r := new(big.Int).Set(d.big), d.scale, new(big.Int)
	for scale > 0 {
		q, rest := new(big.Int).QuoRem(n, ten, r)
		if rest.Sign() != 0 {
			break
		}
		n, scale = q, scale-1
	}
	return fromBig(n, scale)
}

// Cmp returns -1, 0 or 1 as d is smaller than, equal to or larger than e; 1.10
// equals 1.1.
func (d Decimal) Cmp(e Decimal) int {
	scale := max(d.scale, e.scale)
	if a, ok := d.rescale(scale); ok {
		if b, ok := e.rescale(scale); ok {
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	}
	return d.rescaleBig(scale).Cmp(e.rescaleBig(scale))
}
