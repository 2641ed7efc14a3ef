package draft

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/dsl/format"
	"crossdock/dsl/parser"
	"crossdock/dsl/profile"
	"crossdock/dsl/schema"
	"crossdock/runtime/message"
)

// samples returns the folder of real documents, or skips.
func samples(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "samples")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the folder of real documents is not here: " + dir)
	}
	return dir
}

// documents reads all JSON documents of a file.
func documents(raw []byte) []any {
	var out []any
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	d.UseNumber()
	for {
		var v any
		if d.Decode(&v) != nil {
			return out
		}
		out = append(out, v)
	}
}

func profileOf(docs ...any) *profile.Profile {
	p := profile.New()
	for _, d := range docs {
		p.Add(d)
	}
	return p
}

// agree checks what Schema promises: the text is canonical and every document
// is valid by it.
func agree(t testing.TB, name string, docs ...any) *schema.Schema {
	t.Helper()
	text, err := Schema("x@1", profileOf(docs...), []string{name})
	if err != nil {
		return nil
	}
	file, list := parser.Parse("x.schema.yaml", text)
	if len(list) > 0 {
		t.Fatalf("%s: %v\n%s", name, list, text)
	}
	s := schema.Build(schema.Source{Name: "x@1", Fields: file.Root.Get("fields"), Span: file.Root.Span}, &list)
	if len(list) > 0 {
		t.Fatalf("%s: %v\n%s", name, list, text)
	}
	for _, d := range docs {
		if found := s.Validate(d); len(found) > 0 {
			t.Fatalf("%s: %v\n%s", name, found, text)
		}
	}
	if format.Changed(text) {
		t.Errorf("%s: the layout is not canonical\n%s", name, text)
	}
	return s
}

// TestSamples: every real document keeps to the schema that is inferred from
// it, and from all documents of its folder.
func TestSamples(t *testing.T) {
	files, folders := 0, map[string][]any{}
	root := samples(t)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		ext := filepath.Ext(path)
		if err != nil || d.IsDir() || ext != ".json" && ext != ".jsonl" && ext != ".jsonld" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		docs := documents(raw)
		if agree(t, path, docs...) == nil {
			t.Logf("%s: no schema", path)
		}
		files++
		folders[filepath.Dir(path)] = append(folders[filepath.Dir(path)], docs...)
		return nil
	})
	if err != nil || files < 100 {
		t.Fatal(files, err)
	}
	for dir, docs := range folders {
		agree(t, dir, docs...)
	}
}

func TestSchema(t *testing.T) {
	docs := []string{
		`{"orderNo":"SO-1","zip":"01067","qty":2,"weight":12,"price":1.50,"date":"2026-05-16","at":"2026-05-16T10:00:00Z","local":"16.05.2026 10:00","flag":"Y","n":"12.50","comma":"1.234,50",
		  "lines":[{"sku":"A","qty":1},{"sku":"B"}],"party":{"name":"x"},"partner":{"role":"a"},"ship_to":{"name":"Ada","phone":"+49 30 1234567"},"mixed":1,"nothing":null,"maybe":null,"Order No":"1","a.b":"x","when":"","prices":{"2026-01-01":1},"ts":1767225600,"tags":["a"],"url":"https://example.com/x"}`,
		`{"orderNo":"SO-2","zip":"80331","qty":3,"weight":11,"price":2,"date":"2026-05-17","at":"2026-05-16T10:00:00+02:00","local":"31.05.2026 10:00","flag":"N","n":"3","comma":"2,5",
		  "lines":[{"sku":"C","qty":2}],"partner":[{"role":"b"}],"ship_to":{"name":"Bob","phone":"+49 30 7654321"},"mixed":"x","nothing":null,"maybe":"2026-01-01","Order No":"2","a.b":"y","when":"2026-01-01","prices":{},"ts":1767225601,"tags":[],"url":"https://example.com/y"}`,
	}
	p := profile.New()
	var values []any
	for _, d := range docs {
		v, err := message.Decode([]byte(d), message.Unlimited)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
		p.Add(v)
	}
	p.Follow([]byte(docs[0]))
	agree(t, "docs", values...)
	text, err := Schema("erp/order@1", p, []string{"a.json", "b.json"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for l := range strings.Lines(string(text)) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(l), ": "); ok {
			got[strings.Trim(name, `'"`)] = strings.Join(strings.Fields(rest), " ")
		}
	}
	for name, want := range map[string]string{
		"orderNo": "{type: string, required: true}", "zip": "{type: string, required: true} # digits with leading zeros stay text",
		"qty": "{type: number, required: true} # only whole numbers seen, but the name speaks of a measure", "price": "{type: number, required: true} # up to 2 digits behind the point",
		"date": "{type: date, required: true}", "at": "{type: datetime, required: true}",
		"local": "{type: string, required: true} # a time without zone: zone: Area/City, parse: dd.MM.yyyy HH:mm in a row",
		"flag":  "{type: string, required: true} # yes or no: type: boolean, true_values: [\"Y\"] in a row",
		"n":     "{type: string, required: true} # a number written as text", "comma": "{type: string, required: true} # a number: parse: \"1.234,56\" in a row",
		"lines[]": "{required: true}", "lines[].sku": "{type: string, required: true}", "lines[].qty": "{type: number} # only whole numbers seen, but the name speaks of a measure",
		"party": "{type: object}", "partner": "{required: true} # one object in 1, a list in 1: `each` takes both", "mixed": "{required: true} # text or number", "nothing": "{} # always null",
		"maybe": "{type: date}", "Order No": "{type: string, required: true}", `a.b\`: "", "prices": "{type: object, required: true} # its names are data: 2026-01-01",
		"ts": "{type: integer, required: true} # a time: parse: epoch", "tags[]": "{type: string, required: true}", "url": "{type: url, required: true}",
		"when": "{type: string, required: true} # empty in 1 of 2; else a date", "ship_to.name": "{type: string, required: true, pii: true} # pii is a guess", "ship_to.phone": "{type: string, required: true, pii: true} # pii is a guess",
	} {
		if want != "" && got[name] != want {
			t.Errorf("%s: %s\nwant %s", name, got[name], want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}

func TestChoice(t *testing.T) {
	p := profile.New()
	for i := range 12 {
		p.Add(map[string]any{"status": []string{"OPEN", "DONE", "FAILED"}[i%3], "id": []string{"A1", "A2"}[i%2]})
	}
	text, err := Schema("x@1", p, []string{"x"})
	if err != nil || !strings.Contains(string(text), "status: {type: choice, options: [DONE, FAILED, OPEN], required: true}") || strings.Contains(string(text), "A1") {
		t.Errorf("%v\n%s", err, text)
	}
	few, err := Schema("x@1", profileOf(map[string]any{"status": "OPEN"}, map[string]any{"status": "DONE"}), []string{"x"})
	if err != nil || strings.Contains(string(few), "choice") || !strings.Contains(string(few), "codes seen: OPEN, DONE") {
		t.Errorf("%v\n%s", err, few)
	}
}

// TestLastIsNoName: a name of a time that begins with last is nobody's.
func TestLastIsNoName(t *testing.T) {
	text, err := Schema("x@1", profileOf(map[string]any{"status": map[string]any{"last_changed_at": "2023-04-05 18:56:00 UTC"}, "last_name": "Lovelace"}), []string{"x"})
	if err != nil || strings.Contains(string(text), "last_changed_at: {type: string, pii") || !strings.Contains(string(text), "last_name: {type: string, pii: true}") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestRefused(t *testing.T) {
	for doc, want := range map[string]string{`1`: "is a number", `[]`: "without items", `{}`: "no fields", `{"":""}`: "no fields with a name", `null`: "different kinds"} {
		if _, err := Schema("x@1", profileOf(documents([]byte(doc))...), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", doc, err)
		}
	}
	if _, err := Schema("x@1", profileOf([]any{}, map[string]any{}), nil); err == nil {
		t.Error("lists and objects have one schema")
	}
}

func TestStrangeNames(t *testing.T) {
	for _, text := range []string{`{"a":[{"b":"01"},null],"c d":{"e.f":"2026-05-16"},"\"":[[1.5]]}`,
		`{"[]":1,"a[]":"\u0085","\n":true,"#":"# x","x":[{"y":[]},{"y":[{}]}]}`, `{"a":{},"a.'":1}`} {
		agree(t, "strange", documents([]byte(text))...)
	}
}

// FuzzSchema: whatever the documents are, they keep to what is inferred from
// them.
func FuzzSchema(f *testing.F) {
	f.Add(`{"a":[{"b":"01"},null],"c d":{"e.f":"2026-05-16"},"\"":[[1.5]]}`)
	f.Add(`[{"a":1},{"a":"x","b":{}}]`)
	f.Add(`{"a":{"b":1}} {"a":null} {}`)
	f.Add(`{"[]":1,"a[]":"\u0085","\n":true,"#":"# x","x":[{"y":[]},{"y":[{}]}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		docs := documents([]byte(text))
		if len(docs) == 0 || len(text) > 4096 {
			return
		}
		agree(t, "fuzz", docs...)
	})
}
