package jsonschema

import (
	"maps"
	"path"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// names returns what a reference of that kind can name in the workspace; nil
// where that is not known, or anything may be named.
func (m *maker) names(kind string) []string {
	if kind == "connector" && m.opt.Catalog != nil {
		return m.opt.Catalog.Types()
	}
	ws := m.opt.Workspace
	if ws == nil {
		return nil
	}
	switch kind {
	case "policy":
		return sorted(slices.Collect(maps.Keys(ws.Policies)))
	case "verify":
		return append(sorted(slices.Collect(maps.Keys(ws.Verify))), "none")
	case "connection":
		return own(ws, ws.Connections)
	case "mapping":
		return own(ws, ws.Mappings)
	case "schema":
		return own(ws, ws.Schemas)
	case "operation":
		return operations(ws)
	case "lookup":
		return tables(ws)
	case "event":
		return events(ws)
	case "emitted":
		if heard := events(ws); heard != nil {
			return sorted(append(heard, own(ws, ws.Schemas)...))
		}
	case "test":
		return testable(ws)
	case "alert":
		return sorted(slices.Collect(maps.Keys(ws.Alerts)))
	}
	return nil
}

// written returns how a definition can be named: those of the library with and
// without their folder, and those of a client without it where its template or
// its own files speak of them.
func written(ws *compile.Workspace, name string) []string {
	folder, short, ok := strings.Cut(name, "/")
	if ok && (folder == "std" || ws.Clients[folder] != nil) {
		return []string{name, short}
	}
	return []string{name}
}

// own returns the names under which definitions are found.
func own[T any](ws *compile.Workspace, defs map[string]T) []string {
	var out []string
	for name := range defs {
		out = append(out, written(ws, name)...)
	}
	return sorted(out)
}

func operations(ws *compile.Workspace) []string {
	var out []string
	for name, c := range ws.Connections {
		for op := range c.Operations {
			for _, n := range written(ws, name) {
				out = append(out, n+"."+op)
			}
		}
	}
	return sorted(out)
}

// tables are the lookups with one value, and the columns of the others.
func tables(ws *compile.Workspace) []string {
	var out []string
	for name, l := range ws.Lookups {
		if l == nil || l.Table == nil {
			continue
		}
		for _, n := range written(ws, name) {
			if len(l.Table.Columns) == 0 {
				out = append(out, n)
			}
			for _, c := range l.Table.Columns {
				out = append(out, n+"."+c)
			}
		}
	}
	return sorted(out)
}

// events are the names that events can have, as they were written somewhere and
// in their normal form; nil where some schema computes a name that nobody can
// foresee.
func events(ws *compile.Workspace) []string {
	known := map[string]bool{}
	for _, s := range ws.Schemas {
		names, ok := s.EventNames()
		if !ok {
			return nil
		}
		for _, n := range names {
			known[n] = true
		}
	}
	out := slices.Collect(maps.Keys(known))
	add := func(written string) {
		if known[compile.EventName(written)] {
			out = append(out, written)
		}
	}
	for _, s := range ws.Schemas {
		base, _, _ := strings.Cut(path.Base(s.Name), "@")
		add(base)
		if s.EventName != nil {
			for _, f := range s.Schema.Fields() {
				for _, o := range f.Shape.Options {
					add(o)
				}
			}
		}
	}
	for _, p := range ws.Pipelines {
		if p != nil && p.Spec != nil && p.Spec.Trigger.Event != nil {
			for _, n := range p.Spec.Trigger.Event.Names {
				add(n.Value)
			}
		}
	}
	return sorted(out)
}

func testable(ws *compile.Workspace) []string {
	var out []string
	for name, m := range ws.Mappings {
		if m != nil && !m.Std {
			for _, n := range written(ws, name) {
				out = append(out, "mapping "+n)
			}
		}
	}
	for name, p := range ws.Pipelines {
		if p != nil && !p.Std {
			for _, n := range written(ws, name) {
				out = append(out, "pipeline "+n)
			}
		}
	}
	return sorted(out)
}

// targets lists, for every output schema that mappings name, the rows that it
// has a place for.
func (m *maker) targets(s object) {
	ws := m.opt.Workspace
	if ws == nil {
		return
	}
	rows, _ := spec.Kind{Name: "mapping"}.Form().Key("fields")
	var all []any
	outputs := map[string]*compile.Schema{}
	for _, mp := range ws.Mappings {
		if mp != nil && !mp.Std && mp.Output != nil && mp.Spec != nil {
			outputs[mp.Spec.Output.Value] = mp.Output
		}
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		def := "fields of " + name
		m.defs[def] = m.rows(rows.Form.Values, outputs[name].Schema.Shape(), 0)
		all = append(all, object{
			"if":   object{"properties": object{"output": object{"const": name}}, "required": []string{"output"}},
			"then": object{"properties": object{"fields": object{"$ref": "#/$defs/" + strings.ReplaceAll(strings.ReplaceAll(def, "~", "~0"), "/", "~1")}}},
		})
	}
	if all != nil {
		s["allOf"] = all
	}
}

// maxNesting bounds how deep rows are described: schemas may contain themselves.
const maxNesting = 6

// rows describes the rows that make an object of some shape.
func (m *maker) rows(row *spec.Form, shape *value.Shape, depth int) object {
	if shape == nil || len(shape.Order) == 0 || shape.Open || depth > maxNesting {
		return object{}
	}
	properties := object{}
	var walk func(s *value.Shape, prefix string, deep int)
	walk = func(s *value.Shape, prefix string, deep int) {
		for _, name := range s.Order {
			f := s.Fields[name]
			one := object{"description": about(f)}
			inner := f
			if f.Type.Base == value.List && f.Item != nil {
				inner = f.Item
			}
			if below := m.rows(row, inner, depth+1); len(below) > 0 {
				one["properties"] = object{"fields": below}
			}
			properties[prefix+name] = one
			if f.Type.Base != value.List && len(f.Order) > 0 && deep < maxNesting {
				walk(f, prefix+name+".", deep+1)
			}
		}
	}
	walk(shape, "", 0)
	open := shape.Open || !named(shape)
	if open {
		return object{"properties": properties}
	}
	return object{"properties": properties, "additionalProperties": false}
}

// named reports whether everything that can stand in an object is listed.
func named(s *value.Shape) bool {
	for _, f := range s.Fields {
		if (f.Type.Base == value.Object || f.Type.Base == value.Any) && (len(f.Order) == 0 || f.Open) {
			return false // rows may go on below it
		}
		if f.Type.Base == value.Object && !named(f) {
			return false
		}
	}
	return true
}

// about words what a schema says of a field.
func about(f *value.Shape) string {
	text := f.Type.String()
	if f.Required {
		text += ", required"
	}
	if len(f.Options) > 0 {
		text += ": " + strings.Join(f.Options, ", ")
	}
	if f.Note != "" {
		text += ". " + f.Note
	}
	return text
}
