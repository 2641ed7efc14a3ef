package format

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// documented returns the place of each top-level key of a definition: the kind
// first, then as in its documentation.
func documented(root *ast.Node) map[string]int {
	place := map[string]int{}
	for _, key := range root.Keys() {
		kind, ok := spec.KindNamed(key)
		if !ok {
			continue
		}
		place[key] = 0
		for _, name := range kind.Keys() {
			if _, ok := place[name]; !ok {
				place[name] = len(place)
			}
		}
		break
	}
	return place
}

// chunk is a top-level entry with the comments and blank lines above it.
type chunk struct {
	place       int
	first, last int // lines
}

// reorder returns the file with its top-level entries in documented order. A
// key that the documentation does not know stays behind the one above it.
func reorder(f *ast.File) []byte {
	place := documented(f.Root)
	text := diag.NewText(f.Source)
	var chunks []chunk
	before, last := 0, 0
	// Most keys of a connection belong to its type.
	connection := f.Root.Get("connection") != nil
	for _, p := range f.Root.Pairs {
		n, known := place[p.Key.Text]
		switch n *= 2; {
		case !known && connection:
			n = 2*place["type"] + 1
		case !known:
			n = before
		}
		before = n
		chunks = append(chunks, chunk{place: n, first: above(text, p.Key.Span.Start.Line, last)})
		last = p.Value.Span.End.Line
	}
	if slices.IsSortedFunc(chunks, byPlace) {
		return f.Source
	}
	lines := text.Lines()
	if text.Line(lines) == "" {
		lines--
	}
	var head, out []string
	for n := 1; n < chunks[0].first; n++ {
		head = append(head, text.Line(n))
	}
	for i := range chunks {
		chunks[i].last = lines
		if i+1 < len(chunks) {
			chunks[i].last = chunks[i+1].first - 1
		}
	}
	top := chunks[0]
	slices.SortStableFunc(chunks, byPlace)
	for i, c := range chunks {
		if c == top && i > 0 && strings.HasPrefix(text.Line(c.first), "#") {
			out = append(out, "")
		}
		for n := c.first; n <= c.last; n++ {
			// A blank line at the top of what now comes first is none.
			if line := text.Line(n); line != "" || len(out) > 0 {
				out = append(out, line)
			}
		}
	}
	return []byte(strings.TrimRight(strings.Join(append(head, out...), "\n"), "\n") + "\n")
}

func byPlace(a, b chunk) int { return a.place - b.place }

// above returns the first line that belongs to the entry in line n: its own
// comments and the blank lines above them. last is the last line of the entry
// in front of it, 0 for the first one.
func above(text *diag.Text, n, last int) int {
	for n-1 > last && strings.HasPrefix(text.Line(n-1), "#") {
		n--
	}
	if last == 0 {
		return n
	}
	for n-1 > last && strings.TrimSpace(text.Line(n-1)) == "" {
		n--
	}
	return n
}
