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
		return
	}
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
