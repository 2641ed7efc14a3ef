package parser

import (
	"bytes"
	"flag"
	"fmt"
	"testing"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// walk visits every node of a tree.
func walk(n *ast.Node, visit func(*ast.Node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, p := range n.Pairs {
		walk(p.Key, visit)
		walk(p.Value, visit)
	}
	for _, i := range n.Items {
		walk(i, visit)
	}
}

// render writes what a reader of the package sees: the tree and the findings.
func render(path string, src []byte) string {
	var b bytes.Buffer
	f, list := Parse(path, src)
	if f.Root == nil {
		b.WriteString("no tree\n")
	}
	tree(&b, f.Root, "", "")
	for _, ig := range f.Ignores {
		fmt.Fprintf(&b, "ignore %s %q line %d alone %v\n", ig.Code, ig.Reason, ig.Line, ig.Alone)
	}
	if len(list) > 0 {
		b.WriteByte('\n')
	}
	err := diag.Print(&b, list, diag.Options{Sources: func(string) []byte { return src }})
	if err != nil {
		fmt.Fprintln(&b, err)
	}
	return b.String()
}

func tree(b *bytes.Buffer, n *ast.Node, indent, key string) {
	if n == nil {
		return
	}
	at := fmt.Sprintf("%d:%d-%d:%d", n.Span.Start.Line, n.Span.Start.Col, n.Span.End.Line, n.Span.End.Col)
	note := ""
	if n.Comment != "" {
		note = fmt.Sprintf(" # %q", n.Comment)
	}
	switch {
	case n.Kind == ast.Map:
		fmt.Fprintf(b, "%s%smap %s%s\n", indent, key, at, note)
	case n.Kind == ast.List:
		fmt.Fprintf(b, "%s%slist %s%s\n", indent, key, at, note)
	case n.Empty:
		fmt.Fprintf(b, "%s%sempty %s%s\n", indent, key, at, note)
	default:
		fmt.Fprintf(b, "%s%s%q %s%s\n", indent, key, n.Text, at, note)
	}
	for _, p := range n.Pairs {
		label := p.Key.Text + ": "
		if p.Key.Comment != "" {
			label = fmt.Sprintf("%s(# %q): ", p.Key.Text, p.Key.Comment)
		}
		tree(b, p.Value, indent+"  ", label)
	}
	for _, i := range n.Items {
		tree(b, i, indent+"  ", "- ")
	}
}

// TestGolden runs every testdata/*.txtar: each x.yaml is followed by x.want.
func TestGolden(t *testing.T) { dsltest.Pairs(t, *update, ".yaml", render) }
