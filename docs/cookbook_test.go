package docs

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"crossdock/dsl"
	"crossdock/dsl/format"
	"crossdock/dsl/spec"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
)

// aPage is how long a recipe may be, in lines.
const aPage = 125

// recipes are the folders of the cookbook, a workspace each.
func recipes(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("cookbook/[0-9][0-9]-*")
	if err != nil || len(found) == 0 {
		t.Fatalf("there are no recipes: %v", err)
	}
	return found
}

// TestCookbook holds every recipe to what it says: lint finds nothing, fmt
// changes nothing, its tests pass and cover all mappings and pipelines, and its
// page shows the files as they are and the results as they come out. With
// -update the pages show them again.
func TestCookbook(t *testing.T) {
	for _, dir := range recipes(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			checkWorkspace(t, dir)
			ws, list := load(t, dir)
			if list.HasErrors() {
				return
			}
			checkTested(t, ws)
			checkFormatted(t, dir)
			checkRecipe(t, dir, ws)
		})
	}
}

// checkTested fails where a mapping or pipeline has no cases.
func checkTested(t *testing.T, ws *dsl.Workspace) {
	t.Helper()
	tested := map[string]bool{}
	for _, test := range ws.Tests {
		tested[test.Spec.Of.Value] = len(test.Spec.Cases) > 0
	}
	for name, m := range ws.Mappings {
		if !m.Std && !tested["mapping "+name] {
			t.Errorf("mapping %s has no test", name)
		}
	}
	for name, p := range ws.Pipelines {
		if !p.Std && !strings.HasPrefix(name, "alerts/") && !tested["pipeline "+name] {
			t.Errorf("pipeline %s has no test", name)
		}
	}
}

// checkFormatted fails where `crossdock fmt` would change a definition.
func checkFormatted(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, ours := spec.KindOfFile(filepath.ToSlash(p)); !ours {
			return nil
		}
		src, err := os.ReadFile(p)
		if err == nil && format.Changed(src) {
			t.Errorf("%s is not formatted: crossdock fmt %s", p, dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkRecipe compares every block of a recipe's page with what it shows.
func checkRecipe(t *testing.T, dir string, ws *dsl.Workspace) {
	t.Helper()
	page := filepath.Join(dir, "README.md")
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(raw, []byte("\n")); n > aPage {
		t.Errorf("%s has %d lines: a recipe is at most %d", page, n, aPage)
	}
	for _, part := range []string{"\n## Why\n", "\n## Pitfalls\n"} {
		if !bytes.Contains(raw, []byte(part)) {
			t.Errorf("%s has no %q", page, strings.TrimSpace(part))
		}
	}
	lines, shift := strings.Split(string(raw), "\n"), 0
	for _, b := range blocks(t, page) {
		want, err := shown(t, dir, ws, b)
		if err != nil {
			t.Errorf("%s: %v", b.place(), err)
			continue
		}
		if want == b.text {
			continue
		}
		if !*update {
			t.Errorf("%s: the page shows\n%sbut it is\n%s(go test ./docs -run Cookbook -update)", b.place(), b.text, want)
			continue
		}
		from, old := b.line+shift, strings.Count(b.text, "\n")
		fresh := strings.Split(strings.TrimSuffix(want, "\n"), "\n")
		lines = slices.Replace(lines, from, from+old, fresh...)
		shift += len(fresh) - old
	}
	if text := strings.Join(lines, "\n"); *update && text != string(raw) {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shown returns what a block of a recipe has to show: a file of its folder,
// `out MAPPING [FILE]` the result of a mapping on its first sample, or `sent OPERATION
// of PIPELINE` what that operation is sent for the first sample.
func shown(t *testing.T, dir string, ws *dsl.Workspace, b block) (string, error) {
	words := strings.Fields(b.info)
	switch {
	case (len(words) == 2 || len(words) == 3) && words[0] == "out":
		m := ws.Mappings[words[1]]
		if m == nil {
			return "", fmt.Errorf("there is no mapping %s", words[1])
		}
		file := words[len(words)-1]
		if len(words) == 2 {
			if len(m.Spec.Samples) == 0 {
				return "", fmt.Errorf("mapping %s has no sample: say `out %s FILE`", words[1], words[1])
			}
			file = m.Spec.Samples[0].Value
		}
		body, err := sample(dir, file)
		if err != nil {
			return "", err
		}
		out, err := m.Mapping.Apply(testrun.Scope(t.Context(), ws, shownAt, nil, body), body)
		if err != nil {
			return "", err
		}
		return pretty(out, "") + "\n", nil
	case len(words) == 4 && words[0] == "sent" && words[2] == "of":
		return sent(t, dir, ws, words[1], words[3])
	case len(words) == 1 && strings.Contains(words[0], "."):
		raw, err := os.ReadFile(filepath.Join(dir, words[0]))
		return string(raw), err
	}
	return "", fmt.Errorf("say what ```%s %s shows: a file, `out MAPPING [FILE]`, or `sent OPERATION of PIPELINE`", b.lang, b.info)
}

var shownAt = time.Date(2026, 5, 16, 12, 0, 0, 0, time.UTC)

func sample(dir, name string) (any, error) {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return message.Decode(raw, message.Limits{})
}

// sent rehearses a pipeline with its first sample and returns the payloads of
// one operation, each once.
func sent(t *testing.T, dir string, ws *dsl.Workspace, operation, pipeline string) (string, error) {
	p := ws.Pipelines[pipeline]
	if p == nil || len(p.Spec.Samples) == 0 {
		return "", fmt.Errorf("there is no pipeline %s with a sample", pipeline)
	}
	body, err := sample(dir, p.Spec.Samples[0].Value)
	if err != nil {
		return "", err
	}
	in := testrun.Input(p, body, nil, nil, shownAt)
	got, err := testrun.Rehearse(t.Context(), ws, p, []message.Message{in}, nil)
	if err != nil {
		return "", err
	}
	out, seen := "", map[string]bool{}
	for _, c := range got.Calls {
		if c.Operation != operation || seen[c.Key] {
			continue
		}
		seen[c.Key] = true
		if c.Body == nil {
			out += pretty(c.With, "") + "\n"
			continue
		}
		out += pretty(c.Body, "") + "\n"
	}
	if out == "" {
		return "", fmt.Errorf("nothing was sent to %s", operation)
	}
	return out, nil
}

// pretty writes JSON as people do: what fits stands in one line.
func pretty(v any, indent string) string {
	const wide = 110
	line := oneLine(v)
	if len(indent)+utf8.RuneCountInString(line) <= wide {
		return line
	}
	deeper := indent + "  "
	var parts []string
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, deeper+string(message.Marshal(k))+": "+pretty(v[k], deeper))
		}
		return "{\n" + strings.Join(parts, ",\n") + "\n" + indent + "}"
	case []any:
		for _, item := range v {
			parts = append(parts, deeper+pretty(item, deeper))
		}
		return "[\n" + strings.Join(parts, ",\n") + "\n" + indent + "]"
	}
	return line
}

func oneLine(v any) string {
	var parts []string
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, string(message.Marshal(k))+": "+oneLine(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		for _, item := range v {
			parts = append(parts, oneLine(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return string(message.Marshal(v))
}

// TestCookbookIndex holds the list of recipes to the folders, with their titles.
func TestCookbookIndex(t *testing.T) {
	raw, err := os.ReadFile("cookbook/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range recipes(t) {
		name := filepath.Base(dir)
		if n := strings.Count(string(raw), "]("+name+"/README.md)"); n != 1 {
			t.Errorf("cookbook/README.md links to %s %d times", name, n)
		}
	}
}

// TestIndex holds the first page of the docs to the pages that there are.
func TestIndex(t *testing.T) {
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range found {
		if page != "README.md" && !strings.Contains(string(raw), "]("+page) {
			t.Errorf("docs/README.md leads nowhere near %s", page)
		}
	}
}
