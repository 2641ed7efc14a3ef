// Package dsltest gives tests the workspaces in dsl/testdata: one in which
// nothing is to be found, and some hundred mistakes made in it.
package dsltest

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// Mistake is one change of the workspace, and what is found then.
type Mistake struct {
	Name  string
	Path  string            // of the file that is changed
	Files map[string]string // the whole workspace with the mistake in it
	Found string            // what lint says, as written in the archive
	Flags string            // words in front of the path, see TestMistakes in dsl
}

// Base returns the workspace in which nothing is to be found. dir is
// dsl/testdata as the test sees it.
func Base(t testing.TB, dir string) map[string]string {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join(dir, "mistakes/base.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range ar.Files {
		files[f.Name] = string(f.Data)
	}
	return files
}

// Mistakes returns all mistakes below dir, which is dsl/testdata.
func Mistakes(t testing.TB, dir string) []Mistake {
	t.Helper()
	base := Base(t, dir)
	paths, err := filepath.Glob(filepath.Join(dir, "mistakes/*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var out []Mistake
	for _, path := range paths {
		if filepath.Base(path) == "base.txtar" {
			continue
		}
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			change, found := Cut(string(f.Data))
			m := Make(t, base, change)
			m.Name, m.Found = strings.TrimSuffix(filepath.Base(path), ".txtar")+"/"+f.Name, found
			out = append(out, m)
		}
	}
	return out
}

// Cut cuts a section of an archive into the change and what is found.
func Cut(section string) (change, found string) {
	change, found, _ = strings.Cut(section, "\n=")
	if found != "" {
		found = "=" + found
	}
	return change, found
}

// Make makes one change: the path, lines that are taken away (-) and lines that
// come instead (+). A line `@ path` goes on in another file.
func Make(t testing.TB, base map[string]string, change string) Mistake {
	t.Helper()
	head, body, _ := strings.Cut(change, "\n")
	words := strings.Fields(head)
	m := Mistake{Path: words[len(words)-1], Flags: strings.Join(words[:len(words)-1], " "), Files: map[string]string{}}
	for k, v := range base {
		m.Files[k] = v
	}
	path, text := m.Path, base[m.Path]
	var from, to strings.Builder
	swap := func() {
		if old := from.String(); old != "" || text == "" {
			if strings.Count(text, old) != 1 && text != "" {
				t.Fatalf("%s has these lines %d times:\n%s", path, strings.Count(text, old), old)
			}
			text = strings.Replace(text, old, to.String(), 1)
		} else {
			text += to.String()
		}
		from.Reset()
		to.Reset()
	}
	done := func() {
		swap()
		if strings.Contains(m.Flags, "crlf") {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		m.Files[path] = text
	}
	for line := range strings.Lines(body + "\n") {
		switch {
		case strings.HasPrefix(line, "@ "):
			done()
			path = strings.TrimSpace(line[2:])
			text = base[path]
		case strings.HasPrefix(line, "-"):
			if to.Len() > 0 {
				swap()
			}
			from.WriteString(line[1:])
		case strings.HasPrefix(line, "+"):
			to.WriteString(line[1:])
		case strings.TrimSpace(line) != "":
			t.Fatalf("neither - nor +: %s", line)
		}
	}
	done()
	return m
}

// FS is a workspace as a file system.
func FS(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}
