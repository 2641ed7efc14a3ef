package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"crossdock/editor/jsonschema"
	"crossdock/runtime/catalog"
)

func (a *app) editorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "editor", GroupID: "write", Short: "Make editors know the language: schemas and settings",
		Example: "  crossdock editor setup\n  crossdock editor schemas --out schemas",
	}
	cmd.AddCommand(a.editorSetupCommand(), a.editorSchemasCommand())
	return cmd
}

func (a *app) editorSchemasCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "schemas --out DIR", Args: cobra.NoArgs,
		Short:   "Write the JSON Schemas of all kinds of files, for any workspace",
		Example: "  crossdock editor schemas --out schemas",
		RunE: func(*cobra.Command, []string) error {
			files, err := jsonschema.Files(jsonschema.Options{Catalog: catalog.New()})
			if err != nil {
				return failf(exitLoad, "%s", err)
			}
			_, err = a.writeSchemas(out, files)
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder to write them to")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// writeSchemas writes the files that are not there as they should be, and
// returns how many those were.
func (a *app) writeSchemas(dir string, files []jsonschema.File) (int, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, failf(exitLoad, "the folder %s cannot be made", dir)
	}
	changed := 0
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, f.Content) {
			continue
		}
		if err := os.WriteFile(path, f.Content, 0o644); err != nil {
			return changed, failf(exitLoad, "the file %s cannot be written", path)
		}
		changed++
		fmt.Fprintln(a.Stdout, path)
	}
	return changed, nil
}
