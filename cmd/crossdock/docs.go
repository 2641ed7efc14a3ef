package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl/catalogue"
	"crossdock/dsl/compile"
	"crossdock/runtime/testrun"
)

func (a *app) docsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "docs", GroupID: "write", Short: "Describe the workspace for people who never open its files",
		Example: "  crossdock docs build\n  crossdock docs build --out site --format md,xlsx"}
	var dir, out string
	var formats []string
	build := &cobra.Command{
		Use: "build [DIR]", Args: cobra.MaximumNArgs(1),
		Short: "Write every mapping field by field, and a catalogue with diagrams",
		Long: `Write a folder that partners and clerks can read: every mapping as a sheet with one
line per target field (where its value comes from, the rule in plain words, table,
default, dates and units, an example), the tables of codes, and pages of pipelines,
systems, events and schemas that link to each other, with Mermaid diagrams.

md makes pages, csv a file per mapping and table, xlsx one workbook. No secrets are
written, and personal data of the samples is left out. The same definitions give
the same files.`,
		Example: "  crossdock docs build\n  crossdock docs build --out site --format md,csv,xlsx\n  crossdock docs build examples/01-spare-parts --out /tmp/site",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				dir = args[0]
			}
			return a.docsBuild(cmd, dir, out, formats)
		},
	}
	dir = "."
	build.Flags().StringVar(&out, "out", "", "folder to write (default DIR/site)")
	build.Flags().StringSliceVar(&formats, "format", []string{"md", "csv", "xlsx"}, "md, csv, xlsx, or several of them")
	cmd.AddCommand(build)
	return cmd
}

func (a *app) docsBuild(cmd *cobra.Command, dir, out string, formats []string) error {
	for _, f := range formats {
		if !slices.Contains(catalogue.Formats, f) {
			return fmt.Errorf("there is no format `%s`: use %s", f, strings.Join(catalogue.Formats, ", "))
		}
	}
	ws, list, err := load(dir, "")
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, dir, "text")
		return failf(exitLoad, "the definitions have errors, so they cannot be described")
	}
	if out == "" {
		out = filepath.Join(dir, "site")
	}
	files, err := catalogue.Of(ws, catalogue.Options{
		Files: os.DirFS(dir), Std: std(),
		Apply: func(m *compile.Mapping, in any) (any, error) {
			// A fixed time, so that the same definitions give the same pages.
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			return m.Mapping.Apply(testrun.ScopeOf(cmd.Context(), ws, m, at, nil, in), in)
		},
	}).Write(formats...)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	for _, f := range files {
		path := filepath.Join(out, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return failf(exitLoad, "%s", err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	fmt.Fprintf(a.Stdout, "%d files in %s\n", len(files), out)
	return nil
}
