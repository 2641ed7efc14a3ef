package jq

import (
	"strings"
	"testing"
)

// TestHabits holds what people type who come from other tools.
func TestHabits(t *testing.T) {
	tests := []struct{ src, at, hint string }{
		{`.a ? .b : .c`, "? .b :", "if a then b else c end"},
		{`.a || .b`, "|", "write `or`"},
		{`.a && .b`, "&", "write `and`"},
		{`.a ?? .b`, "??", "a // b"},
		{`=.a`, "=", "without `=`"},
		{`{a = 1}`, "=", "write `:`"},
		{`.items[*].sku`, "*", "write `[]`"},
		{`.items.map(.sku)`, "(", "| map(...)"},
		{`.a | length()`, ")", "no brackets: `length`"},
		{`now()`, ")", "no brackets: `now`"},
		{`.a.0`, ".0", "[0]"},
		{`.a | contains "x"`, `"x"`, "contains(...)"},
		{`.a as x | x`, "x", "`$x`"},
		{`.a | as $x`, "as", "value as $name"},
		{`.a <> 1`, ">", "`!=`"},
		{`.a =~ "x"`, "~", "test("},
		{`.a;.b`, ";", "write `|`"},
		{`.a | upper`, "upper", "ascii_upcase"},
		{`.a | toUpper`, "toUpper", "ascii_upcase"},
		{`.a | substring(1; 2)`, "substring", ".[1:2]"},
		{`len(.a)`, "len", "length"},
		{`.a | default("x")`, "default", "`default:` on the row"},
		{`data.a`, "data", "the payload is `.`"},
		{`root.a`, "root", "`$root`"},
		{`orderNo`, "orderNo", "`.orderNo`"},
		{`.@odata.nextLink`, "@odata", `needs quotes: ."@odata.nextLink"`},
		{`.value[0].@type | length`, "@type", `needs quotes: ."@type"`},
		{`.$id`, "$id", `needs quotes: ."$id"`},
		{`.Größe`, "ö", `needs quotes: ."Größe"`},
		{`.line.Straße | length`, "ß", `needs quotes: ."Straße"`},
		{`.Übergabe`, "Ü", `needs quotes: ."Übergabe"`},
		{`.Order Date`, "Date", `needs quotes: ."Order Date"`},
		{`if .a then .b end end`, "end", ""},
		{`.a ?? "x"`, `"x"`, "write `//`"},
		{``, "", "whole input"},
		{"# nothing", "", "whole input"},
		{`"\d+"`, `\d`, `\\`},
	}
	for _, tt := range tests {
		_, problems := Compile(tt.src, testOptions("root"))
		if len(problems) == 0 {
			t.Errorf("%s compiles", tt.src)
			continue
		}
		p := problems[0]
		if got := tt.src[p.From:p.To]; got != tt.at || !strings.Contains(p.Hint, tt.hint) {
			t.Errorf("%s: at %q, hint %q; want %q and %q (%s)", tt.src, got, p.Hint, tt.at, tt.hint, p.Message)
		}
	}
}
