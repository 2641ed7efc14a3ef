package diag_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"crossdock/dsl/diag"
)

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.SampledFrom([]string{"a", "é", "日", "🚚", "\n", "\r\n", " ", "\t", ""})).Draw(t, "parts")
		src := strings.Join(parts, "")
		if rapid.Bool().Draw(t, "bom") {
			src = "\uFEFF" + src
		}
		text := diag.NewText([]byte(src))
		for off := range src {
			if src[off] == '\n' && off > 0 && src[off-1] == '\r' || strings.HasPrefix(src[off:], "\uFEFF") {
				continue // no place of its own
			}
			if got := text.Offset(text.Point(off)); got != off {
				t.Fatalf("byte %d of %q is at %v, which is byte %d", off, src, text.Point(off), got)
			}
		}
		var lines []string
		for n := 1; n <= text.Lines(); n++ {
			lines = append(lines, text.Line(n))
		}
		want := strings.Split(strings.ReplaceAll(strings.TrimPrefix(src, "\uFEFF"), "\r\n", "\n"), "\n")
		if !slices.Equal(lines, want) {
			t.Fatalf("lines %q, want %q", lines, want)
		}
	})
}

func TestTextOutside(t *testing.T) {
	text := diag.NewText([]byte("ab\ncd"))
	for p, want := range map[diag.Point]int{{Line: 0, Col: 0}: 0, {Line: 1, Col: 9}: 2, {Line: 2, Col: 9}: 5, {Line: 9, Col: 1}: 5} {
		if got := text.Offset(p); got != want {
			t.Errorf("%v is byte %d, want %d", p, got, want)
		}
	}
	if got := text.Point(99); got != (diag.Point{Line: 2, Col: 3}) {
		t.Errorf("behind the end is %v", got)
	}
	if text.Line(0) != "" || text.Line(3) != "" {
		t.Error("lines that do not exist have text")
	}
}

func TestApplyFixes(t *testing.T) {
	fix := func(line, col, endCol int, text string) diag.Diagnostic {
		return diag.Diagnostic{Fixes: []diag.Fix{{Edits: []diag.Edit{{Span: span("x", line, col, line, endCol), Text: text}}}}}
	}
	elsewhere := diag.Diagnostic{Fixes: []diag.Fix{{Edits: []diag.Edit{{Span: span("y", 1, 1, 1, 2), Text: "?"}}}}}
	tests := []struct {
		name string
		list diag.List
		want string
		n    int
	}{
		{"none", diag.List{{}, {Fixes: []diag.Fix{{Title: "words only"}}}}, "abc\ndéf\n", 0},
		{"in any order", diag.List{fix(2, 2, 3, "EE"), fix(1, 1, 2, "")}, "bc\ndEEf\n", 2},
		{"insert", diag.List{fix(1, 4, 4, "!")}, "abc!\ndéf\n", 1},
		{"overlap", diag.List{fix(1, 1, 3, "x"), fix(1, 2, 4, "y")}, "xc\ndéf\n", 1},
		{"same place", diag.List{fix(1, 2, 2, "x"), fix(1, 2, 2, "y")}, "axbc\ndéf\n", 1},
		{"another file", diag.List{elsewhere}, "abc\ndéf\n", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, n := diag.ApplyFixes("x", []byte("abc\ndéf\n"), tt.list)
			if string(got) != tt.want || n != tt.n {
				t.Errorf("got %q, %d fixes; want %q, %d", got, n, tt.want, tt.n)
			}
		})
	}
}

func TestSuppress(t *testing.T) {
	at := func(code diag.Code, file string, line int) diag.Diagnostic {
		return diag.Diagnostic{Code: code, Span: span(file, line, 3, line, 4), Message: "m"}
	}
	ignore := func(code diag.Code, reason, file string, line int, alone bool) diag.Ignore {
		return diag.Ignore{Code: code, Reason: reason, Line: line, Alone: alone, Span: span(file, line, 1, line, 9)}
	}
	tests := []struct {
		name    string
		list    diag.List
		ignores []diag.Ignore
		want    []string // code:line of what is left
	}{
		{"nothing to do", diag.List{at("XD1", "a", 1)}, nil, []string{"XD1:1"}},
		{"same line", diag.List{at("XD1", "a", 1)}, []diag.Ignore{ignore("XD1", "r", "a", 1, false)}, nil},
		{"next line", diag.List{at("XD1", "a", 2)}, []diag.Ignore{ignore("XD1", "r", "a", 1, true)}, nil},
		{"twice on one line", diag.List{at("XD1", "a", 1), at("XD1", "a", 1)}, []diag.Ignore{ignore("XD1", "r", "a", 1, false)}, nil},
		{
			"one above the other", diag.List{at("XD1", "a", 3), at("XD2", "a", 3)},
			[]diag.Ignore{ignore("XD1", "r", "a", 1, true), ignore("XD2", "r", "a", 2, true)}, nil,
		},
		{"another code", diag.List{at("XD1", "a", 1)}, []diag.Ignore{ignore("XD2", "r", "a", 1, false)}, []string{"XD1:1", "XD1003:1"}},
		{"another file", diag.List{at("XD1", "a", 1)}, []diag.Ignore{ignore("XD1", "r", "b", 1, false)}, []string{"XD1:1", "XD1003:1"}},
		{"behind text speaks not of the next line", diag.List{at("XD1", "a", 2)}, []diag.Ignore{ignore("XD1", "r", "a", 1, false)}, []string{"XD1:2", "XD1003:1"}},
		{"without reason", diag.List{at("XD1", "a", 1)}, []diag.Ignore{ignore("XD1", "", "a", 1, false)}, []string{"XD1003:1"}},
		{"unreadable", diag.List{at("XD1002", "a", 1)}, []diag.Ignore{ignore("XD1002", "r", "a", 1, false)}, []string{"XD1002:1", "XD1003:1"}},
		{"without code", nil, []diag.Ignore{ignore("", "", "a", 4, true)}, []string{"XD1003:4"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range diag.Suppress(tt.list, tt.ignores) {
				got = append(got, string(d.Code)+":"+strings.Split(d.Span.String(), ":")[1])
				if d.Code == diag.IgnoreCode && (d.Severity != diag.Warning || d.Hint == "") {
					t.Errorf("want a warning with a hint: %+v", d)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	names := []string{"zip", "city", "country", "street", "reference", "ref"}
	tests := []struct{ word, want string }{
		{"zpi", "did you mean `zip`?"},
		{"cuntry", "did you mean `country`?"},
		{"CITY", "did you mean `city`?"},
		{"refer", "did you mean `ref`?"},
		{"quantity", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got := diag.DidYouMean(tt.word, names); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestTidy(t *testing.T) {
	a := diag.Diagnostic{Code: "XD2", Span: span("a", 1, 2, 1, 3), Message: "m"}
	b := diag.Diagnostic{Code: "XD1", Span: span("a", 1, 2, 1, 3), Message: "m"}
	c := diag.Diagnostic{Code: "XD1", Span: span("a", 1, 1, 1, 3), Message: "m"}
	got := diag.List{a, b, a, c}.Tidy()
	if diff := cmp.Diff(diag.List{c, b, a}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := got.Error(); got != "a:1:1: XD1 m (and 2 more)" {
		t.Errorf("as an error: %q", got)
	}
}

// TestNearestShort: a transposition is nearer than a longer word with the same
// beginning, and of two letters both cannot be wrong.
func TestNearestShort(t *testing.T) {
	if got := diag.Nearest("form", []string{"format", "from"}); len(got) == 0 || got[0] != "from" {
		t.Errorf("form: %v", got)
	}
	if got := diag.Nearest("PC", []string{"C", "F"}); len(got) != 0 {
		t.Errorf("PC: %v", got)
	}
}

func TestSameEnd(t *testing.T) {
	known := []string{"std/canonical/order_released@1", "std/canonical/order_released@2", "shop/order@1"}
	for word, want := range map[string]int{"order_released": 2, "canonical/order-released": 2, "order.released@1": 2, "order": 1, "release": 0, "": 0} {
		if got := diag.SameEnd(word, known); len(got) != want {
			t.Errorf("%s: %v", word, got)
		}
	}
}
