package value

import (
	"crossdock/dsl/unit"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConvertUnit(t *testing.T) {
	for _, c := range []struct{ in, from, to, want string }{
		{"10", "lb", "kg", "4.5359237"}, {"1", "kg", "lb", "2.204622621848776"}, {"1", "oz", "g", "28.349523125"},
		{"16", "oz", "lb", "1"}, {"1", "ton_us", "lb", "2000"}, {"1", "cwt", "lb", "100"}, {"2.50", "kg", "kg", "2.50"},
		{"12", "in", "ft", "1"}, {"1", "mi", "km", "1.609344"}, {"1", "in", "cm", "2.54"}, {"100", "cm", "m", "1"}, {"3", "ft", "yd", "1"},
		{"1", "m3", "l", "1000"}, {"1", "ft3", "in3", "1728"}, {"1", "gal", "in3", "231"}, {"1", "m3", "ft3", "35.31466672148859"},
		{"100", "C", "F", "212"}, {"-40", "F", "C", "-40"}, {"98.6", "F", "C", "37"}, {"0", "C", "K", "273.15"}, {"0", "F", "C", "-17.77777777777778"},
		{"32", "F", "K", "273.15"}, {"273.15", "K", "F", "32"}, {"1", "LBR", "KGM", "0.45359237"}, {"1", "lbs", "KG", "0.45359237"}, {"0.00", "lb", "kg", "0"},
	} {
		got, err := ConvertUnit(dec(t, c.in), c.from, c.to)
		if err != nil || got.String() != c.want {
			t.Errorf("%s %s -> %s = %s (%v), want %s", c.in, c.from, c.to, got, err, c.want)
		}
	}
}

func TestUnitErrors(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"lb", "m", "cannot convert lb (weight) to m (length)"}, {"pound", "kg", `unknown unit "pound"`}, {"kg", "kgg", "did you mean `kg`?"},
	} {
		if err := CheckUnits(c.from, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("CheckUnits(%s, %s) = %v, want %q", c.from, c.to, err, c.want)
		}
	}
}

func TestUnitsThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom(unit.All()).Draw(t, "from")
		to := rapid.SampledFrom(unit.All()).Filter(func(u unit.Unit) bool { return u.Dimension == from.Dimension }).Draw(t, "to")
		d, err := ParseDecimal(rapid.StringMatching(`[0-9]{1,6}(\.[0-9]{1,3})?`).Draw(t, "n"))
		if err != nil {
			t.Fatal(err)
		}
		there, err := ConvertUnit(d, from.Name, to.Name)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ConvertUnit(there, to.Name, from.Name)
		if err != nil {
			t.Fatal(err)
		}
		// Both ways are good to 16 digits.
		diff := back.Sub(d).Abs()
		bound, _ := d.Abs().Add(Decimal{small: 1000}).Mul(Decimal{small: 1, scale: 12})
		if diff.Cmp(bound) > 0 {
			t.Fatalf("%s %s -> %s %s -> %s", d, from.Name, there, to.Name, back)
		}
	})
}
