package rule

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// Variant is a rule with one small change: a mistake somebody could have made.
type Variant struct {
	From, To int    // what of the rule is changed, in bytes
	What     string // in words: "`>` became `>=`"
	Source   string // of the changed rule
}

// turned are the operators that stand in for one another, the nearest mistake
// first.
var turned = map[string][]string{
	"==": {"!="}, "!=": {"=="},
	"<": {"<=", ">="}, "<=": {"<", ">"}, ">": {">=", "<="}, ">=": {">", "<"},
	"and": {"or"}, "&&": {"||"}, "or": {"and"}, "||": {"&&"},
	"+": {"-"}, "-": {"+"}, "*": {"/"}, "/": {"*"},
}

// Variants returns changes of the rule in reading order: another operator,
// another text, a condition without its `not`. They are made in the tree of the
// rule, which is written anew; some may not compile.
func (p *Program) Variants() []Variant {
	c := &compilation{src: p.source, offsets: byteOffsets(p.source)}
	tree, ok := c.parse()
	if !ok {
		return nil
	}
	v := &varier{c: c, root: &tree.Node, names: map[ast.Node]bool{}}
	ast.Walk(&tree.Node, namesOf(v.names))
	ast.Walk(&tree.Node, v)
	for _, path := range p.paths {
		if n := len(path.Segments); n > 0 {
			s := path.Segments[n-1]
			if text := p.source[s.From:s.To]; plainName(text) && text == s.Name {
				v.note(Variant{From: s.From, To: s.To, What: "`" + text + "` is not read", Source: p.source[:s.From] + nowhere + p.source[s.To:]})
			}
		}
	}
	slices.SortStableFunc(v.out, func(a, b Variant) int { return a.From - b.From })
	return v.out
}

// nowhere is a field that no payload has.
const nowhere = "no_such_field__"

// namesOf collects the texts of a tree that are names of fields.
type namesOf map[ast.Node]bool

// Visit implements ast.Visitor.
func (m namesOf) Visit(n *ast.Node) {
	if member, ok := (*n).(*ast.MemberNode); ok {
		m[member.Property] = true
	}
}

type varier struct {
	c     *compilation
	root  *ast.Node
	names map[ast.Node]bool
	out   []Variant
}

// Visit implements ast.Visitor.
func (v *varier) Visit(n *ast.Node) {
	switch node := (*n).(type) {
	case *ast.BinaryNode:
		op := node.Operator
		for _, other := range turned[op] {
			node.Operator = other
			v.add(*n, "`"+op+"` became `"+other+"`")
		}
		node.Operator = op
	case *ast.UnaryNode:
		if node.Operator == "not" || node.Operator == "!" {
			*n = node.Node
			v.add(node, "`"+node.Operator+"` is gone")
			*n = node
		}
	case *ast.StringNode:
		text := node.Value
		if text == "changed" || v.names[node] {
			return
		}
		node.Value = "changed"
		v.add(*n, "the text `"+text+"` became another")
		node.Value = text
	}
}

// add notes the rule as the tree stands now.
func (v *varier) add(at ast.Node, what string) {
	from, to := v.c.span(at)
	source := (*v.root).String()
	v.note(Variant{From: from, To: max(to, from), What: what, Source: source})
}

func (v *varier) note(x Variant) {
	if x.Source != v.c.src && !slices.ContainsFunc(v.out, func(o Variant) bool { return o.Source == x.Source }) {
		v.out = append(v.out, x)
	}
}
