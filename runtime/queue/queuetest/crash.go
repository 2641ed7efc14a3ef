package queuetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func exerciseCrash(t *testing.T, h Harness) {
	if h.Reopen == nil {
		return
	}
	each(t, h, map[string]func(k *kit){
		"waiting jobs keep their order and content": func(k *kit) {
			for i := range 5 {
				k.add(job(fmt.Sprint("a", i), "a"), job(fmt.Sprint("b", i), ""))
			}
			k.done(k.one("a0"))
			k.reopen()
			var got []string
			for {
				ls := k.lease(1)
				if len(ls) == 0 {
					break
				}
				k.equal("body", string(ls[0].Body), "body of "+ls[0].ID)
				got = append(got, ls[0].ID)
				k.done(ls[0])
			}
			k.equal("order", got, []string{"b0", "a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4"})
		},
		"leased jobs come back": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			old := k.one("a")
			k.reopen()
			if !k.h.Features.Shared {
				k.refuse(queue.ErrLeaseLost, queue.Commit{Finish: []queue.Finish{{Lease: old}}})
			}
			l := k.one("a")
			k.equal("attempts", l.Attempts, 0)
			k.equal("crashes", l.Crashes, 1)
			if l.Epoch <= old.Epoch {
				k.Fatalf("the epoch went from %d to %d", old.Epoch, l.Epoch)
			}
			k.refuse(queue.ErrLeaseLost, queue.Commit{Finish: []queue.Finish{{Lease: old}}})
			k.reopen()
			k.equal("crashes", k.one("a").Crashes, 2)
		},
		"a released lease is no crash": func(k *kit) {
			k.add(job("a", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Release})
			k.reopen()
			k.equal("crashes", k.one("a").Crashes, 0)
		},
		"every state survives": func(k *kit) {
			late := job("late", "late")
			late.NotBefore = time.Now().Add(3 * time.Hour)
			k.add(job("retry", "retry"), job("park", "park"), job("hold", "hold"), job("dead", "dead"), job("done", "done"),
				job("keep", "keep"), late)
			for _, l := range k.lease(10) {
				f := queue.Finish{Lease: l, Attempts: 7, Reason: "why " + l.ID, Box: "box", Group: "g"}
				switch l.ID {
				case "retry":
					f.Outcome, f.At, f.Body = queue.Retry, time.Now().Add(time.Hour), []byte("retry body")
				case "park":
					f.Outcome, f.At = queue.Park, time.Now().Add(2*time.Hour)
				case "hold":
					f.Outcome = queue.Park
				case "dead":
					f.Outcome, f.Body = queue.Dead, []byte("dead body")
				case "keep":
					f.Outcome, f.Body = queue.Keep, []byte("keep body")
				}
				k.finish(f)
			}
			k.reopen()
			if k.h.Features.Shared {
				k.Skip("the hour that a shared store needs to take leases back makes jobs due")
			}
			k.state("done", "")
			i := k.info("dead")
			k.equal("dead", []any{i.State, i.Reason, i.Box, i.Group, i.Attempts, string(i.Body), i.DeadAt.IsZero()},
				[]any{queue.DeadJob, "why dead", "box", "g", 7, "dead body", false})
			i = k.info("hold")
			k.equal("hold", []any{i.State, i.Reason, i.Due.IsZero(), string(i.Body)},
				[]any{queue.Parked, "why hold", true, "body of hold"})
			l := k.one("keep")
			k.equal("keep", []any{l.Attempts, string(l.Body)}, []any{7, "keep body"})
			k.sweep(90 * time.Minute)
			l = k.one("retry")
			k.equal("retry", []any{l.Attempts, string(l.Body)}, []any{7, "retry body"})
			k.sweep(150 * time.Minute)
			ls := k.lease(10)
			k.equal("parked until", fmt.Sprint(ids(ls)), "[retry park keep]")
			k.sweep(200 * time.Minute)
			k.state("late", queue.Ready)
		},
		"orders survive": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"), job("c", "k"), job("e", "e"), job("x", "x"))
			k.bury("a")
			k.bury("b")
			ls := k.lease(3)
			k.equal("left", ids(ls), []string{"c", "e", "x"})
			k.finish(queue.Finish{Lease: ls[0], Outcome: queue.Release})
			k.finish(queue.Finish{Lease: ls[1], Outcome: queue.Dead})
			k.finish(queue.Finish{Lease: ls[2], Outcome: queue.Park, Reason: "r"})
			k.apply(queue.Commit{Orders: []queue.Order{
				{ID: "b", Do: queue.Revive}, {ID: "e", Do: queue.Edit, Body: []byte("edited")}, {ID: "x", Do: queue.Unpark}}})
			k.apply(queue.Commit{Orders: []queue.Order{{ID: "a", Do: queue.Revive, Body: []byte("new a")}}})
			k.reopen()
			k.equal("edited", string(k.info("e").Body), "edited")
			var got []string
			for {
				ls := k.lease(1)
				if len(ls) == 0 {
					break
				}
				if ls[0].ID == "a" {
					k.equal("body", string(ls[0].Body), "new a")
				}
				got = append(got, ls[0].ID)
				k.done(ls[0])
			}
			k.equal("order", got, []string{"c", "x", "b", "a"})
			k.reopen()
			k.none()
			k.state("b", "")
		},
		"keys, values, counters and history survive": func(k *kit) {
			ref := queue.Ref{Type: "order", Value: "SO-9"}
			j := offer("a", "key", "d")
			j.Fresh[0].Refs = []queue.Ref{ref}
			k.apply(queue.Commit{Jobs: []queue.Job{j}, Put: []queue.Put{{Key: "s", Value: []byte("v")}}})
			k.apply(put("s", 1, "w"))
			for range 2 {
				k.reopen()
				k.equal("duplicate", k.add(offer("b", "key", "d")), []queue.Result{{Status: queue.Duplicate, ID: "a"}})
				v := k.get("s")
				k.equal("value", []any{v.Version, string(v.Data)}, []any{2, "w"})
				k.equal("accepted", k.count("orders", queue.Accepted), 1)
				k.equal("by ref", messages(k.browse(queue.Query{View: queue.ByRef, Ref: ref, Limit: 1}).Entries), []string{"a accepted"})
			}
			k.equal("duplicates", k.count("orders", queue.Duplicated), 2)
			k.equal("lanes", len(k.browse(queue.Query{View: queue.Lanes}).Lanes), 1)
		},
		"new jobs come after old ones": func(k *kit) {
			k.add(job("a", "k"))
			k.reopen()
			k.add(job("b", "k"))
			k.reopen()
			k.add(job("c", "k"))
			for _, id := range []string{"a", "b", "c"} {
				k.done(k.one(id))
			}
		},
		"what was acknowledged under load survives": ackedSurvive,
	})
}

// ackedSurvive crashes the store again and again while everybody works, and
// holds it to what it acknowledged.
func ackedSurvive(k *kit) {
	var mu sync.Mutex
	added, ended := map[string]bool{}, map[string]bool{}
	rounds := 4
	for round := range rounds {
		d := k.d
		var wg sync.WaitGroup
		for p := range 4 {
			wg.Go(func() {
				for n := range 40 {
					id := fmt.Sprintf("r%d-p%d-%d", round, p, n)
					if _, err := d.Apply(k.ctx, queue.Commit{Jobs: []queue.Job{job(id, fmt.Sprint("k", n%7))}}); err != nil {
						return
					}
					mu.Lock()
					added[id] = true
					mu.Unlock()
				}
			})
			wg.Go(func() {
				for range 20 {
					ls, err := d.Lease(k.ctx, queue.Want{Lane: lane, Max: 2, TTL: time.Minute, Wait: 10 * time.Millisecond})
					if err != nil {
						return
					}
					for _, l := range ls {
						if _, err := d.Apply(k.ctx, queue.Commit{Finish: []queue.Finish{{Lease: l}}}); err != nil {
							return
						}
						mu.Lock()
						if ended[l.ID] {
							k.Errorf("%s was leased after it was finished", l.ID)
						}
						ended[l.ID] = true
						mu.Unlock()
					}
				}
			})
		}
		if round%2 == 0 {
			wg.Wait()
		}
		k.reopen()
		wg.Wait()
	}
	for id := range added {
		if i := k.info(id); (i == nil) != ended[id] {
			// A Finish whose answer was lost may have been written all the same.
			if i == nil {
				mu.Lock()
				added[id] = false
				mu.Unlock()
			} else {
				k.Errorf("%s was finished and is back as %s", id, i.State)
			}
		}
	}
	unknown := 0
	for _, there := range added {
		if !there {
			unknown++
		}
	}
	if limit := 2 * 4 * rounds; unknown > limit {
		k.Errorf("%d acknowledged jobs are gone without an acknowledged finish, at most %d can be", unknown, limit)
	}
}
