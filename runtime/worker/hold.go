package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
)

// hold sets the message aside until another system can be called, as guard says. Its attempts
// are as they were. saw is what its last call came to, where it made one. A
// message for which that takes too long because of the other
// system, not of the calendar, is a failure. It returns true where the run goes
// on with its on_fail steps.
func (t *task) hold(work context.Context, guard *policy.Guard, op *compile.Operation, out flow.Outcome, h *policy.Hold, saw string) bool {
	f := queue.Finish{Lease: t.lease, Outcome: queue.Park, At: h.Until, Reason: h.Reason, Attempts: t.lease.Attempts}
	now := time.Now()
	var held flow.Held
	if t.run.Held != nil {
		held = *t.run.Held
	}
	if h.Kind == policy.BreakerOpen || h.Kind == policy.Throttled {
		switch {
		case held.Since.IsZero():
			held.Since = now
		case now.Sub(held.Since) >= out.Step.Policy.GiveUp:
			return t.giveUp(work, op, out, h, now)
		}
	}
	if held.Reason != h.Reason || saw != "" {
		detail := h.Reason
		if saw != "" {
			detail = saw + "; " + h.Reason
		}
		t.note(queue.Entry{Kind: queue.ParkedKind, Step: out.Step.ID, Target: op.Ref(),
			Detail: fmt.Sprintf("%s; looked at again by %s", detail, h.Until.UTC().Format("2006-01-02 15:04:05 MST"))})
	}
	held.Reason = h.Reason
	if t.run.Held == nil || *t.run.Held != held {
		t.run.Held, t.dirty = &held, true
	}
	t.w.meter.Parked(t.run.Pipeline, h.Kind)
	t.waits("parked", saw != "")
	if t.dirty {
		f.Body = t.encoded()
	}
	if t.apply(work, queue.Commit{Finish: []queue.Finish{f}}) && t.bind(op).Guards[op.Connection] != guard {
		t.recall(work)
	}
	return false
}

// giveUp ends the wait for another system.
func (t *task) giveUp(work context.Context, op *compile.Operation, out flow.Outcome, h *policy.Hold, now time.Time) bool {
	cause := &flow.Cause{Code: "unavailable", Step: out.Step.ID, Target: op.Ref(),
		Message: fmt.Sprintf("gave up after %s of waiting: %s", now.Sub(t.run.Held.Since).Round(time.Second), h.Reason),
		Hint:    "replay it when the other system works again"}
	if flow.Fail(&t.run, out.Step) {
		t.note(queue.Entry{Kind: queue.Failed, Step: out.Step.ID, Target: op.Ref(), Attempt: t.lease.Attempts, Detail: cause.Message + "; goes on with on_fail"})
		t.dirty, t.lease.Attempts = true, 0
		return true
	}
	t.run.Held = nil // a replay has its time again
	t.end(work, flow.Outcome{Kind: flow.Dead, Cause: cause})
	return false
}

// calls are the operations that work again, whose messages are to be called.
type calls struct {
	mu   sync.Mutex
	list map[string]*compile.Operation
	kick chan struct{}
}

func newCalls() *calls {
	return &calls{list: map[string]*compile.Operation{}, kick: make(chan struct{}, 1)}
}

// recovered notes that an operation works again.
func (w *Worker) recovered(op *compile.Operation) {
	w.log.Info("a target that was cut off answers again", "target", op.Ref())
	w.calls.mu.Lock()
	w.calls.list[op.Ref()] = op
	w.calls.mu.Unlock()
	select {
	case w.calls.kick <- struct{}{}:
	default:
	}
}

// callBack calls the messages that wait for operations that work again, until
// ctx ends. One that is missed comes by itself a little later.
func (w *Worker) callBack(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.calls.kick:
		}
		w.calls.mu.Lock()
		list := w.calls.list
		w.calls.list = map[string]*compile.Operation{}
		w.calls.mu.Unlock()
		for _, op := range list {
			if err := w.callWaiting(ctx, op); err != nil && ctx.Err() == nil {
				w.log.Warn("cannot call the messages that waited for a target; they come by themselves", "target", op.Ref(), "error", err)
			}
		}
	}
}

// callWaiting makes the messages ready that were parked while op was cut off:
// the most urgent first, then the oldest, few at first and then more and more,
// as long as it works.
func (w *Worker) callWaiting(ctx context.Context, op *compile.Operation) error {
	guard := w.live.Load().Guards[op.Connection]
	waiting, err := w.parked(ctx, func(reason string) bool { return guard.Holds(op.Name, reason) })
	if err != nil {
		return err
	}
	slices.SortStableFunc(waiting, func(a, b queue.JobInfo) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.Enqueued.Compare(b.Enqueued))
	})
	for n := 4; len(waiting) > 0 && !guard.Cut(op.Name); n = min(2*n, 1024) {
		n = min(n, len(waiting))
		if err := Unpark(ctx, w.driver, waiting[:n]); err != nil {
			return err
		}
		if waiting = waiting[n:]; len(waiting) > 0 {
			pause(ctx, 100*time.Millisecond)
		}
	}
	return ctx.Err()
}

// CallHeld makes everything ready at once that waits because a connection is
// closed, as when a person ends its maintenance early. What it may do then is
// decided anew.
func (w *Worker) CallHeld(ctx context.Context, connection string) error {
	waiting, err := w.parked(ctx, func(reason string) bool { return policy.Closed(connection, reason) })
	if err != nil {
		return err
	}
	for part := range slices.Chunk(waiting, 1000) {
		if err := Unpark(ctx, w.driver, part); err != nil {
			return err
		}
	}
	return nil
}

// Unpark makes parked jobs ready. Those that are not parked any more are left
// alone.
func Unpark(ctx context.Context, d queue.Driver, jobs []queue.JobInfo) error {
	orders := make([]queue.Order, len(jobs))
	for i, j := range jobs {
		orders[i] = queue.Order{ID: j.ID, Do: queue.Unpark}
	}
	if len(orders) == 0 {
		return nil
	}
	_, err := d.Apply(ctx, queue.Commit{Orders: orders})
	if !errors.Is(err, queue.ErrNotFound) {
		return err
	}
	// One of them has moved on: each by itself then.
	for i := range orders {
		if _, err := d.Apply(ctx, queue.Commit{Orders: orders[i : i+1]}); err != nil && !errors.Is(err, queue.ErrNotFound) {
			return err
		}
	}
	return nil
}

// parked lists the parked messages with a reason that fits.
func (w *Worker) parked(ctx context.Context, fits func(reason string) bool) ([]queue.JobInfo, error) {
	var out []queue.JobInfo
	q := queue.Query{View: queue.Jobs, State: queue.Parked, Limit: 1000}
	for {
		page, err := w.driver.Browse(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, j := range page.Jobs {
			if fits(j.Reason) {
				out = append(out, j)
			}
		}
		if page.Next == "" {
			return out, nil
		}
		q.After = page.Next
	}
}
