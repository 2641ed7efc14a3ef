package value

import (
	"math/big"
	"slices"
	"strings"

	"crossdock/dsl/diag"
)

// Unit is one unit of measure: Factor is its exact size in the base unit of
// its dimension, as a decimal literal.
type Unit struct {
	Name      string
	Dimension string // "weight", "length", "volume" or "temperature"
	Factor    string
	Aliases   []string // other accepted spellings, UN/ECE Recommendation 20 codes among them
}

// Base units are kg, m, l and K. The yard, pound and gallon are the
// international ones, which are exact in metres, kilograms and litres.
var units = []Unit{
	{"mg", "weight", "0.000001", []string{"MGM"}},
	{"g", "weight", "0.001", []string{"GRM", "gr"}},
	{"kg", "weight", "1", []string{"KGM", "kgs"}},
	{"t", "weight", "1000", []string{"TNE"}},
	{"oz", "weight", "0.028349523125", []string{"ONZ"}},
	{"lb", "weight", "0.45359237", []string{"LBR", "lbs"}},
	{"cwt", "weight", "45.359237", []string{"CWA"}},
	{"ton_us", "weight", "907.18474", []string{"STN"}},
	{"mm", "length", "0.001", []string{"MMT"}},
	{"cm", "length", "0.01", []string{"CMT"}},
	{"dm", "length", "0.1", []string{"DMT"}},
	{"m", "length", "1", []string{"MTR"}},
	{"km", "length", "1000", []string{"KMT"}},
	{"in", "length", "0.0254", []string{"INH", "inch"}},
	{"ft", "length", "0.3048", []string{"FOT"}},
	{"yd", "length", "0.9144", []string{"YRD"}},
	{"mi", "length", "1609.344", []string{"SMI"}},
	{"ml", "volume", "0.001", []string{"MLT"}},
	{"l", "volume", "1", []string{"LTR"}},
	{"cm3", "volume", "0.001", []string{"CMQ"}},
	{"dm3", "volume", "1", []string{"DMQ"}},
	{"m3", "volume", "1000", []string{"MTQ", "cbm"}},
	{"in3", "volume", "0.016387064", []string{"INQ"}},
	{"ft3", "volume", "28.316846592", []string{"FTQ", "cft"}},
	{"gal", "volume", "3.785411784", []string{"GLL"}},
	{"C", "temperature", "", []string{"CEL", "°C"}},
	{"F", "temperature", "", []string{"FAH", "°F"}},
	{"K", "temperature", "", []string{"KEL"}},
}

var unitIndex = indexUnits()

type unitEntry struct {
	Unit
	factor Decimal
}

func indexUnits() map[string]unitEntry {
	index := make(map[string]unitEntry)
	for _, u := range units {
		e := unitEntry{Unit: u}
		if u.Factor != "" {
			f, err := ParseDecimal(u.Factor)
			if err != nil {
				panic("unit table: " + err.Error())
			}
			e.factor = f
		}
		for _, name := range append([]string{u.Name}, u.Aliases...) {
			index[strings.ToLower(name)] = e
		}
	}
	return index
}

// Units returns all units, grouped by dimension, for documentation and lint.
func Units() []Unit { return slices.Clone(units) }

// FindUnit returns the unit of that name or alias; case does not matter.
func FindUnit(name string) (Unit, error) {
	e, err := findUnit(name)
	return e.Unit, err
}

func findUnit(name string) (unitEntry, error) {
	if e, ok := unitIndex[strings.ToLower(strings.TrimSpace(name))]; ok {
		return e, nil
	}
	names := make([]string, 0, len(units))
	for _, u := range units {
		names = append(names, u.Name)
	}
	hint := diag.DidYouMean(name, names)
	if short := UnitWord(name); short != "" {
		hint = "write `" + short + "`"
	}
	if hint == "" {
		hint = "known units: " + strings.Join(names, ", ")
	}
	return unitEntry{}, &Error{Code: CodeUnit, Message: "unknown unit " + quote(name), Hint: hint}
}

// CheckUnits reports whether values can be converted from one unit to another.
func CheckUnits(from, to string) error {
	_, _, err := unitPair(from, to)
	return err
}

func unitPair(from, to string) (f, t unitEntry, err error) {
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
	product, err := d.Mul(f.factor)
	if err != nil {
		return Decimal{}, err
	}
	return quotient(product, t.factor)
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

// UnitWord is the short name of a unit that is written out, such as lb of Pounds,
// "" for none.
func UnitWord(name string) string {
	return unitWords[strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "s")]
}

// unitWords are units as people say them, without the s at the end.
var unitWords = map[string]string{
	"pound": "lb", "kilo": "kg", "kilogram": "kg", "kilogramm": "kg", "gram": "g", "gramm": "g", "ton": "t", "tonne": "t", "ounce": "oz",
	"inche": "in", "inch": "in", "feet": "ft", "foot": "ft", "yard": "yd", "mile": "mi", "meter": "m", "metre": "m", "centimeter": "cm", "centimetre": "cm",
	"millimeter": "mm", "millimetre": "mm", "kilometer": "km", "kilometre": "km", "litre": "l", "liter": "l", "gallon": "gal", "celsiu": "C", "fahrenheit": "F",
}
