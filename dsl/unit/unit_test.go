package unit_test

import (
	"math/big"
	"testing"

	"crossdock/dsl/unit"
)

// TestTable holds that every name is one unit, and every factor a number.
func TestTable(t *testing.T) {
	for _, u := range unit.All() {
		for _, name := range append([]string{u.Name}, u.Aliases...) {
			if got, ok := unit.Find(" " + name); !ok || got.Name != u.Name {
				t.Errorf("%s is found as %q", name, got.Name)
			}
		}
		if f, ok := new(big.Rat).SetString(u.Factor); u.Dimension != "temperature" && (!ok || f.Sign() <= 0) {
			t.Errorf("%s has the factor %q", u.Name, u.Factor)
		}
	}
	for said, want := range map[string]string{"Pounds": "lb", "kilos": "kg", "feet": "ft", "celsius": "C", "parsec": ""} {
		if got := unit.Word(said); got != want {
			t.Errorf("%s is %q, want %q", said, got, want)
		}
		if _, ok := unit.Find(want); want != "" && !ok {
			t.Errorf("%s is no unit", want)
		}
	}
}
