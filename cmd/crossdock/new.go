package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl/spec"
)

// newCommand groups what writes a first version of a definition.
func (a *app) newCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "new", GroupID: "write",
		Short: "Write the first version of a definition, from samples where there are any",
		Long: `Write the first version of a definition. Nothing that exists is written over
unless --force says so; --out - prints instead of writing.`,
		Example: `  crossdock new mapping bolt-orders --from-sample in.json --to canonical/order_released@1
  crossdock new pipeline bolt-orders --map bolt-orders`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.newMappingCommand(), a.newLookupCommand(), a.newSchemaCommand(), a.newConnectionCommand(), a.newPipelineCommand(), a.newTestCommand(), a.newInstanceCommand())
	return cmd
}

// place says where a new definition goes.
type place struct {
	dir, out string
	force    bool
}

func (p *place) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&p.out, "out", "", "file to write, - to print; by kind and name unless given")
	cmd.Flags().BoolVar(&p.force, "force", false, "write over a file that exists")
}

// folders are where definitions of a kind go; other folders are as good.
var folders = map[string]string{"connection": "connections", "lookup": "lookups", "schema": "schemas", "test": "mappings"}

// definitionName is what a new definition may be called.
var definitionName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)

// checkName refuses names that would make trouble as names of files.
func checkName(kind, name string) error {
	base, version, versioned := strings.Cut(name, "@")
	switch {
	case !definitionName.MatchString(base) || strings.Contains(base, ".."):
		return fmt.Errorf("`%s` cannot be the name of a %s: use letters, digits, - and _, with / between parts", name, kind)
	case kind == "schema" && !versioned:
		return fmt.Errorf("a schema is named with its major version: write %s@1", name)
	case versioned && (kind != "schema" || !regexp.MustCompile(`^[1-9][0-9]{0,5}$`).MatchString(version)):
		return fmt.Errorf("`%s` cannot be the name of a %s", name, kind)
	}
	return nil
}

// path returns the file of a definition, below the workspace.
func (p *place) path(kind, name string) string {
	if p.out != "" {
		return p.out
	}
	folder := folders[kind]
	if folder == "" {
		folder = kind + "s"
	}
	k, _ := spec.KindNamed(kind)
	base, _, _ := strings.Cut(name, "@")
	return filepath.Join(p.dir, filepath.FromSlash(path.Join(folder, base)+k.Suffix))
}

// write puts a new definition where it belongs and says so. It returns the path,
// "" where the text was printed.
func (a *app) write(p place, kind, name, text string) (string, error) {
	return a.writeTelling(p, kind, name, text, a.Stdout)
}

// writeTelling is write, which says to whom the name of the file is told.
func (a *app) writeTelling(p place, kind, name, text string, tell io.Writer) (string, error) {
	if p.out == "-" {
		_, err := fmt.Fprint(a.Stdout, text)
		return "", err
	}
	file := p.path(kind, name)
	if err := writeNew(file, []byte(text), p.force); err != nil {
		return "", err
	}
	fmt.Fprintln(tell, file)
	return file, nil
}

// writeNew writes a file that must not exist yet, with the folders around it.
func writeNew(file string, raw []byte, force bool) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return failf(exitLoad, "the folder %s cannot be made: %s", filepath.Dir(file), plainError(err))
	}
	how := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		how = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(file, how, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return failf(exitFindings, "%s exists; nothing was changed. Use another name, --out FILE or --force", file)
	}
	if err != nil {
		return failf(exitLoad, "%s cannot be written: %s", file, plainError(err))
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err != nil {
		return failf(exitLoad, "%s cannot be written: %s", file, plainError(err))
	}
	return nil
}

// plainError is an error of a file without the name of the call.
func plainError(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}
