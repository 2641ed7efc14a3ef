package policy

import (
	"context"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// patience is the longest wait that is spent in memory.
const patience = 5 * time.Second

// source gives out the right to one call each. take returns 0 when it gave one,
// else how long to wait before it is asked again. It may ask the store.
type source interface {
	take(ctx context.Context, now time.Time) time.Duration
}

func (b *Bucket) take(_ context.Context, now time.Time) time.Duration { return b.Take(now) }

// Pacer lets callers go at a rate, by turns of their priorities.
type Pacer struct {
	mu       sync.Mutex
	interval time.Duration
	from     source
	line     line
	pumping  bool
	wakes    [queue.Low + 1]time.Time // when the last one that was sent away comes back
}

// NewPacer returns a pacer of n calls in per. strict lets the highest priority
// always go first, and of one priority the oldest; else they take turns.
func NewPacer(n int, per time.Duration, strict bool) *Pacer {
	b := NewBucket(n, per)
	return &Pacer{interval: b.interval, from: &b, line: line{strict: strict}}
}

// enter waits for the right to one call. Where that would take long it returns
// at once with the time at which to come back: each caller gets a time of its
// own, so that they come back at the rate and not all at once. ok false with a
// zero time means the wait was over before that.
func (p *Pacer) enter(w wait, now time.Time, prio queue.Priority) (back time.Time, ok bool) {
	p.mu.Lock()
	if time.Duration(p.line.ahead(prio, w.came))*p.interval > patience || p.interval > patience && p.line.n > 0 {
		defer p.mu.Unlock()
		return p.later(now, prio), false
	}
	me := p.line.join(prio, w.came)
	if !p.pumping {
		p.pump(w.ctx)
	}
	p.mu.Unlock()
	select {
	case <-me.c:
		return time.Time{}, true
	default:
	}
	giveUp := time.NewTimer(2 * patience)
	defer giveUp.Stop()
	select {
	case <-me.c:
		return time.Time{}, true
	case <-giveUp.C:
	case <-w.ctx.Done():
	case <-w.leaving:
	case <-w.replaced():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.line.leave(prio, me) {
		// The right came at the same moment. Who was cancelled cannot use it,
		// and an even pace has no use for it later.
		return time.Time{}, w.ctx.Err() == nil
	}
	if w.over() {
		return time.Time{}, false
	}
	return p.later(time.Now(), prio), false
}

// later returns the time at which one who is sent away comes back.
func (p *Pacer) later(now time.Time, prio queue.Priority) time.Time {
	at := now.Add(max(patience, p.interval))
	if last := p.wakes[prio].Add(p.interval); last.After(at) {
		at = last
	}
	p.wakes[prio] = at
	return at
}

// pump lets those go whose turn has come, and comes back for the others. The
// caller holds mu, which is given up while the source is asked.
func (p *Pacer) pump(ctx context.Context) {
	p.pumping = true
	for p.line.n > 0 {
		p.mu.Unlock()
		wait := p.from.take(ctx, time.Now())
		p.mu.Lock()
		if wait > 0 {
			time.AfterFunc(wait, func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.pump(context.Background())
			})
			return
		}
		p.line.next(everybody)
	}
	p.pumping = false
}
