package worker

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/telemetry"
)

// maxKept is how much of a refused message is kept for inspection.
const maxKept = 256 << 10

// channel takes messages of one pipeline into the durable queue.
type channel struct {
	w        *Worker
	pipeline string
	refuses  bool // there is a sender who can be told
	apply    Apply
	ahead    *pressure // nil where a sender waits for the answer
}

// Apply writes a commit; see queue.Driver.
type Apply func(ctx context.Context, c queue.Commit) ([]queue.Result, error)

// Channel returns the way into the queue for a pipeline, whichever revision of
// it is at work when a message comes. refuses says whether bad content can be
// refused to a sender; otherwise it becomes a dead letter.
func (w *Worker) Channel(pipeline string, refuses bool) connectors.Channel {
	c := &channel{w: w, pipeline: pipeline, refuses: refuses, apply: w.driver.Apply}
	if !refuses {
		c.ahead = w.pressure("in/" + pipeline)
	}
	return c
}

// ChannelVia is the Channel of a source that may only write while it holds a
// right to: apply writes each commit, or refuses it.
func (w *Worker) ChannelVia(pipeline string, apply Apply) connectors.Channel {
	c := w.Channel(pipeline, false).(*channel)
	c.apply = apply
	return c
}

// staged are messages of which the jobs are made.
type staged struct {
	p        *compile.Pipeline
	c        *channel
	commit   queue.Commit
	counts   []int // jobs per message
	receipts []connectors.Receipt
	spans    []telemetry.Span // one per message; nil where nothing is traced
	recent   []queue.Put      // messages that are kept when they are done
}

// Send implements connectors.Channel.
func (c *channel) Send(ctx context.Context, msgs ...message.Message) ([]connectors.Receipt, error) {
	n := 0
	for i := range msgs {
		n += len(msgs[i].Raw)
	}
	if err := c.w.enter(ctx, n); err != nil {
		return nil, err
	}
	defer c.w.intake.Leave(n)
	s, err := c.Stage(ctx, msgs...)
	if err != nil {
		return nil, err
	}
	return s.Send(ctx)
}

// Stage implements connectors.Stager. It waits for workers that are behind,
// unless a sender waits for the answer.
func (c *channel) Stage(ctx context.Context, msgs ...message.Message) (connectors.Staged, error) {
	if c.ahead != nil {
		c.ahead.wait(ctx)
	}
	live := c.w.live.Load()
	p := live.WS.Pipelines[c.pipeline]
	if p == nil && !c.refuses {
		return nil, fmt.Errorf("the pipeline %s is not defined any more", c.pipeline)
	}
	if p == nil {
		return nil, &connectors.Rejection{Status: 404, Message: "there is no such webhook any more"}
	}
	in := &Intake{WS: live.WS, P: p, Limits: limits(live.WS)}
	s := &staged{c: c, p: p, counts: make([]int, len(msgs)), receipts: make([]connectors.Receipt, len(msgs))}
	s.commit.Jobs = make([]queue.Job, 0, len(msgs))
	for i := range msgs {
		m := &msgs[i]
		if m.Meta.ReceivedAt.IsZero() {
			m.Meta.ReceivedAt = time.Now()
		}
		id := m.ID
		if id == "" {
			id = NewID(m.Meta.ReceivedAt)
		}
		span := s.begin(i, len(msgs), live, id, m)
		put, kept := c.w.remember(ctx, live, p, id, m)
		in.kept = kept
		jobs, history, rej := in.Jobs(ctx, id, m)
		if kept && rej == nil {
			s.recent = noteOnce(s.recent, put)
		}
		switch {
		case rej != nil && c.refuses:
			span.Fail("refused")
			span.End()
			return nil, c.refuse(ctx, live, in, id, m, rej)
		case rej != nil:
			jobs = []queue.Job{in.Faulty(ctx, id, m, rej)}
		case len(jobs) == 0:
			s.receipts[i] = connectors.Receipt{IDs: []string{id}, Filtered: true}
			s.commit.History = append(s.commit.History, history...)
		}
		s.counts[i] = len(jobs)
		s.commit.Jobs = append(s.commit.Jobs, jobs...)
	}
	s.commit.Put = latest(p, s.commit.Jobs)
	return s, nil
}

// Send implements connectors.Staged.
func (s *staged) Send(ctx context.Context) ([]connectors.Receipt, error) {
	receipts, err := s.store(ctx)
	s.end(receipts, err)
	return receipts, err
}

func (s *staged) store(ctx context.Context) ([]connectors.Receipt, error) {
	c := s.c
	if c.ahead != nil { // before they are stored: workers may have them before the store answers
		c.ahead.taken(s.bytes(nil))
	}
	before, err := s.known(ctx)
	if err != nil {
		return nil, err
	}
	commit := s.commit
	commit.Put = append(commit.Put[:len(commit.Put):len(commit.Put)], s.recent...)
	results, err := c.w.admit(ctx, commit, c.apply)
	if c.ahead != nil { // nobody will lease what was not stored, or was there already
		c.ahead.leased(s.bytes(results))
	}
	if err != nil {
		return nil, err
	}
	s.count(results)
	if before != nil {
		s.correct(ctx, before, results)
	}
	if err := c.clashed(ctx, commit.Jobs, results); err != nil {
		return nil, err
	}
	return c.receipts(s.receipts, s.counts, results)
}

// clashed makes dead letters of messages whose key is known with another content,
// where no sender is told.
func (c *channel) clashed(ctx context.Context, jobs []queue.Job, results []queue.Result) error {
	more := ClashJobs(jobs, results)
	if len(more) == 0 || c.refuses && len(more) == len(results) {
		return nil
	}
	_, err := c.apply(ctx, queue.Commit{Jobs: more})
	return err
}

// known reads what is noted of the keys of a pipeline that collapses.
func (s *staged) known(ctx context.Context) ([]queue.Value, error) {
	if len(s.commit.Put) == 0 {
		return nil, nil
	}
	keys := make([]string, len(s.commit.Put))
	for i, put := range s.commit.Put {
		keys[i] = put.Key
	}
	return s.c.w.driver.Get(ctx, keys...)
}

// correct takes back what was noted for repeats. Where that fails, less is
// collapsed.
func (s *staged) correct(ctx context.Context, before []queue.Value, results []queue.Result) {
	puts := corrected(s.p, &s.commit, before, results)
	if len(puts) == 0 {
		return
	}
	if _, err := s.c.w.driver.Apply(ctx, queue.Commit{Put: puts}); err != nil {
		s.c.w.log.Warn("cannot correct what is the newest message of a key; older ones are worked on, too", "pipeline", s.p.Name, "error", err)
	}
}

// bytes is how many bytes the bodies of the jobs have that were not enqueued;
// without results that of all jobs.
func (s *staged) bytes(results []queue.Result) int {
	n := 0
	for i := range s.commit.Jobs {
		if results == nil || results[i].Status != queue.Enqueued {
			n += len(s.commit.Jobs[i].Body)
		}
	}
	return n
}

// receipts sorts the results of all jobs by message.
func (c *channel) receipts(receipts []connectors.Receipt, counts []int, results []queue.Result) ([]connectors.Receipt, error) {
	next, conflicts := 0, 0
	for i, n := range counts {
		if n == 0 {
			continue
		}
		receipts[i].Duplicate = true
		for _, r := range results[next : next+n] {
			receipts[i].IDs = append(receipts[i].IDs, r.ID)
			if r.Status == queue.Enqueued {
				receipts[i].Duplicate = false
			}
			if r.Status == queue.Conflict {
				conflicts++
			}
		}
		next += n
	}
	if c.refuses && conflicts > 0 && conflicts == len(results) {
		return nil, &connectors.Rejection{Status: 409, Message: clash,
			Problems: []connectors.Problem{{Field: "key", Message: "first seen as message " + results[0].ID}}}
	}
	return receipts, nil
}

// refuse keeps a refused message for inspection and returns why it was refused.
func (c *channel) refuse(ctx context.Context, live *Live, in *Intake, id string, m *message.Message, rej *connectors.Rejection) error {
	e := queue.Entry{Message: id, At: m.Meta.ReceivedAt, Kind: queue.Rejected, Pipeline: c.pipeline, Revision: live.WS.Revision,
		Refs: in.numbers(ctx, id, m), Detail: in.hide(m, rej.Error()), Data: m.Raw[:min(len(m.Raw), maxKept)]}
	if _, err := c.w.driver.Apply(ctx, queue.Commit{History: []queue.Entry{e}}); err != nil {
		return err
	}
	c.w.meter.Rejected(c.pipeline, rej.Status)
	return rej
}

// decodeForm reads application/x-www-form-urlencoded: a name that comes once is
// text, one that comes again is a list of texts.
func decodeForm(raw []byte) (any, error) {
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, errForm
	}
	out := make(map[string]any, len(values))
	for k, vs := range values {
		if len(vs) == 1 {
			out[k] = vs[0]
			continue
		}
		list := make([]any, len(vs))
		for i, v := range vs {
			list[i] = v
		}
		out[k] = list
	}
	return out, nil
}
