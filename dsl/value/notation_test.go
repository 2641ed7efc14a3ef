package value

import (
	"encoding/json"
	"errors"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestNotations(t *testing.T) {
	long := strings.Repeat("123.", 100) + "456,78"
	for _, c := range []struct{ parse, typ, in, want string }{
		{"1.234,56", "decimal(2)", "1.234,56", "1234.56"}, {"1.234,56", "decimal(2)", "1234,5", "1234.50"}, {"1.234,56", "decimal(2)", "1.234", "1234.00"},
		{"1.234,56", "number", "1.234.567,8900", "1234567.8900"}, {"1.234,56", "number", "0,50", "0.50"}, {"1.234,56", "number", ",5", "0.5"}, {"1.234,56", "number", "0012,5", "12.5"},
		{"1.234,56", "number", "-1.234,5", "-1234.5"}, {"1.234,56", "number", "+12", "12"}, {"1.234,56", "number", "\u22121,5", "-1.5"}, {"1.234,56", "number", "-0,00", "0.00"},
		{"1.234,56", "number", " 12,5\t", "12.5"}, {"1.234,56", "decimal(2)", "1,005", "1.01"}, {"1.234,56", "integer", "3,000", "3"}, {"1.234,56", "number", long, strings.ReplaceAll(long[:len(long)-3], ".", "") + ".78"},
		{"1,234.56", "number", "1.234", "1.234"}, {"1,234.56", "number", "1,234", "1234"}, {"1,234.56", "number", "12,345,678.9", "12345678.9"},
		{"1 234,56", "number", "1 234,5", "1234.5"}, {"1 234,56", "number", "1\u00a0234,5", "1234.5"}, {"1 234,56", "number", "1\u202f234\u2009567", "1234567"}, {"1\u00a0234,56", "number", "1 234", "1234"},
		{"1 234.56", "number", "1 234.5", "1234.5"}, {"1'234.56", "number", "1'234.50", "1234.50"}, {"1'234.56", "number", "1’234.50", "1234.50"},
		{"1234,56", "number", "1234,5", "1234.5"}, {"1234.56", "number", "1234.5", "1234.5"},
		{"1.234", "integer", "1.234.567", "1234567"}, {"1.234", "integer", "1234567", "1234567"}, {"1234", "integer", "0012", "12"}, {"1 234", "decimal(0)", "12 345", "12345"},
		{"1234.56-", "number", "12.50-", "-12.50"}, {"1234.56-", "number", "12.50", "12.50"}, {"1234.56-", "number", "-12.50", "-12.50"}, {"1.234,56-", "decimal(2)", "1.234,5-", "-1234.50"}, {"1234-", "integer", "7-", "-7"},
		{"(1,234.56)", "number", "(12.50)", "-12.50"}, {"(1,234.56)", "number", "12.50", "12.50"}, {"(1,234.56)", "number", "-12.50", "-12.50"},
		{"1234,56 | 1234.56", "number", "12,5", "12.5"}, {"1234,56 | 1234.56", "number", "12.5", "12.5"}, {"1 234,56 | 1'234.56", "number", "1 234,5", "1234.5"}, {"1.234 | 1,234", "integer", "1,234", "1234"},
	} {
		got, err := Convert(c.in, mustType(t, c.typ), Options{Parse: c.parse})
		if err != nil || got != json.Number(c.want) {
			t.Errorf("%.30q read as %s by %q = %v (%v), want %s", c.in, c.typ, c.parse, got, err, c.want)
		}
	}
	for _, n := range []any{json.Number("12.50"), 12, 1.5} {
		if got, err := Convert(n, Type{Base: Number}, Options{Parse: "1.234,56"}); err != nil || got == nil {
			t.Errorf("the number %v = %v, %v", n, got, err)
		}
	}
}

func TestNotationsRefuse(t *testing.T) {
	for _, c := range []struct{ parse, typ, in, want string }{
		{"1,234.56", "number", "1.23,4", "no groups behind `.`"}, {"1.234,56", "number", "12.50", "`parse: \"1,234.56\"` reads it as 12.50"}, {"1.234,56", "number", "1.23,4", "each group behind the first has three digits"},
		{"1.234,56", "number", "1234.567,8", "three digits"}, {"1.234,56", "number", "1.234567", "reads it as 1.234567"}, {"1.234,56", "number", "1..234", "three digits"}, {"1.234,56", "number", ".234", "reads it as 0.234"},
		{"1.234,56", "number", "0.123", "reads it as 0.123"}, {"1.234,56", "number", "1,2,3", "once"}, {"1.234,56", "number", "1.234,", ""}, {"1.234,56", "number", ",", ""}, {"1.234,56", "number", "-", ""},
		{"1.234,56", "number", "--1", ""}, {"1.234,56", "number", "1e3", ""}, {"1.234,56", "number", "12,5 kg", ""}, {"1.234,56", "number", "", "an empty text"}, {"1.234,56", "number", "\u0661", ""},
		{"1.234,56", "number", "12,50-", "`parse: \"1.234,56-\"` reads it as -12.50"}, {"1.234,56", "number", "(12,50)", "`parse: \"(1.234,56)\"` reads it as -12.50"}, {"1234.56-", "number", "-1-", "one sign"}, {"(1,234.56)", "number", "(-1)", ""},
		{"1234,56", "number", "1.234,56", "`parse: \"1.234,56\"` reads it as 1234.56"}, {"1234,56", "number", "1.234", "reads it as 1234"}, {"1.234", "integer", "1.234,00", "`parse: \"1.234,56\"` reads it as 1234.00"},
		{"1.234,56", "integer", "1,5", "whole number"}, {"1 234,56", "number", "1'234,5", "`parse: \"1'234,56\"`"}, {"1.234,56", "number", strings.Repeat("9", 3000), "too large"},
		{"", "number", "1,234", "`parse: \"1.234,56\"` reads it as 1.234, `parse: \"1,234.56\"` reads it as 1234"}, {"", "number", "12,50", "(`parse: \"1.234,56\"` reads it as 12.50)"}, {"", "decimal(2)", "1'234.50", "1'234.56"},
		{"", "integer", "1.234", "`type: decimal(0)` rounds; `parse: \"1.234\"` reads it as 1234"}, {"", "integer", "1,234", "`parse: \"1,234\"` reads it as 1234"}, {"", "integer", "1.5", "`type: decimal(0)` rounds"}, {"", "number", "12.50-", "`parse: \"1234.56-\"`"},
		{"", "number", "16.05.2026", ""},
	} {
		got, err := Convert(c.in, mustType(t, c.typ), Options{Parse: c.parse})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.30q read as %s by %q = %v, %v; want an error with %q", c.in, c.typ, c.parse, got, err, c.want)
		}
	}
}

func TestFormatNumbers(t *testing.T) {
	for _, c := range []struct{ format, typ, in, want string }{
		{"1.234,56", "decimal(2)", "1234.5", "1.234,50"}, {"1.234,56", "number", "1234.5", "1.234,5"}, {"1.234,56", "number", "1234567", "1.234.567"}, {"1.234,56", "number", "123", "123"},
		{"1234,56", "decimal(3)", "-0.0005", "-0,001"}, {"1234,56", "decimal(2)", "-0.001", "0,00"}, {"1,234.56", "number", "-123456", "-123,456"}, {"1 234,56", "number", "1e6", "1 000 000"},
		{"1\u00a0234,56", "integer", "1234", "1\u00a0234"}, {"1234.56-", "decimal(2)", "-12.5", "12.50-"}, {"1234.56-", "decimal(2)", "12.5", "12.50"}, {"(1,234.56)", "decimal(2)", "-1234", "(1,234.00)"},
		{"1.234", "integer", "1234", "1.234"}, {"1.234,56", "integer", "1234", "1.234"}, {"1'234", "decimal(0)", "1234.5", "1'235"},
	} {
		got, err := Convert(json.Number(c.in), mustType(t, c.typ), Options{Format: c.format})
		if err != nil || got != c.want {
			t.Errorf("%s written as %s by %q = %v (%v), want %q", c.in, c.typ, c.format, got, err, c.want)
		}
	}
	got, err := Convert("1.234,5", mustType(t, "decimal(2)"), Options{Parse: "1.234,56", Format: "1,234.56", Unit: "kg -> g", MaxLength: 12})
	if err != nil || got != "1,234,500.00" {
		t.Errorf("parse, unit and format = %v, %v", got, err)
	}
	if got, err := Convert([]any{"1,5", nil}, mustType(t, "list(decimal(2))"), Options{Parse: "1234,56", Format: "1234.56"}); err != nil || got.([]any)[0] != "1.50" {
		t.Errorf("a list = %v, %v", got, err)
	}
}

func TestCheckNotation(t *testing.T) {
	for _, c := range []struct {
		pattern, typ string
		parsing      bool
		at           string // what is underlined
		want, hint   string
	}{
		{"1.234,56", "number", true, "", "", ""}, {"1\u202f234,56", "number", true, "", "", ""}, {"1.234", "integer", true, "", "", ""}, {"1.234,56", "integer", true, "", "", ""}, {"1 234,56 | 1234.56", "number", true, "", "", ""},
		{"#,##0.00", "decimal(2)", true, "#,##0.00", "does not show how the number 1234.56 is written", "write `\"1,234.56\"`"}, {"#.##0,00", "number", true, "#.##0,00", "1234.56", "write `\"1.234,56\"`"},
		{"0,00", "number", true, "0,00", "", "write `\"1234,56\"`"}, {"0.000", "number", true, "0.000", "", "write `\"1234.56\"`"}, {"9'999'999.99", "number", true, "9'999'999.99", "", "write `\"1'234.56\"`"},
		{"1.234,567", "number", true, "1.234,567", "", "write `\"1.234,56\"`"}, {"-1.234,56", "number", true, "-1.234,56", "", "write `\"1.234,56\"`"}, {"0,00-", "number", true, "0,00-", "", "write `\"1234,56-\"`"},
		{"(#,##0)", "integer", true, "(#,##0)", "the number 1234 is", "write `\"(1,234)\"`"}, {",", "number", true, ",", "", "write `\"1234,56\"`"}, {"#", "integer", true, "#", "", "write `\"1234\"`"}, {"# ##0,00", "number", true, "# ##0,00", "", "write `\"1 234,56\"`"},
		{"1.234", "decimal(2)", true, "1.234", "does not show how decimals are written", "write `\"1.234,56\"`"}, {"1,234", "number", true, "1,234", "decimals", "write `\"1,234.56\"`"}, {"1234", "number", true, "1234", "decimals", "write `\"1234.56\"`"},
		{"1.234.56", "number", true, "1.234.56", "", ""}, {"dd.MM.yyyy", "number", true, "dd.MM.yyyy", "", "for example \"1.234,56\", \"1,234.56\" or \"1 234,56\""}, {"german", "integer", true, "german", "", "for example \"1.234\""}, {"1_234.56", "number", true, "1_234.56", "", "for example"},
		{"1,234.56 | #.##0,00", "number", true, "#.##0,00", "", "write `1.234,56`"}, {"1.234,56 | 1234.56", "number", true, "1234.56", "read 1.234 as different numbers", "keep one"}, {"1,234.56 | 1.234,56", "number", true, "1.234,56", "read 1,234 as different numbers", "keep one"},
		{"1.234 | 1234.56", "integer", true, "1234.56", "different numbers", ""}, {"1234,56 | 1234.56", "number", false, "1234,56 | 1234.56", "only one pattern", ""}, {" ", "number", true, " ", "empty", "for example"},
	} {
		problems := CheckPattern(c.pattern, mustType(t, c.typ), c.parsing)
		if c.at == "" {
			if len(problems) > 0 {
				t.Errorf("%q for %s: %v", c.pattern, c.typ, problems)
			}
			continue
		}
		if len(problems) != 1 {
			t.Errorf("%q for %s: %v", c.pattern, c.typ, problems)
			continue
		}
		if p := problems[0]; c.pattern[p.From:p.To] != c.at || !strings.Contains(p.Message, c.want) || !strings.Contains(p.Hint, c.hint) {
			t.Errorf("%q for %s: %q, %s (%s)", c.pattern, c.typ, c.pattern[p.From:p.To], p.Message, p.Hint)
		}
		var e *Error
		if _, err := NewConverter(mustType(t, c.typ), map[bool]Options{true: {Parse: c.pattern}, false: {Format: c.pattern}}[c.parsing]); !errors.As(err, &e) || e.Code != CodeDefinition {
			t.Errorf("%q for %s makes a converter: %v", c.pattern, c.typ, err)
		}
	}
}

// allNotations are the patterns there are.
func allNotations() []string {
	var out []string
	for _, group := range []string{"", ".", ",", " ", "\u00a0", "\u202f", "'", "’"} {
		for _, point := range []string{",", "."} {
			if p := "1" + group + "234" + point + "56"; group != point {
				out = append(out, p, p+"-", "("+p+")")
			}
		}
	}
	return out
}

var signInFront = regexp.MustCompile(`^[-+−]`)

// rules are the expressions of one notation: its number, and its marks.
type rules struct{ number, marks *regexp.Regexp }

var rulesMade = map[[2]string]rules{}

func rulesOf(group, point string) rules {
	if made, ok := rulesMade[[2]string{group, point}]; ok {
		return made
	}
	marks := regexp.QuoteMeta(group)
	switch group {
	case " ", "\u00a0", "\u202f":
		marks = `[ \x{a0}\x{202f}\x{2009}]`
	case "'", "’":
		marks = `['’]`
	case "":
		marks = `[^\s\S]`
	}
	made := rules{
		number: regexp.MustCompile(`^([0-9]*|[1-9][0-9]{0,2}(?:` + marks + `[0-9]{3})+)(?:` + regexp.QuoteMeta(point) + `([0-9]+))?$`),
		marks:  regexp.MustCompile(marks),
	}
	rulesMade[[2]string{group, point}] = made
	return made
}

// reference reads a number with regular expressions: slowly, and in another way.
func reference(pattern, s string) *big.Rat {
	body, sign := strings.Trim(pattern, "()-"), ""
	group, point := body[1:strings.Index(body, "234")], body[len(body)-3:len(body)-2]
	s = strings.TrimSpace(s)
	switch {
	case strings.HasPrefix(pattern, "(") && strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")"):
		sign, s = "-", strings.TrimSuffix(s[1:], ")")
	case strings.HasSuffix(pattern, "-") && strings.HasSuffix(s, "-"):
		sign, s = "-", strings.TrimSuffix(s, "-")
	default:
		if m := signInFront.FindString(s); m != "" {
			sign, s = map[bool]string{true: "", false: "-"}[m == "+"], s[len(m):]
		}
	}
	rules := rulesOf(group, point)
	m := rules.number.FindStringSubmatch(s)
	if m == nil || m[1]+m[2] == "" {
		return nil
	}
	whole := rules.marks.ReplaceAllString(m[1], "")
	r, ok := new(big.Rat).SetString(sign + "0" + whole + "." + m[2] + "0")
	if !ok {
		panic(s)
	}
	return r
}

func FuzzNotation(f *testing.F) {
	patterns := allNotations()
	for _, s := range []string{"1.234,56", "1,234.56", "-12,5", "12.50-", "(1'234.5)", "1 234\u00a0567", "0.123", ",5", "1.", "+-1", "1e5", "\u22121", "1.234.56", " 7 ", "--"} {
		for i := range patterns {
			f.Add(s, byte(i))
		}
	}
	f.Fuzz(func(t *testing.T, s string, which byte) {
		if len(s) > 100 {
			return
		}
		p := patterns[int(which)%len(patterns)]
		got, err := Convert(s, Type{Base: Number}, Options{Parse: p})
		want := reference(p, s)
		if (err == nil) != (want != nil) {
			t.Fatalf("%q by %q is %v (%v), by the reference %v", s, p, got, err, want)
		}
		if want == nil {
			return
		}
		if n, err := ParseDecimal(string(got.(json.Number))); err != nil || rat(n).Cmp(want) != 0 {
			t.Fatalf("%q by %q is %v (%v), by the reference %v", s, p, got, err, want)
		}
	})
}

// TestThereAndBack writes numbers in every notation and reads them again: to the
// digit, zeros included.
func TestThereAndBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	patterns := allNotations()
	for range 3000 {
		b := []byte{"-+"[random.IntN(2)]}
		for range 1 + random.IntN(25) {
			b = append(b, byte('0'+random.IntN(10)))
		}
		if n := random.IntN(8); n > 0 {
			b = append(b, '.')
			for range n {
				b = append(b, byte('0'+random.IntN(10)))
			}
		}
		d, err := ParseDecimal(string(b))
		if err != nil {
			t.Fatal(err)
		}
		p := patterns[random.IntN(len(patterns))]
		out, err := Convert(d.Number(), Type{Base: Number}, Options{Format: p})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Convert(out, Type{Base: Number}, Options{Parse: p})
		if err != nil || back != d.Number() {
			t.Fatalf("%s is written %q by %q and read as %v (%v)", d, out, p, back, err)
		}
	}
}

func BenchmarkNotation(b *testing.B) {
	c, err := NewConverter(Type{Base: Fixed, Digits: 2}, Options{Parse: "1.234,56"})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var in any = "1.234,56"
	for b.Loop() {
		if _, err := c.Convert(in); err != nil {
			b.Fatal(err)
		}
	}
}
