package flow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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

// Branch is a run that came out of another one.
type Branch struct {
	Run  Run
	Name string // of the rule, or the position of the item
	Lane string // "out/<connection>.<operation>", or "" for the lane of its pipeline
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
	s := &cell.Scope{Ctx: ctx, Original: r.Original, Vars: ws.Environment.Vars, Steps: steps(r)}
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

func steps(r *Run) map[string]any {
	if r.Steps == nil {
		return map[string]any{}
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

// route chooses rules.
func (a *advance) route(s *compile.Step) (*compile.Step, *Outcome) {
	var chosen []compile.Rule
	for _, rule := range s.Route.Rules {
		yes, err := a.scope.Yes(rule.When, a.r.Body)
		if err != nil {
			out := a.dead(&Cause{Code: "rule", Field: rule.Name, Message: fmt.Sprintf("rule %s: %s", rule.Name, err)})
			return nil, &out
		}
		if yes {
			chosen = append(chosen, rule)
			a.routes = append(a.routes, rule.Name)
			if !s.Route.Every {
				break
			}
		}
	}
	switch {
	case len(chosen) == 1:
		return chosen[0].To, nil
	case len(chosen) > 1:
		out := a.fan(chosen)
		return nil, &out
	}
	a.routes = append(a.routes, "otherwise")
	if s.Route.Otherwise == nil {
		out := a.ended("no rule matched")
		return nil, &out
	}
	return s.Route.Otherwise, nil
}

// fan makes one branch of each rule.
func (a *advance) fan(rules []compile.Rule) Outcome {
	out := Outcome{Kind: Fanned}
	for i, rule := range rules {
		b := a.r.branch("b"+strconv.Itoa(i+1), rule.To.ID)
		out.Branches = append(out.Branches, Branch{Run: b, Name: rule.Name, Lane: lane(rule.To)})
	}
	return out
}

// lane is where a branch waits: with the operation of its first effect.
func lane(s *compile.Step) string {
	for ; s != nil; s = s.Next {
		if s.Action == compile.ActSend || s.Action == compile.ActCall {
			return "out/" + s.Target
		}
		if s.Action == compile.ActRoute || s.Action == compile.ActEmit {
			break
		}
	}
	return ""
}

// split makes one branch of each item.
func (a *advance) split(s *compile.Step) Outcome {
	items, err := Items(a.scope, s, a.r.Body)
	if err != nil {
		return a.dead(&Cause{Code: "jq", Message: err.Error()})
	}
	next := End
	if s.Next != nil {
		next = s.Next.ID
	}
	if len(items) == 0 || next == End {
		return a.ended("`split` gave no items")
	}
	out := Outcome{Kind: Fanned}
	for i, item := range items {
		b := a.r.branch(strconv.Itoa(i+1), next)
		b.Key += "/" + s.ID + "/" + strconv.Itoa(i+1)
		b.Body, b.Mapped = item, true
		out.Branches = append(out.Branches, Branch{Run: b, Name: strconv.Itoa(i + 1)})
	}
	return out
}

// Items evaluates a split.
func Items(scope *cell.Scope, s *compile.Step, body any) ([]any, error) {
	values, err := scope.All(s.Split, body)
	if err != nil {
		return nil, err
	}
	return Flatten(values), nil
}

// Flatten makes items of the values a split gave, as `each` does.
func Flatten(values []any) []any { return mapping.Items(values) }

// effect prepares what an effect needs.
func (a *advance) effect(s *compile.Step) Outcome {
	out := Outcome{Kind: Effect, Step: s, Key: a.r.IdempotencyKey(s.ID)}
	body := a.r.Body
	if a.onlySent(s) {
		encoded, err := s.Map.Marshal(a.scope, body)
		if err != nil {
			return a.dead(mapCause(err))
		}
		out.Encoded = encoded
		return out
	}
	if s.Map != nil {
		mapped, cause := a.mapped(s.Map, body)
		if cause != nil {
			return a.dead(cause)
		}
		body = mapped
	}
	var with map[string]any
	if s.With != nil {
		v, cause := a.mapped(s.With, a.r.Body)
		if cause != nil {
			return a.dead(cause)
		}
		with = v.(map[string]any)
	}
	if s.Action == compile.ActEmit {
		out.Body = merge(body, with)
		if cause := check(s.Event, out.Body, "the event "+s.Event.Name); cause != nil {
			return a.dead(cause)
		}
		return out
	}
	op := a.ws.Operation(s.Target)
	if op == nil {
		return a.dead(&Cause{Code: "definition", Target: s.Target, Message: "there is no operation " + s.Target})
	}
	out.With = with
	switch {
	case s.Map == nil && with != nil:
		// Without a mapping the body is what `with` says, less what only
		// fills placeholders.
		out.Body = unbound(with, op)
	case s.Map != nil && with != nil:
		rest, _ := unbound(with, op).(map[string]any)
		out.Body = merge(body, rest)
	default:
		out.Body = body
	}
	if op.Request != nil {
		if cause := check(op.Request, out.Body, "the request "+op.Request.Name); cause != nil {
			cause.Target = s.Target
			return a.dead(cause)
		}
	}
	return out
}

// onlySent reports whether nobody looks into what the mapping of s gives: it is
// sent to a target that wants JSON, and nothing is checked or put on top.
func (a *advance) onlySent(s *compile.Step) bool {
	if a.forwards == nil || s.Action == compile.ActEmit || s.Map == nil || s.With != nil || !s.Map.Writes() {
		return false
	}
	op := a.ws.Operation(s.Target)
	return op != nil && op.Request == nil && op.Check == nil && a.forwards(op)
}

func check(s *compile.Schema, body any, what string) *Cause {
	bad := s.Schema.Validate(body)
	if len(bad) == 0 {
		return nil
	}
	message := what + " is not valid: " + bad[0].String()
	if n := len(bad) - 1; n > 0 {
		message += fmt.Sprintf(" (and %d more)", n)
	}
	return &Cause{Code: "schema", Field: bad[0].Path, Message: message}
}

// merge puts rows on top of a payload that is an object.
func merge(body any, with map[string]any) any {
	if len(with) == 0 {
		return body
	}
	base, ok := body.(map[string]any)
	if !ok {
		return with
	}
	out := make(map[string]any, len(base)+len(with))
	for k, v := range base {
		out[k] = v
	}
	for k, v := range with {
		if inner, ok := v.(map[string]any); ok {
			out[k] = merge(out[k], inner)
			continue
		}
		out[k] = v
	}
	return out
}

// unbound is what remains of `with` when placeholders have taken theirs.
func unbound(with map[string]any, op *compile.Operation) any {
	out := map[string]any{}
	for k, v := range with {
		if !op.Binds(k) {
			out[k] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Complete records that the effect at r.Step succeeded with result and moves
// the run on. result is nil for effects without an answer.
func Complete(p *compile.Pipeline, r *Run, s *compile.Step, result any) {
	if s.As != "" {
		next := make(map[string]any, len(r.Steps)+1)
		for k, v := range r.Steps {
			next[k] = v
		}
		next[s.As] = result
		r.Steps = next
	}
	r.Effects++
	r.Ambiguous, r.Held = false, nil
	if s.Next == nil {
		r.Step = End
		return
	}
	r.Step = s.Next.ID
}

// Fail moves the run to the on_fail steps of the effect at r.Step; false means
// there are none and the run is a dead letter.
func Fail(r *Run, s *compile.Step) bool {
	if len(s.OnFail) == 0 {
		return false
	}
	r.Step, r.Ambiguous, r.Held = s.OnFail[0].ID, false, nil
	return true
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
