package lint

import (
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
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
		if near := nearestField(t.out.Schema, above.Shape, r.path[:bad], name); near != "" {
			d.Short = "did you mean `" + near + "`?"
			if r.key.Style == ast.Plain {
				d.Fixes = replace(d.Span, near)
			}
		}
	}
	p.about(d)
}

// nearestField returns the field that is meant by a name below a place: one
// inside an object, where the name is that of both run together.
func nearestField(s *schema.Schema, shape *value.Shape, above []string, name string) string {
	letters := func(s string) string {
		return strings.ToLower(strings.Map(func(r rune) rune {
			if strings.ContainsRune(" ._-[]", r) {
				return -1
			}
			return r
		}, s))
	}
	prefix := ""
	if len(above) > 0 {
		prefix = schema.Join(above) + "."
	}
	for _, f := range s.Fields() {
		rest, below := strings.CutPrefix(f.Path, prefix)
		if below && strings.Contains(rest, ".") && !strings.Contains(rest, value.Items) && letters(rest) == letters(name) {
			return rest
		}
	}
	if near := diag.Nearest(name, shape.Names()); len(near) > 0 {
		return near[0]
	}
	return ""
}

func rowName(t table, r row) string {
	if t.row != "" {
		return t.row
	}
	return schema.Join(r.path)
}
