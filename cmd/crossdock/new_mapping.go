package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/draft"
	"crossdock/dsl/value"
)

// mappingFlags are the flags of `new mapping`.
type mappingFlags struct {
	place
	payloads
	samples        []string
	from, to, zone string
	json           bool
}

func (a *app) newMappingCommand() *cobra.Command {
	var f mappingFlags
	cmd := &cobra.Command{
		Use: "mapping NAME --from-sample FILE --to SCHEMA", Args: cobra.ExactArgs(1),
		Short: "Write a mapping from a sample to a schema: a row per field, best guesses marked",
		Long: `Write a mapping from samples to a schema. Fields whose name, values and type suit
a field of the schema become rows, each with a comment that says why; the rest
are TODO comments. The mapping runs with crossdock try at once; lint reports the
required fields that are still missing. Codes that have to become words of the
schema get a lookup, NAME-FIELD, with the meaning of those that say it; lint names
the others.

A sample outside of the workspace, a file that needs --delimiter or --encoding and
the items of --split are copied into samples/ beside the mapping: as many documents,
at most five, as it takes to show every field.`,
		Example: `  crossdock new mapping bolt-orders --from-sample in.json --to canonical/order_released@1
  crossdock new mapping scans --from-sample scans.csv --to canonical/shipment-event@1 --zone Europe/Berlin`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.newMapping(cmd.Context(), args[0], f) },
	}
	f.place.flags(cmd)
	f.payloads.flags(cmd)
	cmd.Flags().StringArrayVar(&f.samples, "from-sample", nil, "file with sample payloads; may be repeated")
	cmd.Flags().StringVar(&f.to, "to", "", "schema of what the mapping makes")
	cmd.Flags().StringVar(&f.from, "from", "", "schema of what comes in")
	cmd.Flags().StringVar(&f.zone, "zone", "", "zone of times without one; that of the workspace unless given")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the guesses as JSON")
	_ = cmd.MarkFlagRequired("from-sample")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

func (a *app) newMapping(ctx context.Context, name string, f mappingFlags) error {
	if err := checkName("mapping", name); err != nil {
		return err
	}
	ws, to, err := a.workspaceSchema(f.dir, f.to)
	if err != nil {
		return err
	}
	if f.from != "" && ws.Schemas[f.from] == nil && ws.Schemas["std/"+f.from] == nil {
		return failf(exitUsage, "there is no schema `%s`%s", f.from, suggestion(f.from, ws.Schemas))
	}
	if f.zone == "" {
		f.zone = zoneOf(ws)
	}
	if _, err := value.LoadZone(f.zone); err != nil {
		return failf(exitUsage, "--zone: %s", err)
	}
	docs, err := f.read(ctx, f.samples)
	if err != nil {
		return err
	}
	r := draft.Request{Name: name, From: f.from, To: to.Schema, Output: f.to, Profile: profileOf(docs), Zone: f.zone, Lookups: f.out != "-"}
	file := f.path("mapping", name)
	sample, err := a.planSample(f, file, name, docs)
	if err != nil {
		return err
	}
	r.Samples = sample.names
	text, guesses, err := draft.Mapping(r)
	if err != nil {
		return failf(exitFindings, "%s", err)
	}
	if f.json && f.out == "-" {
		return failf(exitUsage, "--json prints the guesses and --out - the mapping: only one of them can be printed")
	}
	// What was written is told beside the JSON, not in it.
	tell := a.Stdout
	if f.json {
		tell = a.Stderr
	}
	written, err := a.writeTelling(f.place, "mapping", name, string(text), tell)
	if err != nil || written == "" {
		return err
	}
	for i, raw := range sample.raw {
		if err := writeNew(sample.files[i], raw, true); err != nil {
			return err
		}
		fmt.Fprintf(tell, "%s   (a copy of real data; mask what is personal before it is shared)\n", sample.files[i])
	}
	if err := a.writeLookups(ws, f, guesses, tell); err != nil {
		return err
	}
	return a.drafted(name, f, guesses)
}

// writeLookups writes the lookups that a drafted mapping reads. One that is there
// already is kept: somebody has filled it in.
func (a *app) writeLookups(ws *dsl.Workspace, f mappingFlags, guesses []draft.Guess, tell io.Writer) error {
	for _, g := range guesses {
		if g.Lookup == nil || ws.Lookups[g.Lookup.Name] != nil && !f.force {
			continue
		}
		p := place{dir: f.dir, force: f.force}
		if _, err := a.writeTelling(p, "lookup", g.Lookup.Name, string(g.Lookup.Text()), tell); err != nil {
			return err
		}
	}
	return nil
}

// zoneOf is the zone of a workspace.
func zoneOf(ws *dsl.Workspace) string {
	if ws.Spec != nil && ws.Spec.Defaults.Zone.Set() {
		return ws.Spec.Defaults.Zone.Value
	}
	return "UTC"
}

// drafted says what was guessed, what is left, and what comes next.
func (a *app) drafted(name string, f mappingFlags, guesses []draft.Guess) error {
	if f.json {
		return a.printJSON(guesses)
	}
	found, left := 0, []string{}
	for _, g := range guesses {
		switch {
		case g.Source != "":
			found++
		case g.Required:
			left = append(left, g.Target)
		}
	}
	fmt.Fprintf(a.Stdout, "\n%d of %d fields have a row, each a guess to look at.", found, len(guesses))
	if len(left) > 0 {
		fmt.Fprintf(a.Stdout, " Required and still missing: %s.", strings.Join(left, ", "))
	}
	fmt.Fprintln(a.Stdout)
	_, all, err := load(f.dir, "")
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	var others diag.List
	rel, err := filepath.Rel(f.dir, f.path("mapping", name))
	for _, d := range all {
		// Required fields without a row were named above.
		if err == nil && d.Span.File == filepath.ToSlash(rel) && d.Code != "XD2103" {
			others = append(others, d)
		}
	}
	a.print(others, f.dir, "text")
	for _, g := range guesses {
		if g.Lookup != nil && g.Lookup.Open() > 0 {
			fmt.Fprintf(a.Stdout, "Say what the codes of %s mean in the lookup %s: %s without a meaning.\n", g.Target, g.Lookup.Name, plural(g.Lookup.Open(), "code is", "codes are"))
		}
	}
	at := ""
	if f.dir != "." {
		at = " --dir " + f.dir
	}
	fmt.Fprintf(a.Stdout, "Next: crossdock try %s%s\n", name, at)
	return nil
}

// rowsOf reports whether a document is a row of a file whose rows everybody reads
// alike.
func (f *mappingFlags) rowsOf(d document) bool {
	ext := strings.ToLower(filepath.Ext(d.file))
	return (ext == ".csv" || ext == ".tsv") && f.delimiter == "" && f.encoding == ""
}

// inside reports whether a file lies below a folder.
func inside(dir, file string) bool {
	rel, err := relative(dir, file)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// relative is the way from a folder to a file, as definitions write it.
func relative(dir, file string) (string, error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(from, to)
	return filepath.ToSlash(rel), err
}

// runs reports whether a mapping can be tried although something is wrong: only
// rows that nobody wrote yet are missing.
func runs(m *compile.Mapping, found diag.List) bool {
	for _, d := range found {
		if d.Severity == diag.Error && d.Code != "XD2103" {
			return false
		}
	}
	return m.Mapping != nil
}
