package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"crossdock/dsl/diag"
	"crossdock/dsl/format"
	"crossdock/dsl/spec"
)

type fmtFlags struct {
	check, diff bool
	stdinName   string
}

func (a *app) fmtCommand() *cobra.Command {
	var f fmtFlags
	cmd := &cobra.Command{
		Use: "fmt [PATH...]", GroupID: "write",
		Short: "Bring definition files into their canonical layout; comments stay",
		Long: `Bring definition files into their canonical layout: two blanks per level, keys in
the order of the reference, values of a table below each other. Comments, quotes,
texts and the order of rows stay. What a file means never changes: where that
cannot be proved the file is left as it is, and told.

With - in place of a path the definition is read from standard input and written to
standard output, for editors.`,
		Example: "  crossdock fmt\n  crossdock fmt --check mappings/\n  crossdock fmt --diff\n  crossdock fmt - < orders.mapping.yaml",
		RunE:    func(_ *cobra.Command, args []string) error { return a.fmt(args, f) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; exit with 1 where a file would change")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "change nothing; show what would change, and exit with 1 where something would")
	cmd.Flags().StringVar(&f.stdinName, "name", "standard input", "with -: name of the file, for messages")
	return cmd
}

func (a *app) fmt(paths []string, f fmtFlags) error {
	if slices.Contains(paths, "-") {
		if len(paths) > 1 {
			return errors.New("- stands for standard input and takes no other path beside it")
		}
		return a.fmtStdin(f)
	}
	if len(paths) == 0 {
		paths = []string{"."}
	}
	changed, bad := 0, false
	for _, root := range paths {
		if _, err := os.Stat(root); err != nil {
			return failf(exitLoad, "there is no %s", root)
		}
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() {
				if p != root && strings.HasPrefix(d.Name(), ".") {
					return fs.SkipDir
				}
				return nil
			}
			if _, ours := spec.KindOfFile(filepath.ToSlash(p)); !ours {
				if p == root {
					fmt.Fprintf(a.Stderr, "crossdock: %s is no definition: their names end in .pipeline.yaml, .mapping.yaml and so on\n", p)
				}
				return nil
			}
			did, err := a.fmtFile(p, f, &bad)
			if did {
				changed++
			}
			return err
		})
		if err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	if bad || (f.check || f.diff) && changed > 0 {
		return &exit{code: exitFindings}
	}
	return nil
}

// fmtFile formats one file and reports whether it changed, or would.
func (a *app) fmtFile(path string, f fmtFlags, bad *bool) (bool, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	out, ok := a.layout(path, src)
	if !ok {
		*bad = true
		return false, nil
	}
	if string(out) == string(src) {
		return false, nil
	}
	if f.diff {
		_, err := a.Stdout.Write(diff.Diff(path, src, path+" (canonical)", out))
		return true, err
	}
	fmt.Fprintln(a.Stdout, path)
	if f.check {
		return true, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return true, err
	}
	return true, os.WriteFile(path, out, info.Mode().Perm())
}

// layout formats a definition and says what is wrong with it, or why it, or some
// of it, was left as it is. It reports false where it cannot be read.
func (a *app) layout(path string, src []byte) ([]byte, bool) {
	out, kept, list := format.Layout(src)
	if list.HasErrors() {
		for i := range list {
			list[i].Span.File = path
		}
		_ = diag.Print(a.Stderr, list, diag.Options{Format: "text", Color: a.terminal(a.Stderr), Sources: func(string) []byte { return src }})
		return src, false
	}
	if kept != "" {
		fmt.Fprintf(a.Stderr, "crossdock: %s: %s\n", path, kept)
	}
	return out, true
}

// fmtStdin formats what an editor gives.
func (a *app) fmtStdin(f fmtFlags) error {
	src, err := io.ReadAll(a.Stdin)
	if err != nil {
		return failf(exitLoad, "read standard input: %s", err)
	}
	out, ok := a.layout(f.stdinName, src)
	if !ok {
		return &exit{code: exitFindings}
	}
	changed := string(out) != string(src)
	switch {
	case f.diff && changed:
		_, err = a.Stdout.Write(diff.Diff(f.stdinName, src, f.stdinName+" (canonical)", out))
	case f.diff || f.check:
	default:
		_, err = a.Stdout.Write(out)
	}
	if err == nil && changed && (f.check || f.diff) {
		return &exit{code: exitFindings}
	}
	return err
}
