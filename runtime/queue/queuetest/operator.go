package queuetest

import (
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// bury makes a dead letter of the job that is next.
func (k *kit) bury(id string) {
	k.Helper()
	k.finish(queue.Finish{Lease: k.one(id), Outcome: queue.Dead, Attempts: 9, Box: "orders", Reason: "no", Group: "g"})
}

func order(id string, do queue.Do) queue.Commit {
	return queue.Commit{Orders: []queue.Order{{ID: id, Do: do}}}
}

func exerciseOperator(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"revive goes to the tail of its key": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.bury("a")
			k.add(job("c", "k"))
			k.apply(order("a", queue.Revive))
			k.state("a", queue.Ready)
			for _, id := range []string{"b", "c"} {
				k.done(k.one(id))
			}
			l := k.one("a")
			k.equal("attempts, body", []any{l.Attempts, string(l.Body)}, []any{0, "body of a"})
			k.done(l)
			k.refuse(queue.ErrNotFound, order("a", queue.Revive))
		},
		"a dead letter is discarded and enqueued beside its key in one write": func(k *kit) {
			k.add(job("a", "k"), job("b", "k"))
			k.bury("a")
			b := k.one("b")
			again := job("a", "")
			again.Body = []byte("again")
			k.apply(queue.Commit{Orders: []queue.Order{{ID: "a", Do: queue.Discard}}, Jobs: []queue.Job{again}})
			k.state("a", queue.Ready)
			l := k.one("a")
			k.equal("attempts, body", []any{l.Attempts, string(l.Body)}, []any{0, "again"})
			k.done(l)
			k.done(b)
			k.none()
		},
		"revive with another body": func(k *kit) {
			k.add(job("a", "k"))
			k.bury("a")
			k.apply(queue.Commit{Orders: []queue.Order{{ID: "a", Do: queue.Revive, Body: []byte("better")}}})
			k.equal("body", string(k.one("a").Body), "better")
		},
		"edit stays dead": func(k *kit) {
			k.add(job("a", "k"))
			k.bury("a")
			k.apply(queue.Commit{Orders: []queue.Order{{ID: "a", Do: queue.Edit, Body: []byte("edited")}}})
			k.state("a", queue.DeadJob)
			k.equal("body", string(k.info("a").Body), "edited")
			k.apply(order("a", queue.Revive))
			k.equal("body", string(k.one("a").Body), "edited")
		},
		"discard": func(k *kit) {
			k.add(job("a", "k"), job("b", "p"), job("c", "p"))
			k.bury("a")
			k.finish(queue.Finish{Lease: k.one("b"), Outcome: queue.Park, Reason: "x"})
			k.none()
			k.apply(queue.Commit{
				Orders:  []queue.Order{{ID: "a", Do: queue.Discard}, {ID: "b", Do: queue.Discard}},
				History: []queue.Entry{entry("a", queue.Discarded)},
			})
			k.state("a", "")
			k.state("b", "")
			k.equal("discarded", k.count("orders", queue.Discarded), 1)
			k.one("c")
		},
		"unpark a retry": func(k *kit) {
			k.add(job("a", "k"))
			k.finish(queue.Finish{Lease: k.one("a"), Outcome: queue.Retry, Attempts: 2, At: time.Now().Add(time.Hour)})
			k.apply(order("a", queue.Unpark))
			k.equal("attempts", k.one("a").Attempts, 2)
			k.equal("due later", k.sweep(2*time.Hour).Due, 0)
		},
		"orders that do not fit": func(k *kit) {
			k.add(job("ready", "r"), job("leased", "l"))
			ls := k.lease(2)
			k.finish(queue.Finish{Lease: ls[0], Outcome: queue.Release})
			for _, id := range []string{"ready", "leased", "unknown"} {
				for do := queue.Revive; do <= queue.Unpark; do++ {
					c := order(id, do)
					c.Jobs = []queue.Job{job("extra", "")}
					k.refuse(queue.ErrNotFound, c)
				}
			}
			k.state("extra", "")
		},
		"one order that does not fit refuses the whole commit": func(k *kit) {
			k.add(job("a", "k"))
			k.bury("a")
			k.refuse(queue.ErrNotFound, queue.Commit{Orders: []queue.Order{{ID: "a", Do: queue.Revive}, {ID: "x", Do: queue.Revive}}})
			k.state("a", queue.DeadJob)
		},
		"cancel": func(k *kit) {
			late := job("late", "k")
			late.NotBefore = time.Now().Add(time.Hour)
			k.add(late, job("second", "k"), job("third", "k"), job("fourth", "k"), job("leased", "l"))
			l := k.one("leased")
			k.apply(queue.Commit{Cancel: []string{"late", "third", "leased", "unknown"}})
			k.state("late", "")
			k.state("third", "")
			k.state("leased", queue.Leased)
			k.done(l)
			k.equal("due", k.sweep(2*time.Hour).Due, 0)
			k.done(k.one("second"))
			k.done(k.one("fourth"))
			k.none()
		},
		"cancel and replace in one commit": func(k *kit) {
			timer := job("t1", "timer")
			timer.NotBefore = time.Now().Add(time.Hour)
			k.add(timer)
			timer.ID, timer.NotBefore = "t2", time.Now().Add(2*time.Hour)
			k.apply(queue.Commit{Cancel: []string{"t1"}, Jobs: []queue.Job{timer}})
			k.sweep(90 * time.Minute)
			k.none()
			k.sweep(3 * time.Hour)
			k.one("t2")
		},
	})
}
