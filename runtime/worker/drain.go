package worker

import (
	"context"
	"sort"
	"time"

	"crossdock/runtime/queue"
)

// Drain works on everything that waits, one message after the other, without
// waiting for time to pass: when only later work is left it is made due at
// once. It is what tests, `try` and `plan` use instead of Run, with the same
// processing. It ends when nothing but parked messages is left, or after most
// steps, and returns how many it made.
func (w *Worker) Drain(ctx context.Context, most int) (int, error) {
	steps := 0
	for steps < most {
		did, err := w.drainOnce(ctx, most-steps)
		steps += did
		if err != nil {
			return steps, err
		}
		if did > 0 {
			continue
		}
		swept, err := w.driver.Sweep(ctx, time.Now())
		if err != nil {
			return steps, err
		}
		if swept.Due > 0 {
			continue
		}
		if swept.Next.IsZero() {
			return steps, nil
		}
		if swept, err = w.driver.Sweep(ctx, swept.Next); err != nil {
			return steps, err
		}
		if swept.Due == 0 {
			return steps, nil
		}
	}
	return steps, nil
}

func (w *Worker) drainOnce(ctx context.Context, most int) (int, error) {
	w.mu.Lock()
	names := make([]string, 0, len(w.lanes))
	for name := range w.lanes {
		names = append(names, name)
	}
	w.mu.Unlock()
	sort.Strings(names)
	did := 0
	for _, name := range names {
		for did < most {
			leased, err := w.driver.Lease(ctx, queue.Want{Lane: name, Max: 1, TTL: time.Hour})
			if err != nil {
				return did, err
			}
			if len(leased) == 0 {
				break
			}
			w.leases.add(leased)
			w.process(ctx, leased[0])
			did++
		}
	}
	return did, nil
}
