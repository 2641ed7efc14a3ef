package worker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// stalled is a store that does not answer when a lease is to be extended.
type stalled struct{ queue.Driver }

// Extend implements queue.Driver.
func (s stalled) Extend(ctx context.Context, _ []queue.Lease, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestNoCallOutlivesItsLease: a call to a slow target is given up before its
// lease runs out where the store cannot be asked for more time, so that it
// never meets the call of the next holder.
func TestNoCallOutlivesItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "  slow: {repeat: keyed, timeout: 60s}\n  safe: {repeat: safe}\n", pipeline("  - {send: t.slow}\n"), nil)
		const lease = 10 * time.Second
		var busy, most int
		var longest time.Duration
		slow := sink(func(ctx context.Context, _ connectors.Request) (connectors.Response, error) {
			began := time.Now()
			busy++
			most = max(most, busy)
			<-ctx.Done()
			busy--
			longest = max(longest, time.Since(began))
			return connectors.Response{}, ctx.Err()
		})
		w := newWorker(f.worker.Live().WS, stalled{f.driver}, slow, worker.Options{LeaseTTL: lease, Grace: time.Second})
		if _, err := w.Channel("p", true).Send(t.Context(), message.Message{Raw: []byte(`{"n":1,"k":"a"}`), Meta: message.Meta{Source: "http", ReceivedAt: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(2 * time.Minute)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if longest == 0 || longest >= lease {
			t.Errorf("a call went on for %s under a lease of %s", longest, lease)
		}
		if most != 1 {
			t.Errorf("%d calls for one message at the same time", most)
		}
	})
}
