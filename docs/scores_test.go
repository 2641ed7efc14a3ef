package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/dsl"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
	"crossdock/runtime/coverage"
	"crossdock/runtime/mutation"
	"crossdock/runtime/testrun"
)

// TestScores holds the table of testing.md to what comes out, row by row.
func TestScores(t *testing.T) {
	if testing.Short() {
		t.Skip("plants more than a thousand changes")
	}
	page, err := os.ReadFile("testing.md")
	if err != nil {
		t.Fatal(err)
	}
	folders, err := filepath.Glob("../examples/[0-9][0-9]-*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	lines := strings.Split(string(page), "\n")
	for _, dir := range append(folders, "../pipelines") {
		name := "| `" + strings.TrimPrefix(filepath.ToSlash(dir), "../") + "` |"
		at := 0
		for i, line := range lines {
			if strings.HasPrefix(line, name) {
				at = i
			}
		}
		if at == 0 {
			t.Errorf("docs/testing.md has no score of %s", name)
			continue
		}
		row := name + score(t, dir)
		if *update {
			lines[at] = row
		} else if lines[at] != row {
			t.Errorf("docs/testing.md has\n%s\nbut it is now\n%s\nRun: go test ./docs -run TestScores -update", lines[at], row)
		}
	}
	if *update {
		if err := os.WriteFile("testing.md", []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// score is the rest of a row: changes, noticed, score and coverage.
func score(t *testing.T, dir string) string {
	load := func() (*testrun.Runner, error) {
		fsys := os.DirFS(dir)
		ws, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New(), Std: pipelines.Library()})
		if err == nil && list.HasErrors() {
			err = fmt.Errorf("%s: %v", dir, list)
		}
		return &testrun.Runner{WS: ws, FS: fsys, Std: pipelines.Library()}, err
	}
	r, err := mutation.Run(t.Context(), mutation.Options{Load: load})
	if err != nil || len(r.Failing) > 0 {
		t.Fatalf("%s: %v %v", dir, err, r.Failing)
	}
	runner, err := load()
	if err != nil {
		t.Fatal(err)
	}
	reached := coverage.Run(t.Context(), runner)
	return fmt.Sprintf(" %d | %d | %.1f%% | %.1f%% |", len(r.Results), r.Count(mutation.Noticed), r.Score(), reached.Percent())
}
