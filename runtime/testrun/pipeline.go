package testrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/dsl/spec"
	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// Emitted is one event that was put on the bus.
type Emitted struct {
	Schema, Name string
	Body         any
}

// Rehearsal is what a pipeline did with its inputs.
type Rehearsal struct {
	Routes     []string
	Calls      []Call
	Emitted    []Emitted
	Duplicates int
	Rejections []*connectors.Rejection
	Dead       []*flow.Cause
	Outcomes   []string // of every run that ended: delivered, filtered or dead
	Parked     []string // reasons
	History    []queue.Entry

	client string // whose names expectations are written with
	untold int    // rejections of a source that cannot be told: a run makes dead letters of them
}

// maxSteps bounds one rehearsal; no honest case comes near it.
const maxSteps = 100_000

// Rehearse runs inputs through one pipeline with stand-ins for everything
// outside. Pipelines that would hear its events do not run.
func Rehearse(ctx context.Context, ws *compile.Workspace, p *compile.Pipeline, inputs []message.Message, stubs map[string][]compile.Stub) (*Rehearsal, error) {
	return RehearseWith(ctx, ws, p, inputs, NewRecorder(ws, stubs))
}

// RehearseWith is Rehearse with stand-ins of one's own for what is outside.
func RehearseWith(ctx context.Context, ws *compile.Workspace, p *compile.Pipeline, inputs []message.Message, rec *Recorder) (*Rehearsal, error) {
	out := &Rehearsal{}
	alone := *ws
	alone.Listeners = nil
	driver := memory.Open(memory.Options{})
	defer driver.Close()
	w := worker.New(driver, slog.New(slog.DiscardHandler), journal.NewMeter(), worker.Options{
		LeaseTTL: time.Hour, Random: func() float64 { return 0 },
		Emitted: func(schema, name string, body any) { out.Emitted = append(out.Emitted, Emitted{schema, name, body}) },
		Chosen:  func(rule string) { out.Routes = append(out.Routes, rule) },
	})
	w.Use(&worker.Live{WS: &alone, Sinks: rec.Sinks()})
	in := w.Channel(p.Name, true)
	for i := range inputs {
		receipts, err := in.Send(ctx, inputs[i])
		var rej *connectors.Rejection
		switch {
		case errors.As(err, &rej):
			out.Rejections = append(out.Rejections, rej)
			if p.Trigger.HTTP == nil {
				out.untold++
			}
		case err != nil:
			return nil, err
		case receipts[0].Duplicate:
			out.Duplicates++
		}
	}
	if _, err := w.Drain(ctx, maxSteps); err != nil {
		return nil, err
	}
	out.Calls = rec.Calls()
	return out, out.collect(ctx, driver)
}

// collect reads how the runs ended.
func (r *Rehearsal) collect(ctx context.Context, d queue.Driver) error {
	page, err := d.Browse(ctx, queue.Query{View: queue.Recent, Limit: 10000})
	if err != nil {
		return err
	}
	for i := len(page.Entries) - 1; i >= 0; i-- {
		e := page.Entries[i]
		r.History = append(r.History, e)
		switch e.Kind {
		case queue.Delivered, queue.Filtered, queue.DeadKind:
			r.Outcomes = append(r.Outcomes, string(e.Kind))
		}
	}
	dead, err := d.Browse(ctx, queue.Query{View: queue.Jobs, State: queue.DeadJob, Limit: 10000, Bodies: true})
	if err != nil {
		return err
	}
	for _, j := range dead.Jobs {
		run, err := flow.Decode(j.Body, func(raw []byte, _ *message.Meta) (any, error) { return string(raw), nil })
		if err == nil && run.Cause != nil {
			r.Dead = append(r.Dead, run.Cause)
		}
	}
	parked, err := d.Browse(ctx, queue.Query{View: queue.Jobs, State: queue.Parked, Limit: 1000})
	if err != nil {
		return err
	}
	for _, j := range parked.Jobs {
		r.Parked = append(r.Parked, j.Reason)
	}
	return nil
}

// inputName is the name of files that were written into a test.
const inputName = "test"

// Input makes a message of a payload, as the trigger of p would.
func Input(p *compile.Pipeline, body any, raw []byte, meta any, now time.Time) message.Message {
	m := message.Message{Body: body, Meta: message.Meta{ReceivedAt: now}}
	t := &p.Trigger
	switch {
	case t.HTTP != nil:
		m.Meta.Source, m.Meta.Path = "http", t.HTTP.Path.Value
		m.Raw, m.Meta.Type = encode(t.HTTP.Format.Value, body)
		if raw != nil {
			m.Raw = raw
		}
	case t.Schedule != nil:
		m.Meta.Source = "schedule"
	case t.Files != nil:
		m.Meta.Source = "files"
		m.Meta.File = &message.File{Name: inputName, Size: int64(len(raw))}
	case t.Poll != nil:
		m.Meta.Source = "poll"
	default:
		m.Meta.Source = "event"
		m.Meta.Event = &message.Event{ID: "test"}
		if len(t.Events) > 0 {
			m.Meta.Event.Name = t.Events[0]
		}
	}
	applyMeta(&m.Meta, meta)
	return m
}

func applyMeta(m *message.Meta, v any) {
	given, _ := v.(map[string]any)
	texts := func(v any) map[string]string {
		out := map[string]string{}
		in, _ := v.(map[string]any)
		for k, x := range in {
			out[strings.ToLower(k)] = fmt.Sprint(x)
		}
		return out
	}
	for k, v := range given {
		switch k {
		case "headers":
			m.Headers = texts(v)
		case "query":
			m.Query = texts(v)
		case "path":
			m.Path = fmt.Sprint(v)
		case "consumer":
			m.Consumer = fmt.Sprint(v)
		case "file":
			f, _ := v.(map[string]any)
			if m.File == nil {
				m.File = &message.File{}
			}
			if name, ok := f["name"].(string); ok {
				m.File.Name = name
			}
			if sha, ok := f["sha256"].(string); ok {
				m.File.SHA256 = sha
			}
		case "event":
			e, _ := v.(map[string]any)
			if m.Event == nil {
				continue
			}
			if name, ok := e["name"].(string); ok {
				m.Event.Name = name
			}
			if id, ok := e["id"].(string); ok {
				m.Event.ID = id
			}
		}
	}
}

// pipeline runs a case of a pipeline.
func (r *Runner) pipeline(ctx context.Context, t *compile.Test, c *spec.Case, given []payload, now time.Time) []string {
	got, err := r.rehearsed(ctx, t, c, given, now)
	if err != nil {
		return []string{err.Error()}
	}
	failures := got.compare(c)
	if len(failures) > 0 {
		failures = append(got.causes(c), failures...)
		failures = append(failures, r.ended(t, c)...)
	}
	return failures
}

// ended says of which operations, that a case expects something of, the test of the
// pipeline can tell nothing.
func (r *Runner) ended(t *compile.Test, c *spec.Case) []string {
	var out []string
	for _, section := range []string{"attempts", "sent", "absent"} {
		p := c.Expect.Pair(section)
		if p == nil {
			continue
		}
		for _, named := range p.Value.Pairs {
			op := r.WS.Operation(r.WS.Ref(t.Owner(), named.Key.Text))
			if op == nil {
				continue
			}
			if says, hint := r.WS.TestEnds(t.Pipeline, op); says != "" && !slices.Contains(out, says+"; "+hint) {
				out = append(out, says+"; "+hint)
			}
		}
	}
	return out
}

// rehearsed runs the inputs of a case through its pipeline.
func (r *Runner) rehearsed(ctx context.Context, t *compile.Test, c *spec.Case, given []payload, now time.Time) (*Rehearsal, error) {
	stubs, err := r.stubs(t, c)
	if err != nil {
		return nil, err
	}
	var messages []message.Message
	var refused []*connectors.Rejection
	for _, g := range given {
		m, bad := inputs(t.Pipeline, g, c.Meta.V, now)
		messages, refused = append(messages, m...), append(refused, bad...)
	}
	got, err := Rehearse(ctx, r.WS, t.Pipeline, messages, stubs)
	if err != nil {
		return nil, err
	}
	got.client = t.Owner()
	got.Rejections = append(refused, got.Rejections...)
	return got, nil
}

func (r *Runner) stubs(t *compile.Test, c *spec.Case) (map[string][]compile.Stub, error) {
	out := map[string][]compile.Stub{}
	for _, f := range c.Stubs {
		for i := range f.Value {
			s, err := r.WS.CompileStub(&f.Value[i])
			if err != nil {
				return nil, err
			}
			ref := r.WS.Ref(t.Owner(), f.Key.Text)
			if op := r.WS.Operation(ref); op != nil {
				ref = op.Ref() // those of shipped connections need no std/
			}
			out[ref] = append(out[ref], s)
		}
	}
	return out, nil
}
