package memory_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/queue/queuetest"
)

func TestConformance(t *testing.T) {
	queuetest.Exercise(t, queuetest.Harness{
		Open:     func(*testing.T) queue.Driver { return memory.Open(memory.Options{}) },
		Features: queuetest.Features{Hints: true},
	})
}

// The store lives in a bubble with a clock of its own: nothing waits for a disk
// or a timer that the bubble does not know.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := memory.Open(memory.Options{KeepHistory: 24 * time.Hour})
		apply := func(c queue.Commit) {
			t.Helper()
			if _, err := d.Apply(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { // the sweeper of an engine
			for tick := time.NewTicker(time.Second); ; {
				select {
				case now := <-tick.C:
					if _, err := d.Sweep(ctx, now); err != nil {
						t.Error(err)
					}
				case <-ctx.Done():
					tick.Stop()
					return
				}
			}
		})
		apply(queue.Commit{
			Jobs:    []queue.Job{{ID: "a", Lane: "l", NotBefore: time.Now().Add(3 * time.Hour), Dedupe: "k", DedupeTTL: time.Hour}},
			History: []queue.Entry{{Message: "a", Kind: queue.Accepted, Refs: []queue.Ref{{Type: "t", Value: "v"}}}},
		})
		begin := time.Now()
		ls, err := d.Lease(t.Context(), queue.Want{Lane: "l", Max: 1, TTL: time.Minute, Wait: 12 * time.Hour})
		if err != nil || len(ls) != 1 || time.Since(begin).Round(time.Minute) != 3*time.Hour {
			t.Fatalf("after %v: %v, %v", time.Since(begin), ls, err)
		}
		ls, err = d.Lease(t.Context(), queue.Want{Lane: "l", Max: 1, TTL: time.Minute, Wait: 12 * time.Hour})
		if err != nil || len(ls) != 1 || ls[0].Crashes != 1 {
			t.Fatalf("after the lease ran out: %v, %v", ls, err)
		}
		apply(queue.Commit{Finish: []queue.Finish{{Lease: ls[0]}}})
		res, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{{ID: "b", Lane: "l", Dedupe: "k", DedupeTTL: time.Hour}}})
		if err != nil || res[0].Status != queue.Enqueued {
			t.Fatalf("hours after the key has ended: %+v, %v", res, err)
		}
		for _, q := range []queue.Query{{View: queue.ByMsg, ID: "a"}, {View: queue.ByRef, Ref: queue.Ref{Value: "v"}}} {
			if p, err := d.Browse(t.Context(), q); err != nil || len(p.Entries) != 1 {
				t.Fatalf("history: %+v, %v", p, err)
			}
		}
		time.Sleep(25 * time.Hour)
		for _, q := range []queue.Query{{View: queue.ByMsg, ID: "a"}, {View: queue.ByRef, Ref: queue.Ref{Value: "v"}}, {View: queue.Recent}} {
			if p, err := d.Browse(t.Context(), q); err != nil || len(p.Entries) != 0 {
				t.Fatalf("history past its keep: %+v, %v", p, err)
			}
		}
		cancel()
		wg.Wait()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
