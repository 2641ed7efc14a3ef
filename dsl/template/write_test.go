package template_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/dsl/ast"
	"crossdock/dsl/parser"
	"crossdock/dsl/template"
	"crossdock/runtime/catalog"
)

// load reads the three clients of the planted mistakes.
func load(t *testing.T) *dsl.Workspace {
	t.Helper()
	raw, err := os.ReadFile("../testdata/templates/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := txtar.FS(txtar.Parse(raw))
	if err != nil {
		t.Fatal(err)
	}
	ws, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New()})
	if err != nil || len(list) > 0 {
		t.Fatal(err, list)
	}
	return ws
}

// TestLinesSayTheSame: what render prints is the definition that runs.
func TestLinesSayTheSame(t *testing.T) {
	n := 0
	for _, c := range load(t).Clients {
		for i := range c.Definitions {
			d := &c.Definitions[i]
			var text strings.Builder
			for _, l := range c.Lines(d) {
				text.WriteString(l.Text + "\n")
				if len(l.From) == 0 {
					t.Errorf("%s: nobody knows where this line comes from: %s", d.Name, l.Text)
				}
			}
			f, list := parser.Parse(d.Path, []byte(text.String()))
			if list.HasErrors() || !same(f.Root, d.Root) {
				t.Errorf("%s %s of %s: %v\n%s", d.Kind.Name, d.Name, c.Instance.Client, list, text.String())
			}
			n++
		}
	}
	if n < 20 {
		t.Errorf("only %d definitions", n)
	}
}

// TestOrigins: a line is of the template, of a parameter or of an override.
func TestOrigins(t *testing.T) {
	got := map[string]bool{}
	for _, c := range load(t).Clients {
		for i := range c.Definitions {
			for _, l := range c.Lines(&c.Definitions[i]) {
				for _, o := range l.From {
					got[c.Instance.Client+" "+strings.TrimSpace(l.Text)+" <- "+o.What+" "+o.Param] = true
				}
			}
		}
	}
	for _, want := range []string{
		"bolt reference: .PO_NUMBER <- override ",
		"acme reference: .id <- template ",
		`bolt dir: "data/bolt/in" <- param code`,
		"coldco policy: urgent <- override ",
		`bolt dir: "data/bolt/in" <- param folder`,
		`bolt dir: "data/bolt/in" <- template `,
		`coldco changes: {get: /orders, query: {since: "{since}", days: 2}, items: .orders} <- param lead_days`,
		`coldco changes: {get: /orders, query: {since: "{since}", days: 2}, items: .orders} <- template `,
		"bolt rows: {STD: GROUND, NXT: EXPRESS, 2DAY: EXPRESS} <- override ",
	} {
		if !got[want] {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		for line := range got {
			t.Log(line)
		}
	}
}

func same(a, b *ast.Node) bool { return template.Equal(a, b) }
