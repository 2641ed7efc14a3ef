package rule

import (
	"fmt"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// demand is a comparison of something with values written in the rule: it is
// one of them, or, negated, none.
type demand struct {
	of      string
	values  map[string]bool
	negated bool
	text    string
}

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
	allowed, told := map[string]map[string]bool{}, map[string]string{}
	excluded, unlike := map[string]map[string]bool{}, map[string]string{}
	for _, part := range joined(nil, n, join) {
		d, ok := demanded(part)
		if !ok {
			continue
		}
		d.negated = d.negated != (join == "or") // a or b is not (not a and not b)
		if d.negated {
			if excluded[d.of] == nil {
				excluded[d.of] = map[string]bool{}
			}
			for v := range d.values {
				excluded[d.of][v] = true
			}
			unlike[d.of] = d.text
		} else {
			both := d.values
			if had := allowed[d.of]; had != nil {
				both = map[string]bool{}
				for v := range d.values {
					if had[v] {
						both[v] = true
					}
				}
				if len(both) == 0 {
					return told[d.of], d.text, answer
				}
			}
			allowed[d.of], told[d.of] = both, d.text
		}
		left := 0
		for v := range allowed[d.of] {
			if !excluded[d.of][v] {
				left++
			}
		}
		if allowed[d.of] != nil && left == 0 {
			return told[d.of], unlike[d.of], answer
		}
	}
	return "", "", Varies
}

// joined are the conditions that n joins with one word.
func joined(out []ast.Node, n ast.Node, join string) []ast.Node {
	b, ok := n.(*ast.BinaryNode)
	if ok && (b.Operator == join || join == "and" && b.Operator == "&&" || join == "or" && b.Operator == "||") {
		return joined(joined(out, b.Left, join), b.Right, join)
	}
	return append(out, n)
}

// demanded reads a comparison.
func demanded(n ast.Node) (demand, bool) {
	if u, ok := n.(*ast.UnaryNode); ok && (u.Operator == "not" || u.Operator == "!") {
		d, ok := demanded(u.Node)
		d.negated, d.text = !d.negated, n.String()
		return d, ok
	}
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return demand{}, false
	}
	d := demand{text: n.String(), values: map[string]bool{}}
	switch b.Operator {
	case "==", "!=":
		d.negated = b.Operator == "!="
		left, right := b.Left, b.Right
		if _, ok := written(left); ok {
			left, right = right, left
		}
		v, ok := written(right)
		if _, both := written(left); !ok || both {
			return d, false
		}
		d.of = left.String()
		d.values[v] = true
		return d, true
	case "in":
		list, ok := b.Right.(*ast.ArrayNode)
		if !ok || len(list.Nodes) == 0 {
			return d, false
		}
		for _, item := range list.Nodes {
			v, ok := written(item)
			if !ok {
				return d, false
			}
			d.values[v] = true
		}
		d.of = b.Left.String()
		return d, true
	}
	return d, false
}

// written is a value that stands in the rule; 1 and 1.0 are one value.
func written(n ast.Node) (string, bool) {
	switch t := n.(type) {
	case *ast.StringNode:
		return "text " + t.Value, true
	case *ast.IntegerNode:
		return fmt.Sprintf("number %v", float64(t.Value)), true
	case *ast.FloatNode:
		return fmt.Sprintf("number %v", t.Value), true
	case *ast.BoolNode:
		return "truth " + strconv.FormatBool(t.Value), true
	case *ast.NilNode:
		return "nothing", true
	}
	return "", false
}
