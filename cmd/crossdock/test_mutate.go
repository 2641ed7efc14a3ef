package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"crossdock/dsl/diag"
	"crossdock/runtime/mutation"
	"crossdock/runtime/testrun"
)

// mutate plants changes into the definitions and shows which of them no test
// notices.
func (a *app) mutate(ctx context.Context, f testFlags) error {
	if f.format == "junit" {
		return fmt.Errorf("--mutate prints text or json")
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	began := time.Now()
	o := mutation.Options{Load: func() (*testrun.Runner, error) { return a.testRunner(f) }}
	if f.only != "" {
		o.Keep = func(m *mutation.Mutant) bool { return strings.Contains(m.Kind+" "+m.Name, f.only) }
	}
	if a.terminal(a.Stderr) {
		o.Progress = func(done, all int, _ *mutation.Result) {
			fmt.Fprintf(a.Stderr, "\r%d of %d changes tried", done, all)
			if done == all {
				fmt.Fprint(a.Stderr, "\r\x1b[K")
			}
		}
	}
	r, err := mutation.Run(ctx, o)
	if err != nil {
		return err
	}
	if len(r.Failing) > 0 {
		for _, name := range r.Failing {
			fmt.Fprintln(a.Stdout, "FAIL", name)
		}
		return failf(exitFindings, "the tests fail as they are; mend them first")
	}
	if f.format == "json" {
		if err := a.printJSON(mutationJSON(r)); err != nil {
			return err
		}
	} else {
		a.mutationText(r, time.Since(began))
	}
	if score := r.Score(); score < f.least {
		return failf(exitFindings, "the mutation score is %.1f%%, but --min asks for %g%%", score, f.least)
	}
	return nil
}

// testRunner loads the workspace for its tests.
func (a *app) testRunner(f testFlags) (*testrun.Runner, error) {
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, f.dir, "text")
		return nil, failf(exitLoad, "the definitions have errors, so their tests cannot run")
	}
	return &testrun.Runner{WS: ws, FS: os.DirFS(f.dir), Std: std()}, nil
}

func (a *app) mutationText(r *mutation.Report, took time.Duration) {
	definition := ""
	for _, x := range r.Results {
		if x.Fate != mutation.Survived && x.Fate != mutation.Unseen {
			continue
		}
		if of := x.Kind + " " + x.Name; of != definition {
			definition = of
			fmt.Fprintln(a.Stdout, of)
		}
		note := ""
		if x.Fate == mutation.Unseen {
			note = " (no test runs it)"
		}
		fmt.Fprintf(a.Stdout, "  %s  %s: %s%s\n", x.Span, x.Row, x.What, note)
	}
	for _, x := range r.Unread {
		fmt.Fprintf(a.Stdout, "lookup %s\n  %s  no mapping and no pipeline here looks into it, so it was not changed\n", x.Name, x.Span)
	}
	noticed, untried := r.Count(mutation.Noticed), r.Count(mutation.Untried)
	tried := len(r.Results) - untried
	fmt.Fprintf(a.Stdout, "mutation score %.1f%%: tests notice %d of %d changes (%s)\n", r.Score(), noticed, tried, took.Round(100*time.Millisecond))
	if untried > 0 {
		fmt.Fprintf(a.Stdout, "%d more changes were not tried: the time was over, see --timeout\n", untried)
	}
}

func mutationJSON(r *mutation.Report) any {
	type mutant struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
		Row  string `json:"row"`
		What string `json:"what"`
		spanJSON
		Fate string `json:"fate"`
		By   string `json:"by,omitempty"`
	}
	out := struct {
		Score    float64      `json:"score"`
		Noticed  int          `json:"noticed"`
		Survived int          `json:"survived"`
		Unseen   int          `json:"unseen"`
		Untried  int          `json:"untried"`
		Mutants  []mutant     `json:"mutants"`
		Unread   []unreadJSON `json:"unread"`
	}{r.Score(), r.Count(mutation.Noticed), r.Count(mutation.Survived), r.Count(mutation.Unseen), r.Count(mutation.Untried), []mutant{}, []unreadJSON{}}
	for _, x := range r.Unread {
		out.Unread = append(out.Unread, unreadOf(x.Name, x.Span))
	}
	for _, x := range r.Results {
		s := x.Span
		out.Mutants = append(out.Mutants, mutant{x.Kind, x.Name, x.Row, x.What,
			spanJSON{s.File, s.Start.Line, s.Start.Col, s.End.Line, s.End.Col}, string(x.Fate), x.By})
	}
	return out
}

// unreadJSON is a lookup that nothing of the workspace looks into.
type unreadJSON struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	spanJSON
}

func unreadOf(name string, s diag.Span) unreadJSON {
	return unreadJSON{"lookup", name, spanJSON{s.File, s.Start.Line, s.Start.Col, s.End.Line, s.End.Col}}
}
