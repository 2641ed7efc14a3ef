package queuetest

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func exerciseOrder(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"one key runs one at a time in order": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.add(job("c", "k"))
			for _, id := range []string{"a", "b", "c"} {
				l := k.one(id)
				k.none()
				k.done(l)
			}
			k.none()
		},
		"keys run in parallel, oldest head first": func(k *kit) {
			k.add(job("a1", "a"), job("b1", "b"), job("a2", "a"), job("c1", "c"))
			k.equal("heads", ids(k.lease(10)), []string{"a1", "b1", "c1"})
		},
		"the next head takes its own place among the heads": func(k *kit) {
			k.add(job("a1", "a"), job("a2", "a"), job("b1", "b"), job("c1", "c"))
			k.done(k.one("a1"))
			k.equal("heads", ids(k.lease(10)), []string{"a2", "b1", "c1"})
		},
		"jobs without a key know no order": func(k *kit) {
			k.add(job("a", ""), job("b", ""), job("c", ""))
			k.equal("jobs", ids(k.lease(2)), []string{"a", "b"})
			k.equal("jobs", ids(k.lease(2)), []string{"c"})
		},
		"the same key of two lanes is two keys": func(k *kit) {
			other := job("b", "k")
			other.Lane = "out/erp.send"
			k.add(job("a", "k"), other)
			k.one("a")
			k.equal("other lane", ids(k.leaseOf("out/erp.send", 5)), []string{"b"})
		},
		"priorities": func(k *kit) {
			for i, p := range []queue.Priority{queue.Low, queue.Normal, queue.Critical, queue.High, queue.Critical} {
				j := job(fmt.Sprint("j", i), fmt.Sprint("k", i))
				j.Priority = p
				k.add(j)
			}
			k.equal("by priority", ids(k.lease(10)), []string{"j2", "j4", "j3", "j1", "j0"})
		},
		"priorities take turns where more is ready than wanted": func(k *kit) {
			const each = 90
			for i := range 4 * each {
				j := job(fmt.Sprint("j", i), fmt.Sprint("k", i))
				j.Priority = queue.Priority(i % 4)
				k.add(j)
			}
			got := map[queue.Priority]int{}
			last := [4]int{-1, -1, -1, -1}
			for range 150 {
				l := k.lease(1)[0]
				got[l.Priority]++
				n, _ := strconv.Atoi(l.ID[1:])
				if n <= last[l.Priority] {
					k.Fatalf("%s comes after job %d of the same priority", l.ID, last[l.Priority])
				}
				last[l.Priority] = n
			}
			k.equal("shares", got, map[queue.Priority]int{queue.Critical: 80, queue.High: 40, queue.Normal: 20, queue.Low: 10})
		},
		"many at once are shared the same way": func(k *kit) {
			for i := range 80 {
				j := job(fmt.Sprint("j", i), fmt.Sprint("k", i))
				if j.Priority = queue.Low; i >= 40 {
					j.Priority = queue.Critical
				}
				k.add(j)
			}
			var prios []queue.Priority
			got := map[queue.Priority]int{}
			for _, l := range k.lease(30) {
				prios = append(prios, l.Priority)
				got[l.Priority]++
			}
			k.equal("shares", got, map[queue.Priority]int{queue.Critical: 28, queue.Low: 2})
			k.equal("highest first", slices.IsSorted(prios), true)
		},
		"a key has the priority of its head": func(k *kit) {
			low, critical, normal := job("low", "k"), job("critical", "k"), job("normal", "n")
			low.Priority, critical.Priority = queue.Low, queue.Critical
			k.add(low, critical, normal)
			ls := k.lease(10)
			k.equal("heads", ids(ls), []string{"normal", "low"})
			k.done(ls[1])
			k.one("critical")
		},
		"a job that is not due holds up its key": func(k *kit) {
			late := job("late", "k")
			late.NotBefore = time.Now().Add(time.Hour)
			k.add(late, job("next", "k"), job("other", "o"))
			k.done(k.one("other"))
			k.none()
			k.state("late", queue.Delayed)
			k.equal("due too early", k.sweep(30*time.Minute).Due, 0)
			k.none()
			if s := k.sweep(time.Minute); s.Next.IsZero() || s.Next.After(time.Now().Add(61*time.Minute)) {
				k.Fatalf("the next thing due is said to be at %v", s.Next)
			}
			k.equal("due", k.sweep(61*time.Minute).Due, 1)
			k.done(k.one("late"))
			k.one("next")
		},
		"a job that is not due behind a head": func(k *kit) {
			late := job("late", "k")
			late.NotBefore = time.Now().Add(time.Hour)
			k.add(job("first", "k"), late)
			k.done(k.one("first"))
			k.none()
			k.sweep(2 * time.Hour)
			k.one("late")
		},
		"a time that has passed is no delay": func(k *kit) {
			j := job("a", "k")
			j.NotBefore = time.Now().Add(-time.Hour)
			k.add(j)
			k.one("a")
		},
		"many producers, workers and keys": manyWorkers,
	})
}

// manyWorkers checks order while everything happens at once: each producer
// writes its own keys, so the order of its Commits is known.
func manyWorkers(k *kit) {
	const producers, keys, perKey, workers = 8, 4, 15, 12
	total := producers * keys * perKey
	var mu sync.Mutex
	seen := map[string]int{}
	left := total
	finished := make(chan struct{})

	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for n := range perKey {
				var c queue.Commit
				for i := range keys {
					key := fmt.Sprintf("p%d-%d", p, i)
					c.Jobs = append(c.Jobs, job(fmt.Sprintf("%s-%03d", key, n), key))
				}
				if _, err := k.d.Apply(k.ctx, c); err != nil {
					k.Errorf("apply: %v", err)
				}
			}
		})
	}
	work := func() {
		for {
			select {
			case <-finished:
				return
			default:
			}
			ls, err := k.d.Lease(k.ctx, queue.Want{Lane: lane, Max: 3, TTL: time.Minute, Wait: 50 * time.Millisecond})
			if err != nil {
				k.Errorf("lease: %v", err)
				return
			}
			for _, l := range ls {
				mu.Lock()
				if want := fmt.Sprintf("%s-%03d", l.Key, seen[l.Key]); l.ID != want {
					k.Errorf("key %s: got %s, want %s", l.Key, l.ID, want)
				}
				seen[l.Key]++
				mu.Unlock()
				if _, err := k.d.Apply(k.ctx, queue.Commit{Finish: []queue.Finish{{Lease: l}}}); err != nil {
					k.Errorf("finish %s: %v", l.ID, err)
				}
				mu.Lock()
				if left--; left == 0 {
					close(finished)
				}
				mu.Unlock()
			}
		}
	}
	for range workers {
		wg.Go(work)
	}
	wg.Wait()
	if left != 0 {
		k.Fatalf("%d of %d jobs were never leased", left, total)
	}
	for _, s := range k.browse(queue.Query{View: queue.Lanes}).Lanes {
		if s.Ready+s.Leased+s.Delayed+s.Dead != 0 {
			k.Errorf("left in lane %s: %+v", s.Lane, s)
		}
	}
}
