package queuetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// Cycles measures the hot path of the product: b.N messages of 1.5 KB are
// accepted (idempotency key, two references, one history entry), leased and
// delivered (one history entry), by 64 producers and 64 workers. It reports
// whole cycles per second and how long the sender waits for the answer.
func Cycles(b *testing.B, d queue.Driver) {
	const producers, workers = 64, 64
	body := make([]byte, 768)
	if _, err := rand.Read(body); err != nil {
		b.Fatal(err)
	}
	text := []byte(hex.EncodeToString(body)) // half as compressible as an order
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var next, left atomic.Int64
	left.Store(int64(b.N))
	waits := make([][]time.Duration, producers)
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	begin := time.Now()
	for p := range producers {
		wg.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				started := time.Now()
				if _, err := d.Apply(ctx, queue.Commit{Jobs: []queue.Job{message(n, text)}}); err != nil {
					b.Errorf("apply: %v", err)
					cancel()
					return
				}
				waits[p] = append(waits[p], time.Since(started))
			}
		})
	}
	for range workers {
		wg.Go(func() {
			for left.Load() > 0 && ctx.Err() == nil {
				ls, err := d.Lease(ctx, queue.Want{Lane: lane, Max: 1, TTL: time.Minute, Wait: 100 * time.Millisecond})
				if err != nil {
					b.Errorf("lease: %v", err)
					cancel()
					return
				}
				for _, l := range ls {
					e := entry(l.ID, queue.Delivered)
					e.Target, e.Attempt, e.Revision = "wms.shipments", 1, "r42"
					if _, err := d.Apply(ctx, queue.Commit{Finish: []queue.Finish{{Lease: l}}, History: []queue.Entry{e}}); err != nil {
						b.Errorf("finish: %v", err)
						cancel()
						return
					}
					if left.Add(-1) == 0 {
						cancel()
					}
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	b.StopTimer()
	all := slices.Concat(waits...)
	slices.Sort(all)
	if len(all) > 0 {
		b.ReportMetric(float64(b.N)/took.Seconds(), "cycles/s")
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	}
}

// message is a message of the usual size.
func message(n int64, body []byte) queue.Job {
	id := fmt.Sprintf("m%016x", uint64(n)*0x9e3779b97f4a7c15)
	e := entry(id, queue.Accepted,
		queue.Ref{Type: "order", Value: fmt.Sprintf("SO-%d", n)}, queue.Ref{Type: "customer", Value: fmt.Sprintf("C-%d", n%5000)})
	e.Revision, e.Detail = "r42", "webhook erp"
	return queue.Job{
		ID: id, Lane: lane, Key: fmt.Sprintf("SO-%d", n), Priority: queue.Normal, Body: body,
		Dedupe: "orders/" + id, DedupeTTL: 24 * time.Hour, Digest: id,
		Fresh: []queue.Entry{e}, Again: []queue.Entry{entry(id, queue.Duplicated)},
	}
}
