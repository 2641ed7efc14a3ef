package queuetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func exerciseLease(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"a lease brings the job": func(k *kit) {
			j := job("a", "k")
			j.Hint = "decoded"
			j.Priority = queue.High
			k.add(j)
			l := k.one("a")
			k.equal("body", string(l.Body), "body of a")
			k.equal("lane, key, priority", []any{l.Lane, l.Key, l.Priority}, []any{lane, "k", queue.High})
			k.equal("attempts, crashes", []int{l.Attempts, l.Crashes}, []int{0, 0})
			if l.Epoch == 0 || l.Until.Before(k.now) || l.Enqueued.Before(k.now.Add(-time.Minute)) {
				k.Fatalf("lease: %+v", l)
			}
			if k.h.Features.Hints {
				k.equal("hint", l.Hint, "decoded")
			}
		},
		"it runs out only by a sweep past its deadline": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			first := k.one("a")
			k.equal("expired early", k.sweep(30*time.Second).Expired, 0)
			k.none()
			k.equal("expired", k.sweep(2*time.Minute).Expired, 1)
			again := k.one("a")
			k.equal("crashes, attempts", []int{again.Crashes, again.Attempts}, []int{1, 0})
			if again.Epoch <= first.Epoch {
				k.Fatalf("the epoch went from %d to %d", first.Epoch, again.Epoch)
			}
			k.sweep(2 * time.Minute)
			k.equal("crashes", k.one("a").Crashes, 2)
		},
		"a crash burns no attempt": func(k *kit) {
			k.add(job("a", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Retry, Attempts: 3})
			k.one("a")
			k.sweep(2 * time.Minute)
			l := k.one("a")
			k.equal("attempts, crashes", []int{l.Attempts, l.Crashes}, []int{3, 1})
			k.equal("seen", k.info("a").Crashes, 1)
		},
		"an epoch that ran out writes nothing": func(k *kit) {
			k.add(job("a", "k"))
			old := k.one("a")
			k.sweep(2 * time.Minute)
			for _, when := range []string{"after it ran out", "after the job was leased again"} {
				for outcome := queue.Done; outcome <= queue.Release; outcome++ {
					k.refuse(queue.ErrLeaseLost, queue.Commit{
						Finish:  []queue.Finish{{Lease: old, Outcome: outcome, At: k.now.Add(time.Hour)}},
						Jobs:    []queue.Job{job("child", "k")},
						Put:     []queue.Put{{Key: "s", Value: []byte("v")}},
						History: []queue.Entry{entry("a", queue.Delivered)},
					})
				}
				if err := k.d.Extend(k.ctx, []queue.Lease{old}, time.Minute); err != queue.ErrLeaseLost {
					k.Fatalf("extend %s: %v", when, err)
				}
				k.state("child", "")
				k.equal("counter "+when, k.count("orders", queue.Delivered), 0)
				v, err := k.d.Get(k.ctx, "s")
				if err != nil || v[0].Version != 0 {
					k.Fatalf("state %s: %+v, %v", when, v, err)
				}
				if when == "after it ran out" {
					k.state("a", queue.Ready)
					k.one("a")
				}
			}
			k.state("a", queue.Leased)
		},
		"one lost lease refuses the whole commit": func(k *kit) {
			k.add(job("a", "a"), job("b", "b"))
			ls := k.lease(2)
			k.done(ls[0])
			k.refuse(queue.ErrLeaseLost, queue.Commit{Finish: []queue.Finish{{Lease: ls[1]}, {Lease: ls[0]}}})
			k.state("b", queue.Leased)
			k.done(ls[1])
		},
		"extend": func(k *kit) {
			k.add(job("a", "a"), job("b", "b"))
			ls := k.lease(2)
			k.done(ls[0])
			if err := k.d.Extend(k.ctx, ls, time.Hour); err != queue.ErrLeaseLost {
				k.Fatalf("extend of one lost lease: %v", err)
			}
			k.equal("the other one was extended: expired", k.sweep(50*time.Minute).Expired, 0)
			if err := k.d.Extend(k.ctx, ls[1:], 2*time.Hour); err != nil {
				k.Fatalf("extend: %v", err)
			}
			k.equal("expired", k.sweep(90*time.Minute).Expired, 0)
			k.equal("expired", k.sweep(3*time.Hour).Expired, 1)
		},
		"waiting ends with the first job": func(k *kit) {
			got := make(chan []queue.Lease)
			go func() {
				ls, err := k.d.Lease(k.ctx, queue.Want{Lane: lane, Max: 5, TTL: time.Minute, Wait: time.Minute})
				if err != nil {
					k.Errorf("lease: %v", err)
				}
				got <- ls
			}()
			other := job("x", "k")
			other.Lane = "elsewhere"
			k.add(other)
			begin := time.Now()
			k.add(job("a", "k"))
			k.equal("leased", ids(<-got), []string{"a"})
			if took := time.Since(begin); took > 5*time.Second {
				k.Fatalf("it took %v to wake up", took)
			}
		},
		"waiting ends with the context": func(k *kit) {
			ctx, cancel := context.WithCancel(k.ctx)
			got := make(chan error)
			go func() {
				ls, err := k.d.Lease(ctx, queue.Want{Lane: lane, Max: 5, TTL: time.Minute, Wait: time.Hour})
				if len(ls) != 0 {
					k.Errorf("leased %v from nothing", ids(ls))
				}
				got <- err
			}()
			cancel()
			if err := <-got; err != nil {
				k.Fatalf("lease: %v", err)
			}
			k.add(job("a", "k"))
			k.one("a")
		},
		"waiting ends after its time, not before": func(k *kit) {
			begin := time.Now()
			ls, err := k.d.Lease(k.ctx, queue.Want{Lane: lane, Max: 5, TTL: time.Minute, Wait: 20 * time.Millisecond})
			if err != nil || len(ls) != 0 {
				k.Fatalf("lease: %v, %v", ids(ls), err)
			}
			if took := time.Since(begin); took < 20*time.Millisecond {
				k.Fatalf("it waited only %v", took)
			}
		},
		"many wait, each job wakes one": func(k *kit) {
			const n = 16
			got := make(chan string, n)
			for range n {
				go func() {
					ls, err := k.d.Lease(k.ctx, queue.Want{Lane: lane, Max: 1, TTL: time.Minute, Wait: time.Minute})
					if err != nil || len(ls) != 1 {
						k.Errorf("lease: %v, %v", ids(ls), err)
						got <- ""
						return
					}
					got <- ls[0].ID
				}()
			}
			want := map[string]bool{}
			for i := range n {
				id := fmt.Sprint("j", i)
				want[id] = true
				k.add(job(id, id))
			}
			for range n {
				delete(want, <-got)
			}
			k.equal("never leased", len(want), 0)
		},
		"a finish wakes who waits for the same key": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			l := k.one("a")
			got := make(chan []queue.Lease)
			go func() {
				ls, err := k.d.Lease(k.ctx, queue.Want{Lane: lane, Max: 5, TTL: time.Minute, Wait: time.Minute})
				if err != nil {
					k.Errorf("lease: %v", err)
				}
				got <- ls
			}()
			k.done(l)
			k.equal("leased", ids(<-got), []string{"b"})
		},
	})
}
