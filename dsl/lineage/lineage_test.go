package lineage_test

import (
	"flag"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"crossdock/dsl/compile"
	"crossdock/dsl/dsltest"
	"crossdock/dsl/lineage"
	"crossdock/runtime/catalog"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata/*.txtar")

// TestWays loads each workspace of testdata/*.txtar and follows the places of
// its comment: lines such as `forward schema order@1 lines[].sku` and
// `backward body tms.create /name`.
func TestWays(t *testing.T) {
	dsltest.Workspaces(t, *update, func(t *testing.T, comment string, fsys fs.FS) string {
		ws, list, err := compile.Load(fsys, compile.Options{Catalog: catalog.New()})
		if err != nil || list.HasErrors() {
			t.Fatal(err, list)
		}
		g := lineage.Of(ws)
		var b strings.Builder
		for line := range strings.Lines(comment) {
			q := strings.Fields(line)
			if len(q) < 3 || q[0] != "forward" && q[0] != "backward" {
				continue
			}
			fmt.Fprintf(&b, "%s\n", strings.TrimSpace(line))
			for _, p := range asked(g, q) {
				show(&b, g.Follow(p, lineage.Direction(q[0] == "forward")), 1)
			}
		}
		return b.String()
	})
}

func asked(g *lineage.Graph, q []string) []lineage.Place {
	var path []string
	if len(q) > 3 {
		path = lineage.ParsePath(q[3])
	}
	if q[1] != "schema" {
		return []lineage.Place{{Stage: g.Stage(lineage.Kind(q[1]), q[2], ""), Path: path}}
	}
	var out []lineage.Place
	for _, p := range g.Schema(q[2]) {
		out = append(out, p.At(path...))
	}
	return out
}

func show(b *strings.Builder, n *lineage.Node, depth int) {
	fmt.Fprintf(b, "%s%s", strings.Repeat("  ", depth), n.Place)
	if e := n.Via; e != nil {
		what := e.Link
		if e.Use != nil {
			what = e.Use.String() + " " + e.Mode.String()
		}
		fmt.Fprintf(b, " [%s @%d:%d]", what, e.Span.Start.Line, e.Span.Start.Col)
	}
	if n.Again {
		b.WriteString(" again")
	}
	b.WriteString("\n")
	for _, c := range n.Children {
		show(b, c, depth+1)
	}
}

// TestParsePath reads places as people write them.
func TestParsePath(t *testing.T) {
	for text, want := range map[string]string{
		"partners[].zip": "partners[].zip", ".partners[0].zip": "partners[].zip", "/partners/0/zip": "partners[].zip",
		"/a~1b/*": "a/b[]", ".": ".", "": ".", "/": ".", `a["b"].c`: "a.b.c", "[].x": "[].x",
	} {
		if got := lineage.Written(lineage.ParsePath(text)); got != want {
			t.Errorf("%q reads as %s, not %s", text, got, want)
		}
	}
}

// TestReaders are the rows that a change of one field touches, each once.
func TestReaders(t *testing.T) {
	ar, err := txtar.ParseFile("testdata/ways.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := txtar.FS(ar)
	if err != nil {
		t.Fatal(err)
	}
	ws, _, err := compile.Load(fsys, compile.Options{Catalog: catalog.New()})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range lineage.Of(ws).Readers("order@1", []string{"partners", "[]", "zip"}) {
		got = append(got, u.Row)
	}
	if want := []string{"let ship_to", "to.zip"}; !cmp.Equal(want, got) {
		t.Errorf("%v read the zip, not %v", got, want)
	}
}
