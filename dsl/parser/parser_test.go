package parser

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
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
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		for _, f := range archive.Files {
			want[f.Name] = string(f.Data)
		}
		out := &txtar.Archive{Comment: archive.Comment}
		for _, f := range archive.Files {
			name, ok := strings.CutSuffix(f.Name, ".yaml")
			if !ok {
				continue
			}
			t.Run(filepath.Base(path)+"/"+name, func(t *testing.T) {
				got := render(f.Name, f.Data)
				out.Files = append(out.Files, f, txtar.File{Name: name + ".want", Data: []byte(got)})
				if diff := cmp.Diff(want[name+".want"], got); diff != "" && !*update {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
