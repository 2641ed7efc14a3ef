// Package queuetest holds every queue.Driver to the same promises. A driver is
// done when Exercise passes.
//
// Time is data: leases run out and jobs become due because Sweep is told a
// later time, never because a test sleeps.
package queuetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"crossdock/runtime/queue"
)

// Harness is what Exercise needs to know about a driver.
type Harness struct {
	// Open makes an empty store. The suite closes it.
	Open func(t *testing.T) queue.Driver
	// Reopen ends a driver as a crash would, as far as that can be done within
	// the process, and opens its store again. nil when nothing survives.
	Reopen   func(t *testing.T, d queue.Driver) queue.Driver
	Features Features
}

// Features are the differences between drivers that the contract allows.
type Features struct {
	// Hints is set when a lease brings the Hint back that was applied just before.
	Hints bool
	// Shared is set when Reopen leaves leases alive, because other processes may
	// hold them: they come back when they run out, not at once.
	Shared bool
}

// Exercise runs the whole suite.
func Exercise(t *testing.T, h Harness) {
	before := goleak.IgnoreCurrent()
	groups := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"Order", exerciseOrder},
		{"Lease", exerciseLease},
		{"Finish", exerciseFinish},
		{"Dedupe", exerciseDedupe},
		{"Operator", exerciseOperator},
		{"State", exerciseState},
		{"History", exerciseHistory},
		{"Browse", exerciseBrowse},
		{"Crash", exerciseCrash},
		{"Close", exerciseClose},
		{"Model", exerciseModel},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) { g.run(t, h) })
	}
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines are left after all stores were closed: %v", err)
	}
}

// kit is one test with a store of its own.
type kit struct {
	*testing.T
	h   Harness
	d   queue.Driver
	ctx context.Context
	now time.Time
}

// each runs the cases of a group, each with a store of its own.
func each(t *testing.T, h Harness, cases map[string]func(k *kit)) {
	names := make([]string, 0, len(cases))
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			k := &kit{T: t, h: h, d: h.Open(t), ctx: t.Context(), now: time.Now()}
			defer func() {
				if err := k.d.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			cases[name](k)
		})
	}
}

const lane = "in/orders"

// job is an ordinary job.
func job(id, key string) queue.Job {
	return queue.Job{ID: id, Lane: lane, Key: key, Priority: queue.Normal, Body: []byte("body of " + id)}
}

// apply applies a Commit that must succeed.
func (k *kit) apply(c queue.Commit) []queue.Result {
	k.Helper()
	res, err := k.d.Apply(k.ctx, c)
	if err != nil {
		k.Fatalf("apply: %v", err)
	}
	if len(res) != len(c.Jobs) {
		k.Fatalf("apply answered %d of %d jobs", len(res), len(c.Jobs))
	}
	return res
}

// refuse applies a Commit that must be refused with want.
func (k *kit) refuse(want error, c queue.Commit) {
	k.Helper()
	if _, err := k.d.Apply(k.ctx, c); err != want {
		k.Fatalf("apply: got %v, want %v", err, want)
	}
}

func (k *kit) add(jobs ...queue.Job) []queue.Result {
	k.Helper()
	return k.apply(queue.Commit{Jobs: jobs})
}

// lease takes up to n leases of the usual lane that are there at once.
func (k *kit) lease(n int) []queue.Lease {
	k.Helper()
	return k.leaseOf(lane, n)
}

func (k *kit) leaseOf(name string, n int) []queue.Lease {
	k.Helper()
	ls, err := k.d.Lease(k.ctx, queue.Want{Lane: name, Max: n, TTL: time.Minute, Wait: 0})
	if err != nil {
		k.Fatalf("lease: %v", err)
	}
	return ls
}

// one takes the lease of the job that must be next.
func (k *kit) one(id string) queue.Lease {
	k.Helper()
	ls := k.lease(1)
	if len(ls) != 1 || ls[0].ID != id {
		k.Fatalf("lease: got %v, want [%s]", ids(ls), id)
	}
	return ls[0]
}

// none makes sure that nothing can be leased.
func (k *kit) none() {
	k.Helper()
	if ls := k.lease(100); len(ls) != 0 {
		k.Fatalf("lease: got %v, want nothing", ids(ls))
	}
}

func (k *kit) finish(f queue.Finish) { k.Helper(); k.apply(queue.Commit{Finish: []queue.Finish{f}}) }

func (k *kit) done(l queue.Lease) { k.Helper(); k.finish(queue.Finish{Lease: l}) }

// sweep moves the time of the store forward.
func (k *kit) sweep(d time.Duration) queue.Swept {
	k.Helper()
	s, err := k.d.Sweep(k.ctx, time.Now().Add(d))
	if err != nil {
		k.Fatalf("sweep: %v", err)
	}
	return s
}

func (k *kit) browse(q queue.Query) queue.Page {
	k.Helper()
	p, err := k.d.Browse(k.ctx, q)
	if err != nil {
		k.Fatalf("browse: %v", err)
	}
	return p
}

// info is what the store shows of a job; nil when it does not know it.
func (k *kit) info(id string) *queue.JobInfo {
	k.Helper()
	p := k.browse(queue.Query{View: queue.ByID, ID: id, Bodies: true})
	if len(p.Jobs) == 0 {
		return nil
	}
	if len(p.Jobs) > 1 || p.Jobs[0].ID != id {
		k.Fatalf("browse by ID %s: got %+v", id, p.Jobs)
	}
	return &p.Jobs[0]
}

// state makes sure where a job stands; "" is gone.
func (k *kit) state(id string, want queue.State) {
	k.Helper()
	i := k.info(id)
	got := queue.State("")
	if i != nil {
		got = i.State
	}
	if got != want {
		k.Fatalf("job %s is %q, want %q", id, got, want)
	}
}

// count reads one durable counter.
func (k *kit) count(pipeline string, kind queue.Kind) int64 {
	k.Helper()
	for _, c := range k.browse(queue.Query{View: queue.Counters}).Counts {
		if c.Pipeline == pipeline && c.Kind == kind {
			return c.N
		}
	}
	return 0
}

// reopen crashes the store and opens it again.
func (k *kit) reopen() {
	k.Helper()
	if k.h.Reopen == nil {
		k.Skip("nothing of this store survives its process")
	}
	k.d = k.h.Reopen(k.T, k.d)
	if k.h.Features.Shared {
		k.sweep(time.Hour)
	}
}

func ids(ls []queue.Lease) []string {
	out := make([]string, len(ls))
	for i, l := range ls {
		out[i] = l.ID
	}
	return out
}

func (k *kit) equal(what string, got, want any) {
	k.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		k.Fatalf("%s: got %s, want %s", what, g, w)
	}
}

// together runs n functions at the same time and waits for them.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; f(i) })
	}
	close(start)
	wg.Wait()
}

// entry is an ordinary line of history.
func entry(id string, kind queue.Kind, refs ...queue.Ref) queue.Entry {
	return queue.Entry{Message: id, Kind: kind, Pipeline: "orders", Refs: refs}
}
