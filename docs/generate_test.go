package docs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"crossdock/connectors/all"
	"crossdock/dsl/jq"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
	"crossdock/dsl/unit"
	"crossdock/dsl/value"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue/memory"
)

const generated = "<!-- Made by `go test ./docs -update`; do not edit. -->\n\n"

// golden compares a generated page with the one in the repository.
func golden(t *testing.T, page, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		haveLines, wantLines := strings.Split(string(have), "\n"), strings.Split(want, "\n")
		for i := range wantLines {
			if i >= len(haveLines) || haveLines[i] != wantLines[i] {
				t.Fatalf("docs/%s is not up to date from line %d on, which has to be\n%s\nRun: go test ./docs -update", page, i+1, wantLines[i])
			}
		}
		t.Fatalf("docs/%s is longer than it has to be. Run: go test ./docs -update", page)
	}
}

// section is one table of keys.
type section struct {
	title string
	of    any
}

func kindSections() []section {
	return []section{
		{"crossdock.yaml", spec.Workspace{}}, {"crossdock.yaml: defaults", spec.Defaults{}}, {"crossdock.yaml: limits", spec.Limits{}},
		{"policy", spec.Policy{}}, {"policy: retry", spec.Retry{}}, {"policy: dead_letter", spec.DeadLetter{}},
		{"verify", spec.Verify{}}, {"verify: standard_webhooks", spec.StandardWebhook{}}, {"verify: hmac", spec.HMAC{}},
		{"verify: api_key", spec.APIKey{}}, {"verify: basic", spec.Basic{}},
		{"environment", spec.Environment{}}, {"environment: secrets", spec.Secrets{}}, {"environment: reload", spec.Reload{}},
		{"connection", spec.Connection{}}, {"connection: limits", spec.ConnLimits{}}, {"connection: an operation", spec.OperationOptions{}},
		{"connection: check of an operation", spec.Check{}},
		{"schema", spec.Schema{}}, {"lookup", spec.Lookup{}}, {"mapping", spec.Mapping{}}, {"mapping: a row", spec.RowOptions{}},
		{"pipeline", spec.Pipeline{}}, {"pipeline: trigger", spec.Trigger{}}, {"trigger: http", spec.HTTPTrigger{}},
		{"trigger: schedule", spec.ScheduleTrigger{}}, {"trigger: files", spec.FilesTrigger{}}, {"trigger: files, csv", spec.CSV{}},
		{"trigger: files, after and on_bad_file", spec.FileAfter{}}, {"trigger: poll", spec.PollTrigger{}},
		{"trigger: poll, cursor", spec.Cursor{}},
		{"pipeline: a step", spec.StepOptions{}}, {"step: route", spec.Route{}}, {"route: a rule", spec.Rule{}},
		{"test", spec.Test{}}, {"test: a case", spec.Case{}}, {"test: expect_error", spec.ExpectError{}},
	}
}

// TestReference makes the reference of keys, functions, types and units from
// the tables that the code itself works with.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Reference\n\n" + generated)
	b.WriteString("Every key, function, type and unit of the language. What they mean together is in [language.md](language.md);\nwhat lint finds is in [checks.md](checks.md).\n\n")
	kinds(&b)
	b.WriteString("## Keys\n\nA star marks keys that must be there. *jq* and *expr* say in which language a cell is written.\n\n")
	for _, s := range kindSections() {
		keys(t, &b, "### "+s.title, reflect.TypeOf(s.of))
	}
	b.WriteString("## Connections by type\n\nBeside the keys of every [connection](#connection) and [operation](#connection-an-operation).\n\n")
	for _, c := range all.All() {
		settings, operation := reflect.TypeOf(c.Settings()).Elem(), reflect.TypeOf(c.Operation()).Elem()
		keys(t, &b, "### "+c.Type(), settings)
		nested(t, &b, c.Type()+": ", settings)
		keys(t, &b, "### "+c.Type()+": an operation", operation)
	}
	jqFunctions(t, &b)
	exprFunctions(&b)
	typesAndUnits(&b)
	golden(t, "reference.md", strings.TrimRight(b.String(), "\n")+"\n")
}

func kinds(b *strings.Builder) {
	b.WriteString("## Kinds\n\n| First line | File | What it is |\n|---|---|---|\n")
	var later []string
	for _, k := range spec.Kinds {
		if !k.Available {
			later = append(later, "`"+k.Name+"`")
			continue
		}
		file, first := "`NAME"+k.Suffix+"`", k.Name+": NAME"
		if k.Name == "crossdock" {
			file, first = "`crossdock.yaml`", "crossdock: 1"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", first, file, cellText(k.Doc))
	}
	fmt.Fprintf(b, "\nReserved for later versions, and refused today: %s.\n\n", strings.Join(later, ", "))
}

func keys(t *testing.T, b *strings.Builder, title string, typ reflect.Type) {
	t.Helper()
	var rows, later []string
	for _, f := range reflect.VisibleFields(typ) {
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" || f.Anonymous {
			continue
		}
		if f.Tag.Get("later") != "" {
			later = append(later, "`"+name+"`")
			continue
		}
		if f.Tag.Get("doc") == "" {
			t.Errorf("%s.%s has no doc tag", typ, f.Name)
		}
		star := ""
		validate := "," + f.Tag.Get("validate") + ","
		if strings.Contains(validate, ",required,") {
			star = " *"
		}
		doc := f.Tag.Get("doc")
		if why := f.Tag.Get("ignored"); why != "" {
			doc += " Read, but without effect in this version: " + strings.TrimSuffix(why, ".") + "."
		}
		rows = append(rows, fmt.Sprintf("| `%s`%s | %s | %s |", name, star, shape(f.Type, f.Tag.Get("lang")), cellText(doc)))
	}
	if len(rows) == 0 && len(later) == 0 {
		fmt.Fprintf(b, "%s\n\nHas no keys of its own.\n\n", title)
		return
	}
	fmt.Fprintf(b, "%s\n\n| Key | Takes | What it says |\n|---|---|---|\n%s\n\n", title, strings.Join(rows, "\n"))
	if len(later) > 0 {
		fmt.Fprintf(b, "Reserved for later versions, and refused today: %s.\n\n", strings.Join(later, ", "))
	}
}

// nested writes the tables of the structs below a connector's settings.
func nested(t *testing.T, b *strings.Builder, prefix string, typ reflect.Type) {
	t.Helper()
	for _, f := range reflect.VisibleFields(typ) {
		inner := f.Type
		name := f.Tag.Get("yaml")
		if inner.Kind() != reflect.Pointer || name == "" || name == "-" || inner.Elem().Name() == "Node" {
			continue
		}
		keys(t, b, "### "+prefix+name, inner.Elem())
		nested(t, b, prefix+name+", ", inner.Elem())
	}
}

var wrapped = regexp.MustCompile(`^Fields\[.*[./](\w+)\]$`)

// shape says what a key takes, in words.
func shape(typ reflect.Type, lang string) string {
	if typ.Kind() == reflect.Pointer && typ.Elem().Name() != "Node" {
		return shape(typ.Elem(), lang)
	}
	switch typ.Name() {
	case "Text", "VerifyRef", "PolicyRef", "Flag", "Reply", "TextOrSecret":
		return map[string]string{"Text": "text", "VerifyRef": "name, or settings", "PolicyRef": "name, or settings", "Flag": "true, or a reason",
			"Reply": "status, or map", "TextOrSecret": "text or secret"}[typ.Name()]
	case "Cell":
		return lang
	case "Cells":
		return lang + ", or a list of it"
	case "Duration":
		return "time: 500ms, 5s, 10m, 4h, 30d"
	case "Size":
		return "size: 64KB, 1MiB"
	case "Value":
		return "any value"
	case "Secret":
		return "secret"
	case "Stubs":
		return "[stub](language.md#stubs), or a list of them"
	case "Otherwise":
		return "`ignore`, a step, or {to: steps}"
	case "EventTrigger":
		return "event name, or a list of them"
	case "Node":
		return "see the text"
	case "Row":
		return "row"
	}
	if m := wrapped.FindStringSubmatch(typ.Name()); m != nil {
		return map[string]string{"Row": "rows: target: row", "Text": "name: text", "TextOrSecret": "name: text or secret", "Cell": "name: " + lang,
			"Value": "path: value", "Operation": "name: operation", "Policy": "name: policy", "Verify": "name: verify", "Stubs": "operation: stubs",
			"Node": "name: settings"}[m[1]]
	}
	switch typ.Kind() {
	case reflect.Slice:
		return "list of " + plural(shape(typ.Elem(), lang))
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.String:
		return "text"
	}
	return "map"
}

func plural(s string) string {
	if s == "map" || s == "text" || s == "secret" {
		return s + "s"
	}
	return s
}

func cellText(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "|", "\\|"), "\n", " ")
}

// refusedInJQ are functions of jq that cells may not use.
var refusedInJQ = []string{"now", "env", "$ENV", "input", "inputs", "debug", "stderr", "input_line_number", "input_filename", "halt", "halt_error", "get_search_list"}

func jqFunctions(t *testing.T, b *strings.Builder) {
	t.Helper()
	b.WriteString("## jq: added functions\n\n| Function | What it does | Example |\n|---|---|---|\n")
	for _, f := range jq.Functions() {
		name := f.Name
		if len(f.Params) > 0 {
			name += "(" + strings.Join(f.Params, "; ") + ")"
		}
		example := ""
		if len(f.Examples) > 0 {
			e := f.Examples[0]
			example = fmt.Sprintf("`%s` on `%s` gives `%s`", e.Cell, e.In, e.Out)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, cellText(f.Doc), cellText(example))
	}
	b.WriteString("\n## jq: refused functions\n\n| Function | Instead |\n|---|---|\n")
	for _, name := range refusedInJQ {
		_, problems := jq.Compile(name, jq.Options{})
		if len(problems) == 0 || problems[0].Kind != jq.Refused {
			t.Errorf("%s is not refused any more: %v", name, problems)
			continue
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", name, cellText(problems[0].Hint))
	}
	b.WriteString("\n")
}

func exprFunctions(b *strings.Builder) {
	b.WriteString("## expr: added functions\n\n| Function | What it does | Example |\n|---|---|---|\n")
	for _, f := range rule.Functions {
		example := ""
		if f.Example != "" {
			example = "`" + f.Example + "` is true"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Signature, cellText(f.Doc), cellText(example))
	}
	b.WriteString("\n")
}

func typesAndUnits(b *strings.Builder) {
	b.WriteString("## Types\n\n")
	for base := value.String; base <= value.Object; base++ {
		word := base.String()
		switch base {
		case value.Fixed:
			word = "decimal(n)"
		case value.List:
			word = "list` or `list(type)"
		}
		fmt.Fprintf(b, "`%s` ", word)
	}
	b.WriteString("\n\n## Units\n\n| Dimension | Unit | Also written |\n|---|---|---|\n")
	for _, u := range unit.All() {
		fmt.Fprintf(b, "| %s | `%s` | %s |\n", u.Dimension, u.Name, strings.Join(u.Aliases, ", "))
	}
}

// commands are all commands in the order of the page.
var commands = []string{"init", "lint", "fmt", "test", "plan", "try", "eval", "explain", "explain route", "explain row",
	"lineage", "render", "diff", "rebase", "docs", "docs build", "editor", "editor setup", "editor schemas", "lsp",
	"new", "new instance", "new mapping", "new lookup", "new schema", "new connection", "new pipeline", "new test",
	"schema", "schema infer", "schema diff", "schema drift", "schema export", "import",
	"run", "mock", "demo", "status", "queues", "top", "maintenance", "maintenance start", "maintenance stop", "maintenance list", "trace",
	"dlq", "dlq list", "dlq boxes", "dlq show", "dlq edit", "dlq replay", "dlq fix", "dlq discard", "dlq changes", "dlq stop", "dlq resume", "dlq rejected", "reload", "publish",
	"approve", "apply",
	"history", "rollback", "pause", "resume", "doctor",
	"token", "token create", "token list", "token revoke", "audit", "audit list", "audit verify", "version"}

// TestCommandLine makes the page of commands from their own help.
func TestCommandLine(t *testing.T) {
	bin := crossdock(t)
	help := func(command string) string {
		cmd := exec.Command(bin, append(strings.Fields(command), "--help")...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("crossdock %s --help: %v", command, err)
		}
		return strings.ReplaceAll(string(out), "\t", "    ")
	}
	top := help("")
	var b strings.Builder
	b.WriteString("# Command line\n\n" + generated)
	b.WriteString("Exit codes of every command: 0 all is well, 1 findings (errors, failed tests, a refused change, nothing found), 2 wrong usage,\n3 cannot load or start. Every flag can be given as a variable: `--store` as `CROSSDOCK_STORE`.\n\n")
	fmt.Fprintf(&b, "```help\n%s```\n\n", top)
	for _, c := range commands {
		fmt.Fprintf(&b, "## %s\n\n```help\n%s```\n\n", c, help(c))
	}
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+) +[A-Z]`).FindAllStringSubmatch(top, -1) {
		if m[1] != "help" && !strings.Contains(b.String(), "\n## "+m[1]+"\n") {
			t.Errorf("the command %s is missing in the list of this test", m[1])
		}
	}
	golden(t, "cli.md", strings.TrimRight(b.String(), "\n")+"\n")
}

// TestMetrics compares the table of metrics in operations.md with what is
// registered.
func TestMetrics(t *testing.T) {
	m := journal.NewMeter()
	d := memory.Open(memory.Options{})
	defer d.Close()
	m.Watch(d, nil)
	m.Process("test")
	all := make(chan *prometheus.Desc)
	go func() { m.Registry.Describe(all); close(all) }()
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := map[string]bool{}
	for desc := range all {
		name := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(desc.String())[1]
		exists[name] = true
		if !strings.HasPrefix(name, "crossdock_") {
			continue // of the process; their own pages tell of them
		}
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("operations.md does not tell of %s", name)
		}
	}
	for _, name := range regexp.MustCompile("`(crossdock_[a-z_]+)`").FindAllSubmatch(page, -1) {
		if !exists[string(name[1])] {
			t.Errorf("operations.md tells of %s, which does not exist", name[1])
		}
	}
}

// TestFilesNamed follows names of files in back quotes.
func TestFilesNamed(t *testing.T) {
	name := regexp.MustCompile("`((?:cmd|connectors|dsl|runtime|examples|mappings|bench|tools|docs)/[A-Za-z0-9_./-]+)`")
	for _, page := range pages(t) {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(m[1], "NAME") {
				continue // stands for any name
			}
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
}

// TestRoutes compares the table of routes in operations.md with the control API.
func TestRoutes(t *testing.T) {
	source, err := os.ReadFile("../runtime/admin/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	routes := regexp.MustCompile(`"((?:GET|POST|PUT|DELETE) /[^"]*)"`).FindAllSubmatch(source, -1)
	if len(routes) < 10 {
		t.Fatalf("only %d routes were found in the source", len(routes))
	}
	for _, r := range routes {
		if !bytes.Contains(page, append([]byte("`"), r[1]...)) {
			t.Errorf("operations.md does not tell of %s", r[1])
		}
	}
}

// TestRunFlags compares the table of flags in operations.md with those there are.
func TestRunFlags(t *testing.T) {
	out, err := exec.Command(crossdock(t), "run", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ +(?:-h, )?--([a-z-]+)`).FindAllSubmatch(out, -1) {
		name := string(m[1])
		variable := "`CROSSDOCK_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "`"
		if name != "help" && (!bytes.Contains(page, []byte("`--"+name)) || !bytes.Contains(page, []byte(variable))) {
			t.Errorf("operations.md does not tell of --%s and %s", name, variable)
		}
	}
}
