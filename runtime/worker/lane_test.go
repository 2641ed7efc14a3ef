package worker

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

// TestLanesOfRemovedPipelinesEnd: a lane that nothing names and nothing waits in
// is not served any more; it is again when the pipeline comes back, or when a
// message turns up in it.
func TestLanesOfRemovedPipelinesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := memory.Open(memory.Options{})
		defer d.Close()
		with := &Live{WS: &compile.Workspace{Pipelines: map[string]*compile.Pipeline{"a": {Policy: &compile.Policy{}}, "b": {Policy: &compile.Policy{}}}}}
		without := &Live{WS: &compile.Workspace{Pipelines: map[string]*compile.Pipeline{"b": {Policy: &compile.Policy{}}}}}
		w := New(d, slog.New(slog.DiscardHandler), journal.NewMeter(), Options{})
		served := func(name string) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.lanes[name] != nil
		}
		w.Use(with)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(time.Minute)
		if !served("in/a") || !served("in/b") {
			t.Fatal("the lanes of pipelines are not served")
		}
		w.Use(without)
		time.Sleep(time.Minute)
		if served("in/a") || !served("in/b") {
			t.Errorf("in/a served: %t, in/b served: %t", served("in/a"), served("in/b"))
		}
		w.Use(with)
		if !served("in/a") {
			t.Error("the lane of a pipeline that came back is not served")
		}
		w.Use(without)
		time.Sleep(time.Minute)
		// A message for a pipeline that is gone is not left lying: it is parked,
		// with the reason.
		_, err := d.Apply(ctx, queue.Commit{Jobs: []queue.Job{{ID: "1", Lane: "in/a", Body: nil}}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		page, err := d.Browse(ctx, queue.Query{View: queue.Lanes})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lanes {
			if l.Ready+l.Leased > 0 {
				t.Errorf("lane %s: %d ready, %d leased", l.Lane, l.Ready, l.Leased)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}
