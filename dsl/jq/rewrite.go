package jq

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"

	"github.com/itchyny/gojq"
)

// The interpreter has no limits on what one of its steps may build or compute.
// So what goes there is rewritten first: operators and functions that can grow
// become calls of nativeCall, which does them here and pays for them. The
// machine that pays travels in a variable that no cell can name.
const (
	nativeCall = "_crossdock"
	machineVar = "$_crossdock"
)

// maxIndex bounds positions in lists inside the interpreter, because writing
// to a position makes the list that long.
const maxIndex = 1 << 20

// natives is what nativeCall can do, by the position in the list.
type natives struct {
	names []string
	calls []pure
}

func (n *natives) id(name string, call pure) int {
	for i, have := range n.names {
		if have == name {
			return i
		}
	}
	n.names, n.calls = append(n.names, name), append(n.calls, call)
	return len(n.names) - 1
}

// option gives the interpreter nativeCall. Its arguments are the position, the
// machine and the arguments of the function.
func (n *natives) option() gojq.CompilerOption {
	return gojq.WithFunction(nativeCall, 2, 8, func(in any, args []any) any {
		id, _ := args[0].(int)
		m, _ := args[1].(*machine)
		m.tick()
		v, err := n.calls[id](m, in, args[2:])
		if err != nil {
			return err
		}
		return v
	})
}

// rewriter copies a tree for the interpreter.
type rewriter struct {
	natives
	shadowed map[string]bool // names that the cell defines itself
}

// interpreter compiles q for the interpreter. The program takes the machine of
// the run as its first variable and then vars.
func interpreter(q *gojq.Query, vars []string, opt Options) (*gojq.Code, error) {
	r := &rewriter{shadowed: shadow(q)}
	safe := r.query(q)
	opts := []gojq.CompilerOption{gojq.WithVariables(append([]string{machineVar}, vars...)), r.option()}
	for _, f := range functions {
		opts = append(opts, gojq.WithFunction(f.Name, len(f.Params), len(f.Params), f.bind(opt)))
	}
	return gojq.Compile(safe, opts...)
}

// tracked are pure functions that the interpreter must do itself, because they
// may stand in a path that is assigned to.
var tracked = map[string]bool{"getpath/1": true, "first/0": true, "last/0": true, "nth/1": true, "error/0": true, "error/1": true}

// native calls something of ours with the given arguments.
func (r *rewriter) native(name string, call pure, args ...*gojq.Query) *gojq.Query {
	all := append([]*gojq.Query{
		termQuery(&gojq.Term{Type: gojq.TermTypeNumber, Number: strconv.Itoa(r.id(name, call))}),
		termQuery(&gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: machineVar}}),
	}, args...)
	return termQuery(&gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: nativeCall, Args: all}})
}

func termQuery(t *gojq.Term) *gojq.Query { return &gojq.Query{Term: t} }

func wrapped(q *gojq.Query) *gojq.Query {
	return termQuery(&gojq.Term{Type: gojq.TermTypeQuery, Query: q})
}

func piped(l, r *gojq.Query) *gojq.Query {
	return wrapped(&gojq.Query{Left: l, Op: gojq.OpPipe, Right: r})
}

// settled gives q through getpath([]), which changes nothing. Without it the
// interpreter loses values where a constant follows something with branches,
// as in (.a, .b) | . | 1: it merges the constant with one branch and leaves the
// value of the other.
func settled(q *gojq.Query) *gojq.Query {
	here := &gojq.Func{Name: "getpath", Args: []*gojq.Query{termQuery(&gojq.Term{Type: gojq.TermTypeArray, Array: &gojq.Array{}})}}
	return piped(q, termQuery(&gojq.Term{Type: gojq.TermTypeFunc, Func: here}))
}

// startsConstant reports whether the first thing that q does is to replace its
// input by a constant or a variable.
func startsConstant(q *gojq.Query) bool {
	if q.Term == nil {
		return q.Left != nil && q.Op == gojq.OpPipe && len(q.Patterns) == 0 && startsConstant(q.Left)
	}
	switch t := q.Term; t.Type {
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber, gojq.TermTypeString,
		gojq.TermTypeObject, gojq.TermTypeArray:
		return true
	case gojq.TermTypeFunc:
		return t.Func.Name[0] == '$'
	case gojq.TermTypeUnary:
		return startsConstant(termQuery(t.Unary.Term))
	case gojq.TermTypeQuery:
		return startsConstant(t.Query)
	}
	return false
}

func (r *rewriter) query(q *gojq.Query) *gojq.Query {
	if q == nil {
		return nil
	}
	out := *q
	out.FuncDefs = nil
	for _, fd := range q.FuncDefs {
		out.FuncDefs = append(out.FuncDefs, &gojq.FuncDef{Name: fd.Name, Args: fd.Args, Body: r.query(fd.Body)})
	}
	if q.Term != nil {
		out.Term = r.term(q.Term)
		return &out
	}
	out.Left, out.Right, out.Patterns = r.query(q.Left), r.query(q.Right), r.patterns(q.Patterns)
	defs := out.FuncDefs
	out.FuncDefs = nil
	result := r.operator(&out)
	if len(defs) > 0 {
		if result != &out {
			result = wrapped(result)
		}
		result.FuncDefs = defs
	}
	return result
}

// updates gives the operator inside an update such as +=.
var updates = map[gojq.Operator]gojq.Operator{
	gojq.OpUpdateAdd: gojq.OpAdd, gojq.OpUpdateSub: gojq.OpSub, gojq.OpUpdateMul: gojq.OpMul,
	gojq.OpUpdateDiv: gojq.OpDiv, gojq.OpUpdateMod: gojq.OpMod,
}

func (r *rewriter) operator(q *gojq.Query) *gojq.Query {
	switch q.Op {
	case gojq.OpPipe:
		if len(q.Patterns) == 0 && startsConstant(q.Right) {
			q.Left = settled(q.Left)
		}
		return q
	case gojq.OpAdd, gojq.OpSub, gojq.OpMul, gojq.OpDiv, gojq.OpMod:
		return r.binary(q.Op, q.Left, q.Right)
	}
	op, ok := updates[q.Op]
	if !ok {
		return q
	}
	const operand = "$_operand"
	here := termQuery(&gojq.Term{Type: gojq.TermTypeIdentity})
	value := termQuery(&gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: operand}})
	update := &gojq.Query{Left: q.Left, Op: gojq.OpModify, Right: r.binary(op, here, value)}
	return wrapped(&gojq.Query{Left: wrapped(q.Right), Op: gojq.OpPipe, Patterns: []*gojq.Pattern{{Name: operand}}, Right: update})
}

func (r *rewriter) binary(op gojq.Operator, left, right *gojq.Query) *gojq.Query {
	f := binaries[op]
	return r.native(op.String(), func(m *machine, _ any, args []any) (any, error) { return f(m, args[0], args[1]) }, left, right)
}

func (r *rewriter) patterns(ps []*gojq.Pattern) []*gojq.Pattern {
	var out []*gojq.Pattern
	for _, p := range ps {
		c := &gojq.Pattern{Name: p.Name, Array: r.patterns(p.Array)}
		for _, kv := range p.Object {
			o := &gojq.PatternObject{Key: kv.Key, KeyString: kv.KeyString, KeyQuery: r.query(kv.KeyQuery)}
			if kv.Val != nil {
				o.Val = r.patterns([]*gojq.Pattern{kv.Val})[0]
			}
			c.Object = append(c.Object, o)
		}
		out = append(out, c)
	}
	return out
}

func (r *rewriter) term(t *gojq.Term) *gojq.Term {
	out := r.base(t)
	out.SuffixList = nil
	for _, s := range t.SuffixList {
		c := *s
		if s.Index != nil {
			c.Index = r.index(s.Index)
		}
		out.SuffixList = append(out.SuffixList, &c)
	}
	return out
}

// index copies x with its positions checked.
func (r *rewriter) index(x *gojq.Index) *gojq.Index {
	out := *x
	if out.Str != nil && out.Str.Queries != nil {
		out.Start, out.Str = r.text(x.Str, nil), nil
	} else if out.Start, out.End = r.query(x.Start), r.query(x.End); out.Start != nil && !out.IsSlice {
		if _, literal := literalNumber(x.Start); !literal {
			if _, literal := literalText(x.Start); !literal {
				out.Start = piped(out.Start, r.native("position", checkPosition))
			}
		}
	}
	return &out
}

func checkPosition(m *machine, in any, _ []any) (any, error) {
	switch in.(type) {
	case int, float64, json.Number, *big.Int:
		if n, _ := m.integer(in); n > maxIndex {
			return nil, fmt.Errorf("position %s is beyond any list", gojq.Preview(in))
		}
	}
	return in, nil
}

func checkPath(m *machine, in any, _ []any) (any, error) {
	path, _ := in.([]any)
	if len(path) > maxDepth {
		return nil, fmt.Errorf("a path of %d steps is too long", len(path))
	}
	for _, p := range path {
		if _, err := checkPosition(m, p, nil); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// checkEvent checks one event of a stream: a path and maybe a value.
func checkEvent(m *machine, in any, _ []any) (any, error) {
	if event, ok := in.([]any); ok && len(event) > 0 {
		if _, err := checkPath(m, event[0], nil); err != nil {
			return nil, err
		}
	}
	return in, nil
}
