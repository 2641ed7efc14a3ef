package diag

import (
	"slices"
	"testing"
)

func TestSince(t *testing.T) {
	at := func(line int, row, source string) Diagnostic {
		return Diagnostic{Code: "XD2101", Span: Span{File: "a.yaml", Start: Point{Line: line, Col: 1}}, Name: "a", Row: row, Source: source}
	}
	a, b, twice := at(1, "x", ".x"), at(2, "y", ".y"), at(3, "x", ".x")
	moved := at(9, "x", ".x")
	for _, tt := range []struct {
		name          string
		before, after List
		fresh         []int
		gone          int
	}{
		{"nothing", nil, nil, nil, 0},
		{"all new", nil, List{a, b}, []int{0, 1}, 0},
		{"all gone", List{a, b}, nil, nil, 2},
		{"lines moved", List{a}, List{moved}, nil, 0},
		{"one came, one went", List{a}, List{b}, []int{0}, 1},
		{"the same once more", List{a}, List{a, twice}, []int{1}, 0},
		{"one of two is left", List{a, twice}, List{moved}, nil, 1},
	} {
		fresh, gone := Since(tt.before, tt.after)
		if !slices.Equal(fresh, tt.fresh) || gone != tt.gone {
			t.Errorf("%s: %v new and %d gone, want %v and %d", tt.name, fresh, gone, tt.fresh, tt.gone)
		}
	}
}
