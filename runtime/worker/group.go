package worker

import (
	"context"
	"fmt"
	goruntime "runtime/debug"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/flow"
	"crossdock/runtime/mutant"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/telemetry"
)

// gathered is how many leases are worked on together at most: many enough that
// a write of their target and one of the store cost each of them little, few
// enough that both cores have some.
const gathered = 64

// gathers tells whether messages of a lane may come to an effect that a sink
// carries out for many in one go.
func (l *Live) gathers(lane string) bool {
	if mutant.Any() {
		return false // mistakes are planted in the work on single messages
	}
	if ref, ok := strings.CutPrefix(lane, "out/"); ok {
		return l.gatherer(l.WS.Operation(ref)) != nil
	}
	p := l.WS.Pipelines[strings.TrimPrefix(lane, "in/")]
	if p == nil {
		return false
	}
	for _, s := range p.ByID {
		if s.Target != "" && l.gatherer(l.WS.Operation(s.Target)) != nil {
			return true
		}
	}
	return false
}

// gatherer returns the sink of an operation if it carries out many requests in
// one go, and the operation may be repeated without a look at the other side.
func (l *Live) gatherer(op *compile.Operation) connectors.Gatherer {
	if op == nil || op.Repeat != compile.RepeatSafe && op.Repeat != compile.RepeatKeyed {
		return nil
	}
	if !l.Guards[op.Connection].Plain() {
		return nil // each call is judged and counted by itself
	}
	if g, ok := l.Sinks[op.Connection].(connectors.Gatherer); ok && g.Gathers(op.Name) {
		return g
	}
	return nil
}

// group is the work on leases that share the attempt of an effect and the commit
// of their ends. Whatever is not usual about a message makes it leave the
// group and go on alone, as all messages of other lanes do.
type group struct {
	w     *Worker
	live  *Live
	alone func(func()) // starts work on one message that frees its slot at the end
	free  *slots       // takes back the slots of those that ended in the group
	open  map[*member]struct{}
}

// member is one message of a group.
type member struct {
	task
	out  flow.Outcome
	call telemetry.Span // of its attempt
}

// work brings leases to their effect, makes all attempts of a target together
// and writes the ends of all that came to one in one commit.
func (g *group) work(work context.Context, leased []queue.Lease) {
	g.open = make(map[*member]struct{}, len(leased))
	defer g.recover(work)
	targets := map[string][]*member{}
	var ended []*member
	for _, lease := range leased {
		m := &member{task: task{w: g.w, lease: lease, live: g.live}}
		g.open[m] = struct{}{}
		switch {
		case !m.begin(work):
			g.leave(work, m)
		case m.out.Kind == flow.Filtered:
			m.note(queue.Entry{Kind: queue.Filtered, Detail: m.out.Reason})
			ended = append(ended, m)
		default:
			targets[m.out.Step.Target] = append(targets[m.out.Step.Target], m)
		}
	}
	for ref, ms := range targets {
		ended = append(ended, g.deliver(work, g.live.WS.Operation(ref), ms)...)
	}
	g.end(work, ended)
}

// begin brings a message to its first effect, or tells that it has to go on
// alone. It has no effect outside.
func (m *member) begin(work context.Context) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false // alone it meets the same, and becomes a dead letter
		}
	}()
	mutant.Crash(mutant.AfterLease)
	if m.lease.Crashes > 0 || m.lease.Attempts > 0 || m.decode() != nil || m.p == nil || m.run.Ambiguous || m.run.Drift || m.p.Policy.Block || m.p.Policy.Collapse {
		return false
	}
	m.out = flow.Advance(work, m.live.WS, m.p, &m.run, 1, m.live.forwards)
	if work.Err() != nil {
		return false
	}
	for _, r := range m.out.Routes {
		m.note(queue.Entry{Kind: queue.Routed, Step: m.run.Step, Detail: r})
	}
	if m.out.Kind == flow.Filtered {
		return true
	}
	return m.out.Kind == flow.Effect && m.w.opt.Chosen == nil && m.live.gatherer(m.live.WS.Operation(m.out.Step.Target)) != nil
}

// leave lets a message with which nothing has happened yet go on alone.
func (g *group) leave(work context.Context, m *member) {
	delete(g.open, m)
	m.span.End() // where it had begun
	g.alone(func() { g.w.process(work, m.lease) })
}

// deliver makes one attempt for each of ms and returns those that have ended.
func (g *group) deliver(work context.Context, op *compile.Operation, ms []*member) []*member {
	guard := ms[0].bind(op).Guards[op.Connection]
	pass, hold := guard.Enter(work, ms[0].ask(op))
	defer func() { pass.Leave(policy.Unknown) }()
	if hold != nil || work.Err() != nil || !pass.Given() {
		for _, m := range ms {
			g.leave(work, m) // each may be held, or returned, by itself
		}
		return nil
	}
	// A reload may have come while the messages waited for their turn.
	to := ms[0].bind(op)
	op = to.WS.Operation(op.Ref())
	sink := to.gatherer(op)
	if sink == nil {
		for _, m := range ms {
			g.leave(work, m)
		}
		return nil
	}
	requests := make([]connectors.Request, 0, len(ms))
	sent := ms[:0]
	for _, m := range ms {
		if !g.w.leases.fresh(m.lease.ID, g.w.opt.LeaseTTL/10) {
			g.leave(work, m) // the process was held up; another holder may be at work
			continue
		}
		sent = append(sent, m)
		m.trace()
		m.call = m.calling(op, m.out)
		m.out = opened(m.out, sink, op)
		requests = append(requests, connectors.Request{Operation: op.Name, Key: m.out.Key, Attempt: 1, With: m.out.With, Body: m.out.Body,
			Encoded: m.out.Encoded, MessageID: m.run.ID, Meta: m.meta(m.call)})
	}
	ctx, cancel := context.WithTimeout(work, op.Timeout)
	defer cancel()
	mutant.Crash(mutant.BeforeEffect)
	began := time.Now()
	answers := sink.DeliverAll(ctx, requests)
	took := time.Since(began)
	mutant.Crash(mutant.AfterEffect)
	var ended []*member
	for i, m := range sent {
		v := g.w.redacted(Judge(ctx, m.live.WS, &m.run, op, answers[i].Response, answers[i].Err))
		v.took = took
		called(m.call, &v)
		if v.ok && m.judged(work, op, m.out, v) && m.run.Step == flow.End {
			m.delivered()
			m.out = flow.Outcome{Kind: flow.Delivered}
			ended = append(ended, m)
			continue
		}
		delete(g.open, m)
		g.alone(func() {
			m.goOn(work, func(ctx context.Context) {
				if v.ok || m.judged(work, op, m.out, v) {
					m.work(ctx, work)
				}
			})
		})
	}
	return ended
}

// goOn does the rest of the work on a message that has left its group.
func (t *task) goOn(work context.Context, rest func(ctx context.Context)) {
	defer t.w.leases.remove(t.lease.ID)
	ctx, cancel := t.w.leases.guard(work, t.lease.ID)
	defer cancel(nil)
	defer func() { t.span.End() }()
	defer t.recover(work)
	rest(ctx)
}

// end writes how messages ended, with one commit. Where that is refused, each
// has its own: one lease may be lost, and the others are not.
func (g *group) end(work context.Context, ended []*member) {
	if len(ended) == 0 {
		return
	}
	c := queue.Commit{Finish: make([]queue.Finish, len(ended)), History: make([]queue.Entry, 0, len(ended))}
	ids := make([]string, len(ended))
	for i, m := range ended {
		c.Finish[i] = queue.Finish{Lease: m.lease, Outcome: queue.Done}
		c.History = append(c.History, m.history...)
		for _, put := range m.answers {
			c.Put = noteOnce(c.Put, put)
		}
		ids[i] = m.lease.ID
	}
	mutant.Crash(mutant.BeforeEnd)
	_, err := g.w.driver.Apply(work, c)
	for _, m := range ended {
		delete(g.open, m)
		if err != nil {
			g.alone(func() {
				m.goOn(work, func(context.Context) {
					if m.apply(work, queue.Commit{Finish: []queue.Finish{{Lease: m.lease, Outcome: queue.Done}}}) {
						m.counted()
					}
				})
			})
			continue
		}
		m.counted()
	}
	if err != nil {
		return
	}
	mutant.Crash(mutant.AfterEnd)
	g.w.leases.remove(ids...)
	g.free.leave(len(ended))
}

func (m *member) counted() {
	m.ended(outcomeWord(m.out.Kind))
	m.span.End()
}

// recover lets the messages of a group go on alone when a sink panics, so that
// the one at fault becomes a dead letter. Those that were sent already are sent
// again, which their operation allows.
func (g *group) recover(work context.Context) {
	v := recover()
	if v == nil {
		return
	}
	g.w.meter.Panic()
	g.w.log.Error("internal error while delivering messages together; they go on one by one", "messages", len(g.open),
		"panic", g.w.opt.Redact(fmt.Sprint(v)), "stack", string(goruntime.Stack()))
	for m := range g.open {
		g.leave(work, m)
	}
}
