package lint

import (
	"encoding/json"
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/lookup"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// table is a field table and the contract of what it makes.
type table struct {
	kind, name, row string
	fields          spec.Fields[spec.Row]
	out             *compile.Schema
}

// tables returns every field table whose result has a contract.
func (p *pass) tables() []table {
	var out []table
	for _, m := range p.mappings() {
		if m.Output != nil {
			out = append(out, table{"mapping", m.Name, "", m.Spec.Fields, m.Output})
		}
	}
	for _, pl := range p.pipelines() {
		steps(pl, func(s *compile.Step) {
			if s.Action == compile.ActEmit && s.Event != nil {
				out = append(out, table{"pipeline", pl.Name, s.ID, s.Spec.With, s.Event})
				return
			}
			op := p.ws.Operation(s.Target)
			if op == nil || op.Request == nil {
				return
			}
			var body spec.Fields[spec.Row] // placeholders take the rest
			for _, f := range s.Spec.With {
				if !op.Binds(f.Key.Text) {
					body = append(body, f)
				}
			}
			out = append(out, table{"pipeline", pl.Name, s.ID, body, op.Request})
		})
	}
	return out
}

// targets reports rows whose target the output schema does not have, and rows
// that certainly make something else than it says (XD2102).
func targets(p *pass) {
	for _, t := range p.tables() {
		rowsOf(t.fields, nil, func(r row) {
			_, bad, ok := t.out.Schema.Shape().At(r.value())
			if ok {
				p.made(t, r)
				return
			}
			p.strayTarget(t, r, bad)
		})
	}
	for _, m := range p.mappings() {
		if m.Output == nil {
			continue
		}
		for _, c := range m.Spec.CannotProvide {
			path := schema.Split(c.Value)
			if _, bad, ok := m.Output.Schema.Shape().At(path); !ok {
				known := m.Output.Schema.Children(path[:bad])
				p.about(diag.Diagnostic{Code: codeTarget, Span: c.Span(), Kind: "mapping", Name: m.Name, Source: c.Value,
					Message: "`" + c.Value + "` is not a field of " + m.Output.Name,
					Hint:    "you can use: " + listed(known, 20), Short: diag.DidYouMean(path[bad], known)})
			}
		}
	}
}

// strayTarget reports segment bad of a row's target.
func (p *pass) strayTarget(t table, r row, bad int) {
	if bad < len(r.above) {
		return // the row around it is the one to mend
	}
	above, _, _ := t.out.Schema.Shape().At(r.value()[:bad])
	d := diag.Diagnostic{Code: codeTarget, Span: r.part(bad), Kind: t.kind, Name: t.name, Row: rowName(t, r), Source: r.key.Text}
	where := ""
	if bad > 0 {
		where = " at " + schema.Join(r.path[:bad])
	}
	if bad >= len(r.path) {
		d.Span = r.Each.Node.Span
		d.Message = schema.Join(r.path) + " is " + kind(above.Shape) + " in " + t.out.Name + ", but `each` makes a list"
		d.Hint = "write `from:` instead of `each:`"
		p.about(d)
		return
	}
	name := r.path[bad]
	known := above.Shape.Names()
	switch {
	case above.Shape != nil && above.Shape.Type.Base == value.List:
		d.Message = schema.Join(r.path[:bad]) + " is a list in " + t.out.Name + ", so a row cannot set `" + name + "` directly"
		d.Hint = "write `" + schema.Join(r.path[:bad]) + ": {each: ..., fields: {" + name + ": ...}}`"
	case len(known) == 0:
		d.Message = "`" + name + "` does not exist in " + t.out.Name + where + ", which is " + kind(above.Shape)
	default:
		d.Message = "`" + name + "` does not exist in " + t.out.Name + where
		d.Hint = "you can use: " + listed(known, 20)
		if near := diag.Nearest(name, known); len(near) > 0 {
			d.Short = "did you mean `" + near[0] + "`?"
			if r.key.Style == ast.Plain {
				d.Fixes = replace(d.Span, near[0])
			}
		}
	}
	p.about(d)
}

func rowName(t table, r row) string {
	if t.row != "" {
		return t.row
	}
	return schema.Join(r.path)
}

// made compares what a row certainly makes with what the schema says.
func (p *pass) made(t table, r row) {
	want := shapeAt(t.out.Schema, r.value())
	if want == nil || r.converts() {
		return
	}
	at, what, ok := p.makes(r, want)
	if !ok {
		return
	}
	wanted := groupOf(want.Type)
	if wanted == anything || what.group == anything || what.group == wanted {
		return
	}
	d := diag.Diagnostic{Code: codeTarget, Span: at.Span, Kind: t.kind, Name: t.name, Row: rowName(t, r), Source: at.Text,
		Message: schema.Join(r.value()) + " is " + kind(want) + " in " + t.out.Name + ", but this row makes " + groupWords[what.group]}
	switch {
	case what.constant && wanted == text && at.Kind == ast.Scalar:
		d.Hint = "write it in quotes: \"" + at.Text + "\""
		d.Fixes = replace(at.Span, `"`+at.Text+`"`)
	case what.constant:
		d.Hint = "write " + groupWords[wanted]
		if wanted == number && numeral.MatchString(at.Text) {
			d.Hint, d.Fixes = "write it without quotes: "+at.Text, replace(at.Span, at.Text)
		}
	case wanted == list:
		d.Hint = "write `each:` instead of `from:`"
	case wanted == record || what.group == list || what.group == record:
		d.Hint = "select the value that is meant"
	default:
		d.Hint = "add `type: " + want.Type.String() + "`"
	}
	p.about(d)
}

var numeral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// product is what a row makes.
type product struct {
	group    group
	constant bool
}

// makes infers what a row makes, where that is certain, and from which part of
// it.
func (p *pass) makes(r row, want *value.Shape) (at *ast.Node, what product, ok bool) {
	if r.Default.Set() && r.Default.V != nil && groupOfValue(r.Default.V) != groupOf(want.Type) && groupOf(want.Type) != anything {
		return r.Default.Node, product{groupOfValue(r.Default.V), true}, true
	}
	switch {
	case r.Const.Set():
		what = product{groupOfValue(r.Const.V), true}
		if n, isNumber := r.Const.V.(json.Number); isNumber && want.Type.Base == value.Integer && strings.ContainsAny(string(n), ".eE") {
			return nil, product{}, false // the schema says so when it is checked
		}
		return r.Const.Node, what, true
	case r.Lookup.Set():
		return p.lookedUp(r)
	}
	c := p.cellOf(r.From)
	if c == nil || len(r.Fields) > 0 {
		return nil, product{}, false
	}
	if literal.MatchString(strings.TrimSpace(c.Node.Text)) {
		return c.Node, product{group: text}, true
	}
	if step, known := p.selected(c); known {
		return c.Node, product{group: groupOf(step.Shape.Type)}, true
	}
	return nil, product{}, false
}

// literal is a cell that is one text, with or without interpolation.
var literal = regexp.MustCompile(`^"([^"\\]|\\[^(]|\\\([^"()]*\))*"$`)

// lookedUp infers what a lookup gives: the kind that all its values share.
func (p *pass) lookedUp(r row) (*ast.Node, product, bool) {
	name, column := r.Lookup.Value, ""
	l := p.ws.Lookups[name]
	if l == nil {
		l = p.ws.Lookups["std/"+name]
	}
	if i := strings.LastIndexByte(name, '.'); l == nil && i > 0 {
		name, column = name[:i], name[i+1:]
		if l = p.ws.Lookups[name]; l == nil {
			l = p.ws.Lookups["std/"+name]
		}
	}
	if l == nil || l.Table == nil || l.Table.OnMiss == lookup.Pass {
		return nil, product{}, false
	}
	g := anything
	for i, v := range l.Table.Values(column) {
		if got := groupOfValue(v); i == 0 {
			g = got
		} else if got != g {
			return nil, product{}, false
		}
	}
	return r.Lookup.Node, product{group: g}, g != anything
}
