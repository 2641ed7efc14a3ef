package compile

import (
	"reflect"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// Codes of rows.
const (
	CodeTarget  diag.Code = "XD2102" // target fields and types that do not fit
	CodePattern diag.Code = "XD2104" // dates and numbers that are read in another way than meant
)

// rowContext is where rows stand.
type rowContext struct {
	cell.Context
	vars   []string // jq variables behind the base ones
	prefix string   // of targets: "lines[]." inside each
	out    *Schema
	lets   bool
}

// mappingVars are the jq variables of a mapping behind the base ones.
func mappingVars(lets []string) []string { return append([]string{"root", "index"}, lets...) }

// mappings compiles every field table.
func (b *builder) mappings() {
	units := b.compileAll("mapping", (*builder).mapping)
	for _, u := range units {
		b.ws.Mappings[u.Name] = u.Mapping
	}
	b.take(units)
}

func (b *builder) mapping(d *definition) {
	m := &Mapping{Definition: d.Definition, Spec: &spec.Mapping{}}
	dec := b.decoder(d)
	dec.Decode(d.node, m.Spec)
	b.nearby(d, &m.Spec.Program)
	for i := range m.Spec.Samples {
		b.nearby(d, &m.Spec.Samples[i])
	}
	m.Input, m.Output = b.schemaRef(dec, m.Spec.Input), b.schemaRef(dec, m.Spec.Output)
	m.Params = b.params
	m.Mapping = &mapping.Mapping{Name: d.Name, Span: d.head.Value.Span, Params: b.params}
	at := cell.Context{Kind: "mapping", Name: d.Name, File: d.File.Path, Shape: cell.Shape{Examples: d.examples(m.Spec.Samples)}}
	if m.Input != nil {
		at.Shape.Schema = m.Input.Schema
	}
	if m.unread() {
		at.Shape.Examples = nil // what comes in is to be told by a schema, of which something is wrong
	}
	switch {
	case m.Spec.Program.Set() && len(m.Spec.Fields) > 0:
		dec.Errorf(spec.CodeUnknown, m.Spec.Program.Span(), "a mapping has either `fields` or `program`")
	case m.Spec.Program.Set():
		b.program(dec, d, m, at)
	case len(m.Spec.Fields) == 0 && unsaid(d.node.Get("fields")) && !spec.Meant(d.node, "fields", spec.Keys(reflect.TypeFor[spec.Mapping]())):
		dec.Errorf(spec.CodeUnknown, d.head.Key.Span, "a mapping needs `fields` or `program`").Hint = "add `fields:` with one row per target"
	}
	b.lets(dec, m, at)
	if !m.Spec.Output.Set() && !m.Spec.Program.Set() && len(m.Spec.Fields) > 0 {
		m.makes = &cell.Made{By: "what " + d.Name + " makes", Shape: b.made(&m.Mapping.Object)}
	}
	b.samples(d.File.Path, m.Spec.Samples)
	whole := m.Spec.Program.Set()
	m.readsOriginal, m.readsMeta, m.readsRun = whole || mentions(d.node, "original"), whole || mentions(d.node, "meta"), whole || mentions(d.node, "run")
	m.Digest = meaning(d.node, append([]string{m.Digest, schemaDigest(m.Input), schemaDigest(m.Output)}, b.unit.surroundings()...)...)
	b.unit.Mapping = m
}

// unread reports whether the mapping names a schema of what comes in that cannot be
// read, which is told where the schema stands.
func (m *Mapping) unread() bool {
	return m.Spec.Input.Set() && m.Input.Broken()
}

func schemaDigest(s *Schema) string {
	if s == nil {
		return ""
	}
	return s.Digest
}

// examples are the files with example documents that d names.
func (d *definition) examples(names []spec.Text) *cell.Examples {
	if len(names) == 0 {
		return nil
	}
	return &cell.Examples{From: d.File.Path, Files: texts(names)}
}

func texts(in []spec.Text) []string {
	out := make([]string, 0, len(in))
	for _, t := range in {
		out = append(out, t.Value)
	}
	return out
}

// lets compiles helper values, each of which may use those before it, and then
// the rows.
func (b *builder) lets(dec *spec.Decoder, m *Mapping, at cell.Context) {
	var names []string
	at.VarShapes = map[string]cell.Shape{"root": at.Shape}
	for _, f := range m.Spec.Let {
		name := f.Key.Text
		if !isVariable(name) {
			bad := dec.Errorf(spec.CodeUnknown, f.Key.Span, "`%s` cannot be used as $%s", name, name)
			bad.Hint = "use letters, digits and _, beginning with a letter"
			if name = variableOf(name); name == "" || slices.Contains(names, name) {
				continue
			}
			bad.Short = "did you mean `" + name + "`?" // and what reads it by that name is right
		}
		if cell.Taken(name) || name == "root" || name == "index" {
			dec.Errorf(spec.CodeUnknown, f.Key.Span, "`$%s` has a meaning of its own", name).Hint = "choose another name"
			continue
		}
		rc := rowContext{Context: at, vars: mappingVars(names), lets: true}
		rc.Row = "let " + name
		row := b.row(dec, f.Key, &f.Value, rc)
		row.Target = "let " + name
		m.Mapping.Lets = append(m.Mapping.Lets, *row)
		switch {
		case row.Fields != nil: // it says itself what it makes
			at.VarShapes[name] = cell.Shape{Made: &cell.Made{By: "`$" + name + "`", Shape: b.madeByRow(row)}}
		case row.From != nil && row.Convert == nil && row.Lookup == nil:
			at.VarShapes[name] = at.Result(row.From)
		}
		names = append(names, name)
	}
	rc := rowContext{Context: at, vars: mappingVars(names), out: m.Output}
	b.object(dec, &m.Mapping.Object, m.Spec.Fields, rc)
}

// variableOf is a name with _ for what no variable may have in it; "" where that is
// none either.
func variableOf(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "$"), "steps.")
	name = strings.NewReplacer("-", "_", " ", "_", ".", "_").Replace(name)
	if !isVariable(name) {
		return ""
	}
	return name
}

func isVariable(s string) bool {
	for i, r := range s {
		if !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && r >= '0' && r <= '9') {
			return false
		}
	}
	return s != ""
}

// program compiles `program: file.jq`.
func (b *builder) program(dec *spec.Decoder, d *definition, m *Mapping, at cell.Context) {
	raw, path, err := b.readBeside(d, m.Spec.Program.Value)
	if err != nil {
		dec.Errorf(spec.CodeUnknown, m.Spec.Program.Span(), "the file `%s` cannot be read: %s", m.Spec.Program.Value, plainError(err)).
			Hint = "the path is relative to this definition"
		return
	}
	m.Digest = string(raw)
	at.Row = "program"
	at.Vars = mappingVars(m.Spec.Let.Names())
	m.Mapping.Program = b.cells.JQ(spec.Cell{Node: ast.Verbatim(path, string(raw))}, at.As("program"))
}

// object compiles rows into the object they build.
func (b *builder) object(dec *spec.Decoder, o *mapping.Object, rows spec.Fields[spec.Row], at rowContext) {
	seen := map[string]*ast.Node{}
	for i := range rows {
		f := &rows[i]
		target := f.Key.Text
		if first := seen[target]; first != nil {
			continue // the parser reports duplicate keys
		}
		seen[target] = f.Key
		at.Row = at.prefix + target
		row := b.row(dec, f.Key, &f.Value, at)
		place(dec, o, strings.Split(target, "."), "", f.Key, row)
	}
	o.Ready()
}

// place puts a row at a dotted target and reports targets that contradict each
// other: `a` with a value and `a.b` inside it. above is the way to o, with a dot
// at its end.
func place(dec *spec.Decoder, o *mapping.Object, path []string, above string, key *ast.Node, row *mapping.Row) {
	name := path[0]
	if name == "" || strings.ContainsAny(name, "[]") {
		dec.Errorf(CodeTarget, key.Span, "`%s` is not a target", key.Text).Hint = "write names with dots between them; a list is built with `each:`"
		return
	}
	for i := range o.Fields {
		f := &o.Fields[i]
		if f.Name != name {
			continue
		}
		if f.Nested == nil || len(path) == 1 {
			bad := dec.Errorf(CodeTarget, key.Span, "`%s` is a value of its own and an object at the same time", above+name)
			bad.Hint = "remove one of the rows"
			bad.Related = []diag.Related{{Span: firstKey(f), Message: "the other one"}}
			return
		}
		place(dec, f.Nested, path[1:], above+name+".", key, row)
		return
	}
	if len(path) == 1 {
		o.Fields = append(o.Fields, mapping.Field{Name: name, Row: row})
		return
	}
	nested := &mapping.Object{}
	o.Fields = append(o.Fields, mapping.Field{Name: name, Nested: nested})
	place(dec, nested, path[1:], above+name+".", key, row)
}

// firstKey is where the first row of a field is written.
func firstKey(f *mapping.Field) diag.Span {
	for f.Row == nil {
		if len(f.Nested.Fields) == 0 {
			return diag.Span{}
		}
		f = &f.Nested.Fields[0]
	}
	return f.Row.Span
}

// unsaid reports whether nothing was written that could have been meant.
func unsaid(n *ast.Node) bool { return n == nil || n.Empty || n.Kind == ast.Map }

// row compiles one row.
func (b *builder) row(dec *spec.Decoder, key *ast.Node, s *spec.Row, at rowContext) *mapping.Row {
	row := &mapping.Row{Target: key.Text, Required: s.Required, Trim: s.Trim, MaxLength: s.MaxLength}
	if s.Node != nil {
		row.Span = s.Node.Span
	}
	at.Vars = at.vars
	at.Target = at.targetField()
	if t := at.Target; t != nil && t.Type.Base == value.List && s.From.Set() && !s.Each.Set() && len(s.Fields) > 0 && s.Node != nil {
		key := s.Node.Pair("from").Key
		f := dec.Errorf(CodeTarget, key.Span, "%s is a list in %s, and `from` makes one object of `fields`", at.Row, at.out.Name)
		f.Row, f.Hint = at.Row, "write `each: "+s.From.Node.Text+"`"
		if key.Style == ast.Plain {
			f.Fixes = []diag.Fix{{Title: "replace with `each`", Edits: []diag.Edit{{Span: key.Span, Text: "each"}}}}
		}
		s.Each, s.From = s.From, spec.Cell{} // what stands below is looked at as it was meant
	}
	if t := at.Target; t != nil && t.Type.Base == value.Date && s.Format.Set() && s.Format.Value != "yyyy-MM-dd" && s.Node != nil {
		f := dec.Errorf(CodeTarget, s.Node.Pair("format").Key.Span, "%s is a date in %s, and `format` makes another text of it", at.Row, at.out.Name)
		f.Row, f.Hint = at.Row, "remove `format`"
		if !s.Parse.Set() {
			f.Hint = "write `parse: " + s.Format.Value + "` where that is how it comes; `format` is how it goes out"
		}
	}
	row.When = b.cells.Rule(s.When, at.As("when"))
	row.IsConst, row.Const = s.Const.Set(), s.Const.V
	row.HasDefault, row.Default = s.Default.Set(), s.Default.V
	if row.IsConst {
		b.checkConst(dec, s.Const, at)
	}
	if row.HasDefault {
		b.checkConst(dec, s.Default, at)
		if n := s.Default.Node; n.Empty && n.Text == "" && s.Node != nil {
			dec.Errorf(spec.CodeUnknown, s.Node.Pair("default").Key.Span, "`default` has no value").Hint = "write one behind it; `default: null` writes null"
		}
	}
	inner := at
	if s.Each.Set() {
		row.Each = b.cells.JQ(s.Each, at.As("each"))
		inner.Shape = cell.Shape{}
		if row.Each != nil {
			inner.Shape = at.Result(row.Each).Items()
		}
		inner.prefix = at.prefix + key.Text + "[]."
	} else if len(s.Fields) > 0 {
		inner.prefix = at.prefix + key.Text + "."
	}
	fromAt := at
	fromAt.Shape = inner.Shape
	if !s.Each.Set() {
		fromAt.Shape = at.Shape
	}
	row.From = b.cells.JQ(s.From, fromAt.As("from"))
	if len(s.Fields) > 0 {
		if s.From.Set() && s.Each.Set() {
			dec.Errorf(spec.CodeUnknown, s.From.Node.Span, "a row with `each` has either `from` or `fields`")
		} else if row.From != nil {
			inner.Shape = at.Result(row.From)
		}
		row.Fields = &mapping.Object{}
		b.object(dec, row.Fields, s.Fields, inner)
	}
	if s.Lookup.Set() {
		row.Lookup, row.Column = b.tableRef(dec, s.Lookup)
		b.checkLookup(dec, s, row, at)
	}
	b.conversion(dec, s, row, at)
	b.checkOutcomes(dec, s, row, at)
	return row
}
