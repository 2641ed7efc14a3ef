package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/contract"
	"crossdock/dsl/diag"
	"crossdock/dsl/draft"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
)

func (a *app) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "schema", GroupID: "write",
		Short: "Infer contracts from payloads, compare them, and find drift",
		Example: "  crossdock schema infer in.json --name bolt/order@1\n  crossdock schema diff bolt/order@1 new.json\n" +
			"  crossdock schema drift bolt/order@1 today/*.json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.schemaInferCommand(), a.schemaDiffCommand(), a.schemaExportCommand(), a.schemaDriftCommand())
	return cmd
}

func (a *app) schemaInferCommand() *cobra.Command {
	var in payloads
	var p place
	var name string
	cmd := &cobra.Command{
		Use: "infer FILE...", Args: cobra.MinimumNArgs(1),
		Short: "Write the schema that sample payloads keep to",
		Long: `Write the schema that sample payloads keep to: types, what may be missing, codes
where there is enough evidence, dates, ids whose zeros must stay, personal data.
Every sample is valid by it. Comments say what was seen and what is a guess.

Samples are JSON, NDJSON, or CSV, of which every row is a document. The schema is
printed; --out FILE writes it, --save puts it where schemas are.`,
		Example: `  crossdock schema infer samples/*.json --name erp/sales-order@1
  crossdock schema infer scans.csv --name carrier/scan@1 --save
  crossdock schema infer page.json --split .data --name tms/load@1 --out schemas/load.schema.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			save, _ := cmd.Flags().GetBool("save")
			if p.out == "" && !save {
				p.out = "-"
			}
			return a.schemaInfer(cmd.Context(), args, name, in, p)
		},
	}
	in.flags(cmd)
	p.flags(cmd)
	cmd.Flags().StringVar(&name, "name", "", "name with major version; by the first file unless given")
	cmd.Flags().Bool("save", false, "write it into the workspace, by its name")
	return cmd
}

// schemaName is a name of a schema that stands where a file is meant.
var schemaName = regexp.MustCompile(`^[a-z][a-z0-9_/-]*@[0-9]+$`)

func (a *app) schemaInfer(ctx context.Context, files []string, name string, in payloads, p place) error {
	if name == "" {
		name = nameOfFile(files[0]) + "@1"
	}
	if err := checkName("schema", name); err != nil {
		return err
	}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil && schemaName.MatchString(f) {
			return fmt.Errorf("%s is no file; if the schema is to be called so, write --name %s", f, f)
		}
	}
	docs, err := in.read(ctx, files)
	if err != nil {
		return err
	}
	text, err := draft.Schema(name, profileOf(docs), sources(files))
	if err != nil {
		return failf(exitFindings, "%s", err)
	}
	if err := agrees(name, text, docs); err != nil {
		return err
	}
	_, err = a.write(p, "schema", name, string(text))
	return err
}

// nameOfFile makes a name of the name of a file.
func nameOfFile(file string) string {
	base := strings.ToLower(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)))
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, base), "-")
	if name == "" {
		return "payload"
	}
	return name
}

// agrees checks that every sample keeps to the schema inferred from it, which is
// what the command promises.
func agrees(name string, text []byte, docs []document) error {
	s, list := buildSchema(name, text)
	if s == nil {
		return failf(exitFindings, "the samples cannot be described: %s", list[0].Message)
	}
	for _, d := range docs {
		if found := s.Validate(d.value); len(found) > 0 {
			return failf(exitFindings, "%s cannot be described: %s", d.place(), found[0].Message)
		}
	}
	return nil
}

// buildSchema reads the text of one definition.
func buildSchema(name string, text []byte) (*schema.Schema, diag.List) {
	file, list := parser.Parse("schema", text)
	if list.HasErrors() || file.Root == nil {
		return nil, list
	}
	closed := file.Root.Get("closed")
	s := schema.Build(schema.Source{Name: name, Closed: closed != nil && closed.Text == "true", Fields: file.Root.Get("fields"), Span: file.Root.Span}, &list)
	return s, list
}

func (a *app) schemaDiffCommand() *cobra.Command {
	var dir, side string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "diff OLD NEW", Args: cobra.ExactArgs(2),
		Short: "Compare two versions of a schema and say whom the change breaks",
		Long: `Compare two versions of a schema. OLD and NEW are names of schemas, files with a
schema, or folders and names as FOLDER:NAME, such as another checkout.

A change breaks who sends where a document that was good is refused now, and who
reads where a document may hold or lack what it never did. Either needs the next
major version: the same fields under @2. Exit code 1 where something breaks.`,
		Example: `  crossdock schema diff erp/sales-order@1 erp/sales-order@2
  crossdock schema diff ../released:erp/sales-order@1 erp/sales-order@1
  crossdock schema diff old.schema.yaml schemas/sales-order.schema.yaml --json`,
		RunE: func(_ *cobra.Command, args []string) error {
			if side != "both" && side != "sender" && side != "reader" {
				return fmt.Errorf("--for takes sender, reader or both, not `%s`", side)
			}
			old, err := a.schemaNamed(dir, args[0])
			if err != nil {
				return err
			}
			now, err := a.schemaNamed(dir, args[1])
			if err != nil {
				return err
			}
			return a.schemaDiff(contract.Compare(old, now), side, asJSON, args)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&side, "for", "both", "sender, reader or both: whose breakage counts")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON")
	return cmd
}

func (a *app) schemaDiff(list []contract.Change, side string, asJSON bool, names []string) error {
	breaking := 0
	for i, c := range list {
		list[i].Breaking = c.Sender != "" && side != "reader" || c.Reader != "" && side != "sender"
		if list[i].Breaking {
			breaking++
		}
	}
	if asJSON {
		if list == nil {
			list = []contract.Change{}
		}
		if err := a.printJSON(map[string]any{"old": names[0], "new": names[1], "breaking": breaking, "changes": list}); err != nil {
			return err
		}
	} else {
		a.changes(list, breaking, names)
	}
	if breaking > 0 {
		return &exit{code: exitFindings}
	}
	return nil
}

func (a *app) changes(list []contract.Change, breaking int, names []string) {
	for _, c := range list {
		word := "ok    "
		if c.Breaking {
			word = "BREAKS"
		}
		path := c.Path
		if path == "" {
			path = "the document"
		}
		fmt.Fprintf(a.Stdout, "%s  %s %s  (%s)\n", word, path, c.Text, c.Rule)
		for _, who := range []struct{ side, how string }{{"who sends", c.Sender}, {"who reads", c.Reader}} {
			if who.how != "" {
				fmt.Fprintf(a.Stdout, "        %s: %s\n", who.side, who.how)
			}
		}
	}
	switch {
	case len(list) == 0:
		fmt.Fprintln(a.Stdout, "nothing changed")
	case breaking > 0:
		fmt.Fprintf(a.Stdout, "\n%d of %d changes break somebody: give the new one the next major version, beside the old one\n", breaking, len(list))
	default:
		fmt.Fprintf(a.Stdout, "\ncompatible: %s may keep its version\n", names[1])
	}
}

// schemaNamed finds a schema: a file, FOLDER:NAME, or a name in the workspace.
func (a *app) schemaNamed(dir, ref string) (*schema.Schema, error) {
	if info, err := os.Stat(ref); err == nil && !info.IsDir() {
		return a.schemaFile(ref)
	}
	name := ref
	if folder, rest, ok := strings.Cut(ref, ":"); ok {
		dir, name = folder, rest
	}
	_, s, err := a.workspaceSchema(dir, name)
	if err != nil {
		return nil, err
	}
	return s.Schema, nil
}

func (a *app) schemaFile(path string) (*schema.Schema, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, failf(exitLoad, "the file %s cannot be read: %s", path, plainError(err))
	}
	if strings.HasSuffix(path, ".json") {
		var list diag.List
		if s := schema.Build(schema.Source{Name: path, JSON: raw, File: path}, &list); s != nil {
			return s, nil
		}
		return nil, failf(exitLoad, "%s: %s", path, list[0].Message)
	}
	file, list := parser.Parse(path, raw)
	if file.Root != nil {
		if published := file.Root.Get("json_schema"); published != nil {
			return a.schemaFile(filepath.Join(filepath.Dir(path), published.Text))
		}
	}
	s, list2 := buildSchema(nameIn(raw), raw)
	if s == nil {
		list = append(list, list2...)
		a.print(list, filepath.Dir(path), "text")
		return nil, failf(exitLoad, "%s is not a schema that can be read", path)
	}
	return s, nil
}

func nameIn(raw []byte) string {
	file, _ := parser.Parse("schema", raw)
	if n := file.Root.Get("schema"); n != nil {
		return n.Text
	}
	return ""
}

// workspaceSchema loads a workspace and finds one of its schemas.
func (a *app) workspaceSchema(dir, name string) (*dsl.Workspace, *compile.Schema, error) {
	ws, _, err := load(dir, "")
	if err != nil {
		return nil, nil, failf(exitLoad, "%s", err)
	}
	for _, n := range []string{name, "std/" + name} {
		if s := ws.Schemas[n]; s != nil && s.Schema != nil {
			return ws, s, nil
		}
	}
	return nil, nil, failf(exitUsage, "there is no schema `%s`%s", name, suggestionOrAll(name, ws.Schemas))
}

func (a *app) schemaExportCommand() *cobra.Command {
	var dir, out string
	var force bool
	cmd := &cobra.Command{
		Use: "export NAME", Args: cobra.ExactArgs(1),
		Short:   "Print a schema as JSON Schema (2020-12) for partners and other tools",
		Example: "  crossdock schema export canonical/order_released@1 --out order_released.json",
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.schemaNamed(dir, args[0])
			if err != nil {
				return err
			}
			if out == "" || out == "-" {
				return a.printJSON(s.Document())
			}
			raw, err := json.MarshalIndent(s.Document(), "", "  ")
			if err != nil {
				return failf(exitLoad, "%s", err)
			}
			return writeNew(out, append(raw, '\n'), force)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&out, "out", "", "file to write; printed unless given")
	cmd.Flags().BoolVar(&force, "force", false, "write over a file that exists")
	return cmd
}
