package value

import (
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
)

func mustType(t *testing.T, s string) Type {
	t.Helper()
	typ, err := ParseType(s)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

func TestConvert(t *testing.T) {
	n := func(s string) json.Number { return json.Number(s) }
	flags := Options{TrueValues: []string{"X", "Y", "1"}}
	both := Options{TrueValues: []string{"J"}, FalseValues: []string{"N"}}
	for _, c := range []struct {
		in   any
		typ  string
		opt  Options
		want any
	}{
		{"01067", "string", Options{}, "01067"}, {n("1.10"), "string", Options{}, "1.10"}, {n("12345678901234567890"), "string", Options{}, "12345678901234567890"},
		{true, "string", Options{}, "true"}, {5, "string", Options{}, "5"}, {1.5, "string", Options{}, "1.5"}, {big.NewInt(7), "string", Options{}, "7"},
		{"0012", "integer", Options{}, n("12")}, {n("1.0"), "integer", Options{}, n("1")}, {n("1e3"), "integer", Options{}, n("1000")}, {"-7", "integer", Options{}, n("-7")},
		{n("12345678901234567890"), "integer", Options{}, n("12345678901234567890")}, {n("-0"), "integer", Options{}, n("0")}, {" 12 ", "integer", Options{}, n("12")},
		{n("1.10"), "number", Options{}, n("1.10")}, {"1.10", "number", Options{}, n("1.10")}, {".5", "number", Options{}, n("0.5")}, {1.5, "number", Options{}, n("1.5")},
		{n("1.005"), "decimal(2)", Options{}, n("1.01")}, {"-1.005", "decimal(2)", Options{}, n("-1.01")}, {n("3"), "decimal(3)", Options{}, n("3.000")}, {n("2.5"), "decimal(0)", Options{}, n("3")},
		{n("3.3000000000000003"), "decimal(2)", Options{}, n("3.30")},
		{true, "boolean", Options{}, true}, {"true", "boolean", Options{}, true}, {"false", "boolean", Options{}, false},
		{"X", "boolean", flags, true}, {"", "boolean", flags, false}, {"N", "boolean", flags, false}, {n("1"), "boolean", flags, true}, {true, "boolean", flags, true},
		{"J", "boolean", both, true}, {"N", "boolean", both, false}, {"x", "boolean", Options{FalseValues: []string{"0"}}, true}, {" J ", "boolean", both, true},
		{"10", "decimal(2)", Options{Unit: "lb -> kg"}, n("4.54")}, {n("10"), "", Options{Unit: "lb -> kg"}, n("4.5359237")}, {n("2"), "integer", Options{Unit: "kg -> g"}, n("2000")},
		{"https://example.com/a?b=c", "url", Options{}, "https://example.com/a?b=c"}, {"acme-2", "name", Options{}, "acme-2"},
		{"a", "choice", Options{Choices: []string{"a", "b"}}, "a"}, {[]any{"1", n("2")}, "list(integer)", Options{}, []any{n("1"), n("2")}},
		{[]any{"x"}, "list", Options{}, []any{"x"}}, {map[string]any{"a": 1}, "object", Options{}, map[string]any{"a": 1}},
		{" Grüße ", "string", Options{Trim: true, MaxLength: 5}, "Grüße"}, {nil, "integer", Options{}, nil}, {"x", "", Options{}, "x"},
		{[]any{nil, "2026-05-16"}, "list(date)", Options{Format: "dd.MM.yyyy"}, []any{nil, "16.05.2026"}},
	} {
		got, err := Convert(c.in, mustType(t, c.typ), c.opt)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%#v as %s %+v = %#v (%v), want %#v", c.in, c.typ, c.opt, got, err, c.want)
		}
	}
}

func TestConvertErrors(t *testing.T) {
	for _, c := range []struct {
		in   any
		typ  string
		opt  Options
		code Code
		want string
	}{
		{"abc", "number", Options{}, CodeParse, `"abc" is not a number`}, {"1,234.50", "decimal(2)", Options{}, CodeParse, "`parse: \"1,234.56\"` reads it as 1234.50"},
		{"", "integer", Options{}, CodeParse, "empty text"}, {json.Number("1.5"), "integer", Options{}, CodeType, "decimal(0)"}, {true, "number", Options{}, CodeType, "expected a number, found true"},
		{[]any{}, "string", Options{}, CodeType, "join"}, {map[string]any{}, "string", Options{}, CodeType, "tojson"}, {"yes", "boolean", Options{}, CodeType, "true_values"},
		{json.Number("1"), "boolean", Options{}, CodeType, "true_values"}, {"Q", "boolean", Options{TrueValues: []string{"J"}, FalseValues: []string{"N"}}, CodeType, "one of J, N"},
		{"ftp://x", "url", Options{}, CodeParse, "http"}, {"/path", "url", Options{}, CodeParse, "absolute"}, {"http://a b", "url", Options{}, CodeParse, ""}, {"A b", "name", Options{}, CodeType, "a name"},
		{"c", "choice", Options{Choices: []string{"a", "b"}}, CodeOption, "options: a, b"}, {"x", "list", Options{}, CodeType, "[ ... ]"}, {[]any{"1", "x"}, "list(integer)", Options{}, CodeParse, "item 2"},
		{"x", "object", Options{}, CodeType, "an object"}, {"Grüße", "string", Options{MaxLength: 4}, CodeTooLong, "5 characters, at most 4"},
		{"1", "number", Options{Unit: "lb"}, CodeUnit, "lb -> kg"}, {"1", "number", Options{Unit: "lb -> m"}, CodeUnit, "cannot convert"}, {"1", "string", Options{Unit: "lb -> kg"}, CodeDefinition, "unit"},
		{"1", "string", Options{Parse: "yyyy"}, CodeDefinition, "parse has no meaning for type string (it belongs to date, datetime, time, integer"}, {"1", "integer", Options{Zone: "UTC"}, CodeDefinition, "zone"}, {"1", "string", Options{TrueValues: []string{"a"}}, CodeDefinition, "true_values"},
		{"1", "boolean", Options{TrueValues: []string{"a"}, FalseValues: []string{"a"}}, CodeDefinition, "stands in"},
	} {
		got, err := Convert(c.in, mustType(t, c.typ), c.opt)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%#v as %s %+v = %#v, %v; want code %s and %q", c.in, c.typ, c.opt, got, err, c.code, c.want)
		}
	}
}

func TestConvertLeavesItsInputAlone(t *testing.T) {
	in := []any{"1", "2"}
	if _, err := Convert(in, mustType(t, "list(integer)"), Options{}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, []any{"1", "2"}) {
		t.Fatalf("the input became %v", in)
	}
}

func TestParseType(t *testing.T) {
	for _, s := range []string{"string", "integer", "number", "boolean", "decimal(3)", "date", "datetime", "time", "url", "list", "list(string)", "list(list(decimal(0)))", "object", "choice", "name", "any"} {
		typ, err := ParseType(s)
		if err != nil || typ.String() != s {
			t.Errorf("ParseType(%q) = %s, %v", s, typ, err)
		}
	}
	for _, c := range []struct{ in, want string }{
		{"text", "`string`"}, {"bool", "`boolean`"}, {"integr", "`integer`"}, {"decimal", "decimal(2)"}, {"decimal(x)", "0 to 18"}, {"decimal(19)", "0 to 18"},
		{"string(3)", "nothing in parentheses"}, {"list(foo)", "unknown type"}, {"frobnicate", "types: string"},
		{"list(list(list(list(list(list(string))))))", "too deeply"}, {strings.Repeat("list(", 100000), "unknown type"},
	} {
		if _, err := ParseType(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseType(%.30q) = %v, want %q", c.in, err, c.want)
		}
	}
}

func BenchmarkConvertInteger(b *testing.B) {
	c, err := NewConverter(Type{Base: Integer}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var in any = json.Number("42")
	for b.Loop() {
		if _, err := c.Convert(in); err != nil {
			b.Fatal(err)
		}
	}
}
