package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl/lint"
)

func (a *app) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "explain CODE", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Explain a finding, the choice of a route, or the value of a row",
		Long: `Explain what a code means, with a wrong and a right example. Without a code all
of them are listed. See also: explain route, explain row.`,
		Example: `  crossdock explain XD2101
  crossdock explain route delivery-failed --in samples/failed.json
  crossdock explain row order-to-released ship_to.name`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.codes()
			}
			return a.explainCode(args[0])
		},
	}
	cmd.AddCommand(a.explainRouteCommand(), a.explainRowCommand(), a.explainCoverageCommand())
	return cmd
}

// codes lists every code.
func (a *app) codes() error {
	rows := [][]string{{"CODE", "FINDS", "SEVERITY"}}
	for _, d := range lint.Docs() {
		rows = append(rows, []string{string(d.Code), d.Title, d.Severity})
	}
	a.table(rows)
	return nil
}

func (a *app) explainCode(code string) error {
	d, ok := lint.Explain(code)
	if !ok {
		return failf(exitUsage, "there is no code `%s`; `crossdock explain` lists all of them", code)
	}
	fmt.Fprintf(a.Stdout, "%s  %s  (%s)\n\n%s\n", d.Code, d.Title, d.Severity, d.Text)
	for _, part := range []struct {
		word  string
		files []lint.File
	}{{"Wrong", d.Wrong}, {"Right", d.Right}} {
		for _, f := range part.files {
			fmt.Fprintf(a.Stdout, "\n%s, %s:\n\n%s\n", part.word, f.Path, indent(f.Text))
		}
	}
	fmt.Fprintf(a.Stdout, "\nTo silence a finding, say why: # crossdock-ignore %s reason\n", d.Code)
	return nil
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

// compact writes a value on one line.
func compact(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(raw)
}
