package lint

import (
	"fmt"
	"slices"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// patience reports limits and maintenance windows that have no effect, or
// another one than it seems (XD4102).
func patience(p *pass) {
	for _, name := range sortedKeys(p.ws.Connections) {
		c := p.ws.Connections[name]
		if c.Std || c.Spec == nil {
			continue
		}
		p.reserve(c)
		for i := range c.Spec.Maintenance {
			p.windowTimes(c, &c.Spec.Maintenance[i])
		}
	}
}

// reserve reports a reserve of nothing, and one that leaves nothing.
func (p *pass) reserve(c *compile.Connection) {
	r := c.Spec.Limits.ReserveCritical
	if r.Node == nil {
		return
	}
	d := diag.Diagnostic{Code: codeClash, Span: r.Node.Span, Kind: "connection", Name: c.Name, Row: "limits", Source: r.Node.Text}
	switch {
	case r.N == 100 && c.Quota.N > 0:
		d.Message = "all of the quota is kept for critical work: nothing else is ever sent"
		d.Hint = "keep a part of it, such as reserve_critical: 20%"
	case r.N == 100 && c.Quota.N == 0 && c.Concurrency > 1:
		d.Severity = diag.Warning
		d.Message = fmt.Sprintf("all of the %d calls at a time would be kept for critical work: nothing else would ever be sent, so one is left", c.Concurrency)
		d.Hint = "keep a part of them, such as reserve_critical: 50%"
	case r.N > 0 && c.Quota.N == 0 && c.Concurrency == 1:
		d.Severity = diag.Warning
		d.Message = "nothing is kept for critical work: there is no quota, and the only call at a time is open to everybody"
		d.Hint = "raise `concurrency`, or remove `reserve_critical`"
	case c.Quota.N > 0 && c.Quota.N*r.N/100 == 0 && r.N > 0:
		d.Severity = diag.Warning
		d.Message = fmt.Sprintf("%d%% of a quota of %d is less than one call", r.N, c.Quota.N)
		d.Hint = "raise the share"
	default:
		return
	}
	p.about(d)
}

// windowTimes reports windows that never open, or at other times than it seems.
func (p *pass) windowTimes(c *compile.Connection, w *spec.Window) {
	for _, compiled := range c.Windows {
		if compiled.Cron != w.Cron.Value || compiled.Name != w.Name.Value {
			continue
		}
		for _, r := range p.Catalog.Schedule(compiled.Cron, compiled.Zone, p.Now) {
			d := diag.Diagnostic{Code: codeClash, Span: w.Cron.Span(), Message: r.Message, Hint: r.Hint,
				Kind: "connection", Name: c.Name, Row: "maintenance", Source: w.Cron.Value}
			if r.Warning {
				d.Severity = diag.Warning
			}
			p.about(d)
		}
		p.neverOpen(c, w, compiled)
		p.tooFast(c, w)
		return
	}
}

// neverOpen reports a window that lasts until it begins again.
func (p *pass) neverOpen(c *compile.Connection, w *spec.Window, compiled *compile.Window) {
	if !slices.Contains(compiled.Try[:], false) {
		return // nothing is held in it
	}
	apart, always := p.Catalog.Covers(compiled.Cron, compiled.Lasts, p.Now)
	if !always {
		return
	}
	p.about(diag.Diagnostic{Code: codeClash, Span: w.Lasts.Node.Span, Kind: "connection", Name: c.Name, Row: "maintenance", Source: w.Lasts.Node.Text,
		Message: "this window never ends: it begins every " + length(apart) + " and lasts " + w.Lasts.Node.Text,
		Hint:    "write how long the other system is closed each time, such as lasts: " + length(max(apart/6, time.Minute).Truncate(time.Minute))})
}

// tooFast reports what was held in a window going on faster than the connection
// ever calls.
func (p *pass) tooFast(c *compile.Connection, w *spec.Window) {
	limit, after := c.Spec.Limits.Rate, w.After.Rate
	if limit.N == 0 || after.N == 0 || float64(after.N)/float64(after.Per) <= float64(limit.N)/float64(limit.Per) {
		return
	}
	p.about(diag.Diagnostic{Code: codeClash, Severity: diag.Warning, Span: after.Node.Span, Kind: "connection", Name: c.Name, Row: "maintenance", Source: after.Node.Text,
		Message: "what was held cannot go out at " + after.Node.Text + ": the connection is called " + limit.Node.Text + " at most",
		Hint:    "write a rate below " + limit.Node.Text + ", or remove it: without it what was held goes out as fast as the limits allow",
		Related: []diag.Related{{Span: limit.Node.Span, Message: "its limit"}}})
}

// keyless reports policies that need what a pipeline does not say (XD4101).
func keyless(p *pass) {
	for _, pl := range p.pipelines() {
		at := policyOf(pl)
		d := diag.Diagnostic{Code: codeRepeat, Span: at, Kind: "pipeline", Name: pl.Name, Row: "policy"}
		switch {
		case pl.Policy.Collapse && pl.OrderBy == nil && !pl.Spec.OrderBy.Set():
			d.Message = "the policy collapses messages of one order_by, and this pipeline has none"
			d.Hint = "add `order_by:` with what the messages are about, such as order_by: .sku"
			p.about(d)
		case pl.Policy.Block && pl.OrderBy == nil && !pl.Spec.OrderBy.Set():
			d.Message = "a dead letter is to block what has the same order_by, and this pipeline has none"
			d.Hint = "add `order_by:` with what the messages are about, such as order_by: .orderNo"
			p.about(d)
		case pl.Policy.Block && !pl.Policy.Ordered && !pl.Policy.Collapse:
			d.Message = "a dead letter is to block what follows it, but `order: none` lets messages overtake each other"
			d.Hint = "write `order: per_key`, or `on_dead_letter: skip`"
			p.about(d)
		}
		if drift := pl.Spec.OnSchemaDrift; drift.Value == "quarantine" && !pl.Spec.Accept.Set() {
			p.about(diag.Diagnostic{Code: codeRepeat, Span: drift.Span(), Kind: "pipeline", Name: pl.Name, Source: drift.Value,
				Message: "nothing can be quarantined, because this pipeline accepts everything",
				Hint:    "add `accept:` with the schema that payloads have to fit"})
		}
	}
}

// policyOf is where a pipeline chooses its policy, or else its name.
func policyOf(pl *compile.Pipeline) diag.Span {
	switch ref := pl.Spec.Policy; {
	case ref.Inline != nil && ref.Inline.Node != nil:
		return first(ref.Inline.Node)
	case ref.Name.Set():
		return ref.Name.Span()
	}
	return pl.Spec.Name.Span()
}

// first is the place of the first key of a map, which fits on one line.
func first(n *ast.Node) diag.Span {
	if len(n.Pairs) > 0 {
		return n.Pairs[0].Key.Span
	}
	return n.Span
}

// closedFor is the longest window of the connections that pipelines with a
// policy use.
func (p *pass) closedFor(policy *compile.Policy) (longest time.Duration, connection string) {
	for _, pl := range p.pipelines() {
		for _, s := range effects(pl) {
			op := p.ws.Operation(s.Target)
			if op == nil || s.Policy == nil || s.Policy.Name != policy.Name {
				continue
			}
			for _, w := range p.ws.Connections[op.Connection].Windows {
				if w.Lasts > longest && slices.Contains(w.Try[:], false) {
					longest, connection = w.Lasts, op.Connection
				}
			}
		}
	}
	return longest, connection
}
