package lint

import (
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
)

// doors reports conditions that can never hold behind the `when` of a pipeline,
// the steps `when` and the rules in front of them (XD3102).
func doors(p *pass) {
	for _, pl := range p.pipelines() {
		w := &way{p: p, pl: pl, compiled: map[*spec.Step]*compile.Step{}, at: map[*rule.Program]spec.Cell{}}
		for _, s := range pl.ByID {
			w.compiled[s.Spec] = s
		}
		known := w.through(rule.Known{}, pl.When, pl.Spec.When)
		if pl.Split != nil {
			known = rule.Known{} // the steps see its parts
		}
		w.walk(pl.Spec.Steps, known)
	}
}

// way follows the steps of a pipeline as a message does.
type way struct {
	p        *pass
	pl       *compile.Pipeline
	compiled map[*spec.Step]*compile.Step
	at       map[*rule.Program]spec.Cell // where conditions stand
}

// through is what is known behind a condition.
func (w *way) through(known rule.Known, r *rule.Program, c spec.Cell) rule.Known {
	if r == nil || r.Truth() != rule.Varies {
		return known
	}
	w.at[r] = c
	return known.With(r)
}

// walk looks at the steps of a list and returns what is known behind them.
func (w *way) walk(list []spec.Step, known rule.Known) rule.Known {
	for i := range list {
		s := w.compiled[&list[i]]
		if s == nil {
			return rule.Known{}
		}
		switch s.Action {
		case compile.ActMap:
			known = known.Without("data")
		case compile.ActSplit:
			known = rule.Known{}
		case compile.ActWhen:
			w.judge(known, s.When, s.Spec.When, s.ID, "this is never true, so every run ends here, filtered")
			known = w.through(known, s.When, s.Spec.When)
		case compile.ActRoute:
			known = w.route(s, known)
		}
		w.walk(s.Spec.OnFail, known)
		if s.As != "" {
			known = known.Without("steps." + s.As)
		}
	}
	return known
}

// route looks at the rules of a route. Behind it is known what every way leaves as
// it was.
func (w *way) route(s *compile.Step, known rule.Known) rule.Known {
	after := known
	lists := make([][]spec.Step, 0, len(s.Spec.Route.Rules)+1)
	for i := range s.Spec.Route.Rules {
		written := &s.Spec.Route.Rules[i]
		r := s.Route.Rules[i].When
		w.judge(known, r, written.When, "rule "+written.Name.Value, "this rule can never match")
		w.walk(written.To, w.through(known, r, written.When))
		lists = append(lists, written.To)
	}
	if o := s.Spec.Route.Otherwise; o != nil {
		w.walk(o.Steps, known)
		lists = append(lists, o.Steps)
	}
	for _, list := range lists {
		after = w.changed(list, after)
	}
	return after
}

// changed is what is still known behind steps that may have run.
func (w *way) changed(list []spec.Step, known rule.Known) rule.Known {
	for i := range list {
		s := w.compiled[&list[i]]
		if s == nil {
			return rule.Known{}
		}
		switch s.Action {
		case compile.ActMap:
			known = known.Without("data")
		case compile.ActSplit:
			known = rule.Known{}
		}
		if s.As != "" {
			known = known.Without("steps." + s.As)
		}
		if r := s.Spec.Route; r != nil {
			for j := range r.Rules {
				known = w.changed(r.Rules[j].To, known)
			}
			if r.Otherwise != nil {
				known = w.changed(r.Otherwise.Steps, known)
			}
		}
	}
	return known
}

// deadIn reports whether it is told already why a condition never holds: it
// compares with what the field can never be.
func (p *pass) deadIn(c spec.Cell) bool {
	for at := range p.spoken {
		if at.code == codeDead && c.Node.Span.Contains(at.span) {
			return true
		}
	}
	return false
}

func (w *way) judge(known rule.Known, r *rule.Program, c spec.Cell, row, so string) {
	if r == nil || r.Truth() != rule.Varies {
		return
	}
	by, front, own := known.Excludes(r)
	if by == nil || w.p.deadIn(c) {
		return
	}
	d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: c.Node.Span, Kind: "pipeline", Name: w.pl.Name, Row: row, Lang: "expr", Source: c.Node.Text,
		Message: so + ": `" + own + "` and `" + front + "` in front of it exclude each other",
		Hint:    "let it through in front, or remove it",
		Related: []diag.Related{{Span: w.at[by].Node.Span, Message: "the condition in front"}}}
	w.p.about(d)
}
