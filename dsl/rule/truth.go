package rule

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

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
		if known := counted(t); known != Varies {
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

// counted says what is known of a comparison with a number of things: none is
// less than nothing.
func counted(n ast.Node) Truth {
	d, ok := demanded(n)
	if b, isBinary := n.(*ast.BinaryNode); !ok || !isBinary || !isCount(b.Left) && !isCount(b.Right) {
		return Varies
	}
	counts := bounds{low: 0, high: math.Inf(1)}
	switch {
	case d.values == nil && counts.within(d.bounds):
		return Always
	case d.values == nil && counts.with(d.bounds).empty():
		return Never
	case d.values == nil || len(numbers(d.values)) < len(d.values) || slices.ContainsFunc(numbers(d.values), counts.has):
		return Varies
	case d.negated:
		return Always
	}
	return Never
}

func isCount(n ast.Node) bool {
	t, ok := n.(*ast.BuiltinNode)
	return ok && (t.Name == "len" || t.Name == "count")
}

// Counted is a comparison with a number of things that is decided whatever is
// given, such as len(x) >= 0.
type Counted struct {
	Always   bool // true; otherwise never
	From, To int  // byte offsets
}

// Counted returns the comparisons of the rule with a number of things of which
// the answer is known, in source order.
func (p *Program) Counted() []Counted { return slices.Clone(p.counted) }

// counts notes a comparison with a number of things of which the answer is known.
func (in *inspector) counts(t *ast.BinaryNode) {
	known := counted(t)
	if known == Varies {
		return
	}
	from, _ := in.c.span(t.Left)
	_, to := in.c.span(t.Right)
	if rest := in.c.src[to:]; isCount(t.Right) && strings.HasPrefix(rest, "(") {
		to = min(to+closing(rest[1:])+2, len(in.c.src))
	}
	if end := ended.FindStringIndex(in.c.src[to:]); end != nil {
		to += end[1] // of a negative number only the sign has a place
	}
	in.c.counted = append(in.c.counted, Counted{Always: known == Always, From: from, To: to})
}

var ended = regexp.MustCompile(`^\s*\d+(\.\d+)?`)
