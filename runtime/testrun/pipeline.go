package testrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/ast"
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
}

// maxSteps bounds one rehearsal; no honest case comes near it.
const maxSteps = 100_000

// Rehearse runs inputs through one pipeline with stand-ins for everything
// outside. Pipelines that would hear its events do not run.
func Rehearse(ctx context.Context, ws *compile.Workspace, p *compile.Pipeline, inputs []message.Message, stubs map[string][]compile.Stub) (*Rehearsal, error) {
	out := &Rehearsal{}
	alone := *ws
	alone.Listeners = nil
	rec := NewRecorder(&alone, stubs)
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
	stubs, err := r.stubs(c)
	if err != nil {
		return []string{err.Error()}
	}
	var messages []message.Message
	var refused []*connectors.Rejection
	for _, g := range given {
		m, bad := inputs(t.Pipeline, g, c.Meta.V, now)
		messages, refused = append(messages, m...), append(refused, bad...)
	}
	got, err := Rehearse(ctx, r.WS, t.Pipeline, messages, stubs)
	if err != nil {
		return []string{err.Error()}
	}
	got.Rejections = append(refused, got.Rejections...)
	failures := got.compare(c)
	if len(failures) > 0 {
		failures = append(got.causes(c), failures...)
	}
	return failures
}

func (r *Runner) stubs(c *spec.Case) (map[string][]compile.Stub, error) {
	out := map[string][]compile.Stub{}
	for _, f := range c.Stubs {
		for i := range f.Value {
			s, err := r.WS.CompileStub(&f.Value[i])
			if err != nil {
				return nil, err
			}
			out[f.Key.Text] = append(out[f.Key.Text], s)
		}
	}
	return out, nil
}

// causes are the errors that explain a failed case; they are shown first.
func (r *Rehearsal) causes(c *spec.Case) []string {
	var out []string
	for _, rej := range r.Rejections {
		out = append(out, fmt.Sprintf("refused with %d: %s", rej.Status, rej.Error()))
	}
	for _, d := range r.Dead {
		text := fmt.Sprintf("dead letter at %s (%s): %s", d.Step, d.Code, d.Message)
		if d.Hint != "" {
			text += "; " + d.Hint
		}
		out = append(out, text)
	}
	for _, p := range r.Parked {
		out = append(out, "parked: "+p)
	}
	return out
}

// compare checks a case's expectations.
func (r *Rehearsal) compare(c *spec.Case) []string {
	var failures []string
	fail := func(format string, args ...any) { failures = append(failures, fmt.Sprintf(format, args...)) }
	if c.ExpectError != nil {
		failures = append(failures, r.expectError(c.ExpectError)...)
	}
	unexpected := len(r.Dead) > 0 || len(r.Rejections) > 0 || len(r.Parked) > 0
	if c.Expect != nil {
		for _, p := range c.Expect.Pairs {
			switch p.Key.Text {
			case "routes":
				r.routes(p.Value, fail)
			case "attempts":
				for _, op := range p.Value.Pairs {
					if n := r.attempts(op.Key.Text); fmt.Sprint(n) != op.Value.Text {
						fail("attempts of %s: %d, expected %s", op.Key.Text, n, op.Value.Text)
					}
				}
			case "sent":
				for _, op := range p.Value.Pairs {
					r.sent(op.Key.Text, spec.Plain(op.Value), fail)
				}
			case "emitted":
				for _, ev := range p.Value.Pairs {
					r.emitted(ev.Key.Text, spec.Plain(ev.Value), fail)
				}
			case "duplicates":
				if fmt.Sprint(r.Duplicates) != p.Value.Text {
					fail("duplicates: %d, expected %s", r.Duplicates, p.Value.Text)
				}
			case "outcome":
				unexpected = unexpected && p.Value.Text != "dead" && p.Value.Text != "rejected"
				r.outcome(p.Value.Text, fail)
			case "rejected":
				unexpected = len(r.Dead) > 0 || len(r.Parked) > 0
				if len(r.Rejections) == 0 || fmt.Sprint(r.Rejections[0].Status) != p.Value.Text {
					fail("rejected: %d inputs were refused, expected one with status %s", len(r.Rejections), p.Value.Text)
				}
			default:
				fail("`%s` cannot be expected of a pipeline; you can use: %s", p.Key.Text, strings.Join(compile.Expectations, ", "))
			}
		}
	}
	if unexpected && c.ExpectError == nil {
		fail("the run did not end well; if that is meant, say `expect: {outcome: dead}` or `expect_error:`")
	}
	return failures
}

func (r *Rehearsal) routes(want *ast.Node, fail func(string, ...any)) {
	var names []string
	if want.Kind == ast.Scalar && !want.Empty {
		names = []string{want.Text}
	}
	for _, n := range want.Items {
		names = append(names, n.Text)
	}
	if strings.Join(names, "\x00") != strings.Join(r.Routes, "\x00") {
		fail("routes: [%s], expected [%s]", strings.Join(r.Routes, ", "), strings.Join(names, ", "))
	}
}

func (r *Rehearsal) attempts(op string) int {
	n := 0
	for _, c := range r.Calls {
		if isOperation(c.Operation, op) {
			n++
		}
	}
	return n
}

// sent compares what an operation was told with what was expected: one value
// must fit one of the calls that were made for it, a list all of them.
func (r *Rehearsal) sent(op string, want any, fail func(string, ...any)) {
	var got []any
	seen := map[string]bool{}
	for _, c := range r.Calls {
		if !isOperation(c.Operation, op) || c.Key != "" && seen[c.Key] {
			continue // a repeated attempt sends the same
		}
		seen[c.Key] = true
		got = append(got, c.whole())
	}
	match(op, "sent to", want, got, fail)
}

// whole is the body with what filled placeholders.
func (c *Call) whole() any {
	body, ok := c.Body.(map[string]any)
	if !ok && c.Body != nil {
		return c.Body
	}
	out := make(map[string]any, len(body)+len(c.With))
	for k, v := range c.With {
		out[k] = v
	}
	for k, v := range body {
		out[k] = v
	}
	return out
}

func (r *Rehearsal) emitted(name string, want any, fail func(string, ...any)) {
	var got []any
	for _, e := range r.Emitted {
		if e.Schema == name || e.Schema == "std/"+name || compile.EventName(e.Name) == compile.EventName(name) {
			got = append(got, e.Body)
		}
	}
	match(name, "emitted as", want, got, fail)
}

func match(name, word string, want any, got []any, fail func(string, ...any)) {
	if len(got) == 0 {
		fail("nothing was %s %s", word, name)
		return
	}
	if list, ok := want.([]any); ok {
		for _, d := range subset("", list, any(got)) {
			fail("%s %s: %s", word, name, strings.TrimSpace(d.path+" "+d.text))
		}
		return
	}
	var first []difference
	for i, g := range got {
		diff := subset("", want, g)
		if len(diff) == 0 {
			return
		}
		if i == 0 {
			first = diff
		}
	}
	for _, d := range first {
		fail("%s %s: %s", word, name, strings.TrimSpace(d.path+" "+d.text))
	}
}

func (r *Rehearsal) outcome(want string, fail func(string, ...any)) {
	if want == "rejected" {
		if len(r.Rejections) == 0 {
			fail("outcome: %s, expected rejected", strings.Join(r.Outcomes, ", "))
		}
		return
	}
	for _, o := range r.Outcomes {
		if o == want {
			return
		}
	}
	fail("outcome: %s, expected %s", strings.Join(r.Outcomes, ", "), want)
}

// expectError looks for a dead letter or refusal that fits.
func (r *Rehearsal) expectError(want *spec.ExpectError) []string {
	fits := func(step, field, code, text string) bool {
		return (!want.Step.Set() || step == want.Step.Value || strings.HasSuffix(step, "/"+want.Step.Value)) &&
			(!want.Field.Set() || field == want.Field.Value) &&
			(!want.Code.Set() || code == want.Code.Value) &&
			(!want.Text.Set() || strings.Contains(text, want.Text.Value))
	}
	for _, d := range r.Dead {
		if fits(d.Step, d.Field, d.Code, d.Message) {
			return nil
		}
	}
	for _, rej := range r.Rejections {
		if len(rej.Problems) == 0 && fits("intake", "", fmt.Sprint(rej.Status), rej.Message) {
			return nil
		}
		for _, p := range rej.Problems {
			if fits("intake", p.Field, fmt.Sprint(rej.Status), rej.Message+": "+p.Message) {
				return nil
			}
		}
	}
	return []string{"expected an error" + describeError(want) + ", but the run ended: " + strings.Join(r.Outcomes, ", ")}
}

// isOperation reports whether a call went to the operation a test names;
// those of shipped connections need no std/.
func isOperation(called, name string) bool { return called == name || called == "std/"+name }
