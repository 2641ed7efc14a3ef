package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"crossdock/dsl/sandbox/child"
	"crossdock/pipelines"
)

// The exit codes of every command.
const (
	exitOK       = 0
	exitFindings = 1 // findings, failed tests, refused changes
	exitUsage    = 2
	exitLoad     = 3 // cannot load or start
)

// exit is an error that knows its exit code. An empty message was already
// shown.
type exit struct {
	code    int
	message string
}

func (e *exit) Error() string { return e.message }

func failf(code int, format string, args ...any) error {
	return &exit{code, fmt.Sprintf(format, args...)}
}

// app is the command line: everything it touches of the process.
type app struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// main runs one command line and returns its exit code.
func (a *app) main(ctx context.Context, args []string) int {
	if len(args) == 1 && args[0] == child.Word {
		return child.Main()
	}
	root := a.root()
	args = keepPaths(args)
	root.SetArgs(args)
	root.SetIn(a.Stdin)
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	cmd, err := unknownCommand(root, args)
	if err == nil {
		cmd, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		return exitOK
	}
	var e *exit
	if !errors.As(err, &e) {
		fmt.Fprint(a.Stderr, wrongUsage(cmd, err))
		return exitUsage
	}
	if e.message != "" {
		fmt.Fprintln(a.Stderr, "crossdock:", e.message)
	}
	return e.code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "crossdock",
		Short:         "Pipelines between ERP, TMS, WMS, carriers and last mile, written as YAML",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: a.environment,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddGroup(
		&cobra.Group{ID: "write", Title: "Write definitions:"},
		&cobra.Group{ID: "run", Title: "Run them:"},
		&cobra.Group{ID: "operate", Title: "Operate what runs:"},
	)
	root.AddCommand(
		a.initCommand(), a.lintCommand(), a.fmtCommand(), a.testCommand(), a.planCommand(), a.tryCommand(), a.evalCommand(), a.explainCommand(), a.docsCommand(),
		a.lineageCommand(),
		a.renderCommand(), a.diffCommand(), a.rebaseCommand(),
		a.editorCommand(), a.lspCommand(),
		a.runCommand(), a.mockCommand(), a.demoCommand(),
		a.statusCommand(), a.queuesCommand(), a.topCommand(), a.traceCommand(), a.dlqCommand(), a.reloadCommand(),
		a.publishCommand(), a.approveCommand(), a.applyCommand(), a.historyCommand(), a.rollbackCommand(), a.tokenCommand(), a.auditCommand(), a.doctorCommand(), a.versionCommand(),
		a.switchCommand("pause", "Stop the work on a pipeline; its messages wait"),
		a.maintenanceCommand(),
		a.switchCommand("resume", "Go on with a paused pipeline"),
	)
	root.AddCommand(a.newCommand(), a.schemaCommand(), a.importCommand())
	sayArguments(root)
	return root
}

// environment gives every flag that was not set the value of its CROSSDOCK_
// variable.
func (a *app) environment(cmd *cobra.Command, _ []string) error {
	var bad error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			return
		}
		name := "CROSSDOCK_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := a.Getenv(name); v != "" {
			if err := cmd.Flags().Set(f.Name, v); err != nil && bad == nil {
				bad = fmt.Errorf("%s: %w", name, err)
			}
		}
	})
	return bad
}

// std is the library that comes with crossdock.
func std() fs.FS { return pipelines.Library() }

// dir returns the workspace that the arguments name, "." where they name none.
func dir(args []string) string {
	if len(args) > 0 {
		return args[0]
	}
	return "."
}

// terminal reports whether w is a terminal that wants colour.
func (a *app) terminal(w io.Writer) bool {
	if a.Getenv("NO_COLOR") != "" || a.Getenv("TERM") == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
