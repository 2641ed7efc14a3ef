package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"crossdock/dsl/drift"
	"crossdock/dsl/lineage"
)

// driftFlags are the flags of `schema drift`.
type driftFlags struct {
	payloads
	dir, failOn string
	json        bool
}

func (a *app) schemaDriftCommand() *cobra.Command {
	var f driftFlags
	cmd := &cobra.Command{
		Use: "drift SCHEMA FILE...", Args: cobra.MinimumNArgs(2),
		Short: "Compare payloads with their contract, and name the rows that read what changed",
		Long: `Compare payloads with their contract: required fields that are missing, other
types, codes and notations, fields that are new. For each, the rows of mappings and
the cells of pipelines that read it are named.

Exit code 1 where something changed; with --fail-on refused only where payloads
would be refused. Optional fields that no payload had are told and do not count.`,
		Example: `  crossdock schema drift erp/sales-order@1 today/*.json
  crossdock schema drift carrier/scan@1 scans.csv --json --fail-on refused`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.failOn != "any" && f.failOn != "refused" {
				return fmt.Errorf("--fail-on takes any or refused, not `%s`", f.failOn)
			}
			return a.schemaDrift(cmd.Context(), args[0], args[1:], f)
		},
	}
	f.payloads.flags(cmd)
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.failOn, "fail-on", "any", "any or refused: what makes the exit code 1")
	cmd.Flags().BoolVar(&f.json, "json", false, "print as JSON")
	return cmd
}

// drifted is one finding with those who read the field.
type drifted struct {
	drift.Finding
	File string        `json:"file"` // the first payload, with its line where there are several
	Read []driftReader `json:"read_by"`
}

// driftReader is one cell that reads a field.
type driftReader struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Row    string `json:"row"`
	Source string `json:"source"`
	At     string `json:"at"` // file:line:column
	text   string
}

func (a *app) schemaDrift(ctx context.Context, name string, files []string, f driftFlags) error {
	ws, s, err := a.workspaceSchema(f.dir, name)
	if err != nil {
		return err
	}
	docs, err := f.read(ctx, files)
	if err != nil {
		return err
	}
	values := make([]any, len(docs))
	for i, d := range docs {
		values[i] = d.value
	}
	readers := lineage.Of(ws)
	list := []drifted{}
	for _, d := range drift.Of(s.Schema, values) {
		one := drifted{Finding: d, Read: []driftReader{}}
		if d.Documents > 0 {
			one.File = docs[d.First].place()
		}
		if d.Kind != drift.New && d.Drifted() {
			for _, u := range readers.Readers(s.Name, d.Segments) {
				one.Read = append(one.Read, driftReader{u.Kind, u.Name, u.Row, u.Source, u.Span.String(), u.String()})
			}
		}
		list = append(list, one)
	}
	if f.json {
		err = a.printJSON(map[string]any{"schema": s.Name, "documents": len(docs), "findings": list})
	} else {
		a.drift(s.Name, list, len(docs))
	}
	bad := slices.ContainsFunc(list, func(d drifted) bool { return d.Refused || d.Drifted() && f.failOn == "any" })
	if err == nil && bad {
		return &exit{code: exitFindings}
	}
	return err
}

func (a *app) drift(name string, list []drifted, docs int) {
	changed, refused := 0, 0
	for _, d := range list {
		path := d.Path
		if path == "" {
			path = "the document"
		}
		if !d.Drifted() {
			fmt.Fprintf(a.Stdout, "%-8s %s %s\n", d.Kind, path, d.Text)
			continue
		}
		changed++
		if d.Refused {
			refused++
		}
		fmt.Fprintf(a.Stdout, "%-8s %s %s; in %d of %d, first %s\n", d.Kind, path, d.Text, d.Documents, docs, d.File)
		for _, r := range d.Read {
			fmt.Fprintf(a.Stdout, "         read by %s   %s\n", r.text, r.At)
		}
		if len(d.Read) == 0 && d.Kind != drift.New {
			fmt.Fprintf(a.Stdout, "         nothing reads it\n")
		}
	}
	switch {
	case changed == 0:
		fmt.Fprintf(a.Stdout, "%d payloads keep to %s\n", docs, name)
	case refused == 0:
		fmt.Fprintf(a.Stdout, "\n%d differences from %s; no payload would be refused\n", changed, name)
	default:
		fmt.Fprintf(a.Stdout, "\n%d differences from %s; %d of them make payloads refused where a pipeline accepts it\n", changed, name, refused)
	}
}
