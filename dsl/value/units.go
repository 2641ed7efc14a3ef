package value

import (
	"math/big"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/unit"
)

// factors are the sizes of the units, by name.
var factors = func() map[string]Decimal {
	out := make(map[string]Decimal)
	for _, u := range unit.All() {
		if u.Factor == "" {
			continue
		}
		f, err := ParseDecimal(u.Factor)
		if err != nil {
			panic("unit table: " + err.Error())
		}
		out[u.Name] = f
	}
	return out
}()

func findUnit(name string) (unit.Unit, error) {
	if u, ok := unit.Find(name); ok {
		return u, nil
	}
	hint := diag.DidYouMean(name, unit.Names())
	if short := unit.Word(name); short != "" {
		hint = "write `" + short + "`"
	}
	if hint == "" {
		hint = "known units: " + strings.Join(unit.Names(), ", ")
	}
	return unit.Unit{}, &Error{Code: CodeUnit, Message: "unknown unit " + quote(name), Hint: hint}
}

// CheckUnits reports whether values can be converted from one unit to another.
func CheckUnits(from, to string) error {
	_, _, err := unitPair(from, to)
	return err
}

func unitPair(from, to string) (f, t unit.Unit, err error) {
	if f, err = findUnit(from); err != nil {
		return f, t, err
	}
	if t, err = findUnit(to); err != nil {
		return f, t, err
	}
	if f.Dimension != t.Dimension {
		return f, t, &Error{Code: CodeUnit,
			Message: "cannot convert " + f.Name + " (" + f.Dimension + ") to " + t.Name + " (" + t.Dimension + ")"}
	}
	return f, t, nil
}

// ConvertUnit converts d between two units of the same dimension, with exact
// decimal factors. A result that ends is exact, without zeros at its end (the
// digits of d itself are kept where from and to are the same); one that never
// ends is rounded half away from zero to at least 16 significant digits.
func ConvertUnit(d Decimal, from, to string) (Decimal, error) {
	f, t, err := unitPair(from, to)
	if err != nil {
		return Decimal{}, err
	}
	if f.Name == t.Name {
		return d, nil
	}
	if f.Dimension == "temperature" {
		return convertTemperature(d, f.Name, t.Name)
	}
	product, err := d.Mul(factors[f.Name])
	if err != nil {
		return Decimal{}, err
	}
	return quotient(product, factors[t.Name])
}

// Constants of the temperature scales: K = C + 273.15 and C = (F - 32) * 5/9.
var (
	kelvinOffset = Decimal{small: 27315, scale: 2}
	freezing     = Decimal{small: 32}
	five         = Decimal{small: 5}
	nine         = Decimal{small: 9}
)

func convertTemperature(d Decimal, from, to string) (Decimal, error) {
	switch {
	case from == "C" && to == "K":
		return d.Add(kelvinOffset).Normal(), nil
	case from == "K" && to == "C":
		return d.Sub(kelvinOffset).Normal(), nil
	case to == "F":
		if from == "K" {
			d = d.Sub(kelvinOffset)
		}
		p, err := d.Mul(Decimal{small: 18, scale: 1})
		return p.Add(freezing).Normal(), err
	}
	// From Fahrenheit; for kelvin the offset joins the numerator so that only
	// one rounding happens.
	p, err := d.Sub(freezing).Mul(five)
	if err != nil {
		return Decimal{}, err
	}
	if to == "K" {
		offset, err := kelvinOffset.Mul(nine)
		if err != nil {
			return Decimal{}, err
		}
		p = p.Add(offset)
	}
	return quotient(p, nine)
}

// quotient returns a/b exactly where the decimal ends, else rounded to at
// least 16 significant digits.
func quotient(a, b Decimal) (Decimal, error) {
	if a.Sign() == 0 {
		return Decimal{}, nil
	}
	num := new(big.Int).Mul(a.coefficient(), pow10(b.scale))
	den := new(big.Int).Mul(b.coefficient(), pow10(a.scale))
	if places, ok := terminates(num, den); ok {
		r, err := a.Div(b, places)
		return r.Normal(), err
	}
	// num/den has about this many digits before the point; fewer than none
	// means zeros behind it.
	whole := len(new(big.Int).Abs(num).String()) - len(new(big.Int).Abs(den).String())
	r, err := a.Div(b, min(max(0, 16-whole), maxDigits))
	return r.Normal(), err
}

// terminates reports whether num/den ends, and after how many digits at most.
func terminates(num, den *big.Int) (places int, ok bool) {
	g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(num), new(big.Int).Abs(den))
	rest := new(big.Int).Quo(new(big.Int).Abs(den), g)
	count := func(p int64) (n int) {
		f, r := big.NewInt(p), new(big.Int)
		for {
			q, m := new(big.Int).QuoRem(rest, f, r)
			if m.Sign() != 0 {
				return n
			}
			rest, n = q, n+1
		}
	}
	places = max(count(2), count(5))
	return places, rest.IsInt64() && rest.Int64() == 1 && places <= maxDigits
}
