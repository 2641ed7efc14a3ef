package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/template"
)

func (a *app) renderCommand() *cobra.Command {
	var dir, env string
	var provenance, asJSON bool
	cmd := &cobra.Command{
		Use: "render CLIENT [KIND/NAME...]", GroupID: "write", Args: cobra.MinimumNArgs(1),
		Short: "Show the definitions of a client as they run: template, parameters and overrides put together",
		Example: `  crossdock render bolt
  crossdock render bolt mapping/order-to-shipment --provenance`,
		RunE: func(_ *cobra.Command, args []string) error {
			ws, c, err := a.client(dir, env, args[0])
			if err != nil {
				return err
			}
			return a.render(ws, c, args[1:], provenance, asJSON)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&provenance, "provenance", false, "say of every line whether the template, a parameter or an override wrote it, and where")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: every line with where it comes from")
	return cmd
}

// client loads a workspace and finds a client in it, by code or by the name of
// its instance. A client whose instance is wrong cannot be shown.
func (a *app) client(dir, env, name string) (*dsl.Workspace, *compile.Client, error) {
	ws, list, err := load(dir, env)
	if err != nil {
		return nil, nil, failf(exitLoad, "%s", err)
	}
	c := ws.Clients[name]
	for _, other := range ws.Clients {
		if c == nil && other.Definition.Name == name {
			c = other
		}
	}
	if c == nil {
		if len(ws.Clients) == 0 {
			return nil, nil, failf(exitUsage, "this workspace has no clients: make one with `crossdock new instance`")
		}
		return nil, nil, failf(exitUsage, "there is no client `%s`%s; there are %s", name, suggestion(name, ws.Clients), strings.Join(sorted(ws.Clients), ", "))
	}
	about := slices.DeleteFunc(slices.Clone(list), func(d diag.Diagnostic) bool {
		return d.Severity != diag.Error || d.Span.File != c.Path && (c.Of == nil || d.Span.File != c.Of.Path)
	})
	if len(about) > 0 {
		a.print(about, dir, "text")
		return nil, nil, failf(exitLoad, "the client %s cannot be rendered", c.Instance.Client)
	}
	return ws, c, nil
}

// rendered is one definition for programs.
type rendered struct {
	Kind  string         `json:"kind"`
	Name  string         `json:"name"`
	File  string         `json:"file"` // of the template
	Lines []renderedLine `json:"lines"`
}

type renderedLine struct {
	Text string            `json:"text"`
	From []template.Origin `json:"from"`
}

func (a *app) render(_ *dsl.Workspace, c *compile.Client, only []string, provenance, asJSON bool) error {
	var out []rendered
	known := map[string]bool{}
	for i := range c.Definitions {
		d := &c.Definitions[i]
		key := d.Kind.Name + "/" + d.Name
		known[key] = true
		if len(only) > 0 && !slices.Contains(only, key) && !slices.Contains(only, d.Name) {
			continue
		}
		r := rendered{Kind: d.Kind.Name, Name: c.Instance.Client + "/" + d.Name, File: d.Path}
		for _, l := range c.Lines(d) {
			r.Lines = append(r.Lines, renderedLine{l.Text, l.From})
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		word := strings.Join(only, ", ")
		return failf(exitUsage, "%s has no `%s`%s", c.Instance.Client, word, suggestion(word, known))
	}
	if asJSON {
		return a.printJSON(out)
	}
	for i, r := range out {
		if i > 0 {
			fmt.Fprintln(a.Stdout)
		}
		fmt.Fprintf(a.Stdout, "# %s %s, from %s\n", r.Kind, r.Name, r.File)
		for _, l := range r.Lines {
			text := l.Text
			if provenance {
				text = fmt.Sprintf("%-60s # %s", l.Text, cameOf(l.From))
			}
			fmt.Fprintln(a.Stdout, strings.TrimRight(text, " "))
		}
	}
	return nil
}

// cameOf words where a line comes from: the places a person can change.
func cameOf(from []template.Origin) string {
	var parts []string
	for _, what := range []string{"override", "param", "template"} {
		for _, o := range from {
			if o.What != what {
				continue
			}
			part := o.What
			if o.Param != "" {
				part += " " + o.Param
			}
			if what != "template" || len(parts) == 0 {
				part += fmt.Sprintf(" %s:%d", o.File, o.Line)
			}
			if !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
	}
	return strings.Join(parts, ", ")
}

func (a *app) diffCommand() *cobra.Command {
	var dir, env string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diff CLIENT CLIENT", GroupID: "write", Args: cobra.ExactArgs(2),
		Short:   "Say in which parameters and definitions two clients differ",
		Example: `  crossdock diff acme bolt`,
		RunE: func(_ *cobra.Command, args []string) error {
			_, left, err := a.client(dir, env, args[0])
			if err != nil {
				return err
			}
			_, right, err := a.client(dir, env, args[1])
			if err != nil {
				return err
			}
			return a.diff(left, right, asJSON)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// difference is one line of a comparison for programs.
type difference struct {
	Definition string `json:"definition"` // kind/name; "" for parameters
	Path       string `json:"path"`       // "" is the whole definition
	Left       string `json:"left"`
	Right      string `json:"right"`
}

func (a *app) diff(left, right *compile.Client, asJSON bool) error {
	out := []difference{}
	for _, d := range template.Diff(left.Instance, right.Instance) {
		one := difference{Definition: d.Def, Path: d.Path, Left: template.Flow(d.A), Right: template.Flow(d.B)}
		if d.Def != "" && d.Path == "" {
			one.Left, one.Right = "there", "there"
			if d.A == nil {
				one.Left = "nothing"
			} else {
				one.Right = "nothing"
			}
		}
		out = append(out, one)
	}
	if asJSON {
		return a.printJSON(out)
	}
	if len(out) == 0 {
		fmt.Fprintln(a.Stdout, "They have the same parameters and the same definitions.")
		return nil
	}
	table := [][]string{{"WHERE", strings.ToUpper(left.Instance.Client), strings.ToUpper(right.Instance.Client)}}
	of := "\x00"
	for _, d := range out {
		if d.Definition != of {
			of = d.Definition
			title := of
			if of == "" {
				title = "parameters"
			}
			if d.Path != "" {
				table = append(table, []string{title, "", ""})
			}
		}
		where := "  " + d.Path
		if d.Path == "" {
			where = d.Definition
		}
		table = append(table, []string{short(where, 40), short(d.Left, 28), short(d.Right, 28)})
	}
	a.table(table)
	return nil
}
