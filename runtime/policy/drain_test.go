package policy_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

// closedUntilNow is a window that has just ended, and lets 10 calls a second go.
func closedUntilNow() *policy.Window {
	begin := time.Now().Add(-time.Hour)
	return &policy.Window{Name: "patching", Lasts: time.Hour, Rate: 10, Per: time.Second, Next: func(at time.Time) time.Time {
		if begin.After(at) {
			return begin
		}
		return time.Time{}
	}}
}

// TestDrainIsShared: what a window held goes out at one rate, however many
// replicas there are. The other system has just come back.
func TestDrainIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		window, received := closedUntilNow(), time.Now().Add(-time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var mu sync.Mutex
		var wg sync.WaitGroup
		calls := 0
		for range 3 {
			g := policy.NewGuard(policy.Limits{Name: "erp", Concurrency: 64, Windows: []*policy.Window{window}, Store: store, Shared: true})
			for range 20 {
				wg.Go(func() {
					for ctx.Err() == nil {
						p, hold := g.Enter(ctx, policy.Ask{Operation: "x", Priority: queue.Normal, Received: received})
						if hold != nil {
							time.Sleep(time.Until(hold.Until))
							continue
						}
						if ctx.Err() == nil {
							mu.Lock()
							calls++
							mu.Unlock()
						}
						p.Leave(policy.Answered)
					}
				})
			}
		}
		wg.Wait()
		if calls < 80 || calls > 110 {
			t.Errorf("%d calls in 10 s, at 10 a second", calls)
		}
	})
}

// TestOldestGoFirst: of one priority, what a window held goes out in the order in
// which it came, in whichever order workers take it from the store.
func TestOldestGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := policy.NewGuard(policy.Limits{Name: "erp", Concurrency: 64, Windows: []*policy.Window{closedUntilNow()}})
		now := time.Now()
		var mu sync.Mutex
		var got []int
		var wg sync.WaitGroup
		for _, n := range rand.Perm(40) {
			wg.Go(func() {
				p, hold := g.Enter(t.Context(), policy.Ask{Operation: "x", Priority: queue.Normal, Received: now.Add(time.Duration(n-50) * time.Second)})
				if hold != nil {
					t.Errorf("%d is sent away: %s", n, hold.Reason)
					return
				}
				mu.Lock()
				got = append(got, n)
				mu.Unlock()
				p.Leave(policy.Answered)
			})
			synctest.Wait() // they join one after the other
		}
		wg.Wait()
		// Those that found nobody there went at once: a tenth of a second's calls.
		if len(got) != 40 || !slices.IsSorted(got[2:]) {
			t.Errorf("they went in the order %v", got)
		}
	})
}
