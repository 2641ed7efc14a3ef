package rule

import (
	"strings"
	"testing"

	"crossdock/dsl/value"
)

// TestWithin compares rules of which one holds wherever the other does.
func TestWithin(t *testing.T) {
	scope := Scope{Names: map[string]*value.Shape{"data": nil}}
	for _, tt := range []struct {
		inner, outer string
		want         bool
	}{
		{`data.n > 50`, `data.n > 30`, true},
		{`data.n > 30`, `data.n > 50`, false},
		{`data.n >= 30`, `data.n > 30`, false},
		{`30 < data.n`, `data.n >= 30`, true},
		{`data.n == 40`, `data.n > 30`, true},
		{`data.n in [40, 20]`, `data.n > 30`, false},
		{`data.n > 30`, `data.n != 20`, true},
		{`data.n > 30`, `data.n != 40`, false},
		{`not (data.n <= 50)`, `data.n > 30`, true},
		{`data.n > -5`, `data.n > -10`, true},
		{`data.n > 50`, `data.m > 30`, false},
		{`data.s == "A"`, `data.s != "B"`, true},
		{`data.s == "A"`, `data.s in ["A", "B"]`, true},
		{`data.s in ["A", "B"]`, `data.s == "A"`, false},
		{`data.s not in ["A", "B"]`, `data.s != "A"`, true},
		{`data.s != "A"`, `data.s not in ["A", "B"]`, false},
		{`data.s == "A" and data.n > 50`, `data.n > 30`, true},
		{`data.n > 50`, `data.n > 30 and data.s == "A"`, false},
		{`data.n > 50 or data.s == "A"`, `data.n > 30`, false},
		{`len(data.l) > 3`, `len(data.l) > 2`, true},
	} {
		inner, outer := mustCompile(t, tt.inner, scope), mustCompile(t, tt.outer, scope)
		if got := inner.Within(outer); got != tt.want {
			t.Errorf("%s within %s: %t", tt.inner, tt.outer, got)
		}
	}
}

// TestApart: rules whose first comparisons exclude each other can be asked in
// either order. What stands in front of a comparison may fail, and then the order
// counts.
func TestApart(t *testing.T) {
	scope := Scope{Names: map[string]*value.Shape{"data": nil}}
	for _, tt := range []struct {
		p, q string
		want bool
	}{
		{`data.s == "A"`, `data.s == "B"`, true},
		{`data.s == "A"`, `data.s in ["B", "C"]`, true},
		{`data.s == "A" and data.n > 1`, `data.s == "B" and data.m > 1`, true},
		{`data.s == "A"`, `data.s != "A"`, true},
		{`data.s == "A"`, `data.s == "A"`, false},
		{`data.s == "A"`, `data.s in ["A", "B"]`, false},
		{`data.s == "A"`, `data.t == "B"`, false},
		{`data.n > 1 and data.s == "A"`, `data.s == "B"`, false},
		{`data.s == "A" or data.t == "X"`, `data.s == "B"`, false},
		{`data.n > 5`, `data.n <= 5`, false},
		{`data.s == "A"`, `true`, false},
	} {
		p, q := mustCompile(t, tt.p, scope), mustCompile(t, tt.q, scope)
		if got := p.Apart(q); got != tt.want {
			t.Errorf("%s apart from %s: %t", tt.p, tt.q, got)
		}
		if got := q.Apart(p); got != tt.want {
			t.Errorf("%s apart from %s: %t", tt.q, tt.p, got)
		}
	}
}

// TestChoice reads what rules compare with texts.
func TestChoice(t *testing.T) {
	scope := Scope{Names: map[string]*value.Shape{"data": nil}}
	for src, want := range map[string]string{
		`data.s == "A"`:                          "data.s: A",
		`data.s in ["B", "A"]`:                   "data.s: A B",
		`data.s == "A" or data.s in ["B"]`:       "data.s: A B",
		`data.s == "A" or data.t == "B"`:         "",
		`data.s != "A"`:                          "",
		`data.s == "A" and data.n > 1`:           "",
		`data.n == 1`:                            "",
		`"A" == data.s`:                          "data.s: A",
		`data.s == "A" or data.s startsWith "B"`: "",
	} {
		path, texts, ok := mustCompile(t, src, scope).Choice()
		got := ""
		if ok {
			got = path + ": " + strings.Join(texts, " ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}

func mustCompile(t *testing.T, src string, scope Scope) *Program {
	t.Helper()
	p, problems := Compile(src, scope)
	if p == nil {
		t.Fatal(src, problems)
	}
	return p
}
