package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"unicode/utf16"

	"crossdock/dsl/dsltest"
	"crossdock/editor/lsp"
	"crossdock/editor/lsp/lsptest"
)

// editorSession starts `crossdock lsp` as an editor does, in a folder with files.
func editorSession(t *testing.T, files map[string]string) (*lsptest.Client, func() error) {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, files)
	cmd := exec.Command("crossdock", "lsp")
	cmd.Dir = t.TempDir()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := lsptest.Connect(t, out, in, dir)
	done := false
	end := func() error {
		if done {
			return nil
		}
		done = true
		c.Ended()
		in.Close()
		return cmd.Wait()
	}
	t.Cleanup(func() {
		if !done {
			in.Close()
			_ = end()
		}
	})
	return c, end
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// finding is what lint and the server have to agree on.
type finding struct {
	Code, Severity, Message string
	Line, Col, EndLine, End int
}

// lintSays is what `crossdock lint --format json` prints about one file, with
// the places in UTF-16 units.
func lintSays(t *testing.T, dir, path string) []finding {
	t.Helper()
	var out bytes.Buffer
	a := &app{Stdout: &out, Stderr: os.Stderr, Getenv: func(string) string { return "" }}
	a.main(t.Context(), []string{"lint", dir, "--format", "json"})
	src, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimPrefix(string(src), "\ufeff"), "\n")
	units := func(line, col int) int {
		if line < 1 || line > len(lines) {
			return 0
		}
		runes := []rune(strings.TrimSuffix(lines[line-1], "\r"))
		return len(utf16.Encode(runes[:min(max(col-1, 0), len(runes))]))
	}
	var list []finding
	for line := range strings.Lines(out.String()) {
		var d struct {
			Code, Severity, Message, File string
			Line, Col                     int
			EndLine                       int `json:"end_line"`
			EndCol                        int `json:"end_col"`
		}
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if d.File == path {
			list = append(list, finding{d.Code, d.Severity, d.Message, max(d.Line-1, 0), units(d.Line, d.Col), max(d.EndLine-1, 0), units(d.EndLine, d.EndCol)})
		}
	}
	return list
}

func serverSays(list []lsp.Diagnostic) []finding {
	var out []finding
	for _, d := range list {
		message, _, _ := strings.Cut(d.Message, "\n")
		r := d.Range
		out = append(out, finding{d.Code, []string{"", "error", "warning"}[d.Severity], message, r.Start.Line, r.Start.Character, r.End.Line, r.End.Character})
	}
	return out
}

func same(a, b []finding) bool {
	key := func(list []finding) []string {
		var out []string
		for _, f := range list {
			f.Message, _, _ = strings.Cut(f.Message, "\n")
			raw, _ := json.Marshal(f)
			out = append(out, string(raw))
		}
		sort.Strings(out)
		return out
	}
	return slices.Equal(key(a), key(b))
}

// TestEditorSeesWhatLintSees makes every mistake of dsl/testdata in an unsaved
// text and compares what the server publishes with what lint prints once the
// text is saved.
func TestEditorSeesWhatLintSees(t *testing.T) {
	base := dsltest.Base(t, "../../dsl/testdata")
	c, end := editorSession(t, base)
	c.Initialize(nil, nil)
	saved := t.TempDir()
	writeFiles(t, saved, base)
	n := 0
	for _, m := range dsltest.Mistakes(t, "../../dsl/testdata") {
		if testing.Short() && n >= 60 {
			break
		}
		if n++; dsltest.Raced && n%4 != 1 {
			continue
		}
		writeFiles(t, saved, map[string]string{m.Path: m.Files[m.Path]})
		want := lintSays(t, saved, m.Path)
		c.Open(m.Path, m.Files[m.Path])
		var got []lsp.Diagnostic
		c.Diagnostics(m.Path, &got)
		if !same(serverSays(got), want) {
			t.Errorf("%s: in the editor\n%+v\nlint says\n%+v", m.Name, serverSays(got), want)
		}
		c.Close(m.Path)
		if text, was := base[m.Path]; was {
			writeFiles(t, saved, map[string]string{m.Path: text})
		} else if err := os.Remove(filepath.Join(saved, m.Path)); err != nil {
			t.Fatal(err)
		}
	}
	c.Exit()
	if err := end(); err != nil {
		t.Errorf("after shutdown and exit: %v", err)
	}
	if n < 60 {
		t.Errorf("only %d mistakes", n)
	}
}
