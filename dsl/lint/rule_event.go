package lint

import (
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// deadEvents reports events that are waited for but never come, and events
// that nobody waits for (XD3102).
func deadEvents(p *pass) {
	emitted := map[string]bool{}
	any := false // some event has a name that only running shows
	for _, pl := range p.ws.Pipelines {
		for _, s := range effects(pl) {
			if s.Event == nil {
				any = any || s.Action == compile.ActEmit
				continue
			}
			names, known := s.Event.EventNames()
			any = any || !known
			for _, n := range names {
				emitted[n] = true
			}
		}
	}
	heard := map[string]bool{}
	for _, pl := range p.ws.Pipelines {
		for _, name := range pl.Trigger.Events {
			heard[name] = true
		}
	}
	misspelt := map[string]bool{} // events that a trigger means, but spells in another way
	for name := range heard {
		if near := diag.Nearest(name, sortedKeys(emitted)); !emitted[name] && len(near) > 0 {
			misspelt[near[0]] = true
		}
	}
	for _, pl := range p.pipelines() {
		t := pl.Spec.Trigger.Event
		for i, name := range pl.Trigger.Events {
			if t != nil && !emitted[name] && !any && i < len(t.Names) {
				p.neverComes(pl, t.Names[i], sortedKeys(emitted))
			}
		}
		if len(heard) > 0 {
			p.unheard(pl, heard, misspelt)
		}
	}
}

func (p *pass) neverComes(pl *compile.Pipeline, name spec.Text, emitted []string) {
	d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: name.Span(), Kind: "pipeline", Name: pl.Name, Row: "trigger", Source: name.Value,
		Message: "no pipeline of this workspace emits `" + name.Value + "`", Hint: "events that are emitted: " + listed(emitted, 20), Missing: "pipeline"}
	if len(emitted) == 0 {
		d.Hint = "no pipeline emits any event yet: add a step `emit:`"
	}
	if near := diag.Nearest(compile.EventName(name.Value), emitted); len(near) > 0 {
		d.Short = "did you mean `" + near[0] + "`?"
		if name.Node.Text == name.Value {
			d.Fixes = replace(name.Node.Span, near[0])
		}
	}
	p.about(d)
}

// unheard reports emits of which no possible event is heard. The contracts
// that come with crossdock are exempt: others may hear them one day.
func (p *pass) unheard(pl *compile.Pipeline, heard, misspelt map[string]bool) {
	for _, s := range effects(pl) {
		if s.Event == nil || s.Event.Std {
			continue
		}
		names, known := s.Event.EventNames()
		if !known || slices.ContainsFunc(names, func(n string) bool { return heard[n] || misspelt[n] }) {
			continue
		}
		p.about(diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: s.Spec.Emit.Span(), Kind: "pipeline", Name: pl.Name, Row: s.ID, Source: s.Spec.Emit.Value,
			Message: "no pipeline of this workspace hears `" + strings.Join(names, "`, `") + "`", Hint: "events that are heard: " + listed(sortedKeys(heard), 20),
			Missing: "pipeline"})
	}
}
