package worker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/mutant"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/retry"
)

// verdict is what an attempt came to.
type verdict struct {
	ok       bool
	response connectors.Response
	failure  retry.Failure
	cause    *flow.Cause
	asked    time.Duration // pause the other side asked for
	sent     bool          // something may have reached the other side
	took     time.Duration // of the call alone
	trace    string        // ID of its trace, where it is kept
}

// deliver makes one attempt of an effect and writes what follows, unless it
// succeeded and the run goes on: then it returns true.
func (t *task) deliver(ctx, work context.Context, out flow.Outcome) bool {
	op := t.live.WS.Operation(out.Step.Target)
	guard := t.bind(op).Guards[op.Connection]
	pass, hold := guard.Enter(ctx, t.ask(op))
	if hold != nil {
		return t.hold(work, guard, op, out, hold, "")
	}
	defer func() { pass.Leave(policy.Unknown) }() // where no attempt was made
	if ctx.Err() != nil || !pass.Given() {
		t.interrupted(work)
		return false
	}
	// A reload may have come while the message waited for its turn.
	to := t.bind(op)
	op = to.WS.Operation(out.Step.Target)
	sink := to.Sinks[op.Connection]
	if sink == nil {
		t.park(work, "connection", "the connection "+op.Connection+" is not open")
		return false
	}
	out = opened(out, sink, op)
	if !t.w.leases.fresh(t.lease.ID, t.w.opt.LeaseTTL/10) {
		return false // the process was held up; another holder may be at work
	}
	if t.lease.Crashes > 0 {
		t.run.Ambiguous = true // a holder died; it may have been after sending
	}
	if t.run.Ambiguous {
		if done := t.resolve(ctx, work, op, out); done != nil {
			return *done
		}
	}
	if marks(op) && !t.mark(work) {
		return false
	}
	mutant.Crash(mutant.BeforeEffect)
	v := t.attempt(ctx, sink, op, out)
	mutant.Crash(mutant.AfterEffect)
	mayAgain := !v.ok && mayRepeat(op, v.failure) && out.Step.Policy.Retry.Repeats(v.failure)
	pauses := mayAgain && v.pauses()
	tried := mayAgain && pass.Tried() && v.health() == policy.Failed
	switch {
	case work.Err() != nil && !v.ok:
	case pauses:
		pass.Pause(v.asked)
	case pass.Leave(v.health()):
		t.w.recovered(op)
	}
	if (pauses || tried) && work.Err() == nil {
		if hold := guard.Back(op.Name); hold != nil {
			t.w.meter.Attempt(op.Connection, op.Name, attemptWord(v), v.took, v.trace)
			t.unsure(op, v)
			t.hideCause(v.cause)
			return t.hold(work, guard, op, out, hold, v.cause.Message)
		}
	}
	return t.judged(work, op, out, v)
}

// ask is what the message wants of the guard of an operation.
func (t *task) ask(op *compile.Operation) policy.Ask {
	return policy.Ask{Operation: op.Name, Priority: t.lease.Priority, Received: t.run.Meta.ReceivedAt, Leaving: t.w.leaving}
}

// judged writes what follows an attempt, unless it succeeded and the run goes
// on: then it returns true.
func (t *task) judged(work context.Context, op *compile.Operation, out flow.Outcome, v verdict) bool {
	attempt := t.lease.Attempts + 1
	t.w.meter.Attempt(op.Connection, op.Name, attemptWord(v), v.took, v.trace)
	if v.ok {
		t.note(queue.Entry{Kind: queue.Sent, Step: out.Step.ID, Target: op.Ref(), Attempt: attempt, Detail: statusText(v.response.Status)})
		t.answered(out, v.response.Body)
		flow.Complete(t.p, &t.run, out.Step, v.response.Body)
		t.dirty, t.lease.Attempts, t.lease.Crashes = true, 0, 0
		return true
	}
	if work.Err() != nil {
		t.run.Ambiguous = t.run.Ambiguous || v.sent
		t.interrupted(work)
		return false
	}
	return t.failed(work, op, out, v, attempt)
}

// health is what an attempt tells about the other system.
func (v *verdict) health() policy.Result {
	if f := v.failure; !v.ok && (f.Ambiguous || f.NotSent || f.Status >= 500) {
		return policy.Failed
	}
	return policy.Answered
}

// pauses reports whether the other side asked for a pause.
func (v *verdict) pauses() bool {
	return !v.ok && (v.failure.Status == 429 || v.failure.Status == 503 && v.asked > 0)
}

// bind returns the revision whose connection carries an effect: the one at
// work now, so that a mended address serves messages already under way, or the
// one the message began with where the operation is gone.
func (t *task) bind(op *compile.Operation) *Live {
	if now := t.w.live.Load(); now.WS.Operation(op.Ref()) != nil {
		return now
	}
	return t.live
}

func attemptWord(v verdict) string {
	switch {
	case v.ok:
		return "ok"
	case v.failure.Status > 0:
		return fmt.Sprintf("%dxx", v.failure.Status/100)
	case v.failure.NotSent:
		return "not_sent"
	case v.failure.Ambiguous:
		return "no_answer"
	}
	return "refused"
}

// marks reports whether an attempt must be written down before it is made,
// because it may not be repeated blindly.
func marks(op *compile.Operation) bool {
	return op.Repeat == compile.RepeatNever || op.Repeat == compile.RepeatUnset
}

// mark writes that an attempt begins, so that a crash after this point is known
// to be ambiguous: at most once.
func (t *task) mark(work context.Context) bool {
	t.run.Ambiguous = true
	return t.save(work)
}

// save writes what is known of the run before the next attempt of its effect.
func (t *task) save(work context.Context) bool {
	f := queue.Finish{Lease: t.lease, Outcome: queue.Keep, Attempts: t.lease.Attempts, Body: t.encoded(), Hint: t.hint()}
	return t.apply(work, queue.Commit{Finish: []queue.Finish{f}})
}

// resolve deals with an earlier attempt whose outcome is unknown. It returns
// nil where the effect may simply be sent (again); else what deliver returns.
func (t *task) resolve(ctx, work context.Context, op *compile.Operation, out flow.Outcome) *bool {
	no, yes := false, true
	switch op.Repeat {
	case compile.RepeatSafe, compile.RepeatKeyed:
		return nil
	case compile.RepeatCheck:
		look := t.live.WS.Operation(op.Check.Operation)
		if !t.bind(look).Guards[look.Connection].Count(ctx, t.ask(look)) {
			t.interrupted(work)
			return &no
		}
		found, answer, v := t.probe(ctx, op, look, out)
		switch {
		case v != nil && work.Err() != nil:
			t.interrupted(work)
			return &no
		case v != nil:
			t.failed(work, op, out, *v, t.lease.Attempts+1)
			return &no
		case found:
			t.note(queue.Entry{Kind: queue.Sent, Step: out.Step.ID, Target: op.Ref(), Attempt: t.lease.Attempts + 1,
				Detail: "an earlier attempt had its effect, found by " + op.Check.Operation})
			flow.Complete(t.p, &t.run, out.Step, answer)
			t.dirty, t.lease.Attempts, t.lease.Crashes = true, 0, 0
			return &yes
		}
		t.run.Ambiguous, t.lease.Crashes = false, 0
		return nil
	default:
		t.uncertain(work, op, out, "an attempt was under way when its holder went away")
		return &no
	}
}

// uncertain ends a run whose effect may or may not have happened and must not
// be repeated: a person decides.
func (t *task) uncertain(work context.Context, op *compile.Operation, out flow.Outcome, why string) {
	t.note(queue.Entry{Kind: queue.Uncertain, Step: out.Step.ID, Target: op.Ref(), Attempt: t.lease.Attempts + 1, Detail: why})
	t.end(work, flow.Outcome{Kind: flow.Dead, Cause: &flow.Cause{Code: "uncertain", Step: out.Step.ID, Target: op.Ref(),
		Message: fmt.Sprintf("it is not known whether %s happened (%s), and it must not be repeated", op.Ref(), why),
		Hint:    "look at the other side; then replay it if it is missing there, or discard it"}})
}

// probe asks the other side whether the effect is there.
func (t *task) probe(ctx context.Context, op, look *compile.Operation, out flow.Outcome) (found bool, answer any, bad *verdict) {
	scope := flow.Scope(ctx, t.live.WS, nil, &t.run, t.lease.Attempts+1)
	with := map[string]any{}
	if op.Check.With != nil {
		v, err := op.Check.With.Apply(scope, out.Body)
		if err != nil {
			return false, nil, &verdict{failure: retry.Failure{Permanent: true}, cause: &flow.Cause{Code: "map", Message: err.Error()}}
		}
		with, _ = v.(map[string]any)
	}
	probe := flow.Outcome{Step: out.Step, With: with, Key: out.Key + "-probe"}
	v := t.attempt(ctx, t.bind(look).Sinks[look.Connection], look, probe)
	if !v.ok {
		v.cause.Message = "the look for an earlier effect failed: " + v.cause.Message
		return false, nil, &v
	}
	scope.Response = responseValue(v.response)
	yes, err := scope.Yes(op.Check.FoundWhen, out.Body)
	if err != nil {
		return false, nil, &verdict{failure: retry.Failure{Permanent: true}, cause: &flow.Cause{Code: "rule", Message: "found_when: " + err.Error()}}
	}
	return yes, v.response.Body, nil
}

// attempt makes one call and judges the answer.
func (t *task) attempt(ctx context.Context, sink connectors.Sink, op *compile.Operation, out flow.Outcome) verdict {
	if sink == nil {
		return verdict{failure: retry.Failure{NotSent: true}, cause: &flow.Cause{Code: "connection", Message: "the connection " + op.Connection + " is not open"}}
	}
	ctx, cancel := context.WithTimeout(ctx, op.Timeout)
	defer cancel()
	span := t.calling(op, out)
	req := mutated(connectors.Request{
		Operation: op.Name, Key: out.Key, Attempt: t.lease.Attempts + 1, With: out.With, Body: out.Body, Encoded: out.Encoded,
		MessageID: t.run.ID, Meta: t.meta(span),
	})
	began := time.Now()
	resp, err := sink.Deliver(ctx, req)
	took := time.Since(began)
	if err != nil && mutant.On(mutant.M17) {
		resp, err = sink.Deliver(ctx, req)
	}
	v := t.w.redacted(Judge(ctx, t.live.WS, &t.run, op, resp, err))
	v.took = took
	called(span, &v)
	return v
}

// OK reports whether the other side did what it was asked, and so the run goes on.
func (v verdict) OK() bool { return v.ok }

// Answer is what it answered then.
func (v verdict) Answer() any { return v.response.Body }

// Cause says why not.
func (v verdict) Cause() *flow.Cause { return v.cause }

// Repeats reports whether a policy makes another attempt after it.
func (v verdict) Repeats(p retry.Policy) bool { return !v.ok && p.Repeats(v.failure) }

// redacted hides secrets in the cause of a verdict and in the answer that is
// kept: a careless target sends back what it was sent.
func (w *Worker) redacted(v verdict) verdict {
	if v.cause != nil {
		v.cause.Message = w.opt.Redact(v.cause.Message)
	}
	if v.ok {
		v.response.Body = w.opt.RedactAnswer(v.response.Raw, v.response.Body)
	}
	return v
}

// Judge says what an answer means for an operation.
func Judge(ctx context.Context, ws *compile.Workspace, run *flow.Run, op *compile.Operation, resp connectors.Response, err error) verdict {
	if err == nil && op.SuccessWhen == nil && op.Response == nil && resp.Status >= 200 && resp.Status <= 299 && !resp.Cut {
		return verdict{ok: true, response: resp, sent: true}
	}
	v := verdict{response: resp, sent: true, cause: &flow.Cause{Target: op.Ref(), Status: resp.Status}}
	if err != nil {
		class, wait := connectors.ClassOf(err)
		v.cause.Message, v.asked = op.Ref()+": "+err.Error(), wait
		switch class {
		case connectors.ClassPermanent:
			v.cause.Code, v.failure.Permanent, v.sent = "refused", true, false
		case connectors.ClassNotSent, connectors.ClassAfter:
			v.cause.Code, v.failure.NotSent, v.sent = "connection", true, false
		default:
			v.cause.Code, v.failure.Ambiguous = "timeout", true
		}
		return v
	}
	if op.SuccessWhen != nil {
		scope := flow.Scope(ctx, ws, nil, run, 1)
		scope.Response = responseValue(resp)
		yes, err := scope.Yes(op.SuccessWhen, run.Body)
		switch {
		case err != nil:
			v.cause.Code, v.cause.Message = "rule", "success_when: "+err.Error()
			v.failure.Unfinished = true
			return v
		case !yes && resp.Status < 300:
			v.cause.Code = "response"
			v.cause.Message = fmt.Sprintf("%s answered %d, but success_when is false: %s", op.Ref(), resp.Status, excerpt(resp))
			v.failure.Unfinished = true
			return v
		case !yes:
			return badStatus(v, op, resp)
		}
	} else if resp.Status < 200 || resp.Status > 299 {
		return badStatus(v, op, resp)
	}
	if resp.Cut {
		v.cause.Code, v.cause.Message = "response", op.Ref()+": the answer is larger than the connection's response limit"
		v.failure.Unfinished = true
		return v
	}
	if op.Response != nil && resp.Status < 300 { // what success_when lets pass otherwise, such as 404, is said in other words
		if bad := op.Response.Schema.Validate(resp.Body); len(bad) > 0 {
			v.cause.Code, v.cause.Field = "response", bad[0].Path
			v.cause.Message = fmt.Sprintf("%s answered something that is not a valid %s: %s", op.Ref(), op.Response.Name, bad[0])
			v.failure.Unfinished = true
			return v
		}
	}
	v.ok, v.cause = true, nil
	return v
}

func badStatus(v verdict, op *compile.Operation, resp connectors.Response) verdict {
	v.failure.Status = resp.Status
	v.cause.Code = "status"
	v.cause.Message = fmt.Sprintf("%s answered %s: %s", op.Ref(), statusText(resp.Status), excerpt(resp))
	v.asked, _ = retry.After(resp.Headers["retry-after"], time.Now())
	return v
}

func responseValue(r connectors.Response) map[string]any {
	headers := make(map[string]any, len(r.Headers))
	for k, v := range r.Headers {
		headers[k] = v
	}
	return map[string]any{"status": r.Status, "headers": headers, "body": r.Body}
}

// failed decides what follows a failed attempt. It returns true where the run
// goes on with its on_fail steps.
func (t *task) failed(work context.Context, op *compile.Operation, out flow.Outcome, v verdict, attempt int) bool {
	policy := out.Step.Policy.Retry
	v.cause.Step = out.Step.ID
	if !mayRepeat(op, v.failure) {
		if v.failure.Ambiguous || v.failure.Status >= 500 {
			t.uncertain(work, op, out, v.cause.Message)
			return false
		}
		policy.Attempts = min(policy.Attempts, attempt)
	}
	t.unsure(op, v)
	if policy.Repeats(v.failure) && attempt < policy.Attempts {
		t.retry(work, op, out, v, attempt, policy)
		return false
	}
	v.cause.Message += attemptsText(attempt)
	if flow.Fail(&t.run, out.Step) {
		t.note(queue.Entry{Kind: queue.Failed, Step: out.Step.ID, Target: op.Ref(), Attempt: attempt, Detail: v.cause.Message + "; goes on with on_fail"})
		t.dirty, t.lease.Attempts = true, 0
		return true
	}
	t.lease.Attempts = attempt
	t.end(work, flow.Outcome{Kind: flow.Dead, Cause: v.cause})
	return false
}

// unsure keeps in mind whether an attempt that is repeated may have had its
// effect.
func (t *task) unsure(op *compile.Operation, v verdict) {
	switch {
	case marks(op) && mayRepeat(op, v.failure):
		t.run.Ambiguous = false // certainly nothing was done
	case op.Repeat == compile.RepeatCheck && (v.failure.Ambiguous || v.failure.Status >= 500):
		t.run.Ambiguous = true
	}
}

func attemptsText(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (attempt %d, the last one)", n)
}

// mayRepeat reports whether an attempt that failed this way may be made again.
func mayRepeat(op *compile.Operation, f retry.Failure) bool {
	return !marks(op) || f.NotSent || f.Status == 429
}

// retry returns the message to the head of its key until the next attempt.
func (t *task) retry(work context.Context, op *compile.Operation, out flow.Outcome, v verdict, attempt int, policy retry.Policy) {
	wait := policy.Pause(attempt, t.w.opt.Random())
	if v.asked > 0 {
		wait = retry.Clamp(v.asked, wait)
	}
	at := time.Now().Add(wait)
	t.hideCause(v.cause)
	t.w.meter.Retried(op.Connection, op.Name)
	t.waits("retry", true)
	t.note(queue.Entry{Kind: queue.Failed, Step: out.Step.ID, Target: op.Ref(), Attempt: attempt,
		Detail: fmt.Sprintf("%s; next attempt in %s", v.cause.Message, wait.Round(time.Millisecond))})
	t.w.log.Info("attempt failed", "message", t.run.ID, "pipeline", t.run.Pipeline, "revision", t.live.WS.Revision,
		"target", op.Ref(), "attempt", attempt, "next", at, "error", v.cause.Message)
	f := queue.Finish{Lease: t.lease, Outcome: queue.Retry, At: at, Attempts: attempt, Body: t.encoded(), Hint: t.hint(), Reason: v.cause.Message}
	mutant.Crash(mutant.BeforeRetry)
	t.apply(work, t.requeued(work, f))
}

func statusText(status int) string { return strconv.Itoa(status) }

// excerpt is the beginning of an answer, for people.
func excerpt(r connectors.Response) string {
	const most = 300
	raw := r.Raw
	if len(raw) == 0 {
		return "no body"
	}
	if len(raw) > most {
		return string(raw[:most]) + "..."
	}
	return string(raw)
}

// Ask makes one call outside any run, as polls do, within the limits of the
// connection. An answer that is no success is an error.
func (w *Worker) Ask(ctx context.Context, op *compile.Operation, with map[string]any, page string) (connectors.Response, error) {
	live := w.live.Load()
	now := live.WS.Operation(op.Ref())
	sink := live.Sinks[op.Connection]
	if now == nil || sink == nil {
		return connectors.Response{}, fmt.Errorf("there is no operation %s", op.Ref())
	}
	pass, hold := live.Guards[op.Connection].Enter(ctx, policy.Ask{Operation: now.Name, Priority: queue.Normal, Received: time.Now()})
	if hold != nil {
		return connectors.Response{}, connectors.After(max(time.Until(hold.Until), time.Second), errors.New(hold.Reason))
	}
	defer func() { pass.Leave(policy.Unknown) }() // where no call was made
	if ctx.Err() != nil {
		return connectors.Response{}, ctx.Err()
	}
	if !pass.Given() {
		return w.Ask(ctx, op, with, page) // a reload brought other limits
	}
	ctx, cancel := context.WithTimeout(ctx, now.Timeout)
	defer cancel()
	began := time.Now()
	resp, err := sink.Deliver(ctx, connectors.Request{Operation: now.Name, Attempt: 1, With: with, Page: page})
	v := w.redacted(Judge(ctx, live.WS, &flow.Run{}, now, resp, err))
	resp = v.response
	w.meter.Attempt(now.Connection, now.Name, attemptWord(v), time.Since(began), "")
	switch {
	case v.pauses():
		pass.Pause(v.asked)
	case ctx.Err() == context.Canceled:
	case pass.Leave(v.health()):
		w.recovered(now)
	}
	if !v.ok {
		if v.asked > 0 {
			return resp, connectors.After(v.asked, v.cause)
		}
		return resp, v.cause
	}
	return resp, nil
}
