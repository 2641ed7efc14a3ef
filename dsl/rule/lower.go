package rule

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// form is how a value is wanted by the place it stands at.
type form bool

const (
	plain   form = false // as it stands in the document
	numeric form = true  // numbers as the machine computes with them
)

// lowering rewrites the tree for the machine: paths become slots filled before
// it runs, and operators that expr computes in binary or with other rules for
// missing values become calls.
type lowering struct {
	walker
	careful bool // follow paths only when they are needed
	slots   []slot
	names   map[string]string // slot by path and form
	places  map[int]operation
	looped  bool
}

func (l *lowering) lower(n ast.Node, want form) ast.Node {
	switch t := n.(type) {
	case *ast.ChainNode, *ast.MemberNode, *ast.IdentifierNode, *ast.PointerNode:
		return l.access(n, want)
	case *ast.UnaryNode:
		l.note(t, t.Operator, t.Node)
		number := literal(t.Node)
		t.Node = l.lower(t.Node, numeric)
		if t.Operator == "-" && !number {
			return call(t, "$-", constant(t, 0), t.Node)
		}
	case *ast.BinaryNode:
		return l.binary(t, want)
	case *ast.ConditionalNode:
		l.note(t, "if", t.Cond)
		t.Cond, t.Exp1, t.Exp2 = l.lower(t.Cond, plain), l.lower(t.Exp1, want), l.lower(t.Exp2, want)
	case *ast.BuiltinNode:
		return l.builtin(t, want)
	case *ast.CallNode:
		l.note(t, t.Callee.(*ast.IdentifierNode).Value, t.Arguments...)
		for i := range t.Arguments {
			t.Arguments[i] = l.argument(t.Arguments[i])
		}
	case *ast.SliceNode:
		l.note(t, "[:]", t.Node)
		t.Node = l.lower(t.Node, plain)
		if t.From != nil {
			t.From = l.lower(t.From, numeric)
		}
		if t.To != nil {
			t.To = l.lower(t.To, numeric)
		}
	case *ast.ArrayNode:
		for i := range t.Nodes {
			t.Nodes[i] = l.lower(t.Nodes[i], plain)
		}
	case *ast.VariableDeclaratorNode:
		known := local{name: t.Name}
		t.Value = l.lower(t.Value, plain)
		l.locals = append(l.locals, known)
		t.Expr = l.lower(t.Expr, want)
		l.locals = l.locals[:len(l.locals)-1]
	}
	return n
}

// argument lowers an argument of an added function. Numbers written in the
// rule are handed over with the digits people mean.
func (l *lowering) argument(n ast.Node) ast.Node {
	if f, ok := n.(*ast.FloatNode); ok {
		return constant(n, json.Number(strconv.FormatFloat(f.Value, 'f', -1, 64)))
	}
	return l.lower(n, plain)
}

func constant(at ast.Node, v any) ast.Node {
	c := &ast.ConstantNode{Value: v}
	c.SetLocation(at.Location())
	return c
}

func call(at ast.Node, name string, args ...ast.Node) ast.Node {
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation(at.Location())
	c := &ast.CallNode{Callee: callee, Arguments: args}
	c.SetLocation(at.Location())
	return c
}

func identifier(at ast.Node, name string) ast.Node {
	id := &ast.IdentifierNode{Value: name}
	id.SetLocation(at.Location())
	return id
}

// access lowers names, pointers and member accesses.
func (l *lowering) access(n ast.Node, want form) ast.Node {
	ch := l.c.unchain(n)
	var start ast.Node
	switch s := ch.start.(type) {
	case *ast.IdentifierNode:
		if _, isLocal := l.local(s.Value); !isLocal {
			if !l.careful {
				return l.slot(n, s.Value, ch.segments, want)
			}
			start = l.slot(n, s.Value, nil, plain)
		} else {
			start = s
		}
	case *ast.PointerNode:
		if s.Name != "" {
			return s // #index is a number already
		}
		start = s
	case *ast.MemberNode:
		l.note(s, "[]", s.Node)
		s.Node, s.Property = l.lower(s.Node, plain), l.lower(s.Property, numeric)
		start = call(s, "$item", s.Node, s.Property)
	default:
		start = l.lower(s, plain)
	}
	if len(ch.segments) > 0 {
		text := "a value"
		if p, ok := l.pathOf(n); ok {
			text = p.String()
		}
		start = call(n, "$get", start, constant(n, &route{steps: ch.segments, text: text}))
	}
	if want == numeric {
		return call(n, "$num", start)
	}
	return start
}

// slot returns the identifier under which a path is found.
func (l *lowering) slot(at ast.Node, root string, steps []Segment, want form) ast.Node {
	p := Path{Root: root, Segments: steps}
	key := p.String()
	if want == numeric {
		key = "#" + key
	}
	name, ok := l.names[key]
	if !ok {
		name = "$" + strconv.Itoa(len(l.slots))
		l.names[key] = name
		l.slots = append(l.slots, slot{name: name, root: rootIndex(root), steps: steps, numeric: want == numeric, path: p})
	}
	return identifier(at, name)
}

func rootIndex(name string) int { return slices.Index(Names, name) }

func (l *lowering) binary(t *ast.BinaryNode, want form) ast.Node {
	l.note(t, t.Operator, t.Left, t.Right)
	switch t.Operator {
	case "==", "!=":
		return l.equality(t)
	case "??":
		t.Left, t.Right = l.lower(t.Left, want), l.lower(t.Right, want)
	case "in":
		return l.membership(t)
	case "matches":
		re := regexp.MustCompile(t.Right.(*ast.StringNode).Value)
		return call(t, "$matches", l.lower(t.Left, plain), constant(t.Right, &expression{re}))
	case "contains", "startsWith", "endsWith", "and", "&&", "or", "||":
		t.Left, t.Right = l.lower(t.Left, plain), l.lower(t.Right, plain)
	case "<", "<=", ">", ">=":
		if !l.ready(t.Left, t.Right) {
			return call(t, "$order", constant(t, t.Operator), l.lower(t.Left, plain), l.lower(t.Right, plain))
		}
		t.Left, t.Right = l.lower(t.Left, numeric), l.lower(t.Right, numeric)
	case "+", "-", "*":
		return call(t, "$"+t.Operator, l.lower(t.Left, numeric), l.lower(t.Right, numeric))
	default:
		t.Left, t.Right = l.lower(t.Left, numeric), l.lower(t.Right, numeric)
	}
	return t
}

// equality compares with the machine where one side is written in the rule,
// and exactly where both come from data.
func (l *lowering) equality(t *ast.BinaryNode) ast.Node {
	want := plain
	numbers := countable(t.Left) || countable(t.Right)
	switch {
	case numbers && l.ready(t.Left, t.Right):
		want = numeric
	case numbers || !literal(t.Left) && !literal(t.Right) && !isNil(t.Left) && !isNil(t.Right):
		equal := call(t, "$same", l.lower(t.Left, plain), l.lower(t.Right, plain))
		if t.Operator == "==" {
			return equal
		}
		not := &ast.UnaryNode{Operator: "not", Node: equal}
		not.SetLocation(t.Location())
		return not
	}
	t.Left, t.Right = l.lower(t.Left, want), l.lower(t.Right, want)
	return t
}

// ready reports whether the machine's own operators are right for two numbers:
// one of them is computed or written in the rule, and the other one too or a
// slot, which is left to the careful program where it does not fit.
func (l *lowering) ready(a, b ast.Node) bool {
	return (countable(a) || countable(b)) && l.simple(a) && l.simple(b)
}

func (l *lowering) simple(n ast.Node) bool {
	if countable(n) {
		return true
	}
	if t, ok := n.(*ast.BinaryNode); ok && t.Operator == "??" {
		return l.simple(t.Left) && l.simple(t.Right)
	}
	start, ok := l.c.unchain(n).start.(*ast.IdentifierNode)
	if !ok || l.careful {
		return false
	}
	_, isLocal := l.local(start.Value)
	return !isLocal
}

// countable reports whether a node can only be a number, so that the machine's
// own operators are right and quicker.
func countable(n ast.Node) bool {
	switch t := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	case *ast.UnaryNode:
		return t.Operator == "-" || t.Operator == "+"
	case *ast.BinaryNode:
		switch t.Operator {
		case "-", "*", "/", "%", "**", "^":
			return true
		}
	case *ast.BuiltinNode:
		switch t.Name {
		case "len", "count", "sum", "abs", "ceil", "floor", "round", "int", "float", "mean", "median", "indexOf", "lastIndexOf", "findIndex", "findLastIndex", "duration":
			return true
		}
	case *ast.CallNode:
		f, ok := t.Callee.(*ast.IdentifierNode)
		return ok && f.Value == "hours_between"
	case *ast.PointerNode:
		return t.Name == "index"
	}
	return false
}

func (l *lowering) membership(t *ast.BinaryNode) ast.Node {
	if r, ok := t.Right.(*ast.BinaryNode); ok && r.Operator == ".." {
		return call(t, "$between", l.lower(t.Left, plain), l.lower(r.Left, numeric), l.lower(r.Right, numeric))
	}
	if a, ok := t.Right.(*ast.ArrayNode); ok {
		if set, ok := literalSet(a); ok {
			return call(t, "$in", l.lower(t.Left, plain), constant(a, set))
		}
	}
	return call(t, "$in", l.lower(t.Left, plain), l.lower(t.Right, plain))
}

func literalSet(a *ast.ArrayNode) (*literals, bool) {
	set := &literals{texts: map[string]struct{}{}}
	for _, n := range a.Nodes {
		switch t := n.(type) {
		case *ast.StringNode:
			set.texts[t.Value] = struct{}{}
		case *ast.IntegerNode:
			set.rest = append(set.rest, t.Value)
		case *ast.FloatNode:
			set.rest = append(set.rest, t.Value)
		case *ast.BoolNode:
			set.rest = append(set.rest, t.Value)
		case *ast.NilNode:
			set.rest = append(set.rest, nil)
		default:
			return nil, false
		}
	}
	return set, true
}

// given are the functions whose arguments stay as they are in the document.
var given = []string{"len", "first", "last", "take", "keys", "values", "get", "string"}

func (l *lowering) builtin(t *ast.BuiltinNode, want form) ast.Node {
	l.note(t, t.Name, t.Arguments...)
	list := t.Arguments[0]
	// From the last to the first, because a predicate needs to see its list as
	// it was written.
	for i, arg := range slices.Backward(t.Arguments) {
		switch {
		case i == 0 && builtins[t.Name].need == needList || slices.Contains(given, t.Name):
			form := plain
			if i > 0 {
				form = numeric
			}
			t.Arguments[i] = l.lower(arg, form)
		case isPredicate(arg):
			p := arg.(*ast.PredicateNode)
			l.into(list, func() { l.predicate(t.Name, p) })
		case builtins[t.Name].need == needText:
			t.Arguments[i] = l.lower(arg, plain)
		default:
			t.Arguments[i] = l.lower(arg, numeric)
		}
	}
	if builtins[t.Name].need == needList && t.Name != "len" {
		t.Arguments[0] = call(t, "$list", t.Arguments[0])
	}
	switch t.Name {
	case "sum", "count":
		if len(t.Arguments) == 1 {
			p := &ast.PredicateNode{Node: &ast.PointerNode{}}
			p.SetLocation(t.Location())
			p.Node.SetLocation(t.Location())
			l.predicate(t.Name, p)
			t.Arguments = append(t.Arguments, p)
		}
	case "mean", "median":
		t.Arguments[0] = call(t, "$nums", t.Arguments[0])
	case "max", "min":
		if len(t.Arguments) == 1 {
			t.Arguments[0] = call(t, "$nums", t.Arguments[0])
		}
	case "string", "int", "float", "len", "upper", "lower", "split":
		return call(t, "$"+t.Name, t.Arguments...)
	case "first", "last", "find", "findLast", "get":
		if want == numeric {
			return call(t, "$num", t)
		}
	}
	return t
}

func isPredicate(n ast.Node) bool {
	_, ok := n.(*ast.PredicateNode)
	return ok
}

// predicate lowers what is asked of each item and counts the items.
func (l *lowering) predicate(function string, p *ast.PredicateNode) {
	l.looped = true
	want := plain
	if function == "sum" {
		want = numeric
	}
	l.note(p, "each", p.Node)
	body := l.lower(p.Node, want)
	tick := call(p, "$tick", identifier(p, budgetName))
	seq := &ast.SequenceNode{Nodes: []ast.Node{tick, body}}
	seq.SetLocation(p.Location())
	p.Node = seq
}

// note remembers what stands at a place, for the words of a failure.
func (l *lowering) note(n ast.Node, operator string, operands ...ast.Node) {
	op := operation{operator: operator}
	for _, o := range operands {
		operand := operand{}
		if p, ok := l.pathOf(o); ok {
			operand.path, operand.known = p, true
		} else if literal(o) {
			operand.literal = true
		}
		op.operands = append(op.operands, operand)
	}
	at := n.Location().From
	if _, taken := l.places[at]; !taken {
		l.places[at] = op
	}
}
