package format

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
	"crossdock/dsl/parser"
	"crossdock/dsl/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden runs testdata/*.txtar: each x.in is followed by x.want.
func TestGolden(t *testing.T) {
	dsltest.Pairs(t, *update, ".in", func(_ string, data []byte) string {
		got, list := Format(data)
		for _, d := range list {
			got = fmt.Appendf(got, "! %s %s\n", d.Span, d.Message)
		}
		return string(got)
	})
}

// check holds Format to its promises for one file.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, src []byte,
) {
	t.Helper()
	before, findings := parser.Parse("", src)
	out, list := Format(src)
	if len(findings) > 0 {
		if len(list) == 0 || !bytes.Equal(out, src) {
			t.Fatalf("a file with findings must be left alone:\n%q\n%q", src, out)
		}
		return
	}
	if len(list) > 0 {
		t.Fatalf("findings in a clean file: %v", list)
	}
	after, findings := parser.Parse("", out)
	if len(findings) > 0 || !sameFile(before, after) {
		t.Fatalf("another meaning:\n%q\n%q\n%v", src, out, findings)
	}
	again, _ := Format(out)
	if !bytes.Equal(again, out) {
		t.Fatalf("formatting twice:\n%q\n%q\n%q", src, out, again)
	}
}

// writer makes a random definition with a random layout.
type writer struct {
	*rapid.T
	strings.Builder
	keys int
}

func (w *writer) pick(label string, from ...string) string {
	return rapid.SampledFrom(from).Draw(w.T, label)
}

func (w *writer) pad(n int) { w.WriteString(strings.Repeat(" ", n)) }

func (w *writer) end() {
	w.WriteString(w.pick("tail", "", "", "", " ", "  # why", "\t"))
	w.WriteString(w.pick("break", "\n", "\n", "\n", "\r\n", "\n\n", "\n\n\n"))
}

func (w *writer) comment(col int) {
	if rapid.IntRange(0, 5).Draw(w.T, "comment") == 0 {
		w.pad(max(0, col+rapid.IntRange(-2, 2).Draw(w.T, "off")))
		w.WriteString("# note" + w.pick("mark", "", ": x", " crossdock-ignore XD1 y") + "\n")
	}
}

func (w *writer) value(outer, inner, depth int) {
	gap := w.pick("gap", " ", " ", "  ", "    ")
	switch rapid.IntRange(0, 11).Draw(w.T, "value") {
	case 0:
		w.end()
	case 1:
		w.WriteString(gap + w.pick("quoted", `"a b"`, `'it''s'`, `"a # b"`, `"\ "`))
		w.end()
	case 2:
		w.WriteString(gap + w.pick("flow", "{a: .b, c: [d, e]}", "[]", "[.a,.b]", "{ a: 1 }"))
		w.end()
	case 3:
		w.WriteString(gap + "[a,\n")
		w.pad(inner + rapid.IntRange(0, 3).Draw(w.T, "more"))
		w.WriteString("b, # c\n")
		w.pad(inner)
		w.WriteString("{c: \"d \n")
		w.pad(inner)
		w.WriteString("\te\"}]")
		w.end()
	case 4:
		w.WriteString(gap + w.pick("long", "a\n", "\"a \\\n", "\"a\\ \n", "'a\n\n"))
		s := w.String()
		w.pad(inner + rapid.IntRange(0, 3).Draw(w.T, "more"))
		w.WriteString("b")
		switch line := s[strings.LastIndex(strings.TrimRight(s, "\n"), "\n")+1:]; {
		case strings.Contains(line, `"a`):
			w.WriteString(`"`)
		case strings.Contains(line, "'a"):
			w.WriteString("'")
		}
		w.end()
	case 5, 6:
		w.text(gap, outer, inner)
	case 7, 8:
		if depth == 0 {
			w.WriteString(gap + "x")
			w.end()
			return
		}
		w.end()
		w.entries(inner, depth-1)
	case 9:
		if depth == 0 {
			w.end()
			return
		}
		w.end()
		w.list(inner, depth-1)
	default:
		w.WriteString(gap + w.pick("plain", "x", ".a | b", "0123", "a: b"[:1], "é 🚚"))
		w.end()
	}
}

func (w *writer) text(gap string, outer, inner int) {
	head := w.pick("head", "|", ">", "|-", ">-", "|+", ">+")
	width := inner + rapid.IntRange(0, 3).Draw(w.T, "width")
	if rapid.IntRange(0, 4).Draw(w.T, "digit") == 0 {
		head += fmt.Sprint(max(1, min(9, width-outer)))
		width = outer + max(1, min(9, width-outer))
	}
	w.WriteString(gap + head + w.pick("note", "", " # c", " ") + "\n")
	for range rapid.IntRange(0, 4).Draw(w.T, "lines") {
		w.pad(width)
		w.WriteString(w.pick("text", "a", "a", "  b", "# c", "d ", "\te", "- f", "g: h") + "\n" + w.pick("blank", "", "", "\n", "  \n"))
	}
}

func (w *writer) entries(col, depth int) {
	for range rapid.IntRange(1, 4).Draw(w.T, "entries") {
		w.comment(col)
		w.entry(col, depth)
	}
}

func (w *writer) entry(col, depth int) {
	w.pad(col)
	w.pairs(col, depth)
}

func (w *writer) pairs(col, depth int) {
	w.keys++
	w.WriteString(w.pick("key", "k%d", "k%d", "k%d", "long_key_%d", `"q%d"`, "k%d ")[:0])
	fmt.Fprintf(w, w.pick("key", "k%d", "k%d", "longer_key_%d", `"q%d"`, "k%d "), w.keys)
	w.WriteString(":")
	w.value(col, col+rapid.IntRange(1, 5).Draw(w.T, "in"), depth)
}

func (w *writer) list(col, depth int) {
	for range rapid.IntRange(1, 3).Draw(w.T, "items") {
		w.comment(col)
		w.pad(col)
		w.WriteString("-")
		if depth > 0 && rapid.Bool().Draw(w.T, "nest") {
			gap := rapid.IntRange(1, 4).Draw(w.T, "gap")
			w.pad(gap)
			if rapid.IntRange(0, 3).Draw(w.T, "dash") == 0 {
				w.WriteString("- x\n")
				continue
			}
			w.pairs(col+1+gap, depth-1)
			for range rapid.IntRange(0, 2).Draw(w.T, "rest") {
				w.entry(col+1+gap, depth-1)
			}
			continue
		}
		w.value(col, col+rapid.IntRange(1, 4).Draw(w.T, "in"), depth)
	}
}

func genFile() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		w := &writer{T: t}
		w.WriteString(w.pick("top", "", "", "# top\n\n", "---\n", "\n\n", "\uFEFF"))
		kinds := [][]string{
			{"mapping", "input", "output", "let", "fields", "other"},
			{"template", "description", "params", "files", "open", "other"},
			{"instance", "description", "of", "params", "override", "drop", "other"},
		}
		keys := rapid.Permutation(rapid.SampledFrom(kinds).Draw(t, "kind")).Draw(t, "keys")
		for _, k := range keys[:rapid.IntRange(1, len(keys)).Draw(t, "n")] {
			w.comment(0)
			w.WriteString(k + ":")
			if rapid.IntRange(0, 3).Draw(t, "zero") == 0 {
				w.end()
				w.list(0, 2)
				continue
			}
			w.value(0, rapid.IntRange(1, 5).Draw(t, "in"), 3)
		}
		s := w.String()
		if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
			s = strings.TrimRight(s, "\r\n")
		}
		return s
	})
}

// TestRandomLayouts also counts how many clean files Format had to give back
// unchanged because its layout meant something else. That is harmless and
// should hardly ever be: about one strange file in some thousands.
func TestRandomLayouts(t *testing.T) {
	clean, given := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		src := []byte(genFile().Draw(t, "file"))
		check(t, src)
		f, list := parser.Parse("", src)
		if len(list) > 0 {
			return
		}
		clean++
		if out, _ := Format(src); bytes.Equal(out, src) && !bytes.Equal(newLayout(f).lines(), src) {
			given++
			t.Logf("given up:\n%q\n%q\n", src, newLayout(f).lines())
		}
	})
	t.Logf("%d clean files, %d left as they were", clean, given)
	if clean == 0 || given > 1+clean/200 {
		t.Errorf("%d of %d clean files could not be laid out", given, clean)
	}
}

func FuzzFormat(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) { check(t, src) })
}

// TestShipped holds the definitions of this repository to the promises too.
func TestShipped(t *testing.T) {
	n := 0
	for _, dir := range []string{"mappings", "pipelines", "examples", "docs"} {
		root := filepath.Join("..", "..", dir)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			check(t, src)
			n++
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	t.Logf("%d files", n)
}

// TestArchives holds the definitions inside the tests of the language, mistakes
// included, to the promises.
func TestArchives(t *testing.T) {
	n := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".txtar" {
			return err
		}
		archive, err := txtar.ParseFile(path)
		if err != nil {
			return err
		}
		for _, f := range archive.Files {
			if filepath.Ext(f.Name) == ".yaml" {
				check(t, f.Data)
				n++
			}
		}
		return nil
	})
	if err != nil || n < 50 {
		t.Fatalf("%d definitions: %v", n, err)
	}
	t.Logf("%d definitions", n)
}

func TestChanged(t *testing.T) {
	for src, want := range map[string]bool{"a: b\n": false, "a:  b\n": true, "a: b": true, "a: [\n": false} {
		if got := Changed([]byte(src)); got != want {
			t.Errorf("%q: %v", src, got)
		}
	}
}

func TestFindings(t *testing.T) {
	out, list := Format([]byte("a:   !b\n"))
	if string(out) != "a:   !b\n" || len(list) != 1 || list[0].Span.Start != (diag.Point{Line: 1, Col: 6}) {
		t.Errorf("%q %v", out, list)
	}
}

// TestOrder: keys of every kind come in the order of their documentation, from
// wherever they were.
func TestOrder(t *testing.T) {
	tried := 0
	for _, k := range spec.Kinds {
		keys := k.Keys()
		if len(keys) < 2 {
			continue
		}
		tried++
		want := append([]string{k.Name}, slices.DeleteFunc(slices.Clone(keys), func(name string) bool { return name == k.Name })...)
		src := ""
		for _, name := range slices.Backward(want) {
			src += name + ": x\n"
		}
		out, list := Format([]byte(src))
		var got []string
		for line := range strings.Lines(string(out)) {
			name, _, _ := strings.Cut(line, ":")
			got = append(got, name)
		}
		if !slices.Equal(got, want) || len(list) > 0 {
			t.Errorf("%s: %v, want %v (%v)", k.Name, got, want, list)
		}
		if again, _ := Format(out); !bytes.Equal(again, out) {
			t.Errorf("%s: formatting twice gives\n%s", k.Name, again)
		}
	}
	if tried < 10 {
		t.Errorf("only %d kinds were tried", tried)
	}
}
