package jq

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"crossdock/dsl/diag"
)

// unit is one unit of measure: how much of the base unit of its quantity one
// of it is. All factors are exact by international agreement.
type unit struct{ quantity, factor string }

var units = map[string]unit{
	"g": {"weight", "1"}, "kg": {"weight", "1000"}, "t": {"weight", "1000000"},
	"lb": {"weight", "453.59237"}, "oz": {"weight", "28.349523125"},
	"mm": {"length", "0.001"}, "cm": {"length", "0.01"}, "m": {"length", "1"}, "km": {"length", "1000"},
	"in": {"length", "0.0254"}, "ft": {"length", "0.3048"}, "mi": {"length", "1609.344"},
	"ml": {"volume", "0.001"}, "l": {"volume", "1"}, "m3": {"volume", "1000"},
	"gal": {"volume", "3.785411784"}, "ft3": {"volume", "28.316846592"},
	"C": {"temperature", ""}, "F": {"temperature", ""},
}

// Units returns the names of the units that convert knows, sorted.
func Units() []string { return slices.Sorted(maps.Keys(units)) }

// findUnit reads a unit as people and partners write it.
func findUnit(v any) (name string, u unit, err error) {
	s, ok := v.(string)
	if !ok {
		return "", unit{}, fmt.Errorf("convert needs units as texts but got: %s", preview(v))
	}
	for _, try := range []string{s, strings.ToLower(s), strings.ToUpper(s), strings.TrimSuffix(strings.ToLower(s), "s")} {
		if u, ok := units[try]; ok {
			return try, u, nil
		}
	}
	hint := "the units are " + strings.Join(Units(), ", ")
	if d := diag.DidYouMean(s, Units()); d != "" {
		hint = d
	}
	return "", unit{}, fmt.Errorf("convert does not know the unit %q: %s", s, hint)
}

func convert(in any, args []any) any {
	if in == nil {
		return nil
	}
	out, err := Convert(in, args[0], args[1])
	if err != nil {
		return err
	}
	return out
}

// Convert turns the number in, which may be a text, from one unit into another
// of the same quantity. The result is exact where it has a finite decimal form
// of at most 30 decimals, and rounded to 15 significant digits otherwise.
func Convert(in, from, to any) (json.Number, error) {
	d, ok := decimalOf(in)
	if !ok {
		return "", needNumber("convert", in)
	}
	fromName, fu, err := findUnit(from)
	if err != nil {
		return "", err
	}
	toName, tu, err := findUnit(to)
	if err != nil {
		return "", err
	}
	if fu.quantity != tu.quantity {
		return "", fmt.Errorf("convert cannot turn %s (%s) into %s (%s)", fromName, fu.quantity, toName, tu.quantity)
	}
	r := new(big.Rat).SetFrac(d.coef, pow10(d.scale))
	switch {
	case fromName == toName:
		return d.number().(json.Number), nil
	case fromName == "C":
		r.Add(r.Mul(r, big.NewRat(9, 5)), big.NewRat(32, 1))
	case fromName == "F":
		r.Mul(r.Sub(r, big.NewRat(32, 1)), big.NewRat(5, 9))
	default:
		f, _ := new(big.Rat).SetString(fu.factor)
		t, _ := new(big.Rat).SetString(tu.factor)
		r.Quo(r.Mul(r, f), t)
	}
	return json.Number(ratText(r)), nil
}

// ratText writes r exactly if it has a short decimal form, else rounded.
func ratText(r *big.Rat) string {
	if n, exact := r.FloatPrec(); exact && n <= maxPlaces {
		return r.FloatString(n)
	}
	// The number of digits before the point decides how many may follow.
	whole := len(new(big.Int).Quo(new(big.Int).Abs(r.Num()), r.Denom()).String())
	places := max(0, 15-whole)
	if whole == 1 && new(big.Rat).Abs(r).Cmp(big.NewRat(1, 1)) < 0 {
		for lim := big.NewRat(1, 10); places < maxPlaces && new(big.Rat).Abs(r).Cmp(lim) < 0; places++ {
			lim.Quo(lim, big.NewRat(10, 1))
		}
		places = min(places+1, maxPlaces)
	}
	s := r.FloatString(places)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
