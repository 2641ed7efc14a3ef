package rule

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// clash looks for conditions joined with and that exclude each other, such as
// `x == "A" and x == "B"`; with or, for those of which one always holds, such as
// `x != "A" or x != "B"`. It returns the two.
func clash(n ast.Node) (first, second string, truth Truth) {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return "", "", Varies
	}
	join, answer := "and", Never
	switch b.Operator {
	case "and", "&&":
	case "or", "||":
		join, answer = "or", Always
	default:
		return "", "", Varies
	}
	asked := map[string]*sides{}
	for _, part := range joined(nil, n, join) {
		d, ok := demanded(part)
		if !ok {
			continue
		}
		text := d.text
		if join == "or" { // a or b is not (not a and not b)
			d = d.not()
			d.text = text
		}
		a := asked[d.of]
		if a == nil {
			a = newSides()
			asked[d.of] = a
		}
		if other, bad := a.and(d); bad {
			return other, text, answer
		}
	}
	return "", "", Varies
}

// sides are what several demands ask of one thing together.
type sides struct {
	allowed  map[string]bool // nil: no demand says so
	excluded map[string]bool
	bounds   bounds
	of       []demand
}

// and adds a demand; where nothing is left it returns the text of another one
// that it excludes.
func (a *sides) and(d demand) (other string, bad bool) {
	a.add(d)
	if len(a.of) < 2 || !a.nothing() {
		return "", false
	}
	for _, o := range a.of[:len(a.of)-1] {
		if excluded(o, d) {
			return o.text, true
		}
	}
	return a.of[0].text, true
}

func newSides() *sides { return &sides{excluded: map[string]bool{}, bounds: unbounded} }

func (a *sides) add(d demand) {
	a.of = append(a.of, d)
	switch {
	case d.values == nil:
		a.bounds = a.bounds.with(d.bounds)
	case d.negated:
		for v := range d.values {
			a.excluded[v] = true
		}
	case a.allowed == nil:
		a.allowed = map[string]bool{}
		for v := range d.values {
			a.allowed[v] = true
		}
	default:
		for v := range a.allowed {
			if !d.values[v] {
				delete(a.allowed, v)
			}
		}
	}
}

// nothing reports whether no value is left.
func (a *sides) nothing() bool {
	if a.allowed == nil {
		return a.bounds.empty()
	}
	left := 0
	for v := range a.allowed {
		if a.excluded[v] {
			continue
		}
		if n := numbers(map[string]bool{v: true}); len(n) == 0 || slices.ContainsFunc(n, a.bounds.has) {
			left++
		}
	}
	return left == 0
}

// joined are the conditions that n joins with one word.
func joined(out []ast.Node, n ast.Node, join string) []ast.Node {
	b, ok := n.(*ast.BinaryNode)
	if ok && (b.Operator == join || join == "and" && b.Operator == "&&" || join == "or" && b.Operator == "||") {
		return joined(joined(out, b.Left, join), b.Right, join)
	}
	return append(out, n)
}
