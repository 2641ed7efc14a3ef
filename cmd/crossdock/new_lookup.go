package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl/draft"
	"crossdock/dsl/profile"
	"crossdock/dsl/value"
)

// maxCodes bounds a drafted lookup: more are no codes.
const maxCodes = 1000

func (a *app) newLookupCommand() *cobra.Command {
	var p place
	var in payloads
	var files, columns []string
	cmd := &cobra.Command{
		Use: "lookup NAME COLUMN|JQ --from FILE", Args: cobra.ExactArgs(2),
		Short: "Write a lookup with the codes found in samples, ready to be filled in",
		Long: `Write a lookup with every code that samples have in a column of CSV or under a jq
path. The values are to be filled in; lint names each code without one.`,
		Example: `  crossdock new lookup scan-status Status --from scans.csv
  crossdock new lookup swift-status '.events[].status' --from samples/a.json --from samples/b.json --column event --column reason`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkName("lookup", args[0]); err != nil {
				return err
			}
			return a.newLookup(cmd.Context(), args[0], args[1], files, columns, in, p)
		},
	}
	p.flags(cmd)
	in.flags(cmd)
	cmd.Flags().StringArrayVar(&files, "from", nil, "file with samples; may be repeated")
	cmd.Flags().StringArrayVar(&columns, "column", nil, "name of a value, where a code has several; may be repeated")
	_ = cmd.MarkFlagRequired("from")
	return cmd
}

func (a *app) newLookup(ctx context.Context, name, where string, files, columns []string, in payloads, p place) error {
	docs, err := in.read(ctx, files)
	if err != nil {
		return err
	}
	codes, err := codesOf(ctx, docs, where)
	if err != nil {
		return err
	}
	switch {
	case len(codes) == 0:
		return failf(exitFindings, "there is no value at %s%s", where, lacking(where, docs))
	case len(codes) > maxCodes:
		return failf(exitFindings, "%s has more than %d different values: these are no codes", where, maxCodes)
	}
	file, err := a.write(p, "lookup", name, string(draft.Lookup(name, codes, columns, strings.Join(sources(files), ", ")+" at "+where)))
	if err == nil && file != "" {
		fmt.Fprintf(a.Stdout, "%d codes. Write what each means; crossdock lint names those that are empty.\n", len(codes))
	}
	return err
}

// codesOf counts the values of a column, or those that a jq path gives.
func codesOf(ctx context.Context, docs []document, where string) ([]profile.Value, error) {
	counts := map[string]int{}
	note := func(v any) error {
		text, scalar := value.Text(v)
		if !scalar && v != nil {
			return failf(exitFindings, "%s gives %s, not codes; name a field of it", where, value.Describe(v))
		}
		if text = strings.TrimSpace(text); text != "" {
			counts[text]++
		}
		return nil
	}
	if !strings.HasPrefix(where, ".") {
		seen := false
		names := map[string]bool{}
		for _, d := range docs {
			row, _ := d.value.(map[string]any)
			for name := range row {
				names[name] = true
			}
			if v, there := row[where]; there {
				seen = true
				if err := note(v); err != nil {
					return nil, err
				}
			}
		}
		if !seen {
			return nil, failf(exitUsage, "there is no column `%s`%s; a jq path begins with a dot", where, suggestion(where, names))
		}
	} else {
		items, err := (&payloads{split: where, where: true}).apart(ctx, docs)
		if err != nil {
			return nil, err
		}
		for _, d := range items {
			if err := note(d.value); err != nil {
				return nil, err
			}
		}
	}
	var out []profile.Value
	for text, n := range counts {
		out = append(out, profile.Value{Text: text, Count: n})
	}
	return out, nil
}

func (a *app) newSchemaCommand() *cobra.Command {
	var p place
	cmd := &cobra.Command{
		Use: "schema NAME", Args: cobra.ExactArgs(1),
		Short:   "Write an empty contract with every kind of field; see also: schema infer",
		Example: "  crossdock new schema acme/order@1",
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkName("schema", args[0]); err != nil {
				return err
			}
			_, err := a.write(p, "schema", args[0], fmt.Sprintf(schemaText, args[0]))
			return err
		},
	}
	p.flags(cmd)
	return cmd
}

const schemaText = `schema: %s
fields:
  id: {type: string, required: true}       # text, so that 0071 keeps its zeros
  occurred_at: {type: datetime}            # ISO 8601 with an offset
  status: {type: choice, options: [OPEN, DONE]}
  recipient.name: {type: string, pii: true}   # masked where people see it
  weight: {type: decimal(2), min: 0}
  lines[].sku: {type: string, required: true}
  lines[].quantity: {type: integer}
`
