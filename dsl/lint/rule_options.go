package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// options reports options of a choice that a route forgets, and rules that wait
// for an event that the trigger does not hear (XD3102).
func options(p *pass) {
	for _, pl := range p.pipelines() {
		p.unheardOption(pl, p.cells[pl.Spec.When.Node], "when")
		steps(pl, func(s *compile.Step) {
			if s.Action == compile.ActWhen {
				p.unheardOption(pl, p.cells[s.Spec.When.Node], s.ID)
			}
			if s.Route == nil {
				return
			}
			for i := range s.Spec.Route.Rules {
				r := &s.Spec.Route.Rules[i]
				p.unheardOption(pl, p.cells[r.When.Node], "rule "+r.Name.Value)
			}
			p.forgotten(pl, s)
		})
	}
}

// unheardOption reports a condition that holds only for events that the trigger
// of the pipeline does not name.
func (p *pass) unheardOption(pl *compile.Pipeline, c *cell.Cell, row string) {
	if c == nil || c.Rule == nil {
		return
	}
	of, texts, ok := c.Rule.Choice()
	if !ok {
		return
	}
	all, heard := p.optionsOf(pl, c, of)
	if len(heard) == len(all) || slices.ContainsFunc(texts, func(t string) bool { return slices.Contains(heard, t) || !slices.Contains(all, t) }) {
		return
	}
	p.about(diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: c.Node.Span, Kind: "pipeline", Name: pl.Name, Row: row, Lang: "expr", Source: c.Node.Text,
		Message: "this is never true: the trigger of this pipeline does not hear `" + strings.Join(texts, "`, `") + "`",
		Hint:    "it hears: " + strings.Join(heard, ", ")})
}

// optionsOf returns the options of what a condition compares, and those among
// them that can come: where it is the name of the event, only what the trigger
// hears.
func (p *pass) optionsOf(pl *compile.Pipeline, c *cell.Cell, of string) (all, come []string) {
	for _, path := range c.Rule.Paths() {
		if path.String() != of {
			continue
		}
		r := p.ruleRead(c, path)
		at := r.start
		var names []string
		for _, seg := range r.segments {
			next, v, _ := at.next(seg)
			if v != exists || next.shape == nil {
				return nil, nil
			}
			at, names = next, append(names, seg.name)
		}
		if !at.shape.Known() || at.shape.Type.Base != value.Choice {
			return nil, nil
		}
		all = at.shape.Options
		if !p.namesEvent(pl, r, names) {
			return all, all
		}
		for _, o := range all {
			if slices.Contains(pl.Trigger.Events, compile.EventName(o)) {
				come = append(come, o)
			}
		}
		return all, come
	}
	return nil, nil
}

// namesEvent reports whether a field is the one after which the events that
// start a pipeline are called.
func (p *pass) namesEvent(pl *compile.Pipeline, r read, names []string) bool {
	if len(pl.Trigger.Events) == 0 || r.start.schema == nil {
		return false
	}
	for _, s := range p.ws.Schemas {
		if s.Schema != r.start.schema || s.EventName == nil {
			continue
		}
		called := (cell.Context{Shape: cell.Shape{Schema: s.Schema}}).Result(s.EventName)
		return called.Schema != nil && slices.Equal(called.Path, append(slices.Clone(r.start.path), names...))
	}
	return false
}

// forgotten reports options that no rule of a route names, so that they end as
// dead letters. A route that names few of many picks them out, and means it.
func (p *pass) forgotten(pl *compile.Pipeline, s *compile.Step) {
	route := s.Spec.Route
	if s.Route.Otherwise == nil || s.Route.Otherwise.Action != compile.ActDeadLetter {
		return
	}
	named := map[string][]string{} // by what is compared
	rules := map[string]int{}
	var can map[string][]string
	for i := range route.Rules {
		c := p.cells[route.Rules[i].When.Node]
		if c == nil || c.Rule == nil {
			continue
		}
		of, texts, ok := c.Rule.Choice()
		if !ok {
			continue
		}
		named[of] = append(named[of], texts...)
		rules[of]++
		if can == nil {
			can = map[string][]string{}
		}
		if can[of] == nil {
			_, can[of] = p.optionsOf(pl, c, of)
		}
	}
	for _, of := range sortedKeys(named) {
		var left []string
		for _, o := range can[of] {
			if !slices.Contains(named[of], o) {
				left = append(left, o)
			}
		}
		if rules[of] < 2 || len(left) == 0 || len(left) >= len(can[of])-len(left) {
			continue
		}
		span := route.Otherwise.Node.Span
		if pair := route.Node.Pair("otherwise"); pair != nil {
			span = pair.Key.Span
		}
		p.about(diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: span, Kind: "pipeline", Name: pl.Name, Row: s.ID, Source: "otherwise " + strings.Join(left, ", "),
			Message: fmt.Sprintf("no rule takes `%s` of %s, so it always ends as a dead letter", strings.Join(left, "`, `"), schema.Join(strings.Split(of, ".")[1:])),
			Hint:    "name it in a rule; where a dead letter is meant, a rule with `dead_letter` says so"})
	}
}
