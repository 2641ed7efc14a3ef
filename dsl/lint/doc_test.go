package lint_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
	"crossdock/runtime/catalog"
)

var update = flag.Bool("update", false, "write the goldens and docs/checks.md anew")

// load lints a workspace without the library that comes with crossdock.
func load(t testing.TB, fsys fs.FS) diag.List {
	t.Helper()
	_, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New(), AnyEnvironment: true,
		Now: time.Date(2026, 5, 16, 12, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func folder(files ...[]lint.File) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, list := range files {
		for _, f := range list {
			fsys[f.Path] = &fstest.MapFile{Data: []byte(f.Text)}
		}
	}
	return fsys
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestDocs lints every example of the documentation: the wrong one gives its
// code and no other, the right one gives nothing.
func TestDocs(t *testing.T) {
	if list := load(t, folder(lint.Context())); len(list) > 0 {
		t.Fatalf("the files around the examples have findings: %s", list)
	}
	docs := lint.Docs()
	if len(docs) < 19 {
		t.Fatalf("only %d codes are explained", len(docs))
	}
	for _, d := range docs {
		t.Run(string(d.Code), func(t *testing.T) {
			if d.Title == "" || d.Severity == "" || d.Text == "" || len(d.Wrong) == 0 || len(d.Right) == 0 {
				t.Fatal("the entry is not complete")
			}
			list := example(t, d.Wrong)
			if len(list) == 0 {
				t.Error("the wrong example has no finding")
			}
			for _, f := range list {
				if f.Code != d.Code {
					t.Errorf("the wrong example gives %s at %s: %s", f.Code, f.Span, f.Message)
				}
				if !strings.Contains(d.Severity, f.Severity.String()) {
					t.Errorf("the finding is of severity %s, the page says %s", f.Severity, d.Severity)
				}
			}
			for _, f := range example(t, d.Right) {
				t.Errorf("the right example gives %s at %s: %s", f.Code, f.Span, f.Message)
			}
		})
	}
}

// example lints an example, with its baseline where it has one.
func example(t *testing.T, files []lint.File) diag.List {
	t.Helper()
	list := load(t, folder(lint.Context(), files))
	for _, f := range files {
		if f.Path != "lint-baseline.json" {
			continue
		}
		base, err := diag.ReadBaseline(f.Path, []byte(f.Text))
		if err != nil {
			t.Fatal(err)
		}
		list = base.Apply(list)
	}
	return list
}

// TestPage keeps docs/checks.md equal to its source.
func TestPage(t *testing.T) {
	path := filepath.FromSlash("../../docs/checks.md")
	want := lint.Markdown()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, []byte(want))
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/checks.md is not up to date: run go test ./dsl/lint -update")
	}
}

// TestEveryCodeIsExplained looks for codes in the sources.
func TestEveryCodeIsExplained(t *testing.T) {
	for _, dir := range []string{"../spec", "../compile", "../cell", "../parser", "../diag", "../schema", "../../connectors"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for part := range strings.SplitSeq(string(raw), `"XD`) {
				if len(part) < 5 || part[4] != '"' || strings.Trim(part[:4], "0123456789") != "" {
					continue
				}
				if _, ok := lint.Explain("XD" + part[:4]); !ok {
					t.Errorf("%s reports XD%s, which is not explained", path, part[:4])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestExplainIgnoresCase(t *testing.T) {
	d, ok := lint.Explain("xd2101")
	if !ok || d.Code != "XD2101" {
		t.Errorf("got %v %v", d.Code, ok)
	}
	if _, ok := lint.Explain("XD9999"); ok {
		t.Error("XD9999 does not exist")
	}
	title, address := lint.About("XD2101")
	if title == "" || !strings.Contains(address, "#xd2101-") {
		t.Errorf("got %q %q", title, address)
	}
}
