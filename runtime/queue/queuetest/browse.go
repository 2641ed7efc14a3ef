package queuetest

import (
	"fmt"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

func jobIDs(js []queue.JobInfo) []string {
	out := make([]string, len(js))
	for i, j := range js {
		out[i] = j.ID
	}
	return out
}

func exerciseBrowse(t *testing.T, h Harness) {
	each(t, h, map[string]func(k *kit){
		"an empty store": func(k *kit) {
			for v := queue.Lanes; v <= queue.Counters; v++ {
				p := k.browse(queue.Query{View: v})
				k.equal(fmt.Sprint("view ", v), len(p.Lanes)+len(p.Jobs)+len(p.Entries)+len(p.Counts), 0)
			}
		},
		"looking at a lane does not make it": func(k *kit) {
			k.leaseOf("out/x", 1)
			k.equal("lanes", len(k.browse(queue.Query{View: queue.Lanes}).Lanes), 0)
		},
		"lanes": func(k *kit) {
			late, far := job("late", "l"), job("far", "f")
			late.NotBefore = time.Now().Add(time.Hour)
			far.Lane = "out/far"
			k.add(job("dead", "d"), job("parked", "p"))
			k.bury("dead")
			k.finish(queue.Finish{Lease: k.one("parked"), Outcome: queue.Park, Reason: "window"})
			k.add(job("leased", "k"), job("behind", "k"), late, far)
			k.one("leased")
			lanes := k.browse(queue.Query{View: queue.Lanes}).Lanes
			k.equal("lanes", len(lanes), 2)
			if o := lanes[0].Oldest; o.Before(k.now.Add(-time.Second)) || o.After(time.Now().Add(time.Second)) {
				k.Fatalf("oldest: %v", o)
			}
			lanes[0].Oldest, lanes[1].Oldest = time.Time{}, time.Time{}
			k.equal("stats", lanes, []queue.LaneStat{
				{Lane: lane, Ready: 1, Leased: 1, Delayed: 1, Parked: map[string]int{"window": 1}, Dead: 1},
				{Lane: "out/far", Ready: 1, Parked: map[string]int{}}})
			k.equal("one lane", len(k.browse(queue.Query{View: queue.Lanes, Lane: "out/far"}).Lanes), 1)
			k.done(k.leaseOf("out/far", 1)[0])
			lanes = k.browse(queue.Query{View: queue.Lanes, Lane: "out/far"}).Lanes
			if len(lanes) != 1 || lanes[0].Ready != 0 || !lanes[0].Oldest.IsZero() {
				k.Fatalf("a lane that was emptied: %+v", lanes)
			}
		},
		"jobs of a state, page by page": func(k *kit) {
			var want, dead []string
			for i := range 23 {
				id := fmt.Sprintf("j%02d", i)
				k.add(job(id, id))
				if i%4 == 0 {
					dead = append(dead, id)
				} else {
					want = append(want, id)
				}
			}
			for _, l := range k.lease(100) {
				if (l.ID[1]-'0')*10+(l.ID[2]-'0') == 0 || ((l.ID[1]-'0')*10+(l.ID[2]-'0'))%4 == 0 {
					k.finish(queue.Finish{Lease: l, Outcome: queue.Dead, Box: "box" + l.ID[2:]})
				} else {
					k.finish(queue.Finish{Lease: l, Outcome: queue.Release})
				}
			}
			k.equal("ready", jobIDs(k.pages(queue.Query{View: queue.Jobs, Lane: lane, State: queue.Ready, Limit: 4}).Jobs), want)
			k.equal("dead", jobIDs(k.pages(queue.Query{View: queue.Jobs, State: queue.DeadJob, Limit: 2}).Jobs), dead)
			k.equal("all", len(k.pages(queue.Query{View: queue.Jobs, Limit: 5}).Jobs), 23)
			k.equal("box", jobIDs(k.pages(queue.Query{View: queue.Jobs, Box: "box4", Limit: 5}).Jobs), []string{"j04"})
			k.equal("no such box", len(k.pages(queue.Query{View: queue.Jobs, Box: "none"}).Jobs), 0)
			k.equal("no such lane", len(k.pages(queue.Query{View: queue.Jobs, Lane: "none"}).Jobs), 0)
		},
		"bodies only when asked for": func(k *kit) {
			k.add(job("a", "k"))
			k.equal("without", len(k.browse(queue.Query{View: queue.Jobs}).Jobs[0].Body), 0)
			k.equal("with", string(k.browse(queue.Query{View: queue.Jobs, Bodies: true}).Jobs[0].Body), "body of a")
		},
		"browsing changes nothing": func(k *kit) {
			k.add(job("a", "k"))
			k.one("a")
			for range 3 {
				k.browse(queue.Query{View: queue.Jobs})
				k.state("a", queue.Leased)
			}
			k.none()
		},
	})
}
