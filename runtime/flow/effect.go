package flow

import (
	"fmt"

	"crossdock/dsl/compile"
)

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
	r.Ambiguous, r.Alone, r.Held = false, 0, nil
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
	r.Step, r.Ambiguous, r.Alone, r.Held = s.OnFail[0].ID, false, 0, nil
	return true
}
