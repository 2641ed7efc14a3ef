package worker

import (
	"encoding/json"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// ended counts the end of the run.
func (t *task) ended(outcome string) {
	e := journal.End{Pipeline: t.run.Pipeline, Source: source(t.p, &t.run.Meta), Lane: t.lease.Lane, Outcome: outcome,
		Occurred: t.run.Occurred, Received: t.run.Meta.ReceivedAt, Trace: t.span.Example()}
	if t.p != nil {
		e.SLA = t.p.Policy.SLA
	}
	t.w.meter.Ended(e)
	failed := outcome == outcomeWord(flow.Dead)
	if failed && t.run.Cause != nil {
		t.span.Text("crossdock.cause", t.run.Cause.Code)
	}
	t.waits(outcome, failed)
}

// count puts what was stored into the metrics.
func (s *staged) count(results []queue.Result) {
	c := s.c
	if len(results) == 0 {
		return
	}
	first, ok := s.commit.Jobs[0].Hint.(*flow.Run) // all of them have one source
	if !ok {
		return
	}
	p := c.w.live.Load().WS.Pipelines[c.pipeline]
	from := source(p, &first.Meta)
	c.w.meter.Accepted(c.pipeline, from, results)
	next := 0
	for i, n := range s.counts {
		for j := next; j < next+n; j++ {
			r, ok := s.commit.Jobs[j].Hint.(*flow.Run)
			if ok && results[j].Status == queue.Enqueued && !r.Occurred.IsZero() {
				c.w.meter.Arrived(c.pipeline, from, r.Meta.ReceivedAt.Sub(r.Occurred), s.example(i))
			}
		}
		next += n
	}
}

// source names where messages come from, for metrics: the verification that
// recognised the sender, the connection of a poll or a folder, or else the kind
// of trigger. The names are those of definitions.
func source(p *compile.Pipeline, m *message.Meta) string {
	switch {
	case m.Consumer != "":
		return m.Consumer
	case p != nil && p.Trigger.Poll != nil:
		connection, _, _ := strings.Cut(p.Trigger.From, ".")
		return connection
	case p != nil && p.Trigger.Files != nil:
		return p.Trigger.From
	}
	return m.Source
}

// milliseconds is from where on a number of event_time counts milliseconds: as
// seconds it would be in the year 5138.
const milliseconds = 1e11

// moment reads a point in time, zero where v is none. A time without offset is
// none, because nobody knows when that was.
func moment(v any) time.Time {
	switch v := v.(type) {
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at
		}
	case json.Number:
		n, err := v.Float64()
		switch {
		case err != nil || n <= 0 || n > 1e14:
		case n < milliseconds:
			return time.UnixMicro(int64(n * 1e6))
		default:
			return time.UnixMilli(int64(n))
		}
	}
	return time.Time{}
}
