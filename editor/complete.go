package editor

import (
	"maps"
	"path"
	"slices"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/dsl/unit"
	"crossdock/dsl/value"
)

// Item is something that could stand at the cursor.
type Item struct {
	Label   string
	Kind    string // key, value, field, function, variable, or kind of a Symbol
	Detail  string // beside the label
	Doc     string // Markdown
	Insert  string // "" for the label
	Snippet bool   // Insert has blanks: $1
	Replace diag.Span
}

// Complete returns what could stand at a place. The text around it may be half
// written.
func (s *State) Complete(path string, p diag.Point) []Item {
	d := s.draftAt(path, p, false)
	if d == nil {
		return nil
	}
	if items, is := s.completePlaceholder(path, d); is {
		return d.put(items)
	}
	if !d.key && d.form != nil && d.form.Scalar != nil && d.form.Scalar.Lang != "" {
		if items, isCell := s.completeCell(path, d); isCell {
			return d.put(items)
		}
	}
	if wide := s.draftAt(path, p, true); wide != nil {
		d = wide
	}
	if d.key {
		return d.put(s.completeKey(path, d))
	}
	return d.put(s.completeValue(path, d))
}

// put says what the items replace.
func (d *draft) put(items []Item) []Item {
	for i := range items {
		if items[i].Replace.File == "" {
			items[i].Replace = d.word
		}
	}
	return items
}

// completeKey returns the keys that are not there yet.
func (s *State) completeKey(file string, d *draft) []Item {
	var out []Item
	if d.form == nil {
		return nil
	}
	here := d.trail[len(d.trail)-1]
	for _, k := range d.form.Keys {
		if k.Later || here.Get(k.Name) != nil {
			continue
		}
		item := Item{Label: k.Name, Kind: "key", Detail: takes(k.Form), Doc: k.Doc, Insert: k.Name + ": "}
		if k.Required {
			item.Detail += ", must be there"
		}
		out = append(out, item)
	}
	if d.form.Scalar != nil { // a list item may be a single word too
		for _, w := range d.form.Scalar.Words {
			out = append(out, Item{Label: w, Kind: "value"})
		}
	}
	var names []Item
	switch {
	case d.form.Defines == "target" || isRows(d):
		names = s.completeTarget(file, d)
	case d.form.Refers == "part":
		names = s.partsBeside(file)
	case d.form.Refers != "":
		names = s.namedIn(file, d.form.Refers)
	}
	for _, n := range names {
		if here.Get(n.Label) == nil {
			n.Insert = n.Label + ": "
			out = append(out, n)
		}
	}
	return out
}

// isRows reports whether the keys around the cursor are targets of rows.
func isRows(d *draft) bool { return d.form.Values != nil && d.form.Values.Name == "Row" }

// completeTarget returns the fields of the output schema that a row could make.
func (s *State) completeTarget(file string, d *draft) []Item {
	root, keys := d.root, d.keys
	if p, ok := s.overridden(file, keys); ok { // what is overridden says which schema
		root, keys = p.Root, keys[2:]
	}
	ref := root.Get("output")
	if ref == nil {
		return nil
	}
	in, full := s.resolveIn(file, "schema", ref.Text)
	sc := in.Workspace.Schemas[full]
	if sc == nil {
		return nil
	}
	var at []string
	n := root
	for _, k := range keys { // fields, lines, fields, ...
		n = n.Get(k)
		if k == "fields" {
			continue
		}
		for _, part := range dotted(k) {
			at = append(at, part.name)
		}
		if n != nil && n.Get("each") != nil {
			at = append(at, value.Items)
		}
	}
	if len(keys) == 0 || keys[0] != "fields" {
		return nil
	}
	step, _, ok := sc.Schema.Shape().At(at)
	if !ok || step.Shape == nil {
		return nil
	}
	var out []Item
	var walk func(shape *value.Shape, prefix string, depth int)
	walk = func(shape *value.Shape, prefix string, depth int) {
		for _, name := range shape.Names() {
			f := shape.Fields[name]
			if len(f.Order) > 0 && depth < 4 {
				walk(f, prefix+name+".", depth+1)
				continue
			}
			out = append(out, Item{Label: prefix + name, Kind: "field", Detail: typeWords(f), Doc: f.Note})
		}
	}
	walk(step.Shape, "", 0)
	return out
}

// completeValue returns what a single value could be.
func (s *State) completeValue(file string, d *draft) []Item {
	if d.form == nil {
		return nil
	}
	var out []Item
	sc := d.form.Scalar
	if sc == nil && d.form.Map() { // the beginning of a map
		for _, k := range d.form.Keys {
			if !k.Later {
				out = append(out, Item{Label: k.Name, Kind: "key", Detail: takes(k.Form), Doc: k.Doc, Insert: k.Name + ": "})
			}
		}
		return out
	}
	if sc == nil {
		return nil
	}
	for _, w := range sc.Words {
		out = append(out, Item{Label: w, Kind: "value"})
	}
	if sc.Base == spec.IsBool {
		out = append(out, Item{Label: "true", Kind: "value"}, Item{Label: "false", Kind: "value"})
	}
	for _, e := range sc.Examples {
		out = append(out, Item{Label: e, Kind: "value", Detail: "for example"})
	}
	switch sc.Ref {
	case "target":
		d.keys = []string{"fields"}
		out = append(out, s.completeTarget(file, d)...)
	case "file":
		out = append(out, s.filesBeside(file)...)
	case "pattern":
		out = append(out, patterns(d)...)
	default:
		out = append(out, s.namedIn(file, sc.Ref)...)
	}
	return out
}

// filesBeside are the files that a definition could name.
func (s *State) filesBeside(file string) []Item {
	dir := path.Dir(file)
	var out []Item
	for _, folder := range []string{"", "samples"} {
		entries, err := s.folder.files.ReadDir(path.Join(dir, folder))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if _, ours := spec.KindOfFile(e.Name()); !ours && !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
				out = append(out, Item{Label: path.Join(folder, e.Name()), Kind: "file"})
			}
		}
	}
	return out
}

// named returns what a reference of a kind could name.
func (s *State) named(kind string) []Item {
	ws := s.Workspace
	switch kind {
	case "mapping":
		return items(ws.Mappings, kind, func(n string) string {
			return definitionText(ws.Mappings[n] != nil && ws.Mappings[n].Spec != nil, func() string { return ws.Mappings[n].Spec.Description.Value })
		})
	case "schema", "emitted":
		out := items(ws.Schemas, "schema", func(n string) string {
			return definitionText(ws.Schemas[n] != nil, func() string { return ws.Schemas[n].Spec.Description.Value })
		})
		if kind == "emitted" {
			out = append(out, s.named("event")...)
		}
		return out
	case "connection":
		return items(ws.Connections, kind, func(n string) string { return "" })
	case "pipeline":
		return items(ws.Pipelines, kind, func(n string) string { return "" })
	case "template":
		return items(ws.Templates, kind, func(n string) string { return "" })
	case "policy":
		return items(ws.Policies, kind, func(n string) string { return "" })
	case "alert":
		return items(ws.Alerts, kind, func(n string) string { return "" })
	case "verify":
		return append(items(ws.Verify, kind, func(n string) string { return "" }), Item{Label: "none", Kind: "value", Doc: "Anybody may call."})
	case "environment":
		if ws.Environment != nil {
			return []Item{{Label: ws.Environment.Name, Kind: kind}}
		}
	case "operation":
		var out []Item
		for _, c := range slices.Sorted(maps.Keys(ws.Connections)) {
			for _, op := range slices.Sorted(maps.Keys(ws.Connections[c].Operations)) {
				out = append(out, Item{Label: c + "." + op, Kind: kind, Doc: s.aboutOperation(c + "." + op)})
			}
		}
		return out
	case "lookup":
		var out []Item
		for _, n := range slices.Sorted(maps.Keys(ws.Lookups)) {
			l := ws.Lookups[n]
			if l == nil || l.Table == nil {
				continue
			}
			name := strings.TrimPrefix(n, "std/")
			if len(l.Table.Columns) == 0 {
				out = append(out, Item{Label: name, Kind: kind, Doc: s.aboutLookup(n, "")})
			}
			for _, c := range l.Table.Columns {
				out = append(out, Item{Label: name + "." + c, Kind: kind, Doc: s.aboutLookup(n, c)})
			}
		}
		return out
	case "event":
		seen := map[string]bool{}
		for _, sc := range ws.Schemas {
			if names, known := sc.EventNames(); known {
				for _, n := range names {
					seen[n] = true
				}
			}
		}
		var out []Item
		for _, n := range slices.Sorted(maps.Keys(seen)) {
			out = append(out, Item{Label: n, Kind: kind})
		}
		return out
	case "test":
		var out []Item
		for _, kind := range []string{"mapping", "pipeline"} {
			for _, i := range s.named(kind) {
				i.Label = kind + " " + i.Label
				out = append(out, i)
			}
		}
		return out
	case "type":
		return words("string", "integer", "number", "boolean", "decimal(2)", "date", "datetime", "time", "url", "choice", "list", "list(string)", "object")
	case "connector":
		if s.folder.opt.Catalog != nil {
			return words(s.folder.opt.Catalog.Types()...)
		}
	case "zone":
		return words("UTC", "Europe/Berlin", "Europe/London", "Europe/Paris", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Asia/Shanghai", "Asia/Tokyo")
	case "unit":
		return words(unit.Names()...)
	}
	return nil
}

func words(list ...string) []Item {
	var out []Item
	for _, w := range list {
		out = append(out, Item{Label: w, Kind: "value"})
	}
	return out
}

func definitionText(known bool, text func() string) string {
	if !known {
		return ""
	}
	return text()
}

// items are the names of definitions; those of the library without std/.
func items[T any](defs map[string]T, kind string, doc func(string) string) []Item {
	var out []Item
	for _, n := range slices.Sorted(maps.Keys(defs)) {
		short, std := strings.CutPrefix(n, "std/")
		i := Item{Label: short, Kind: kind, Doc: doc(n)}
		if std {
			i.Detail = "shipped"
		}
		out = append(out, i)
	}
	return out
}

// takes words what stands behind a key.
func takes(f *spec.Form) string {
	switch {
	case f == nil:
		return ""
	case f.Scalar != nil && f.Scalar.Lang != "":
		return f.Scalar.Lang
	case f.Scalar != nil && len(f.Scalar.Words) > 0:
		return strings.Join(f.Scalar.Words, " | ")
	case f.Scalar != nil && f.Scalar.Takes != "":
		return f.Scalar.Takes
	case f.Scalar != nil && f.Scalar.Ref != "":
		return f.Scalar.Ref
	case f.Scalar != nil:
		return [...]string{"text", "true or false", "whole number", "number"}[f.Scalar.Base]
	case f.Items != nil:
		return "list"
	case f.Map():
		return "map"
	}
	return "any value"
}

func typeWords(f *value.Shape) string {
	if f == nil {
		return ""
	}
	text := f.Type.String()
	if f.Required {
		text += ", required"
	}
	if len(f.Options) > 0 {
		text += ": " + strings.Join(f.Options, ", ")
	}
	return text
}
