package files

import (
	"testing"

	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
)

// TestCheck: paths that leave the folder, patterns that are none, and files
// that would be read again.
func TestCheck(t *testing.T) {
	text := func(s string) spec.Text { return spec.Text{Value: s, Node: &ast.Node{Text: s}} }
	for _, c := range []struct {
		path, move string
		bad        bool
	}{
		{"in/*.csv", "done", false},
		{"/in/*.csv", "in/done", false},
		{"*.csv", "done", false},
		{"in/*.csv", "in", true},
		{"in/*.csv", "in/../in", true},
		{"*/new.csv", "done", true},
		{"../in/*.csv", "done", true},
		{"in/[a.csv", "done", true},
		{"in/*.csv", "../done", true},
	} {
		list := Check(&spec.FilesTrigger{Path: text(c.path), After: spec.FileAfter{MoveTo: text(c.move)}})
		if (len(list) > 0) != c.bad {
			t.Errorf("%s to %s: %v", c.path, c.move, list)
		}
	}
}
