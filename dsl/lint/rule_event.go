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
	emitted, ours, spelled := map[string]bool{}, map[string]bool{}, map[string]string{}
	any := p.unread() // some event has a name that only running shows
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
				if !s.Event.Std && len(names) == 1 {
					ours[n] = true
				}
			}
			for _, n := range s.Event.EventWords() {
				spelled[compile.EventName(n)] = n
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
	meant := only(ours, heard)
	if only(heard, emitted) == "" || any {
		meant = ""
	}
	if meant != "" {
		misspelt[meant] = true
	}
	for _, pl := range p.pipelines() {
		t := pl.Spec.Trigger.Event
		for i, name := range pl.Trigger.Events {
			if t != nil && !emitted[name] && !any && i < len(t.Names) {
				p.neverComes(pl, t.Names[i], spelled, spelled[meant])
			}
		}
		if len(heard) > 0 {
			p.unheard(pl, heard, misspelt)
		}
	}
}

// unread reports whether the steps of some pipeline could not be read, so that
// what it emits is not known.
func (p *pass) unread() bool {
	for _, pl := range p.ws.Pipelines {
		if pl.File == nil || pl.File.Root == nil {
			continue
		}
		for _, pair := range pl.File.Root.Pairs {
			if pair.Key.Text == "steps" && slices.ContainsFunc(p.wrong, func(w spot) bool { return w.code == spec.CodeUnknown && w.span == pair.Value.Span }) {
				return true
			}
		}
	}
	return false
}

// only is the one name of a set that another one lacks; "" where there is none, or
// more than one.
func only(of, lacking map[string]bool) string {
	one := ""
	for name := range of {
		switch {
		case lacking[name]:
		case one != "":
			return ""
		default:
			one = name
		}
	}
	return one
}

// neverComes reports an event that nobody emits. spelled are those that are
// emitted, as their schemas write them; meant is the only one that nobody hears,
// where this is the only one that never comes.
func (p *pass) neverComes(pl *compile.Pipeline, name spec.Text, spelled map[string]string, meant string) {
	var emitted []string
	for _, n := range sortedKeys(spelled) {
		emitted = append(emitted, spelled[n])
	}
	d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: name.Span(), Kind: "pipeline", Name: pl.Name, Row: "trigger", Source: name.Value,
		Message: "no pipeline of this workspace emits `" + name.Value + "`", Hint: "events that are emitted: " + listed(emitted, 20), Missing: "pipeline"}
	if len(emitted) == 0 {
		d.Hint = "no pipeline emits any event yet: add a step `emit:`"
	}
	near := diag.Nearest(name.Value, emitted)
	if len(near) == 0 {
		for _, n := range diag.Nearest(compile.EventName(name.Value), sortedKeys(spelled)) {
			near = append(near, spelled[n])
		}
	}
	if len(near) == 0 && meant != "" {
		d.Short = "did you mean `" + meant + "`?"
	}
	if len(near) > 0 {
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
