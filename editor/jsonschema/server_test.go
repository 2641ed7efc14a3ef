package jsonschema_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"crossdock/dsl/dsltest"
	own "crossdock/editor/jsonschema"
	"crossdock/editor/lsp/lsptest"
	"crossdock/runtime/catalog"
)

// nodeModules is where `npm ci --prefix tools/editors` puts what these tests need.
const nodeModules = "../../tools/editors/node_modules"

// yamlServer starts the language server that most editors have for YAML, with
// the schemas of a workspace; nil for the generic ones.
func yamlServer(t *testing.T, special bool) *lsptest.Client {
	t.Helper()
	server := filepath.Join(nodeModules, "yaml-language-server", "bin", "yaml-language-server")
	_, missing := os.Stat(server)
	node, err := exec.LookPath("node")
	if err != nil || missing != nil {
		const how = "yaml-language-server is not here: run `npm ci --prefix tools/editors` (needs node)"
		if os.Getenv("CI") == "true" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	opt := own.Options{Catalog: catalog.New()}
	if special {
		opt.Workspace = load(t, dsltest.FS(dsltest.Base(t, "../../dsl/testdata")))
	}
	files, err := own.Files(opt)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	schemas := map[string]any{}
	for _, f := range files {
		path := filepath.Join(dir, "schemas", f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
		schemas["file://"+path] = []string{f.Glob}
	}
	cmd := exec.Command(node, server, "--stdio")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c := lsptest.Connect(t, out, in, dir)
	settings := map[string]any{"validate": true, "completion": true, "hover": true, "schemas": schemas,
		"schemaStore": map[string]any{"enable": false}, "format": map[string]any{"enable": false}}
	c.Reply = func(method string, params json.RawMessage) any {
		if method != "workspace/configuration" {
			return nil
		}
		var p struct{ Items []struct{ Section string } }
		_ = json.Unmarshal(params, &p)
		out := []any{}
		for _, i := range p.Items {
			if i.Section == "yaml" {
				out = append(out, settings)
			} else {
				out = append(out, nil)
			}
		}
		return out
	}
	c.Initialize(map[string]any{"workspace": map[string]any{"configuration": true, "workspaceFolders": true},
		"textDocument": map[string]any{"completion": map[string]any{"completionItem": map[string]any{"snippetSupport": true, "documentationFormat": []string{"markdown"}}},
			"hover": map[string]any{"contentFormat": []string{"markdown"}}}}, nil)
	c.Notify("workspace/didChangeConfiguration", map[string]any{"settings": map[string]any{"yaml": settings}})
	return c
}

type yamlFinding struct {
	Message string
	Source  string
}

// TestYAMLLanguageServer lets the server that editors run judge every example and
// every mistake. What it says must be what our own validator says.
func TestYAMLLanguageServer(t *testing.T) {
	c := yamlServer(t, false)
	generic := compiled(t, nil)
	files := map[string]string{}
	examples, err := filepath.Glob("../../examples/[0-9]*/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../examples/[0-9]*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range append(examples, more...) {
		raw, err := os.ReadFile(e)
		if err != nil {
			t.Fatal(err)
		}
		files["right/"+strings.TrimPrefix(e, "../../examples/")] = string(raw)
	}
	right := len(files)
	mistakes := map[string]dsltest.Mistake{}
	for i, m := range dsltest.Mistakes(t, "../../dsl/testdata") {
		name := fmt.Sprintf("wrong/%03d/%s", i, m.Path)
		mistakes[name], files[name] = m, m.Files[m.Path]
	}
	if right < 40 || len(mistakes) < 250 {
		t.Fatalf("only %d definitions and %d mistakes", right, len(mistakes))
	}
	for name, text := range files {
		c.Open(name, text)
	}
	refused, differ := 0, 0
	for name, text := range files {
		var list []yamlFinding
		c.Diagnostics(name, &list)
		list = slices.DeleteFunc(list, func(f yamlFinding) bool { return strings.HasPrefix(f.Source, "YAML") }) // what the parser says
		m, wrong := mistakes[name]
		switch {
		case !wrong && len(list) > 0:
			t.Errorf("%s: %+v", name, list)
		case wrong && len(list) > 0:
			refused++
		}
		ours := check(generic, name, []byte(text))
		if wrong && (len(ours) > 0) != (len(list) > 0) && !slices.Contains(ours, "not readable") {
			differ++
			t.Logf("%s: the server says %+v, our validator %v", m.Name, list, ours)
		}
		if key := unknownKeyName.FindStringSubmatch(m.Found); wrong && key != nil &&
			!slices.ContainsFunc(list, func(f yamlFinding) bool { return strings.Contains(f.Message, key[1]+" is not allowed") }) {
			t.Errorf("%s: the unknown key %s is not told: %+v", m.Name, key[1], list)
		}
	}
	t.Logf("%d right definitions; of %d mistakes %d are refused; our validator judges %d in another way", right, len(mistakes), refused, differ)
	if refused < 75 || differ > 12 {
		t.Errorf("%d mistakes are refused, %d are judged in another way", refused, differ)
	}
}

// The server passes over keys that YAML takes for numbers.
var unknownKeyName = regexp.MustCompile("= error XD1001 [^\n]*\n  unknown key `([^`0-9][^`]*)`")

// TestYAMLLanguageServerHelps asks for completion and docs with the schemas of a
// workspace.
func TestYAMLLanguageServerHelps(t *testing.T) {
	c := yamlServer(t, true)
	ask := func(path, text string) []string {
		before, after, _ := strings.Cut(text, "‸")
		c.Open(path, before+after)
		var known []yamlFinding
		c.Diagnostics(path, &known) // now it has read the schema
		var raw json.RawMessage
		last := before[strings.LastIndexByte(before, '\n')+1:]
		c.Call("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": c.URI(path)},
			"position": map[string]any{"line": strings.Count(before, "\n"), "character": len(last)}}, &raw)
		var list struct{ Items []struct{ Label string } }
		if json.Unmarshal(raw, &list) != nil {
			_ = json.Unmarshal(raw, &list.Items)
		}
		var out []string
		for _, i := range list.Items {
			out = append(out, strings.Trim(i.Label, `"`))
		}
		return out
	}
	for _, tt := range []struct {
		path, text string
		want       []string
	}{
		{"a.pipeline.yaml", "pipeline: a\ntrigger: {event: shipment_planned}\nsteps:\n  - send: ‸\n", []string{"tms.create", "journal.note"}},
		{"b.pipeline.yaml", "pipeline: b\ntrigger: {event: shipment_planned}\nsteps:\n  - send: tms.create\n    ‸\n", []string{"with", "policy", "on_fail"}},
		{"c.mapping.yaml", "mapping: c\noutput: ‸\n", []string{"shipment@1"}},
		{"d.mapping.yaml", "mapping: d\noutput: shipment@1\nfields:\n  ‸\n", []string{"reference", "consignee.zip", "lines"}},
		{"e.mapping.yaml", "mapping: e\nfields:\n  a:\n    from: .x\n    lookup: ‸\n", []string{"codes.service", "units"}},
		{"f.connection.yaml", "connection: f\ntype: http\nbase_url: https://example.com\noperations:\n  get_it:\n    get: /it\n    repeat: ‸\n", []string{"safe", "keyed", "check", "never"}},
		{"g.test.yaml", "test: ‸\n", []string{"mapping order-to-shipment", "pipeline orders"}},
	} {
		got := ask(tt.path, tt.text)
		for _, w := range tt.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %s is not offered: %v", tt.path, w, got)
			}
		}
	}
	c.Open("h.mapping.yaml", "mapping: h\nfields:\n  a: {from: .x, max_length: 3}\n")
	var hover struct{ Contents struct{ Value string } }
	c.Call("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": c.URI("h.mapping.yaml")}, "position": map[string]any{"line": 2, "character": 18}}, &hover)
	if !strings.Contains(hover.Contents.Value, "Longest text allowed") {
		t.Errorf("the doc of a key is not shown: %q", hover.Contents.Value)
	}
	// A target that the output schema does not have, and a name that nobody has.
	c.Open("i.mapping.yaml", "mapping: i\noutput: shipment@1\nfields:\n  refrence: .x\n")
	c.Open("j.pipeline.yaml", "pipeline: j\ntrigger: {event: shipment_planned}\nsteps:\n  - send: tms.craete\n")
	for _, path := range []string{"i.mapping.yaml", "j.pipeline.yaml"} {
		var list []yamlFinding
		c.Diagnostics(path, &list)
		if len(list) != 1 {
			t.Errorf("%s: %+v", path, list)
		}
	}
}
