package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/lookup"
	"crossdock/dsl/mapping"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
)

// tryFlags are the flags of `try`.
type tryFlags struct {
	dir, env, row string
	in            []string
	watch, json   bool
}

func (a *app) tryCommand() *cobra.Command {
	var f tryFlags
	cmd := &cobra.Command{
		Use: "try MAPPING --in FILE", GroupID: "write", Args: cobra.ExactArgs(1),
		Short: "Run a mapping on a payload and show every target with its value",
		Long: `Run a mapping on a payload. Every target is shown with its value and with the
cell it came from; rows that fail, and values that the output contract of the
mapping refuses, come first, with the reason.

The first 20 rows of a CSV file are tried one by one; as a whole ({name, rows})
where a pipeline gives the file to the mapping before it splits it. Files that
a pipeline takes with format: text, and .xml, .edi and .txt, are one text.

With --watch the result stays on the screen and is made anew whenever the
mapping, one of its lookups or schemas, or a payload is saved; values that have
changed since the last save are marked, with what they were. --in may be given
several times.`,
		Example: "  crossdock try erp-order-to-shipment --in samples/so-4711.json\n  crossdock try erp-order-to-shipment --in so.json --in so-2.json --row lines --watch",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.try(cmd.Context(), args[0], f) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().StringArrayVar(&f.in, "in", nil, "file with a JSON payload, CSV rows or a text; the first sample of the mapping unless given")
	cmd.Flags().StringVar(&f.row, "row", "", "only targets that begin with this")
	cmd.Flags().BoolVar(&f.watch, "watch", false, "run again whenever a file changes")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	return cmd
}

func (a *app) try(ctx context.Context, name string, f tryFlags) error {
	if f.watch && f.json {
		return fmt.Errorf("--watch shows text: leave out --json")
	}
	if f.watch {
		return a.tryWatch(ctx, name, f)
	}
	trials, err := a.trials(ctx, name, f)
	if err != nil {
		return err
	}
	bad := false
	for i, t := range trials {
		bad = bad || t.failed()
		if f.json && t.failed() { // what reads the JSON gets none, people the reasons
			out := a.Stdout
			a.Stdout = a.Stderr
			a.trial(t, f.row, nil)
			a.Stdout = out
			continue
		}
		switch {
		case f.json:
			if err := a.printJSON(t.out); err != nil {
				return err
			}
			continue
		case len(trials) > 1 && i > 0:
			fmt.Fprintln(a.Stdout)
			fallthrough
		case len(trials) > 1:
			fmt.Fprintln(a.Stdout, t.file)
		}
		a.trial(t, f.row, nil)
	}
	if bad {
		return &exit{code: exitFindings}
	}
	return nil
}

// trial is what a mapping made of one payload.
type trial struct {
	file string
	rows []mapping.RowResult // nil for a program, and where a helper value fails
	out  any                 // the whole; nil where it fails
	errs []mapping.RowError
	text string // why nothing came out, where no row is to blame

	contract string             // what the result should be; "" where nothing is said
	misfits  []schema.Violation // values in it that are not as the contract says
}

func (t *trial) failed() bool { return len(t.errs) > 0 || t.text != "" || len(t.misfits) > 0 }

// trials runs the mapping on every payload.
func (a *app) trials(ctx context.Context, name string, f tryFlags) ([]*trial, error) {
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	m := findMapping(ws, name)
	if m == nil {
		return nil, failf(exitUsage, "there is no mapping `%s`%s", name, suggestion(name, ws.Mappings))
	}
	if mine := about(list, m.File); !runs(m, mine) {
		a.print(mine, f.dir, "text")
		return nil, failf(exitLoad, "the mapping has errors")
	}
	files := f.in
	if len(files) == 0 {
		if len(m.Spec.Samples) == 0 {
			return nil, fmt.Errorf("say which payload: --in FILE")
		}
		files = []string{filepath.Join(f.dir, filepath.Dir(m.File.Path), m.Spec.Samples[0].Value)}
	}
	var out []*trial
	for _, file := range files {
		docs, err := a.inputs(ctx, file, ws, m)
		if err != nil {
			return nil, err
		}
		for _, d := range docs[:min(len(docs), maxTried)] {
			out = append(out, tryOn(testrun.ScopeOf(ctx, ws, m, time.Now(), nil, d.value), m, d.value, d.place()))
		}
		if more := len(docs) - maxTried; more > 0 {
			fmt.Fprintf(a.Stderr, "%s: the first %d rows of %d are tried\n", file, maxTried, len(docs))
		}
	}
	return out, nil
}

// maxTried bounds the rows of one file that are tried: a person looks at them.
const maxTried = 20

// inputs reads what a mapping is given: a JSON document, the rows of a CSV file,
// or a whole file, as the trigger of its pipeline gives it.
func (a *app) inputs(ctx context.Context, file string, ws *dsl.Workspace, m *compile.Mapping) ([]document, error) {
	ext := strings.ToLower(filepath.Ext(file))
	if p := takesWhole(ws, m, ext); p != nil {
		return whole(p, file)
	}
	switch ext {
	case ".xml", ".edi", ".txt":
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, failf(exitLoad, "the file %s cannot be read", file)
		}
		return []document{{value: string(raw), file: file}}, nil
	case ".csv", ".tsv":
		return (&payloads{}).read(ctx, []string{file})
	}
	v, err := a.readJSON(file)
	return []document{{value: v, file: file}}, err
}

// takesWhole is the pipeline that gives the mapping whole files of that kind: texts,
// or CSV that nothing splits; nil where there is none.
func takesWhole(ws *dsl.Workspace, m *compile.Mapping, ext string) *compile.Pipeline {
	for _, name := range sorted(ws.Pipelines) {
		p := ws.Pipelines[name]
		form := ""
		switch t := &p.Trigger; {
		case t.Files != nil:
			form = t.Files.Format.Value
		case t.HTTP != nil:
			form = t.HTTP.Format.Value
		}
		fits := form == "text" && ext != ".json" || form == "csv" && (ext == ".csv" || ext == ".tsv")
		if fits && p.Split == nil && len(p.Steps) > 0 && mapsWhole(p.Steps[0], m) {
			return p
		}
	}
	return nil
}

// mapsWhole reports whether a step from s on maps what came in before anything
// splits it.
func mapsWhole(s *compile.Step, m *compile.Mapping) bool {
	for ; s != nil && s.Split == nil; s = s.Next {
		if s.Map == m.Mapping {
			return true
		}
		if s.Route == nil {
			continue
		}
		for _, r := range s.Route.Rules {
			if mapsWhole(r.To, m) {
				return true
			}
		}
	}
	return false
}

// whole reads a file as the trigger of a pipeline does.
func whole(p *compile.Pipeline, file string) ([]document, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, failf(exitLoad, "the file %s cannot be read", file)
	}
	messages, err := testrun.FromFile(p, file, raw, testrun.Now())
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	var out []document
	for _, m := range messages {
		out = append(out, document{value: m.Body, file: file})
	}
	return out, nil
}

// tryOn runs the mapping on one payload.
func tryOn(scope *cell.Scope, m *compile.Mapping, in any, file string) *trial {
	t := &trial{file: file}
	out, err := m.Mapping.Apply(scope, in)
	var me *mapping.Error
	switch {
	case errors.As(err, &me):
		t.errs = me.Rows
	case err != nil:
		t.text = err.Error()
	default:
		t.out = out
		t.hold(m)
	}
	if m.Mapping.Program == nil {
		if rows, err := m.Mapping.Rows(scope, in); err == nil {
			t.rows = rows
		}
	}
	return t
}

// hold keeps what of the result its contract refuses. What is not there yet is no
// matter of a trial: lint names the rows that are missing.
func (t *trial) hold(m *compile.Mapping) {
	if m.Output == nil {
		return
	}
	t.contract = m.Output.Name
	for _, v := range m.Output.Schema.Validate(t.out) {
		if v.Code != "required" {
			t.misfits = append(t.misfits, v)
		}
	}
}

func findMapping(ws *dsl.Workspace, name string) *compile.Mapping {
	if m := ws.Mappings[name]; m != nil {
		return m
	}
	return ws.Mappings["std/"+name]
}

func suggestion[V any](name string, known map[string]V) string {
	names := sorted(known)
	near := diag.SameEnd(name, names)
	if len(near) == 0 {
		near = diag.Nearest(name, names)
	}
	if len(near) > 0 {
		return "; did you mean `" + near[0] + "`?"
	}
	return ""
}

// suggestionOrAll is suggestion, or what there is where nothing is near.
func suggestionOrAll[V any](name string, known map[string]V) string {
	if near := suggestion(name, known); near != "" || len(known) == 0 || len(known) > 40 {
		return near
	}
	return "; there are " + strings.Join(sorted(known), ", ")
}

// about keeps the findings of one file.
func about(list diag.List, file *ast.File) diag.List {
	return slices.DeleteFunc(slices.Clone(list), func(d diag.Diagnostic) bool { return d.Span.File != file.Path })
}

// payload reads the input: the named file, or the first sample. Of rows it is
// the first.
func (a *app) payload(ctx context.Context, dir, in string, ws *dsl.Workspace, m *compile.Mapping) (any, error) {
	path := in
	if in == "" {
		if len(m.Spec.Samples) == 0 {
			return nil, fmt.Errorf("say which payload: --in FILE")
		}
		path = filepath.Join(dir, filepath.Dir(m.File.Path), m.Spec.Samples[0].Value)
	}
	docs, err := a.inputs(ctx, path, ws, m)
	if err != nil {
		return nil, err
	}
	return docs[0].value, nil
}

func (a *app) readJSON(path string) (any, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, failf(exitLoad, "the file %s cannot be read", path)
	}
	v, err := message.Decode(raw, message.Unlimited)
	if err != nil {
		return nil, failf(exitLoad, "%s: %s", path, err)
	}
	return v, nil
}

func (a *app) rowError(r mapping.RowError) {
	fmt.Fprintf(a.Stdout, "FAIL %s (%s): %s\n     %s\n", r.Field, r.Code, r.Message, r.Span)
	if r.Hint != "" {
		fmt.Fprintf(a.Stdout, "     %s\n", r.Hint)
	}
}

// misfit prints a value that the contract of a mapping refuses, and what helps.
func (a *app) misfit(t *trial, v schema.Violation) {
	fmt.Fprintf(a.Stdout, "FAIL %s: %s does not take this\n     expected %s, found %s\n", v.Path, t.contract, v.Expected, v.Found)
	if v.Code == "option" {
		fmt.Fprintf(a.Stdout, "     words of the other side become these by `lookup: NAME` in the row: crossdock new lookup --help\n")
	}
}

// rowLine is one line of a trial.
type rowLine struct{ target, value, from string }

// shown are the rows that give something, or nothing, without failing.
func (t *trial) shown(only string) []rowLine {
	var out []rowLine
	for _, r := range t.rows {
		if !strings.HasPrefix(r.Target, only) || len(r.Errors) > 0 {
			continue
		}
		value := nothing
		if r.Given {
			value = string(message.Marshal(r.Value))
		}
		out = append(out, rowLine{r.Target, value, cameFrom(r.Row)})
	}
	return out
}

// nothing stands for a field that stays out.
const nothing = "(nothing)"

// trial prints what every row gave, the failing ones first. before are the
// values of the last run by target; nil marks no changes.
func (a *app) trial(t *trial, only string, before map[string]string) {
	for _, e := range t.errs {
		if strings.HasPrefix(e.Row, only) {
			a.rowError(e)
		}
	}
	if t.text != "" {
		fmt.Fprintln(a.Stdout, "FAIL", t.text)
	}
	for _, v := range t.misfits {
		if strings.HasPrefix(v.Path, only) {
			a.misfit(t, v)
		}
	}
	if t.rows == nil {
		if t.out != nil {
			_ = a.printJSON(t.out)
		}
		return
	}
	table := [][]string{{"TARGET", "VALUE", "CAME FROM"}}
	for _, s := range t.shown(only) {
		mark := ""
		old, there := before[s.target]
		switch {
		case before == nil || there && old == s.value:
		case !there:
			mark = "+ "
		default:
			mark = "~ "
		}
		table = append(table, []string{mark + short(s.target, 28), cut(s.value, 38), short(s.from, 30)})
		if mark == "~ " {
			table = append(table, []string{"", "was " + cut(old, 34), ""})
		}
	}
	a.table(table)
}

func cameFrom(r *mapping.Row) string {
	var parts []string
	switch {
	case r.IsConst:
		return "const"
	case r.Each != nil:
		parts = append(parts, "each "+r.Each.Source())
	case r.From != nil:
		parts = append(parts, r.From.Source())
	}
	if r.Lookup != nil {
		parts = append(parts, "lookup "+r.Lookup.Name)
	}
	return strings.Join(parts, ", ")
}

func (a *app) evalCommand() *cobra.Command {
	var in, dir, env string
	cmd := &cobra.Command{
		Use: "eval jq|when CELL --in FILE", GroupID: "write", Args: cobra.ExactArgs(2),
		Short:   "Evaluate one jq or when cell on a payload",
		Example: "  crossdock eval jq '.items[].sku' --in so-4711.json\n  crossdock eval when 'data.status == \"RELEASED\"' --in so-4711.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] != "jq" && args[0] != "when" {
				return fmt.Errorf("say jq or when, not `%s`", args[0])
			}
			return a.eval(cmd.Context(), args[0], args[1], in, dir, env)
		},
	}
	cmd.Flags().StringVar(&in, "in", "", "file with a JSON payload")
	cmd.Flags().StringVar(&dir, "dir", ".", "workspace whose lookups and variables are used")
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used")
	_ = cmd.MarkFlagRequired("in")
	return cmd
}

func (a *app) eval(ctx context.Context, lang, text, in, dir, env string) error {
	data, err := a.readJSON(in)
	if err != nil {
		return err
	}
	ws, _, err := load(dir, env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	var found diag.List
	c := &cell.Compiler{Diags: &found, Lookup: func(name string) *lookup.Table { return ws.Table("", name) }}
	src := spec.Cell{Node: ast.Verbatim("cell", text)}
	scope := testrun.Scope(ctx, ws, time.Now(), nil, data)
	if lang == "when" {
		p := c.Rule(src, cell.Context{})
		if p == nil || found.HasErrors() {
			return a.badCell(found, text)
		}
		yes, err := scope.Yes(p, data)
		if err != nil {
			return failf(exitFindings, "%s", err)
		}
		fmt.Fprintln(a.Stdout, yes)
		return nil
	}
	p := c.JQ(src, cell.Context{})
	if p == nil || found.HasErrors() {
		return a.badCell(found, text)
	}
	values, err := scope.All(p, data)
	if err != nil {
		return failf(exitFindings, "%s", err)
	}
	for _, v := range values {
		if err := a.printJSON(v); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) badCell(found diag.List, text string) error {
	_ = diag.Print(a.Stdout, found.Tidy(), diag.Options{Format: "text", Color: a.terminal(a.Stdout), Sources: func(string) []byte { return []byte(text) }})
	return &exit{code: exitFindings}
}
