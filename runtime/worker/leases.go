package worker

import (
	"context"
	"errors"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// leases keeps the leases of this process alive and cancels the work of those
// that were lost.
type leases struct {
	mu   sync.Mutex
	held map[string]*held
}

type held struct {
	lease  queue.Lease             // without what the message holds
	lost   bool                    // another holder may be at work
	cancel context.CancelCauseFunc // nil until work by itself begins
}

func newLeases() *leases { return &leases{held: map[string]*held{}} }

func (l *leases) add(list []queue.Lease) {
	all := make([]held, len(list))
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range list {
		ls := &list[i]
		all[i].lease = queue.Lease{Job: queue.Job{ID: ls.ID, Lane: ls.Lane, Key: ls.Key}, Slot: ls.Slot, Epoch: ls.Epoch, Until: ls.Until}
		l.held[list[i].ID] = &all[i]
	}
}

func (l *leases) remove(ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.held, id)
	}
}

// guard returns a context that ends when the lease is lost.
func (l *leases) guard(ctx context.Context, id string) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	l.mu.Lock()
	if h := l.held[id]; h != nil {
		h.cancel = cancel
	}
	l.mu.Unlock()
	return ctx, cancel
}

// keep extends leases that have used a third of their time.
func (l *leases) keep(ctx context.Context, w *Worker) {
	tick := time.NewTicker(w.opt.LeaseTTL / 6)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		var old []*held
		l.mu.Lock()
		for _, h := range l.held {
			if h.lease.Until.Sub(now) < w.opt.LeaseTTL*2/3 {
				old = append(old, h)
			}
		}
		l.mu.Unlock()
		l.extendAll(ctx, w, old, now)
	}
}

// watch ends work whose lease is about to run out because the store does not
// answer in time. It is a duty of its own, since keep waits for the store: what
// goes on beyond a lease would meet the work of the next holder.
func (l *leases) watch(ctx context.Context, margin time.Duration) {
	tick := time.NewTicker(margin / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l.mu.Lock()
		for _, h := range l.held {
			if !h.lost && time.Until(h.lease.Until) < margin {
				h.lost = true
				if h.cancel != nil {
					h.cancel(queue.ErrLeaseLost)
				}
			}
		}
		l.mu.Unlock()
	}
}

// extendAll extends many leases in one call; where one of them is lost, it finds
// out which.
func (l *leases) extendAll(ctx context.Context, w *Worker, old []*held, now time.Time) {
	if len(old) == 0 {
		return
	}
	list := make([]queue.Lease, len(old))
	for i, h := range old {
		list[i] = h.lease
	}
	if err := w.driver.Extend(ctx, list, w.opt.LeaseTTL); err != nil {
		for _, h := range old {
			l.extend(ctx, w, h, now)
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, h := range old {
		h.lease.Until = now.Add(w.opt.LeaseTTL)
	}
}

func (l *leases) extend(ctx context.Context, w *Worker, h *held, now time.Time) {
	err := w.driver.Extend(ctx, []queue.Lease{h.lease}, w.opt.LeaseTTL)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		h.lease.Until = now.Add(w.opt.LeaseTTL)
	case errors.Is(err, queue.ErrLeaseLost), now.After(h.lease.Until):
		h.lost = true
		if h.cancel != nil {
			h.cancel(queue.ErrLeaseLost)
		}
	}
}

// fresh reports whether the lease has enough time left to begin an effect.
func (l *leases) fresh(id string, margin time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[id]
	return h != nil && !h.lost && time.Until(h.lease.Until) > margin
}
