package lineage

import (
	"slices"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// at is where cells stand: what they see, and who they belong to.
type at struct {
	kind, name     string // of the definition
	pipeline, step string // where it runs
	row, role      string
	payload        Place
	vars           map[string]cell.Shape // of jq; results of steps as "steps.name"
	response       Place                 // of cells that judge an answer
	let            string                // tells stages of helper values apart
	prefix         string                // of rows: "lines[]."
	alone          bool                  // a mapping by itself
}

func (a at) as(role string) at   { a.role = role; return a }
func (a at) in(row string) at    { a.row = row; return a }
func (a at) of(payload Place) at { a.payload = payload; return a }

// surroundings are the names that stand beside every payload.
var surroundings = []string{"meta", "run", "vars", "params"}

// scope returns the variables that every cell has.
func (b *builder) scope(original Place, results map[string]Place) map[string]cell.Shape {
	vars := map[string]cell.Shape{"original": original.shape()}
	for _, name := range surroundings {
		vars[name] = Place{Stage: b.stage(Around, name, "", nil)}.shape()
	}
	for name, p := range results {
		vars["steps."+name] = p.shape()
	}
	return vars
}

func withVar(vars map[string]cell.Shape, name string, p Place) map[string]cell.Shape {
	out := make(map[string]cell.Shape, len(vars)+1)
	for k, v := range vars {
		out[k] = v
	}
	out[name] = p.shape()
	return out
}

// use notes a cell with what it reads. It returns nil where none was written or
// it has errors.
func (b *builder) use(c spec.Cell, a at) *Use {
	if !c.Set() {
		return nil
	}
	compiled := b.cells[c.Node]
	if compiled == nil || compiled.JQ == nil && compiled.Rule == nil {
		return nil
	}
	return b.useCell(compiled, a)
}

func (b *builder) useCell(c *cell.Cell, a at) *Use {
	u := b.note(a, c.Node.Text, c.Node.Span)
	u.Cell, u.Lang = c, "jq"
	ctx := cell.Context{Shape: a.payload.shape(), VarShapes: a.vars}
	if c.Rule != nil {
		u.Lang = "expr"
		for _, p := range c.Rule.Paths() {
			if from, ok := b.ruleStart(a, p); ok {
				u.Reads = append(u.Reads, Read{Place: from, Mode: Uses, Span: c.Node.Range(p.From, p.To)})
			}
		}
		for _, t := range c.Rule.Tables() {
			u.Reads = append(u.Reads, Read{Place: b.table(t.Name), Mode: Uses, Span: c.Node.Range(t.From, t.To)})
		}
		return u
	}
	selected, selects := b.place(ctx.Result(c.JQ))
	for _, p := range c.JQ.Paths() {
		shape, rest := ctx.Start(p)
		from, ok := b.place(shape)
		if !ok {
			continue
		}
		from = from.At(names(rest)...)
		r := Read{Place: from, Mode: Uses, Span: pathSpan(c, p)}
		switch {
		case selects && from.Stage == selected.Stage && same(from.Path, selected.Path):
			r.Mode = Copies
		case selects:
			r.Mode = Decides
		}
		u.Reads = append(u.Reads, r)
	}
	if selects && !slices.ContainsFunc(u.Reads, func(r Read) bool { return r.Mode == Copies }) {
		u.Reads = append(u.Reads, Read{Place: selected, Mode: Copies, Span: c.Node.Span})
	}
	for _, x := range c.JQ.Uses() {
		if x.Kind == jq.UseLookup {
			u.Reads = append(u.Reads, Read{Place: b.table(x.Text), Mode: Uses, Span: c.Node.Range(x.From, x.To)})
		}
	}
	return u
}

func (b *builder) note(a at, source string, span diag.Span) *Use {
	u := &Use{Kind: a.kind, Name: a.name, Row: a.row, Role: a.role, Source: source, Span: span, Pipeline: a.pipeline, Step: a.step}
	b.uses = append(b.uses, u)
	if a.alone {
		b.mappings[a.name] = append(b.mappings[a.name], u)
	}
	return u
}

// table is the crosswalk that a definition names.
func (b *builder) table(name string) Place {
	if b.ws.Lookups[name] == nil && b.ws.Lookups["std/"+name] != nil {
		name = "std/" + name
	}
	return Place{Stage: b.stage(Lookup, name, "", nil)}
}

// names turns a path of jq into one of a place.
func names(p jq.Path) []string {
	out := make([]string, 0, len(p.Segments))
	for _, s := range p.Segments {
		switch s.Step {
		case jq.Field:
			out = append(out, s.Name)
		case jq.Each, jq.Index, jq.Dynamic:
			out = append(out, value.Items)
		}
	}
	return out
}

// pathSpan is where a path of jq is written: its last step, with those that
// stand right before it.
func pathSpan(c *cell.Cell, p jq.Path) diag.Span {
	from, to := -1, -1
	for _, s := range p.Segments {
		if s.From == s.To {
			continue
		}
		if from < 0 || s.From < to || s.From > to+2 {
			from = s.From
		}
		to = s.To
	}
	if from < 0 {
		return c.Node.Span
	}
	return c.Node.Range(from, to)
}

// ruleStart is the place that a path of expr reads.
func (b *builder) ruleStart(a at, p rule.Path) (Place, bool) {
	keys := p.Keys()
	switch p.Root {
	case "data":
		return a.payload.At(keys...), a.payload.Stage != nil
	case "steps":
		if len(keys) == 0 {
			return Place{}, false
		}
		from, ok := b.place(a.vars["steps."+keys[0]])
		return from.At(keys[1:]...), ok
	case "response":
		if len(keys) > 0 && keys[0] == "body" {
			keys = keys[1:]
		}
		return a.response.At(keys...), a.response.Stage != nil
	}
	from, ok := b.place(a.vars[p.Root])
	return from.At(keys...), ok
}

// writes lets what a use reads flow to a place; to.Stage nil ends the way.
func (b *builder) writes(u *Use, to Place, most Mode) {
	if u == nil {
		return
	}
	if to.Stage != nil {
		u.Writes = append(u.Writes, to)
	}
	for i := range u.Reads {
		r := &u.Reads[i]
		if r.Mode < most {
			r.Mode = most
		}
		b.edge(&Edge{From: r.Place, To: to, Mode: r.Mode, Use: u, Span: r.Span})
	}
	if len(u.Reads) == 0 && to.Stage != nil {
		b.edge(&Edge{To: to, Mode: Uses, Use: u, Span: u.Span})
	}
}

// lets follows helper values and returns the variables behind them.
func (b *builder) lets(rows spec.Fields[spec.Row], a at) map[string]cell.Shape {
	vars := withVar(a.vars, "root", a.payload)
	for i := range rows {
		f := &rows[i]
		st := b.inside(Let, a, f.Key.Text)
		a.vars = vars
		b.row(f.Key.Text, f, a.in("let "+f.Key.Text), Place{Stage: st})
		vars = withVar(vars, f.Key.Text, Place{Stage: st})
	}
	return vars
}

// fields follows rows that build the object at out.
func (b *builder) fields(rows spec.Fields[spec.Row], a at, out Place) {
	for i := range rows {
		f := &rows[i]
		to := out.At(strings.Split(f.Key.Text, ".")...)
		b.row(f.Key.Text, f, a.in(a.prefix+f.Key.Text), to)
	}
}

// row follows one row that writes to.
func (b *builder) row(target string, f *spec.Field[spec.Row], a at, to Place) {
	r := &f.Value
	b.writes(b.use(r.When, a.as("when")), to, Decides)
	if r.Const.Set() {
		b.writes(b.note(a.as("const"), source(r.Const), r.Const.Node.Span), to, Uses)
	}
	inner, into := a, to
	inner.prefix = a.prefix + target + "."
	if r.Each.Set() {
		into = to.At(value.Items)
		inner.prefix = a.prefix + target + "[]."
		u := b.use(r.Each, a.as("each"))
		whole := len(r.Fields) == 0 && !r.From.Set()
		inner.payload = b.inner(u, a, into, whole)
	}
	most := Copies
	if r.Lookup.Set() || r.Type.Set() || r.Parse.Set() || r.Format.Set() || r.Unit.Set() || len(r.TrueValues) > 0 {
		most = Uses
	}
	if r.From.Set() {
		u := b.use(r.From, inner.as("from"))
		if len(r.Fields) > 0 {
			inner.payload = b.inner(u, inner, into, false)
		} else {
			b.writes(u, into, most)
		}
	}
	if r.Lookup.Set() {
		table, _ := splitColumn(b, r.Lookup.Value)
		u := b.note(a.as("lookup"), r.Lookup.Value, r.Lookup.Span())
		u.Reads = []Read{{Place: table, Mode: Uses, Span: r.Lookup.Span()}}
		b.writes(u, into, Uses)
	}
	if r.Default.Set() && !r.Const.Set() {
		b.writes(b.note(a.as("default"), source(r.Default), r.Default.Node.Span), to, Uses)
	}
	b.fields(r.Fields, inner, into)
}

// splitColumn resolves `table` or `table.column`.
func splitColumn(b *builder, ref string) (Place, string) {
	for _, name := range []string{ref, "std/" + ref} {
		if b.ws.Lookups[name] != nil {
			return b.table(name), ""
		}
	}
	if i := strings.LastIndexByte(ref, '.'); i > 0 {
		return b.table(ref[:i]), ref[i+1:]
	}
	return b.table(ref), ""
}

// inner is the payload of rows inside `each` or `fields`: what the cell
// selects, or else a stage of its own. whole tells that the items themselves
// are written to into.
func (b *builder) inner(u *Use, a at, into Place, whole bool) Place {
	if u == nil {
		return Place{}
	}
	if whole {
		b.writes(u, into, Copies)
		return Place{}
	}
	for i := range u.Reads {
		r := &u.Reads[i]
		if r.Mode != Copies {
			continue
		}
		r.Mode = Counts
		b.writes(u, into, Decides)
		if u.Role == "each" {
			return items(r.Place)
		}
		return r.Place
	}
	st := b.inside(Items, a, u.Row+" "+u.Role)
	b.writes(u, Place{Stage: st}, Uses)
	return Place{Stage: st}
}

// source is a fixed value as it is written.
func source(v spec.Value) string {
	if v.Node != nil && v.Node.Text != "" {
		return v.Node.Text
	}
	return written(v.V)
}
