package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
)

// The house has five floors. A package imports packages of lower floors, and
// of its own floor only along the arrows below.
var floors = [][]string{
	0: {"runtime/message", "runtime/retry", "runtime/keypair", "runtime/mutant", "runtime/room", "runtime/disktest", "runtime/porttest", "dsl/diag", "dsl/ast", "dsl/spec", "dsl/unit", "dsl/value", "dsl/turn", "dsl/sheet"},
	1: {"connectors", "connectors/format", "runtime/queue", "dsl", "dsl/parser", "dsl/format", "dsl/jq", "dsl/rule",
		"dsl/contract", "dsl/profile", "dsl/likeness", "dsl/draft", "dsl/drift",
		"dsl/sandbox", "dsl/sandbox/*",
		"dsl/schema", "dsl/lookup", "dsl/cell", "dsl/mapping", "dsl/template", "dsl/compile", "dsl/lint", "dsl/lineage", "dsl/catalogue", "dsl/dsltest", "mappings", "pipelines", "examples", "docs"},
	2: {"connectors/*", "runtime/queue/*", "runtime/flow", "runtime/worker", "runtime/policy", "runtime/journal", "runtime/telemetry", "runtime/publication", "runtime/access", "runtime/audit", "runtime/mask", "editor/jsonschema"},
	3: {"runtime", "runtime/catalog", "runtime/reload", "runtime/testrun", "runtime/plan", "runtime/admin", "runtime/deadletter", "runtime/alert", "runtime/partner", "runtime/mutation", "runtime/coverage", "runtime/recording", "runtime/enginetest", "editor", "editor/lsp", "editor/lsp/lsptest"},
	4: {"cmd/crossdock", "runtime/simulate"},
}

// arrows are the imports that are meant within a floor.
var arrows = map[string][]string{
	"dsl/ast":   {"dsl/diag"},
	"dsl/value": {"dsl/diag", "dsl/unit"},
	"dsl/spec":  {"dsl/ast", "dsl/diag"},

	"dsl/sandbox":       {"dsl/sandbox/wire", "dsl/jq"},
	"dsl/sandbox/wire":  {"dsl/jq"},
	"dsl/sandbox/child": {"dsl/sandbox/wire", "dsl/jq"},

	"dsl/format":    {"dsl/parser"},
	"dsl/cell":      {"dsl/jq", "dsl/rule", "dsl/schema", "dsl/lookup"},
	"dsl/mapping":   {"dsl/cell", "dsl/jq", "dsl/rule", "dsl/lookup"},
	"dsl/compile":   {"dsl/template", "dsl/cell", "dsl/mapping", "dsl/parser", "dsl/jq", "dsl/rule", "dsl/sandbox", "dsl/schema", "dsl/lookup"},
	"dsl/lint":      {"dsl/compile", "dsl/cell", "dsl/mapping", "dsl/jq", "dsl/rule", "dsl/schema", "dsl/lookup", "dsl/parser"},
	"dsl/lineage":   {"dsl/compile", "dsl/cell", "dsl/jq", "dsl/rule", "dsl/schema"},
	"dsl/catalogue": {"dsl/compile", "dsl/lineage", "dsl/lookup", "dsl/schema"},
	"dsl":           {"dsl/compile", "dsl/lint", "dsl/template"},
	"pipelines":     {"mappings"},

	"dsl/template": {"dsl/parser", "dsl/cell", "dsl/rule", "dsl/schema"},

	"dsl/contract": {"dsl/schema"},
	"dsl/drift":    {"dsl/schema", "dsl/profile"},
	"dsl/draft":    {"dsl/parser", "dsl/schema", "dsl/profile", "dsl/likeness", "dsl/lookup", "dsl/format", "dsl/jq"},

	"connectors/all":         {"connectors/file", "connectors/http", "connectors/log"},
	"connectors/files":       {"connectors/format/*"},
	"connectors/format/*":    {"connectors/format/text"},
	"runtime/queue/memory":   {"runtime/queue/schedule", "runtime/queue/internal/*"},
	"runtime/queue/embedded": {"runtime/queue/schedule", "runtime/queue/internal/*"},
	"runtime/queue/redis":    {"runtime/queue/internal/*"},
	"runtime/worker":         {"runtime/flow", "runtime/mask", "runtime/journal", "runtime/policy", "runtime/telemetry"},
	"runtime/journal":        {"runtime/policy"},
	"runtime/partner":        {"runtime/testrun"},
	"runtime/mutation":       {"runtime/testrun"},
	"runtime/coverage":       {"runtime/testrun"},
	"runtime/plan":           {"runtime/testrun", "runtime/reload"},
	"runtime/recording":      {"runtime/testrun"},
	"runtime":                {"runtime/catalog", "runtime/reload", "runtime/deadletter", "runtime/alert", "runtime/plan", "runtime/recording"},
	"runtime/admin":          {"runtime", "runtime/deadletter", "runtime/plan", "runtime/recording"},
	"runtime/enginetest":     {"runtime"},
	"editor":                 {"runtime/testrun"},
	"editor/lsp":             {"editor"},
}

// fences say which packages may use a library; nobody else may.
var fences = map[string][]string{
	"github.com/itchyny/gojq":               {"dsl/jq"},
	"github.com/expr-lang/expr":             {"dsl/rule"},
	"github.com/tetratelabs/wazero":         {"dsl/sandbox"},
	"go.yaml.in/yaml":                       {"dsl/parser", "dsl/format"},
	"github.com/go-playground/validator":    {"dsl/spec"},
	"github.com/santhosh-tekuri/jsonschema": {"dsl/schema"},
	"github.com/robfig/cron":                {"connectors/schedule"},
	"github.com/fsnotify/fsnotify":          {"runtime/reload"},
	"github.com/redis/go-redis":             {"runtime/queue/redis", "runtime/queue/redis/redistest"},
	"github.com/cockroachdb/pebble":         {"runtime/queue/embedded"},
	"github.com/prometheus/client_golang":   {"runtime/journal", "runtime/admin"},
	"go.opentelemetry.io/otel":              {"runtime/telemetry"},
	"github.com/spf13":                      {"cmd/crossdock"},
	"github.com/golang-jwt/jwt":             {"runtime/access"},
	"golang.org/x/oauth2":                   {"connectors/http"},
	"golang.org/x/sync":                     {"runtime/room"},
	"github.com/KimMachineGun/automemlimit": {"cmd/crossdock"},
	"golang.org/x/term":                     {"cmd/crossdock"},
	"golang.org/x/text":                     {"connectors/format/text", "dsl/diag"},
	"github.com/xuri/excelize":              {"dsl/sheet"},
	"github.com/rogpeppe/go-internal":       {"cmd/crossdock"},
	"pgregory.net/rapid":                    {"runtime/queue/queuetest"},
	"go.uber.org/goleak":                    {"runtime/queue/queuetest", "connectors/connectortest"},
}

// sdk is all that a connector may import of crossdock.
var sdk = []string{"connectors", "connectors/format", "runtime/message", "runtime/keypair", "runtime/room", "dsl/spec", "dsl/ast", "dsl/diag"}

// dslMay is all of the runtime that the language may import.
var dslMay = []string{"runtime/message", "runtime/retry"}

const (
	linesWanted = 400
	linesMost   = 600
	linesMain   = 40
)

type goPackage struct {
	Dir, ImportPath string
	Module          struct{ Path string }
	GoFiles         []string
	Imports         []string
}

func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, p.Module.Path+"/") }

var listPackages = sync.OnceValues(func() ([]goPackage, error) {
	cmd := exec.Command("go", "list", "-json=Dir,ImportPath,Module,GoFiles,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []goPackage
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []goPackage {
	t.Helper()
	all, err := listPackages()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

// matches reports whether name is pattern, or below it where it ends in /*.
func matches(pattern, name string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/*"); ok {
		return strings.HasPrefix(name, folder+"/")
	}
	return pattern == name
}

func anyMatches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
}

// floorOf prefers the exact name over a folder.
func floorOf(name string) (int, bool) {
	for n, names := range floors {
		if slices.Contains(names, name) {
			return n, true
		}
	}
	for n, names := range floors {
		if anyMatches(names, name) {
			return n, true
		}
	}
	return 0, false
}

func TestLayersFloors(t *testing.T) {
	for _, p := range packages(t) {
		from, ok := floorOf(p.name())
		if !ok {
			t.Errorf("%s stands on no floor: add it to floors in layers_test.go", p.name())
			continue
		}
		for _, imp := range p.Imports {
			name, ours := strings.CutPrefix(imp, p.Module.Path+"/")
			if !ours {
				continue
			}
			to, ok := floorOf(name)
			switch {
			case !ok || to < from:
			case to > from:
				t.Errorf("%s (floor %d) imports %s (floor %d): imports go down", p.name(), from, name, to)
			case !allowed(p.name(), name):
				t.Errorf("%s imports %s beside it on floor %d, and no arrow leads there", p.name(), name, from)
			}
		}
	}
}

// allowed reports whether an arrow leads from one package to another.
func allowed(from, to string) bool {
	for pattern, targets := range arrows {
		if matches(pattern, from) && anyMatches(targets, to) {
			return true
		}
	}
	return false
}

func TestLayersFences(t *testing.T) {
	used := map[string]bool{}
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			for lib, users := range fences {
				if imp != lib && !strings.HasPrefix(imp, lib+"/") {
					continue
				}
				used[lib] = true
				if !slices.Contains(users, p.name()) {
					t.Errorf("%s imports %s, which belongs to %s", p.name(), imp, strings.Join(users, ", "))
				}
			}
		}
	}
	for lib, users := range fences {
		if len(users) > 0 && !used[lib] {
			t.Errorf("the fence around %s guards nothing any more", lib)
		}
	}
}

func TestLayersConnectorsUseTheSDK(t *testing.T) {
	for _, p := range packages(t) {
		name := p.name()
		connector := strings.HasPrefix(name, "connectors/") && name != "connectors/all" && name != "connectors/connectortest"
		language := name == "dsl" || strings.HasPrefix(name, "dsl/")
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, p.Module.Path+"/")
			switch {
			case !ours:
			case connector && !slices.Contains(sdk, to) && !strings.HasPrefix(to, "connectors/format/"):
				t.Errorf("%s imports %s; a connector uses only %s", name, to, strings.Join(sdk, ", "))
			case language && !strings.HasPrefix(to, "dsl/") && !slices.Contains(dslMay, to):
				t.Errorf("%s imports %s; the language knows neither engine nor connectors", name, to)
			case to == "runtime" && !slices.Contains([]string{"cmd/crossdock", "runtime/admin", "runtime/enginetest"}, name):
				t.Errorf("%s imports the engine itself", name)
			}
		}
	}
}

func TestLayersSizes(t *testing.T) {
	var long []string
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			raw, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			n, file := bytes.Count(raw, []byte("\n")), path.Join(p.name(), f)
			most := linesMost
			if file == "cmd/crossdock/main.go" {
				most = linesMain
			}
			if n > most {
				t.Errorf("%s has %d lines, at most %d are allowed", file, n, most)
			} else if n > linesWanted {
				long = append(long, fmt.Sprintf("%s (%d)", file, n))
			}
		}
	}
	sort.Strings(long)
	if len(long) > 0 {
		t.Logf("longer than the %d lines we want: %s", linesWanted, strings.Join(long, ", "))
	}
}

// forbidden are names that say nothing about what a package is.
var forbidden = []string{"util", "utils", "common", "types", "manager", "helpers", "misc", "shared", "base"}

// TestLayersSource looks into the files: no work in init, no imports for their
// side effects (data that is built in is none), Go's own runtime under another
// name wherever ours could be meant, documented packages.
func TestLayersSource(t *testing.T) {
	for _, p := range packages(t) {
		if slices.Contains(forbidden, path.Base(p.name())) {
			t.Errorf("the package name %s says nothing", p.name())
		}
		documented := len(p.GoFiles) == 0
		fset := token.NewFileSet()
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, f), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || file.Doc != nil
			for _, d := range file.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s: nothing happens in init; make a list that can be read", fset.Position(fn.Pos()))
				}
			}
			for _, imp := range file.Imports {
				what := strings.Trim(imp.Path.Value, `"`)
				named := ""
				if imp.Name != nil {
					named = imp.Name.Name
				}
				switch {
				case named == "_" && what != "embed" && what != "time/tzdata":
					t.Errorf("%s: imported only for its side effects", fset.Position(imp.Pos()))
				case what == "runtime" && named != "goruntime" && !strings.HasPrefix(p.name(), "dsl/"):
					t.Errorf("%s: import Go's runtime as goruntime, ours is another", fset.Position(imp.Pos()))
				}
			}
		}
		if !documented {
			t.Errorf("%s has no package comment", p.name())
		}
	}
}
