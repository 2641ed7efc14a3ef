package queuetest

import (
	"fmt"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func exerciseFinish(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"finish and fan out in one commit": func(k *kit) {
			k.add(job("a", "k"))
			l := k.one("a")
			var jobs []queue.Job
			for i := range 3 {
				j := job(fmt.Sprintf("a.%d", i), "k")
				j.Lane = fmt.Sprint("out/", i)
				jobs = append(jobs, j)
			}
			k.apply(queue.Commit{Finish: []queue.Finish{{Lease: l}}, Jobs: jobs})
			k.state("a", "")
			for i := range 3 {
				k.equal("branch", ids(k.leaseOf(fmt.Sprint("out/", i), 5)), []string{fmt.Sprintf("a.%d", i)})
			}
			k.refuse(queue.ErrLeaseLost, queue.Commit{Finish: []queue.Finish{{Lease: l}}, Jobs: jobs})
		},
		"keep replaces body and attempts and the lease goes on": func(k *kit) {
			k.add(job("a", "k"))
			l := k.one("a")
			k.finish(queue.Finish{Lease: l, Outcome: queue.Keep, Attempts: 2, Body: []byte("half way")})
			k.none()
			k.state("a", queue.Leased)
			k.finish(queue.Finish{Lease: l, Outcome: queue.Keep, Attempts: 3})
			k.equal("body", string(k.info("a").Body), "half way")
			k.sweep(2 * time.Minute)
			l = k.one("a")
			k.equal("body, attempts, crashes", []any{string(l.Body), l.Attempts, l.Crashes}, []any{"half way", 3, 1})
			k.done(l)
		},
		"retry waits at the head of its key": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Retry, Attempts: 1, At: time.Now().Add(time.Hour)})
			k.none()
			k.state("a", queue.Delayed)
			if due := k.info("a").Due; due.Before(k.now.Add(59 * time.Minute)) {
				k.Fatalf("due at %v", due)
			}
			k.sweep(2 * time.Hour)
			l := k.one("a")
			k.equal("attempts", l.Attempts, 1)
			k.finish(queue.Finish{Lease: l, Outcome: queue.Retry, Attempts: 2, Body: []byte("new")})
			l = k.one("a")
			k.equal("at once: body, attempts", []any{string(l.Body), l.Attempts}, []any{"new", 2})
			k.done(l)
			k.one("b")
		},
		"park until a time": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Park, Attempts: 4, Reason: "breaker open",
				At: time.Now().Add(time.Hour)})
			k.none()
			i := k.info("a")
			k.equal("parked", []any{i.State, i.Reason, i.Attempts}, []any{queue.Parked, "breaker open", 4})
			k.equal("due", k.sweep(2*time.Hour).Due, 1)
			l := k.one("a")
			k.equal("attempts", l.Attempts, 4)
		},
		"park until an order": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Park, Attempts: 1, Reason: "pipeline removed"})
			k.sweep(1000 * time.Hour)
			k.none()
			stat := k.browse(queue.Query{View: queue.Lanes}).Lanes[0]
			k.equal("parked by reason", stat.Parked, map[string]int{"pipeline removed": 1})
			k.apply(queue.Commit{Orders: []queue.Order{{ID: "a", Do: queue.Unpark}}})
			l := k.one("a")
			k.equal("attempts", l.Attempts, 1)
			k.done(l)
			k.one("b")
		},
		"release as if it had never been leased": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Retry, Attempts: 2})
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Release})
			l := k.one("a")
			k.equal("attempts, crashes", []int{l.Attempts, l.Crashes}, []int{2, 0})
		},
		"dead moves out of the way of its key": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Dead, Attempts: 5, Box: "orders",
				Reason: "422 from erp", Group: "fp1", Body: []byte("last body")})
			i := k.info("a")
			k.equal("dead", []any{i.State, i.Box, i.Reason, i.Group, i.Attempts, string(i.Body)},
				[]any{queue.DeadJob, "orders", "422 from erp", "fp1", 5, "last body"})
			if i.DeadAt.Before(k.now.Add(-time.Minute)) {
				k.Fatalf("dead since %v", i.DeadAt)
			}
			k.one("b")
			k.sweep(1000 * time.Hour)
			k.state("a", queue.DeadJob)
		},
		"a job without a key retries alone": func(k *kit) {
			k.add(job("a", ""), job("b", ""))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Retry, At: time.Now().Add(time.Hour)})
			k.done(k.one("b"))
			k.sweep(2 * time.Hour)
			k.one("a")
		},
		"the same lease twice in one commit": func(k *kit) {
			k.add(job("a", "k"))
			l := k.one("a")
			k.refuse(queue.ErrLeaseLost, queue.Commit{Finish: []queue.Finish{{Lease: l}, {Lease: l}}})
			k.state("a", queue.Leased)
		},
		"two finishes race, one wins": func(k *kit) {
			k.add(job("a", "k"))
			l := k.one("a")
			const n = 16
			errs := make([]error, n)
			together(n, func(i int) {
				j := job(fmt.Sprint("a.", i), "")
				_, errs[i] = k.d.Apply(k.ctx, queue.Commit{Finish: []queue.Finish{{Lease: l}}, Jobs: []queue.Job{j}})
			})
			won := 0
			for i, err := range errs {
				switch err {
				case nil:
					won++
					k.state(fmt.Sprint("a.", i), queue.Ready)
				case queue.ErrLeaseLost:
					k.state(fmt.Sprint("a.", i), "")
				default:
					k.Fatalf("finish: %v", err)
				}
			}
			k.equal("winners", won, 1)
		},
	})
}
