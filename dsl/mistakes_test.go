package dsl_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
)

var update = flag.Bool("update", false, "rewrite what is found in testdata/mistakes")

// TestMistakes makes the mistakes of testdata/mistakes one by one, and looks at
// what is found. A section is one mistake: its name, the file, lines that are
// taken away (-) and lines that come instead (+), and behind = what is found,
// with the place and the text it points at. Words in front of the file name
// change how it is judged: `crlf` gives the file the line ends of Windows,
// `warning` says that nothing worse than a warning is expected, `several` that
// the mistake has more than one finding, `right` that it is none.
func TestMistakes(t *testing.T) {
	dsltest.Unraced(t, "looks at what is found")
	plant(t, "testdata/mistakes", 250)
}

// TestTemplateMistakes does the same to a template and to the overrides of its
// clients.
func TestTemplateMistakes(t *testing.T) {
	dsltest.Unraced(t, "looks at what is found")
	plant(t, "testdata/templates", 60)
}

// plant makes the mistakes of a folder, in whose base.txtar nothing is to be
// found.
func plant(t *testing.T, folder string, least int) {
	ws, paths := planting(t, folder)
	n := 0
	for _, path := range paths {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range ar.Files {
			n++
			t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar")+"/"+f.Name, func(t *testing.T) {
				change, want := dsltest.Cut(string(f.Data))
				got := mistake(t, ws, change)
				if *update {
					ar.Files[i].Data = []byte(strings.TrimRight(change, "\n") + "\n" + got)
				} else if got != want {
					t.Errorf("found:\n%s\nwant:\n%s", got, want)
				}
			})
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n < least {
		t.Errorf("only %d mistakes", n)
	}
}

// planting reads the workspace into which the mistakes of a folder are made, in
// which nothing is wrong, and tells where those are.
func planting(t *testing.T, folder string) (ws map[string]string, paths []string) {
	t.Helper()
	base := folder + "/base.txtar"
	around, err := txtar.ParseFile(base)
	if err != nil {
		t.Fatal(err)
	}
	ws = map[string]string{}
	for _, f := range around.Files {
		ws[f.Name] = string(f.Data)
	}
	if got := found(t, ws); got != "" {
		t.Fatalf("the workspace around the mistakes is not clean:\n%s", got)
	}
	if paths, err = filepath.Glob(folder + "/*.txtar"); err != nil {
		t.Fatal(err)
	}
	return ws, slices.DeleteFunc(paths, func(path string) bool { return path == base })
}

// goWords are what an analyst must never see.
var goWords = regexp.MustCompile(`map\[|interface|nil pointer|\bstruct\b|\breflect\b|%!|<nil>|int64|float64|goroutine|[^.]json: |[^.]yaml: |unmarshal|\bpanic|0x[0-9a-f]{6}|\*ast|gojq|strconv`)

// mistake makes one change in the workspace and describes what is found.
func mistake(t *testing.T, ws map[string]string, change string) string {
	t.Helper()
	made := dsltest.Make(t, ws, change)
	flags := made.Flags
	got := found(t, made.Files)
	errors := strings.Count("\n"+got, "\n= error ")
	all := errors + strings.Count("\n"+got, "\n= warning ")
	switch {
	case strings.Contains(flags, "right"):
		if all > 0 {
			t.Errorf("nothing is wrong, but this is found:\n%s", got)
		}
	case all == 0:
		t.Error("nothing is found")
	case errors == 0 && !strings.Contains(flags, "warning"):
		t.Errorf("no error is found:\n%s", got)
	case all > 1 && !strings.Contains(flags, "several"):
		t.Errorf("one mistake, %d findings:\n%s", all, got)
	}
	if word := goWords.FindString(got); word != "" {
		t.Errorf("%q is no word for an analyst:\n%s", word, got)
	}
	return got
}

// found loads a workspace and describes what is found in it.
func found(t *testing.T, files map[string]string) string {
	t.Helper()
	_, list, err := dsl.Load(dsltest.FS(files), options())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "= %s %s %s", d.Severity, d.Code, d.Span)
		if src, ok := files[d.Span.File]; ok && d.Span.Start.Line > 0 {
			text := diag.NewText([]byte(src)).Slice(d.Span)
			fmt.Fprintf(&b, " |%s|", strings.NewReplacer("\r", "␍", "\n", "⏎", "\t", "⇥").Replace(text))
		}
		fmt.Fprintf(&b, "\n  %s\n", d.Message)
		for _, part := range []struct{ word, text string }{{"^", d.Short}, {"=", d.Hint}} {
			if part.text != "" {
				fmt.Fprintf(&b, "  %s %s\n", part.word, strings.ReplaceAll(part.text, "\n", "\n    "))
			}
		}
		if who := d.ForClients(); who != "" {
			fmt.Fprintf(&b, "  %s\n", who)
		}
		for _, r := range d.Related {
			fmt.Fprintf(&b, "  see %s %s\n", r.Span, r.Message)
		}
		for _, fix := range d.Fixes {
			fmt.Fprintf(&b, "  fix: %s\n", fix.Title)
		}
	}
	return b.String()
}
