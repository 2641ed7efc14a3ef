package main

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

//go:embed all:skeleton
var skeleton embed.FS

func (a *app) initCommand() *cobra.Command {
	return &cobra.Command{
		Use: "init DIR", GroupID: "write", Args: cobra.ExactArgs(1),
		Short:   "Make a new workspace with a first pipeline that works",
		Example: "  crossdock init my-company\n  cd my-company && crossdock test && crossdock run",
		RunE:    func(_ *cobra.Command, args []string) error { return a.init(args[0]) },
	}
}

func (a *app) init(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return failf(exitFindings, "%s is not empty; nothing was changed", dir)
	}
	err := fs.WalkDir(skeleton, "skeleton", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, "skeleton"), "/")
		to := filepath.Join(dir, strings.Replace(rel, "dot-", ".", 1))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		raw, err := skeleton.ReadFile(p)
		if err != nil {
			return err
		}
		fmt.Fprintln(a.Stdout, to)
		return os.WriteFile(to, raw, 0o644)
	})
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	fmt.Fprintf(a.Stdout, "\nNext: cd %s && crossdock test && crossdock run\n", dir)
	return nil
}
