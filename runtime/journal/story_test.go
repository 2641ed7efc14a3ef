package journal_test

import (
	"context"
	"testing"
	"time"

	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

// TestBalanceOfOnePipeline: branches of several pipelines wait in one lane, and
// each pipeline is still accounted for by itself.
func TestBalanceOfOnePipeline(t *testing.T) {
	d := memory.Open(memory.Options{})
	defer d.Close()
	ctx := context.Background()
	put := func(id, pipeline, lane string, kind queue.Kind) queue.Job {
		return queue.Job{ID: id, Lane: lane, Body: flow.Encode(nil, &flow.Run{ID: id, Pipeline: pipeline, Body: "x", Original: "x"}),
			Fresh: []queue.Entry{{Message: id, At: time.Now(), Kind: kind, Pipeline: pipeline}}}
	}
	jobs := []queue.Job{
		put("1", "a", "in/a", queue.Accepted),
		put("2", "a", "out/t.put", queue.Accepted),
		put("3", "a", "out/t.put", queue.Accepted),
		put("4", "b", "out/t.put", queue.Accepted),
	}
	if _, err := d.Apply(ctx, queue.Commit{Jobs: jobs}); err != nil {
		t.Fatal(err)
	}
	leases, err := d.Lease(ctx, queue.Want{Lane: "out/t.put", Max: 1, TTL: time.Minute})
	if err != nil || len(leases) != 1 {
		t.Fatal(leases, err)
	}
	dead := queue.Commit{Finish: []queue.Finish{{Lease: leases[0], Outcome: queue.Dead, Box: "general", Reason: "no"}}}
	if _, err := d.Apply(ctx, dead); err != nil {
		t.Fatal(err)
	}
	for pipeline, want := range map[string]journal.Balance{
		"":  {Messages: 4, Accepted: 4, Dead: 1, Open: 3},
		"a": {Messages: 3, Accepted: 3, Dead: 1, Open: 2},
		"b": {Messages: 1, Accepted: 1, Open: 1},
	} {
		got, err := journal.ReadShared(ctx, d, pipeline, flow.PipelineOf)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%q: %+v, want %+v", pipeline, got, want)
		}
	}
	both, err := journal.ReadOf(ctx, d, func(pipeline string) bool { return pipeline != "c" }, flow.PipelineOf)
	if want := (journal.Balance{Messages: 4, Accepted: 4, Dead: 1, Open: 3}); err != nil || both != want {
		t.Errorf("of both: %+v, %v", both, err)
	}
}
