package worker

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime/debug"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/mutant"
	"crossdock/runtime/queue"
	"crossdock/runtime/telemetry"
)

// newerWait is how long a message that a newer release stored is left to the
// replicas that can read it, before this one looks whether it is still there.
const newerWait = 30 * time.Second

// task is the work on one lease.
type task struct {
	w       *Worker
	lease   queue.Lease
	live    *Live
	p       *compile.Pipeline
	run     flow.Run
	history []queue.Entry // not yet written
	dirty   bool          // run has moved on since it was last written
	answers []queue.Put   // of a message that is kept, not yet written
	block   *Block        // the message is the dead letter of this block, replayed
	span    telemetry.Span
	unread  bool // the record could not be read: it is kept as it is
	accused bool // run.Alone counts the work on this lease
}

// process works on one lease to its end, or to the next time it must wait.
func (w *Worker) process(work context.Context, lease queue.Lease) {
	defer w.leases.remove(lease.ID)
	ctx, cancel := w.leases.guard(work, lease.ID)
	defer cancel(nil)
	t := &task{w: w, lease: lease, live: w.live.Load()}
	defer func() { t.span.End() }()
	defer t.recover(work)
	mutant.Crash(mutant.AfterLease)
	if err := t.decode(); errors.Is(err, flow.ErrNewer) {
		t.run.Pipeline, _ = strings.CutPrefix(lease.Lane, "in/")
		t.parkUntil(work, "release", err.Error(), time.Now().Add(newerWait))
		return
	} else if err != nil {
		t.unread = true
		t.end(work, flow.Outcome{Kind: flow.Dead, Cause: &flow.Cause{Code: "store", Message: err.Error()}})
		return
	}
	t.trace()
	if t.p == nil {
		t.park(work, "pipeline", "the pipeline "+t.run.Pipeline+" is not defined any more")
		return
	}
	if t.suspected() {
		leave, ok := t.alone(ctx, work)
		if !ok {
			return
		}
		defer leave()
	}
	switch {
	case t.run.Drift:
		t.readmit(ctx, work)
	case t.collapsed(ctx, work), t.blocked(ctx, work):
	default:
		t.work(ctx, work)
	}
}

// decode reads the run from the lease.
func (t *task) decode() error {
	if hint, ok := t.lease.Hint.(*flow.Run); ok {
		t.run = *hint
	} else {
		run, err := flow.Decode(t.lease.Body, func(raw []byte, m *message.Meta) (any, error) {
			return t.payload(raw, m)
		})
		t.run = run
		if err != nil {
			return err
		}
	}
	t.p = t.live.WS.Pipelines[t.run.Pipeline]
	return nil
}

// payload decodes the raw bytes of a message by the format of its pipeline.
// A pipeline that is gone, or changed its format, must not lose the message:
// JSON is tried then, and text kept.
func (t *task) payload(raw []byte, m *message.Meta) (any, error) {
	if p := t.live.WS.Pipelines[flow.PipelineOf(t.lease.Body)]; p != nil {
		return (&Intake{WS: t.live.WS, P: p, Limits: limits(t.live.WS)}).Decode(raw, m)
	}
	v, err := message.Decode(raw, message.Unlimited)
	if err != nil {
		return string(raw), nil
	}
	return v, nil
}

// work advances the run from effect to effect.
func (t *task) work(ctx, work context.Context) {
	for {
		out := flow.Advance(ctx, t.live.WS, t.p, &t.run, t.lease.Attempts+1, t.live.forwards)
		for _, r := range out.Routes {
			t.note(queue.Entry{Kind: queue.Routed, Step: t.run.Step, Detail: r})
			if t.w.opt.Chosen != nil {
				t.w.opt.Chosen(r)
			}
		}
		if ctx.Err() != nil {
			t.interrupted(work)
			return
		}
		if out.Kind == flow.Dead && out.Cause.Code == "definition" {
			t.park(work, "definition", out.Cause.Message) // until a definition has it again
			return
		}
		if out.Kind != flow.Effect {
			t.end(work, out)
			return
		}
		if out.Step.Action == compile.ActEmit {
			if !t.emit(ctx, work, out) {
				return
			}
			continue
		}
		// What has been achieved is made durable before the next effect begins.
		if t.dirty && !t.keep(work) {
			return
		}
		if mutant.On(mutant.M2) && t.effectLast(ctx, work, out) {
			return
		}
		if !t.deliver(ctx, work, out) {
			return
		}
	}
}

// note adds a line of history, to be written with the next commit.
func (t *task) note(e queue.Entry) {
	e.Message, e.At, e.Pipeline, e.Revision = t.run.ID, time.Now(), t.run.Pipeline, t.live.WS.Revision
	t.history = append(t.history, e)
}

// apply writes a commit with the collected history. It returns false, and has
// said why, where work on the lease has to end.
func (t *task) apply(work context.Context, c queue.Commit) bool {
	return t.applied(t.try(work, c))
}

// try is apply with the error that stays after trying again.
func (t *task) try(work context.Context, c queue.Commit) error {
	c.History = append(c.History, t.history...)
	for _, put := range t.answers {
		c.Put = noteOnce(c.Put, put)
	}
	for attempt := 1; ; attempt++ {
		results, err := t.w.driver.Apply(work, c)
		if err == nil {
			t.clashed(work, c.Jobs, results)
			t.history, t.answers = nil, nil
			return nil
		}
		for _, final := range []error{queue.ErrLeaseLost, queue.ErrNotFound, queue.ErrVersion, queue.ErrClosed, queue.ErrFailed} {
			if errors.Is(err, final) {
				return err
			}
		}
		if work.Err() != nil {
			return err
		}
		t.w.log.Warn("cannot write the result, trying again", "message", t.run.ID, "attempt", attempt, "error", err)
		pause(work, min(time.Duration(attempt)*100*time.Millisecond, 2*time.Second))
		if !t.w.leases.fresh(t.lease.ID, 0) {
			return err
		}
	}
}

// applied says why a commit was not written, and reports whether it was. Without
// it the lease runs out and the message is worked on again with the same keys.
func (t *task) applied(err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, queue.ErrLeaseLost), errors.Is(err, queue.ErrNotFound):
		t.w.meter.Stale()
		t.w.log.Warn("another holder has taken over this message; its result stands", "message", t.run.ID, "pipeline", t.run.Pipeline)
	default:
		t.w.log.Error("cannot write the result", "message", t.run.ID, "pipeline", t.run.Pipeline, "error", err)
	}
	return false
}

func (t *task) encoded() []byte {
	t.run.Revision = t.live.WS.Revision
	return flow.Encode(make([]byte, 0, len(t.lease.Body)+128), &t.run)
}

func (t *task) hint() *flow.Run {
	copied := t.run
	return &copied
}

// keep writes how far the run came, and goes on.
func (t *task) keep(work context.Context) bool {
	if mutant.On(mutant.M16) {
		t.dirty = false
		return true
	}
	f := queue.Finish{Lease: t.lease, Outcome: queue.Keep, Body: t.encoded(), Hint: t.hint()}
	if !t.apply(work, queue.Commit{Finish: []queue.Finish{f}}) {
		return false
	}
	t.lease.Attempts, t.dirty = 0, false
	mutant.Crash(mutant.AfterKeep)
	return true
}

// end writes how the run ended.
func (t *task) end(work context.Context, out flow.Outcome) {
	f := queue.Finish{Lease: t.lease, Outcome: queue.Done}
	c := queue.Commit{}
	switch out.Kind {
	case flow.Delivered:
		t.delivered()
	case flow.Filtered:
		t.note(queue.Entry{Kind: queue.Filtered, Detail: out.Reason})
	case flow.Fanned:
		c.Jobs = t.branches(out.Branches)
	case flow.Dead:
		if mutant.On(mutant.M10) && t.run.Fault == "" {
			t.popThenPush(work, out.Cause)
			return
		}
		t.dead(&f, out.Cause)
	}
	mutant.Crash(mutant.BeforeEnd)
	c.Finish = []queue.Finish{f}
	if t.applyEnd(work, c, out.Kind) {
		mutant.Crash(mutant.AfterEnd)
		t.ended(outcomeWord(out.Kind))
		if out.Kind == flow.Dead {
			t.w.log.Warn("dead letter", "message", t.run.ID, "pipeline", t.run.Pipeline, "revision", t.live.WS.Revision,
				"step", out.Cause.Step, "cause", out.Cause.Code, "error", out.Cause.Message)
		}
	}
}

func outcomeWord(k flow.Kind) string {
	return [...]string{flow.Effect: "effect", flow.Fanned: "branched", flow.Delivered: "delivered", flow.Filtered: "filtered", flow.Dead: "dead"}[k]
}

// delivered closes the history of a run: its last effect carries the word.
func (t *task) delivered() {
	for i := len(t.history) - 1; i >= 0; i-- {
		if t.history[i].Kind == queue.Sent {
			t.history[i].Kind = queue.Delivered
			return
		}
	}
	t.note(queue.Entry{Kind: queue.Delivered})
}

// dead makes f a dead letter.
func (t *task) dead(f *queue.Finish, cause *flow.Cause) {
	cause.At = time.Now().UTC()
	t.hideCause(cause)
	t.run.Cause = cause
	box, step := "general", t.run.Step
	if t.p != nil {
		box = t.p.Policy.Box
		if s := t.p.ByID[step]; s != nil && s.Policy != nil {
			box = s.Policy.Box
		}
	}
	f.Outcome, f.Box, f.Reason, f.Group = queue.Dead, box, cause.Message, cause.Group(t.run.Pipeline)
	f.Attempts = t.lease.Attempts
	f.Body = t.encoded()
	if t.unread {
		f.Body = nil
	}
	t.note(queue.Entry{Kind: queue.DeadKind, Step: cause.Step, Target: cause.Target, Attempt: t.lease.Attempts, Detail: cause.Message})
	if t.run.ID == "" {
		t.history[len(t.history)-1].Message = t.lease.ID
	}
}

// branches makes jobs of the runs that came out of this one. They keep its key,
// so that the order of messages is the order of their branches.
func (t *task) branches(list []flow.Branch) []queue.Job {
	jobs := make([]queue.Job, 0, len(list))
	names := make([]string, 0, len(list))
	key := t.lease.Key
	if t.block != nil {
		key = t.run.OrderKey // a replay stands beside its key
	}
	for i := range list {
		r := &list[i].Run
		r.Meta.Headers = t.span.Onto(r.Meta.Headers)
		lane := list[i].Lane
		if lane == "" {
			lane = "in/" + r.Pipeline
		}
		job := queue.Job{ID: r.ID, Lane: lane, Key: key, Priority: queue.Priority(r.Priority),
			Body: flow.Encode(nil, r), Hint: r}
		job.Fresh = []queue.Entry{{Message: r.ID, At: time.Now(), Kind: queue.Branched, Pipeline: r.Pipeline,
			Revision: t.live.WS.Revision, Parent: t.run.ID, Detail: list[i].Name}}
		jobs = append(jobs, job)
		names = append(names, list[i].Name)
	}
	t.note(queue.Entry{Kind: queue.Fanned, Detail: "goes on as " + strings.Join(names, ", ")})
	return jobs
}

// emit puts an event on the bus: one job for every pipeline that hears it, in
// one write with the progress of this run. It returns false where work on the
// lease has ended.
func (t *task) emit(ctx, work context.Context, out flow.Outcome) bool {
	name, err := flow.EventName(ctx, t.live.WS, &t.run, out)
	if err != nil {
		t.end(work, flow.Outcome{Kind: flow.Dead, Cause: &flow.Cause{Code: "jq", Step: out.Step.ID, Message: "event_name failed: " + err.Error()}})
		return false
	}
	listeners := t.live.WS.Hears(compile.EventName(name), t.p.Client)
	jobs, puts := t.listen(ctx, listeners, name, out)
	detail := "event " + name + ", nobody listens"
	if len(listeners) > 0 {
		names := make([]string, 0, len(listeners))
		for _, l := range listeners {
			names = append(names, l.Name)
		}
		detail = "event " + name + ", heard by " + strings.Join(names, ", ")
	}
	t.note(queue.Entry{Kind: queue.Sent, Step: out.Step.ID, Target: "event:" + name, Detail: detail})
	if t.w.opt.Emitted != nil {
		t.w.opt.Emitted(out.Step.Event.Name, name, out.Body)
	}
	flow.Complete(t.p, &t.run, out.Step, map[string]any{"event": name})
	if t.run.Step == flow.End {
		t.delivered()
		c := queue.Commit{Finish: []queue.Finish{{Lease: t.lease, Outcome: queue.Done}}, Jobs: jobs, Put: puts}
		if t.applyEnd(work, c, flow.Delivered) {
			t.ended("delivered")
		}
		return false
	}
	f := queue.Finish{Lease: t.lease, Outcome: queue.Keep, Body: t.encoded(), Hint: t.hint()}
	if !t.apply(work, queue.Commit{Finish: []queue.Finish{f}, Jobs: jobs, Put: puts}) {
		return false
	}
	t.lease.Attempts, t.dirty = 0, false
	return true
}

// listen makes the jobs of the pipelines that hear an event.
func (t *task) listen(ctx context.Context, listeners []*compile.Pipeline, name string, out flow.Outcome) (jobs []queue.Job, puts []queue.Put) {
	now := time.Now() // the message came long ago, the event comes now
	headers := t.span.Onto(telemetry.Context(t.run.Meta.Headers))
	for _, p := range listeners {
		in := &Intake{WS: t.live.WS, P: p, Limits: limits(t.live.WS)}
		m := message.Message{Body: out.Body, Trace: t.run.Trace, OccurredAt: t.run.Occurred, Meta: message.Meta{
			Headers: headers, Source: "event", ReceivedAt: t.run.Meta.ReceivedAt, Event: &message.Event{ID: out.Key, Name: name}}}
		// The ID follows from the emitting run and step, so that a repeated
		// write after a crash makes the same jobs.
		id := fmt.Sprintf("%s.%s-%s", t.run.ID, short(out.Key), p.Name)
		put, kept := t.w.remember(ctx, t.live, p, id, &m)
		in.kept = kept
		made, history, rej := in.Jobs(ctx, id, &m)
		if kept && rej == nil {
			puts = noteOnce(puts, put)
		}
		if rej != nil {
			made = []queue.Job{in.Faulty(ctx, id, &m, rej)}
		}
		for i := range history {
			history[i].Parent, history[i].At = t.run.ID, now
		}
		t.history = append(t.history, history...)
		for i := range made {
			for j := range made[i].Fresh {
				made[i].Fresh[j].Parent, made[i].Fresh[j].At = t.run.ID, now
			}
		}
		jobs = append(jobs, made...)
		puts = append(puts, latest(p, made)...)
	}
	return jobs, puts
}

func short(key string) string { return key[:min(8, len(key))] }

// park sets the message aside until a definition has what it needs. what names
// the kind of reason in few words, for metrics.
func (t *task) park(work context.Context, what, reason string) {
	t.parkUntil(work, what, reason, time.Time{})
}

// parkUntil is park with a time at which it is looked at again.
func (t *task) parkUntil(work context.Context, what, reason string, at time.Time) {
	t.parkSaying(work, what, reason, "", at)
}

// parkSaying is parkUntil with what its history tells behind the reason, which is
// the same for all that wait for one thing.
func (t *task) parkSaying(work context.Context, what, reason, more string, at time.Time) {
	t.note(queue.Entry{Kind: queue.ParkedKind, Detail: reason + more})
	t.w.meter.Parked(t.run.Pipeline, what)
	t.waits("parked", false)
	f := queue.Finish{Lease: t.lease, Outcome: queue.Park, At: at, Reason: reason, Attempts: t.lease.Attempts}
	if t.dirty {
		f.Body = t.encoded() // what has been achieved is not done again
	}
	if t.apply(work, queue.Commit{Finish: []queue.Finish{f}}) && t.live != t.w.live.Load() {
		t.recall(work)
	}
}

// recall makes the message ready that was just parked for something which a
// reload has changed meanwhile: it looked for such messages too early for this
// one.
func (t *task) recall(work context.Context) {
	if err := Unpark(work, t.w.driver, []queue.JobInfo{{ID: t.lease.ID}}); err != nil {
		t.w.log.Warn("cannot release a message that waited for what a reload has changed", "message", t.run.ID, "pipeline", t.run.Pipeline, "error", err)
	}
}

// interrupted returns a message to the queue that was not finished because the
// process stops, or because a reload changed what it waits for. Its attempts are
// as they were, and nothing speaks against it.
func (t *task) interrupted(work context.Context) {
	if !t.w.leases.fresh(t.lease.ID, 0) {
		return
	}
	if t.accused && t.run.Alone > 0 {
		t.run.Alone--
	}
	f := queue.Finish{Lease: t.lease, Outcome: queue.Retry, At: time.Now(), Attempts: t.lease.Attempts, Body: t.encoded()}
	t.apply(context.WithoutCancel(work), queue.Commit{Finish: []queue.Finish{f}})
}

// recover turns a panic into a dead letter: one message fails, the process
// lives.
func (t *task) recover(work context.Context) {
	v := recover()
	if v == nil {
		return
	}
	t.w.meter.Panic()
	t.w.log.Error("internal error while working on a message", "message", t.lease.ID, "pipeline", t.run.Pipeline,
		"panic", t.w.opt.Redact(t.hide(fmt.Sprint(v))), "stack", string(goruntime.Stack()))
	t.history = nil
	defer t.abandon()
	t.end(work, flow.Outcome{Kind: flow.Dead, Cause: &flow.Cause{Code: "internal", Step: t.run.Step,
		Message: "an internal error stopped the work on this message; the log of this time tells more"}})
}

// abandon survives a panic while the dead letter is written, as a payload may
// cause that cannot be encoded. The lease runs out then, again and again, until the message is suspected.
func (t *task) abandon() {
	if v := recover(); v != nil {
		t.w.log.Error("internal error while setting a message aside", "message", t.lease.ID, "panic", t.w.opt.Redact(fmt.Sprint(v)))
	}
}
