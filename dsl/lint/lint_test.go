package lint_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
)

// TestGolden lints the planted mistakes in testdata. Each archive is one rule;
// its files are named case/path, and case/want holds the findings: code,
// severity, place and suggestion. A case without findings is the correct twin
// of a mistake. The files around the examples of the documentation are around
// the cases too.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	mistakes, twins := 0, 0
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var order []string
			files, want := map[string][]lint.File{}, map[string]string{}
			for _, f := range archive.Files {
				name, rest, _ := strings.Cut(f.Name, "/")
				if !slices.Contains(order, name) {
					order = append(order, name)
				}
				if rest == "want" {
					want[name] = string(f.Data)
					continue
				}
				files[name] = append(files[name], lint.File{Path: rest, Text: string(f.Data)})
			}
			out := &txtar.Archive{Comment: archive.Comment}
			for _, name := range order {
				got := describe(load(t, folder(lint.Context(), files[name])))
				if got != want[name] && !*update {
					t.Errorf("%s:\n got:\n%s\nwant:\n%s", name, got, want[name])
				}
				if got == "" {
					twins++
				} else {
					mistakes++
				}
				for _, f := range files[name] {
					out.Files = append(out.Files, txtar.File{Name: name + "/" + f.Path, Data: []byte(f.Text)})
				}
				out.Files = append(out.Files, txtar.File{Name: name + "/want", Data: []byte(got)})
			}
			if *update {
				write(t, path, txtar.Format(out))
			}
		})
	}
	t.Logf("%d planted mistakes, %d correct twins", mistakes, twins)
	if mistakes < 60 || twins < 40 {
		t.Errorf("only %d planted mistakes and %d correct twins", mistakes, twins)
	}
}

// describe writes findings one below the other.
func describe(list diag.List) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s %s %s-%d:%d", d.Code, d.Severity, d.Span, d.Span.End.Line, d.Span.End.Col)
		if d.Row != "" {
			fmt.Fprintf(&b, " row %s", d.Row)
		}
		fmt.Fprintf(&b, "\n  %s\n", d.Message)
		if d.Short != "" {
			fmt.Fprintf(&b, "  ^ %s\n", d.Short)
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "  = %s\n", d.Hint)
		}
		for _, r := range d.Related {
			fmt.Fprintf(&b, "  see %s: %s\n", r.Span, r.Message)
		}
		for _, f := range d.Fixes {
			fmt.Fprintf(&b, "  fix: %s\n", f.Title)
		}
	}
	return b.String()
}
