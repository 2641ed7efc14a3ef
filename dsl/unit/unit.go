// Package unit is the table of the units of measure that rows and cells convert
// between, with exact factors and the names that partners give them.
package unit

import (
	"slices"
	"strings"
)

// Unit is one unit of measure: Factor is its exact size in the base unit of
// its dimension, as a decimal literal.
type Unit struct {
	Name      string
	Dimension string   // "weight", "length", "volume" or "temperature"
	Factor    string   // "" for temperatures, whose scales do not begin at the same point
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

var index = func() map[string]Unit {
	out := make(map[string]Unit)
	for _, u := range units {
		for _, name := range append([]string{u.Name}, u.Aliases...) {
			out[strings.ToLower(name)] = u
		}
	}
	return out
}()

// All returns all units, grouped by dimension, for documentation and lint.
func All() []Unit { return slices.Clone(units) }

// Names returns the names of all units in the order of All.
func Names() []string {
	names := make([]string, 0, len(units))
	for _, u := range units {
		names = append(names, u.Name)
	}
	return names
}

// Find returns the unit of that name or alias; case does not matter.
func Find(name string) (Unit, bool) {
	u, ok := index[strings.ToLower(strings.TrimSpace(name))]
	return u, ok
}

// Word is the short name of a unit that is written out, such as lb of Pounds,
// "" for none.
func Word(name string) string {
	return words[strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), "s")]
}

// words are units as people say them, without the s at the end.
var words = map[string]string{
	"pound": "lb", "kilo": "kg", "kilogram": "kg", "kilogramm": "kg", "kilogramme": "kg", "gram": "g", "gramm": "g", "gramme": "g", "ton": "t", "tonne": "t", "ounce": "oz",
	"inche": "in", "inch": "in", "feet": "ft", "foot": "ft", "yard": "yd", "mile": "mi", "meter": "m", "metre": "m", "centimeter": "cm", "centimetre": "cm",
	"millimeter": "mm", "millimetre": "mm", "kilometer": "km", "kilometre": "km", "litre": "l", "liter": "l", "gallon": "gal", "celsiu": "C", "fahrenheit": "F", "kelvin": "K",
}
