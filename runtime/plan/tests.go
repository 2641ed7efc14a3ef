package plan

import (
	"context"
	"fmt"

	"crossdock/dsl/compile"
	"crossdock/dsl/spec"
	"crossdock/runtime/testrun"
)

// Tests is how the tests of the new definitions come out. What fails here is
// refused when it is to go live, so a plan says it before.
type Tests struct {
	Cases   int       `json:"cases"`
	Failing []Failing `json:"failing,omitempty"`
}

// Failing is a case of a test that fails.
type Failing struct {
	Of    string `json:"of"` // mapping NAME or pipeline NAME
	Case  string `json:"case"`
	Place string `json:"place"`          // where the case stands: file:line:column
	Why   string `json:"why"`            // without personal data
	More  int    `json:"more,omitempty"` // other things of the case that are not as expected
}

// String says it in one line.
func (f Failing) String() string {
	if f.More > 0 {
		return fmt.Sprintf("%s: %s: %s, and %d more", f.Of, f.Case, f.Why, f.More)
	}
	return fmt.Sprintf("%s: %s: %s", f.Of, f.Case, f.Why)
}

// tests runs the tests of the new side, if its files are at hand. The error is for
// a context that ended.
func (c *comparison) tests(ctx context.Context) (Tests, error) {
	var out Tests
	side := &c.in.New
	if side.FS == nil {
		return out, nil
	}
	runner := &testrun.Runner{WS: side.WS, FS: side.FS, Std: side.Std}
	for _, t := range side.WS.Tests {
		for i := range t.Spec.Cases {
			if err := ctx.Err(); err != nil {
				return out, fmt.Errorf("run the tests: %w", err)
			}
			one := &t.Spec.Cases[i]
			r := runner.Case(ctx, t, one)
			out.Cases++
			if r.Passed() || ctx.Err() != nil {
				continue
			}
			out.Failing = append(out.Failing, Failing{Of: r.Of, Case: r.Case, Place: r.Span.String(),
				Why: c.veilOf(runner, t, one).text(r.Failures[0]), More: len(r.Failures) - 1})
		}
	}
	return out, nil
}

// veilOf hides what is personal in a case of a test.
func (c *comparison) veilOf(runner *testrun.Runner, t *compile.Test, one *spec.Case) *veil {
	m := Message{Origin: Case}
	payloads := []any{}
	if one.Expect != nil {
		payloads = append(payloads, spec.Plain(one.Expect))
	}
	if given, err := runner.Given(t, one); err == nil { // else there is nothing of it to be told
		payloads = append(payloads, given.Input)
		for _, in := range given.Messages {
			m.In = in
			payloads = append(payloads, in.Body)
		}
	}
	if t.Mapping != nil {
		m.Mapping = t.Mapping.Name
	} else if t.Pipeline != nil {
		m.Pipeline = t.Pipeline.Name
	}
	m.Input = payloads
	return c.veil(&m)
}
