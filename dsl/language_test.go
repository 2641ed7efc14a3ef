package dsl_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/runtime/catalog"
	"crossdock/runtime/testrun"
)

func options() dsl.Options { return dsl.Options{Catalog: catalog.New()} }

// TestLanguage loads a workspace that uses the language as it is specified:
// nothing is to be found in it, and its own tests pass.
func TestLanguage(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/language.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := txtar.FS(ar)
	if err != nil {
		t.Fatal(err)
	}
	ws, list, err := dsl.Load(fsys, options())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		t.Errorf("%s %s %s: %s; %s", d.Span, d.Code, d.Severity, d.Message, d.Hint)
	}
	if list.HasErrors() {
		return
	}
	r := testrun.Runner{WS: ws, FS: fsys}
	n := 0
	r.All(context.Background(), nil, func(res testrun.Result) {
		n++
		for _, f := range res.Failures {
			t.Errorf("%s, %s: %s", res.Of, res.Case, f)
		}
	})
	if n != 6 {
		t.Errorf("%d cases ran", n)
	}
}

func workspace(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// TestRevision: what files named in definitions say counts, comments, layout
// and order of keys do not.
func TestRevision(t *testing.T) {
	base := map[string]string{
		"crossdock.yaml": "crossdock: 1\n", "a.csv": "code,value\n1,x\n", "p.jq": ".a\n", "s.json": `{"type":"object"}`,
		"l.lookup.yaml":  "lookup: l\non_miss: error\nfile: a.csv\n",
		"m.mapping.yaml": "mapping: m\nprogram: p.jq\n",
		"s.schema.yaml":  "schema: s@1\njson_schema: s.json\n",
	}
	revision := func(change map[string]string) string {
		files := map[string]string{}
		for k, v := range base {
			files[k] = v
		}
		for k, v := range change {
			files[k] = v
		}
		ws, list, err := dsl.Load(workspace(files), options())
		if err != nil || list.HasErrors() {
			t.Fatal(err, list)
		}
		return ws.Revision
	}
	first := revision(nil)
	for name, change := range map[string]map[string]string{
		"a table":   {"a.csv": "code,value\n1,y\n"},
		"a program": {"p.jq": ".b\n"},
		"a schema":  {"s.json": `{"type":"object","required":["a"]}`},
		"a key":     {"l.lookup.yaml": "lookup: l\non_miss: pass\nfile: a.csv\n"},
	} {
		if revision(change) == first {
			t.Errorf("%s changed, and the revision is the same", name)
		}
	}
	for name, change := range map[string]map[string]string{
		"a comment":     {"l.lookup.yaml": "lookup: l # x\non_miss: error\nfile: a.csv\n"},
		"the order":     {"l.lookup.yaml": "lookup: l\nfile: a.csv\non_miss: error\n"},
		"another file":  {"other.csv": "x"},
		"foreign yaml":  {"docker-compose.yml": "version: 3\nservices: {}\n"},
		"broken others": {"chart/values.yaml": "a: {{ .Values.x }}\n"},
	} {
		if revision(change) != first {
			t.Errorf("%s changed the revision", name)
		}
	}
}

// TestEnvironments: which one is chosen, and what is said where none can be.
func TestEnvironments(t *testing.T) {
	two := map[string]string{
		"dev.environment.yaml":  "environment: dev\nvars: {x: d}\n",
		"prod.environment.yaml": "environment: prod\nvars: {x: p}\n",
		"crossdock.yaml":        "crossdock: 1\n",
	}
	one := map[string]string{"dev.environment.yaml": two["dev.environment.yaml"]}
	chosen := map[string]string{"dev.environment.yaml": two["dev.environment.yaml"], "prod.environment.yaml": two["prod.environment.yaml"],
		"crossdock.yaml": "crossdock: 1\ndefaults: {environment: prod}\n"}
	for _, c := range []struct {
		name, env  string
		any        bool
		files      map[string]string
		want, fail string
	}{
		{"the only one", "", false, one, "d", ""},
		{"named", "prod", false, two, "p", ""},
		{"the default", "", false, chosen, "p", ""},
		{"named wins over the default", "dev", false, chosen, "d", ""},
		{"none chosen", "", false, two, "", "choose an environment: there are dev, prod"},
		{"any will do", "", true, two, "d", ""},
		{"unknown", "prd", false, two, "", "there is no environment `prd`"},
		{"none at all", "", false, map[string]string{"crossdock.yaml": "crossdock: 1\n"}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options()
			o.Environment, o.AnyEnvironment = c.env, c.any
			ws, list, err := dsl.Load(workspace(c.files), o)
			if err != nil {
				t.Fatal(err)
			}
			if c.fail != "" {
				if len(list) == 0 || list[0].Message != c.fail {
					t.Errorf("found %v", list)
				}
				return
			}
			if list.HasErrors() {
				t.Fatal(list)
			}
			if got, _ := ws.Environment.Vars["x"].(string); got != c.want {
				t.Errorf("x is %q, not %q", got, c.want)
			}
		})
	}
}

// TestLinks: files behind links count, links that lead nowhere are told.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "m.yaml")
	for path, text := range map[string]string{outside: "mapping: m\nfields: {a: .a}\n", filepath.Join(dir, "crossdock.yaml"): "crossdock: 1\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"m.mapping.yaml": outside, "gone.mapping.yaml": filepath.Join(dir, "nothing"), "self.mapping.yaml": "self.mapping.yaml"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("this system has no links:", err)
		}
	}
	ws, list, err := dsl.Load(os.DirFS(dir), options())
	if err != nil {
		t.Fatal(err)
	}
	if ws.Mappings["m"] == nil {
		t.Error("the file behind the link was not read")
	}
	var places []string
	for _, d := range list {
		places = append(places, d.Span.File)
	}
	if got := strings.Join(places, " "); got != "gone.mapping.yaml self.mapping.yaml" {
		t.Errorf("findings at %q: %v", got, list)
	}
}

// large is a workspace of n mappings with their tables and pipelines.
func large(n int) fstest.MapFS {
	fsys := workspace(map[string]string{"crossdock.yaml": "crossdock: 1\n",
		"t.connection.yaml": "connection: t\ntype: http\nbase_url: https://t.example.com\noperations: {post: {post: /o, repeat: keyed}}\n"})
	for i := range n / 3 {
		put := func(kind, text string) {
			fsys[fmt.Sprintf("d%d/%s-%d.%s.yaml", i%20, kind, i, kind)] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, "@", fmt.Sprint(i)))}
		}
		put("lookup", "lookup: table-@\non_miss: error\nrows: {01: A, 02: B, 03: C}\n")
		put("mapping", "mapping: map-@\nfields:\n  a: {from: .a, lookup: table-@}\n  b: .b | tostring\n  c.d: {from: .c, type: decimal(2), required: true}\n  lines:\n    each: .lines\n    fields:\n      x: .x\n      y: '\"\\($root.a)-\\($index)\"'\n")
		put("pipeline", "pipeline: pipe-@\ntrigger: {http: {path: /p/@, verify: {api_key: {header: X-Key, keys: [\"${secret.k}\"]}}}}\nkey: .a\nwhen: data.a == 1\nsteps:\n  - map: map-@\n  - send: t.post\n")
	}
	return fsys
}

// TestLargeWorkspace: a thousand files load in a breath; the bound is wide
// because the machine may be busy.
func TestLargeWorkspace(t *testing.T) {
	began := time.Now()
	ws, list, err := dsl.Load(large(1000), options())
	took := time.Since(began)
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	if len(ws.Pipelines) != 333 || took > 30*time.Second {
		t.Errorf("%d pipelines in %s", len(ws.Pipelines), took)
	}
	t.Logf("1,000 files in %s", took)
}

// TestLargeFile: a definition of ten megabytes is refused at once, in words; a
// table of that size in a CSV file loads; foreign files may have any size.
func TestLargeFile(t *testing.T) {
	var yaml, csv bytes.Buffer
	yaml.WriteString("lookup: big\non_miss: error\nrows:\n")
	csv.WriteString("code,value\n")
	n := 0
	for ; csv.Len() < 10<<20; n++ {
		fmt.Fprintf(&yaml, "  code-%d: a value with some words in it, number %d\n", n, n)
		fmt.Fprintf(&csv, "code-%d,a value with some words in it, number %d\n", n, n)
	}
	rows := strings.ReplaceAll(csv.String(), "it, number", "it number")
	began := time.Now()
	ws, list, err := dsl.Load(workspace(map[string]string{"big.lookup.yaml": yaml.String(), "foreign.yaml": "a: 1\n" + yaml.String(),
		"table.lookup.yaml": "lookup: table\non_miss: error\nfile: rows.csv\n", "rows.csv": rows}), options())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Span.File != "big.lookup.yaml" || !strings.Contains(list[0].Message, "larger than") {
		t.Errorf("found %v", list)
	}
	if got := len(ws.Lookups["table"].Table.Codes()); got != n {
		t.Errorf("%d of %d rows", got, n)
	}
	t.Logf("10 MB of YAML and of CSV in %s", time.Since(began))
}

func BenchmarkLoad(b *testing.B) {
	fsys := large(1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := dsl.Load(fsys, options()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestUnknownTableInARule: a slip in the name of a table is recognised, in
// whatever quotes the cell stands.
func TestUnknownTableInARule(t *testing.T) {
	for _, cell := range []string{`'in_lookup("carrier", data.c)'`, `in_lookup("carrier", data.c)`, `"in_lookup('carrier', data.c)"`} {
		_, list, err := dsl.Load(workspace(map[string]string{
			"carriers.lookup.yaml": "lookup: carriers\non_miss: pass\nrows: {1: x}\n",
			"p.pipeline.yaml":      "pipeline: p\ntrigger: {schedule: {cron: '0 6 * * *'}}\nwhen: " + cell + "\nsteps: [{ignore: true}]\n",
		}), options())
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, d := range list {
			found = found || d.Short == "did you mean `carriers`?"
		}
		if !found {
			t.Errorf("%s: nothing suggested: %s", cell, list)
		}
	}
}
