// Package recording makes tests of messages that came: it finds a message in
// the store, puts other values in the place of personal data and secrets, and
// writes what the definitions make of it as a case of a test.
package recording

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/dsl/value"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
	"crossdock/runtime/worker"
)

// Recording is a message as it came, in disguise, with what other systems
// answered to it.
type Recording struct {
	Message  string         `json:"message"` // its ID
	Pipeline string         `json:"pipeline"`
	Refs     []message.Ref  `json:"refs,omitempty"`
	Payload  any            `json:"payload"`
	Meta     map[string]any `json:"meta,omitempty"` // as `meta` of a test takes it
	Now      time.Time      `json:"now"`
	Answers  []Answer       `json:"answers,omitempty"` // in the order of the calls
	Ended    string         `json:"ended"`             // delivered, filtered, dead, refused or waits: as the store tells
	Masked   int            `json:"masked"`            // values that are others now
	Notes    []string       `json:"notes,omitempty"`   // what a person has to know
}

// Answer is what an operation answered.
type Answer struct {
	Operation string `json:"operation"`
	Status    int    `json:"status,omitempty"`
	Fault     string `json:"fault,omitempty"` // timeout
	Body      any    `json:"body,omitempty"`
}

// refusal says why a message cannot be recorded, in words for people.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func refuse(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// make records one message.
func (s *Source) make(ctx context.Context, f *found, keep []string) (*Recording, error) {
	p := s.WS.Pipelines[f.pipeline]
	if p == nil {
		return nil, refuse("the pipeline %s of message %s is not defined any more", f.pipeline, f.in.ID)
	}
	body := f.in.Body
	if f.in.Raw != nil {
		var err error
		if body, err = (&worker.Intake{WS: s.WS, P: p}).Decode(f.in.Raw, &f.in.Meta); err != nil {
			return nil, refuse("message %s of %s cannot be read, so nobody knows what in it is personal: %s", f.in.ID, p.Name, err)
		}
	}
	real, err := s.rehearse(ctx, p, f, body)
	if err != nil {
		return nil, err
	}
	d, err := s.disguise(ctx, p, f, body, real, keep)
	if err != nil {
		return nil, err
	}
	masked, err := fitting(d, p, body)
	if err != nil {
		return nil, err
	}
	out := &Recording{Message: f.in.ID, Pipeline: p.Name, Payload: masked, Now: f.in.Meta.ReceivedAt.UTC(), Ended: f.ended, Masked: d.Count()}
	out.Meta = metaOf(d, &f.in.Meta)
	for _, r := range f.refs {
		out.Refs = append(out.Refs, message.Ref{Type: r.Type, Value: d.Text(r.Value)})
	}
	out.Answers = answersOf(s.WS, d, real, f)
	if !d.Personal() {
		out.Notes = append(out.Notes, "no schema of "+p.Name+" marks a field as personal (pii), so nothing is masked: read the files before you commit them")
	}
	f.answers = out.Answers
	f.recall = nil
	other, err := s.rehearse(ctx, p, f, masked)
	if err != nil {
		return nil, err
	}
	if was, is := ending(real), ending(other); was != is {
		out.Notes = append(out.Notes, fmt.Sprintf("with other values in the place of personal ones it takes another way: %s, was %s; --keep FIELD leaves a field as it is", is, was))
	}
	return out, nil
}

// ending is what counts of the way that a message took.
func ending(r *testrun.Rehearsal) string {
	parts := slices.Clone(r.Outcomes)
	if len(r.Rejections) > 0 {
		parts = append(parts, fmt.Sprintf("refused with %d", r.Rejections[0].Status))
	}
	if len(r.Parked) > 0 {
		parts = append(parts, "held")
	}
	for _, d := range r.Dead {
		parts = append(parts, strings.TrimSpace("dead at "+d.Step+" "+d.Field))
	}
	if len(r.Routes) > 0 {
		parts = append(parts, "by "+strings.Join(r.Routes, ", "))
	}
	return strings.Join(parts, ", ")
}

// rehearse runs a message again, answered as it was.
func (s *Source) rehearse(ctx context.Context, p *compile.Pipeline, f *found, body any) (*testrun.Rehearsal, error) {
	rec := testrun.NewRecorder(s.WS, stubs(f.answers))
	rec.Recall = f.recall
	in := f.in
	in.Body, in.Raw = body, nil
	got, err := testrun.RehearseWith(ctx, s.WS, p, []message.Message{in}, rec)
	if err != nil {
		return nil, fmt.Errorf("run message %s again: %w", in.ID, err)
	}
	return got, nil
}

// stubs are answers as a test gives them.
func stubs(list []Answer) map[string][]compile.Stub {
	out := map[string][]compile.Stub{}
	for _, a := range list {
		out[a.Operation] = append(out[a.Operation], compile.Stub{Status: a.Status, Fault: a.Fault, Body: a.Body, HasBody: a.Body != nil})
	}
	return out
}

// answersOf are the answers that a test has to give, operation by operation:
// where one of them is known to be that of the real message, all are told.
func answersOf(ws *compile.Workspace, d *mask.Disguise, real *testrun.Rehearsal, f *found) []Answer {
	told := map[string]bool{}
	for _, a := range f.answers {
		told[a.Operation] = true
	}
	recalled := map[string]bool{}
	for _, c := range real.Calls {
		recalled[c.Operation] = recalled[c.Operation] || c.Recalled
	}
	hide := func(ref string, body any) any {
		var shape *value.Shape
		if op := ws.Operation(ref); op != nil && op.Response != nil {
			shape = op.Response.Schema.Shape()
		}
		return d.Value(body, shape)
	}
	var out []Answer
	for _, a := range f.answers {
		a.Body = hide(a.Operation, a.Body)
		out = append(out, a)
	}
	for _, c := range real.Calls {
		if recalled[c.Operation] && !told[c.Operation] {
			a := Answer{Operation: c.Operation, Status: c.Answer.Status, Body: hide(c.Operation, c.Answer.Body)}
			if a.Status == 0 {
				a.Fault = "timeout" // as the stub of the operation has it
			}
			out = append(out, a)
		}
	}
	return out
}

// disguise learns what is personal in a message, in what it becomes and in what
// it was answered.
func (s *Source) disguise(ctx context.Context, p *compile.Pipeline, f *found, body any, real *testrun.Rehearsal, keep []string) (*mask.Disguise, error) {
	key, err := maskKey(ctx, s.Driver)
	if err != nil {
		return nil, err
	}
	d := mask.NewDisguise(key, keep)
	for _, text := range s.Secrets {
		d.Secret(text)
	}
	schemas := map[*compile.Schema]bool{p.Accept: true}
	for _, step := range p.ByID {
		if step.Map != nil && s.WS.Mappings[step.Map.Name] != nil {
			m := s.WS.Mappings[step.Map.Name]
			schemas[m.Input], schemas[m.Output] = true, true
		}
		schemas[step.Event] = true
		if op := s.WS.Operation(step.Target); op != nil {
			schemas[op.Request], schemas[op.Response] = true, true
		}
	}
	for x := range schemas {
		if x != nil {
			d.Names(x.Schema.Shape())
		}
	}
	d.Learn(body, accepted(p))
	for _, c := range real.Calls {
		op := s.WS.Operation(c.Operation)
		if op == nil {
			continue
		}
		d.Learn(c.Body, s.sentShape(p, op))
		d.Learn(map[string]any(c.With), nil)
		if op.Response != nil {
			d.Learn(c.Answer.Body, op.Response.Schema.Shape())
		}
	}
	for _, e := range real.Emitted {
		if x := s.WS.Schemas[e.Schema]; x != nil {
			d.Learn(e.Body, x.Schema.Shape())
		}
	}
	return d, nil
}

func accepted(p *compile.Pipeline) *value.Shape {
	if p.Accept == nil {
		return nil
	}
	return p.Accept.Schema.Shape()
}

// sentShape is what is known of what an operation is sent.
func (s *Source) sentShape(p *compile.Pipeline, op *compile.Operation) *value.Shape {
	if op.Request != nil {
		return op.Request.Schema.Shape()
	}
	for _, step := range p.ByID {
		if step.Target == op.Ref() && step.Map != nil {
			if m := s.WS.Mappings[step.Map.Name]; m != nil && m.Output != nil {
				return m.Output.Schema.Shape()
			}
		}
	}
	return nil
}

// fitting is a payload in disguise that its contract takes, if it took the
// payload as it came: a pattern or a range may ask for other values than those
// that come first.
func fitting(d *mask.Disguise, p *compile.Pipeline, body any) (any, error) {
	shape := accepted(p)
	masked := d.Value(body, shape)
	if p.Accept == nil {
		return masked, nil
	}
	bad := map[string]bool{}
	for _, v := range p.Accept.Schema.Validate(body) {
		bad[v.Path+v.Code] = true
	}
	for {
		var again bool
		var field string
		for _, v := range p.Accept.Schema.Validate(masked) {
			if bad[v.Path+v.Code] {
				continue
			}
			field = v.Path
			if x, ok := testrun.Find(masked, v.Path); ok && d.Again(x) {
				again = true
			}
		}
		switch {
		case field == "":
			return masked, nil
		case !again:
			return nil, refuse("%s is personal, and no other value was found that %s takes; record it with --keep %s if its value may be seen", field, p.Accept.Name, field)
		}
		masked = d.Value(body, shape)
	}
}

// metaOf is what a test says about a message beside its content.
func metaOf(d *mask.Disguise, m *message.Meta) map[string]any {
	all := m.Value()
	out := map[string]any{}
	for _, name := range []string{"headers", "query", "path", "consumer", "event"} {
		if v, ok := all[name]; ok {
			out[name] = d.Value(map[string]any{name: v}, nil).(map[string]any)[name]
		}
	}
	if m.File != nil {
		out["file"] = map[string]any{"name": d.Text(m.File.Name), "sha256": m.File.SHA256}
	}
	return out
}
