package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// mortal is a store whose process has died where dead is set: nothing it does
// reaches the store any more, and its leases run out.
type mortal struct {
	queue.Driver
	dead atomic.Bool
}

func (m *mortal) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	if m.dead.Load() {
		return nil, queue.ErrClosed
	}
	return m.Driver.Apply(ctx, c)
}

func (m *mortal) Extend(ctx context.Context, ls []queue.Lease, ttl time.Duration) error {
	if m.dead.Load() {
		return queue.ErrClosed
	}
	return m.Driver.Extend(ctx, ls, ttl)
}

func (m *mortal) Lease(ctx context.Context, want queue.Want) ([]queue.Lease, error) {
	if m.dead.Load() {
		return nil, queue.ErrClosed
	}
	return m.Driver.Lease(ctx, want)
}

// TestOnlyTheGuiltyIsSetAside lets one message end the process again and again
// while others are under way: they are delivered in the end, and only the one is
// a dead letter.
func TestOnlyTheGuiltyIsSetAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		ws := load(t, map[string]string{
			"t.connection.yaml": "connection: t\ntype: log\nlimits: {timeout: 1m}\noperations: {slow: {repeat: keyed}}\n",
			"p.pipeline.yaml":   "pipeline: p\ntrigger: {http: {path: /p, verify: none}}\nkey: .n\nsteps:\n  - {send: t.slow}\n",
		})
		deaths := 0
		live := func() {
			d := &mortal{Driver: store}
			died := make(chan struct{})
			var under, most atomic.Int64
			w := newWorker(ws, d, sink(func(ctx context.Context, r connectors.Request) (connectors.Response, error) {
				most.Store(max(most.Load(), under.Add(1)))
				defer under.Add(-1)
				takes, guilty := 5*time.Second, strings.Contains(fmt.Sprint(r.Body), "guilty")
				if guilty {
					takes = time.Second
				}
				select {
				case <-time.After(takes):
				case <-ctx.Done():
					return connectors.Response{}, connectors.Ambiguous(ctx.Err())
				}
				if guilty && d.dead.CompareAndSwap(false, true) {
					close(died)
					<-ctx.Done()
				}
				return connectors.Response{Status: 200}, nil
			}), worker.Options{Grace: time.Millisecond})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- w.Run(ctx) }()
			if deaths == 0 {
				for _, n := range []string{"a", "b", "guilty", "c"} {
					if _, err := w.Channel("p", true).Send(ctx, message.Message{Raw: []byte(`{"n":"` + n + `"}`), Meta: message.Meta{ReceivedAt: time.Now()}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			select {
			case <-died:
				deaths++
			case <-time.After(time.Minute):
			}
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if n := most.Load(); deaths > 5 && n > 1 {
				t.Errorf("%d suspects were worked on at once", n)
			}
		}
		for range 20 {
			live()
			b, err := journal.ReadBalance(t.Context(), store, "")
			if err != nil {
				t.Fatal(err)
			}
			if b.Open == 0 {
				break
			}
		}
		if b, err := journal.ReadBalance(t.Context(), store, ""); err != nil || b.Delivered != 3 || b.Dead != 1 || b.Unaccounted != 0 {
			t.Errorf("balance %+v, %v", b, err)
		}
		page, err := store.Browse(t.Context(), queue.Query{View: queue.Jobs, State: queue.DeadJob})
		if err != nil || len(page.Jobs) != 1 || !strings.Contains(page.Jobs[0].Reason, "again and again") {
			t.Errorf("dead letters %+v, %v", page.Jobs, err)
		}
		if deaths != 7 {
			t.Errorf("%d processes died, want five until it is suspected and two until it is convicted", deaths)
		}
	})
}
