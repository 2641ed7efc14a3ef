package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/runtime"
	"crossdock/runtime/message"
	"crossdock/runtime/reload"
	"crossdock/runtime/testrun"
)

// tryFlags are the flags of `try`.
type tryFlags struct {
	dir, env, in, row string
	watch, json       bool
}

func (a *app) tryCommand() *cobra.Command {
	var f tryFlags
	cmd := &cobra.Command{
		Use: "try MAPPING --in FILE", GroupID: "write", Args: cobra.ExactArgs(1),
		Short: "Run a mapping on a payload and show every target with its value",
		Long: `Run a mapping on a payload. Every target is shown with its value and with the
cell it came from; rows that fail come first, with the reason.`,
		Example: "  crossdock try erp-order-to-shipment --in samples/so-4711.json\n  crossdock try erp-order-to-shipment --in so.json --row lines --watch",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.try(cmd.Context(), args[0], f) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().StringVar(&f.in, "in", "", "file with a JSON payload; the first sample of the mapping unless given")
	cmd.Flags().StringVar(&f.row, "row", "", "only targets that begin with this")
	cmd.Flags().BoolVar(&f.watch, "watch", false, "run again whenever a file changes")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	return cmd
}

func (a *app) try(ctx context.Context, name string, f tryFlags) error {
	err := a.tryOnce(ctx, name, f)
	if !f.watch {
		return err
	}
	again := func() {
		fmt.Fprintf(a.Stdout, "\n%s\n", time.Now().Format(time.TimeOnly))
		var e *exit
		if err := a.tryOnce(ctx, name, f); errors.As(err, &e) && e.message != "" {
			fmt.Fprintln(a.Stdout, e.message)
		}
	}
	if err := reload.Watch(ctx, f.dir, runtime.StateDir, 200*time.Millisecond, slog.New(slog.DiscardHandler), again); err != nil {
		return failf(exitLoad, "%s", err)
	}
	return nil
}

func (a *app) tryOnce(ctx context.Context, name string, f tryFlags) error {
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	m := findMapping(ws, name)
	if m == nil {
		return failf(exitUsage, "there is no mapping `%s`%s", name, suggestion(name, ws.Mappings))
	}
	if mine := about(list, m.File); !runs(m, mine) {
		a.print(mine, f.dir, "text")
		return failf(exitLoad, "the mapping has errors")
	}
	in, err := a.payload(f.dir, f.in, m)
	if err != nil {
		return err
	}
	scope := testrun.Scope(ctx, ws, time.Now(), nil, in)
	if f.json || m.Mapping.Program != nil {
		out, err := m.Mapping.Apply(scope, in)
		if err != nil {
			return a.rowErrors(err)
		}
		return a.printJSON(out)
	}
	rows, err := m.Mapping.Rows(scope, in)
	if err != nil {
		return a.rowErrors(err)
	}
	return a.rows(rows, f.row)
}

func findMapping(ws *dsl.Workspace, name string) *compile.Mapping {
	if m := ws.Mappings[name]; m != nil {
		return m
	}
	return ws.Mappings["std/"+name]
}

func suggestion[V any](name string, known map[string]V) string {
	if near := diag.Nearest(name, sorted(known)); len(near) > 0 {
		return "; did you mean `" + near[0] + "`?"
	}
	return ""
}

// about keeps the findings of one file.
func about(list diag.List, file *ast.File) diag.List {
	return slices.DeleteFunc(slices.Clone(list), func(d diag.Diagnostic) bool { return d.Span.File != file.Path })
}

// payload reads the input: the named file, or the first sample.
func (a *app) payload(dir, in string, m *compile.Mapping) (any, error) {
	path := in
	if in == "" {
		if len(m.Spec.Samples) == 0 {
			return nil, fmt.Errorf("say which payload: --in FILE")
		}
		path = filepath.Join(dir, filepath.Dir(m.File.Path), m.Spec.Samples[0].Value)
	}
	return a.readJSON(path)
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

// rowErrors prints why a mapping gave nothing.
func (a *app) rowErrors(err error) error {
	var me *mapping.Error
	if errors.As(err, &me) {
		for _, r := range me.Rows {
			a.rowError(r)
		}
		return &exit{code: exitFindings}
	}
	return failf(exitFindings, "%s", err)
}

func (a *app) rowError(r mapping.RowError) {
	fmt.Fprintf(a.Stdout, "FAIL %s (%s): %s\n     %s\n", r.Field, r.Code, r.Message, r.Span)
	if r.Hint != "" {
		fmt.Fprintf(a.Stdout, "     %s\n", r.Hint)
	}
}

// rows prints what every row gave, the failing ones first.
func (a *app) rows(rows []mapping.RowResult, only string) error {
	bad := false
	table := [][]string{{"TARGET", "VALUE", "CAME FROM"}}
	for _, r := range rows {
		if !strings.HasPrefix(r.Target, only) {
			continue
		}
		for _, e := range r.Errors {
			bad = true
			a.rowError(e)
		}
		if len(r.Errors) > 0 {
			continue
		}
		value := "(nothing)"
		if r.Given {
			value = string(message.Marshal(r.Value))
		}
		table = append(table, []string{short(r.Target, 28), short(value, 38), short(cameFrom(r.Row), 30)})
	}
	a.table(table)
	if bad {
		return &exit{code: exitFindings}
	}
	return nil
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
	c := &cell.Compiler{Diags: &found, Lookup: ws.Table}
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
