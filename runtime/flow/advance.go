package flow

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
	"crossdock/dsl/rule"
	"crossdock/runtime/message"
)

// Kind says what a run needs next.
type Kind uint8

// The outcomes of Advance.
const (
	Effect    Kind = iota // one effect has to be carried out, then Complete and Advance again
	Fanned                // the run ends here; Branches go on by themselves
	Delivered             // the run has ended and at least one effect succeeded
	Filtered              // the run has ended with nothing to do; Reason says why
	Dead                  // the run is a dead letter; Cause says why
)

// Outcome is what Advance came to.
type Outcome struct {
	Kind     Kind
	Step     *compile.Step  // Effect: the step
	With     map[string]any // Effect: values for placeholders
	Body     any            // Effect: what is sent; nil = no body, or Encoded
	Encoded  []byte         // Effect: what is sent, as JSON, instead of Body
	Key      string         // Effect: idempotency key
	Branches []Branch
	Reason   string
	Cause    *Cause
	Routes   []string // rules that were chosen on the way
}

// Advance interprets pure steps from r.Step on until an effect is needed or the
// run ends. It changes r. forwards tells for which operations what is sent need
// only be JSON, so that it is not built first; nil is for none.
func Advance(ctx context.Context, ws *compile.Workspace, p *compile.Pipeline, r *Run, attempt int, forwards func(*compile.Operation) bool) Outcome {
	a := advance{ws: ws, p: p, r: r, scope: Scope(ctx, ws, p, r, attempt), forwards: forwards}
	return a.run()
}

// Scope is what the cells of a run can see beside its payload. p tells which
// of it they read; nil means all of it.
func Scope(ctx context.Context, ws *compile.Workspace, p *compile.Pipeline, r *Run, attempt int) *cell.Scope {
	s := &cell.Scope{Ctx: ctx, Original: r.Original, Vars: ws.Environment.Vars, Steps: steps(r), Watch: ws.Watch, Aside: ws.Aside}
	of := p
	if of == nil {
		of = ws.Pipelines[r.Pipeline]
	}
	var client any
	if of != nil {
		s.Params = of.Params
		if of.Client != "" {
			client = of.Client
		}
	}
	if p == nil || p.ReadsMeta {
		s.Meta = r.Meta.Value()
	}
	if p == nil || p.ReadsRun {
		s.Run = map[string]any{
			"id": r.ID, "now": r.Now.UTC().Format("2006-01-02T15:04:05.000Z"), "pipeline": r.Pipeline,
			"attempt": attempt, "revision": ws.Revision, "client": client, "trace_id": traceID(&r.Meta),
		}
	}
	return s
}

// traceID is the ID of the W3C trace that the message came with, nil without.
func traceID(m *message.Meta) any {
	if parts := strings.Split(m.Headers["traceparent"], "-"); len(parts) == 4 && len(parts[1]) == 32 {
		return parts[1]
	}
	return nil
}

// noSteps are the results of a run that has none. Cells change nothing.
var noSteps = map[string]any{}

func steps(r *Run) map[string]any {
	if r.Steps == nil {
		return noSteps
	}
	return r.Steps
}

type advance struct {
	ws     *compile.Workspace
	p      *compile.Pipeline
	r      *Run
	scope  *cell.Scope
	routes []string

	forwards func(*compile.Operation) bool
}

func (a *advance) run() Outcome {
	out := a.walk()
	out.Routes = a.routes
	return out
}

func (a *advance) walk() Outcome {
	r := a.r
	if r.Fault != "" {
		return a.dead(&Cause{Code: "intake", Message: r.Fault})
	}
	var step *compile.Step
	switch r.Step {
	case End:
		return a.ended("")
	case "":
		if a.p.When != nil && a.p.Split == nil { // else it was asked of the whole message
			if out := a.gate(a.p.When, "when"); out != nil {
				return *out
			}
		}
		step = a.p.Steps[0]
	default:
		step = a.p.ByID[r.Step]
		if step == nil {
			return a.dead(&Cause{Code: "definition", Step: r.Step, Message: "the definition changed: the pipeline has no step " + r.Step + " any more"})
		}
	}
	for step != nil {
		r.Step = step.ID
		next, out := a.step(step)
		if out != nil {
			return *out
		}
		step = next
	}
	r.Step = End
	return a.ended("")
}

// ended ends the run: delivered if anything was done, else filtered.
func (a *advance) ended(reason string) Outcome {
	a.r.Step = End
	if a.r.Effects > 0 {
		return Outcome{Kind: Delivered}
	}
	if reason == "" {
		reason = "no step had anything to do"
	}
	return Outcome{Kind: Filtered, Reason: reason}
}

func (a *advance) dead(c *Cause) Outcome {
	if c.Step == "" {
		c.Step = a.r.Step
	}
	return Outcome{Kind: Dead, Cause: c}
}

// step interprets one step and returns the next one, or how the walk ends.
func (a *advance) step(s *compile.Step) (*compile.Step, *Outcome) {
	switch s.Action {
	case compile.ActMap:
		body, cause := a.mapped(s.Map, a.r.Body)
		if cause != nil {
			out := a.dead(cause)
			return nil, &out
		}
		a.r.Body, a.r.Mapped = body, true
	case compile.ActWhen:
		return s.Next, a.gate(s.When, s.ID)
	case compile.ActSplit:
		out := a.split(s)
		return nil, &out
	case compile.ActRoute:
		return a.route(s)
	case compile.ActDeadLetter:
		out := a.dead(&Cause{Code: "dead_letter", Message: s.Text})
		return nil, &out
	case compile.ActIgnore:
		out := a.ended("ignored by " + s.ID)
		return nil, &out
	default:
		out := a.effect(s)
		return nil, &out
	}
	return s.Next, nil
}

// gate ends the run where a condition is false.
func (a *advance) gate(p *rule.Program, name string) *Outcome {
	yes, err := a.scope.Yes(p, a.r.Body)
	if err != nil {
		out := a.dead(&Cause{Code: "rule", Message: err.Error(), Step: name})
		return &out
	}
	if !yes {
		out := a.ended("`" + name + "` is false: " + p.Source())
		return &out
	}
	return nil
}

func (a *advance) mapped(m *mapping.Mapping, in any) (any, *Cause) {
	out, err := m.Apply(a.scope, in)
	if err != nil {
		return nil, mapCause(err)
	}
	return out, nil
}

func mapCause(err error) *Cause {
	c := &Cause{Code: "map", Message: err.Error()}
	var me *mapping.Error
	if errors.As(err, &me) {
		first := me.Rows[0]
		c.Code, c.Field, c.Hint, c.Place = first.Code, first.Field, first.Hint, first.Span.String()
		if others := otherRows(me.Rows[1:]); others != "" {
			c.Hint = strings.TrimPrefix(c.Hint+"; also ", "; ") + others
		}
	}
	return c
}

// toldRows bounds how many rows a dead letter names beside the first.
const toldRows = 10

// otherRows words the rows that failed beside the first one, so that a person
// can mend all of them at once.
func otherRows(rows []mapping.RowError) string {
	var told []string
	for i, r := range rows {
		if i == toldRows {
			told = append(told, fmt.Sprintf("and %d more", len(rows)-i))
			break
		}
		told = append(told, "row "+r.Field+": "+r.Message)
	}
	return strings.Join(told, "; ")
}

// Refs merges business references, each once.
func Refs(lists ...[]message.Ref) []message.Ref {
	var out []message.Ref
	seen := map[message.Ref]bool{}
	for _, l := range lists {
		for _, ref := range l {
			if !seen[ref] && ref.Value != "" {
				seen[ref] = true
				out = append(out, ref)
			}
		}
	}
	return out
}

// EventName returns the name under which an emitted payload is heard.
func EventName(ctx context.Context, ws *compile.Workspace, r *Run, out Outcome) (string, error) {
	s := out.Step.Event
	if s.EventName == nil {
		return s.Event, nil
	}
	v, ok, err := Scope(ctx, ws, nil, r, 1).One(s.EventName, out.Body)
	if err != nil {
		return "", err
	}
	name, isText := v.(string)
	if !ok || !isText || name == "" {
		return "", fmt.Errorf("`%s` gives no text", s.EventName.Source())
	}
	return name, nil
}
