package queuetest

import (
	"fmt"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// offer is a job with an idempotency key.
func offer(id, dedupe, digest string) queue.Job {
	j := job(id, "")
	j.Dedupe, j.Digest, j.DedupeTTL = dedupe, digest, 24*time.Hour
	j.Fresh = []queue.Entry{entry(id, queue.Accepted)}
	j.Again = []queue.Entry{entry(id, queue.Noted)}
	return j
}

func exerciseDedupe(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"duplicate and conflict": func(k *kit) {
			k.equal("first", k.add(offer("a", "key", "d1")), []queue.Result{{Status: queue.Enqueued, ID: "a"}})
			k.equal("again", k.add(offer("b", "key", "d1")), []queue.Result{{Status: queue.Duplicate, ID: "a"}})
			k.equal("other", k.add(offer("c", "key", "d2")), []queue.Result{{Status: queue.Conflict, ID: "a"}})
			k.state("b", "")
			k.state("c", "")
			k.equal("accepted", k.count("orders", queue.Accepted), 1)
			k.equal("duplicates", k.count("orders", queue.Duplicated), 1)
			k.equal("conflicts", k.count("orders", queue.Conflicted), 1)
			k.equal("noted", k.count("orders", queue.Noted), 0)
			k.one("a")
		},
		"the key outlives the job": func(k *kit) {
			k.add(offer("a", "key", "d"))
			k.done(k.one("a"))
			k.equal("after it is done", k.add(offer("b", "key", "d")), []queue.Result{{Status: queue.Duplicate, ID: "a"}})
			k.none()
		},
		"the same commit again": func(k *kit) {
			c := queue.Commit{Jobs: []queue.Job{offer("a", "key", "d"), job("b", "k")}}
			first := k.apply(c)
			k.equal("again", k.apply(c), first)
			k.equal("accepted", k.count("orders", queue.Accepted), 1)
			ls := k.lease(5)
			k.equal("jobs", ids(ls), []string{"a", "b"})
			k.equal("while leased", k.apply(c), first)
			k.done(ls[0])
			k.equal("after a is done", k.apply(c), first)
			k.state("a", "")
			k.equal("accepted", k.count("orders", queue.Accepted), 1)
			k.equal("duplicates", k.count("orders", queue.Duplicated), 0)
			k.none()
		},
		"within one commit": func(k *kit) {
			k.equal("two in one", k.add(offer("a", "key", "d"), offer("b", "key", "d"), offer("c", "key", "e"), offer("a", "key", "d")),
				[]queue.Result{{ID: "a"}, {Status: queue.Duplicate, ID: "a"}, {Status: queue.Conflict, ID: "a"}, {ID: "a"}})
			k.one("a")
			k.none()
		},
		"one key from many at once": func(k *kit) {
			for round := range 5 {
				const n = 32
				results := make([]queue.Result, n)
				together(n, func(i int) {
					res, err := k.d.Apply(k.ctx, queue.Commit{Jobs: []queue.Job{
						offer(fmt.Sprintf("r%d-%d", round, i), fmt.Sprint("key", round), "d")}})
					if err != nil {
						k.Errorf("apply: %v", err)
						return
					}
					results[i] = res[0]
				})
				enqueued, original := 0, ""
				for _, r := range results {
					if r.Status == queue.Enqueued {
						enqueued++
						original = r.ID
					}
				}
				k.equal("enqueued", enqueued, 1)
				for _, r := range results {
					k.equal("original", r.ID, original)
				}
				l := k.one(original)
				k.none()
				k.done(l)
			}
		},
		"the key is forgotten after its time": func(k *kit) {
			short := offer("a", "short", "d")
			short.DedupeTTL = time.Hour
			k.add(short, offer("b", "long", "d"))
			k.sweep(30 * time.Minute)
			k.equal("still known", k.add(offer("c", "short", "d"))[0].Status, queue.Duplicate)
			k.sweep(2 * time.Hour)
			k.equal("short", k.add(offer("d", "short", "other")), []queue.Result{{ID: "d"}})
			k.equal("long", k.add(offer("e", "long", "d"))[0].Status, queue.Duplicate)
			k.equal("known anew", k.add(offer("f", "short", "other"))[0].Status, queue.Duplicate)
		},
		"a refused commit takes no key": func(k *kit) {
			k.refuse(queue.ErrVersion, queue.Commit{
				Jobs: []queue.Job{offer("a", "key", "d")}, Put: []queue.Put{{Key: "s", Version: 7, Value: []byte("x")}}})
			k.equal("later", k.add(offer("b", "key", "d")), []queue.Result{{ID: "b"}})
		},
	})
}
