package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/runtime/testrun"
)

// acceptRounds bounds how often a file is written: changes that touch each other
// go in one after the other.
const acceptRounds = 10

// accept shows how the results of cases differ from what is expected, and writes
// what comes out into the test files, where a person agrees.
func (a *app) accept(ctx context.Context, f testFlags) error {
	answers := bufio.NewReader(a.Stdin)
	refused := map[string]bool{} // cases that were answered with no
	total, open := 0, 0
	for round := range acceptRounds {
		runner, err := a.testRunner(f)
		if err != nil {
			return err
		}
		files := map[string]diag.List{}
		open = 0
		for _, t := range runner.WS.Tests {
			for i := range t.Spec.Cases {
				n, err := a.acceptCase(ctx, runner, t, &t.Spec.Cases[i], f, answers, refused, files, round)
				if err != nil {
					return err
				}
				open += n
			}
		}
		if len(files) == 0 {
			break
		}
		n, err := writeTests(f.dir, files)
		if err != nil {
			return failf(exitLoad, "%s", err)
		}
		total += n
	}
	fmt.Fprintf(a.Stdout, "%s written\n", plural(total, "expectation", "expectations"))
	if open > 0 {
		return failf(exitFindings, "%s still fail", plural(open, "case", "cases"))
	}
	return nil
}

// acceptCase notes the changes of one case; it returns 1 where the case goes on
// failing.
func (a *app) acceptCase(ctx context.Context, r *testrun.Runner, t *compile.Test, c *spec.Case, f testFlags, answers *bufio.Reader, refused map[string]bool, files map[string]diag.List, round int) (int, error) {
	name := c.Name.Span().File + "\x00" + c.Name.Value
	res := r.Case(ctx, t, c)
	if res.Passed() && !f.full && (t.Mapping == nil || !testrun.ExpectsNothing(c)) {
		return 0, nil
	}
	failing := 0
	if !res.Passed() {
		failing = 1
	}
	if refused[name] {
		return failing, nil
	}
	acc := r.Accept(ctx, t, c, f.full)
	if len(acc.Changes) == 0 {
		if failing > 0 {
			fmt.Fprintf(a.Stdout, "%s %s: %s\n", c.Name.Span(), t.Spec.Of.Value, c.Name.Value)
			for _, why := range acc.Reasons {
				fmt.Fprintf(a.Stdout, "  cannot be accepted: %s\n", why)
			}
			refused[name] = true
		}
		return failing, nil
	}
	if round == 0 || !f.yes {
		fmt.Fprintf(a.Stdout, "%s %s: %s\n", c.Name.Span(), t.Spec.Of.Value, c.Name.Value)
		for _, ch := range acc.Changes {
			if ch.Was != "" {
				fmt.Fprintf(a.Stdout, "  - %s: %s\n", ch.Path, short(ch.Was, 80))
			}
			if ch.Is != "" {
				fmt.Fprintf(a.Stdout, "  + %s: %s\n", ch.Path, short(ch.Is, 80))
			}
		}
	}
	if !f.yes && round == 0 {
		fmt.Fprint(a.Stdout, "Is that what should come out? [y/N] ")
		line, err := answers.ReadString('\n')
		if err != nil && err != io.EOF {
			return 0, failf(exitLoad, "%s", err)
		}
		if answer := strings.ToLower(strings.TrimSpace(line)); answer != "y" && answer != "yes" {
			fmt.Fprintln(a.Stdout)
			refused[name] = true
			return failing, nil
		}
	}
	for _, ch := range acc.Changes {
		if ch.Edit.Span.File != "" {
			files[ch.Edit.Span.File] = append(files[ch.Edit.Span.File], diag.Diagnostic{Fixes: []diag.Fix{{Edits: []diag.Edit{ch.Edit}}}})
		}
	}
	return 0, nil
}

// writeTests applies changes to files of the workspace.
func writeTests(dir string, files map[string]diag.List) (int, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("open the workspace: %w", err)
	}
	defer root.Close()
	total := 0
	for _, path := range sorted(files) {
		src, err := root.ReadFile(path)
		if err != nil {
			return total, fmt.Errorf("read %s: %w", path, err)
		}
		text, n := diag.ApplyFixes(path, src, files[path])
		if err := rewrite(root, path, text); err != nil {
			return total, fmt.Errorf("write %s: %w", path, err)
		}
		total += n
	}
	return total, nil
}
