package compile_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
	"crossdock/runtime/catalog"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata/*.txtar")

// TestFindings loads every workspace of testdata/*.txtar and compares what is
// found in it, with the text each finding points at.
func TestFindings(t *testing.T) {
	dsltest.Workspaces(t, *update, func(t *testing.T, comment string, fsys fs.FS) string {
		opt := compile.Options{Catalog: catalog.New()}
		for line := range strings.Lines(comment) {
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
		return describe(fsys, list.Tidy())
	})
}

// describe writes findings with the text below their span, so that a wrong
// position is seen at a glance.
func describe(fsys fs.FS, list diag.List) string {
	var b bytes.Buffer
	for _, d := range list {
		fmt.Fprintf(&b, "%s %s %s: %s\n", d.Span, d.Code, d.Severity, d.Message)
		if src, err := fs.ReadFile(fsys, d.Span.File); err == nil && d.Span.Start.Line > 0 {
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
