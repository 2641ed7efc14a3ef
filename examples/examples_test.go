package examples_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/mappings"
	"crossdock/runtime/catalog"
	"crossdock/runtime/message"
	"crossdock/runtime/partner"
	"crossdock/runtime/testrun"
)

// workspaces are the folders with an example.
func workspaces(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("[0-9][0-9]-*")
	if err != nil || len(found) == 0 {
		t.Fatalf("no examples here: %v", err)
	}
	return found
}

// load reads an example and fails on anything that lint has to say about it.
func load(t *testing.T, dir string) *dsl.Workspace {
	t.Helper()
	ws, list, err := dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New(), Std: mappings.FS})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) > 0 {
		var text bytes.Buffer
		source := func(file string) []byte {
			if std, ok := strings.CutPrefix(file, "std/"); ok {
				src, _ := fs.ReadFile(mappings.FS, std)
				return src
			}
			src, _ := os.ReadFile(filepath.Join(dir, file))
			return src
		}
		if err := diag.Print(&text, list, diag.Options{Format: "text", Sources: source}); err != nil {
			t.Fatal(err)
		}
		t.Fatalf("%s is not clean:\n%s", dir, text.String())
	}
	return ws
}

// at follows names and positions into a JSON value; nil where nothing is there.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// steps splits "refs.0.value" for at.
func steps(path string) []any {
	var out []any
	for part := range strings.SplitSeq(path, ".") {
		if i, err := strconv.Atoi(part); err == nil {
			out = append(out, i)
			continue
		}
		out = append(out, part)
	}
	return out
}

// Every case of every example passes.
func TestCases(t *testing.T) {
	for _, dir := range workspaces(t) {
		t.Run(dir, func(t *testing.T) {
			cases := 0
			runner := &testrun.Runner{WS: load(t, dir), FS: os.DirFS(dir), Std: mappings.FS}
			runner.All(t.Context(), nil, func(r testrun.Result) {
				cases++
				for _, failure := range r.Failures {
					t.Errorf("%s: %s, %s: %s", r.Span, r.Of, r.Case, failure)
				}
			})
			if cases == 0 {
				t.Error("there are no cases")
			}
		})
	}
}

// Every mapping and every pipeline of an example has cases of its own.
func TestEverythingIsTested(t *testing.T) {
	for _, dir := range workspaces(t) {
		ws := load(t, dir)
		tested := map[string]bool{}
		for _, test := range ws.Tests {
			tested[test.Of()] = len(test.Spec.Cases) > 0
		}
		for name, m := range ws.Mappings {
			if !m.Std && !tested["mapping "+name] {
				t.Errorf("%s: mapping %s has no test", dir, name)
			}
		}
		for name, p := range ws.Pipelines {
			if !p.Std && !tested["pipeline "+name] {
				t.Errorf("%s: pipeline %s has no test", dir, name)
			}
		}
	}
}

// The demo sends each file to a webhook that exists, signed for the
// verification of that webhook, with a payload it accepts, and lets operations
// fail that exist.
func TestDemoScripts(t *testing.T) {
	scripts, err := filepath.Glob("*/demo/script.json")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no demo script: %v", err)
	}
	for _, script := range scripts {
		acts, err := partner.ReadScript(os.DirFS(filepath.Dir(script)), filepath.Base(script))
		if err != nil || len(acts) == 0 {
			t.Fatalf("%s: %v", script, err)
		}
		ws := load(t, filepath.Dir(filepath.Dir(script)))
		for i, s := range acts {
			if s.Note == "" && len(s.Story) == 0 {
				t.Errorf("%s, entry %d has no note", script, i+1)
			}
			if s.Fail != "" {
				if ws.Operation(s.Fail) == nil || len(s.Answers) == 0 {
					t.Errorf("%s, entry %d: %s cannot fail with %v", script, i+1, s.Fail, s.Answers)
				}
			}
			if s.Send == "" {
				continue
			}
			var found bool
			for name, p := range ws.Pipelines {
				if p.Trigger.HTTP == nil || p.Trigger.HTTP.Path.Value != s.Send {
					continue
				}
				found = true
				if got := p.Trigger.HTTP.Verify.Name.Value; got != s.Sign {
					t.Errorf("%s, entry %d: signed for %s, but %s wants %s", script, i+1, s.Sign, name, got)
				}
				payload, err := os.ReadFile(filepath.Join(filepath.Dir(script), s.File))
				if err != nil {
					t.Fatal(err)
				}
				body, err := message.Decode(payload, message.Limits{})
				if err != nil {
					t.Fatalf("%s: %v", s.File, err)
				}
				for _, v := range p.Accept.Schema.Validate(body) {
					t.Errorf("%s, entry %d: %s", script, i+1, v)
				}
			}
			if !found {
				t.Errorf("%s, entry %d: no webhook has the path %s", script, i+1, s.Send)
			}
		}
	}
}

var mentioned = regexp.MustCompile("`((?:pipelines|mappings|connections|lookups|vendors|samples|demo)/[\\w./-]+)`")

// What a README names is there.
func TestReadmesNameWhatExists(t *testing.T) {
	for _, dir := range workspaces(t) {
		text, err := os.ReadFile(filepath.Join(dir, "README.md"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, m := range mentioned.FindAllSubmatch(text, -1) {
			name := string(m[1])
			there, err := filepath.Glob(filepath.Join(dir, name) + "*")
			if err != nil || len(there) == 0 {
				t.Errorf("%s/README.md names %s, which does not exist", dir, name)
			}
		}
		for _, m := range regexp.MustCompile(`crossdock try (\S+) --in (\S+)`).FindAllSubmatch(text, -1) {
			ws := load(t, dir)
			if ws.Mappings[string(m[1])] == nil {
				t.Errorf("%s/README.md tries %s, which does not exist", dir, m[1])
			}
			if _, err := os.Stat(filepath.Join(dir, string(m[2]))); err != nil {
				t.Errorf("%s/README.md: %v", dir, err)
			}
		}
	}
}
