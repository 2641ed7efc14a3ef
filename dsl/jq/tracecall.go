package jq

import (
	"strconv"

	"github.com/itchyny/gojq"
)

// How a builtin passes its input on, for following cells on paper.
var (
	// passOn give their input, or parts of it at the same place.
	passOn = map[string]bool{
		"sort": true, "sort_by": true, "unique": true, "unique_by": true, "reverse": true, "select": true,
		"values": true, "arrays": true, "objects": true, "strings": true, "numbers": true, "scalars": true,
		"iterables": true, "booleans": true, "nulls": true, "del": true, "debug": true, "finites": true, "normals": true,
	}
	// perElement evaluate their only argument for each element of the input.
	perElement = map[string]bool{
		"map": true, "map_values": true, "sort_by": true, "group_by": true, "unique_by": true,
		"min_by": true, "max_by": true, "any": true, "all": true,
	}
	// oneElement give one element of the input.
	oneElement = map[string]bool{"first": true, "last": true, "min": true, "max": true, "min_by": true, "max_by": true, "add": true}
)

const maxTraceCalls = 2000

func (t *tracer) call(f *gojq.Func, in *flow, e *env) *flow {
	if f.Name[0] == '$' {
		if b := e.find(f.Name); b != nil && b.val != nil {
			for _, p := range b.val.paths {
				t.note(p)
			}
			return b.val
		}
		return opaque
	}
	if b := e.find(f.Name + "/" + strconv.Itoa(len(f.Args))); b != nil {
		return t.defined(b, f, in, e)
	}
	return t.builtin(f, in, e)
}

// defined follows a definition of the cell, or an argument given to one.
func (t *tracer) defined(b *env, f *gojq.Func, in *flow, e *env) *flow {
	if t.calls > 50 || t.total > maxTraceCalls {
		return opaque
	}
	t.calls++
	t.total++
	defer func() { t.calls-- }()
	if b.arg != nil {
		return t.query(b.arg, in, b.at)
	}
	inner := b
	for i, a := range b.fd.Args {
		if a[0] == '$' {
			v := t.query(f.Args[i], in, e)
			inner = inner.bindVar(a, v)
			a = a[1:]
		}
		inner = &env{up: inner, name: a + "/0", arg: f.Args[i], at: e}
	}
	return t.query(b.fd.Body, in, inner)
}

func (t *tracer) each(v *flow, at int) *flow {
	return t.step(v, Segment{Step: Each, From: at, To: at})
}

func (t *tracer) builtin(f *gojq.Func, in *flow, e *env) *flow {
	at := t.pl.span(keyOf{f}).From
	t.applied(f, in)
	switch f.Name {
	case "has":
		if name, ok := literalText(f.Args[0]); ok {
			s := t.pl.span(f.Args[0])
			t.step(optional(in), Segment{Step: Field, Name: name, From: s.From, To: s.To})
			return &flow{types: IsBoolean}
		}
	case "empty", "error": // they give nothing that goes on
		for _, a := range f.Args {
			t.query(a, in, e)
		}
		return &flow{}
	case "lookup":
		return t.lookup(f, in, e, at)
	case "first", "last", "limit", "skip", "nth", "until", "isempty", "path", "pick":
		if n := len(f.Args); n > 0 {
			var v *flow
			for _, a := range f.Args {
				v = t.query(a, in, e)
			}
			if f.Name == "isempty" || f.Name == "path" {
				return made(f.Name)
			}
			return v
		}
	case "to_entries":
		return &flow{types: IsArray, elem: &flow{types: IsObject, fields: map[string]*flow{"key": opaque, "value": t.each(in, at)}}}
	case "with_entries":
		t.query(f.Args[0], &flow{fields: map[string]*flow{"key": opaque, "value": t.each(in, at)}}, e)
		return opaque
	case "add":
		if len(f.Args) == 1 {
			return t.query(f.Args[0], in, e)
		}
	case "any", "all":
		if len(f.Args) == 2 {
			t.query(f.Args[1], t.query(f.Args[0], in, e), e)
			return made(f.Name)
		}
	case "recurse":
		deeper := in
		for _, a := range f.Args {
			deeper = union(in, t.query(a, deeper, e))
		}
		return opaque
	case "sub", "gsub": // the replacement sees the groups of the match
		if len(f.Args) > 1 {
			t.query(f.Args[1], opaque, e)
			t.keepUsed(in)
			return made(f.Name)
		}
	case "walk", "paths":
		for _, a := range f.Args {
			t.query(a, opaque, e)
		}
		t.keepUsed(in)
		return opaque
	case "INDEX", "JOIN":
		return t.join(f, in, e, at)
	case "getpath":
		if v := t.literalPath(f.Args[0], in); v != nil {
			return v
		}
	}
	return t.generic(f, in, e, at)
}

// join follows INDEX and JOIN, whose last expressions see the rows.
func (t *tracer) join(f *gojq.Func, in *flow, e *env, at int) *flow {
	args := f.Args
	if f.Name == "JOIN" {
		t.query(args[0], in, e)
		args = args[1:]
	}
	var rows *flow
	if len(args) > 1 {
		rows, args = t.query(args[0], in, e), args[1:]
	} else {
		rows = t.each(in, at)
	}
	t.query(args[0], rows, e)
	for _, a := range args[1:] {
		t.query(a, opaque, e)
	}
	return opaque
}

// literalPath follows getpath(["a", "b"]); nil means that q is something else.
func (t *tracer) literalPath(q *gojq.Query, in *flow) *flow {
	list := bare(q)
	if list == nil || list.Type != gojq.TermTypeArray || len(list.SuffixList) > 0 {
		return nil
	}
	var names []*gojq.Query
	for rest := list.Array.Query; rest != nil; {
		last := rest
		if rest.Op == gojq.OpComma {
			last, rest = rest.Right, rest.Left
		} else {
			rest = nil
		}
		if _, ok := literalText(last); !ok {
			return nil
		}
		names = append(names, last)
	}
	for i := len(names) - 1; i >= 0; i-- {
		name, _ := literalText(names[i])
		at := t.pl.span(names[i])
		in = t.step(in, Segment{Step: Field, Name: name, From: at.From, To: at.To})
	}
	return in
}

// generic follows the builtins whose behaviour the tables above describe.
func (t *tracer) generic(f *gojq.Func, in *flow, e *env, at int) *flow {
	inner := in
	if perElement[f.Name] && len(f.Args) == 1 {
		inner = t.each(in, at)
	}
	var last *flow = opaque
	for _, a := range f.Args {
		last = t.query(a, inner, e)
	}
	switch {
	case f.Name == "map" || f.Name == "map_values":
		return &flow{elem: last, types: made(f.Name).types, vague: f.Name == "map_values"}
	case f.Name == "group_by":
		return &flow{types: IsArray, elem: &flow{types: IsArray, elem: inner}}
	case oneElement[f.Name] && len(f.Args) == 0:
		return t.each(in, at)
	case oneElement[f.Name] && perElement[f.Name]:
		return inner
	case oneType[f.Name]:
		return union(in, opaque)
	case passOn[f.Name]:
		return in
	}
	t.keepUsed(in)
	return made(f.Name)
}

// keepUsed notes that a builtin looked at v itself; the whole input and whole
// variables are not worth a note.
func (t *tracer) keepUsed(v *flow) {
	for _, p := range v.paths {
		if len(p.Segments) > 0 {
			t.note(p)
			t.whole = append(t.whole, p)
		}
	}
}
