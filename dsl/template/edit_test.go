package template_test

import (
	"strings"
	"testing"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/template"
)

// TestWithout removes the entry that holds x, however it is written, and what is
// empty without it.
func TestWithout(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"in a block", "of: c@2\noverride:\n  m/o:\n    fields:\n      x: .a   # why\n      y: .b\n", "of: c@2\noverride:\n  m/o:\n    fields:\n      y: .b\n"},
		{"the last in a block", "of: c@2\noverride:\n  m/o:\n    y: .b\n    x: |\n      .a\n      | .b\n# end\n", "of: c@2\noverride:\n  m/o:\n    y: .b\n# end\n"},
		{"the first in braces", "override: {m/o: {x: .a, y: .b}}\nof: c@2\n", "override: {m/o: {y: .b}}\nof: c@2\n"},
		{"the last in braces", "override:\n  m/o: {y: .b, x: {from: .a}}   # theirs\nof: c@2\n", "override:\n  m/o: {y: .b}   # theirs\nof: c@2\n"},
		{"the only one", "of: c@2\noverride:\n  m/o: {until: 2026-01-31, note: n, fields: {x: .a}}\n  m/p: {y: .b}\n", "of: c@2\noverride:\n  m/p: {y: .b}\n"},
		{"the only one of all", "of: c@2\noverride:\n  m/o:\n    fields: {x: .a}\nparams: {code: a}\n", "of: c@2\nparams: {code: a}\n"},
		{"an item of a list", "of: c@2\noverride:\n  m/o:\n    drop: [y, x]\n", "of: c@2\noverride:\n  m/o:\n    drop: [y]\n"},
		{"an item with a dash", "of: c@2\noverride:\n  m/o:\n    drop:\n      - x\n      - y\n", "of: c@2\noverride:\n  m/o:\n    drop:\n      - y\n"},
	} {
		src := "instance: a\n" + c.src
		f, list := parser.Parse("a.yaml", []byte(src))
		if list.HasErrors() {
			t.Fatal(list)
		}
		at := placeOf(f.Root, "x")
		got, err := template.Without([]byte(src), "a.yaml", *at)
		if err != nil || string(got) != "instance: a\n"+c.want {
			t.Errorf("%s: %v\n%s", c.name, err, got)
		}
	}
	if _, err := template.Without([]byte("instance: a\n"), "a.yaml", diag.Span{File: "a.yaml", Start: diag.Point{Line: 9, Col: 1}, End: diag.Point{Line: 9, Col: 2}}); err == nil {
		t.Error("a place that is not there was removed")
	}
}

// placeOf is where a key or an item stands.
func placeOf(n *ast.Node, text string) *diag.Span {
	if n.Text == text {
		return &n.Span
	}
	for _, p := range n.Pairs {
		if p.Key.Text == text {
			return &p.Key.Span
		}
		if s := placeOf(p.Value, text); s != nil {
			return s
		}
	}
	for _, it := range n.Items {
		if s := placeOf(it, text); s != nil {
			return s
		}
	}
	return nil
}

// TestWithParam adds a parameter, however the others are written.
func TestWithParam(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"of: c@2 # pinned\n", "of: c@2 # pinned\nparams:\n  dock: \"D 1\"\n"},
		{"of: c@2", "of: c@2\nparams:\n  dock: \"D 1\"\n"},
		{"params:\nof: c@2\n", "params:\n  dock: \"D 1\"\nof: c@2\n"},
		{"params: {}\nof: c@2\n", "params: {dock: \"D 1\"}\nof: c@2\n"},
		{"params: {code: a}   # theirs\nof: c@2\n", "params: {code: a, dock: \"D 1\"}   # theirs\nof: c@2\n"},
		{"params:\n    code: a   # theirs\n    list:\n      - x\nof: c@2\n", "params:\n    code: a   # theirs\n    list:\n      - x\n    dock: \"D 1\"\nof: c@2\n"},
	} {
		got, err := template.WithParam([]byte("instance: a\n"+c.src), "a.yaml", "dock", `"D 1"`)
		if err != nil || strings.TrimPrefix(string(got), "instance: a\n") != c.want {
			t.Errorf("%q: %v\n%s", c.src, err, got)
		}
	}
	if _, err := template.WithParam([]byte("instance: a\nof: c@2\nparams: [x]\n"), "a.yaml", "dock", "x"); err == nil {
		t.Error("a list got a parameter")
	}
}
