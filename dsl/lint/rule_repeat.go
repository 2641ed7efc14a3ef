package lint

import (
	"fmt"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// repeats reports operations that a policy attempts several times although
// nothing says what happens when they are done twice (XD4101).
func repeats(p *pass) {
	for _, pl := range p.delivering() {
		for _, s := range effects(pl) {
			op := p.ws.Operation(s.Target)
			if op == nil || s.Action == compile.ActEmit || op.Repeat != compile.RepeatUnset || s.Policy.Retry.Attempts <= 1 {
				continue
			}
			c := p.ws.Connections[op.Connection]
			if p.broken(op) {
				continue
			}
			d := diag.Diagnostic{Code: codeRepeat, Kind: "connection", Name: c.Name, Row: op.Name,
				Message: fmt.Sprintf("%s is attempted up to %d times, but nothing says what happens when it is done twice", op.Ref(), s.Policy.Retry.Attempts),
				Hint:    "add `repeat: safe` (twice is the same as once), `keyed` (the other side knows our key), `check` (look before trying again) or `never`",
				Related: []diag.Related{{Span: target(s).Span(), Message: "it is used here, by " + user(pl)}}}
			for _, f := range c.Spec.Operations {
				if f.Key.Text == op.Name {
					d.Span = f.Key.Span
				}
			}
			p.about(d)
		}
	}
}

// delivering are the pipelines of the workspace, those of its alerts included.
func (p *pass) delivering() []*compile.Pipeline {
	out := p.pipelines()
	for _, name := range sortedKeys(p.ws.Alerts) {
		out = append(out, p.ws.Alerts[name].Pipeline)
	}
	return out
}

// user names a pipeline as the one that uses something.
func user(pl *compile.Pipeline) string {
	if name, isAlert := strings.CutPrefix(pl.Name, compile.AlertPrefix); isAlert && pl.Kind == compile.AlertKind {
		return "alert " + name
	}
	return "pipeline " + pl.Name
}

// identity reports pipelines that cannot tell a repeated message from a new
// one, and keys that are never the same twice (XD4101).
func identity(p *pass) {
	for _, pl := range p.pipelines() {
		if !pl.Spec.Name.Set() {
			continue
		}
		t := pl.Trigger
		written := pl.File.Root.Get("key")
		if unread := written != nil && !written.Empty && len(pl.Spec.Key) == 0; unread {
			continue // what is wrong with it is told there
		}
		if len(pl.Spec.Key) == 0 && (t.HTTP != nil || t.Poll != nil || t.Files != nil) && p.hurtsTwice(pl) {
			p.about(diag.Diagnostic{Code: codeRepeat, Span: pl.Spec.Name.Span(), Kind: "pipeline", Name: pl.Name,
				Message: "without a `key` a message that comes twice is worked on twice",
				Hint:    "add `key:` with the data that identifies the work, such as key: [.orderNo, .revision]"})
		}
	}
	for _, c := range p.sortedCells() {
		if c.Kind != "pipeline" || c.Role != "key" || c.JQ == nil {
			continue
		}
		if pl := p.ws.Pipelines[c.Name]; pl == nil || pl.Trigger.Schedule != nil {
			continue // the time of a scheduled run is what identifies it
		}
		for _, path := range c.JQ.Paths() {
			if len(path.Segments) == 0 || !fleeting[path.Var+"."+path.Segments[0].Name] {
				continue
			}
			seg := path.Segments[0]
			from := seg.From
			if variable := "$" + path.Var + "."; strings.HasSuffix(c.Node.Text[:from], variable) {
				from -= len(variable)
			}
			p.inCell(c, from, seg.To, diag.Diagnostic{Code: codeRepeat,
				Message: "`" + seg.Name + "` differs each time a message arrives, so this key never recognises a repeat",
				Hint:    "use business data, such as a number and its revision, or the id of the event"})
		}
	}
}

// fleeting are values that a repeated message does not share with the first.
var fleeting = map[string]bool{"run.id": true, "run.now": true, "run.attempt": true, "run.trace_id": true, "run.revision": true, "meta.received_at": true}

// hurtsTwice reports whether doing the work twice has another effect than
// doing it once.
func (p *pass) hurtsTwice(pl *compile.Pipeline) bool {
	for _, s := range effects(pl) {
		op := p.ws.Operation(s.Target)
		if s.Action == compile.ActEmit || op != nil && op.Repeat != compile.RepeatSafe {
			return true
		}
	}
	return false
}

// remember reports policies that forget a key while a message with it may
// still come back (XD4101).
func remember(p *pass) {
	for _, f := range p.ws.Spec.Policies {
		p.memory(f.Key, f.Value, p.ws.Policies[f.Key.Text], "crossdock", "")
	}
	for _, pl := range p.pipelines() {
		if in := pl.Spec.Policy.Inline; in != nil {
			p.memory(in.Node, *in, pl.Policy, "pipeline", pl.Name)
		}
		steps(pl, func(s *compile.Step) {
			if in := s.Spec.Policy.Inline; in != nil {
				p.memory(in.Node, *in, s.Policy, "pipeline", pl.Name)
			}
		})
	}
}

// memory compares what s makes of a policy. It is silent where s sets none of
// the three times: whoever set them hears of it.
func (p *pass) memory(key *ast.Node, s spec.Policy, policy *compile.Policy, kind, name string) {
	if policy == nil {
		return
	}
	closed, connection := p.closedFor(policy)
	if parent := p.ws.Policies[s.Extends.Value]; s.Remember.Node == nil && parent != nil && parent.Remember == policy.Remember && parent.Remember < parent.Retry.Longest()+parent.Keep {
		return // said of the policy that it extends
	}
	need := policy.Retry.Longest() + policy.Keep + closed
	if policy.Remember >= need {
		return
	}
	var at *ast.Node
	switch {
	case s.Remember.Node != nil:
		at = s.Remember.Node
	case s.DeadLetter != nil && s.DeadLetter.Keep.Node != nil:
		at = s.DeadLetter.Keep.Node
	case s.Retry != nil:
		at = key
	default:
		return
	}
	why := fmt.Sprintf("retries take up to %s and dead letters are kept for %s", length(policy.Retry.Longest()), length(policy.Keep))
	if closed > 0 {
		why = fmt.Sprintf("retries take up to %s, %s is closed for up to %s, and dead letters are kept for %s",
			length(policy.Retry.Longest()), connection, length(closed), length(policy.Keep))
	}
	p.about(diag.Diagnostic{Code: codeRepeat, Span: at.Span, Kind: kind, Name: name, Source: at.Text,
		Message: fmt.Sprintf("keys are remembered for %s, but a message can come back for %s: %s", length(policy.Remember), length(need), why),
		Hint:    "write `remember: " + length(need.Truncate(24*time.Hour)+24*time.Hour) + "` or keep dead letters for a shorter time"})
}

// length words a length of time the way definitions do.
func length(d time.Duration) string {
	out, rest := "", d.Round(time.Second)
	for _, unit := range []struct {
		name string
		d    time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := rest / unit.d; n > 0 {
			out += fmt.Sprintf("%d%s", n, unit.name)
			rest -= n * unit.d
		}
	}
	if out == "" {
		return "0s"
	}
	return out
}
