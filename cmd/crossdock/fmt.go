package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl/diag"
	"crossdock/dsl/format"
	"crossdock/dsl/spec"
)

func (a *app) fmtCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "fmt [PATH...]", GroupID: "write",
		Short:   "Bring definition files into their canonical layout; comments stay",
		Example: "  crossdock fmt\n  crossdock fmt --check mappings/",
		RunE:    func(_ *cobra.Command, args []string) error { return a.fmt(args, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing; exit with 1 where a file would change")
	return cmd
}

func (a *app) fmt(paths []string, check bool) error {
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
				return nil
			}
			did, err := a.fmtFile(p, check, &bad)
			if did {
				changed++
			}
			return err
		})
		if err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	if bad || check && changed > 0 {
		return &exit{code: exitFindings}
	}
	return nil
}

// fmtFile formats one file and reports whether it changed, or would.
func (a *app) fmtFile(path string, check bool, bad *bool) (bool, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	out, list := format.Format(src)
	if list.HasErrors() {
		*bad = true
		for i := range list {
			list[i].Span.File = path
		}
		return false, diag.Print(a.Stdout, list, diag.Options{Format: "text", Color: a.terminal(a.Stdout), Sources: func(string) []byte { return src }})
	}
	if string(out) == string(src) {
		return false, nil
	}
	fmt.Fprintln(a.Stdout, path)
	if check {
		return true, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return true, err
	}
	return true, os.WriteFile(path, out, info.Mode().Perm())
}
