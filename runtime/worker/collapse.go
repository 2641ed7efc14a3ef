package worker

import (
	"context"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/queue"
)

// latestFor is how long the newest message of a key is remembered. What waits
// longer is worked on although a newer one waits behind it.
const latestFor = 7 * 24 * time.Hour

func latestKey(pipeline, order string) string {
	return "latest/" + dedupeKey(pipeline, []byte(order))
}

// latest notes, for a pipeline that collapses, the newest message of each key
// among jobs that are taken in.
func latest(p *compile.Pipeline, jobs []queue.Job) []queue.Put {
	if !p.Policy.Collapse {
		return nil
	}
	at := map[string]int{}
	var puts []queue.Put
	for i := range jobs {
		if jobs[i].Key == "" {
			continue
		}
		put := queue.Put{Key: latestKey(p.Name, jobs[i].Key), Version: queue.AnyVersion, Value: []byte(jobs[i].ID), TTL: latestFor}
		if n, there := at[put.Key]; there {
			puts[n] = put // one write names a key once
			continue
		}
		at[put.Key] = len(puts)
		puts = append(puts, put)
	}
	return puts
}

// corrected returns what latest should have noted, where some of the jobs turned
// out to be repeats, which are not stored: the newest that was, or what was known
// before.
func corrected(p *compile.Pipeline, c *queue.Commit, before []queue.Value, results []queue.Result) []queue.Put {
	newest := map[string]string{}
	for i, r := range results {
		if r.Status == queue.Enqueued && c.Jobs[i].Key != "" {
			newest[latestKey(p.Name, c.Jobs[i].Key)] = c.Jobs[i].ID
		}
	}
	var puts []queue.Put
	for i, put := range c.Put {
		id, stored := newest[put.Key]
		if stored && id == string(put.Value) {
			continue
		}
		put.Value = []byte(id)
		if !stored {
			put.Value = before[i].Data
		}
		puts = append(puts, put)
	}
	return puts
}

// collapsed ends a message of which a newer one waits behind it, if nothing was
// done for it yet. The note of the newest one is only a hint: the store decides
// whether it waits, for it may have been a repeat that was never stored.
func (t *task) collapsed(ctx, work context.Context) bool {
	if !t.p.Policy.Collapse || t.lease.Key == "" || !strings.HasPrefix(t.lease.Lane, "in/") || t.run.Effects > 0 || t.run.Ambiguous {
		return false
	}
	values, err := t.w.driver.Get(ctx, latestKey(t.p.Name, t.lease.Key))
	if err != nil || values[0].Version == 0 || string(values[0].Data) == t.lease.ID {
		return false // who is not sure works on it
	}

	newer := string(values[0].Data)
	page, err := t.w.driver.Browse(ctx, queue.Query{View: queue.ByID, ID: newer})
	if err != nil || len(page.Jobs) == 0 {
		return false
	}
	switch j := page.Jobs[0]; {
	case j.Lane != t.lease.Lane || j.Key != t.lease.Key:
		return false
	case j.State != queue.Ready && j.State != queue.Delayed && j.State != queue.Parked:
		return false
	}
	t.end(work, flow.Outcome{Kind: flow.Filtered, Reason: "the newer message " + newer + " with the same order_by takes its place"})
	return true
}
