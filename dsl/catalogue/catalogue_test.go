package catalogue_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/dsl/catalogue"
	"crossdock/dsl/compile"
	"crossdock/dsl/sheet"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
	"crossdock/runtime/testrun"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

func build(t *testing.T, fsys fs.FS) []catalogue.File {
	t.Helper()
	ws, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New(), Std: pipelines.Library(), AnyEnvironment: true})
	if err != nil || list.HasErrors() {
		t.Fatal(err, list)
	}
	files, err := catalogue.Of(ws, catalogue.Options{Files: fsys, Std: pipelines.Library(), Apply: func(m *compile.Mapping, in any) (any, error) {
		return m.Mapping.Apply(testrun.Scope(t.Context(), ws, time.Unix(0, 0), nil, in), in)
	}}).Write(catalogue.Formats...)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestGolden holds the pages and tables of a workspace, and that they are the same
// each time.
func TestGolden(t *testing.T) {
	in, err := txtar.ParseFile("testdata/orders.txtar")
	if err != nil {
		t.Fatal(err)
	}
	fsys, err := txtar.FS(in)
	if err != nil {
		t.Fatal(err)
	}
	got := &txtar.Archive{Comment: []byte("Made by `go test ./dsl/catalogue -update`.\n\n")}
	files := build(t, fsys)
	for i, f := range build(t, fsys) {
		if !bytes.Equal(f.Data, files[i].Data) {
			t.Errorf("%s is another one the second time", f.Path)
		}
		if path.Ext(f.Path) != ".xlsx" {
			got.Files = append(got.Files, txtar.File{Name: f.Path, Data: f.Data})
		}
	}
	const golden = "testdata/orders.want.txtar"
	if *update {
		if err := os.WriteFile(golden, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(txtar.Format(got))); diff != "" {
		t.Errorf("the pages differ (-want +got); run with -update if that is meant:\n%s", diff)
	}
	for _, f := range files {
		for _, hidden := range []string{"secret", "XD_", "Ada", "X-Account"} {
			if bytes.Contains(f.Data, []byte(hidden)) {
				t.Errorf("%s shows %q", f.Path, hidden)
			}
		}
	}
}

// workspaces are folders with definitions of this repository.
func workspaces(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, pattern := range []string{"../../examples/[0-9]*", "../../docs/cookbook/[0-9]*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, found...)
	}
	return dirs
}

var (
	diagram = regexp.MustCompile("(?s)```mermaid\n(.*?)```")
	link    = regexp.MustCompile(`\]\(([^)]+)\)`)
)

// TestEveryWorkspace builds the catalogue of every example and recipe: links lead
// somewhere, tables have rows of one length, diagrams are sound, and the workbook
// can be read again.
func TestEveryWorkspace(t *testing.T) {
	for _, dir := range workspaces(t) {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			files := build(t, os.DirFS(dir))
			there := map[string]bool{}
			for _, f := range files {
				there[f.Path] = true
			}
			for _, f := range files {
				switch path.Ext(f.Path) {
				case ".md":
					checkPage(t, f, there)
				case ".csv":
					if _, err := csv.NewReader(bytes.NewReader(f.Data)).ReadAll(); err != nil {
						t.Errorf("%s: %v", f.Path, err)
					}
				case ".xlsx":
					if _, err := sheet.Read(bytes.NewReader(f.Data)); err != nil {
						t.Errorf("%s: %v", f.Path, err)
					}
				}
			}
		})
	}
}

func checkPage(t *testing.T, f catalogue.File, there map[string]bool) {
	t.Helper()
	for _, m := range link.FindAllStringSubmatch(string(f.Data), -1) {
		if to := path.Join(path.Dir(f.Path), m[1]); !there[to] {
			t.Errorf("%s links to %s, which is not there", f.Path, to)
		}
	}
	for _, m := range diagram.FindAllStringSubmatch(string(f.Data), -1) {
		checkDiagram(t, f.Path, m[1])
	}
	columns := 0
	for line := range strings.Lines(string(f.Data)) {
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
		if columns != 0 && n != columns {
			t.Errorf("%s: a row of the table has %d bars, not %d: %s", f.Path, n, columns, line)
		}
		columns = n
	}
}

var (
	nodeLine = regexp.MustCompile(`^  (n\d+)(\(\["|\["|\[\("|\{\{"|\{"|\[/"|>"|\(\(")[^"<>|{}\[\]();&` + "`" + `]*(?:(?:#\d+;)[^"<>|{}\[\]();&` + "`" + `]*)*("\]\)|"\]|"\)\]|"\}\}|"\}|"/\]|"\)\))$`)
	edgeLine = regexp.MustCompile(`^  (n\d+) (?:-->|-\.->|-- "[^"]+" -->|-\. "[^"]+" \.->) (n\d+)$`)
)

// checkDiagram is a strict grammar of the diagrams we write; it knows much less than
// Mermaid, so what it lets through is plain.
func checkDiagram(t *testing.T, page, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if lines[0] != "flowchart TD" && lines[0] != "flowchart LR" {
		t.Errorf("%s: the diagram begins with %q", page, lines[0])
	}
	nodes := map[string]bool{}
	for _, line := range lines[1:] {
		if m := nodeLine.FindStringSubmatch(line); m != nil {
			nodes[m[1]] = true
			continue
		}
		m := edgeLine.FindStringSubmatch(line)
		if m == nil || !nodes[m[1]] || !nodes[m[2]] {
			t.Errorf("%s: %q is neither a node nor an edge between nodes", page, line)
		}
	}
}

// TestMermaid lets Mermaid itself parse every diagram, where it is installed:
// npm install in tools/mermaid.
func TestMermaid(t *testing.T) {
	tool, err := filepath.Abs("../../tools/mermaid")
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(tool, "node_modules", "mermaid")); err != nil || missing != nil {
		t.Skip("mermaid is not installed: npm install in tools/mermaid; the strict grammar above was checked")
	}
	dir := t.TempDir()
	args := []string{"check.mjs"}
	in, err := txtar.ParseFile("testdata/orders.want.txtar")
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string, data []byte) {
		if path.Ext(name) != ".md" || !diagram.Match(data) {
			return
		}
		at := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(at, data, 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, at)
	}
	for _, f := range in.Files {
		add(f.Name, f.Data)
	}
	for _, ws := range workspaces(t) {
		for _, f := range build(t, os.DirFS(ws)) {
			add(filepath.Base(ws)+"/"+f.Path, f.Data)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, args...)
	cmd.Dir = tool
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}
