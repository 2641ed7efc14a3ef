package jq

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/itchyny/gojq"
)

// decode reads JSON the way bodies are read, with numbers as they are written.
func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := decodeAny(text)
	if err != nil {
		t.Fatalf("decode %q: %v", text, err)
	}
	return v
}

func decodeAny(text string) (v any, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

func encode(t testing.TB, v any) string {
	t.Helper()
	b, err := gojq.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// crosswalk is a table of one or several columns.
type crosswalk map[string]any

func (c crosswalk) Find(key, column string) (any, error) {
	v, ok := c[key]
	if !ok {
		return nil, &RunError{Text: "no row " + key}
	}
	if column != "" {
		return v.(map[string]any)[column], nil
	}
	return v, nil
}

var testTables = map[string]crosswalk{
	"service-levels": {"01": "GROUND", "02": "EXPRESS"},
	"metrobox-codes": {"020": map[string]any{"type": "delivery.completed"}},
}

func testOptions(vars ...string) Options {
	return Options{
		Vars:   vars,
		Lookup: func(name string) (Table, bool) { t, ok := testTables[name]; return t, ok },
		Tables: []string{"service-levels", "metrobox-codes"},
	}
}

func mustCompile(t testing.TB, src string, opt Options) *Program {
	t.Helper()
	p, problems := Compile(src, opt)
	if p == nil {
		t.Fatalf("compile %q: %v", src, problems)
	}
	return p
}

func TestFunctionExamples(t *testing.T) {
	for _, f := range Functions() {
		if !strings.HasSuffix(f.Doc, ".") || len(f.Examples) == 0 {
			t.Errorf("%s lacks a doc sentence or an example", f.Name)
		}
		for _, ex := range f.Examples {
			p := mustCompile(t, ex.Cell, testOptions())
			v, ok, err := p.One(&Frame{}, decode(t, ex.In))
			if err != nil || !ok {
				t.Errorf("%s on %s: %v, %v", ex.Cell, ex.In, ok, err)
				continue
			}
			if got := encode(t, v); got != ex.Out {
				t.Errorf("%s on %s gives %s, the docs say %s", ex.Cell, ex.In, got, ex.Out)
			}
		}
	}
}

func TestProblems(t *testing.T) {
	tests := []struct {
		src  string
		want []string // "text at From..To: message; hint"
	}{
		{`.a.b | map(.c)`, nil},
		{`.orderNo | frist(.a)`, []string{"frist: there is no function `frist`; did you mean `first`?"}},
		{`$rot.orderNo + $meta.x`, []string{"$rot: there is no variable `$rot`; did you mean `$root`?", "$meta: there is no variable `$meta`; there are: $root"}},
		{`.ship-to.zip`, []string{".ship-to: `.ship-to` is read as a subtraction; a name with a dash needs quotes: .\"ship-to\""}},
		{`now | nope, env`, []string{
			"now: `now` cannot be used here; use $run.now, which is the same for the whole run and in tests",
			"nope: there is no function `nope`; a field is written `.nope`, a text \"nope\"",
			"env: `env` cannot be used here; use $vars for values of the environment",
		}},
		{`$ENV.PATH`, []string{"$ENV: `$ENV` cannot be used here; use $vars for values of the environment"}},
		{`import "a" as b; .`, []string{"import: cells cannot load modules; share values with `let`, a lookup or a mapping of its own"}},
		{`.a | `, []string{" : the cell ends too early; something must follow"}},
		{`[.a | {b: .c}`, []string{": the cell ends too early; `[` is not closed by `]`"}},
		{`.a == 'x'`, []string{"': `'` cannot stand here; texts stand in double quotes: write `\"x\"`"}},
		{`.a && .b`, []string{"&: `&` cannot stand here; write `and`"}},
		{`test(.re)`, []string{".re: the pattern of `test` is made while running; write the regular expression as a text; for plain texts use contains, split or startswith"}},
		{`test("a(")`, []string{`"a(": the regular expression cannot work: missing closing ): ` + "`a(`; "}},
		{`def f: .a | f; f`, []string{"f: `f` calls itself; walk data with `..` or `recurse`, or use reduce over a list"}},
		{`def f(g): g; f(.a)`, nil},
		{`"x" * 20000`, []string{`"x" * 20000: repeats a text more than 10000 times; texts this long are no data`}},
		{`[recurse(.a)]`, []string{"recurse: `recurse` with this argument can run without an end; give it a path into the data, such as recurse(.children[]?)"}},
		{`[recurse(.a[]?)]`, nil},
		{`[repeat(1)]`, []string{"repeat: `repeat` can run without an end; use reduce, foreach or limit over range(n)"}},
		{`.a | lookup("service-level")`, []string{"\"service-level\": there is no lookup `service-level`; did you mean `service-levels`?"}},
		{`@base46`, []string{"@base46: there is no format `@base46`; did you mean `@base64`?"}},
		{`split`, []string{"split: `split` does not take no argument; write `split(a)` or `split(a; b)`"}},
		{`.a | type == "list"`, []string{"\"list\": `type` never gives `list`; write `\"array\"`"}},
		{`(.a | type) != "arrya", "x" == (type)`, []string{"\"arrya\": `type` never gives `arrya`; write `\"array\"`",
			"\"x\": `type` never gives `x`; it gives null, boolean, number, string, array, object"}},
		{`(.a | type) == "array", .type == "list", type == .kind`, nil},
		{`.x | round(2)`, []string{"round: `round` does not take 1 argument; write `exact_round(2)`, which keeps that many digits"}},
		{`[.a] | implode(", ")`, []string{"implode: `implode` does not take 1 argument; write `join(\", \")`"}},
		{`root`, []string{"root: there is no function `root`; a variable starts with $: `$root`"}},
		{`.a & .b`, []string{"&: `&` cannot stand here; write `+` to join texts, `and` between yes and no"}},
		{`if .a "x" else "y" end`, []string{"\"x\": `\"x\"` cannot stand here; write `then` between the condition and its value"}},
		{`.a | select(not blank)`, []string{"blank: `blank` cannot stand here; `not` stands behind its value: `blank | not`"}},
		{`if . then 1 otherwise 2 end`, []string{"otherwise: `otherwise` cannot stand here; write `else`"}},
		{`#orders`, []string{": the cell is empty; `#` begins a comment: a text stands in double quotes of its own, `'\"#orders\"'`"}},
		{`break $x`, []string{"break $x: there is no label $x here; write `label $x |` around it"}},
	}
	for _, tt := range tests {
		_, problems := Compile(tt.src, testOptions("root"))
		var got []string
		for _, p := range problems {
			got = append(got, tt.src[p.From:p.To]+": "+p.Message+"; "+p.Hint)
		}
		for i := range got {
			if i < len(tt.want) && !strings.Contains(tt.want[i], "; ") {
				got[i] = strings.TrimSuffix(got[i], "; ")
			}
		}
		if len(got) != len(tt.want) {
			t.Errorf("%s:\n got %q\nwant %q", tt.src, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] && strings.TrimSuffix(got[i], "; ") != tt.want[i] {
				t.Errorf("%s:\n got %q\nwant %q", tt.src, got[i], tt.want[i])
			}
		}
	}
}

func TestPaths(t *testing.T) {
	tests := []struct{ src, want string }{
		{`first(.partners[]? | select(.role == "SH"))`, `.partners[] .partners[].role`},
		{`.partners[].zip`, `.partners[].zip`},
		{`$root.orderNo + "-" + ($index | tostring)`, `$root.orderNo $index`},
		{`.lines | map({sku, q: .qty}) | .[0].sku`, `.lines[].sku .lines[].qty`},
		{`.items as $it | $it | map(.w) | add`, `.items[].w`},
		{`[.a[] | .b // .c]`, `.a[].b .a[].c`},
		{`. as {ref: $r, lines: [$first]} | $r, $first.x`, `.ref .lines[0].x`},
		{`{a, "b": .x.y, $root}`, `$root .a .x.y`},
		{`"\(.no)-\(.pos)"`, `.no .pos`},
		{`if .a then .b else .c end | .d`, `.a .b.d .c.d`},
		{`reduce .l[] as $x (0; . + $x.v)`, `.l[].v`},
		{`def n: .name; .cust | n`, `.cust.name`},
		{`."odd-name"["x y"].z`, `."odd-name"."x y".z`},
		{`.`, `.`},
		{`has("zip") and .zip != null`, `.zip .zip`},
		{`.a | to_entries | map(.value.x)`, `.a[].x`},
		{`.o | sort_by(.d) | .[-1].e`, `.o[].d .o[-1].e`},
		{`.a.b = 1`, `.`},
		{`.a.b |= . + 1`, `.a.b .`},
		{`. + {x: .y} | .x, .z`, `.y .z`},
		{`.phone | gsub("(?<d>[0-9])"; "<\(.d)>")`, `.phone`},
		{`reduce .items[] as $i (.; .total += $i.v) | .total`, `.items[].v`},
		{`.n = .m | .n`, `.m`},
		{`INDEX(.lines[]; .id) | .x`, `.lines[].id`},
		{`getpath(["a", "b"]) | .c`, `.a.b.c`},
		{`.a | capture("(?<x>.)") | .x`, `.a`},
		{`[.a[], .b[]] | map(.x)`, `.a[].x .b[].x`},
		{`.l | group_by(.k) | map({k: .[0].k, n: length})`, `.l[].k .l[].k`},
		{`walk(if type == "object" then .x else . end)`, ``},
		{`.a[.i].b`, `.a[].b .i`},
		{`.a | limit(2; .[].x)`, `.a[].x`},
		{`try .a.b catch .message`, `.a.b`},
	}
	for _, tt := range tests {
		p := mustCompile(t, tt.src, testOptions("root", "index"))
		var got []string
		for _, path := range p.Paths() {
			got = append(got, path.String())
			for _, s := range path.Segments {
				if s.Step == Field && s.To > s.From && !strings.Contains(tt.src[s.From:s.To], s.Name) {
					t.Errorf("%s: segment %s stands at %q", tt.src, s.Name, tt.src[s.From:s.To])
				}
			}
		}
		if g := strings.Join(got, " "); !sameWords(g, tt.want) {
			t.Errorf("%s reads\n %s, want\n %s", tt.src, g, tt.want)
		}
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Fields(strings.ReplaceAll(a, "x y", "x_y")), strings.Fields(strings.ReplaceAll(b, "x y", "x_y"))
	if len(x) != len(y) {
		return false
	}
	seen := map[string]int{}
	for i := range x {
		seen[x[i]]++
		seen[y[i]]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}

// TestPathPlaces pins the places of segments, which diagnostics underline.
func TestPathPlaces(t *testing.T) {
	tests := []struct{ src, want string }{
		{`.partners[].zip`, `.partners[].zip: partners@1 []@9 zip@12`},
		{`$root.ship.zipCode`, `$root.ship.zipCode: ship@6 zipCode@11`},
		{` .a | ."b c"[0] `, `.a."b c"[0]: a@2 "b c"@7 [0]@12`},
		{`{sku, "x y"}`, `.sku: sku@1; ."x y": "x y"@6`},
		{`.a as {b: [$c]} | $c.d`, `.a.b[0].d: a@1 b@7 @11 d@21`},
		{`map(.q)`, `.[].q: @0 q@5`},
		{`.a["b"].c`, `.a.b.c: a@1 ["b"]@2 c@8`},
	}
	for _, tt := range tests {
		var got []string
		for _, p := range mustCompile(t, tt.src, testOptions("root")).Paths() {
			text := p.String() + ":"
			for _, s := range p.Segments {
				text += " " + tt.src[s.From:s.To] + "@" + itoa(s.From)
			}
			got = append(got, text)
		}
		if g := strings.Join(got, "; "); g != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.src, g, tt.want)
		}
	}
}
