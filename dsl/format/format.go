// Package format lays out a definition file the way everybody's files look.
//
// Format changes white space and the order of the top-level keys, nothing
// else: values, quotes, comments and the order of rows stay. Where values of a
// map stand below each other, all of them do. Formatting twice changes nothing
// more, and the file means the same before and after.
package format

import (
	"bytes"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
)

// Format returns the canonical layout of one definition file. A file that the
// parser finds fault with is returned as it is, with the findings; they name
// no file.
func Format(src []byte) ([]byte, diag.List) {
	out, _, list := Layout(src)
	return out, list
}

// Layout is Format that also says, in words, why a file was left as it is, or
// some of it; "" where all of it has the canonical layout.
func Layout(src []byte) (out []byte, kept string, findings diag.List) {
	file, findings := parser.Parse("", src)
	if len(findings) > 0 {
		return src, "", findings
	}
	if file.Root.Flow {
		return src, "it is written between { and } as a whole", nil
	}
	// White space means something in more corners of YAML than one thinks of.
	// A layout that would change the definition is not worth having.
	out = newLayout(file).lines()
	laid, list := parser.Parse("", out)
	if len(list) > 0 || !sameFile(file, laid) {
		return src, "its layout means something: another one would change the definition", nil
	}
	sorted := reorder(laid)
	if bytes.Equal(sorted, out) {
		return out, "", nil
	}
	const unsorted = "its keys stay in their order: sorting them would change the definition"
	moved, list := parser.Parse("", sorted)
	if len(list) > 0 || !sameFile(file, moved) {
		return out, unsorted, nil
	}
	// What stands below each other may be other keys now.
	again := newLayout(moved).lines()
	if last, list := parser.Parse("", again); len(list) > 0 || !sameFile(file, last) || !bytes.Equal(reorder(last), again) {
		return out, unsorted, nil
	}
	return again, "", nil
}

// Changed reports whether Format would change the file.
func Changed(src []byte) bool {
	out, _ := Format(src)
	return !bytes.Equal(src, out)
}

// sameFile compares two definitions; the order of the top-level keys does not
// count.
func sameFile(a, b *ast.File) bool {
	if len(a.Root.Pairs) != len(b.Root.Pairs) {
		return false
	}
	for _, p := range a.Root.Pairs {
		if !same(p.Value, b.Root.Get(p.Key.Text)) {
			return false
		}
	}
	return sameIgnores(a, b)
}

func same(a, b *ast.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Text != b.Text || a.Empty != b.Empty || len(a.Pairs) != len(b.Pairs) || len(a.Items) != len(b.Items) {
		return false
	}
	for i := range a.Pairs {
		if a.Pairs[i].Key.Text != b.Pairs[i].Key.Text || !same(a.Pairs[i].Value, b.Pairs[i].Value) {
			return false
		}
	}
	for i := range a.Items {
		if !same(a.Items[i], b.Items[i]) {
			return false
		}
	}
	return true
}

// sameIgnores reports whether the ignore comments still speak of the same
// lines.
func sameIgnores(a, b *ast.File) bool {
	if len(a.Ignores) != len(b.Ignores) {
		return false
	}
	count := map[string]int{}
	for _, line := range ignored(a) {
		count[line]++
	}
	for _, line := range ignored(b) {
		count[line]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// ignored returns the codes that are ignored and the lines they are ignored
// in, without their layout.
func ignored(f *ast.File) []string {
	text := diag.NewText(f.Source)
	var lines []string
	for _, ig := range f.Ignores {
		line := ig.Line
		if ig.Alone {
			line++
		}
		lines = append(lines, string(ig.Code)+" "+strings.Join(strings.Fields(text.Line(line)), ""))
	}
	return lines
}
