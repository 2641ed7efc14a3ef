package dsl_test

import (
	"slices"
	"strings"
	"testing"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
)

// rounds is how often fixes may bring to light the next one.
const rounds = 5

// TestMended makes the changes that findings about the mistakes offer, all at
// once, as `lint --fix` does: what was offered a fix is found no more, nothing
// else is found instead but what was hidden behind it, comments and the order of
// lines stay, and a second run changes nothing.
func TestMended(t *testing.T) {
	if testing.Short() {
		t.Skip("loads hundreds of workspaces")
	}
	dsltest.Unraced(t, "looks at what fixes do to texts")
	mended := 0
	for _, m := range dsltest.Mistakes(t, "testdata") {
		if !strings.Contains(m.Found, "\n  fix: ") {
			continue
		}
		mended++
		t.Run(m.Name, func(t *testing.T) { mend(t, m.Path, m.Files) })
	}
	if mended < 70 {
		t.Errorf("only %d mistakes with a fix", mended)
	}
}

// mend applies fixes until there are none left, and judges what they did.
func mend(t *testing.T, file string, files map[string]string) {
	t.Helper()
	before := findings(t, files)
	was := files[file]
	for round := 0; ; round++ {
		changed := false
		list := findings(t, files)
		next := map[string]string{}
		for path, text := range files {
			out, n := diag.ApplyFixes(path, []byte(text), of(path, list))
			next[path] = string(out)
			changed = changed || n > 0 && string(out) != text
		}
		files = next
		if !changed {
			break
		}
		if round == rounds {
			t.Fatalf("the fixes do not come to an end:\n%s", files[file])
		}
	}
	after := findings(t, files)
	for _, d := range before {
		if len(d.Fixes) > 0 && slices.ContainsFunc(after, func(a diag.Diagnostic) bool { return a.Code == d.Code && a.Message == d.Message }) {
			t.Errorf("it is still there: %s\n%s", d.Message, files[file])
		}
	}
	if len(after) > len(before) {
		t.Errorf("mending found more than there was: %v\n%s", after, files[file])
	}
	if a, b := strings.Count(was, " # "), strings.Count(files[file], " # "); a > b {
		t.Errorf("%d comments became %d:\n%s", a, b, files[file])
	}
	if a, b := strings.Count(was, "\n"), strings.Count(files[file], "\n"); a-b > 1 || b-a > 1 {
		t.Errorf("%d lines became %d:\n%s", a, b, files[file])
	}
}

func of(path string, list diag.List) diag.List {
	var out diag.List
	for _, d := range list {
		if d.Span.File == path {
			out.Add(d)
		}
	}
	return out
}

func findings(t *testing.T, files map[string]string) diag.List {
	t.Helper()
	_, list, err := dsl.Load(dsltest.FS(files), options())
	if err != nil {
		t.Fatal(err)
	}
	return list
}
