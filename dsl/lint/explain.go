package lint

import (
	"cmp"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"crossdock/dsl/diag"
)

// Doc is what there is to know about a code.
type Doc struct {
	Code     diag.Code
	Title    string // a few words
	Severity string // "error", "warning", or when it is which
	Text     string // paragraphs: what it finds, and why that matters
	Wrong    []File // a definition that has the mistake
	Right    []File // the same without
}

// File is one file of an example.
type File struct{ Path, Text string }

//go:embed doc/*.txtar
var docFiles embed.FS

// Docs returns what there is to know about every code, in the order of the
// codes. The result must not be changed.
func Docs() []Doc { return docs() }

var docs = sync.OnceValue(readDocs)

func readDocs() []Doc {
	entries, err := docFiles.ReadDir("doc")
	if err != nil {
		panic(err) // they are part of the program
	}
	var out []Doc
	for _, e := range entries {
		if code, ok := strings.CutSuffix(e.Name(), ".txtar"); ok && strings.HasPrefix(code, "XD") {
			out = append(out, readDoc(diag.Code(code)))
		}
	}
	slices.SortFunc(out, func(a, b Doc) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// Explain returns what there is to know about a code, which may be written in
// lower case.
func Explain(code string) (Doc, bool) {
	for _, d := range Docs() {
		if strings.EqualFold(string(d.Code), code) {
			return d, true
		}
	}
	return Doc{}, false
}

// About returns one line about a code and the place in the documentation that says more, for reports.
func About(code diag.Code) (title, address string) {
	d, ok := Explain(string(code))
	if !ok {
		return "", ""
	}
	return d.Title, "docs/checks.md#" + anchor(d)
}

func readDoc(code diag.Code) Doc {
	raw, err := docFiles.ReadFile("doc/" + string(code) + ".txtar")
	if err != nil {
		panic(err) // they are part of the program
	}
	head, files := archive(string(raw))
	d := Doc{Code: code}
	lines := strings.SplitN(head, "\n", 3)
	d.Title = strings.TrimPrefix(lines[0], "title: ")
	d.Severity = strings.TrimPrefix(lines[1], "severity: ")
	d.Text = strings.TrimSpace(lines[2])
	for _, f := range files {
		if path, ok := strings.CutPrefix(f.Path, "wrong/"); ok {
			d.Wrong = append(d.Wrong, File{path, f.Text})
		} else if path, ok := strings.CutPrefix(f.Path, "right/"); ok {
			d.Right = append(d.Right, File{path, f.Text})
		}
	}
	return d
}

// archive takes a text with files behind `-- name --` lines apart.
func archive(text string) (head string, files []File) {
	for line := range strings.Lines(text) {
		name, marked := strings.CutPrefix(strings.TrimSpace(line), "-- ")
		name, closed := strings.CutSuffix(name, " --")
		switch {
		case marked && closed:
			files = append(files, File{Path: name})
		case len(files) == 0:
			head += line
		default:
			files[len(files)-1].Text += line
		}
	}
	return head, files
}

// Context returns the files around every example: with those of Wrong or Right
// they are a whole workspace.
func Context() []File {
	raw, err := docFiles.ReadFile("doc/common.txtar")
	if err != nil {
		panic(err) // it is part of the program
	}
	_, files := archive(string(raw))
	return files
}

// Markdown returns the page with all codes.
func Markdown() string {
	var b strings.Builder
	b.WriteString("# Checks\n\nEverything `crossdock lint` finds, by code. `crossdock explain CODE` prints one of them.\n" +
		"This page is made from the same texts; do not edit it (`go test ./dsl/lint -update`).\n\n" +
		"Each example is linted by the tests: the wrong one gives exactly that code, the right one nothing. The files they\n" +
		"belong to are [at the end](#the-files-around-the-examples).\n\n| Code | Finds | Severity |\n|---|---|---|\n")
	docs := Docs()
	for _, d := range docs {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", d.Code, anchor(d), d.Title, d.Severity)
	}
	b.WriteString("\nTo silence a finding, say why: `# crossdock-ignore CODE reason` on the line, or alone on the line above.\n")
	for _, d := range docs {
		fmt.Fprintf(&b, "\n## %s %s\n\n%s. %s\n", d.Code, d.Title, capital(d.Severity), d.Text)
		for _, part := range []struct {
			word  string
			files []File
		}{{"Wrong", d.Wrong}, {"Right", d.Right}} {
			for _, f := range part.files {
				fmt.Fprintf(&b, "\n%s, `%s`:\n\n```%s\n%s```\n", part.word, f.Path, strings.TrimPrefix(path.Ext(f.Path), "."), f.Text)
			}
		}
	}
	b.WriteString("\n## The files around the examples\n")
	for _, f := range Context() {
		fmt.Fprintf(&b, "\n`%s`:\n\n```yaml\n%s```\n", f.Path, f.Text)
	}
	return b.String()
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// anchor is how Markdown names the section of a code.
func anchor(d Doc) string {
	var b strings.Builder
	for _, r := range strings.ToLower(string(d.Code) + " " + d.Title) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-':
			b.WriteRune(r)
		}
	}
	return b.String()
}
