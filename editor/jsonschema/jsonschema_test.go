package jsonschema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/dsl/ast"
	"crossdock/dsl/dsltest"
	"crossdock/dsl/parser"
	"crossdock/dsl/spec"
	own "crossdock/editor/jsonschema"
	"crossdock/pipelines"
	"crossdock/runtime/catalog"
)

func load(t *testing.T, fsys fs.FS) *dsl.Workspace {
	t.Helper()
	ws, _, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New(), Std: pipelines.Library(), AnyEnvironment: true})
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

// compiled returns the schemas by kind; ws nil for the generic ones.
func compiled(t *testing.T, ws *dsl.Workspace) map[string]*jsonschema.Schema {
	t.Helper()
	files, err := own.Files(own.Options{Catalog: catalog.New(), Workspace: ws})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*jsonschema.Schema{}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	for _, f := range files {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(f.Content))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(f.Name, doc); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile(f.Name)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		out[f.Kind] = s
	}
	return out
}

var coreNumber = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// yamlValue is a node as the core schema of YAML 1.2 types it, which is what
// editors validate.
func yamlValue(n *ast.Node) any {
	switch n.Kind {
	case ast.Map:
		m := map[string]any{}
		for _, p := range n.Pairs {
			m[p.Key.Text] = yamlValue(p.Value)
		}
		return m
	case ast.List:
		l := []any{}
		for _, i := range n.Items {
			l = append(l, yamlValue(i))
		}
		return l
	}
	if n.Style == ast.Plain {
		switch n.Text {
		case "", "~", "null", "Null", "NULL":
			return nil
		case "true", "True", "TRUE":
			return true
		case "false", "False", "FALSE":
			return false
		}
		if coreNumber.MatchString(n.Text) {
			if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
				return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
			}
		}
	}
	return n.Text
}

// check validates one file and returns what is wrong, one line each.
func check(schemas map[string]*jsonschema.Schema, path string, src []byte) []string {
	kind, ok := spec.KindOfFile(path)
	if !ok || schemas[kind.Name] == nil {
		return nil
	}
	file, _ := parser.Parse(path, src)
	if file.Root == nil {
		return []string{"not readable"}
	}
	err := schemas[kind.Name].Validate(yamlValue(file.Root))
	if err == nil {
		return nil
	}
	var out []string
	var leaves func(e *jsonschema.ValidationError)
	leaves = func(e *jsonschema.ValidationError) {
		for _, c := range e.Causes {
			leaves(c)
		}
		if len(e.Causes) == 0 {
			out = append(out, fmt.Sprintf("/%s: %v", strings.Join(e.InstanceLocation, "/"), e.ErrorKind))
		}
	}
	leaves(err.(*jsonschema.ValidationError))
	sort.Strings(out)
	return out
}

// TestDefinitionsValidate holds every example, every shipped definition and what
// `init` writes to the schemas, those for anybody and those for the workspace.
func TestDefinitionsValidate(t *testing.T) {
	generic := compiled(t, nil)
	roots := []string{"../../cmd/crossdock/skeleton", "../../examples/testdata"}
	examples, err := filepath.Glob("../../examples/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	validate := func(fsys fs.FS, name string, special map[string]*jsonschema.Schema) {
		err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".yaml") {
				return err
			}
			raw, err := fs.ReadFile(fsys, p)
			if err != nil {
				return err
			}
			n++
			for which, schemas := range map[string]map[string]*jsonschema.Schema{"generic": generic, "special": special} {
				for _, bad := range check(schemas, p, raw) {
					t.Errorf("%s/%s, %s: %s", name, p, which, bad)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, root := range append(roots, examples...) {
		fsys := os.DirFS(root)
		validate(fsys, root, compiled(t, load(t, fsys)))
	}
	validate(pipelines.Library(), "std", generic)
	ar, err := txtar.ParseFile("../../dsl/testdata/language.txtar")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, f := range ar.Files {
		texts[f.Name] = string(f.Data)
	}
	fsys := dsltest.FS(texts)
	validate(fsys, "language.txtar", compiled(t, load(t, fsys)))
	if n < 60 {
		t.Errorf("only %d definitions were looked at", n)
	}
}

// unknownKey is the mistake that every closed object must refuse.
var unknownKey = regexp.MustCompile(`(?m)^= error XD1001 [^\n]*\n  unknown key `)

// TestMistakesAreRefused makes every mistake of dsl/testdata: unknown keys must
// be refused by the schemas for anybody; how many others are, is counted, so
// that a change which loses some is noticed.
func TestMistakesAreRefused(t *testing.T) {
	generic := compiled(t, nil)
	special := compiled(t, load(t, dsltest.FS(dsltest.Base(t, "../../dsl/testdata"))))
	all, refused, refusedHere, keys := 0, 0, 0, 0
	for _, m := range dsltest.Mistakes(t, "../../dsl/testdata") {
		bad := check(generic, m.Path, []byte(m.Files[m.Path]))
		here := check(special, m.Path, []byte(m.Files[m.Path]))
		all++
		if len(bad) > 0 {
			refused++
		}
		if len(here) > 0 {
			refusedHere++
		}
		if !strings.Contains(m.Found, "= error") {
			for _, b := range bad {
				t.Errorf("%s only deserves a warning, but the schema refuses it: %s", m.Name, b)
			}
		}
		if unknownKey.MatchString(m.Found) {
			keys++
			if len(bad) == 0 {
				t.Errorf("%s: the unknown key is not refused:\n%s", m.Name, m.Found)
			}
		}
	}
	t.Logf("%d mistakes: the schemas for anybody refuse %d, those for the workspace %d; %d unknown keys", all, refused, refusedHere, keys)
	if refused < 80 || refusedHere < 110 {
		t.Errorf("the schemas refuse less than they did: %d and %d of %d", refused, refusedHere, all)
	}
}
