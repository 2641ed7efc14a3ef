package compile_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/runtime/catalog"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata/*.txtar")

// TestFindings loads every workspace of testdata/*.txtar and compares what is
// found in it, with the text each finding points at.
func TestFindings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			golden(t, file)
		})
	}
}

func golden(t *testing.T, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := txtar.FS(&txtar.Archive{Files: withoutWant(ar)})
	if err != nil {
		t.Fatal(err)
	}
	opt := compile.Options{Catalog: catalog.New()}
	for line := range strings.Lines(string(ar.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "env":
			opt.Environment = value
		case "any-env":
			opt.AnyEnvironment = true
		}
	}
	_, list, err := compile.Load(fsys, opt)
	if err != nil {
		t.Fatal(err)
	}
	got := describe(ar, list.Tidy())
	if *update {
		ar.Files = append(withoutWant(ar), txtar.File{Name: "want", Data: []byte(got)})
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(section(ar, "want")), got); diff != "" {
		t.Errorf("findings differ (-want +got); run with -update if that is meant:\n%s", diff)
	}
}

func withoutWant(ar *txtar.Archive) []txtar.File {
	var out []txtar.File
	for _, f := range ar.Files {
		if f.Name != "want" {
			out = append(out, f)
		}
	}
	return out
}

func section(ar *txtar.Archive, name string) []byte {
	for _, f := range ar.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// describe writes findings with the text below their span, so that a wrong
// position is seen at a glance.
func describe(ar *txtar.Archive, list diag.List) string {
	var b bytes.Buffer
	for _, d := range list {
		fmt.Fprintf(&b, "%s %s %s: %s\n", d.Span, d.Code, d.Severity, d.Message)
		if src := section(ar, d.Span.File); src != nil && d.Span.Start.Line > 0 {
			fmt.Fprintf(&b, "  at    %s\n", strings.ReplaceAll(diag.NewText(src).Slice(d.Span), "\n", "⏎"))
		}
		for _, part := range []struct{ word, text string }{{"short", d.Short}, {"hint", d.Hint}} {
			if part.text != "" {
				fmt.Fprintf(&b, "  %-5s %s\n", part.word, part.text)
			}
		}
		for _, r := range d.Related {
			fmt.Fprintf(&b, "  see   %s %s\n", r.Span, r.Message)
		}
		for _, fix := range d.Fixes {
			fmt.Fprintf(&b, "  fix   %s\n", fix.Title)
		}
	}
	return b.String()
}
