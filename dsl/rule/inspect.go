package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"crossdock/dsl/diag"
	"crossdock/dsl/value"
)

// need is what the place of a node asks of its value.
type need uint8

const (
	needAny    need = iota // nothing will do
	needBool               // true or false
	needNumber             // arithmetic
	needOrder              // < and its kin
	needText               // a function of texts
	needList               // a function of lists
	needValue              // anything but nothing
)

// allowed is one of expr's own functions that a rule may use.
type allowed struct {
	need        need // of its first value
	least, most int  // number of values, the question included
}

// builtins are expr's functions that a rule may use.
var builtins = map[string]allowed{
	"all": {needList, 2, 2}, "none": {needList, 2, 2}, "any": {needList, 2, 2}, "one": {needList, 2, 2}, "filter": {needList, 2, 2}, "map": {needList, 2, 2},
	"find": {needList, 2, 2}, "findIndex": {needList, 2, 2}, "findLast": {needList, 2, 2}, "findLastIndex": {needList, 2, 2}, "count": {needList, 1, 2}, "sum": {needList, 1, 2},
	"len": {needList, 1, 1}, "first": {needList, 1, 1}, "last": {needList, 1, 1}, "take": {needList, 2, 2}, "mean": {needList, 1, 1}, "median": {needList, 1, 1},
	"keys": {needValue, 1, 1}, "values": {needValue, 1, 1}, "get": {needValue, 2, 2},
	"abs": {needNumber, 1, 1}, "ceil": {needNumber, 1, 1}, "floor": {needNumber, 1, 1}, "round": {needNumber, 1, 1}, "max": {needNumber, 1, 20}, "min": {needNumber, 1, 20},
	"int": {needValue, 1, 1}, "float": {needValue, 1, 1}, "string": {needValue, 1, 1}, "type": {needAny, 1, 1},
	"trim": {needText, 1, 2}, "trimPrefix": {needText, 2, 2}, "trimSuffix": {needText, 2, 2}, "upper": {needText, 1, 1}, "lower": {needText, 1, 1}, "split": {needText, 2, 3},
	"indexOf": {needText, 2, 2}, "lastIndexOf": {needText, 2, 2}, "hasPrefix": {needText, 2, 2}, "hasSuffix": {needText, 2, 2}, "date": {needText, 1, 2}, "duration": {needText, 1, 1},
}

// growing are the functions that build a text as long as their argument. In a
// map() each item would keep one.
var growing = []string{"upper", "lower", "split", "string"}

// Limits of one rule.
const (
	maxPredicates = 2   // predicates inside one another
	maxExpression = 300 // instructions of a regular expression
	maxMatched    = 64 << 10
)

// inspector walks the tree as written and reports what is wrong with it.
type inspector struct {
	walker
	predicates int
	mapping    int            // inside how many map() we are
	present    map[string]int // paths that are known to be there at this point
}

func (in *inspector) visit(n ast.Node, need need) {
	switch t := n.(type) {
	case *ast.ChainNode:
		if _, ok := in.pathOf(t); ok {
			in.path(t, need)
			return
		}
		in.visit(t.Node, need)
	case *ast.MemberNode, *ast.IdentifierNode, *ast.PointerNode:
		in.access(n, need)
	case *ast.UnaryNode:
		if t.Operator == "not" || t.Operator == "!" {
			in.visit(t.Node, needBool)
		} else {
			in.visit(t.Node, needNumber)
		}
	case *ast.BinaryNode:
		in.binary(t, need)
	case *ast.ConditionalNode:
		in.visit(t.Cond, needBool)
		in.assume(facts(&in.walker, t.Cond, true), func() { in.visit(t.Exp1, need) })
		in.assume(facts(&in.walker, t.Cond, false), func() { in.visit(t.Exp2, need) })
	case *ast.BuiltinNode:
		in.builtin(t)
	case *ast.CallNode:
		in.call(t)
	case *ast.PredicateNode:
		in.visit(t.Node, need)
	case *ast.SliceNode:
		in.visit(t.Node, needValue)
		for _, bound := range []ast.Node{t.From, t.To} {
			if bound != nil {
				in.visit(bound, needNumber)
			}
		}
	case *ast.ArrayNode:
		for _, item := range t.Nodes {
			in.visit(item, needAny)
		}
	case *ast.VariableDeclaratorNode:
		in.declaration(t, need)
	case *ast.MapNode:
		in.refuse(t, "a rule cannot build objects", "compare fields one by one")
	case *ast.SequenceNode:
		in.refuse(t, "a rule is one condition", "join conditions with `and`")
	}
}

func (in *inspector) refuse(n ast.Node, message, hint string) {
	from, to := in.c.span(n)
	in.c.report(Problem{From: from, To: to, Kind: KindLimit, Message: message, Hint: hint})
}

// assume visits something while paths are known to be there.
func (in *inspector) assume(paths []string, f func()) {
	for _, p := range paths {
		in.present[p]++
	}
	f()
	for _, p := range paths {
		in.present[p]--
	}
}

func (in *inspector) declaration(t *ast.VariableDeclaratorNode, need need) {
	from, to := in.c.span(t)
	if _, taken := in.c.scope.Names[t.Name]; taken || strings.HasPrefix(t.Name, "$") || findFunction(t.Name) != nil {
		in.c.report(Problem{From: from, To: to, Kind: KindName, Message: "`" + t.Name + "` already means something else", Hint: "choose another name behind let"})
	}
	in.visit(t.Value, needAny)
	l := local{name: t.Name}
	if p, ok := in.pathOf(t.Value); ok {
		l.path = &p
	}
	in.locals = append(in.locals, l)
	in.visit(t.Expr, need)
	in.locals = in.locals[:len(in.locals)-1]
}

// access visits names, pointers and member accesses.
func (in *inspector) access(n ast.Node, need need) {
	if _, ok := in.pathOf(n); ok {
		in.path(n, need)
		return
	}
	switch t := in.c.unchain(n).start.(type) {
	case *ast.IdentifierNode:
		if _, isLocal := in.local(t.Value); !isLocal {
			from, to := in.c.span(t)
			in.c.unknownName(t.Value, from, to)
		}
	case *ast.PointerNode:
		if t.Name != "" {
			in.refuse(t, "#"+t.Name+" has no meaning here", "# is the item itself")
		}
	case *ast.MemberNode:
		if t.Method {
			in.refuse(t, "a value has no functions of its own here", in.fronted(t, nil))
			return
		}
		in.visit(t.Node, needAny)
		in.visit(t.Property, needAny)
	default:
		in.visit(t, needValue)
	}
}

// path records what is read and checks it against the schema.
func (in *inspector) path(n ast.Node, need need) {
	p, _ := in.pathOf(n)
	in.c.paths = append(in.c.paths, p)
	if need == needBool {
		in.asks(p)
	}
	shape := in.c.scope.Names[p.Root]
	step, bad, ok := shape.At(p.Keys())
	if !ok {
		in.unknownField(p, bad, shape)
		return
	}
	if need != needAny && need != needValue && !step.Shape.Known() && in.said(p) {
		in.optional(p, &value.Shape{}, need)
		return
	}
	if need == needAny || !shape.Known() || !step.Shape.Known() || !in.mayBeMissing(p, shape) {
		return
	}
	in.optional(p, step.Shape, need)
}

// said reports whether a path says with `?.` that it may lead to nothing, and
// nothing has shown that it is there.
func (in *inspector) said(p Path) bool {
	for i, s := range p.Segments {
		if in.present[(Path{Root: p.Root, Segments: p.Segments[:i+1]}).String()] > 0 && i == len(p.Segments)-1 {
			return false
		}
		if s.Optional {
			return in.present[p.String()] == 0
		}
	}
	return false
}

// stands reports a value behind `??` of another type than what it stands for.
func (in *inspector) stands(field, literal ast.Node) {
	p, isPath := in.pathOf(field)
	if !isPath {
		return
	}
	step, _, ok := in.c.scope.Names[p.Root].At(p.Keys())
	if !ok || !step.Shape.Known() {
		return
	}
	have := typeWords(step.Shape)
	found, instead := "", ""
	switch literal.(type) {
	case *ast.StringNode:
		found = "text"
	case *ast.BoolNode:
		found = "true or false"
	case *ast.IntegerNode, *ast.FloatNode:
		found = "a number"
	default:
		return
	}
	switch have {
	case "true or false":
		instead = "false"
	case "a number":
		instead = "0"
	case "text":
		instead = `""`
	case "a list":
		instead = "[]"
	}
	if found == have || instead == "" || step.Shape.Type.Base == value.Any {
		return
	}
	from, to := in.c.span(literal)
	in.c.report(Problem{From: from, To: to, Kind: KindType, Message: "`" + p.String() + "` is " + have + ", and what stands for it is " + found,
		Hint: "write `(" + p.String() + " ?? " + instead + ")`"})
}

// mayBeMissing reports whether some step of a path is optional and nothing has
// shown that it is there.
func (in *inspector) mayBeMissing(p Path, shape *value.Shape) bool {
	keys := p.Keys()
	if in.present[p.String()] > 0 {
		return false
	}
	for i := range keys {
		if keys[i] == value.Items && !p.Segments[i].Indexed {
			continue
		}
		up, _, _ := shape.At(keys[:i])
		here := Path{Root: p.Root, Segments: p.Segments[:i+1]}.String()
		if in.present[here] > 0 {
			continue
		}
		if p.Segments[i].Indexed {
			return true // a list may be shorter
		}
		if up.Shape.Known() && up.Shape.Fields[keys[i]] != nil && !up.Shape.Fields[keys[i]].Required {
			return true
		}
	}
	return false
}

func (in *inspector) optional(p Path, shape *value.Shape, need need) {
	written := in.c.src[p.From:p.To]
	if strings.TrimSpace(written) == "" {
		written = p.String()
	}
	if need == needBool && in.asTruth(p, written, shape) {
		return
	}
	instead := "0"
	switch {
	case need == needBool || shape.Type.Base == value.Boolean:
		instead = "false"
	case need == needList || shape.Type.Base == value.List:
		instead = "[]"
	case shape.Type.Temporal():
		in.c.report(Problem{From: p.From, To: p.To, Kind: KindOptional, Message: "`" + written + "` may be missing, and a value is needed here",
			Hint: "write `" + written + " != nil and ...` in front"})
		return
	case shape.Type.Textual():
		instead = `""`
	}
	safe := "(" + written + " ?? " + instead + ")"
	in.c.report(Problem{From: p.From, To: p.To, Kind: KindOptional, Message: "`" + written + "` may be missing, and a value is needed here",
		Hint: "write `" + safe + "`", Replace: safe})
}

func (in *inspector) unknownField(p Path, bad int, shape *value.Shape) {
	at := p.Segments[bad]
	up, _, _ := shape.At(p.Keys()[:bad])
	where := Path{Root: p.Root, Segments: p.Segments[:bad]}.String()
	problem := Problem{From: at.From, To: at.To, Kind: KindField}
	names := up.Shape.Names()
	switch {
	case at.Name == value.Items:
		problem.Message = where + " is " + typeWords(up.Shape) + " and has no items"
	case up.Shape.Type.Base == value.List:
		problem.Message = where + " is a list, so `" + at.Name + "` must be asked of its items"
		problem.Hint = "write `any(" + where + ", ." + at.Name + " == ...)`, or `" + where + "[0]." + at.Name + "` for the first"
	case len(names) == 0:
		problem.Message = where + " is " + typeWords(up.Shape) + " and has no field `" + at.Name + "`"
	default:
		problem.Message = "`" + at.Name + "` does not exist in " + where
		problem.Hint = "you can use: " + strings.Join(names[:min(len(names), 20)], ", ")
		if near := diag.Nearest(at.Name, names); len(near) > 0 {
			problem.Short, problem.Replace = "did you mean `"+near[0]+"`?", near[0]
			switch quoted := strings.IndexByte("\"'`", in.c.src[at.From]) >= 0; {
			case quoted:
				problem.Replace = strconv.Quote(near[0])
			case !plainName(near[0]):
				problem.Replace, problem.Hint = "", "write `"+where+"["+strconv.Quote(near[0])+"]`"
			}
		}
	}
	in.c.report(problem)
}

func (in *inspector) binary(t *ast.BinaryNode, need need) {
	in.counts(t)
	both := func(n need2) { in.visit(t.Left, n.left); in.visit(t.Right, n.right) }
	switch t.Operator {
	case "and", "&&":
		in.visit(t.Left, needBool)
		in.assume(facts(&in.walker, t.Left, true), func() { in.visit(t.Right, needBool) })
	case "or", "||":
		if in.standIn(t) {
			return
		}
		in.visit(t.Left, needBool)
		in.assume(facts(&in.walker, t.Left, false), func() { in.visit(t.Right, needBool) })
	case "??":
		both(need2{needAny, need})
		in.stands(t.Left, t.Right)
	case "==", "!=":
		both(need2{needAny, needAny})
		in.options(t.Left, t.Right)
		in.options(t.Right, t.Left)
		in.compares(t, t.Left, t.Right)
		in.compares(t, t.Right, t.Left)
		in.misfits(t)
	case "in":
		both(need2{needAny, needAny})
		if a, ok := t.Right.(*ast.ArrayNode); ok {
			for _, item := range a.Nodes {
				in.options(t.Left, item)
			}
		}
	case "contains", "startsWith", "endsWith":
		both(need2{needAny, needAny})
	case "matches":
		in.visit(t.Left, needAny)
		in.expression(t.Right)
	case "<", "<=", ">", ">=":
		both(need2{needOrder, needOrder})
		in.misfits(t)
	case "+":
		if in.mapping > 0 {
			in.refuse(t, "`+` cannot stand inside map()", "compare the fields themselves")
		}
		both(need2{needNumber, needNumber})
	default:
		both(need2{needNumber, needNumber})
	}
}

type need2 struct{ left, right need }

// options reports a text that the field beside it can never be.
func (in *inspector) options(field, literal ast.Node) {
	text, isText := literal.(*ast.StringNode)
	p, isPath := in.pathOf(field)
	if !isText || !isPath {
		return
	}
	step, _, ok := in.c.scope.Names[p.Root].At(p.Keys())
	if !ok || step.Shape == nil || len(step.Shape.Options) == 0 || slices.Contains(step.Shape.Options, text.Value) {
		return
	}
	from, to := in.c.span(text)
	problem := Problem{From: from, To: to, Kind: KindOption, Warning: true, Message: p.String() + " can never be \"" + text.Value + "\"",
		Hint: "options: " + strings.Join(step.Shape.Options, ", ")}
	if near := diag.Nearest(text.Value, step.Shape.Options); len(near) > 0 {
		problem.Short, problem.Replace = "did you mean `"+near[0]+"`?", `"`+near[0]+`"`
	}
	in.c.report(problem)
}
