package mutation

import (
	"maps"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// mapping plants changes of a field table.
func (p *planter) mapping(m *compile.Mapping) {
	p.at = Mutant{Kind: "mapping", Name: m.Name, of: m.Mapping}
	p.client = m.Client
	p.written(m.Spec.Let)
	p.written(m.Spec.Fields)
	names := read(m.Mapping)
	for i := range m.Mapping.Lets {
		row := &m.Mapping.Lets[i]
		if w := p.rows[row.Span]; w != nil && names[strings.TrimPrefix(row.Target, "let ")] {
			p.row(row, w, row.Target, nil)
		}
	}
	if m.Mapping.Program != nil {
		for _, c := range p.ws.Cells {
			if c.Role == "program" && c.Name == m.Name && c.Kind == "mapping" {
				p.jqCell("program", &m.Mapping.Program, spec.Cell{Node: c.Node}, nil)
			}
		}
	}
	p.object(&m.Mapping.Object, "")
}

// fields plants changes of the rows of o; root is the object that has to be made
// ready again.
func (p *planter) fields(o, root *mapping.Object, prefix string) {
	for i := range o.Fields {
		f := &o.Fields[i]
		if f.Nested != nil {
			p.fields(f.Nested, root, prefix)
			continue
		}
		w := p.rows[f.Row.Span]
		if w == nil {
			continue
		}
		name := prefix + f.Row.Target
		p.add(name, f.Row.Span, "the row is gone", func() func() {
			at := slices.IndexFunc(o.Fields, func(x mapping.Field) bool { return x.Row == f.Row })
			before := o.Fields
			o.Fields = slices.Delete(slices.Clone(before), at, at+1)
			root.Ready()
			return func() { o.Fields = before; root.Ready() }
		})
		p.row(f.Row, w, name, root.Ready)
	}
}

// row plants changes of one row.
func (p *planter) row(row *mapping.Row, w *spec.Row, name string, ready func()) {
	flip := func(key, what string, plant func() func()) {
		p.add(name, keySpan(w, key), what, with(plant, ready))
	}
	if row.Required {
		flip("required", "`required` is gone", set(&row.Required, false))
	}
	if row.HasDefault {
		flip("default", "`default` is gone", set(&row.HasDefault, false))
		flip("default", "`default` is another value", set(&row.Default, otherValue(row.Default)))
	}
	if row.IsConst {
		flip("const", "`const` is another value", set(&row.Const, otherValue(row.Const)))
	}
	if row.Lookup != nil {
		flip("lookup", "`lookup` is gone", set(&row.Lookup, nil))
	}
	if row.Convert != nil {
		key := "type"
		for _, k := range []string{"unit", "parse", "format", "zone", "true_values", "type"} {
			if w.Node.Pair(k) != nil {
				key = k
				break
			}
		}
		flip(key, "the conversion is gone", set(&row.Convert, nil))
	}
	if row.Trim {
		flip("trim", "`trim` is gone", set(&row.Trim, false))
	}
	if row.MaxLength > 0 {
		flip("max_length", "`max_length` is gone", set(&row.MaxLength, 0))
	}
	if row.When != nil {
		p.condition(name, &row.When, w.When, "`when` is gone", "")
	}
	if row.Each != nil && w.Each.Node != nil {
		other := p.compileJQ(row.Each, firstItem(row.Each.Source()))
		if other != nil && !row.Each.MakesObject() { // a list of one has no other items
			p.add(name, w.Each.Node.Span, "only the first item is taken", with(set(&row.Each, other), ready))
		}
		p.jqCell(name, &row.Each, w.Each, ready)
	}
	// A row that only selects a field is gone when it reads another one.
	if _, selects := plainPath(row); !selects {
		p.jqCell(name, &row.From, w.From, ready)
	}
	if row.Fields != nil {
		prefix := name + "."
		if row.Each != nil {
			prefix = name + "[]."
		}
		p.object(row.Fields, prefix)
	}
}

// plainPath is the field that a row selects, where it does nothing else.
func plainPath(row *mapping.Row) ([]string, bool) {
	if row.From == nil || row.HasDefault {
		return nil, false
	}
	return row.From.Path()
}
