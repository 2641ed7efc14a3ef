package dsl_test

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
)

// TestBlind makes the mistakes of testdata/blind. What is to be found was written
// down before anything was run, so that nothing is right only because it is what
// lint says.
//
// A section is one mistake: the file behind @, lines that are taken away (-),
// the mistake (+), and in its place the correct twin (~), of which nothing may be
// said; without ~ the twin is the workspace as it is. `? CODE |text| words` is
// what has to be found in the lines of the mistake: the text pointed at, a number
// where it is not its first time in the line, and words that have to be among
// what is said. `??` points at another line of the file. A section without `?` is
// a twin alone: it looks like a mistake and is none.
func TestBlind(t *testing.T) {
	dsltest.Unraced(t, "looks at what is found")
	around, paths := planting(t, "testdata/blind")
	mistakes, hits, twins, quiet := 0, 0, 0, 0
	for _, path := range paths {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			s := blindSection(t, f)
			name := strings.TrimSuffix(filepath.Base(path), ".txtar") + "/" + f.Name
			if s.text != "" {
				mistakes++
				if t.Run(name, func(t *testing.T) { s.judge(t, dsltest.Make(t, around, s.change("+"))) }) {
					hits++
				}
			}
			if s.twin {
				twins++
				if t.Run(name+", right", func(t *testing.T) {
					if got := found(t, dsltest.Make(t, around, s.change("~")).Files); got != "" {
						t.Errorf("nothing is wrong, but this is found:\n%s", got)
					}
				}) {
					quiet++
				}
			}
		}
	}
	t.Logf("%d of %d mistakes found where they are and with what to write; nothing said of %d of %d twins", hits, mistakes, quiet, twins)
	if mistakes < 120 || twins < 70 {
		t.Errorf("only %d mistakes and %d twins", mistakes, twins)
	}
}

// blind is one section of testdata/blind.
type blind struct {
	file     string
	lines    []string // with their -, + and ~
	twin     bool
	anywhere bool // in the file, not only in the lines of the mistake
	code     diag.Code
	text     string
	nth      int
	words    string
}

var expectation = regexp.MustCompile(`^(\?\??) (XD\d{4}) \|(.+)\|(\d?) (.+)$`)

func blindSection(t *testing.T, f txtar.File) blind {
	t.Helper()
	s := blind{nth: 1}
	for line := range strings.Lines(string(f.Data)) {
		text := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(text, "@ "):
			s.file = text[2:]
		case strings.HasPrefix(text, "?"):
			m := expectation.FindStringSubmatch(text)
			if m == nil {
				t.Fatalf("%s: %q says not what is to be found", f.Name, text)
			}
			s.anywhere, s.code, s.text, s.words = m[1] == "??", diag.Code(m[2]), strings.ReplaceAll(m[3], "⇥", "\t"), m[5]
			if m[4] != "" {
				s.nth, _ = strconv.Atoi(m[4])
			}
		case text != "" && strings.Contains("-+~", text[:1]):
			s.lines = append(s.lines, text)
			s.twin = s.twin || text[0] == '~'
		default:
			t.Fatalf("%s: %q is neither a change nor what is to be found", f.Name, text)
		}
	}
	return s
}

// change is the change as dsltest.Make takes it: with the mistake, or with its
// twin instead.
func (s blind) change(come string) string {
	out := []string{s.file}
	for _, l := range s.lines {
		switch l[:1] {
		case "-":
			out = append(out, l)
		case come:
			out = append(out, "+"+l[1:])
		}
	}
	return strings.Join(out, "\n")
}

// judge looks whether lint finds the mistake and nothing else.
func (s blind) judge(t *testing.T, made dsltest.Mistake) {
	t.Helper()
	_, list, err := dsl.Load(dsltest.FS(made.Files), options())
	if err != nil {
		t.Fatal(err)
	}
	all := found(t, made.Files)
	if len(list) == 0 {
		t.Fatal("nothing is found")
	}
	if len(list) > 1 {
		t.Errorf("one mistake, %d findings:\n%s", len(list), all)
	}
	d := list[0]
	if d.Code != s.code {
		t.Errorf("%s and not %s is found:\n%s", d.Code, s.code, all)
	}
	if word := goWords.FindString(all); word != "" {
		t.Errorf("%q is no word for an analyst:\n%s", word, all)
	}
	if !s.there(made, d) {
		t.Errorf("it is not found at `%s` of the mistake:\n%s", s.text, all)
	}
	said := []string{d.Message, d.Short, d.Hint}
	for _, f := range d.Fixes {
		said = append(said, f.Title)
	}
	if !strings.Contains(strings.Join(said, "\n"), s.words) {
		t.Errorf("nothing is said of `%s`:\n%s", s.words, all)
	}
}

// there reports whether a finding points at the text, in a line of the mistake.
func (s blind) there(made dsltest.Mistake, d diag.Diagnostic) bool {
	if d.Span.File != s.file {
		return false
	}
	text := made.Files[s.file]
	src := diag.NewText([]byte(text))
	if src.Slice(d.Span) != s.text {
		return false
	}
	at := src.Offset(d.Span.Start)
	line := src.Line(d.Span.Start.Line)
	start := src.Offset(diag.Point{Line: d.Span.Start.Line, Col: 1})
	if strings.Count(text[start:at], s.text) != s.nth-1 {
		return false
	}
	return s.anywhere || s.planted(line)
}

// planted reports whether a line of the file is one of the mistake.
func (s blind) planted(line string) bool {
	came := false
	for _, l := range s.lines {
		came = came || l[0] == '+'
		if l[0] == '+' && l[1:] == line {
			return true
		}
	}
	return !came // what was only taken away leaves no line
}
