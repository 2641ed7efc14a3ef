package rule

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"crossdock/dsl/value"
)

// misfits reports a number that is compared with a text, and a text that is
// compared with yes or no, where the schema tells what the field is: the value
// beside it has to change, not the field.
func (in *inspector) misfits(t *ast.BinaryNode) {
	in.misfit(t, t.Left, t.Right)
	in.misfit(t, t.Right, t.Left)
}

func (in *inspector) misfit(t *ast.BinaryNode, field, with ast.Node) {
	p, ok := in.pathOf(field)
	if !ok {
		return
	}
	step, _, ok := in.c.scope.Names[p.Root].At(p.Keys())
	if !ok || !step.Shape.Known() || in.c.told(p) {
		return
	}
	switch literal := with.(type) {
	case *ast.StringNode:
		if step.Shape.Type.Numeric() {
			in.quotedNumber(t, p, literal)
		}
	case *ast.BoolNode:
		if in.equality(t) && typeWords(step.Shape) == "text" && step.Shape.Type.Base != value.Any {
			in.textAsTruth(p, step.Shape, literal)
		}
	}
}

func (in *inspector) equality(t *ast.BinaryNode) bool {
	return t.Operator == "==" || t.Operator == "!="
}

// told reports whether something was said of a path already.
func (c *compilation) told(p Path) bool {
	for _, q := range c.problems {
		if q.From <= p.From && p.To <= q.To {
			return true
		}
	}
	return false
}

func (in *inspector) quotedNumber(t *ast.BinaryNode, p Path, literal *ast.StringNode) {
	from, to := in.c.span(t)
	problem := Problem{From: from, To: to, Kind: KindType, Message: "`" + t.Operator + "` cannot work with a number and text",
		Hint: "`" + p.String() + "` is a number: compare it with one, such as `100`"}
	if in.equality(t) {
		problem.Message = "a number is never equal to text"
	}
	if n := strings.TrimSpace(literal.Value); plainNumber.MatchString(n) {
		problem.Hint = "`" + p.String() + "` is a number: write `" + n + "`, without the quotes"
	}
	in.c.report(problem)
}

var plainNumber = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

func (in *inspector) textAsTruth(p Path, shape *value.Shape, literal *ast.BoolNode) {
	from, to := in.c.span(literal)
	problem := Problem{From: from, To: to, Kind: KindTruth, Message: "`" + p.String() + "` is text, and never `" + strconv.FormatBool(literal.Value) + "`",
		Hint: "compare it with the text that means it"}
	if len(shape.Options) > 0 {
		problem.Hint += `: "` + strings.Join(shape.Options[:min(len(shape.Options), 8)], `", "`) + `"`
	} else if shape.Note != "" {
		problem.Hint += "; its schema says: " + shape.Note
	}
	in.c.report(problem)
}

// standIn reports `or` in front of a value that is to stand in where there is
// none, as other languages write it.
func (in *inspector) standIn(t *ast.BinaryNode) bool {
	p, isPath := in.pathOf(t.Left)
	if !isPath || !standsIn(t.Right) {
		return false
	}
	if step, _, ok := in.c.scope.Names[p.Root].At(p.Keys()); !ok || step.Shape.Known() && step.Shape.Type.Base == value.Boolean {
		return false
	}
	_, to := in.c.span(t.Right)
	if _, isList := t.Right.(*ast.ArrayNode); isList {
		to = p.To + strings.Index(in.c.src[p.To:], "]") + 1
	}
	from := p.From
	if to <= from || to > len(in.c.src) {
		return false
	}
	_, right, _ := strings.Cut(in.c.src[from:to], t.Operator)
	safe := in.c.src[p.From:p.To] + " ?? " + strings.TrimSpace(right)
	problem := Problem{From: from, To: to, Kind: KindType, Message: "`" + t.Operator + "` joins conditions; a value that stands in where there is none comes behind `??`",
		Hint: "write `(" + safe + ")`", Replace: "(" + safe + ")"}
	if in.c.enclosed(from, to) {
		problem.Replace = safe
	}
	in.c.report(problem)
	in.c.fatal = true
	return true
}

// standsIn reports whether a node is a value that cannot be a condition.
func standsIn(n ast.Node) bool {
	switch t := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.StringNode:
		return true
	case *ast.ArrayNode:
		return len(t.Nodes) == 0
	}
	return false
}

// enclosed reports whether brackets stand around a part of the rule.
func (c *compilation) enclosed(from, to int) bool {
	return strings.HasSuffix(strings.TrimRight(c.src[:from], " "), "(") && strings.HasPrefix(strings.TrimLeft(c.src[to:], " "), ")")
}

// asTruth reports a value that is asked for yes or no and is known to be something
// else: what was meant is whether it is there.
func (in *inspector) asTruth(p Path, written string, shape *value.Shape) bool {
	if !shape.Known() || shape.Type.Base == value.Boolean || shape.Type.Base == value.Any {
		return false
	}
	problem := Problem{From: p.From, To: p.To, Kind: KindOptional, Message: "`" + written + "` is " + typeWords(shape) + ", and yes or no is needed here"}
	negated := false
	if m := negation.FindStringIndex(in.c.src[:p.From]); m != nil {
		problem.From, negated = m[0], true
	}
	there, missing := written+" != nil", written+" == nil"
	switch typeWords(shape) {
	case "text":
		there, missing = "not blank("+written+")", "blank("+written+")"
	case "a list":
		there, missing = "len("+written+" ?? []) > 0", "len("+written+" ?? []) == 0"
	}
	problem.Replace = there
	if negated {
		problem.Replace = missing
	}
	if typeWords(shape) != "text" && !in.c.alone(problem.From, problem.To) {
		problem.Replace = "(" + problem.Replace + ")"
	}
	problem.Hint = "write `" + problem.Replace + "`"
	in.c.report(problem)
	return true
}

var negation = regexp.MustCompile(`(?:\bnot\s+|!\s*)$`)

// alone reports whether a part is all of the rule.
func (c *compilation) alone(from, to int) bool {
	return from <= leading(c.src) && to >= len(c.src)-trailing(c.src)
}
