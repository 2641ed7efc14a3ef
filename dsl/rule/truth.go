package rule

import "github.com/expr-lang/expr/ast"

// truth finds rules whose answer is known: what reads nothing is simply run,
// and and, or, not and conditions are followed as far as one side decides.
func (c *compilation) truth(n ast.Node, p *Program) Truth {
	if t := decided(n); t != Varies {
		p.first, p.second, _ = clash(n)
		return t
	}
	if len(c.paths) > 0 || len(c.tables) > 0 {
		return Varies
	}
	yes, err := p.Eval(Env{})
	switch {
	case err != nil:
		return Varies
	case yes:
		return Always
	}
	return Never
}

func decided(n ast.Node) Truth {
	switch t := n.(type) {
	case *ast.BoolNode:
		if t.Value {
			return Always
		}
		return Never
	case *ast.UnaryNode:
		if t.Operator == "not" || t.Operator == "!" {
			switch decided(t.Node) {
			case Always:
				return Never
			case Never:
				return Always
			}
		}
	case *ast.ConditionalNode:
		switch decided(t.Cond) {
		case Always:
			return decided(t.Exp1)
		case Never:
			return decided(t.Exp2)
		}
		if a := decided(t.Exp1); a == decided(t.Exp2) {
			return a
		}
	case *ast.BinaryNode:
		if _, _, known := clash(t); known != Varies {
			return known
		}
		a, b := decided(t.Left), decided(t.Right)
		switch t.Operator {
		case "and", "&&":
			switch {
			case a == Never || b == Never:
				return Never
			case a == Always && b == Always:
				return Always
			}
		case "or", "||":
			switch {
			case a == Always || b == Always:
				return Always
			case a == Never && b == Never:
				return Never
			}
		}
	}
	return Varies
}
