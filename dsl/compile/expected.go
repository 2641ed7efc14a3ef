package compile

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// rowErrors are the codes with which a row can fail.
var rowErrors = []string{"required", "type", "parse", "zone", "unit", "range", "option", "lookup", "too_long", "several", "jq", "limit", "rule", "definition"}

// expectedRows looks at what a case expects of a mapping: a target that no row
// makes can never be there, nor fail.
func expectedRows(dec *spec.Decoder, m *Mapping, c *spec.Case) {
	if m.Mapping == nil || m.Mapping.Program != nil || len(m.Mapping.Object.Fields) == 0 {
		return // a program makes what it likes
	}
	made := rowsOf{[]*mapping.Object{&m.Mapping.Object}, MissingRow + m.Name}
	if c.Expect != nil {
		for _, p := range c.Expect.Pairs {
			made.target(dec, p.Key, p.Key.Text, p.Value)
		}
	}
	for _, a := range c.Absent {
		if a.Set() {
			made.absent(dec, m.Output, a)
		}
	}
	if e := c.ExpectError; e != nil {
		if e.Code.Set() && !slices.Contains(rowErrors, e.Code.Value) {
			dec.Unknown(e.Code.Node, "error of a row", rowErrors)
			(*dec.Diags)[len(*dec.Diags)-1].Hint = "you can use: " + strings.Join(rowErrors, ", ")
		}
		if e.Field.Set() && !strings.HasPrefix(e.Field.Value, "let ") {
			made.target(dec, e.Field.Node, e.Field.Value, nil)
		}
	}
}

// rowsOf are the rows that together make a value, and what a finding about one
// that is not among them misses.
type rowsOf struct {
	objects []*mapping.Object
	missing string
}

// names are the fields that the rows make.
func (r rowsOf) names() []string {
	var names []string
	for _, o := range r.objects {
		for _, f := range o.Fields {
			if !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// below is what makes the fields below one of that name; false where that is
// known only when it runs.
func (r rowsOf) below(name string) (rowsOf, bool) {
	in := rowsOf{missing: r.missing}
	for _, o := range r.objects {
		for _, f := range o.Fields {
			switch {
			case f.Name != name:
			case f.Nested != nil:
				in.objects = append(in.objects, f.Nested)
			case f.Row != nil && f.Row.Fields != nil:
				in.objects = append(in.objects, f.Row.Fields)
			default:
				return in, false
			}
		}
	}
	return in, true
}

// lost finds the first name of a path such as lines[0].sku that no row makes: it
// stands at bytes [from, to) of the path.
func (r rowsOf) lost(path string) (in rowsOf, from, to int, ok bool) {
	for from < len(path) {
		rest := path[from:]
		to = from + len(rest)
		if end := strings.IndexAny(rest, ".["); end >= 0 {
			to = from + end
		}
		name := path[from:to]
		if !slices.Contains(r.names(), name) {
			return r, from, to, true
		}
		var known bool
		if r, known = r.below(name); !known {
			return r, 0, 0, false // what a row makes of its own is known when it runs
		}
		dot := strings.IndexByte(path[to:], '.')
		if dot < 0 {
			break
		}
		from = to + dot + 1
	}
	return r, 0, 0, false
}

// target walks a path such as lines[0].sku through the rows, and what is
// expected of it, v, behind it.
func (r rowsOf) target(dec *spec.Decoder, at *ast.Node, path string, v *ast.Node) {
	names := strings.Split(path, ".")
	for i, name := range names {
		if i > 0 && name != "" && strings.Trim(name, "0123456789") == "" {
			f := dec.Errorf(spec.CodeUnknown, at.Span, "no row makes `%s`", path)
			before, after := strings.Join(names[:i], "."), strings.Join(names[i+1:], ".")
			f.Hint = strings.TrimSuffix("an item is written in brackets: \""+before+"["+name+"]."+after, ".") + "\""
			return
		}
	}
	if in, from, to, ok := r.lost(path); ok {
		in.noRow(dec, at, path, from, to)
		return
	}
	for _, name := range names {
		name, _, _ = strings.Cut(name, "[")
		var known bool
		if r, known = r.below(name); !known {
			return
		}
	}
	r.inside(dec, v)
}

// inside looks at the fields of a value that is expected where r makes one.
func (r rowsOf) inside(dec *spec.Decoder, v *ast.Node) {
	if v == nil || len(r.objects) == 0 {
		return
	}
	for _, item := range v.Items {
		r.inside(dec, item)
	}
	for _, p := range v.Pairs {
		in, known := r.below(p.Key.Text)
		switch {
		case !slices.Contains(r.names(), p.Key.Text):
			r.noRow(dec, p.Key, p.Key.Text, 0, len(p.Key.Text))
		case known:
			in.inside(dec, p.Value)
		}
	}
}

// noRow words a target that no row makes; the name that is not there stands at
// bytes [from, to) of its path.
func (r rowsOf) noRow(dec *spec.Decoder, at *ast.Node, path string, from, to int) {
	name := *at
	name.Text = path[from:to]
	dec.Unknown(&name, "row", r.names())
	f := &(*dec.Diags)[len(*dec.Diags)-1]
	f.Message, f.Missing = "no row makes `"+path+"`", r.missing
	if near := diag.Nearest(name.Text, r.names()); len(near) > 0 {
		whole := path[:from] + near[0] + path[to:]
		f.Short = "did you mean `" + whole + "`?"
		if at.Style == ast.Plain {
			f.Fixes = []diag.Fix{{Title: "replace with `" + whole + "`", Edits: []diag.Edit{{Span: at.Span, Text: whole}}}}
		}
	}
}

// What findings about a target that no row makes miss begins with MissingRow,
// followed by the mapping, or with MissingSent, followed by the pipeline that
// sends it and the mapping, if there is one.
const (
	MissingRow  = "row "
	MissingSent = "sent "
)

// absent reports a target that is said to be absent, and is nearly one that a
// row makes: nothing would ever be noticed. What an output lists may be absent
// without a row.
func (r rowsOf) absent(dec *spec.Decoder, output *Schema, a spec.Text) {
	in, from, to, ok := r.lost(a.Value)
	if !ok || len(diag.Nearest(a.Value[from:to], in.names())) == 0 {
		return
	}
	if output != nil && output.Schema != nil {
		if _, ok := output.Schema.Lookup(schema.Split(indexed.ReplaceAllString(a.Value, value.Items))); ok {
			return
		}
	}
	in.noRow(dec, a.Node, a.Value, from, to)
}
