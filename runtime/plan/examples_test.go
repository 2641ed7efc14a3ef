package plan_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/dsltest"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
	"crossdock/runtime/plan"
)

// row is one row of a mapping that gives a single value.
type row struct {
	path string
	node *ast.Node
}

func rowsOf(at string, fields spec.Fields[spec.Row]) []row {
	var out []row
	for _, f := range fields {
		path, r := at+f.Key.Text, f.Value
		switch {
		case len(r.Fields) > 0 && r.Each.Set():
			out = append(out, rowsOf(path+"[].", r.Fields)...)
		case len(r.Fields) > 0:
			out = append(out, rowsOf(path+".", r.Fields)...)
		case r.Each.Set(), r.Const.Node != nil && r.Const.Node.Kind != ast.Scalar:
			// a list of values has no single place
		default:
			out = append(out, row{path, r.Node})
		}
	}
	return out
}

// another is a value of the type that a row gives, which no sample holds.
func another(m *compile.Mapping, r row) string {
	step := value.Step{}
	if m.Output != nil {
		path := []string{}
		for part := range strings.SplitSeq(r.path, ".") {
			name, list := strings.CutSuffix(part, "[]")
			if path = append(path, name); list {
				path = append(path, value.Items)
			}
		}
		step, _, _ = m.Output.Schema.Shape().At(path)
	}
	s := step.Shape
	if s == nil {
		s = &value.Shape{}
	}
	was := ""
	if c := r.node.Get("const"); c != nil {
		was = c.Text
	}
	for _, o := range s.Options {
		if o != was {
			return fmt.Sprintf("%q", o)
		}
	}
	if len(s.Options) > 0 {
		return ""
	}
	switch s.Type.Base {
	case value.Boolean:
		if was == "true" {
			return "false"
		}
		return "true"
	case value.Integer:
		return "7"
	case value.Number:
		return "7.5"
	case value.Fixed:
		if s.Type.Digits == 0 {
			return "7"
		}
		return "7." + strings.Repeat("5", s.Type.Digits)
	case value.Date:
		return `"2031-02-03"`
	case value.DateTime:
		return `"2031-02-03T04:05:06Z"`
	case value.Time:
		return `"04:05"`
	case value.URL:
		return `"https://changed.example.com/x"`
	}
	return `"zq7"`
}

// Every row of every mapping of the examples, changed one at a time, is shown by
// exactly its field and by what sends it.
func TestEveryRowOfTheExamples(t *testing.T) {
	dsltest.Unraced(t, "makes one plan after the other")
	dirs, err := filepath.Glob("../../examples/[0-9][0-9]-*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no examples", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) { everyRow(t, dir) })
	}
}

func everyRow(t *testing.T, dir string) {
	files := memory(t, dir)
	opt := compile.Options{Catalog: catalog.New(), Std: pipelines.Library(), Cache: &compile.Cache{}}
	side := func(files fstest.MapFS) (plan.Side, diag.List) {
		ws, list, err := compile.Load(files, opt)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Side{WS: ws, FS: files, Std: pipelines.Library()}, list
	}
	old, list := side(files)
	if list.HasErrors() {
		t.Fatal(list)
	}
	shown, byField, unseen := 0, 0, []string{}
	for name, m := range old.WS.Mappings {
		if m.Std || m.Spec == nil || files[m.File.Path] == nil || m.Client != "" {
			continue // rows of clients come from a template: they are not edited in one place
		}
		for _, r := range rowsOf("", m.Spec.Fields) {
			cell := another(m, r)
			if cell == "" {
				continue // nothing else can stand there
			}
			text := diag.NewText(m.File.Source)
			cell = fmt.Sprintf("{const: %s}", cell)
			src := string(m.File.Source[:text.Offset(r.node.Span.Start)]) + cell + string(m.File.Source[text.Offset(r.node.Span.End):])
			if r.node.Style == ast.Literal || r.node.Style == ast.Folded {
				src = strings.Replace(src, cell, cell+"\n", 1)
			}
			changed := fstest.MapFS{}
			for n, f := range files {
				changed[n] = f
			}
			changed[m.File.Path] = &fstest.MapFile{Data: []byte(src)}
			next, list := side(changed)
			if list.HasErrors() {
				t.Errorf("%s, row %s as %s: %v", name, r.path, cell, list)
				continue
			}
			p, err := plan.Make(context.Background(), plan.Input{Old: old, New: next, Preview: catalog.New().Preview})
			if err != nil {
				t.Fatal(err)
			}
			if !named(p, name, r.path) {
				t.Errorf("%s: the definition of row %s is not named: %+v", name, r.path, p.Definitions)
			}
			found, exact := judgeRow(t, p, old.WS, name, r)
			if exact {
				byField++
			}
			if found {
				shown++
			} else {
				unseen = append(unseen, name+" "+r.path)
			}
		}
	}
	t.Logf("%d rows are shown, %d of them by their field; %d are not: %v", shown, byField, len(unseen), unseen)
	if len(unseen) > 0 || byField*10 < shown*9 {
		t.Errorf("%d rows are shown, %d of them by their field, %d are not", shown, byField, len(unseen))
	}
}

func named(p *plan.Plan, mapping, path string) bool {
	return len(p.Definitions) == 1 && p.Definitions[0].Name == mapping && slices.ContainsFunc(p.Definitions[0].Details, func(d plan.Detail) bool { return d.Item == "row "+path })
}

// judgeRow reports whether the row is shown, and by its field, and complains where
// anything but its field is named for what the mapping makes.
func judgeRow(t *testing.T, p *plan.Plan, ws *compile.Workspace, mapping string, r row) (found, byField bool) {
	made := map[string]bool{"mapping " + mapping: true}
	for _, pipe := range ws.Pipelines {
		for _, s := range pipe.ByID {
			if s.Map != nil && s.Map.Name == mapping && s.Target != "" {
				made[pipe.Name+" "+s.Target] = true
			}
		}
	}
	for _, d := range p.Differences {
		if d.What != plan.InField {
			// a changed code takes another way, a value that breaks the
			// contract of the next one dies
			found = true
			continue
		}
		of := d.Target
		if d.Pipeline != "" {
			of = d.Pipeline + " " + d.Target
		}
		exact := d.Place == "body" && d.Field == r.path
		if made[of] && !exact {
			t.Errorf("%s, row %s: %s names %s %s", mapping, r.path, of, d.Place, d.Field)
		}
		found, byField = found || exact || !made[of], byField || exact
	}
	return found, byField
}

func memory(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(filepath.Join(dir, name))
		files[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A workspace that is compared with itself shows nothing.
func TestExamplesAgainstThemselves(t *testing.T) {
	dirs, _ := filepath.Glob("../../examples/[0-9][0-9]-*")
	for _, dir := range dirs {
		files := memory(t, dir)
		ws, list, err := compile.Load(files, compile.Options{Catalog: catalog.New(), Std: pipelines.Library()})
		if err != nil || list.HasErrors() {
			t.Fatal(err, list)
		}
		again, _, err := compile.Load(files, compile.Options{Catalog: catalog.New(), Std: pipelines.Library()})
		if err != nil {
			t.Fatal(err)
		}
		a, b := plan.Side{WS: ws, FS: files, Std: pipelines.Library()}, plan.Side{WS: again, FS: files, Std: pipelines.Library()}
		p, err := plan.Make(context.Background(), plan.Input{Old: a, New: b, Preview: catalog.New().Preview})
		if err != nil || !p.Same || p.Blocked || len(p.Facts) > 0 || p.Compared.All() == 0 {
			t.Errorf("%s: %+v, %v", dir, p, err)
		}
	}
}
