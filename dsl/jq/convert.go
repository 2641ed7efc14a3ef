package jq

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/unit"
)

// findUnit reads a unit as people and partners write it.
func findUnit(v any) (unit.Unit, error) {
	s, ok := v.(string)
	if !ok {
		return unit.Unit{}, fmt.Errorf("convert needs units as texts but got: %s", preview(v))
	}
	if u, ok := unit.Find(s); ok {
		return u, nil
	}
	hint := "the units are " + strings.Join(unit.Names(), ", ")
	if d := diag.DidYouMean(s, unit.Names()); d != "" {
		hint = d
	}
	return unit.Unit{}, fmt.Errorf("convert does not know the unit %q: %s", s, hint)
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
	fu, err := findUnit(from)
	if err != nil {
		return "", err
	}
	tu, err := findUnit(to)
	if err != nil {
		return "", err
	}
	if fu.Dimension != tu.Dimension {
		return "", fmt.Errorf("convert cannot turn %s (%s) into %s (%s)", fu.Name, fu.Dimension, tu.Name, tu.Dimension)
	}
	r := new(big.Rat).SetFrac(d.coef, pow10(d.scale))
	switch {
	case fu.Name == tu.Name:
		return d.number().(json.Number), nil
	case fu.Dimension == "temperature":
		r = fromKelvin(toKelvin(r, fu.Name), tu.Name)
	default:
		f, _ := new(big.Rat).SetString(fu.Factor)
		t, _ := new(big.Rat).SetString(tu.Factor)
		r.Quo(r.Mul(r, f), t)
	}
	return json.Number(ratText(r)), nil
}

// The scales of temperature: K = C + 273.15 and C = (F - 32) * 5/9.
var (
	zeroCelsius = big.NewRat(27315, 100)
	freezing    = big.NewRat(32, 1)
	degree      = big.NewRat(5, 9)
)

func toKelvin(r *big.Rat, from string) *big.Rat {
	switch from {
	case "F":
		r.Mul(r.Sub(r, freezing), degree)
		fallthrough
	case "C":
		r.Add(r, zeroCelsius)
	}
	return r
}

func fromKelvin(r *big.Rat, to string) *big.Rat {
	if to != "K" {
		r.Sub(r, zeroCelsius)
	}
	if to == "F" {
		r.Add(r.Quo(r, degree), freezing)
	}
	return r
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
