package ast_test

import (
	"slices"
	"testing"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

func scalar(text string) *ast.Node { return &ast.Node{Text: text} }

func TestMap(t *testing.T) {
	n := &ast.Node{Kind: ast.Map, Pairs: []ast.Pair{{Key: scalar("a"), Value: scalar("1")}, {Key: scalar("b"), Value: scalar("2")}}}
	if got := n.Get("b"); got == nil || got.Text != "2" {
		t.Errorf("b is %v", got)
	}
	if n.Get("c") != nil || n.Pair("c") != nil || (*ast.Node)(nil).Get("a") != nil {
		t.Error("a key that is not there has a value")
	}
	if got := n.Pair("a"); got == nil || got.Value.Text != "1" {
		t.Errorf("a is %v", got)
	}
	if got := n.Keys(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("keys %v", got)
	}
}

func TestRange(t *testing.T) {
	// "é" and "b" stand in line 1, "cd" in line 3.
	n := &ast.Node{
		Text: "éb\ncd",
		Span: diag.Span{File: "x", Start: diag.Point{Line: 1, Col: 1}, End: diag.Point{Line: 3, Col: 9}},
		Offsets: ast.Offsets{
			{Off: 0, Point: diag.Point{Line: 1, Col: 5}},
			{Off: 4, Point: diag.Point{Line: 3, Col: 3}},
		},
	}
	point := func(line, col int) diag.Point { return diag.Point{Line: line, Col: col} }
	tests := []struct {
		from, to   int
		start, end diag.Point
	}{
		{0, 2, point(1, 5), point(1, 6)},
		{2, 3, point(1, 6), point(1, 7)},
		{0, 3, point(1, 5), point(1, 7)},
		{2, 5, point(1, 6), point(3, 4)},
		{4, 6, point(3, 3), point(3, 5)},
		{6, 6, point(3, 5), point(3, 5)},
	}
	for _, tt := range tests {
		got := n.Range(tt.from, tt.to)
		if got.Start != tt.start || got.End != tt.end || got.File != "x" {
			t.Errorf("[%d:%d] is %v to %v, want %v to %v", tt.from, tt.to, got.Start, got.End, tt.start, tt.end)
		}
	}
	n.Offsets = nil
	if got := n.Range(0, 2); got != n.Span {
		t.Errorf("without a map the whole value is meant, not %v", got)
	}
}

func TestIgnores(t *testing.T) {
	a := &ast.File{Ignores: []ast.Ignore{{Code: "XD1"}}}
	b := &ast.File{Ignores: []ast.Ignore{{Code: "XD2"}, {Code: "XD3"}}}
	if got := ast.Ignores(a, b); len(got) != 3 || got[2].Code != "XD3" {
		t.Errorf("%v", got)
	}
}
