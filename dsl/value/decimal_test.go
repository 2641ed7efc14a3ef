package value

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func dec(t testing.TB, s string) Decimal {
	t.Helper()
	d, err := ParseDecimal(s)
	if err != nil {
		t.Fatalf("ParseDecimal(%q): %v", s, err)
	}
	return d
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"0", "0"}, {"-0", "0"}, {"-0.00", "0.00"}, {"1.10", "1.10"}, {"-1.5", "-1.5"}, {"+7", "7"},
		{"0012", "12"}, {".5", "0.5"}, {"-.05", "-0.05"}, {"1e3", "1000"}, {"1.5E-3", "0.0015"}, {"12e-1", "1.2"},
		{"9223372036854775807", "9223372036854775807"}, {"12345678901234567890.123", "12345678901234567890.123"},
		{"-0.00000000000000000000001", "-0.00000000000000000000001"}, {"0e5", "0"}, {"0.0e1", "0"},
		{"1e400", "1" + strings.Repeat("0", 400)},
	} {
		if got := dec(t, c.in).String(); got != c.want {
			t.Errorf("%q reads as %q, want %q", c.in, got, c.want)
		}
	}
	for _, c := range []struct {
		in   string
		code Code
	}{
		{"", CodeParse}, {"abc", CodeParse}, {"-", CodeParse}, {"1.", CodeParse}, {".", CodeParse},
		{"1.2.3", CodeParse}, {"1e", CodeParse}, {"1e1.5", CodeParse}, {"0x10", CodeParse}, {"1_000", CodeParse},
		{"NaN", CodeParse}, {"Infinity", CodeParse}, {"١٢", CodeParse}, {"--1", CodeParse},
		{"1,234.50", CodeParse}, {"1.234,50", CodeParse},
		{"12,5", CodeParse}, {"12.50-", CodeParse}, {" 1", CodeParse},
		{"1e1001", CodeRange}, {"1e-1001", CodeRange}, {"1e99999999999999999999", CodeRange},
		{strings.Repeat("9", 1001), CodeRange},
	} {
		_, err := ParseDecimal(c.in)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code {
			t.Errorf("ParseDecimal(%.20q) = %v, want code %s", c.in, err, c.code)
		}
	}
}

func TestDecimalArithmetic(t *testing.T) {
	for _, c := range []struct{ a, op, b, want string }{
		{"1.10", "+", "2", "3.10"}, {"0.1", "+", "0.2", "0.3"}, {"1", "-", "1.00", "0.00"},
		{"9223372036854775807", "+", "1", "9223372036854775808"}, {"-9223372036854775808", "-", "1", "-9223372036854775809"},
		{"-9223372036854775808", "*", "-1", "9223372036854775808"}, {"-1", "*", "-9223372036854775808", "9223372036854775808"},
		{"1.10", "*", "3", "3.30"}, {"4611686018427387904", "*", "4", "18446744073709551616"}, {"-2.5", "*", "0", "0.0"},
		{"0.000000000000000000001", "+", "9223372036854775807", "9223372036854775807.000000000000000000001"},
	} {
		a, b := dec(t, c.a), dec(t, c.b)
		var got Decimal
		var err error
		switch c.op {
		case "+":
			got = a.Add(b)
		case "-":
			got = a.Sub(b)
		case "*":
			got, err = a.Mul(b)
		}
		if err != nil || got.String() != c.want {
			t.Errorf("%s %s %s = %s (%v), want %s", c.a, c.op, c.b, got, err, c.want)
		}
	}
}

func TestDecimalRound(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"1.005", 2, "1.01"}, {"-1.005", 2, "-1.01"}, {"1.004", 2, "1.00"}, {"2.5", 0, "3"}, {"-2.5", 0, "-3"}, {"2.4", 0, "2"},
		{"1", 3, "1.000"}, {"1250", -2, "1300"}, {"-1250", -2, "-1300"}, {"49", -2, "0"}, {"0.5", 0, "1"}, {"0.49999999999999999999", 0, "0"},
		{"9223372036854775807", 2, "9223372036854775807.00"}, {"99999999999999999999.995", 2, "100000000000000000000.00"},
		{"-0.4", 0, "0"},
	} {
		if got := dec(t, c.in).Round(c.n).String(); got != c.want {
			t.Errorf("%s rounded to %d = %s, want %s", c.in, c.n, got, c.want)
		}
	}
}

func TestDecimalDiv(t *testing.T) {
	for _, c := range []struct {
		a, b string
		n    int
		want string
	}{
		{"10", "3", 2, "3.33"}, {"20", "3", 2, "6.67"}, {"-20", "3", 2, "-6.67"}, {"1", "8", 2, "0.13"}, {"1.00", "0.05", 0, "20"},
		{"0.001", "1000", 3, "0.000"}, {"1", "-8", 2, "-0.13"},
	} {
		got, err := dec(t, c.a).Div(dec(t, c.b), c.n)
		if err != nil || got.String() != c.want {
			t.Errorf("%s / %s = %s (%v), want %s", c.a, c.b, got, err, c.want)
		}
	}
	if _, err := dec(t, "1").Div(Decimal{}, 2); err == nil {
		t.Error("a division by zero gave no error")
	}
	if _, err := dec(t, "1").Div(dec(t, "2"), -1); err == nil {
		t.Error("a negative number of digits gave no error")
	}
}

func TestMulRefusesEndlessGrowth(t *testing.T) {
	d, steps := dec(t, "1.23456789"), 0
	for ; steps < 40; steps++ {
		r, err := d.Mul(d)
		if err != nil {
			break
		}
		d = r
	}
	if steps > 12 {
		t.Fatalf("squaring went on for %d steps", steps)
	}
}

// rat is the oracle: big.Rat is exact and shares no code with Decimal.
func rat(d Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		panic("not a number: " + d.String())
	}
	return r
}

func TestDecimalAgreesWithRat(t *testing.T) {
	literal := rapid.StringMatching(`-?[0-9]{1,22}(\.[0-9]{1,12})?`)
	rapid.Check(t, func(t *rapid.T) {
		as, bs := literal.Draw(t, "a"), literal.Draw(t, "b")
		a, err := ParseDecimal(as)
		if err != nil {
			t.Fatal(err)
		}
		b, err := ParseDecimal(bs)
		if err != nil {
			t.Fatal(err)
		}
		x, y := rat(a), rat(b)
		if want, _ := new(big.Rat).SetString(as); want.Cmp(x) != 0 {
			t.Fatalf("%s reads as %s", as, a)
		}
		if got := rat(a.Add(b)); got.Cmp(new(big.Rat).Add(x, y)) != 0 {
			t.Fatalf("%s + %s = %s", a, b, got)
		}
		if got := rat(a.Sub(b)); got.Cmp(new(big.Rat).Sub(x, y)) != 0 {
			t.Fatalf("%s - %s = %s", a, b, got)
		}
		if p, err := a.Mul(b); err != nil || rat(p).Cmp(new(big.Rat).Mul(x, y)) != 0 {
			t.Fatalf("%s * %s = %s, %v", a, b, p, err)
		}
		if got := a.Cmp(b); got != x.Cmp(y) {
			t.Fatalf("%s cmp %s = %d", a, b, got)
		}
		n := rapid.IntRange(0, 14).Draw(t, "n")
		// FloatString rounds half away from zero too; its zero may be signed.
		if got, want := a.Round(n).String(), x.FloatString(n); got != want && strings.Trim(want, "-0.") != "" {
			t.Fatalf("round(%s, %d) = %s, want %s", a, n, got, want)
		}
		if y.Sign() != 0 {
			q, err := a.Div(b, n)
			if want := new(big.Rat).Quo(x, y).FloatString(n); err != nil || q.String() != want && strings.Trim(want, "-0.") != "" {
				t.Fatalf("%s / %s = %s, want %s (%v)", a, b, q, want, err)
			}
		}
		if got := a.Normal(); got.Cmp(a) != 0 {
			t.Fatalf("normal of %s is %s", a, got)
		}
		if got := a.IsInteger(); got != x.IsInt() {
			t.Fatalf("%s integer: %v", a, got)
		}
	})
}

func TestDecimalOf(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{json.Number("1.10"), "1.10"}, {3, "3"}, {0.1, "0.1"}, {1e21, "1000000000000000000000"}, {new(big.Int).Lsh(big.NewInt(1), 70), "1180591620717411303424"},
	} {
		if d, err := DecimalOf(c.in); err != nil || d.String() != c.want {
			t.Errorf("DecimalOf(%v) = %s, %v", c.in, d, err)
		}
	}
	for _, v := range []any{"1", nil, true, []any{}, map[string]any{}} {
		if _, err := DecimalOf(v); err == nil {
			t.Errorf("DecimalOf(%v) gave no error", v)
		}
	}
}

func TestInt64(t *testing.T) {
	for _, c := range []struct {
		in string
		n  int64
		ok bool
	}{{"1.00", 1, true}, {"1.5", 0, false}, {"9223372036854775808", 0, false}, {"-9223372036854775808", -9223372036854775808, true}} {
		if n, ok := dec(t, c.in).Int64(); ok != c.ok || ok && n != c.n {
			t.Errorf("Int64(%s) = %d, %v", c.in, n, ok)
		}
	}
}

func FuzzParseDecimal(f *testing.F) {
	for _, s := range []string{"0", "-1.50", "1e400", "1,2", ".5", "1e-9", "99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		if err != nil {
			return
		}
		again, err := ParseDecimal(d.String())
		if err != nil || again.String() != d.String() {
			t.Fatalf("%q reads as %s and again as %s (%v)", s, d, again, err)
		}
		if want, ok := new(big.Rat).SetString(s); ok && want.Cmp(rat(d)) != 0 {
			t.Fatalf("%q reads as %s", s, d)
		}
	})
}

func BenchmarkDecimal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		d, _ := ParseDecimal("1234.565")
		p, _ := d.Mul(Decimal{small: 3})
		if p.Round(2).Number() != "3703.70" {
			b.Fatal(p)
		}
	}
}
