package parser

import "crossdock/dsl/ast"

// walk visits every node of a tree.
func walk(n *ast.Node, visit func(*ast.Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, p := range n.Pairs {
		walk(p.Key, visit)
		walk(p.Value, visit)
	}
	for _, i := range n.Items {
		walk(i, visit)
	}
}
