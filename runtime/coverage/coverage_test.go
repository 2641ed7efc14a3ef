package coverage_test

import (
	"slices"
	"testing"
	"testing/fstest"

	"crossdock/dsl"
	"crossdock/runtime/catalog"
	"crossdock/runtime/coverage"
	"crossdock/runtime/testrun"
)

// TestUnread: codes of a lookup that a mapping, a condition or a cell looks into
// count; those of a list that nothing here looks into are named instead.
func TestUnread(t *testing.T) {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"crossdock.yaml":        "crossdock: 1\n",
		"rows.lookup.yaml":      "lookup: rows\non_miss: error\nrows: {A: a, B: b}\n",
		"cells.lookup.yaml":     "lookup: cells\non_miss: error\nrows: {C: c}\n",
		"asked.lookup.yaml":     "lookup: asked\non_miss: error\nrows: {D: d}\n",
		"countries.lookup.yaml": "lookup: countries\non_miss: error\nrows: {DEU: DE}\n",
		"m.mapping.yaml": `mapping: m
fields:
  row: {from: .row, lookup: rows}
  cell: .cell | lookup("cells")
  known: {const: true, when: 'in_lookup("asked", data.asked)'}
`,
		"m.test.yaml": "test: mapping m\ncases:\n  - name: one\n    given: {row: A, cell: C, asked: D}\n    expect: {row: a, cell: c, known: true}\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	ws, list, err := dsl.Load(files, dsl.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	r := coverage.Run(t.Context(), &testrun.Runner{WS: ws, FS: files})
	if len(r.Failing) > 0 || len(r.Unread) != 1 || r.Unread[0].Name != "countries" || r.Unread[0].Span.String() != "countries.lookup.yaml:1:9" {
		t.Errorf("%v, %+v", r.Failing, r.Unread)
	}
	var codes []string
	for _, i := range r.Items {
		if i.Kind == "lookup" && i.Row != "on_miss" {
			codes = append(codes, i.Name+" "+i.Row)
		}
	}
	if want := []string{"asked D", "cells C", "rows A", "rows B"}; !slices.Equal(codes, want) {
		t.Errorf("the codes that count: %q, want %q", codes, want)
	}
}

// TestReadByAClient: a cell of a template looks into the lookup of its client.
func TestReadByAClient(t *testing.T) {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"crossdock.yaml":    "crossdock: 1\n",
		"t/t.template.yaml": "template: t@1\nparams: {code: {type: name, required: true}}\n",
		"t/u.lookup.yaml":   "lookup: u\non_miss: error\nrows: {X: Y}\n",
		"t/m.mapping.yaml":  "mapping: m\nfields:\n  a: .a | lookup(\"u\")\n",
		"c.instance.yaml":   "instance: c\nof: t@1\nparams: {code: c}\n",
		"m.test.yaml":       "test: mapping c/m\ncases:\n  - {name: x, given: {a: X}, expect: {a: Y}}\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	ws, list, err := dsl.Load(files, dsl.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	r := coverage.Run(t.Context(), &testrun.Runner{WS: ws, FS: files})
	if len(r.Failing)+len(r.Unread) > 0 || !slices.ContainsFunc(r.Items, func(i coverage.Item) bool { return i.Name == "c/u" && i.Row == "X" && i.Reached }) {
		t.Errorf("%v, %+v, %+v", r.Failing, r.Unread, r.Items)
	}
}
