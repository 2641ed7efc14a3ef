package lint_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
	"crossdock/runtime/catalog"
)

// TestFixes applies every fix of the planted mistakes: the finding must be
// gone, and there may not be more of others. One that was hidden behind it may
// come to light.
func TestFixes(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fixed := 0
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases := map[string][]lint.File{}
		for _, f := range archive.Files {
			if name, rest, _ := strings.Cut(f.Name, "/"); rest != "want" {
				cases[name] = append(cases[name], lint.File{Path: rest, Text: string(f.Data)})
			}
		}
		for name, files := range cases {
			fsys := folder(lint.Context(), files)
			before := load(t, fsys)
			for i, d := range before {
				if len(d.Fixes) == 0 {
					continue
				}
				fixed++
				at := d.Span.File
				text, n := diag.ApplyFixes(at, fsys[at].Data, before[i:i+1])
				if n != 1 {
					t.Errorf("%s %s: the fix of %s cannot be applied", path, name, d.Message)
					continue
				}
				mended := fstest.MapFS{}
				for p, f := range fsys {
					mended[p] = f
				}
				mended[at] = &fstest.MapFile{Data: text}
				after := load(t, mended)
				still := slices.ContainsFunc(after, func(a diag.Diagnostic) bool { return a.Code == d.Code && a.Message == d.Message })
				if still || len(after) > len(before) {
					t.Errorf("%s %s: the fix of %q leaves %s\n%s", path, name, d.Message, after, text)
				}
			}
		}
	}
	t.Logf("%d fixes", fixed)
	if fixed < 30 {
		t.Errorf("only %d fixes", fixed)
	}
}

// FuzzRun lints whatever can be written: it reports or is silent, and never
// panics. Findings stand inside the file they name.
func FuzzRun(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".yaml") {
				f.Add(string(file.Data))
			}
		}
	}
	catalog := catalog.New()
	f.Fuzz(func(t *testing.T, text string) {
		kind, _, _ := strings.Cut(text, ":")
		fsys := folder(lint.Context())
		fsys["samples/s.json"] = &fstest.MapFile{Data: []byte(`{"a": [1, {"b": null}], "when": "2026-05-16T10:30:00"}`)}
		fsys["fuzz/f."+strings.ReplaceAll(kind, "/", "")+".yaml"] = &fstest.MapFile{Data: []byte(text)}
		_, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog, AnyEnvironment: true})
		if err != nil {
			return
		}
		for _, d := range list {
			if d.Message == "" || d.Span.File == "" {
				t.Errorf("%+v", d)
			}
			if d.Span.End.Less(d.Span.Start) {
				t.Errorf("%s ends before it begins: %s", d.Span, d.Message)
			}
		}
	})
}
