package docs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"crossdock/dsl/spec"
)

const extension = "editors/vscode/"

// TestExtension holds the manifest of the VS Code extension to what it names:
// its files, the library it uses, the kinds of definitions there are.
func TestExtension(t *testing.T) {
	var manifest struct {
		Name, Version, Publisher, License, Main string
		Engines                                 map[string]string
		ActivationEvents                        []string
		Dependencies                            map[string]string
		Contributes                             struct {
			Grammars []struct {
				ScopeName, Path string
				InjectTo        []string
			}
			Commands      []struct{ Command, Title string }
			Configuration struct {
				Properties map[string]struct {
					Type, Description string
					Default           any
				}
			}
		}
	}
	raw, err := os.ReadFile(extension + "package.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"name": manifest.Name, "version": manifest.Version, "publisher": manifest.Publisher,
		"license": manifest.License, "main": manifest.Main, "engines.vscode": manifest.Engines["vscode"]} {
		if text == "" {
			t.Errorf("the manifest has no %s", what)
		}
	}
	source, err := os.ReadFile(filepath.Join(extension, manifest.Main))
	if err != nil {
		t.Fatal(err)
	}
	for name := range manifest.Dependencies {
		if !bytes.Contains(source, []byte(`"`+name)) {
			t.Errorf("%s is not used", name)
		}
	}
	for name, p := range manifest.Contributes.Configuration.Properties {
		key, _ := strings.CutPrefix(name, "crossdock.")
		if p.Type == "" || p.Description == "" || p.Default == nil || !bytes.Contains(source, []byte(`get("`+key+`")`)) {
			t.Errorf("the setting %s is not whole: %+v", name, p)
		}
	}
	for _, c := range manifest.Contributes.Commands {
		if !bytes.Contains(source, []byte(`"`+c.Command+`"`)) {
			t.Errorf("the command %s does nothing", c.Command)
		}
	}
	for _, k := range spec.Kinds {
		if k.Available && k.Suffix[0] == '.' && !bytes.Contains(source, []byte(`"`+k.Name+`"`)) {
			t.Errorf("the server is not asked about files of kind %s", k.Name)
		}
	}
	if len(manifest.Contributes.Grammars) != 1 || !slices.Contains(manifest.Contributes.Grammars[0].InjectTo, "source.yaml") {
		t.Fatalf("the grammar is not injected into YAML: %+v", manifest.Contributes.Grammars)
	}
	var grammar struct{ ScopeName, InjectionSelector string }
	raw, err = os.ReadFile(filepath.Join(extension, manifest.Contributes.Grammars[0].Path))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &grammar); err != nil || grammar.ScopeName != manifest.Contributes.Grammars[0].ScopeName || grammar.InjectionSelector == "" {
		t.Errorf("the grammar is %+v, %v", grammar, err)
	}
}

// withNode runs a script below tools/editors; it needs what
// `npm ci --prefix tools/editors` installs.
func withNode(t *testing.T, script string, in []byte, args ...string) []byte {
	t.Helper()
	node, err := exec.LookPath("node")
	if _, missing := os.Stat("../tools/editors/node_modules"); err != nil || missing != nil {
		const how = "the editors' own tools are not here: run `npm ci --prefix tools/editors` (needs node)"
		if os.Getenv("CI") == "true" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	cmd := exec.Command(node, append(args, script)...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

// TestGrammar tokenizes cells with the engine that VS Code has.
func TestGrammar(t *testing.T) {
	withNode(t, extension+"extension.js", nil, "--check")
	path, err := filepath.Abs(extension + "syntaxes/cells.tmLanguage.json")
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{
		`  service: {from: .shipping | lookup("codes"), required: true}`,
		`when: data.status == "RELEASED" and blank(data.x)`,
		`  zip: .shipTo.zip`,
		`    from: |`,
		`      .a | first(.b[])`,
		`  note: "from: .x"`,
	}
	ask, err := json.Marshal(map[string]any{"grammar": path, "lines": lines})
	if err != nil {
		t.Fatal(err)
	}
	var got [][][2]string
	if err := json.Unmarshal(withNode(t, "../tools/editors/grammar.js", ask), &got); err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		line        int
		text, scope string
	}{
		{0, "from", "entity.name.tag.yaml"}, {0, ".shipping", "variable.other.property.jq"}, {0, "lookup", "support.function.jq"},
		{0, "codes", "string.quoted.double.crossdock"}, {0, ", required: true}", "crossdock.cells"},
		{1, "data", "variable.language.expr"}, {1, "and", "keyword.operator.word.expr"}, {1, "blank", "support.function.expr"},
		{2, ".zip", "variable.other.property.jq"}, {4, ".a", "variable.other.property.jq"}, {4, "first", "support.function.jq"},
	} {
		if !slices.Contains(got[want.line], [2]string{want.text, want.scope}) {
			t.Errorf("%s: %q is no %s: %v", lines[want.line], want.text, want.scope, got[want.line])
		}
	}
}
