package main

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/lineage"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

func (a *app) explainCoverageCommand() *cobra.Command {
	var dir, env, format string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "coverage [SCHEMA]", Args: cobra.MaximumNArgs(1),
		Short: "Show which mapping provides which field of a schema",
		Long: `Show every field of a schema against every mapping that makes documents of it:

  yes       a row computes it
  fixed     only a constant or a default gives it
  cannot    the mapping says that its source never has it (cannot_provide)
  -         nothing gives it
  ?         a whole jq program makes the document

A star marks fields that the schema requires. Without a schema all are shown that
some mapping of the workspace makes.`,
		Example: "  crossdock explain coverage canonical/shipment-event@1\n  crossdock explain coverage --format csv > coverage.csv",
		RunE: func(_ *cobra.Command, args []string) error {
			if asJSON {
				format = "json"
			}
			return a.explainCoverage(args, dir, env, format)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used")
	cmd.Flags().StringVar(&format, "format", "text", "text, markdown, csv or json")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	return cmd
}

// provision is a schema with what each mapping gives of it.
type provision struct {
	Schema   string          `json:"schema"`
	Mappings []string        `json:"mappings"`
	Fields   []providedField `json:"fields"`
}

type providedField struct {
	Path     string   `json:"path"`
	Required bool     `json:"required,omitempty"`
	By       []string `json:"by"` // in the order of the mappings
}

func (a *app) explainCoverage(args []string, dir, env, format string) error {
	print, ok := map[string]func([]provision) error{"text": a.coverageText, "markdown": a.coverageMarkdown, "csv": a.coverageCSV, "json": func(p []provision) error { return a.printJSON(p) }}[format]
	if !ok {
		return fmt.Errorf("there is no format `%s`: use text, markdown, csv or json", format)
	}
	ws, list, err := load(dir, env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, dir, "text")
		return failf(exitLoad, "the definitions have errors")
	}
	makers := map[string][]*compile.Mapping{}
	for _, name := range sorted(ws.Mappings) {
		if m := ws.Mappings[name]; m.Output != nil && !m.Std {
			makers[m.Output.Name] = append(makers[m.Output.Name], m)
		}
	}
	names := sorted(makers)
	if len(args) > 0 {
		names = []string{args[0]}
		if ws.Schemas[args[0]] == nil && ws.Schemas["std/"+args[0]] != nil {
			names[0] = "std/" + args[0]
		}
		if ws.Schemas[names[0]] == nil {
			return failf(exitUsage, "there is no schema `%s`%s", args[0], suggestion(args[0], ws.Schemas))
		}
	}
	g := lineage.Of(ws)
	out := []provision{}
	for _, name := range names {
		out = append(out, provided(ws, g, name, makers[name]))
	}
	return print(out)
}

// provided compares the fields of a schema with the rows of its makers.
func provided(ws *dsl.Workspace, g *lineage.Graph, name string, makers []*compile.Mapping) provision {
	p := provision{Schema: strings.TrimPrefix(name, "std/"), Mappings: []string{}, Fields: []providedField{}}
	for _, m := range makers {
		p.Mappings = append(p.Mappings, m.Name)
	}
	leaves(ws.Schemas[name].Schema.Shape(), nil, func(path []string, required bool) {
		f := providedField{Path: lineage.Written(path), Required: required, By: []string{}}
		for _, m := range makers {
			f.By = append(f.By, gives(g, m, path))
		}
		p.Fields = append(p.Fields, f)
	})
	return p
}

// deepest bounds schemas that refer to themselves.
const deepest = 8

// leaves calls f for every field that has no fields of its own.
func leaves(s *value.Shape, path []string, f func(path []string, required bool)) {
	inner := s
	if s != nil && s.Item != nil {
		inner, path = s.Item, append(slices.Clone(path), value.Items)
	}
	if inner == nil || len(inner.Order) == 0 || len(path) > deepest {
		if len(path) > 0 {
			f(path, s.Required)
		}
		return
	}
	for _, name := range inner.Order {
		leaves(inner.Fields[name], append(slices.Clone(path), name), f)
	}
}

// gives says in a word what a mapping gives of a field.
func gives(g *lineage.Graph, m *compile.Mapping, field []string) string {
	word := "-"
	for _, u := range g.Mapping(m.Name) {
		counts := slices.ContainsFunc(u.Reads, func(r lineage.Read) bool { return r.Mode == lineage.Counts })
		if u.Role == "when" || counts {
			continue
		}
		for _, w := range u.Writes {
			if w.Stage.Kind != lineage.Output || !lineage.Covers(w.Path, field) {
				continue
			}
			switch {
			case u.Role == "program":
				return "?"
			case u.Role != "const" && u.Role != "default":
				return "yes"
			}
			word = "fixed"
		}
	}
	if word == "-" && slices.ContainsFunc(m.Spec.CannotProvide, func(t spec.Text) bool { return lineage.Covers(lineage.ParsePath(t.Value), field) }) {
		word = "cannot"
	}
	return word
}

// coverageText prints one table per schema. Mappings whose names do not fit side by
// side get numbers.
func (a *app) coverageText(list []provision) error {
	for i, p := range list {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		fmt.Fprintln(a.Stdout, p.Schema)
		heads, width := slices.Clone(p.Mappings), 0
		for _, f := range p.Fields {
			width = max(width, len(f.Path)+3)
		}
		width = min(width, 42)
		all := width
		for _, h := range heads {
			all += max(len(h), 6) + 2
		}
		if all > 100 {
			for i := range heads {
				fmt.Fprintf(a.Stdout, "  %2d %s\n", i+1, heads[i])
				heads[i] = fmt.Sprint(i + 1)
			}
		}
		per := max(1, (100-width)/8)
		for from := 0; from < max(len(heads), 1); from += per {
			to := min(from+per, len(heads))
			if all <= 100 {
				to = len(heads)
			}
			a.coverageTable(p, heads, from, to)
			if all <= 100 {
				break
			}
		}
		a.coverageSums(p)
	}
	return nil
}

func (a *app) coverageTable(p provision, heads []string, from, to int) {
	table := [][]string{append([]string{"FIELD"}, heads[from:to]...)}
	for _, f := range p.Fields {
		path := short(f.Path, 38)
		if f.Required {
			path += " *"
		}
		table = append(table, append([]string{path}, f.By[from:to]...))
	}
	a.table(table)
}

// coverageSums says how much of the schema each mapping gives.
func (a *app) coverageSums(p provision) {
	for i, name := range p.Mappings {
		n := 0
		for _, f := range p.Fields {
			if f.By[i] == "yes" || f.By[i] == "fixed" || f.By[i] == "?" {
				n++
			}
		}
		fmt.Fprintf(a.Stdout, "%s gives %d of %d fields\n", name, n, len(p.Fields))
	}
}

func (a *app) coverageMarkdown(list []provision) error {
	for i, p := range list {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		fmt.Fprintf(a.Stdout, "## %s\n\n| Field | %s |\n|---|%s\n", p.Schema, strings.Join(p.Mappings, " | "), strings.Repeat("---|", len(p.Mappings)))
		for _, f := range p.Fields {
			mark := ""
			if f.Required {
				mark = " *"
			}
			fmt.Fprintf(a.Stdout, "| `%s`%s | %s |\n", f.Path, mark, strings.Join(f.By, " | "))
		}
	}
	return nil
}

func (a *app) coverageCSV(list []provision) error {
	w := csv.NewWriter(a.Stdout)
	_ = w.Write([]string{"schema", "field", "required", "mapping", "gives"})
	for _, p := range list {
		for _, f := range p.Fields {
			for i, name := range p.Mappings {
				_ = w.Write([]string{p.Schema, f.Path, fmt.Sprint(f.Required), name, f.By[i]})
			}
		}
	}
	w.Flush()
	return w.Error()
}
