package drift_test

import (
	"fmt"
	"strings"
	"testing"

	"crossdock/dsl/drift"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
	"crossdock/runtime/message"
)

func contract(t testing.TB, head, fields string) *schema.Schema {
	t.Helper()
	file, l := parser.Parse("x.schema.yaml", []byte("schema: x@1\n"+head+"fields:\n"+fields))
	s := schema.Build(schema.Source{Name: "x@1", Closed: head != "", Fields: file.Root.Get("fields"), Span: file.Root.Span}, &l)
	if l.HasErrors() {
		t.Fatal(l)
	}
	return s
}

func decode(t testing.TB, texts ...string) []any {
	t.Helper()
	var out []any
	for _, text := range texts {
		v, err := message.Decode([]byte(text), message.Unlimited)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

const fields = `  no: {type: string, required: true}
  status: {type: choice, options: [A, B]}
  day: {type: date}
  name: {type: string, pii: true, max_length: 5}
  lines[].qty: {type: integer, required: true}
  rest: {type: object}
`

func TestOf(t *testing.T) {
	s := contract(t, "", fields)
	for _, c := range []struct {
		name string
		docs []string
		want string
	}{
		{"as agreed", []string{`{"no":"1","status":"A","day":"2026-01-01","name":"x","lines":[{"qty":1}],"rest":{"a":1}}`}, ""},
		{"missing in two", []string{`{"status":"A"}`, `{"no":"1"}`, `{"no":null}`}, "missing no 1@0|type no 1@2"},
		{"a number for a text", []string{`{"no":1}`, `{"no":2}`}, "type no 2@0"},
		{"new codes", []string{`{"no":"1","status":"C"}`, `{"no":"1","status":"D"}`, `{"no":"1","status":"C"}`}, "code status 2@0|code status 1@1"},
		{"another notation", []string{`{"no":"1","day":"01.02.2026"}`}, "format day 1@0"},
		{"longer", []string{`{"no":"1","name":"Adalbert"}`}, "limit name 1@0"},
		{"in lists, once per document", []string{`{"no":"1","lines":[{"qty":"1"},{"qty":"2"},{}]}`}, "missing lines[].qty 1@0|type lines[].qty 1@0"},
		{"new fields", []string{`{"no":"1"}`, `{"no":"1","Extra No":"x","lines":[{"qty":1,"u":1},{"qty":1,"u":2}]}`}, `new Extra No 1@1|new lines[].u 1@1`},
		{"inside what is open", []string{`{"no":"1","rest":{"x":{"y":1}}}`}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range drift.Of(s, decode(t, c.docs...)) {
				if f.Drifted() {
					got = append(got, fmt.Sprintf("%s %s %d@%d", f.Kind, f.Path, f.Documents, f.First))
				}
			}
			if g := strings.Join(got, "|"); g != c.want {
				t.Errorf("got %s\nwant %s", g, c.want)
			}
		})
	}
}

// What is personal is never shown, and a closed contract refuses new fields.
func TestWords(t *testing.T) {
	for _, f := range drift.Of(contract(t, "", fields), decode(t, `{"no":"1","name":"Secretary"}`)) {
		if strings.Contains(f.Text, "Secretary") {
			t.Error(f.Text)
		}
	}
	list := drift.Of(contract(t, "closed: true\n", "  no: {type: string}\n"), decode(t, `{"x":1}`))
	if len(list) != 2 || list[0].Kind != drift.New || !list[0].Refused || list[1].Kind != drift.Unseen {
		t.Errorf("%+v", list)
	}
}

// FuzzOf: a document that the contract takes has only new and unseen fields, and
// each finding is about a document that is there.
func FuzzOf(f *testing.F) {
	f.Add(`{"no":"1","lines":[{"qty":1}]}`)
	f.Add(`[1,{"a.b":{"c":[null]}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := message.Decode([]byte(text), message.Unlimited)
		if err != nil || len(text) > 4096 {
			return
		}
		s := contract(t, "", fields)
		good := len(s.Validate(v)) == 0
		for _, d := range drift.Of(s, []any{v}) {
			if good && d.Refused || d.First > 0 || d.Documents > 1 {
				t.Fatalf("%s: %+v", text, d)
			}
		}
	})
}
