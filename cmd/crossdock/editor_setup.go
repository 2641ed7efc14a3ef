package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/editor"
	"crossdock/editor/jsonschema"
	"crossdock/runtime"
	"crossdock/runtime/catalog"
)

// schemaDir is where the schemas of a workspace are kept.
const schemaDir = runtime.StateDir + "/schemas"

func (a *app) editorSetupCommand() *cobra.Command {
	var env string
	var noSettings bool
	cmd := &cobra.Command{
		Use: "setup [DIR]", Args: cobra.MaximumNArgs(1),
		Short: "Write JSON Schemas that know this workspace, and tell editors of them",
		Long: `Write a JSON Schema for each kind of file to ` + schemaDir + `. They know the names
of this workspace: connections, operations, mappings, lookups, schemas, events,
policies, verifications, and the target fields of every output schema. Any editor
with yaml-language-server then completes and checks them.

The settings of VS Code are merged into .vscode/settings.json; what stands there
stays. For other editors the lines to copy are printed. ` + "`crossdock run`" + ` keeps the
schemas up to date once they are there.`,
		Example: "  crossdock editor setup\n  crossdock editor setup --no-settings orders/",
		RunE:    func(_ *cobra.Command, args []string) error { return a.editorSetup(dir(args), env, !noSettings) },
	}
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&noSettings, "no-settings", false, "write the schemas alone")
	return cmd
}

func (a *app) editorSetup(dir, env string, settings bool) error {
	ws, _, err := load(dir, env) // with errors too: the names are what counts
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	files, err := a.refreshSchemas(dir, ws)
	if err != nil || !settings {
		return err
	}
	if err := a.codeSettings(dir, files); err != nil {
		return err
	}
	a.otherEditors(files)
	return nil
}

// refreshSchemas writes the schemas of a workspace.
func (a *app) refreshSchemas(dir string, ws *dsl.Workspace) ([]jsonschema.File, error) {
	files, err := jsonschema.Files(jsonschema.Options{Catalog: catalog.New(), Workspace: ws})
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	changed, err := a.writeSchemas(filepath.Join(dir, filepath.FromSlash(schemaDir)), files)
	if err == nil && changed == 0 {
		fmt.Fprintln(a.Stdout, "the schemas are up to date")
	}
	return files, err
}

// keepSchemas writes the schemas of a workspace anew where somebody set them up.
func keepSchemas(dir, env string, log *slog.Logger) {
	if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(schemaDir))); err != nil {
		return
	}
	quiet := &app{Stdout: io.Discard}
	ws, _, err := load(dir, env)
	if err == nil {
		_, err = quiet.refreshSchemas(dir, ws)
	}
	if err != nil {
		log.Warn("the schemas for editors could not be written", "error", err)
	}
}

// codeSettings tells VS Code which schema belongs to which files.
func (a *app) codeSettings(dir string, files []jsonschema.File) error {
	file := filepath.Join(dir, ".vscode", "settings.json")
	have, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return failf(exitLoad, "the file %s cannot be read", file)
	}
	members, order := map[string]any{}, []string{}
	for _, f := range files {
		name := path.Join(schemaDir, f.Name)
		members[name] = []string{f.Glob}
		order = append(order, name)
	}
	text, err := editor.Settings(string(have), "yaml.schemas", members, order)
	if err != nil {
		return failf(exitLoad, "%s: %s; nothing was changed there", file, err)
	}
	if text == string(have) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return failf(exitLoad, "the folder %s cannot be made", filepath.Dir(file))
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return failf(exitLoad, "the file %s cannot be written", file)
	}
	fmt.Fprintln(a.Stdout, file)
	return nil
}

// otherEditors prints what people with other editors copy.
func (a *app) otherEditors(files []jsonschema.File) {
	var lines []string
	for _, f := range files {
		lines = append(lines, fmt.Sprintf("      %q: %q,", path.Join(schemaDir, f.Name), f.Glob))
	}
	fmt.Fprintf(a.Stdout, `
VS Code is set up (extension redhat.vscode-yaml). For other editors, give
yaml-language-server these settings, or begin a file with
  # yaml-language-server: $schema=%s/mapping.json

  {"yaml": {"schemas": {
%s
  }}}

More than schemas can say, inside jq and expr too, comes from: crossdock lsp
(docs/editors.md)
`, schemaDir, strings.TrimSuffix(strings.Join(lines, "\n"), ","))
}
