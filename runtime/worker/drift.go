package worker

import (
	"context"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

const notValid = "the payload is not a valid "

// misfit says what of a payload does not satisfy the contract of the pipeline;
// nil where it does.
func (in *Intake) misfit(body any, raw []byte) *connectors.Rejection {
	if in.P.Accept == nil {
		return nil
	}
	bad := in.P.Accept.Schema.Validate(body)
	if len(bad) == 0 {
		return nil
	}
	r := &connectors.Rejection{Status: 422, Message: notValid + in.P.Accept.Name}
	for _, v := range bad {
		text := strings.TrimPrefix(v.Message, v.Path+": ")
		if v.Path == "" && body == nil && len(raw) == 0 {
			text = "the body is empty"
		}
		r.Problems = append(r.Problems, connectors.Problem{Field: v.Path, Message: text})
	}
	return r
}

// drifted returns a job for a message that does not fit the contract and is
// held until it does.
func (in *Intake) drifted(ctx context.Context, id string, m *message.Message, body any, rej *connectors.Rejection) queue.Job {
	held := *m
	held.Body = body
	job := in.Faulty(ctx, id, &held, rej)
	r := job.Hint.(*flow.Run)
	r.Drift = true
	in.wrap(&job, r)
	return job
}

// readmit takes a message in that did not fit the contract, if it fits now. Its
// items have IDs below its own, and keys of their own.
func (t *task) readmit(ctx, work context.Context) {
	in := &Intake{WS: t.live.WS, P: t.p, Limits: limits(t.live.WS), again: true}
	m := message.Message{Body: t.run.Body, Raw: t.run.Raw, Meta: t.run.Meta, Trace: t.run.Trace, OccurredAt: t.run.Occurred}
	m.Meta.Headers = t.span.Onto(m.Meta.Headers)
	jobs, nothing, rej := in.Jobs(ctx, t.run.ID+".r", &m)
	switch {
	case ctx.Err() != nil:
		t.interrupted(work)
		return
	case rej != nil && in.unfit && t.p.Hold:
		t.hinder(work, t.hide(rej.Error()))
		return
	case rej != nil:
		t.run.Drift = false
		t.end(work, flow.Outcome{Kind: flow.Dead, Cause: &flow.Cause{Code: "intake", Message: rej.Error()}})
		return
	}
	for i := range jobs {
		for j := range jobs[i].Fresh {
			jobs[i].Fresh[j].Kind, jobs[i].Fresh[j].Parent = queue.Branched, t.run.ID
			jobs[i].Fresh[j].At = time.Now()
		}
	}
	if len(nothing) > 0 {
		nothing[0].Kind, nothing[0].Parent = queue.Branched, t.run.ID
	}
	t.note(queue.Entry{Kind: queue.Fanned, Detail: "fits " + t.fits() + " now, and goes on as " + t.run.ID + ".r"})
	t.history = append(t.history, nothing...)
	c := queue.Commit{Finish: []queue.Finish{{Lease: t.lease, Outcome: queue.Done}}, Jobs: jobs, Put: latest(t.p, jobs)}
	if t.apply(work, c) {
		t.ended(outcomeWord(flow.Fanned))
	}
}

func (t *task) fits() string {
	if t.p.Accept == nil {
		return "the pipeline"
	}
	return t.p.Accept.Name
}

// hinder parks a message until a definition comes that it fits. why says what of
// it does not.
func (t *task) hinder(work context.Context, why string) {
	reason := journal.Quarantined + " it does not fit " + t.fits()
	if t.run.Fault != why || t.run.Held == nil {
		t.run.Fault, t.run.Held, t.dirty = why, &flow.Held{Reason: reason}, true
		t.parkSaying(work, "drift", reason, ": "+strings.TrimPrefix(why, notValid+t.fits()+": "), time.Time{})
		return
	}
	f := queue.Finish{Lease: t.lease, Outcome: queue.Park, Reason: reason, Attempts: t.lease.Attempts}
	t.apply(work, queue.Commit{Finish: []queue.Finish{f}})
}
