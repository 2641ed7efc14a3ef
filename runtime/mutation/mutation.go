// Package mutation finds out what the tests of a workspace would not notice. It
// plants one small change after the other into compiled definitions (a row that
// is gone, a rule that never matches, another value in a lookup, no retry) and
// runs the tests that could see it. A change that no test notices survives: there
// a mistake would go live.
//
// Changes are made in compiled rows, cells and tables, never in text, and in a
// fixed order; the same workspace gives the same report.
package mutation

import (
	"encoding/json"
	"slices"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/lookup"
	"crossdock/dsl/mapping"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
	"crossdock/runtime/testrun"
)

// Mutant is one change that can be planted.
type Mutant struct {
	Kind, Name string // of the definition
	Row        string // row, step, rule or code
	What       string // what is different, in words
	Span       diag.Span

	of    any           // what tests must reach to see it: *mapping.Mapping, *compile.Pipeline, *compile.Operation or *lookup.Table
	plant func() func() // makes the change and returns what undoes it
}

// planter lists the mutants of one workspace, which it changes in place.
type planter struct {
	ws   *compile.Workspace
	rows map[diag.Span]*spec.Row // as written, by place
	out  []*Mutant
	at   Mutant // what is the same for all that follow

	client string // whose names the cells of what is changed write short

	called map[string]bool // operations, see called
}

// mutants lists all mutants of the workspace's own definitions, in the order of
// their places.
func mutants(ws *compile.Workspace) []*Mutant {
	p := &planter{ws: ws, rows: map[diag.Span]*spec.Row{}, called: called(ws)}
	for _, name := range sorted(ws.Mappings) {
		if m := ws.Mappings[name]; m != nil && !m.Std && m.Spec != nil {
			p.mapping(m)
		}
	}
	for _, name := range sorted(ws.Pipelines) {
		if pl := ws.Pipelines[name]; pl != nil && !pl.Std && pl.Spec != nil {
			p.pipeline(pl)
		}
	}
	for _, name := range sorted(ws.Connections) {
		if c := ws.Connections[name]; c != nil && !c.Std {
			p.connection(c)
		}
	}
	read := testrun.Consulted(ws)
	for _, l := range lookups(ws) {
		if read[l.Table] {
			p.lookup(l)
		}
	}
	slices.SortStableFunc(p.out, func(a, b *Mutant) int { return compareSpans(a.Span, b.Span) })
	return p.out
}

func compareSpans(a, b diag.Span) int {
	switch {
	case a.File != b.File && a.File < b.File, a.File == b.File && a.Start.Less(b.Start):
		return -1
	case a == b || a.File == b.File && !b.Start.Less(a.Start):
		return 0
	}
	return 1
}

// add notes a mutant.
func (p *planter) add(row string, span diag.Span, what string, plant func() func()) {
	m := p.at
	m.Row, m.Span, m.What, m.plant = row, span, what, plant
	p.out = append(p.out, &m)
}

// set is a change of one value.
func set[T any](at *T, v T) func() func() {
	return func() func() {
		before := *at
		*at = v
		return func() { *at = before }
	}
}

// jqCell plants variants of a jq cell; ready is called after each change.
func (p *planter) jqCell(row string, at **jq.Program, written spec.Cell, ready func()) {
	if *at == nil || written.Node == nil {
		return
	}
	for _, v := range (*at).Variants() {
		if other := p.compileJQ(*at, v.Source); other != nil {
			p.add(row, written.Node.Range(v.From, v.To), v.What, with(set(at, other), ready))
		}
	}
}

// with calls ready after a change and after it is undone.
func with(plant func() func(), ready func()) func() func() {
	if ready == nil {
		return plant
	}
	return func() func() {
		undo := plant()
		ready()
		return func() { undo(); ready() }
	}
}

// compileJQ compiles a changed cell; nil where it does not compile.
func (p *planter) compileJQ(like *jq.Program, source string) *jq.Program {
	tables := func(name string) (jq.Table, bool) {
		t := p.ws.Table(p.client, name)
		return t, t != nil
	}
	out, problems := jq.Compile(source, jq.Options{Vars: like.Vars(), Lookup: tables})
	for _, pr := range problems {
		if !pr.Warning {
			return nil
		}
	}
	return out
}

// condition plants changes of a rule that can be answered the other way.
func (p *planter) condition(row string, at **rule.Program, written spec.Cell, always, never string) {
	r := *at
	if r == nil || written.Node == nil {
		return
	}
	if always != "" && r.Truth() != rule.Always {
		p.add(row, written.Node.Span, always, set(at, fixed("true")))
	}
	if never != "" && r.Truth() != rule.Never {
		p.add(row, written.Node.Span, never, set(at, fixed("false")))
	}
	for _, v := range r.Variants() {
		if other := p.compileRule(v.Source); other != nil {
			p.add(row, written.Node.Range(v.From, v.To), v.What, set(at, other))
		}
	}
}

func fixed(answer string) *rule.Program {
	out, _ := rule.Compile(answer, rule.Scope{})
	return out
}

// compileRule compiles a changed rule; nil where it does not compile.
func (p *planter) compileRule(source string) *rule.Program {
	scope := rule.Scope{Names: nothingKnown, Lookup: func(name string) (func(string) bool, bool) {
		t := p.ws.Table(p.client, name)
		if t == nil {
			return nil, false
		}
		return t.Has, true
	}}
	out, problems := rule.Compile(source, scope)
	for _, pr := range problems {
		if !pr.Warning && (pr.Kind == rule.KindSyntax || pr.Kind == rule.KindName || pr.Kind == rule.KindLimit) {
			return nil
		}
	}
	return out
}

// otherValue is a value that differs from v, of the same kind where there is
// one.
func otherValue(v any) any {
	switch v := v.(type) {
	case string:
		return v + "~changed"
	case bool:
		return !v
	case json.Number:
		if v == "1" {
			return json.Number("2")
		}
		return json.Number("1")
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = otherValue(x)
		}
		return out
	case []any:
		return []any{}
	}
	return "changed"
}

// lookup plants changes of a crosswalk.
func (p *planter) lookup(l *compile.Lookup) {
	t := l.Table
	p.at = Mutant{Kind: "lookup", Name: l.Name, of: t}
	if l.Spec.OnMiss.Set() {
		other, words := lookup.Fail, "an unknown code is an error"
		if t.OnMiss == lookup.Fail {
			other, words = lookup.Pass, "an unknown code passes as it is"
		}
		p.add("on_miss", l.Spec.OnMiss.Span(), words, set(&t.OnMiss, other))
	}
	if t.OnMiss == lookup.Default && l.Spec.Default.Set() {
		p.add("default", l.Spec.Default.Node.Span, "unknown codes give another value", changed(t, nil, otherValue(t.Fallback())))
	}
	for _, code := range spread(t.Codes(), maxCodes) {
		v, _ := t.Row(code)
		p.add(code, entry(l, code), "the code gives another value", changed(t, &code, otherValue(v)))
	}
}

// lookups are the workspace's own crosswalks in the order of their names.
func lookups(ws *compile.Workspace) []*compile.Lookup {
	var out []*compile.Lookup
	for _, name := range sorted(ws.Lookups) {
		if l := ws.Lookups[name]; l != nil && !l.Std {
			out = append(out, l)
		}
	}
	return out
}

// maxCodes bounds how many codes of one table are changed, and spread chooses
// them evenly.
const maxCodes = 60

func spread(codes []string, most int) []string {
	if len(codes) <= most {
		return codes
	}
	out := make([]string, 0, most)
	for i := range most {
		out = append(out, codes[i*len(codes)/most])
	}
	return out
}

func changed(t *lookup.Table, code *string, to any) func() func() {
	return func() func() {
		before := t.Change(code, to)
		return func() { t.Change(code, before) }
	}
}

// entry is where a code is written.
func entry(l *compile.Lookup, code string) diag.Span {
	if pair := l.Spec.Rows.Pair(code); pair != nil {
		return pair.Key.Span
	}
	return l.Spec.File.Span()
}

func span(n *ast.Node) diag.Span {
	if n == nil {
		return diag.Span{}
	}
	return n.Span
}

// written notes rows by their place.
func (p *planter) written(rows spec.Fields[spec.Row]) {
	for i := range rows {
		r := &rows[i].Value
		if r.Node != nil {
			p.rows[r.Node.Span] = r
		}
		p.written(r.Fields)
	}
}

// keySpan is where a key of a row stands, or the row.
func keySpan(r *spec.Row, key string) diag.Span {
	if pair := r.Node.Pair(key); pair != nil {
		return pair.Key.Span
	}
	return span(r.Node)
}

// nothingKnown are the names of rules, of which a changed rule knows no more than
// that they exist.
var nothingKnown = func() map[string]*value.Shape {
	out := map[string]*value.Shape{}
	for _, name := range rule.Names {
		out[name] = nil
	}
	return out
}()

// object plants changes of the rows of one object.
func (p *planter) object(o *mapping.Object, prefix string) {
	p.fields(o, o, prefix)
}
