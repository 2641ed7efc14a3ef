package queuetest_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/queue/queuetest"
)

// mutant is a driver with one fault.
type mutant struct {
	queue.Driver
	apply  func(d queue.Driver, ctx context.Context, c queue.Commit) ([]queue.Result, error)
	lease  func(d queue.Driver, ctx context.Context, w queue.Want) ([]queue.Lease, error)
	extend func(d queue.Driver, ctx context.Context, ls []queue.Lease, ttl time.Duration) error
	sweep  func(d queue.Driver, ctx context.Context, now time.Time) (queue.Swept, error)
	browse func(d queue.Driver, ctx context.Context, q queue.Query) (queue.Page, error)
}

func (m *mutant) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	if m.apply != nil {
		return m.apply(m.Driver, ctx, c)
	}
	return m.Driver.Apply(ctx, c)
}

func (m *mutant) Lease(ctx context.Context, w queue.Want) ([]queue.Lease, error) {
	if m.lease != nil {
		return m.lease(m.Driver, ctx, w)
	}
	return m.Driver.Lease(ctx, w)
}

func (m *mutant) Extend(ctx context.Context, ls []queue.Lease, ttl time.Duration) error {
	if m.extend != nil {
		return m.extend(m.Driver, ctx, ls, ttl)
	}
	return m.Driver.Extend(ctx, ls, ttl)
}

func (m *mutant) Sweep(ctx context.Context, now time.Time) (queue.Swept, error) {
	if m.sweep != nil {
		return m.sweep(m.Driver, ctx, now)
	}
	return m.Driver.Sweep(ctx, now)
}

func (m *mutant) Browse(ctx context.Context, q queue.Query) (queue.Page, error) {
	if m.browse != nil {
		return m.browse(m.Driver, ctx, q)
	}
	return m.Driver.Browse(ctx, q)
}

// changed is a mutant that changes each commit on its way in.
func changed(f func(c *queue.Commit)) mutant {
	return mutant{apply: func(d queue.Driver, ctx context.Context, c queue.Commit) ([]queue.Result, error) {
		c.Jobs, c.Finish, c.Put = slices.Clone(c.Jobs), slices.Clone(c.Finish), slices.Clone(c.Put)
		f(&c)
		return d.Apply(ctx, c)
	}}
}

func outcome(from, to queue.Outcome) mutant {
	return changed(func(c *queue.Commit) {
		for i := range c.Finish {
			if c.Finish[i].Outcome == from {
				c.Finish[i].Outcome = to
			}
		}
	})
}

var mutants = map[string]mutant{
	"none": {},
	"a stale lease is answered as a success": {apply: func(d queue.Driver, ctx context.Context, c queue.Commit) ([]queue.Result, error) {
		res, err := d.Apply(ctx, c)
		if err == queue.ErrLeaseLost {
			return nil, nil
		}
		return res, err
	}},
	"what comes with a stale lease is written": {apply: func(d queue.Driver, ctx context.Context, c queue.Commit) ([]queue.Result, error) {
		res, err := d.Apply(ctx, c)
		if err == queue.ErrLeaseLost {
			if _, err := d.Apply(ctx, queue.Commit{Jobs: c.Jobs, History: c.History}); err != nil {
				return nil, err
			}
		}
		return res, err
	}},
	"idempotency keys are ignored": changed(func(c *queue.Commit) {
		for i := range c.Jobs {
			c.Jobs[i].Dedupe = ""
		}
	}),
	"a conflict is a duplicate": changed(func(c *queue.Commit) {
		for i := range c.Jobs {
			c.Jobs[i].Digest = ""
		}
	}),
	"idempotency keys are never forgotten": changed(func(c *queue.Commit) {
		for i := range c.Jobs {
			c.Jobs[i].DedupeTTL = 0
		}
	}),
	"keys are ignored": changed(func(c *queue.Commit) {
		for i := range c.Jobs {
			c.Jobs[i].Key = ""
		}
	}),
	"priorities are ignored": changed(func(c *queue.Commit) {
		for i := range c.Jobs {
			c.Jobs[i].Priority = queue.Normal
		}
	}),
	"a job is never early": changed(func(c *queue.Commit) {
		for i := range c.Jobs {
			c.Jobs[i].NotBefore = time.Time{}
		}
	}),
	"versions are ignored": changed(func(c *queue.Commit) {
		for i := range c.Put {
			c.Put[i].Version = queue.AnyVersion
		}
	}),
	"cancel does nothing":        changed(func(c *queue.Commit) { c.Cancel = nil }),
	"history is not written":     changed(func(c *queue.Commit) { c.History = nil }),
	"release counts as an end":   outcome(queue.Release, queue.Done),
	"a dead letter is discarded": outcome(queue.Dead, queue.Done),
	"keep ends the lease":        outcome(queue.Keep, queue.Retry),
	"a retry goes to the tail": {apply: func(d queue.Driver, ctx context.Context, c queue.Commit) ([]queue.Result, error) {
		for _, f := range c.Finish {
			if f.Outcome == queue.Retry {
				j := f.Lease.Job
				if f.Body != nil {
					j.Body = f.Body
				}
				j.NotBefore = f.At
				return d.Apply(ctx, queue.Commit{Finish: []queue.Finish{{Lease: f.Lease}}, Jobs: []queue.Job{j}})
			}
		}
		return d.Apply(ctx, c)
	}},
	"a granted lease is dropped now and then": {lease: func(d queue.Driver, ctx context.Context, w queue.Want) ([]queue.Lease, error) {
		ls, err := d.Lease(ctx, w)
		if len(ls) > 2 {
			ls = ls[:2]
		}
		return ls, err
	}},
	"nobody waits": {lease: func(d queue.Driver, ctx context.Context, w queue.Want) ([]queue.Lease, error) {
		w.Wait = 0
		return d.Lease(ctx, w)
	}},
	"waiting does not end with the context": {lease: func(d queue.Driver, ctx context.Context, w queue.Want) ([]queue.Lease, error) {
		w.Wait = min(w.Wait, 2*time.Second)
		ls, err := d.Lease(context.WithoutCancel(ctx), w)
		if ctx.Err() != nil && err == nil {
			err = ctx.Err()
		}
		return ls, err
	}},
	"extending does nothing": {extend: func(queue.Driver, context.Context, []queue.Lease, time.Duration) error { return nil }},
	"leases never run out": {sweep: func(d queue.Driver, ctx context.Context, _ time.Time) (queue.Swept, error) {
		return d.Sweep(ctx, time.Now())
	}},
	"leases run out at every sweep": {sweep: func(d queue.Driver, ctx context.Context, now time.Time) (queue.Swept, error) {
		return d.Sweep(ctx, now.Add(10*time.Minute))
	}},
	"the second page is the first": {browse: func(d queue.Driver, ctx context.Context, q queue.Query) (queue.Page, error) {
		q.After = ""
		return d.Browse(ctx, q)
	}},
	"there is only one page": {browse: func(d queue.Driver, ctx context.Context, q queue.Query) (queue.Page, error) {
		p, err := d.Browse(ctx, q)
		p.Next = ""
		return p, err
	}},
	"the kind of a query is ignored": {browse: func(d queue.Driver, ctx context.Context, q queue.Query) (queue.Page, error) {
		q.Kind = ""
		return d.Browse(ctx, q)
	}},
}

// TestMutant is one run of the suite on the driver that the environment names.
func TestMutant(t *testing.T) {
	name, ok := os.LookupEnv("CROSSDOCK_TEST_MUTANT")
	if !ok {
		t.Skip("started by TestSuiteFindsMutants")
	}
	queuetest.Exercise(t, queuetest.Harness{Open: func(*testing.T) queue.Driver {
		m := mutants[name]
		m.Driver = memory.Open(memory.Options{})
		return &m
	}, Features: queuetest.Features{Hints: true}})
}

// The suite finds every fault that was planted, and none in a good driver.
func TestSuiteFindsMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs the suite some twenty times")
	}
	for name := range mutants {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0],
				"-test.run=^TestMutant$", "-test.failfast", "-test.timeout=60s", "-rapid.nofailfile", "-rapid.shrinktime=1s")
			cmd.Env = append(os.Environ(), "CROSSDOCK_TEST_MUTANT="+name)
			out, err := cmd.CombinedOutput()
			if name == "none" && err != nil {
				t.Fatalf("a good driver fails:\n%s", out)
			}
			if name != "none" && (err == nil || !strings.Contains(string(out), "FAIL")) {
				t.Fatalf("nobody noticed: %v\n%.2000s", err, out)
			}
		})
	}
}
