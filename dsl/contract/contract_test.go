package contract_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"crossdock/dsl/contract"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
	"crossdock/runtime/message"
)

// build reads the fields of a schema as they stand in a file.
func build(t testing.TB, fields string, closed bool) *schema.Schema {
	t.Helper()
	file, l := parser.Parse("x.schema.yaml", []byte("schema: x@1\nfields:\n"+fields))
	s := schema.Build(schema.Source{Name: "x@1", Closed: closed, Fields: file.Root.Get("fields"), Span: file.Root.Span}, &l)
	if l.HasErrors() {
		t.Fatal(fields, l)
	}
	return s
}

func published(t testing.TB, doc string) *schema.Schema {
	t.Helper()
	var l diag.List
	s := schema.Build(schema.Source{Name: "x@1", JSON: []byte(doc), File: "x.json"}, &l)
	if s == nil {
		t.Fatal(l)
	}
	return s
}

func TestCompare(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"nothing", "  a: string", "  a: {type: string, note: x, example: y}", ""},
		{"an optional field", "  a: string", "  a: string\n  b: string", "b field_added"},
		{"a required field", "  a: string", "  a: string\n  b: {type: string, required: true}", "b required_added sender"},
		{"a field is gone", "  a: string\n  b: string", "  a: string", "b field_removed reader"},
		{"required", "  a: string", "  a: {type: string, required: true}", "a required_added sender"},
		{"optional", "  a: {type: string, required: true}", "  a: string", "a required_removed reader"},
		{"narrower", "  a: number", "  a: integer", "a type_narrowed sender"},
		{"wider", "  a: decimal(2)", "  a: decimal(3)", "a type_widened reader"},
		{"the same by another name", "  a: integer", "  a: decimal(0)", ""},
		{"another kind", "  a: string", "  a: number", "a type_changed sender reader"},
		{"text to a date", "  a: string", "  a: date", "a type_narrowed sender"},
		{"a code goes, one comes", "  a: {type: choice, options: [X, Y]}", "  a: {type: choice, options: [X, Z]}", "a options_removed sender, a options_added reader"},
		{"free text to codes", "  a: string", "  a: {type: choice, options: [X]}", "a options_removed sender"},
		{"codes to free text", "  a: {type: choice, options: [X]}", "  a: string", "a options_added reader"},
		{"shorter", "  a: {type: string, max_length: 9}", "  a: {type: string, max_length: 8}", "a limit_tightened sender"},
		{"longer", "  a: {type: string, max_length: 8}", "  a: {type: string}", "a limit_loosened reader"},
		{"a higher minimum", "  a: {type: number, min: 1}", "  a: {type: number, min: 2}", "a limit_tightened sender"},
		{"the same minimum", "  a: {type: number, min: 1}", "  a: {type: number, min: 1.0}", ""},
		{"another pattern", "  a: {type: string, pattern: x}", "  a: {type: string, pattern: y}", "a limit_changed sender reader"},
		{"inside lists", "  l[].a: integer", "  l[].a: string", "l[].a type_changed sender reader"},
		{"items of a list", "  l[]: integer", "  l[]: number", "l[] type_widened reader"},
		{"more items", "  l[]: {max_items: 3}", "  l[]: {max_items: 2}", "l limit_tightened sender"},
		{"personal", "  a: string", "  a: {type: string, pii: true}", "a pii_added"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, ch := range contract.Compare(build(t, c.old, false), build(t, c.new, false)) {
				line := ch.Path + " " + ch.Rule
				if ch.Sender != "" {
					line += " sender"
				}
				if ch.Reader != "" {
					line += " reader"
				}
				got = append(got, line)
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("got %q, want %q", s, c.want)
			}
		})
	}
}

func TestClosed(t *testing.T) {
	open, closed := build(t, "  a: string", false), build(t, "  a: string", true)
	if l := contract.Compare(open, closed); len(l) != 1 || l[0].Rule != "closed" || l[0].Sender == "" {
		t.Error(l)
	}
	if l := contract.Compare(closed, open); len(l) != 1 || l[0].Rule != "opened" || l[0].Reader == "" {
		t.Error(l)
	}
	more := build(t, "  a: string\n  b: string", true)
	if l := contract.Compare(closed, more); len(l) != 1 || l[0].Reader == "" {
		t.Error("a closed schema refused the new field before:", l)
	}
}

// What a published schema says and cannot be compared is told.
func TestPublished(t *testing.T) {
	a := published(t, `{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"description":"x"}`)
	b := published(t, `{"type":"object","properties":{"n":{"type":"integer","minimum":2}}}`)
	if l := contract.Compare(a, b); len(l) != 1 || l[0].Rule != "not_compared" || !l[0].Breaking {
		t.Error(l)
	}
	c := published(t, `{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"description":"y"}`)
	if l := contract.Compare(a, c); len(l) != 0 {
		t.Error(l)
	}
}

// The verdict holds for documents: where nothing breaks who sends, whatever was
// good stays good; where nothing breaks who reads, whatever is good now was good
// before.
func TestVerdictHolds(t *testing.T) {
	types := []string{"", "string", "integer", "number", "decimal(2)", "boolean", "date", "{type: choice, options: [X]}", "{type: choice, options: [X, Y]}",
		"{type: string, required: true}", "{type: string, max_length: 2}", "{type: integer, min: 3}", "{type: integer, required: true}", "{type: string, pattern: ^X}", "list(integer)", "list(string)"}
	values := []any{nil, "X", "Y", "XYZ", "2026-05-16", json.Number("1"), json.Number("5"), json.Number("1.25"), json.Number("1.234"), true, []any{}, []any{json.Number("1")}, []any{"X"}}
	draw := func(t *rapid.T, label string) string {
		out := ""
		for _, name := range []string{"a", "b", "c.d"} {
			if k := rapid.IntRange(-2, len(types)-1).Draw(t, label+name); k >= 0 {
				out += fmt.Sprintf("  %s: %s\n", name, types[k])
			}
		}
		return out + "  z: string\n"
	}
	rapid.Check(t, func(r *rapid.T) {
		old, new := draw(r, "old "), draw(r, "new ")
		a, b := build(t, old, false), build(t, new, false)
		sender, reader, added := false, false, false
		for _, c := range contract.Compare(a, b) {
			sender, reader, added = sender || c.Sender != "", reader || c.Reader != "", added || c.Rule == "field_added"
		}
		for range 20 {
			doc := map[string]any{}
			for _, name := range []string{"a", "b", "d"} {
				if k := rapid.IntRange(-1, len(values)-1).Draw(r, "value "+name); k >= 0 {
					doc[name] = values[k]
				}
			}
			doc["c"] = map[string]any{"d": doc["d"]}
			// A field that was not listed could hold anything: a new optional
			// field is not held against who sends.
			wasGood, isGood := len(a.Validate(doc)) == 0, len(b.Validate(doc)) == 0
			if !sender && !added && wasGood && !isGood {
				t.Fatalf("%s is refused\nold\n%snew\n%s", message.Marshal(doc), old, new)
			}
			if !reader && isGood && !wasGood {
				t.Fatalf("%s is new\nold\n%snew\n%s", message.Marshal(doc), old, new)
			}
		}
	})
}
