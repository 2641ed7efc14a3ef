package parser

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

func TestBytes(t *testing.T) {
	point := func(line, col int) diag.Point { return diag.Point{Line: line, Col: col} }
	tests := []struct {
		name, src string
		at        diag.Point // of the only finding; zero for none
		message   string
	}{
		{"plain", "a: b\n", diag.Point{}, ""},
		{"byte order mark", "\uFEFFa: b\n", diag.Point{}, ""},
		{"crlf", "a: b\r\nc: |\r\n  d\r\n  e\r\n", diag.Point{}, ""},
		{"no line break at the end", "a: b", diag.Point{}, ""},
		{"document start", "---\na: b\n...\n", diag.Point{}, ""},
		{"emoji", "a: 🚚 é\n", diag.Point{}, ""},
		{"tab in a value", "a: b\tc\n", diag.Point{}, ""},
		{"invalid UTF-8", "a: é\xff\n", point(1, 5), "not UTF-8"},
		{"NUL", "a: b\nc: d\x00\n", point(2, 5), "NUL"},
		{"escape code", "a: \x1b[31m\n", point(1, 4), "control character"},
		{"UTF-16", "\xff\xfea\x00:\x00", point(1, 1), "UTF-16"},
		{"old Macintosh", "a: b\rc: d\r", point(1, 5), "carriage return"},
		{"line separator", "a: b\u2028c\n", point(1, 5), "line separator"},
		{"second byte order mark", "a: b\n\uFEFFc: d\n", point(2, 1), "byte order mark"},
		{"too large", "a: " + strings.Repeat("b", MaxBytes), point(1, 1), "1 MiB"},
		{"empty", "", point(1, 1), "no definition"},
		{"no-break space", "a: b\nc:\u00a0d\ne: f\n", point(2, 1), "no `key: value`"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, list := Parse("x.yaml", []byte(tt.src))
			if tt.message == "" {
				if len(list) > 0 || f.Root == nil {
					t.Fatalf("want a tree and no findings, got %v", list)
				}
				checkTraced(t, f)
				return
			}
			if f.Root != nil {
				t.Error("want no tree")
			}
			if len(list) < 1 || list[0].Span.Start != tt.at || !strings.Contains(list[0].Message, tt.message) {
				t.Errorf("want %q at %v, got %v", tt.message, tt.at, list)
			}
			if list[0].Code != Code || list[0].Hint == "" {
				t.Errorf("want code %s and a hint, got %s %q", Code, list[0].Code, list[0].Hint)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	f, _ := Parse("x.yaml", []byte("abc"))
	if f.Digest != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("digest %s", f.Digest)
	}
}

// TestPlaces pins the exact place of characters inside every scalar style.
func TestPlaces(t *testing.T) {
	tests := []struct {
		name, src string
		find      string // in the text of the value of "k"
		want      string // in the file
		at        diag.Point
	}{
		{"plain", "k: .a | foo\n", "foo", "foo", diag.Point{Line: 1, Col: 9}},
		{"plain over lines", "k: .a\n  | foo\n\n  | bar\n", "bar", "bar", diag.Point{Line: 4, Col: 5}},
		{"plain wide", "k: \"日本\" + foo\n", "foo", "foo", diag.Point{Line: 1, Col: 11}},
		{"single", "k: 'it''s foo'\n", "foo", "foo", diag.Point{Line: 1, Col: 11}},
		{"double", "k: \"\\u00e9 \\\"foo\"\n", "foo", "foo", diag.Point{Line: 1, Col: 14}},
		{"double, the escape itself", "k: \"a\\tb\"\n", "\t", "\\", diag.Point{Line: 1, Col: 6}},
		{"double folded", "k: \"a\n  b\\\n  foo\"\n", "foo", "foo", diag.Point{Line: 3, Col: 3}},
		{"literal", "k: | # note\n  a\n\n    foo\n", "foo", "foo", diag.Point{Line: 4, Col: 5}},
		{"literal with indent", "k: |1-\n  a\n foo\n", "foo", "foo", diag.Point{Line: 3, Col: 2}},
		{"folded", "k: >-\n  a\n  b\n\n   foo\n", "foo", "foo", diag.Point{Line: 5, Col: 4}},
		{"crlf", "k: >\r\n  a\r\n  foo\r\n", "foo", "foo", diag.Point{Line: 3, Col: 3}},
		{"mended", "k: \"A-\" + foo\n", "foo", "foo", diag.Point{Line: 1, Col: 11}},
		{"mended over lines", "k: .x | map({\n    a: foo,\n  })\n", "foo", "foo", diag.Point{Line: 2, Col: 8}},
		{"byte order mark", "\uFEFFk: foo\n", "foo", "foo", diag.Point{Line: 1, Col: 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, list := Parse("x.yaml", []byte(tt.src))
			n := f.Root.Get("k")
			if n == nil {
				t.Fatalf("no value: %v", list)
			}
			i := strings.Index(n.Text, tt.find)
			if i < 0 {
				t.Fatalf("%q is not in %q", tt.find, n.Text)
			}
			span := n.Range(i, i+len(tt.find))
			if span.Start != tt.at {
				t.Errorf("stands at %v, want %v", span.Start, tt.at)
			}
			if got := diag.NewText(f.Source).Slice(span); got != tt.want {
				t.Errorf("the span holds %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRaw(t *testing.T) {
	f, _ := Parse("x.yaml", []byte("\uFEFFa: [.b, 'c']  # d\né: {f: \"g\"}\nh: |\n  i\n"))
	for key, want := range map[string]string{"a": "[.b, 'c']", "é": `{f: "g"}`, "h": "|\n  i"} {
		if got := ast.Raw(f, f.Root.Get(key)); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if ast.Raw(f, nil) != "" || ast.Raw(nil, f.Root) != "" {
		t.Error("nothing has no source")
	}
}

// TestFixes applies every offered fix of the golden files: what was mended for
// the author must be what the fixed file says.
func TestFixes(t *testing.T) {
	fixed := 0
	for _, f := range goldenInputs(t) {
		before, list := Parse(f.Name, f.Data)
		src, n := diag.ApplyFixes(f.Name, f.Data, list)
		if n == 0 {
			continue
		}
		after, rest := Parse(f.Name, src)
		fixed += n
		if before.Root == nil {
			// What it means is not known, but the fix must get on.
			if len(rest) > len(list)-n {
				t.Errorf("%s: %d findings, %d fixed, %d left in\n%s%v", f.Name, len(list), n, len(rest), src, rest)
			}
			continue
		}
		if len(rest) > len(list)-n {
			t.Errorf("%s: %d findings, %d fixed, %d left in\n%s%v", f.Name, len(list), n, len(rest), src, rest)
		}
		if after.Root == nil || !sameMeaning(before.Root, after.Root) {
			t.Errorf("%s: the fixed file means something else\n%s", f.Name, src)
		}
	}
	if fixed < 60 {
		t.Errorf("only %d fixes were tried", fixed)
	}
}

// sameMeaning compares trees; a cell over several lines may end with a line
// break or not.
func sameMeaning(a, b *ast.Node) bool {
	if a.Kind != b.Kind || strings.TrimSpace(a.Text) != strings.TrimSpace(b.Text) || len(a.Pairs) != len(b.Pairs) || len(a.Items) != len(b.Items) {
		return false
	}
	for i := range a.Pairs {
		if a.Pairs[i].Key.Text != b.Pairs[i].Key.Text || !sameMeaning(a.Pairs[i].Value, b.Pairs[i].Value) {
			return false
		}
	}
	for i := range a.Items {
		if !sameMeaning(a.Items[i], b.Items[i]) {
			return false
		}
	}
	return true
}

func goldenInputs(t testing.TB) []txtar.File {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	var files []txtar.File
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(data).Files {
			if strings.HasSuffix(f.Name, ".yaml") {
				files = append(files, f)
			}
		}
	}
	return files
}

// FuzzParse holds the parser to its promises for any bytes: it returns, every
// finding has a place inside the file, every child stands inside its parent,
// and every scalar of a clean file is mapped.
func FuzzParse(f *testing.F) {
	for _, in := range goldenInputs(f) {
		f.Add(in.Data)
		f.Add(bytes.ReplaceAll(in.Data, []byte("\n"), []byte("\r\n")))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		file, list := Parse("x.yaml", src)
		text := diag.NewText(src)
		for _, d := range list {
			if d.Span.Start.Line < 1 || d.Span.Start.Line > text.Lines() || d.Span.End.Less(d.Span.Start) || d.Message == "" {
				t.Fatalf("bad finding %+v", d)
			}
		}
		diag.ApplyFixes("x.yaml", src, list)
		if file.Root == nil {
			if len(list) == 0 {
				t.Fatal("neither a tree nor a finding")
			}
			return
		}
		nested(t, file.Root)
		if len(list) == 0 {
			checkTraced(t, file)
		}
	})
}

func nested(t *testing.T, n *ast.Node) {
	inside := func(c *ast.Node) {
		if c.Span.Start.Less(n.Span.Start) || n.Span.End.Less(c.Span.End) || c.Span.End.Less(c.Span.Start) {
			t.Fatalf("%v stands outside of %v", c.Span, n.Span)
		}
		nested(t, c)
	}
	for _, p := range n.Pairs {
		inside(p.Key)
		inside(p.Value)
	}
	for _, i := range n.Items {
		inside(i)
	}
}
