// Package testrun rehearses definitions: it runs `*.test.yaml` cases, and
// whole pipelines on the memory queue with stand-ins for every connection.
// It uses the same intake, flow and worker as `crossdock run`; nothing leaves
// the process.
package testrun

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Result is how one case came out.
type Result struct {
	Of       string // "mapping NAME" or "pipeline NAME"
	Case     string
	Span     diag.Span
	Failures []string // what is not as expected, cause first; none: the case passed
	Took     time.Duration
}

// Passed reports whether the case passed.
func (r *Result) Passed() bool { return len(r.Failures) == 0 }

// Runner runs the cases of a workspace.
type Runner struct {
	WS  *compile.Workspace
	FS  fs.FS // of the workspace
	Std fs.FS // of the shipped library
}

// All runs the tests that keep accepts (nil: all) and hands each result to
// each as soon as it is there.
func (r *Runner) All(ctx context.Context, keep func(*compile.Test) bool, each func(Result)) {
	for _, t := range r.WS.Tests {
		if keep != nil && !keep(t) {
			continue
		}
		for i := range t.Spec.Cases {
			if ctx.Err() != nil {
				return
			}
			began := time.Now()
			res := r.Case(ctx, t, &t.Spec.Cases[i])
			res.Took = time.Since(began)
			each(res)
		}
	}
}

// Case runs one case.
func (r *Runner) Case(ctx context.Context, t *compile.Test, c *spec.Case) Result {
	res := Result{Of: t.Of(), Case: c.Name.Value, Span: c.Name.Span()}
	given, err := r.given(t, c)
	if err != nil {
		res.Failures = []string{err.Error()}
		return res
	}
	now, err := caseTime(t, c)
	if err != nil {
		res.Failures = []string{err.Error()}
		return res
	}
	if t.Mapping != nil {
		res.Failures = r.mapping(ctx, t, c, given, now)
	} else if t.Pipeline != nil {
		res.Failures = r.pipeline(ctx, t, c, given, now)
	}
	if len(res.Failures) > 0 {
		res.Failures = append(res.Failures, r.misspelt(t, c)...)
	}
	return res
}

// caseTime is the time at which a case runs; tests that name none run at a
// fixed one, so that they never depend on the day.
func caseTime(t *compile.Test, c *spec.Case) (time.Time, error) {
	for _, text := range []spec.Text{c.Now, t.Spec.Now} {
		if text.Set() {
			at, err := time.Parse(time.RFC3339, text.Value)
			if err != nil {
				return at, fmt.Errorf("`now: %s` is not a time such as 2026-03-01T08:00:00Z", text.Value)
			}
			return at, nil
		}
	}
	return Now(), nil
}
