package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// schedules reports cron expressions that run never, or otherwise than they
// seem to (XD4102).
func schedules(p *pass) {
	for _, pl := range p.pipelines() {
		t := pl.Trigger.Schedule
		if t == nil || !t.Cron.Set() || p.Catalog.Cron(t.Cron.Value, pl.Trigger.Zone) != nil {
			continue
		}
		for _, r := range p.Catalog.Schedule(t.Cron.Value, pl.Trigger.Zone, p.Now) {
			d := diag.Diagnostic{Code: codeClash, Span: t.Cron.Span(), Message: r.Message, Hint: r.Hint,
				Kind: "pipeline", Name: pl.Name, Row: "trigger", Source: t.Cron.Value}
			if r.Warning {
				d.Severity = diag.Warning
			}
			p.list.Add(d)
		}
	}
}

// webhooks reports paths that cannot be, and paths of which a request could
// match two (XD4102).
func webhooks(p *pass) {
	groups := map[string][]*compile.Pipeline{} // those that may clash
	for _, pl := range p.pipelines() {
		t := pl.Trigger.HTTP
		if t == nil || !t.Path.Set() || t.Path.Value[0] != '/' {
			continue
		}
		if err := p.Catalog.Path(t.Path.Value); err != nil {
			if strings.Contains(t.Path.Value, "${") {
				continue // a placeholder that is none is told where it stands
			}
			p.about(diag.Diagnostic{Code: codeClash, Span: t.Path.Span(), Message: err.Error(), Kind: "pipeline", Name: pl.Name, Row: "trigger", Source: t.Path.Value})
			continue
		}
		method := t.Method.Value
		if method == "" {
			method = "POST"
		}
		// Only equal paths clash, and paths with placeholders: the more exact
		// one wins everything else.
		key := method + " " + t.Path.Value
		if strings.Contains(t.Path.Value, "{") {
			key = fmt.Sprint(method, strings.Count(t.Path.Value, "/"))
		}
		for _, other := range groups[key] {
			if !p.Catalog.Overlap(t.Path.Value, other.Trigger.HTTP.Path.Value) {
				continue
			}
			p.about(diag.Diagnostic{Code: codeClash, Span: t.Path.Span(), Kind: "pipeline", Name: pl.Name, Row: "trigger", Source: t.Path.Value,
				Message: fmt.Sprintf("a %s to this path could also be meant for pipeline %s, which listens at %s", method, other.Name, other.Trigger.HTTP.Path.Value),
				Hint:    "give each webhook a path of its own",
				Related: []diag.Related{{Span: other.Trigger.HTTP.Path.Span(), Message: "the other one"}}})
			break
		}
		groups[key] = append(groups[key], pl)
	}
}

// narrow is the number of simultaneous calls at which one slow message of
// little weight holds up an important one.
const narrow = 2

// inversion reports critical work that waits behind work of low priority at a
// connection with very few places, or with a quota that the other may use up,
// where nothing is kept for it (XD4102).
func inversion(p *pass) {
	type use struct {
		pl *compile.Pipeline
		s  *compile.Step
	}
	low, critical := map[string]use{}, map[string]use{}
	for _, pl := range p.pipelines() {
		for _, s := range effects(pl) {
			op := p.ws.Operation(s.Target)
			if op == nil || s.Action == compile.ActEmit {
				continue
			}
			if c := p.ws.Connections[op.Connection]; c.Concurrency > narrow && c.Quota.N == 0 || c.Reserve > 0 && c.Concurrency > 1 {
				continue
			}
			uses := map[int]map[string]use{0: critical, 3: low}[pl.Policy.Priority]
			if _, there := uses[op.Connection]; uses != nil && !there {
				uses[op.Connection] = use{pl, s}
			}
		}
	}
	for _, name := range sortedKeys(critical) {
		l, both := low[name]
		if !both {
			continue
		}
		c := critical[name]
		n := p.ws.Connections[name].Concurrency
		calls := "calls"
		if n == 1 {
			calls = "call"
		}
		message := fmt.Sprintf("critical work waits here for pipeline %s of low priority: %s takes %d %s at a time", l.pl.Name, name, n, calls)
		hint := "raise `concurrency` of " + name + ", or give the work of low priority a connection of its own"
		if q := p.ws.Connections[name].Quota; n > narrow {
			message = fmt.Sprintf("pipeline %s of low priority may use up the quota of %s that critical work needs here: %d a %s", l.pl.Name, name, q.N, q.Period)
			hint = "add `reserve_critical: 20%` to the limits of " + name
		}
		p.about(diag.Diagnostic{Code: codeClash, Severity: diag.Warning, Span: target(c.s).Span(), Kind: "pipeline", Name: c.pl.Name, Row: c.s.ID, Source: c.s.Target,
			Message: message, Hint: hint,
			Related: []diag.Related{{Span: target(l.s).Span(), Message: "the work of low priority"}}})
	}
}

// openWebhooks reports webhooks that anybody may call (XD4103).
func openWebhooks(p *pass) {
	for _, pl := range p.pipelines() {
		t := pl.Trigger.HTTP
		if t == nil {
			continue
		}
		d := diag.Diagnostic{Code: codeOpen, Severity: diag.Warning, Kind: "pipeline", Name: pl.Name, Row: "trigger",
			Message: "anybody who knows the path may call this webhook", Hint: "name a verification: hmac, standard_webhooks, api_key or basic"}
		v := pl.Trigger.Verify
		if v != nil && v.None && (v.HMAC != nil || v.StandardWebhooks != nil || v.APIKey != nil || v.Basic != nil) {
			continue // it contradicts itself, which was said
		}
		switch {
		case v == nil && t.Verify.Name.Set():
			continue // it names one that does not exist
		case v == nil && spec.Stands(t.Node, "verify"):
			continue // it is called otherwise, which was said
		case v == nil:
			d.Span = t.Path.Span()
			d.Hint = "add `verify:` with the name of a verification of crossdock.yaml"
		case v.None && t.Verify.Inline != nil:
			d.Span = t.Verify.Inline.Node.Span
		case v.None:
			d.Span = t.Verify.Name.Span()
		default:
			continue
		}
		p.about(d)
	}
}

// pollOverlap reports cursors without an overlap (XD4104).
func pollOverlap(p *pass) {
	for _, pl := range p.pipelines() {
		t := pl.Trigger.Poll
		if t == nil || t.Cursor == nil || t.Cursor.Overlap.Node != nil {
			continue
		}
		poll := pl.Spec.Trigger.Node.Get("poll")
		if cursor := poll.Get("cursor"); cursor != nil && slices.ContainsFunc(p.wrong, func(w spot) bool { return cursor.Span.Contains(w.span) }) {
			continue // a key that is misspelt may be the one that is missed
		}
		at := poll
		if key := poll.Pair("cursor"); key != nil {
			at = key.Key
		}
		p.about(diag.Diagnostic{Code: codeOverlap, Severity: diag.Warning, Span: at.Span, Kind: "pipeline", Name: pl.Name, Row: "trigger",
			Message: "changes that become visible late, or share the last timestamp, are missed without an overlap",
			Hint:    "add `overlap: 5m` to the cursor; the `key` removes what is read twice"})
	}
}
