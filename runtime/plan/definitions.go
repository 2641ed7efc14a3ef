package plan

import (
	"maps"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/runtime/message"
)

// Definition is one definition that differs in what it says.
type Definition struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"`
	What    string   `json:"what"` // new, changed or removed
	Place   string   `json:"place,omitempty"`
	Details []Detail `json:"details,omitempty"`
}

// Detail is one thing in a definition that differs.
type Detail struct {
	Item   string `json:"item"` // row lines[].weight, rule standard, entry 01 ...
	What   string `json:"what"` // added, changed, removed or moved
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// written is a definition of any kind.
type written struct {
	file *ast.File
	node *ast.Node
}

// definitions lists what differs, in the order in which people think of it:
// what moves messages first.
func definitions(old, next *compile.Workspace) []Definition {
	var out []Definition
	for _, kind := range []string{"pipeline", "mapping", "lookup", "schema", "connection", "crossdock", "environment"} {
		a, b := all(old, kind), all(next, kind)
		names := maps.Clone(a)
		maps.Copy(names, b)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if d := definition(kind, name, a[name], b[name]); d != nil {
				if kind == "lookup" {
					d.tables(old.Lookups[name], next.Lookups[name])
				}
				if d.What != "changed" || len(d.Details) > 0 {
					out = append(out, *d)
				}
			}
		}
	}
	return out
}

// moves lists the clients that are on both sides, on another version.
func moves(old, next *compile.Workspace) []Move {
	var out []Move
	for _, code := range sorted(old.Clients) {
		a, b := old.Clients[code], next.Clients[code]
		if b != nil && a.Of != nil && b.Of != nil && a.Of.Name != b.Of.Name {
			out = append(out, Move{code, a.Of.Name, b.Of.Name})
		}
	}
	return out
}

// all returns the definitions of a kind by name.
func all(ws *compile.Workspace, kind string) map[string]*written {
	out := map[string]*written{}
	add := func(name string, f *ast.File) {
		if f != nil && f.Root != nil {
			out[name] = &written{f, f.Root}
		}
	}
	switch kind {
	case "pipeline":
		for n, d := range ws.Pipelines {
			add(n, d.File)
		}
	case "mapping":
		for n, d := range ws.Mappings {
			add(n, d.File)
		}
	case "lookup":
		for n, d := range ws.Lookups {
			add(n, d.File)
		}
	case "schema":
		for n, d := range ws.Schemas {
			add(n, d.File)
		}
	case "connection":
		for n, d := range ws.Connections {
			add(n, d.File)
		}
	case "crossdock":
		add("crossdock.yaml", ws.Files["crossdock.yaml"])
	case "environment":
		if e := ws.Environment; e != nil && e.Spec != nil {
			add(e.Name, e.File)
		}
	}
	return out
}

func definition(kind, name string, a, b *written) *Definition {
	d := &Definition{Kind: kind, Name: name, What: "changed"}
	switch {
	case a == nil:
		d.What, d.Place = "new", b.file.Path
		return d
	case b == nil:
		d.What, d.Place = "removed", a.file.Path
		return d
	}
	d.Place = b.file.Path
	t := &tree{kind: kind}
	t.maps("", a.node, b.node)
	d.Details = t.out
	return d
}

// tables compares the entries of a lookup, wherever they are kept.
func (d *Definition) tables(a, b *compile.Lookup) {
	if d.What != "changed" || a == nil || b == nil || a.Table == nil || b.Table == nil {
		return
	}
	d.Details = slices.DeleteFunc(d.Details, func(x Detail) bool { return strings.HasPrefix(x.Item, "entry ") || x.Item == "rows" })
	codes := map[string]bool{}
	for _, c := range append(slices.Clone(a.Table.Codes()), b.Table.Codes()...) {
		codes[c] = true
	}
	for _, c := range slices.Sorted(maps.Keys(codes)) {
		x := Detail{Item: "entry " + c, What: "changed"}
		had, has := a.Table.Has(c), b.Table.Has(c)
		if had {
			v, _ := a.Table.Find(c, "") // it is there
			x.Before = string(message.Marshal(v))
		}
		if has {
			v, _ := b.Table.Find(c, "")
			x.After = string(message.Marshal(v))
		}
		switch {
		case !had:
			x.What = "added"
		case !has:
			x.What = "removed"
		case x.Before == x.After:
			continue
		}
		d.Details = append(d.Details, x)
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
