package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
	"crossdock/runtime"
	"crossdock/runtime/catalog"
)

// lintFlags are what a person asks of lint.
type lintFlags struct {
	format, failOn, env     string
	baseline, writeBaseline string
	fix, watch, json        bool
}

func (a *app) lintCommand() *cobra.Command {
	var f lintFlags
	cmd := &cobra.Command{
		Use: "lint [DIR]", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Check every definition and report all findings at once",
		Example: `  crossdock lint
  crossdock lint --watch
  crossdock lint --fix
  crossdock lint --fail-on warning
  crossdock lint --format sarif > findings.sarif
  crossdock lint --write-baseline lint-baseline.json
  crossdock lint --baseline lint-baseline.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.json {
				f.format = string(diag.JSONFormat)
			}
			if err := f.check(); err != nil {
				return err
			}
			if f.watch {
				return a.lintWatch(cmd.Context(), dir(args), f)
			}
			return a.lint(dir(args), f)
		},
	}
	cmd.Flags().StringVar(&f.format, "format", "text", "text, json, sarif, github, gitlab or junit")
	cmd.Flags().BoolVar(&f.json, "json", false, "the same as --format json")
	cmd.Flags().StringVar(&f.failOn, "fail-on", "error", "error, warning or never: what makes the exit code 1")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&f.fix, "fix", false, "make the changes that findings offer, then report what is left")
	cmd.Flags().StringVar(&f.baseline, "baseline", "", "file with the findings that are known and left for later")
	cmd.Flags().StringVar(&f.writeBaseline, "write-baseline", "", "write all findings of now to this file, as known")
	cmd.Flags().BoolVar(&f.watch, "watch", false, "check again whenever a file changes")
	return cmd
}

// check refuses flags that do not go together.
func (f lintFlags) check() error {
	switch {
	case !slices.Contains(diag.Formats(), f.format):
		formats := diag.Formats()
		last := len(formats) - 1
		return fmt.Errorf("there is no format `%s`: use %s or %s", f.format, strings.Join(formats[:last], ", "), formats[last])
	case f.failOn != "error" && f.failOn != "warning" && f.failOn != "never":
		return fmt.Errorf("--fail-on takes error, warning or never, not `%s`", f.failOn)
	case f.baseline != "" && f.writeBaseline != "":
		return fmt.Errorf("--write-baseline writes all findings, so --baseline has no part in it: give one of them")
	case f.watch && (f.fix || f.writeBaseline != "" || f.format != string(diag.TextFormat)):
		return fmt.Errorf("--watch shows text and changes no file: leave out --fix, --write-baseline and --format")
	}
	return nil
}

func (a *app) lint(dir string, f lintFlags) error {
	stop := a.patience(dir)
	ws, list, err := load(dir, f.env)
	stop()
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if err := isWorkspace(ws, dir); err != nil {
		return err
	}
	if f.fix {
		if list, err = a.fix(dir, f.env); err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	if f.writeBaseline != "" {
		return a.writeBaseline(list, dir, f.writeBaseline)
	}
	if list, err = withBaseline(list, dir, f.baseline); err != nil {
		return err
	}
	a.print(list, dir, f.format)
	if len(list) == 0 && f.format == string(diag.TextFormat) {
		fmt.Fprintln(a.Stdout, diag.Summary(nil, ownFiles(ws)))
	}
	return f.verdict(list)
}

// verdict is the exit code that findings make.
func (f lintFlags) verdict(list diag.List) error {
	errors, warnings := list.Count()
	if f.failOn != "never" && errors > 0 || f.failOn == "warning" && warnings > 0 {
		return &exit{code: exitFindings}
	}
	return nil
}

// long is how long a check may take before somebody asks whether it hangs.
const long = 2 * time.Second

// patience says on a terminal what takes so long, where it does, until stop is
// called.
func (a *app) patience(dir string) (stop func()) {
	if !a.terminal(a.Stderr) {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-ctx.Done():
		case <-time.After(long):
			fmt.Fprintf(a.Stderr, "checking %s ...", dir)
			<-ctx.Done()
			fmt.Fprint(a.Stderr, "\r\x1b[K")
		}
	}()
	return func() { cancel(); <-ended }
}

// isWorkspace refuses a folder in which there is nothing to check: a green answer
// about it would be about nothing.
func isWorkspace(ws *dsl.Workspace, dir string) error {
	if ownFiles(ws) > 0 {
		return nil
	}
	where := dir
	if where == "." {
		where = "this folder"
	}
	return failf(exitUsage, "there are no definitions in %s or below it: name the folder of the workspace, or make one with `crossdock init`", where)
}

// ownFiles counts the definitions of a workspace that do not ship with crossdock.
func ownFiles(ws *dsl.Workspace) int {
	n := 0
	for path := range ws.Files {
		if !strings.HasPrefix(path, "std/") {
			n++
		}
	}
	return n
}

// load reads and checks the workspace in dir.
func load(dir, env string) (*dsl.Workspace, diag.List, error) { return loadAgain(dir, env, nil) }

// loadAgain reads and checks the workspace in dir; what did not change since
// the last time with the same cache is not checked again.
func loadAgain(dir, env string, cache *dsl.Cache) (*dsl.Workspace, diag.List, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, failf(exitLoad, "there is no folder %s", dir)
	}
	return dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New(), Environment: env, Std: std(), AnyEnvironment: true, Cache: cache})
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
	if format == string(diag.TextFormat) && len(list) == 0 {
		return
	}
	if format == string(diag.TextFormat) {
		list = lint.Group(list)
	}
	_ = diag.Print(a.Stdout, list, diag.Options{Format: diag.Format(format), Color: a.terminal(a.Stdout), Sources: sources, Rules: lint.About,
		Version: runtime.Version, Prefix: below(dir)})
}

// below returns where dir is below the folder that the command runs in, which
// CI starts in the root of the repository; "" where it is elsewhere.
func below(dir string) string {
	here, err := os.Getwd()
	if err != nil {
		return ""
	}
	whole, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(here, whole)
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}
