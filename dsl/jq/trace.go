package jq

import (
	"strconv"

	"github.com/itchyny/gojq"
)

// env is what names mean at a place of a cell; inner names come first.
type env struct {
	up   *env
	name string // "$x" or "f/1"
	val  *flow
	fd   *gojq.FuncDef
	arg  *gojq.Query // the argument given for a parameter, seen from at
	at   *env
}

func (e *env) bindVar(name string, v *flow) *env { return &env{up: e, name: name, val: v} }

func (e *env) find(name string) *env {
	for ; e != nil; e = e.up {
		if e.name == name {
			return e
		}
	}
	return nil
}

// tracer follows a cell on paper and notes what it reads.
type tracer struct {
	pl    *places
	reads []Path
	whole []Path // reads that are used as they are, not only stepped through
	calls int    // depth of calls of definitions
	total int    // how often definitions were entered

	operations []Operation
	columns    []Column
	asks       bool // the cell asks for types itself
}

func (t *tracer) note(p Path) {
	if len(t.reads) < 1024 {
		t.reads = append(t.reads, p)
	}
}

// keep notes that all places that v may be are used as they are.
func (t *tracer) keep(v *flow) {
	for _, p := range v.paths {
		t.note(p)
		t.whole = append(t.whole, p)
	}
}

// maxSteps bounds the length of a path that is followed.
const maxSteps = 200

// step extends every place of v by one segment.
func (t *tracer) step(v *flow, s Segment) *flow {
	out := &flow{vague: v.vague}
	if s.Step == Field && v.fields[s.Name] != nil {
		return v.fields[s.Name] // the cell put it there itself
	}
	if v.row != nil && s.Step == Field {
		t.column(v.row.Table, s.Name, Span{s.From, s.To})
	}
	for _, p := range v.paths {
		if len(p.Segments) >= maxSteps {
			continue
		}
		next := Path{Var: p.Var, Segments: append(p.Segments[:len(p.Segments):len(p.Segments)], s), Optional: p.Optional}
		out.paths = append(out.paths, next)
		t.note(next)
	}
	var built *flow
	switch s.Step {
	case Field:
	case Slice:
		built = &flow{elem: v.elem, types: v.types}
	default:
		built = v.elem
		for _, f := range v.fields {
			built = union(built, f)
		}
	}
	if built != nil {
		return union(out, built)
	}
	out.vague = out.vague || v.types != 0
	return out
}

func (t *tracer) query(q *gojq.Query, in *flow, e *env) *flow {
	if q == nil {
		return opaque
	}
	for _, fd := range q.FuncDefs {
		e = &env{up: e, name: fd.Name + "/" + strconv.Itoa(len(fd.Args)), fd: fd}
	}
	if q.Term != nil {
		return t.term(q.Term, in, e)
	}
	if q.Right == nil {
		return opaque
	}
	switch q.Op {
	case gojq.OpPipe:
		left := t.query(q.Left, in, e)
		if len(q.Patterns) == 0 {
			return t.query(q.Right, left, e)
		}
		return t.query(q.Right, in, t.bind(q.Patterns, left, e))
	case gojq.OpComma, gojq.OpAlt:
		return union(t.query(q.Left, in, e), t.query(q.Right, in, e))
	case gojq.OpModify:
		return t.assigned(q, in, t.query(q.Right, t.query(q.Left, in, e), e))
	case gojq.OpAssign:
		if fieldPath(q.Left) == nil { // a plain path is written and not read
			t.query(q.Left, in, e)
		}
		return t.assigned(q, in, t.query(q.Right, in, e))
	case gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul, gojq.OpUpdateDiv, gojq.OpUpdateMod, gojq.OpUpdateAlt:
		return t.assigned(q, in, union(t.query(q.Left, optional(in), e), t.query(q.Right, in, e)))
	}
	return t.operation(q, t.query(q.Left, in, e), t.query(q.Right, in, e))
}

// assigned is in after an assignment of v to the left side of q.
func (t *tracer) assigned(q *gojq.Query, in, v *flow) *flow {
	path := fieldPath(q.Left)
	if path == nil {
		return in
	}
	out := &flow{paths: in.paths, elem: in.elem, fields: map[string]*flow{}, types: in.types, vague: in.vague}
	for k, f := range in.fields {
		out.fields[k] = f
	}
	if len(path) > 1 {
		v = opaque
	}
	out.fields[path[0]] = v
	return out
}

func (t *tracer) bind(ps []*gojq.Pattern, v *flow, e *env) *env {
	for _, p := range ps {
		e = t.pattern(p, v, e)
	}
	return e
}

func (t *tracer) pattern(p *gojq.Pattern, v *flow, e *env) *env {
	if p.Name != "" {
		return e.bindVar(p.Name, v)
	}
	for i, el := range p.Array {
		at := t.pl.span(el)
		e = t.pattern(el, t.step(v, Segment{Step: Index, N: i, From: at.From, To: at.From}), e)
	}
	for _, kv := range p.Object {
		at := t.pl.span(keyOf{kv})
		seg := Segment{Step: Dynamic, From: at.From, To: at.To}
		switch {
		case kv.Key != "" && kv.Key[0] == '$':
			seg.Step, seg.Name = Field, kv.Key[1:]
		case kv.Key != "":
			seg.Step, seg.Name = Field, kv.Key
		case kv.KeyString != nil && kv.KeyString.Queries == nil:
			seg.Step, seg.Name = Field, kv.KeyString.Str
		default:
			at = t.pl.span(kv)
			seg.From, seg.To = at.From, at.To
			t.query(kv.KeyQuery, v, e)
		}
		field := t.step(v, seg)
		if kv.Key != "" && kv.Key[0] == '$' {
			e = e.bindVar(kv.Key, field)
		}
		if kv.Val != nil {
			e = t.pattern(kv.Val, field, e)
		}
	}
	return e
}

func (t *tracer) term(term *gojq.Term, in *flow, e *env) *flow {
	v := t.base(term, in, e)
	for i, s := range term.SuffixList {
		switch {
		case s.Iter:
			at := t.pl.span(s)
			v = t.step(v, Segment{Step: Each, From: at.From, To: at.To})
		case s.Index != nil:
			v = t.index(s.Index, v, in, e)
		}
		if i+1 < len(term.SuffixList) && term.SuffixList[i+1].Optional {
			v = optional(v)
		}
	}
	return v
}

// built is v without the places that it may be: what a loop makes of its start
// is no part of the input any more.
func built(v *flow) *flow { return &flow{elem: v.elem, fields: v.fields, vague: true} }

// optional marks the places of v as read with a question mark.
func optional(v *flow) *flow {
	out := &flow{elem: v.elem, fields: v.fields, types: v.types, row: v.row, vague: v.vague}
	for _, p := range v.paths {
		p.Optional = true
		out.paths = append(out.paths, p)
	}
	return out
}

func (t *tracer) index(x *gojq.Index, v, in *flow, e *env) *flow {
	at := t.pl.span(x)
	seg := Segment{Step: Dynamic, From: at.From, To: at.To}
	switch {
	case x.Name != "":
		seg.Step, seg.Name = Field, x.Name
		seg.From++ // the dot is not part of the name
	case x.Str != nil:
		if x.Str.Queries == nil {
			seg.Step, seg.Name = Field, x.Str.Str
			seg.From++
		} else {
			t.str(x.Str, in, e)
		}
	case x.IsSlice:
		seg.Step = Slice
		t.query(x.Start, in, e)
		t.query(x.End, in, e)
	default:
		if s, ok := literalText(x.Start); ok {
			seg.Step, seg.Name = Field, s
		} else if n, ok := literalNumber(x.Start); ok {
			seg.Step, seg.N = Index, int(n)
		} else {
			t.query(x.Start, in, e)
		}
	}
	return t.step(v, seg)
}

func (t *tracer) str(s *gojq.String, in *flow, e *env) {
	if s == nil {
		return
	}
	for _, q := range s.Queries {
		t.query(q, in, e)
	}
}

func (t *tracer) base(term *gojq.Term, in *flow, e *env) *flow {
	switch term.Type {
	case gojq.TermTypeIdentity:
		return in
	case gojq.TermTypeIndex:
		v := t.index(term.Index, in, in, e)
		if len(term.SuffixList) > 0 && term.SuffixList[0].Optional {
			v = optional(v)
		}
		return v
	case gojq.TermTypeFunc:
		return t.call(term.Func, in, e)
	case gojq.TermTypeObject:
		return t.object(term.Object, in, e)
	case gojq.TermTypeArray:
		if term.Array.Query == nil {
			return &flow{types: IsArray}
		}
		return &flow{elem: t.query(term.Array.Query, in, e), types: IsArray}
	case gojq.TermTypeUnary:
		t.term(term.Unary.Term, in, e)
		return &flow{types: IsNumber}
	case gojq.TermTypeFormat, gojq.TermTypeString:
		t.str(term.Str, in, e)
		return &flow{types: IsString}
	case gojq.TermTypeNumber:
		return &flow{types: IsNumber}
	case gojq.TermTypeTrue, gojq.TermTypeFalse:
		return &flow{types: IsBoolean}
	case gojq.TermTypeNull:
		return &flow{types: IsNull}
	case gojq.TermTypeQuery:
		return t.query(term.Query, in, e)
	case gojq.TermTypeLabel:
		return t.query(term.Label.Body, in, e)
	case gojq.TermTypeTry:
		return union(t.query(term.Try.Body, in, e), t.query(term.Try.Catch, opaque, e))
	case gojq.TermTypeIf:
		t.query(term.If.Cond, in, e)
		v := t.query(term.If.Then, in, e)
		for _, el := range term.If.Elif {
			t.query(el.Cond, in, e)
			v = union(v, t.query(el.Then, in, e))
		}
		if term.If.Else == nil {
			return union(v, in)
		}
		return union(v, t.query(term.If.Else, in, e))
	case gojq.TermTypeReduce:
		inner := t.bind(term.Reduce.Patterns, t.query(term.Reduce.Query, in, e), e)
		return t.query(term.Reduce.Update, built(t.query(term.Reduce.Start, in, e)), inner)
	case gojq.TermTypeForeach:
		inner := t.bind(term.Foreach.Patterns, t.query(term.Foreach.Query, in, e), e)
		v := t.query(term.Foreach.Update, built(t.query(term.Foreach.Start, in, e)), inner)
		if term.Foreach.Extract != nil {
			return t.query(term.Foreach.Extract, v, inner)
		}
		return v
	}
	return opaque
}

func (t *tracer) object(o *gojq.Object, in *flow, e *env) *flow {
	out := &flow{fields: map[string]*flow{}, types: IsObject}
	for _, kv := range o.KeyVals {
		name, named := kv.Key, kv.Key != ""
		if kv.KeyString != nil {
			name, named = kv.KeyString.Str, kv.KeyString.Queries == nil
			t.str(kv.KeyString, in, e)
		}
		t.query(kv.KeyQuery, in, e)
		var v *flow
		at := t.pl.span(keyOf{kv})
		switch {
		case kv.Val != nil:
			v = t.query(kv.Val, in, e)
			t.keep(v)
		case named && name[0] == '$':
			if b := e.find(name); b != nil {
				v = b.val
				t.keep(v)
			}
			name = name[1:]
		case named:
			v = t.step(in, Segment{Step: Field, Name: name, From: at.From, To: at.To})
		}
		if v == nil {
			v = opaque
		}
		if !named {
			name = ""
		}
		out.fields[name] = union(out.fields[name], v)
	}
	return out
}
