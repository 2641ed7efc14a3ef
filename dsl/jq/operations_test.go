package jq

import (
	"fmt"
	"strings"
	"testing"
)

// TestOperations follows what cells compare and compute.
func TestOperations(t *testing.T) {
	for _, tt := range []struct{ cell, want string }{
		{`.a > 3`, ".a > number"},
		{`.a.b[0] == "x" and .c != null`, ".a.b[0] == string; .c != null"},
		{`.id + "/" + .n`, ".id + string; .id|string + .n"},
		{`(.a // 0) - 1`, ".a|number - number"},
		{`.items[] | select(.qty > "3") | .sku`, ".items[].qty > string"},
		{`any(.items[]; .qty == 1)`, ".items[].qty == number"},
		{`.a as $x | $x * 2`, ".a * number"},
		{`.a | ascii_upcase | length > 3`, ".a ascii_upcase string; number > number"},
		{`[.a, 1] | .[0] == "x"`, ".a|number == string"},
		{`{a: 1} | .a == "x"`, "number == string"},
		{`if .a then 1 else "x" end == 2`, "number|string == number"},
		{`.n | tostring | . == 1`, "string == number"},
		{`$v.x < 1`, "$v.x < number"},
		{`reduce .items[] as $i (0; . + $i.n)`, "? + .items[].n"},
		{`.x | strings == 1`, "? == number"},
		{`if (.a | type) == "string" then .a + 1 else . end`, ""},
		{`def f: . > 3; .a | f`, ""},
	} {
		p, problems := Compile(tt.cell, Options{Vars: []string{"v"}})
		if p == nil {
			t.Fatal(tt.cell, problems)
		}
		var got []string
		for _, o := range p.Operations() {
			text := operandText(o.Left) + " " + o.Name + " "
			if o.Takes != 0 {
				text += typesText(o.Takes)
			} else {
				text += operandText(o.Right)
			}
			got = append(got, text)
		}
		if text := strings.Join(got, "; "); text != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.cell, text, tt.want)
		}
	}
}

func operandText(o Operand) string {
	if !o.Known {
		return "?"
	}
	var out []string
	for _, p := range o.Paths {
		out = append(out, p.String())
	}
	if o.Types != 0 {
		out = append(out, typesText(o.Types))
	}
	return strings.Join(out, "|")
}

func typesText(t Types) string {
	var out []string
	for i, name := range []string{"null", "boolean", "number", "string", "array", "object"} {
		if t&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return strings.Join(out, "|")
}

// TestColumns finds the columns that cells read of tables.
func TestColumns(t *testing.T) {
	tables := func(string) (Table, bool) { return nil, true }
	for cell, want := range map[string]string{
		`.c | lookup("t").days`:               `t.days@17`,
		`.c | lookup("t") | .days`:            `t.days@20`,
		`.c | lookup("t"; "days")`:            `t.days@17`,
		`.c | lookup("t")["days"]`:            `t.days@`,
		`.c | lookup("t") as $r | $r.a`:       `t.a@28`,
		`.c | lookup("t")`:                    `t.@5`,
		`[.c | lookup("t").a, .b]`:            `t.a@18`,
		`if .c then lookup("t").a else 1 end`: `t.a@23`,
		`.c | lookup("t") | keys`:             ``,
	} {
		p, problems := Compile(cell, Options{Lookup: tables})
		if p == nil {
			t.Fatal(cell, problems)
		}
		var got []string
		for _, c := range p.Columns() {
			got = append(got, fmt.Sprintf("%s.%s@%d", c.Table, c.Name, c.From))
		}
		if text := strings.Join(got, " "); text != want && (want == "" || !strings.HasSuffix(want, "@") || !strings.HasPrefix(text, want)) {
			t.Errorf("%s\n got %s\nwant %s", cell, text, want)
		}
	}
}
