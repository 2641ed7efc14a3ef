package worker

import (
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/telemetry"
)

// begin starts the span of a message that comes in, message i of n, and puts its context into
// the message, with which it is stored.
func (s *staged) begin(i, n int, live *Live, id string, m *message.Message) telemetry.Span {
	w := s.c.w
	if !w.opt.Tracer.On() {
		return telemetry.Span{}
	}
	span := w.opt.Tracer.Start(m.Meta.Headers, telemetry.Receives, "receive "+s.c.pipeline, m.Meta.ReceivedAt)
	span.Text("crossdock.pipeline", s.c.pipeline)
	span.Text("crossdock.revision", live.WS.Revision)
	span.Text("crossdock.source", source(s.p, &m.Meta))
	span.Text("crossdock.message", id)
	m.Meta.Headers = span.Onto(m.Meta.Headers)
	if s.spans == nil {
		s.spans = make([]telemetry.Span, n)
	}
	s.spans[i] = span
	return span
}

// end ends the spans of messages that were stored, or not.
func (s *staged) end(receipts []connectors.Receipt, err error) {
	for i, span := range s.spans {
		switch {
		case err != nil:
			span.Fail("not stored")
		case receipts[i].Filtered:
			span.Text("crossdock.outcome", "filtered")
		case receipts[i].Duplicate:
			span.Text("crossdock.outcome", "duplicate")
		default:
			span.Text("crossdock.outcome", "accepted")
		}
		span.End()
	}
}

// example names the trace of message i for metrics, "" where there is none.
func (s *staged) example(i int) string {
	if s.spans == nil {
		return ""
	}
	return s.spans[i].Example()
}

// trace starts the span of the work on a lease.
func (t *task) trace() {
	if !t.w.opt.Tracer.On() {
		return
	}
	t.span = t.w.opt.Tracer.Start(t.run.Meta.Headers, telemetry.Works, "process "+t.run.Pipeline, time.Now())
	t.span.Text("crossdock.pipeline", t.run.Pipeline)
	t.span.Text("crossdock.revision", t.live.WS.Revision)
	t.span.Text("crossdock.message", t.run.ID)
	t.span.Text("crossdock.lane", t.lease.Lane)
	t.span.Number("crossdock.attempt", t.lease.Attempts+1)
	if t.lease.Crashes > 0 {
		t.span.Number("crossdock.crashes", t.lease.Crashes)
	}
	if t.run.Meta.Headers["traceparent"] == "" { // it came when nothing was traced
		t.run.Meta.Headers = t.span.Onto(t.run.Meta.Headers)
	}
}

// calling starts the span of one attempt.
func (t *task) calling(op *compile.Operation, out flow.Outcome) telemetry.Span {
	if !t.w.opt.Tracer.On() {
		return telemetry.Span{}
	}
	span := t.w.opt.Tracer.Follow(t.span, telemetry.Calls, "send "+op.Ref(), time.Now())
	span.Text("crossdock.target", op.Ref())
	span.Text("crossdock.step", out.Step.ID)
	span.Text("crossdock.message", t.run.ID)
	span.Number("crossdock.attempt", t.lease.Attempts+1)
	span.Digest("crossdock.key_hash", out.Key)
	return span
}

// meta is what a target is told of the message, with the trace context of the
// call.
func (t *task) meta(span telemetry.Span) *message.Meta {
	if !span.On() {
		return &t.run.Meta
	}
	m := t.run.Meta
	m.Headers = span.Onto(m.Headers)
	return &m
}

// called ends the span of an attempt. What the other system said is not told:
// it may repeat what it was sent.
func called(span telemetry.Span, v *verdict) {
	if !span.On() {
		return
	}
	v.trace = span.Example()
	if v.response.Status > 0 {
		span.Number("http.response.status_code", v.response.Status)
	}
	word := attemptWord(*v)
	span.Text("crossdock.result", word)
	if !v.ok {
		span.Fail(word)
	}
	span.End()
}

// waits says that the work on a lease ended and the message is not at its end.
func (t *task) waits(outcome string, failed bool) {
	t.span.Text("crossdock.outcome", outcome)
	if failed {
		t.span.Fail(outcome)
	}
}
