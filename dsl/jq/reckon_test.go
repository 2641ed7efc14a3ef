package jq

import (
	"testing"

	"pgregory.net/rapid"

	"crossdock/dsl/dsltest"
)

// sums draws cells of sums, products and texts, which are reckoned without a
// value for each step.
func sums(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom([]string{".a", ".b", ".c", ".a.b", "$v", "$w", "1", "2.50", "\"x\"", "\", \"", "null", "[1]",
			"-1", "0", "9223372036854775807", "4294967296", "100000000000000000000", ".", "(.a,.b)", "empty", "error(\"e\")"}).Draw(t, "leaf")
	}
	a, b := sums(t, depth-1), sums(t, rapid.IntRange(0, depth-1).Draw(t, "depth"))
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2:
		return a + " + " + b
	case 3:
		return a + " + " + b + " + " + sums(t, 0) + " + " + sums(t, 0)
	case 4:
		return "(" + a + ") - (" + b + ")"
	case 5:
		return "(" + a + ") * (" + b + ")"
	case 6:
		return "([.[]? | " + a + "] | add)"
	case 7:
		return "([.[]? | " + a + "] | " + rapid.SampledFrom([]string{"any", "all", "length"}).Draw(t, "list") + ")"
	case 8:
		return "([(.a,.b,.c) // (" + a + ")] | " + rapid.SampledFrom([]string{"any", "all", "add"}).Draw(t, "list") + ")"
	}
	return "(" + a + ") > (" + b + ")"
}

func TestDifferentialSums(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		in := decode(t, grammar{rt}.json(3))
		vals := []any{decode(t, grammar{rt}.json(1)), decode(t, grammar{rt}.json(0))}
		compareRuns(rt, sums(rt, rapid.IntRange(1, 4).Draw(rt, "depth")), in, []string{"v", "w"}, vals)
	})
}

// TestReckonEdges pins what the reckoning must leave to the general operators,
// and that it was looked at at all.
func TestReckonEdges(t *testing.T) {
	for _, tt := range []struct{ src, in, want string }{
		{`.a + .b`, `{"a": 9223372036854775807, "b": 1}`, `9223372036854775808`},
		{`.a - .b`, `{"a": -9223372036854775807, "b": 2}`, `-9223372036854775809`},
		{`.a * .b`, `{"a": 4294967296, "b": 4294967296}`, `18446744073709551616`},
		{`.a * .b + .a`, `{"a": 4294967296, "b": 4294967296}`, `18446744078004518912`},
		{`.a * .b`, `{"a": -9223372036854775808, "b": -1}`, `9223372036854775808`},
		{`.a + .b`, `{"a": null, "b": 1.10}`, `1.1`},
		{`.a + .b`, `{}`, `null`},
		{`.a * .b`, `{"a": {"x": {"y": 1}}, "b": {"x": {"z": 2}}}`, `{"x":{"y":1,"z":2}}`},
		{`.a * .b`, `{"a": "ab", "b": 2}`, `"abab"`},
		{`.a + "-" + .b + "-" + .c`, `{"a": "x", "b": "", "c": "é"}`, `"x--é"`},
		{`.a + "-" + .b`, `{"a": "x"}`, `"x-"`},
		{`.a + .b + "-"`, `{"a": null, "b": null}`, `"-"`},
		{`[.[] | .q * .p] | add`, `[{"q": 2, "p": 0.1}, {"q": 3, "p": 0.2}, {"q": null, "p": null}]`, ``},
		{`[.[] | .q + .p] | add`, `[{"q": 2, "p": 0.5}, {"q": null, "p": null}, {"q": "1"}]`, ``},
		{`[.[] | .q + .p] | add`, `[{"q": 2, "p": 0.5}, {"q": null, "p": null}, {"q": 1}]`, `3.5`},
		{`[.[] | .q + .p] | add`, `[{"q": "a", "p": "b"}, {"q": "c"}]`, `"abc"`},
		{`[.[].x // false] | any`, `[{"x": null}, {"x": true}]`, `true`},
		{`[.[].x // false] | all`, `[{"x": 1}, {}]`, `true`},
		{`[.[] | .x] | any`, `[{"x": true}, 1]`, ``},
		{`[] | all`, `1`, `true`},
	} {
		p := mustCompile(t, tt.src, testOptions())
		v, _, err := p.One(&Frame{}, decode(t, tt.in))
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s on %s gives %s and no error", tt.src, tt.in, encode(t, v))
			}
		} else if err != nil || encode(t, v) != tt.want {
			t.Errorf("%s on %s gives %v %v, want %s", tt.src, tt.in, v, err, tt.want)
		}
		compareRuns(t, tt.src, decode(t, tt.in), nil, nil)
	}
	in := decode(t, `[{"q": 2, "p": 1.5, "x": "a"}, {"q": 3, "p": 1.5, "x": "b"}]`)
	for src, most := range map[string]float64{
		`[.[] | .q * .p + .q] | add`:                 1,
		`[.[].x // false] | any`:                     8,
		`.[0].x + "-" + .[1].x + "-" + .[0].x + ";"`: 2,
	} {
		p, f := mustCompile(t, src, testOptions()), &Frame{}
		if n := testing.AllocsPerRun(100, func() { _, _, _ = p.One(f, in) }); n > most && !dsltest.Raced {
			t.Errorf("%s allocates %v times, want at most %v", src, n, most)
		}
	}
}
