package queuetest

import (
	"context"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func exerciseClose(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"everything after it says so": func(k *kit) {
			k.add(job("a", "k"))
			l := k.one("a")
			w, err := k.d.Watch(k.ctx, "s")
			if err != nil {
				k.Fatal(err)
			}
			for range 2 {
				if err := k.d.Close(); err != nil {
					k.Fatalf("close: %v", err)
				}
			}
			k.closed(w)
			calls := map[string]func() error{
				"Apply":  func() error { _, err := k.d.Apply(k.ctx, queue.Commit{Jobs: []queue.Job{job("b", "k")}}); return err },
				"Lease":  func() error { _, err := k.d.Lease(k.ctx, queue.Want{Lane: lane, Max: 1, Wait: time.Hour}); return err },
				"Extend": func() error { return k.d.Extend(k.ctx, []queue.Lease{l}, time.Minute) },
				"Sweep":  func() error { _, err := k.d.Sweep(k.ctx, time.Now()); return err },
				"Get":    func() error { _, err := k.d.Get(k.ctx, "s"); return err },
				"Browse": func() error { _, err := k.d.Browse(k.ctx, queue.Query{View: queue.Lanes}); return err },
				"Watch":  func() error { _, err := k.d.Watch(k.ctx, "s"); return err },
				"Check":  func() error { _, err := k.d.Check(k.ctx); return err },
			}
			for name, call := range calls {
				if err := call(); err != queue.ErrClosed {
					k.Errorf("%s after Close: %v", name, err)
				}
			}
		},
		"it ends those who wait": func(k *kit) {
			const n = 8
			got := make(chan error, n)
			for range n {
				go func() {
					_, err := k.d.Lease(k.ctx, queue.Want{Lane: lane, Max: 1, TTL: time.Minute, Wait: time.Hour})
					got <- err
				}()
			}
			if err := k.d.Close(); err != nil {
				k.Fatal(err)
			}
			for range n {
				if err := <-got; err != queue.ErrClosed {
					k.Errorf("lease: %v", err)
				}
			}
		},
		"writes under way are answered": func(k *kit) {
			const n = 16
			errs := make(chan error, n)
			for i := range n {
				go func() {
					_, err := k.d.Apply(k.ctx, queue.Commit{Jobs: []queue.Job{job(string(rune('a'+i)), "")}})
					errs <- err
				}()
			}
			if err := k.d.Close(); err != nil {
				k.Fatal(err)
			}
			for range n {
				if err := <-errs; err != nil && err != queue.ErrClosed {
					k.Errorf("apply: %v", err)
				}
			}
		},
		"a context that has ended": func(k *kit) {
			ctx, cancel := context.WithCancel(k.ctx)
			cancel()
			if _, err := k.d.Apply(ctx, queue.Commit{Jobs: []queue.Job{job("a", "k")}}); err == nil {
				k.one("a")
			} else {
				k.none()
			}
			ls, err := k.d.Lease(ctx, queue.Want{Lane: lane, Max: 1, TTL: time.Minute, Wait: time.Hour})
			if err != nil || len(ls) != 0 {
				k.Errorf("lease: %v, %v", ids(ls), err)
			}
		},
	})
}
