package worker

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/room"
)

func random() float64 { return rand.Float64() }

// lane leases the heads of one lane and hands each to a goroutine.
type lane struct {
	w     *Worker
	name  string
	kick  chan struct{}
	ahead *pressure  // of those who bring messages in
	room  *room.Room // its part of the memory: the messages to one target that hangs leave some to others
	few   int        // leases that are asked for at once, while memory is bounded
}

func (l *lane) wake() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// run leases until ctx ends and waits for what it started. work ends later
// than ctx: what is under way may finish.
func (l *lane) run(ctx, work context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := newSlots(l.w.opt.Concurrency)
	pipeline, intake := strings.CutPrefix(l.name, "in/")
	for ctx.Err() == nil {
		if intake && l.w.Paused(pipeline) {
			select {
			case <-ctx.Done():
				return
			case <-l.kick:
			}
			continue
		}
		slots.limit(l.bound(slots.all))
		n := slots.take(ctx)
		if n == 0 {
			return
		}
		leased, err := l.w.driver.Lease(ctx, queue.Want{Lane: l.name, Max: l.most(n), TTL: l.w.opt.LeaseTTL, Wait: 5 * time.Second})
		if err != nil && !errors.Is(err, context.Canceled) {
			if errors.Is(err, queue.ErrClosed) {
				return
			}
			l.w.log.Error("cannot lease work", "lane", l.name, "error", err)
			pause(ctx, time.Second)
		}
		if errors.Is(err, queue.ErrFailed) {
			return // Run ends with it
		}
		if err == nil && len(leased) == 0 && l.w.retire(ctx, l) {
			return
		}
		if len(leased) > 0 && (ctx.Err() != nil || intake && l.w.Paused(pipeline)) {
			l.release(work, leased) // the stop or the pause came while they were asked for
			leased = nil
		}
		slots.leave(n - len(leased))
		l.grow(leased)
		l.w.leases.add(leased)
		l.ahead.leased(bodies(leased))
		l.begin(ctx, work, leased, slots, &wg)
	}
}

// begin starts the work on what was leased, as the memory allows. What has none
// yet when ctx ends is given back.
func (l *lane) begin(ctx, work context.Context, leased []queue.Lease, slots *slots, wg *sync.WaitGroup) {
	alone := func(f func()) {
		wg.Go(func() {
			defer slots.leave(1)
			f()
		})
	}
	live, each := l.w.live.Load(), 1
	if len(leased) > 1 && live.gathers(l.name) {
		each = gathered
	}
	for len(leased) > 0 {
		part := leased[:min(each, len(leased))]
		leave, ok := l.enter(ctx, bodies(part))
		if !ok {
			l.release(work, leased)
			slots.leave(len(leased))
			return
		}
		leased = leased[len(part):]
		if each == 1 {
			alone(func() {
				defer leave()
				l.w.process(work, part[0])
			})
			continue
		}
		wg.Go(func() {
			defer leave() // those that left the group are few
			g := group{w: l.w, live: live, alone: alone, free: slots}
			g.work(work, part)
		})
	}
}

// retire ends the service of a lane that no definition names any more and in
// which nothing waits, and reports whether it did. A definition that comes back,
// or a message that does, starts it again.
func (w *Worker) retire(ctx context.Context, l *lane) bool {
	if w.live.Load().serves(l.name) {
		return false
	}
	page, err := w.driver.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 10000})
	if err != nil {
		return false // it is looked at again
	}
	for _, s := range page.Lanes {
		if s.Lane == l.name && s.Ready+s.Leased+s.Delayed > 0 {
			return false
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.live.Load().serves(l.name) || w.lanes[l.name] != l {
		return false
	}
	delete(w.lanes, l.name)
	return true
}

// serves reports whether a lane belongs to a definition.
func (l *Live) serves(lane string) bool {
	if pipeline, ok := strings.CutPrefix(lane, "in/"); ok {
		return l.WS.Pipelines[pipeline] != nil
	}
	operation, ok := strings.CutPrefix(lane, "out/")
	return !ok || l.WS.Operation(operation) != nil
}

// lowShare is the part of its places that the lane of a pipeline of low priority
// uses: bulk that has piled up is not to crowd the processor with goroutines.
const lowShare = 4

// bound returns how many of all slots the priority of the pipeline allows now.
func (l *lane) bound(all int) int {
	p := l.w.live.Load().WS.Pipelines[strings.TrimPrefix(l.name, "in/")]
	if p != nil && p.Policy.Priority == int(queue.Low) {
		return max(all/lowShare, 1)
	}
	return all
}

// bodies is how many bytes the bodies of leases have.
func bodies(leased []queue.Lease) int {
	n := 0
	for i := range leased {
		n += len(leased[i].Body)
	}
	return n
}

// release gives leases back as if they had never been taken.
func (l *lane) release(work context.Context, leased []queue.Lease) {
	c := queue.Commit{Finish: make([]queue.Finish, len(leased))}
	ids := make([]string, len(leased))
	for i := range leased {
		c.Finish[i] = queue.Finish{Lease: leased[i], Outcome: queue.Release}
		ids[i] = leased[i].ID
	}
	_, err := l.w.driver.Apply(work, c)
	l.w.leases.remove(ids...)
	switch {
	case errors.Is(err, queue.ErrLeaseLost) && len(leased) > 1: // one of them has run out, and the others are not given back
		for i := range leased {
			l.release(work, leased[i:i+1])
		}
	case err != nil && !errors.Is(err, queue.ErrLeaseLost):
		l.w.log.Warn("cannot give back messages whose work has not begun; they come back when their leases have run out", "lane", l.name, "messages", len(leased), "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// orphaned is how often messages are looked for in lanes that nobody serves: a
// dead letter of a removed pipeline that a person sends again.
const orphaned = 30 * time.Second

// sweep makes due and orphaned jobs ready, until ctx ends. It returns
// queue.ErrFailed where the store is beyond use.
func (w *Worker) sweep(ctx context.Context) error {
	const often, seldom = 50 * time.Millisecond, 500 * time.Millisecond
	looked := time.Now()
	for ctx.Err() == nil {
		if time.Since(looked) > orphaned {
			looked = time.Now()
			if err := w.orphans(ctx); err != nil && ctx.Err() == nil {
				w.log.Error("cannot look for messages in lanes that nobody serves", "error", err)
			}
		}
		swept, err := w.driver.Sweep(ctx, time.Now())
		wait := seldom
		switch {
		case errors.Is(err, queue.ErrFailed):
			return err
		case err != nil && ctx.Err() == nil && !errors.Is(err, queue.ErrClosed):
			w.log.Error("cannot sweep the queue", "error", err)
		case swept.Expired > 0:
			w.log.Warn("took over work of a holder that went away", "messages", swept.Expired)
		}
		if !swept.Next.IsZero() {
			wait = max(min(time.Until(swept.Next), seldom), often)
		}
		pause(ctx, wait)
	}
	return nil
}
