package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
	"crossdock/runtime"
)

func (a *app) lintCommand() *cobra.Command {
	var format, failOn, env string
	var fix bool
	cmd := &cobra.Command{
		Use: "lint [DIR]", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Check every definition and report all findings at once",
		Example: `  crossdock lint
  crossdock lint --format sarif > findings.sarif
  crossdock lint --fail-on warning
  crossdock lint --fix`,
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains([]string{"text", "json", "sarif", "github"}, format) {
				return fmt.Errorf("there is no format `%s`: use text, json, sarif or github", format)
			}
			if failOn != "error" && failOn != "warning" {
				return fmt.Errorf("--fail-on takes error or warning, not `%s`", failOn)
			}
			_, list, err := load(dir(args), env)
			if err == nil && fix {
				list, err = a.fix(dir(args), env)
			}
			if err != nil {
				return failf(exitLoad, "%s", err)
			}
			a.print(list, dir(args), format)
			errors, warnings := list.Count()
			if errors > 0 || failOn == "warning" && warnings > 0 {
				return &exit{code: exitFindings}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json, sarif or github")
	cmd.Flags().StringVar(&failOn, "fail-on", "error", "error or warning: what makes the exit code 1")
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&fix, "fix", false, "make the changes that findings offer, then report what is left")
	return cmd
}

// load reads and checks the workspace in dir.
func load(dir, env string) (*dsl.Workspace, diag.List, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, failf(exitLoad, "there is no folder %s", dir)
	}
	return dsl.Load(os.DirFS(dir), dsl.Options{Catalog: runtime.NewCatalog(), Environment: env, Std: std(), AnyEnvironment: true})
}

// print shows findings with the paths a person can click on.
func (a *app) print(list diag.List, dir, format string) {
	sources := func(path string) []byte {
		raw, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return nil
		}
		return raw
	}
	if strings.HasPrefix(format, "t") && len(list) == 0 {
		return
	}
	_ = diag.Print(a.Stdout, list, diag.Options{Format: diag.Format(format), Color: a.terminal(a.Stdout), Sources: sources, Rules: lint.About})
}
