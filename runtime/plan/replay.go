package plan

import (
	"context"
	"fmt"
	"strings"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/dsl/value"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
	"crossdock/runtime/worker"
)

// Message is one input of a pipeline or of a mapping.
type Message struct {
	ID       string
	Origin   Origin
	Pipeline string // one of Pipeline
	Mapping  string // and Mapping is set
	In       message.Message
	Input    any // of a mapping
	Meta     any // of a mapping
	Stubs    map[string][]compile.Stub
	Answers  []Answer // as they were given to the real message
	// Recall finds what was answered to a call of the real message, by its
	// idempotency key; nil: nothing is known.
	Recall func(key string) (body any, ok bool)
}

// Origin tells where a message is from.
type Origin string

// The origins of messages.
const (
	Real   Origin = "real"
	Sample Origin = "sample"
	Case   Origin = "test"
)

// Answer is what an operation answered to a real message.
type Answer struct {
	Operation string `json:"operation"`
	Key       string `json:"key"` // idempotency key of the call
	Body      any    `json:"body"`
}

// trail is what one message came to on one side.
type trail struct {
	refused  string
	known    bool // there is such a pipeline
	identity []identity
	refs     []message.Ref // under which people look for it
	calls    []call
	routes   []string
	ends     []ending
}

// identity is what a message is known by.
type identity struct{ key, order string }

// ending is how one run ended.
type ending struct {
	kind   string // delivered, filtered or dead
	place  string // dead: code, step and field
	reason string
}

// call is one effect that was captured.
type call struct {
	step   string // ID of the step
	target string // connection.operation, or event NAME
	event  bool
	key    string       // idempotency key
	sent   any          // what left, by place
	shape  *value.Shape // of the body
	typed  types        // of the rows that made the body
}

// player runs messages through the definitions of one side.
type player struct {
	ws      *compile.Workspace
	preview func(*compile.Connection) func(connectors.Request) (connectors.Preview, error)
	opened  map[string]func(connectors.Request) (connectors.Preview, error)
	types   map[string]types // by mapping
}

func newPlayer(side *Side, preview func(*compile.Connection) func(connectors.Request) (connectors.Preview, error)) *player {
	alone := *side.WS
	alone.Revision = "plan" // a payload that names its revision differs by nothing else
	return &player{ws: &alone, preview: preview, opened: map[string]func(connectors.Request) (connectors.Preview, error){}, types: map[string]types{}}
}

// mostSteps bounds one message; no honest one comes near it.
const mostSteps = 20_000

// play follows a message to its ends, with every effect captured and answered by
// what the real one was answered, or by stubs.
func (p *player) play(ctx context.Context, m *Message) *trail {
	t := &trail{}
	pipe := p.ws.Pipelines[m.Pipeline]
	if pipe == nil {
		return t
	}
	t.known = true
	in := m.In
	intake := worker.Intake{WS: p.ws, P: pipe, Limits: worker.Limits{MaxDepth: 10_000}}
	jobs, history, refused := intake.Jobs(ctx, "plan", &in)
	if refused != nil {
		t.refused = refused.Error()
		return t
	}
	if len(history) > 0 {
		t.ends = append(t.ends, ending{kind: "filtered", reason: history[len(history)-1].Detail})
	}
	a := &answers{m: m, used: make([]bool, len(m.Answers)), count: map[string]int{}}
	var runs []flow.Run
	for _, j := range jobs {
		run, ok := j.Hint.(*flow.Run)
		if !ok {
			continue
		}
		t.identity = append(t.identity, identity{run.Key, run.OrderKey})
		t.refs = flow.Refs(t.refs, run.Trace)
		if run.Drift {
			t.refused = "held: it does not fit the contract of the pipeline: " + run.Fault
			continue
		}
		runs = append(runs, *run)
	}
	for steps := 0; len(runs) > 0 && steps < mostSteps && ctx.Err() == nil; steps++ {
		more := p.advance(ctx, t, pipe, &runs[0], a)
		runs = append(more, runs[1:]...)
	}
	return t
}

// advance takes a run one effect further and returns what goes on.
func (p *player) advance(ctx context.Context, t *trail, pipe *compile.Pipeline, r *flow.Run, a *answers) []flow.Run {
	out := flow.Advance(ctx, p.ws, pipe, r, 1, nil)
	t.routes = append(t.routes, out.Routes...)
	switch out.Kind {
	case flow.Fanned:
		var runs []flow.Run
		for _, b := range out.Branches {
			runs = append(runs, b.Run)
		}
		return runs
	case flow.Delivered:
		t.ends = append(t.ends, ending{kind: "delivered"})
		return nil
	case flow.Filtered:
		t.ends = append(t.ends, ending{kind: "filtered", reason: out.Reason})
		return nil
	case flow.Dead:
		t.die(out.Cause)
		return nil
	}
	if out.Step.Action == compile.ActEmit {
		name, err := flow.EventName(ctx, p.ws, r, out)
		if err != nil {
			t.die(&flow.Cause{Code: "jq", Step: out.Step.ID, Message: "event_name failed: " + err.Error()})
			return nil
		}
		t.calls = append(t.calls, call{step: out.Step.ID, target: "event " + compile.EventName(name), event: true, key: out.Key,
			sent: map[string]any{"body": out.Body}, shape: out.Step.Event.Schema.Shape(), typed: p.typed(out.Step)})
		flow.Complete(pipe, r, out.Step, map[string]any{"event": name})
		return []flow.Run{*r}
	}
	return p.call(ctx, t, pipe, r, out, a)
}

func (t *trail) die(c *flow.Cause) {
	t.ends = append(t.ends, ending{kind: "dead", place: strings.Join([]string{c.Code, c.Step, c.Field}, " "), reason: c.Message})
}

// call captures one call and goes on with its answer.
func (p *player) call(ctx context.Context, t *trail, pipe *compile.Pipeline, r *flow.Run, out flow.Outcome, a *answers) []flow.Run {
	op := p.ws.Operation(out.Step.Target)
	req := connectors.Request{Operation: op.Name, Key: out.Key, Attempt: 1, With: out.With, Body: out.Body, MessageID: "plan", Meta: &r.Meta}
	c := call{step: out.Step.ID, target: op.Ref(), key: out.Key, shape: p.shape(out.Step, op), typed: p.typed(out.Step)}
	sent, err := p.render(op, req)
	if err != nil {
		t.die(&flow.Cause{Code: "refused", Step: out.Step.ID, Message: op.Ref() + ": " + err.Error()})
		return nil
	}
	c.sent = sent
	t.calls = append(t.calls, c)
	for attempt := 1; ; attempt++ {
		req.Attempt = attempt
		resp, err := a.next(ctx, op, req)
		v := worker.Judge(ctx, p.ws, r, op, resp, err)
		switch {
		case v.OK():
			flow.Complete(pipe, r, out.Step, v.Answer())
			return []flow.Run{*r}
		case v.Repeats(out.Step.Policy.Retry) && attempt < max(out.Step.Policy.Retry.Attempts, 1):
			continue
		case flow.Fail(r, out.Step):
			return []flow.Run{*r}
		}
		cause := v.Cause()
		cause.Step = out.Step.ID
		t.die(cause)
		return nil
	}
}

// shape is what is known of the body of a call.
func (p *player) shape(s *compile.Step, op *compile.Operation) *value.Shape {
	if op.Request != nil {
		return op.Request.Schema.Shape()
	}
	if s.Map != nil {
		if m := p.ws.Mappings[s.Map.Name]; m != nil && m.Output != nil {
			return m.Output.Schema.Shape()
		}
	}
	return nil
}

// render is what leaves, by the places in which it stands.
func (p *player) render(op *compile.Operation, req connectors.Request) (any, error) {
	show, known := p.opened[op.Connection]
	if !known {
		conn := p.ws.Connections[op.Connection]
		if p.preview != nil && conn != nil {
			show = p.preview(conn)
		}
		p.opened[op.Connection] = show
	}
	if show == nil {
		sent := map[string]any{"body": req.Body}
		if len(req.With) > 0 {
			sent["with"] = any(req.With)
		}
		return sent, nil
	}
	v, err := show(req)
	if err != nil {
		return nil, err
	}
	headers := map[string]any{}
	for k, x := range v.Headers {
		headers[k] = x
	}
	return map[string]any{"method": v.Method, "address": v.Address, "path": v.Path, "query": v.Query, "header": headers, "body": v.Body, "form": v.Form}, nil
}

// answers stands in for the other systems of one message.
type answers struct {
	m     *Message
	used  []bool
	count map[string]int
}

// next answers an attempt: as the real message was answered, else by the stubs
// of the test or of the operation, else 200 and nothing.
func (a *answers) next(ctx context.Context, op *compile.Operation, req connectors.Request) (connectors.Response, error) {
	if a.m.Recall != nil {
		if body, ok := a.m.Recall(req.Key); ok {
			a.m.Answers = append(a.m.Answers, Answer{Operation: op.Ref(), Key: req.Key, Body: body})
			a.used = append(a.used, true)
			return connectors.Response{Status: 200, Body: body}, nil
		}
	}
	for _, byKey := range []bool{true, false} {
		for i, old := range a.m.Answers {
			if !a.used[i] && old.Operation == op.Ref() && (!byKey || old.Key == req.Key) {
				a.used[i] = true
				return connectors.Response{Status: 200, Body: old.Body}, nil
			}
		}
	}
	ref := op.Ref()
	n := a.count[ref]
	a.count[ref]++
	stubs := a.m.Stubs[ref]
	if len(stubs) == 0 {
		stubs = a.m.Stubs[strings.TrimPrefix(ref, "std/")]
	}
	if len(stubs) == 0 {
		stubs = op.Stubs
	}
	if len(stubs) == 0 {
		return connectors.Response{Status: 200}, nil
	}
	return testrun.Answer(ctx, &stubs[min(n, len(stubs)-1)], req, n+1)
}

// mapped runs a mapping by itself.
func (p *player) mapped(ctx context.Context, m *Message) *trail {
	t := &trail{}
	mp := p.ws.Mappings[m.Mapping]
	if mp == nil || mp.Mapping == nil {
		return t
	}
	t.known = true
	out, err := mp.Mapping.Apply(testrun.ScopeOf(ctx, p.ws, mp, m.In.Meta.ReceivedAt, m.Meta, m.Input), m.Input)
	if err != nil {
		t.ends = append(t.ends, ending{kind: "dead", place: errorPlace(err), reason: err.Error()})
		return t
	}
	c := call{step: "map", target: "mapping " + m.Mapping, sent: map[string]any{"body": out}, typed: p.rows(mp)}
	if mp.Output != nil {
		c.shape = mp.Output.Schema.Shape()
	}
	t.calls = append(t.calls, c)
	t.ends = append(t.ends, ending{kind: "delivered"})
	return t
}

func describeEnd(e ending) string {
	if e.kind == "delivered" || e.reason == "" {
		return e.kind
	}
	return fmt.Sprintf("%s (%s)", e.kind, e.reason)
}
