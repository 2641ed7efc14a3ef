package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/runtime/testrun"
)

// testFlags are the flags of `test`.
type testFlags struct {
	dir, format, env, only                    string
	changed, mutate, accept, full, yes, cover bool
	least                                     float64
	timeout                                   time.Duration
}

func (a *app) testCommand() *cobra.Command {
	var f testFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "test [DIR]", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Run the cases of all *.test.yaml files",
		Long: `Run the cases of all *.test.yaml files of the workspace in DIR.

Pipelines run on a queue in memory with stand-ins for every connection; nothing
leaves the process, and waiting for a retry takes no time.

With --coverage rows, defaults, conditions, rules and codes of lookups are listed
that no test reaches.

With --mutate the tests are tested: one small change after the other is planted
into rows, rules, lookups, defaults and retries, and those that no test notices
are listed.

With --accept the difference between what comes out and what is expected is shown
case by case, and written into the test files where you agree; comments and order
stay. --full expects every field that comes out, not only those named already.

` + "`test record`" + ` makes a test of a message that came.`,
		Example: `  crossdock test
  crossdock test --changed
  crossdock test --format junit > report.xml
  crossdock test --accept
  crossdock test --mutate --min 80`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.dir = dir(args)
			if asJSON {
				f.format = "json"
			}
			switch {
			case f.mutate && f.accept:
				return fmt.Errorf("use one of --mutate and --accept")
			case f.cover && (f.mutate || f.accept):
				return fmt.Errorf("use --coverage by itself")
			case f.cover:
				return a.coverage(cmd.Context(), f)
			case f.mutate:
				return a.mutate(cmd.Context(), f)
			case f.accept:
				return a.accept(cmd.Context(), f)
			}
			return a.test(cmd.Context(), f.dir, f.env, f.format, f.changed)
		},
	}
	cmd.AddCommand(a.testRecordCommand())
	cmd.Flags().StringVar(&f.format, "format", "text", "text, json or junit")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&f.changed, "changed", false, "only tests whose definitions differ from the last commit of git")
	cmd.Flags().BoolVar(&f.cover, "coverage", false, "list rows, defaults, conditions, rules and codes that no test reaches")
	cmd.Flags().BoolVar(&f.accept, "accept", false, "show what comes out instead, ask, and write it into the test files")
	cmd.Flags().BoolVar(&f.full, "full", false, "--accept: expect every field that comes out")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "--accept: write without asking")
	cmd.Flags().BoolVar(&f.mutate, "mutate", false, "plant changes into the definitions and list those that no test notices")
	cmd.Flags().StringVar(&f.only, "only", "", "--mutate: only definitions whose kind and name hold this, such as \"mapping orders\"")
	cmd.Flags().Float64Var(&f.least, "min", 0, "--mutate, --coverage: end with 1 where the score is less than this percentage")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 10*time.Minute, "--mutate: end after this time and tell how many changes were not tried")
	return cmd
}

func (a *app) test(ctx context.Context, dir, env, format string, changed bool) error {
	report, ok := map[string]func(io.Writer, []testrun.Result) error{"text": nil, "json": testJSON, "junit": testJUnit}[format]
	if !ok {
		return fmt.Errorf("there is no format `%s`: use text, json or junit", format)
	}
	ws, list, err := load(dir, env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if err := isWorkspace(ws, dir); err != nil {
		return err
	}
	if list.HasErrors() {
		a.print(list, dir, "text")
		return failf(exitLoad, "the definitions have errors, so their tests cannot run")
	}
	var keep func(*compile.Test) bool
	if changed {
		if keep, err = changedTests(dir, ws); err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	began := time.Now()
	var results []testrun.Result
	runner := &testrun.Runner{WS: ws, FS: os.DirFS(dir), Std: std()}
	runner.All(ctx, keep, func(r testrun.Result) {
		results = append(results, r)
		if report == nil && !r.Passed() {
			a.failed(r)
		}
	})
	if report != nil {
		if err := report(a.Stdout, results); err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	bad := 0
	for _, r := range results {
		if !r.Passed() {
			bad++
		}
	}
	if report == nil {
		fmt.Fprintf(a.Stdout, "%d passed, %d failed (%s)\n", len(results)-bad, bad, time.Since(began).Round(time.Millisecond))
	}
	if bad > 0 {
		return &exit{code: exitFindings}
	}
	return nil
}

func (a *app) failed(r testrun.Result) {
	fmt.Fprintf(a.Stdout, "FAIL %s: %s\n     %s\n", r.Of, r.Case, r.Span)
	for _, f := range r.Failures {
		fmt.Fprintf(a.Stdout, "       %s\n", f)
	}
}

func testJSON(w io.Writer, results []testrun.Result) error {
	enc := json.NewEncoder(w)
	for _, r := range results {
		err := enc.Encode(map[string]any{"of": r.Of, "case": r.Case, "file": r.Span.File, "line": r.Span.Start.Line,
			"passed": r.Passed(), "failures": r.Failures, "seconds": r.Took.Seconds()})
		if err != nil {
			return err
		}
	}
	return nil
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func testJUnit(w io.Writer, results []testrun.Result) error {
	var out junitSuites
	for _, r := range results {
		if n := len(out.Suites); n == 0 || out.Suites[n-1].Name != r.Of {
			out.Suites = append(out.Suites, junitSuite{Name: r.Of})
		}
		s := &out.Suites[len(out.Suites)-1]
		c := junitCase{Name: r.Case, Class: r.Of, File: r.Span.File, Time: fmt.Sprintf("%.3f", r.Took.Seconds())}
		s.Tests++
		if !r.Passed() {
			s.Failures++
			c.Failure = &junitFailure{Message: r.Failures[0], Text: r.Span.String() + "\n" + strings.Join(r.Failures, "\n")}
		}
		s.Cases = append(s.Cases, c)
	}
	fmt.Fprint(w, xml.Header)
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// changedTests keeps the tests whose own file, or whose mapping or pipeline,
// differs from the last commit.
func changedTests(dir string, ws *dsl.Workspace) (func(*compile.Test) bool, error) {
	cmd := exec.Command("git", "-C", dir, "status", "--porcelain", "--untracked-files=all", "--", ".")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("--changed needs a git checkout")
	}
	prefix, err := exec.Command("git", "-C", dir, "rev-parse", "--show-prefix").Output()
	if err != nil {
		return nil, fmt.Errorf("--changed needs a git checkout")
	}
	files := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if len(line) > 3 {
			name := strings.TrimSpace(line[3:])
			if _, to, renamed := strings.Cut(name, " -> "); renamed {
				name = to
			}
			files[strings.TrimPrefix(strings.Trim(name, `"`), strings.TrimSpace(string(prefix)))] = true
		}
	}
	touched := ws.Touched(files)
	return func(t *compile.Test) bool { return touched[t.File.Path] }, nil
}
