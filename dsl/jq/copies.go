package jq

import (
	"math"
	"slices"

	"github.com/itchyny/gojq"
)

// maxCopies is how often a cell may repeat a part of its input in its output
// without the output being measured. Values share memory while a cell runs, so
// [., .] | [., .] | ... builds little and prints a lot.
const maxCopies = 256

// copies returns an upper bound for how often the output of q repeats a part of
// its input; infinity if it can be any number.
func copies(q *gojq.Query) float64 { return copyCounter{}.query(q, nil) }

// copyCounter follows a cell like tracer, but counts.
type copyCounter struct{}

// weights is how often the value of a variable repeats the input.
type weights struct {
	up   *weights
	name string
	n    float64
}

func (w *weights) of(name string) float64 {
	for ; w != nil; w = w.up {
		if w.name == name {
			return w.n
		}
	}
	return 1 // a variable from outside
}

func (c copyCounter) query(q *gojq.Query, w *weights) float64 {
	if q == nil {
		return 0
	}
	if len(q.FuncDefs) > 0 {
		return math.Inf(1)
	}
	if q.Term != nil {
		return c.term(q.Term, w)
	}
	if q.Right == nil {
		return 0
	}
	left := c.query(q.Left, w)
	if q.Op == gojq.OpPipe {
		if len(q.Patterns) == 0 {
			return times(left, c.query(q.Right, w))
		}
		if streams(q.Left) { // the body runs for each of many values
			return math.Inf(1)
		}
		for _, p := range q.Patterns {
			for _, v := range patternVars(p) {
				w = &weights{w, v, left}
			}
		}
		return c.query(q.Right, w)
	}
	switch q.Op {
	case gojq.OpAdd, gojq.OpMul, gojq.OpComma:
		return left + c.query(q.Right, w)
	case gojq.OpSub, gojq.OpDiv, gojq.OpMod, gojq.OpAlt:
		return max(left, c.query(q.Right, w))
	case gojq.OpEq, gojq.OpNe, gojq.OpGt, gojq.OpGe, gojq.OpLt, gojq.OpLe, gojq.OpAnd, gojq.OpOr:
		return 1
	}
	return math.Inf(1) // assignments
}

func times(a, b float64) float64 {
	if math.IsInf(a, 1) || math.IsInf(b, 1) {
		return math.Inf(1)
	}
	return a * b
}

// streams reports whether q may give many values.
func streams(q *gojq.Query) bool {
	switch {
	case q == nil:
		return false
	case len(q.FuncDefs) > 0 || q.Op == gojq.OpComma:
		return true
	case q.Term == nil:
		return streams(q.Left) || streams(q.Right)
	}
	t := q.Term
	for _, s := range t.SuffixList {
		if s.Iter || s.Index != nil && (streams(s.Index.Start) || streams(s.Index.End)) {
			return true
		}
	}
	switch t.Type {
	case gojq.TermTypeIndex:
		return streams(t.Index.Start) || streams(t.Index.End)
	case gojq.TermTypeQuery:
		return streams(t.Query)
	case gojq.TermTypeUnary:
		return streams(termQuery(t.Unary.Term))
	case gojq.TermTypeFunc:
		return callStreams(t.Func)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			if streams(kv.KeyQuery) || streams(kv.Val) {
				return true
			}
		}
	case gojq.TermTypeString, gojq.TermTypeFormat:
		if t.Str != nil {
			return slices.ContainsFunc(t.Str.Queries, streams)
		}
	case gojq.TermTypeIf:
		for _, e := range t.If.Elif {
			if streams(e.Cond) || streams(e.Then) {
				return true
			}
		}
		return streams(t.If.Cond) || streams(t.If.Then) || streams(t.If.Else)
	case gojq.TermTypeTry:
		return streams(t.Try.Body) || streams(t.Try.Catch)
	case gojq.TermTypeRecurse, gojq.TermTypeReduce, gojq.TermTypeForeach, gojq.TermTypeLabel:
		return true
	}
	return false
}

// gathering are the builtins that give one value at most, whatever their
// arguments give.
var gathering = map[string]bool{
	"map": true, "map_values": true, "first": true, "last": true, "add": true, "any": true, "all": true, "isempty": true,
	"sort_by": true, "group_by": true, "unique_by": true, "min_by": true, "max_by": true, "with_entries": true,
}

func callStreams(f *gojq.Func) bool {
	switch f.Name {
	case "range", "limit", "skip", "recurse", "repeat", "while", "until", "splits", "scan", "match", "capture", "tostream",
		"paths", "combinations", "path", "JOIN", "fromstream", "truncate_stream", "walk":
		return true
	}
	return !gathering[f.Name] && slices.ContainsFunc(f.Args, streams)
}

func (c copyCounter) term(t *gojq.Term, w *weights) float64 {
	n := c.base(t, w)
	for _, s := range t.SuffixList {
		if s.Index != nil && (s.Index.Start != nil && streams(s.Index.Start) || s.Index.End != nil && streams(s.Index.End)) {
			return math.Inf(1)
		}
	}
	return n
}

func (c copyCounter) base(t *gojq.Term, w *weights) float64 {
	switch t.Type {
	case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber:
		return 0
	case gojq.TermTypeIdentity:
		return 1
	case gojq.TermTypeIndex:
		if t.Index.Start != nil && streams(t.Index.Start) || t.Index.End != nil && streams(t.Index.End) {
			return math.Inf(1)
		}
		return 1
	case gojq.TermTypeUnary:
		return c.term(t.Unary.Term, w)
	case gojq.TermTypeArray:
		return c.query(t.Array.Query, w)
	case gojq.TermTypeQuery:
		return c.query(t.Query, w)
	case gojq.TermTypeObject:
		return c.object(t.Object, w)
	case gojq.TermTypeString, gojq.TermTypeFormat:
		return 1 // texts are paid for where they are made
	case gojq.TermTypeIf:
		if streams(t.If.Cond) {
			return math.Inf(1)
		}
		n := c.query(t.If.Then, w)
		for _, e := range t.If.Elif {
			n = max(n, c.query(e.Then, w))
		}
		return max(n, c.query(t.If.Else, w), 1)
	case gojq.TermTypeTry:
		return c.query(t.Try.Body, w) + c.query(t.Try.Catch, w)
	case gojq.TermTypeFunc:
		return c.call(t.Func, w)
	}
	return math.Inf(1) // loops
}

func (c copyCounter) object(o *gojq.Object, w *weights) float64 {
	n := 0.0
	for _, kv := range o.KeyVals {
		switch {
		case kv.Val != nil:
			n += c.query(kv.Val, w)
		case kv.Key != "" && kv.Key[0] == '$':
			n += w.of(kv.Key)
		default:
			n++
		}
		if kv.KeyQuery != nil && streams(kv.KeyQuery) {
			return math.Inf(1)
		}
	}
	return n
}

// copying are the builtins whose output can repeat the input more often than
// their arguments do.
var copying = map[string]bool{
	"recurse": true, "walk": true, "with_entries": true, "paths": true, "tostream": true, "combinations": true,
	"transpose": true, "range": true, "limit": true, "skip": true, "splits": true, "getpath": true, "setpath": true,
	"fromstream": true, "INDEX": true, "JOIN": true, "IN": true, "pick": true, "repeat": true, "until": true, "while": true, "in": true,
	"add": false, "flatten": true, "path": true, "error": true, "truncate_stream": true, "group_by": false, "inside": true, "contains": true,
}

func (c copyCounter) call(f *gojq.Func, w *weights) float64 {
	if f.Name[0] == '$' {
		return w.of(f.Name)
	}
	if copying[f.Name] {
		return math.Inf(1)
	}
	n := 1.0
	switch f.Name {
	case "map", "map_values", "first", "last", "add", "sub", "gsub":
		for _, a := range f.Args {
			n = max(n, c.query(a, w))
		}
	case "select", "any", "all", "sort_by", "group_by", "unique_by", "min_by", "max_by", "isempty", "has", "split", "test":
		if f.Name == "select" && streams(f.Args[0]) {
			return math.Inf(1)
		}
	case "to_entries":
		n = 2
	case "empty":
		return 0
	default:
		for _, a := range f.Args {
			if streams(a) {
				return math.Inf(1)
			}
		}
	}
	return n
}
