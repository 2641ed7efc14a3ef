package worker

import (
	"context"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/flow"
	"crossdock/runtime/mutant"
	"crossdock/runtime/queue"
)

// What a worker with a planted mistake does; see package mutant. Nothing here
// is reached, and therefore built in, without the build tag.

// admit makes messages durable; only then may their sender be told.
func (w *Worker) admit(ctx context.Context, c queue.Commit, apply Apply) ([]queue.Result, error) {
	mutant.Crash(mutant.BeforeAccept)
	if mutant.On(mutant.M1) {
		return w.admitLater(ctx, c), nil
	}
	if mutant.On(mutant.M3) {
		return w.admitMarked(ctx, c)
	}
	results, err := apply(ctx, c)
	mutant.Crash(mutant.AfterAccept)
	return results, err
}

// admitLater is M1: the answer does not wait for the store.
func (w *Worker) admitLater(ctx context.Context, c queue.Commit) []queue.Result {
	results := make([]queue.Result, len(c.Jobs))
	for i := range c.Jobs {
		results[i] = queue.Result{Status: queue.Enqueued, ID: c.Jobs[i].ID}
	}
	go func() { _, _ = w.driver.Apply(context.WithoutCancel(ctx), c) }() // that is the mistake
	return results
}

// admitMarked is M3: keys are remembered first, messages stored second.
func (w *Worker) admitMarked(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	results := make([]queue.Result, len(c.Jobs))
	var fresh []queue.Job
	for i, j := range c.Jobs {
		results[i] = queue.Result{Status: queue.Enqueued, ID: j.ID}
		if j.Dedupe != "" {
			_, err := w.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: "seen/" + j.Dedupe, Value: []byte(j.ID)}}})
			if err != nil {
				results[i].Status = queue.Duplicate
				continue
			}
			j.Dedupe = ""
		}
		fresh = append(fresh, j)
	}
	mutant.Crash(mutant.AfterAccept)
	c.Jobs = fresh
	_, err := w.driver.Apply(ctx, c)
	return results, err
}

// effectLast is M2: the message is done, then its last effect is tried once. It
// returns false where the effect is not the last one.
func (t *task) effectLast(ctx, work context.Context, out flow.Outcome) bool {
	after := t.run
	flow.Complete(t.p, &after, out.Step, nil)
	if after.Step != flow.End {
		return false
	}
	t.note(queue.Entry{Kind: queue.Delivered, Step: out.Step.ID})
	if t.apply(work, queue.Commit{Finish: []queue.Finish{{Lease: t.lease, Outcome: queue.Done}}}) {
		op := t.live.WS.Operation(out.Step.Target)
		t.attempt(ctx, t.live.Sinks[op.Connection], op, out)
	}
	return true
}

// mutated is what a request looks like to a target under M5.
func mutated(r connectors.Request) connectors.Request {
	if mutant.On(mutant.M5) {
		r.Key += "-" + NewID(time.Now())
	}
	return r
}

// again is the job of a lease as a new one at the tail of its key.
func (t *task) again(at time.Time) queue.Job {
	return queue.Job{ID: t.lease.ID, Lane: t.lease.Lane, Key: t.lease.Key, Priority: t.lease.Priority, NotBefore: at, Body: t.encoded()}
}

// requeued is what a failed attempt writes under M7, M14 and M16.
func (t *task) requeued(work context.Context, f queue.Finish) queue.Commit {
	switch {
	case mutant.On(mutant.M7):
		return queue.Commit{Finish: []queue.Finish{{Lease: t.lease, Outcome: queue.Done}}, Jobs: []queue.Job{t.again(f.At)}}
	case mutant.On(mutant.M14):
		job := t.again(time.Time{})
		time.AfterFunc(time.Until(f.At), func() { // the driver's error is lost with it
			_, _ = t.w.driver.Apply(context.WithoutCancel(work), queue.Commit{Jobs: []queue.Job{job}})
		})
		return queue.Commit{Finish: []queue.Finish{{Lease: t.lease, Outcome: queue.Done}}}
	case mutant.On(mutant.M16):
		f.Body, f.Hint = t.lease.Body, nil
	}
	return queue.Commit{Finish: []queue.Finish{f}}
}

// popThenPush is M10: the message leaves the store and comes back as one that
// can only die.
func (t *task) popThenPush(work context.Context, cause *flow.Cause) {
	if !t.apply(work, queue.Commit{Finish: []queue.Finish{{Lease: t.lease, Outcome: queue.Done}}}) {
		return
	}
	mutant.Crash(mutant.AfterEnd)
	t.run.Fault = cause.Message
	t.apply(work, queue.Commit{Jobs: []queue.Job{t.again(time.Time{})}})
}
