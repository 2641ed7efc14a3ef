package mutation

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/runtime/testrun"
)

// Fate is what became of a mutant.
type Fate string

// The fates.
const (
	Noticed  Fate = "noticed"  // a test failed
	Survived Fate = "survived" // every test that could see it passed
	Unseen   Fate = "unseen"   // no test runs what was changed
	Untried  Fate = "untried"  // the time was over
)

// Result is one mutant and its fate.
type Result struct {
	*Mutant
	Fate Fate
	By   string // the case that noticed it
}

// Report is what came out.
type Report struct {
	Results []Result // in the order of places
	Failing []string // cases that fail without any change; nothing else was done then
	Unread  []Unread // what nothing here reads, so that no test could notice anything
}

// Unread is a crosswalk that no mapping and no pipeline of the workspace looks
// into, such as a list of codes that is kept for others.
type Unread struct {
	Name string
	Span diag.Span
}

// Count returns how many mutants had a fate.
func (r *Report) Count(f Fate) int {
	n := 0
	for _, x := range r.Results {
		if x.Fate == f {
			n++
		}
	}
	return n
}

// Score is the share of mutants that were noticed, in percent of those tried;
// 100 where there was nothing to change.
func (r *Report) Score() float64 {
	tried := len(r.Results) - r.Count(Untried)
	if tried == 0 {
		return 100
	}
	return 100 * float64(r.Count(Noticed)) / float64(tried)
}

// Options says how to run.
type Options struct {
	// Load loads the workspace once more; every worker changes one of its own.
	Load     func() (*testrun.Runner, error)
	Workers  int                               // 0: one per processor
	Keep     func(*Mutant) bool                // nil: all
	Progress func(done, all int, last *Result) // may be nil; called by one goroutine at a time
}

// perCase is how long a case may run with a mutant in it.
const perCase = 10 * time.Second

// Run plants every mutant and runs the tests that could notice it, until ctx
// ends.
func Run(ctx context.Context, o Options) (*Report, error) {
	first, err := o.Load()
	if err != nil {
		return nil, err
	}
	out := &Report{}
	first.All(ctx, nil, func(r testrun.Result) {
		if !r.Passed() {
			out.Failing = append(out.Failing, fmt.Sprintf("%s %s: %s", r.Span, r.Of, r.Case))
		}
	})
	if len(out.Failing) > 0 {
		return out, nil
	}
	all := mutants(first.WS)
	read := testrun.Consulted(first.WS)
	for _, l := range lookups(first.WS) {
		if !read[l.Table] && (o.Keep == nil || o.Keep(&Mutant{Kind: "lookup", Name: l.Name})) {
			out.Unread = append(out.Unread, Unread{l.Name, l.Spec.Name.Span()})
		}
	}
	chosen := make([]int, 0, len(all))
	for i, m := range all {
		if o.Keep == nil || o.Keep(m) {
			chosen = append(chosen, i)
			out.Results = append(out.Results, Result{Mutant: m, Fate: Untried})
		}
	}
	workers := o.Workers
	if workers <= 0 {
		workers = goruntime.GOMAXPROCS(0)
	}
	return out, o.work(ctx, out, chosen, first, max(1, min(workers, len(chosen))))
}

// work lets workers take mutants one after the other. They are joined before it
// returns.
func (o *Options) work(ctx context.Context, out *Report, chosen []int, first *testrun.Runner, workers int) error {
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	done := 0
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() {
			runner, err := first, error(nil)
			if n > 0 {
				runner, err = o.Load()
			}
			if err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
				return
			}
			t := newTrial(runner)
			for i := int(next.Add(1)) - 1; i < len(chosen) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				fate, by := t.try(ctx, t.all[chosen[i]])
				mu.Lock()
				out.Results[i].Fate, out.Results[i].By = fate, by
				done++
				if o.Progress != nil {
					o.Progress(done, len(chosen), &out.Results[i])
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed
}

// trial is one worker with a workspace of its own.
type trial struct {
	*testrun.Runner
	all   []*Mutant
	tests map[any][]*compile.Test // by what they reach
}

func newTrial(r *testrun.Runner) *trial {
	t := &trial{Runner: r, all: mutants(r.WS), tests: map[any][]*compile.Test{}}
	// Tests of mappings come first: they are quicker, and closer.
	tests := slices.Clone(r.WS.Tests)
	slices.SortStableFunc(tests, func(a, b *compile.Test) int { return rank(a) - rank(b) })
	for _, test := range tests {
		for of := range testrun.Reach(r.WS, test) {
			t.tests[of] = append(t.tests[of], test)
		}
	}
	return t
}

func rank(t *compile.Test) int {
	if t.Mapping != nil {
		return 0
	}
	return 1
}

// try plants one mutant and runs the tests until one of them fails.
func (t *trial) try(ctx context.Context, m *Mutant) (Fate, string) {
	tests := t.tests[m.of]
	if len(tests) == 0 {
		return Unseen, ""
	}
	undo := m.plant()
	defer undo()
	for _, test := range tests {
		for i := range test.Spec.Cases {
			if t.fails(ctx, test, &test.Spec.Cases[i]) {
				if ctx.Err() != nil {
					return Untried, ""
				}
				return Noticed, test.Spec.Of.Value + ": " + test.Spec.Cases[i].Name.Value
			}
		}
	}
	if ctx.Err() != nil {
		return Untried, ""
	}
	return Survived, ""
}

// fails runs a case with a mutant in it. What breaks down has been noticed.
func (t *trial) fails(ctx context.Context, test *compile.Test, c *spec.Case) (failed bool) {
	defer func() {
		if recover() != nil {
			failed = true
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, perCase)
	defer cancel()
	r := t.Case(ctx, test, c)
	return !r.Passed()
}
