package rule

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Want is what a place of a rule takes a path for: yes or no where it stands as a
// condition, or what the value is with which it is compared.
type Want struct {
	Path     Path
	Op       string // == or !=; "" where the path is a condition itself
	Literal  string // as written
	Kind     WantKind
	From, To int // byte offsets: the path or the whole comparison
	LitFrom  int // those of the literal
	LitTo    int
}

// WantKind is a kind of value that a rule takes a path for.
type WantKind uint8

// What a path is taken for.
const (
	WantsBool WantKind = iota
	WantsNumber
	WantsText
)

// Wants returns what the paths of the rule are taken for, in source order.
func (p *Program) Wants() []Want { return slices.Clone(p.wants) }

// asks notes a path that stands as a condition.
func (in *inspector) asks(p Path) {
	in.c.wants = append(in.c.wants, Want{Path: p, Kind: WantsBool, From: p.From, To: p.To})
}

// compares notes a path that is compared with a value that the rule writes.
func (in *inspector) compares(t *ast.BinaryNode, field, with ast.Node) {
	p, ok := in.pathOf(field)
	if !ok {
		return
	}
	w := Want{Path: p, Op: t.Operator}
	switch with.(type) {
	case *ast.StringNode:
		w.Kind = WantsText
	case *ast.IntegerNode, *ast.FloatNode:
		w.Kind = WantsNumber
	case *ast.BoolNode:
		w.Kind = WantsBool
	default:
		return
	}
	w.LitFrom, w.LitTo = in.c.span(with)
	w.From, w.To = min(p.From, w.LitFrom), max(p.To, w.LitTo)
	if w.From < 0 || w.To > len(in.c.src) || w.LitFrom > w.LitTo {
		return
	}
	w.Literal = in.c.src[w.LitFrom:w.LitTo]
	in.c.wants = append(in.c.wants, w)
}
