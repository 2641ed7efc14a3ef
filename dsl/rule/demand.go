package rule

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// demand is a comparison of something with values written in the rule: it is one
// of them, or, negated, none; or it lies within bounds.
type demand struct {
	of      string
	values  map[string]bool // nil where it has bounds
	negated bool
	bounds  bounds
	text    string
}

// bounds are those of a number. An open bound is not part of it.
type bounds struct {
	low, high         float64
	lowOpen, highOpen bool
}

var unbounded = bounds{low: math.Inf(-1), high: math.Inf(1)}

// with are the numbers that lie within both.
func (b bounds) with(c bounds) bounds {
	if c.low > b.low || c.low == b.low && c.lowOpen {
		b.low, b.lowOpen = c.low, c.lowOpen
	}
	if c.high < b.high || c.high == b.high && c.highOpen {
		b.high, b.highOpen = c.high, c.highOpen
	}
	return b
}

func (b bounds) empty() bool { return b.low > b.high || b.low == b.high && (b.lowOpen || b.highOpen) }

func (b bounds) has(n float64) bool { return !b.with(bounds{low: n, high: n}).empty() }

// within reports whether all numbers of b are also in c.
func (b bounds) within(c bounds) bool { return b.with(c) == b }

// not are the numbers outside of bounds that are open to one side.
func (b bounds) not() bounds {
	if math.IsInf(b.low, -1) {
		return bounds{low: b.high, lowOpen: !b.highOpen, high: math.Inf(1)}
	}
	return bounds{low: math.Inf(-1), high: b.low, highOpen: !b.lowOpen}
}

// not is the demand that holds where d does not.
func (d demand) not() demand {
	if d.values == nil {
		d.bounds = d.bounds.not()
	} else {
		d.negated = !d.negated
	}
	return d
}

// within reports whether e holds wherever d does. A text is no number, so a
// comparison with bounds fails on it instead of holding.
func (d demand) within(e demand) bool {
	if d.of != e.of {
		return false
	}
	switch {
	case d.values == nil && e.values == nil:
		return d.bounds.within(e.bounds)
	case d.values == nil:
		return e.negated && !slices.ContainsFunc(numbers(e.values), d.bounds.has)
	case e.values == nil:
		in := numbers(d.values)
		return !d.negated && len(in) == len(d.values) && !slices.ContainsFunc(in, func(n float64) bool { return !e.bounds.has(n) })
	}
	for v := range d.values {
		if !d.negated && e.values[v] == e.negated {
			return false
		}
	}
	if d.negated {
		for v := range e.values {
			if !e.negated || !d.values[v] {
				return false
			}
		}
	}
	return true
}

// numbers are those among values that are numbers.
func numbers(values map[string]bool) []float64 {
	var out []float64
	for v := range values {
		if rest, ok := strings.CutPrefix(v, "number "); ok {
			if n, err := strconv.ParseFloat(rest, 64); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// demanded reads a comparison.
func demanded(n ast.Node) (demand, bool) {
	if u, ok := n.(*ast.UnaryNode); ok && (u.Operator == "not" || u.Operator == "!") {
		d, ok := demanded(u.Node)
		d = d.not()
		d.text = n.String()
		return d, ok
	}
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return demand{}, false
	}
	d := demand{text: n.String()}
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
		d.of, d.values = left.String(), map[string]bool{v: true}
		return d, true
	case "in":
		list, ok := b.Right.(*ast.ArrayNode)
		if !ok || len(list.Nodes) == 0 {
			return d, false
		}
		d.values = map[string]bool{}
		for _, item := range list.Nodes {
			v, ok := written(item)
			if !ok {
				return d, false
			}
			d.values[v] = true
		}
		d.of = b.Left.String()
		return d, true
	case "<", "<=", ">", ">=":
		return d.bounded(b)
	case "or", "||":
		return d.oneOf(n)
	}
	return d, false
}

// oneOf reads comparisons of one thing with values, joined with or.
func (d demand) oneOf(n ast.Node) (demand, bool) {
	d.values = map[string]bool{}
	for _, part := range joined(nil, n, "or") {
		one, ok := demanded(part)
		if !ok || one.negated || one.values == nil || d.of != "" && one.of != d.of {
			return demand{}, false
		}
		d.of = one.of
		for v := range one.values {
			d.values[v] = true
		}
	}
	return d, true
}

// bounded reads a comparison with a number.
func (d demand) bounded(b *ast.BinaryNode) (demand, bool) {
	of, n, isNumber := b.Left, 0.0, false
	op := b.Operator
	if n, isNumber = numeral(b.Right); !isNumber {
		if n, isNumber = numeral(b.Left); !isNumber {
			return d, false
		}
		of, op = b.Right, map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}[op]
	}
	if _, both := written(of); both {
		return d, false
	}
	d.of, d.bounds = of.String(), unbounded
	if op[0] == '<' {
		d.bounds.high, d.bounds.highOpen = n, op == "<"
	} else {
		d.bounds.low, d.bounds.lowOpen = n, op == ">"
	}
	return d, true
}

// numeral is a number that stands in the rule.
func numeral(n ast.Node) (float64, bool) {
	switch t := n.(type) {
	case *ast.IntegerNode:
		return float64(t.Value), true
	case *ast.FloatNode:
		return t.Value, true
	case *ast.UnaryNode:
		v, ok := numeral(t.Node)
		return -v, ok && t.Operator == "-"
	}
	return 0, false
}

// written is a value that stands in the rule; 1 and 1.0 are one value.
func written(n ast.Node) (string, bool) {
	if v, ok := numeral(n); ok {
		return fmt.Sprintf("number %v", v), true
	}
	switch t := n.(type) {
	case *ast.StringNode:
		return "text " + t.Value, true
	case *ast.BoolNode:
		return "truth " + strconv.FormatBool(t.Value), true
	case *ast.NilNode:
		return "nothing", true
	}
	return "", false
}

// told are the demands that a rule joins with and, and whether it is nothing else.
func told(n ast.Node) (all []demand, only bool) {
	only = true
	for _, part := range joined(nil, n, "and") {
		d, ok := demanded(part)
		if !ok {
			only = false
			continue
		}
		all = append(all, d)
	}
	return all, only
}

// Within reports whether q holds wherever p does, as far as comparisons with
// values that stand in the rules tell.
func (p *Program) Within(q *Program) bool {
	if !q.onlyDemands || len(q.demands) == 0 {
		return false
	}
	for _, e := range q.demands {
		if !slices.ContainsFunc(p.demands, func(d demand) bool { return d.within(e) }) {
			return false
		}
	}
	return true
}

// Apart reports whether p and q never hold for the same message, as far as the
// comparisons with values tell that stand first in both: who asks p and who asks
// q first get the same answers.
func (p *Program) Apart(q *Program) bool {
	return p.lead.values != nil && q.lead.values != nil && p.lead.within(q.lead.not())
}

// leadOf is the comparison that decides before anything else of a rule is read;
// its values are nil where the rule begins with something else.
func leadOf(n ast.Node) demand {
	d, ok := demanded(joined(nil, n, "and")[0])
	if !ok {
		return demand{}
	}
	return d
}

// Choice returns the path that a rule compares with texts, and those for which it
// holds; ok is false where it does anything else.
func (p *Program) Choice() (path string, texts []string, ok bool) {
	return p.choice.of, slices.Clone(p.choice.texts), p.choice.of != ""
}

// choice is what Choice returns.
type choice struct {
	of    string
	texts []string
}

// choiceOf reads comparisons of one thing with texts, joined with or.
func choiceOf(n ast.Node) choice {
	var c choice
	for _, part := range joined(nil, n, "or") {
		d, ok := demanded(part)
		if !ok || d.negated || d.values == nil || c.of != "" && d.of != c.of {
			return choice{}
		}
		c.of = d.of
		for v := range d.values {
			text, isText := strings.CutPrefix(v, "text ")
			if !isText {
				return choice{}
			}
			c.texts = append(c.texts, text)
		}
	}
	slices.Sort(c.texts)
	return c
}
