package rule

import "github.com/expr-lang/expr/ast"

// facts returns the paths that must be there where n is true (or false, as
// asked): what `x != nil and x > 3` tells about the second x.
func facts(w *walker, n ast.Node, truth bool) []string {
	switch t := n.(type) {
	case *ast.UnaryNode:
		if t.Operator == "not" || t.Operator == "!" {
			return facts(w, t.Node, !truth)
		}
	case *ast.BinaryNode:
		return binaryFacts(w, t, truth)
	case *ast.CallNode:
		if f, ok := t.Callee.(*ast.IdentifierNode); ok && f.Value == "blank" && !truth && len(t.Arguments) == 1 {
			return present(w, t.Arguments[0])
		}
	case *ast.MemberNode, *ast.ChainNode, *ast.IdentifierNode, *ast.PointerNode:
		// As a condition it has been true or false, so it is there.
		return present(w, n)
	}
	return nil
}

func binaryFacts(w *walker, t *ast.BinaryNode, truth bool) []string {
	switch t.Operator {
	case "and", "&&":
		if truth {
			return append(facts(w, t.Left, true), facts(w, t.Right, true)...)
		}
	case "or", "||":
		if !truth {
			return append(facts(w, t.Left, false), facts(w, t.Right, false)...)
		}
	case "==", "!=":
		left, right := isNil(t.Left), isNil(t.Right)
		equal := (t.Operator == "==") == truth
		switch {
		case left && !right && !equal:
			return present(w, t.Right)
		case right && !left && !equal:
			return present(w, t.Left)
		case !left && !right && equal && literal(t.Right):
			return present(w, t.Left)
		case !left && !right && equal && literal(t.Left):
			return present(w, t.Right)
		}
	case "in", "contains", "startsWith", "endsWith", "matches":
		if truth {
			return present(w, t.Left)
		}
	case "<", "<=", ">", ">=":
		// Computed without an error, so both are there.
		return append(present(w, t.Left), present(w, t.Right)...)
	}
	return nil
}

// present returns a path and all it goes through.
func present(w *walker, n ast.Node) []string {
	p, ok := w.pathOf(n)
	if !ok {
		return nil
	}
	var out []string
	for i := 1; i <= len(p.Segments); i++ {
		out = append(out, Path{Root: p.Root, Segments: p.Segments[:i]}.String())
	}
	return out
}

func isNil(n ast.Node) bool {
	_, ok := n.(*ast.NilNode)
	return ok
}

// literal reports whether n is a value written in the rule, other than nil.
func literal(n ast.Node) bool {
	switch n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return true
	}
	return false
}
