package policy_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

// TestWhoLeavesDoesNotWait: it gets what is free, and nothing is taken from
// others for what it does not get.
func TestWhoLeavesDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		g := policy.NewGuard(policy.Limits{Name: "erp", Concurrency: 1, Quota: 10, Period: policy.Day, Zone: time.UTC, Store: store})
		leaving := make(chan struct{})
		ask := policy.Ask{Operation: "x", Priority: queue.Normal, Leaving: leaving}
		first, hold := g.Enter(t.Context(), ask)
		if !first.Given() || hold != nil {
			t.Fatalf("%v, %v", first.Given(), hold)
		}
		time.AfterFunc(time.Second, func() { close(leaving) })
		for _, want := range []time.Duration{time.Second, 0} { // it leaves while it waits, and another one comes too late to wait
			began := time.Now()
			p, hold := g.Enter(t.Context(), ask)
			if took := time.Since(began); p.Given() || hold != nil || took != want {
				t.Errorf("%v, %v after %s, want nothing after %s", p.Given(), hold, took, want)
			}
		}
		if s := g.Show(time.Now(), nil); s.Used != 1 || s.Waiting != 0 || s.Calls != 1 {
			t.Errorf("%+v, want one call counted and none waiting", s)
		}
		first.Leave(policy.Answered)
		if p, _ := g.Enter(t.Context(), ask); !p.Given() {
			t.Error("what was free was not given")
		}
	})
}

// TestARetiredGuardKeepsNobodyWaiting, until it is put back.
func TestARetiredGuardKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := policy.NewGuard(policy.Limits{Name: "erp", Concurrency: 1, Rate: 1, Per: 4 * time.Second})
		ask := policy.Ask{Operation: "x", Priority: queue.Normal}
		enter := func(want time.Duration, given bool) {
			t.Helper()
			began := time.Now()
			p, hold := g.Enter(t.Context(), ask)
			if took := time.Since(began); p.Given() != given || hold != nil || took != want {
				t.Errorf("%v, %v after %s, want %v after %s", p.Given(), hold, took, given, want)
			}
			p.Leave(policy.Answered)
		}
		enter(0, true)
		time.AfterFunc(time.Second, g.Retire)
		enter(time.Second, false)
		enter(0, false)
		g.Retire() // a second time changes nothing
		g.Succeed(nil)
		g.Succeed(nil)
		enter(3*time.Second, true)
		if !g.Count(t.Context(), ask) { // after its turn
			t.Error("a look was not counted")
		}
		g.Retire()
		if g.Count(t.Context(), ask) {
			t.Error("a look was counted that would have had to wait")
		}
	})
}

// TestPlacesOutliveAReload: calls that are under way when other limits take over
// have places of those, too, and of the old ones where they are put back.
func TestPlacesOutliveAReload(t *testing.T) {
	guard := func(places int) *policy.Guard {
		return policy.NewGuard(policy.Limits{Name: "erp", Concurrency: places})
	}
	leaving := make(chan struct{})
	close(leaving)
	free := func(g *policy.Guard) (passes []policy.Pass) {
		for {
			p, _ := g.Enter(t.Context(), policy.Ask{Operation: "x", Priority: queue.Normal, Leaving: leaving})
			if !p.Given() {
				return passes
			}
			passes = append(passes, p)
		}
	}
	first, second, third := guard(2), guard(5), guard(1)
	two := free(first)
	second.Succeed(first)
	three := free(second)
	third.Succeed(second)
	if len(two) != 2 || len(three) != 3 || len(free(third)) != 0 {
		t.Fatalf("%d places of 2, %d more of 5, and some of 1", len(two), len(three))
	}
	second.Succeed(third) // it is put back
	for _, p := range append(two, three[:2]...) {
		p.Leave(policy.Answered)
	}
	if n := len(free(second)); n != 4 {
		t.Errorf("%d places are free of 5 of which one is taken", n)
	}
}

// TestARaisedRateIsNotHeldBack: what one replica took at a slow rate keeps those
// with a faster one waiting as long as that many calls take them, and no longer.
func TestARaisedRateIsNotHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		guard := func(n int, per time.Duration) *policy.Guard {
			return policy.NewGuard(policy.Limits{Name: "erp", Concurrency: 64, Rate: n, Per: per, Store: store, Shared: true})
		}
		enter := func(g *policy.Guard) time.Duration {
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			p, hold := g.Enter(ctx, policy.Ask{Operation: "x", Priority: queue.Normal})
			if !p.Given() {
				t.Errorf("not given: %+v", hold)
			}
			p.Leave(policy.Answered)
			return time.Since(began)
		}
		enter(guard(1, time.Hour))
		if took := enter(guard(10, time.Second)); took != 100*time.Millisecond {
			t.Errorf("at 10 a second, after one call at 1 an hour: waited %s, want 100ms", took)
		}
		slow := guard(1, 4*time.Second)
		enter(slow) // what is taken at 10 a second is over at once
		if took := enter(slow); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("at 1 in 4s: waited %s", took)
		}
	})
}
