package jq

import (
	"fmt"
	"strconv"

	"github.com/itchyny/gojq"
)

// maxPattern bounds regular expressions that are made while running, in bytes.
const maxPattern = 4096

func (r *rewriter) base(t *gojq.Term) *gojq.Term {
	out := *t
	switch t.Type {
	case gojq.TermTypeIndex:
		out.Index = r.index(t.Index)
	case gojq.TermTypeRecurse:
		return r.measured(&gojq.Term{Type: gojq.TermTypeRecurse})
	case gojq.TermTypeFunc:
		return r.call(t.Func)
	case gojq.TermTypeObject:
		out.Object = r.object(t.Object)
		if n := len(t.Object.KeyVals); n > 0 {
			made := termQuery(&gojq.Term{Type: gojq.TermTypeObject, Object: out.Object})
			return piped(made, r.native("object"+strconv.Itoa(n), func(m *machine, in any, _ []any) (any, error) {
				m.growObject(n)
				return in, nil
			})).Term
		}
	case gojq.TermTypeArray:
		out.Array = &gojq.Array{Query: r.query(t.Array.Query)}
		if !literals(t.Array.Query) {
			out.Array.Query = piped(out.Array.Query, r.native("element", func(m *machine, in any, _ []any) (any, error) {
				m.grow(2 * sizeElement)
				return in, nil
			}))
		}
	case gojq.TermTypeUnary:
		out.Unary = &gojq.Unary{Op: t.Unary.Op, Term: r.term(t.Unary.Term)}
	case gojq.TermTypeFormat:
		f := r.native(t.Format, func(m *machine, in any, _ []any) (any, error) { return formatters[t.Format](m, in) })
		if t.Str == nil {
			return f.Term
		}
		return r.text(t.Str, f).Term
	case gojq.TermTypeString:
		return r.text(t.Str, nil).Term
	case gojq.TermTypeIf:
		e := &gojq.If{Cond: r.query(t.If.Cond), Then: r.query(t.If.Then), Else: r.query(t.If.Else)}
		for _, el := range t.If.Elif {
			e.Elif = append(e.Elif, &gojq.IfElif{Cond: r.query(el.Cond), Then: r.query(el.Then)})
		}
		out.If = e
	case gojq.TermTypeTry:
		out.Try = &gojq.Try{Body: r.query(t.Try.Body), Catch: r.query(t.Try.Catch)}
	case gojq.TermTypeReduce:
		e := t.Reduce
		out.Reduce = &gojq.Reduce{Query: r.query(e.Query), Patterns: r.patterns(e.Patterns), Start: r.query(e.Start), Update: r.query(e.Update)}
	case gojq.TermTypeForeach:
		e := t.Foreach
		out.Foreach = &gojq.Foreach{
			Query: r.query(e.Query), Patterns: r.patterns(e.Patterns), Start: r.query(e.Start),
			Update: r.query(e.Update), Extract: r.query(e.Extract),
		}
	case gojq.TermTypeLabel:
		out.Label = &gojq.Label{Ident: t.Label.Ident, Body: r.query(t.Label.Body)}
	case gojq.TermTypeQuery:
		out.Query = r.query(t.Query)
	}
	return &out
}

// literals reports whether q is nothing, or texts and numbers with commas.
func literals(q *gojq.Query) bool {
	if q == nil {
		return true
	}
	if q.Op == gojq.OpComma {
		return literals(q.Left) && literals(q.Right)
	}
	_, isText := literalText(q)
	_, isNumber := literalNumber(q)
	return isText || isNumber
}

func (r *rewriter) object(o *gojq.Object) *gojq.Object {
	out := &gojq.Object{}
	for _, kv := range o.KeyVals {
		c := &gojq.ObjectKeyVal{Key: kv.Key, KeyString: kv.KeyString, KeyQuery: r.query(kv.KeyQuery), Val: r.query(kv.Val)}
		if kv.KeyString != nil && kv.KeyString.Queries != nil && kv.Val != nil {
			c.KeyString, c.KeyQuery = nil, r.text(kv.KeyString, nil)
		}
		out.KeyVals = append(out.KeyVals, c)
	}
	return out
}

// text turns interpolation into additions, each value through f or tostring.
func (r *rewriter) text(s *gojq.String, f *gojq.Query) *gojq.Query {
	if s.Queries == nil {
		return termQuery(&gojq.Term{Type: gojq.TermTypeString, Str: s})
	}
	if f == nil {
		f = r.native("tostring/0", pures["tostring/0"])
	}
	var out *gojq.Query
	for _, q := range s.Queries {
		part := q
		if q.Term.Str == nil {
			part = piped(r.query(q), f)
		}
		if out == nil {
			out = part
		} else {
			out = r.binary(gojq.OpAdd, out, part)
		}
	}
	if out == nil {
		return termQuery(&gojq.Term{Type: gojq.TermTypeString, Str: &gojq.String{}})
	}
	return out
}

func (r *rewriter) call(f *gojq.Func) *gojq.Term {
	id := f.Name + "/" + strconv.Itoa(len(f.Args))
	out := &gojq.Func{Name: f.Name}
	for _, a := range f.Args {
		out.Args = append(out.Args, r.query(a))
	}
	plain := &gojq.Term{Type: gojq.TermTypeFunc, Func: out}
	if r.shadowed[id] {
		return plain
	}
	if p, ok := pures[id]; ok && !tracked[id] {
		return r.native(id, p, out.Args...).Term
	}
	switch id {
	case "setpath/2", "getpath/1", "delpaths/1":
		out.Args[0] = piped(out.Args[0], r.native("path", checkPath))
	case "paths/0", "paths/1", "tostream/0", "walk/1", "recurse/0":
		return r.measured(plain)
	case "fromstream/1":
		out.Args[0] = piped(out.Args[0], r.native("event", checkEvent))
	}
	if regexFunctions[f.Name] || id == "split/2" {
		limit := maxRegexWork / 256 // for a pattern that is made while running
		if re, ok := literalRegex(f.Args[0]); ok {
			if p, err := newPattern(re, nil); err == nil {
				limit = maxRegexWork / p.size
			}
		} else {
			out.Args[0] = piped(out.Args[0], r.native("pattern", checkPattern))
		}
		guard := r.native("text"+strconv.Itoa(limit), func(m *machine, in any, _ []any) (any, error) {
			if s, ok := in.(string); ok && len(s) > limit {
				panic(&LimitError{ErrTime, fmt.Sprintf("matches a text of %d bytes, the limit for this pattern is %d", len(s), limit)})
			}
			return in, nil
		})
		return piped(guard, termQuery(plain)).Term
	}
	return plain
}

// measured gives t after a look at the size and depth of its input, for what
// recurses into data.
func (r *rewriter) measured(t *gojq.Term) *gojq.Term {
	look := r.native("measure", func(m *machine, in any, _ []any) (any, error) {
		m.measure(in)
		return in, nil
	})
	return piped(look, termQuery(t)).Term
}

// checkPattern bounds a regular expression that is made while running, because
// compiling it cannot be stopped.
func checkPattern(_ *machine, in any, _ []any) (any, error) {
	re := in
	if pair, ok := in.([]any); ok && len(pair) > 0 {
		re = pair[0]
	}
	if s, ok := re.(string); ok && len(s) > maxPattern {
		return nil, fmt.Errorf("a regular expression of %d bytes is too long", len(s))
	}
	return in, nil
}

// shadow notes the names that the cell defines itself.
func shadow(q *gojq.Query) map[string]bool {
	out := map[string]bool{}
	walk(q, func(node any) {
		n, ok := node.(*gojq.Query)
		if !ok {
			return
		}
		for _, fd := range n.FuncDefs {
			out[fd.Name+"/"+strconv.Itoa(len(fd.Args))] = true
			for _, a := range fd.Args {
				if a[0] == '$' {
					a = a[1:]
				}
				out[a+"/0"] = true
			}
		}
	})
	return out
}
