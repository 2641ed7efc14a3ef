package lint

import (
	"regexp"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
)

// flow reports results of steps that are read where the step may not have run
// (XD3103).
func flow(p *pass) {
	p.idle()
	for _, c := range p.unit.Cells {
		if c.JQ == nil && c.Rule == nil {
			continue
		}
		for _, r := range results(c) {
			switch {
			case c.Kind == "pipeline" && own(c.File):
				p.unsure(c, r, resultNames(p.unit.Pipeline))
			case c.Kind == "mapping":
				p.result.reads = append(p.result.reads, stepRead{r, c.Node.Range(r.from, r.to), c})
			}
		}
	}
}

// idle reports a map at the end of a pipeline: what it makes goes nowhere. It was
// meant for the step in front of it, which has sent the payload as it came.
func (p *pass) idle() {
	if p.unit.Pipeline == nil || !own(p.unit.Pipeline.File.Path) {
		return
	}
	list := p.unit.Pipeline.Spec.Steps
	if len(list) == 0 {
		return
	}
	last := list[len(list)-1]
	if !last.Map.Set() || last.Send.Set() || last.Call.Set() || last.Emit.Set() || last.Route != nil || last.Split.Set() {
		return
	}
	d := diag.Diagnostic{Code: codeFlow, Severity: diag.Warning, Span: last.Map.Span(), Kind: "pipeline", Name: p.unit.Pipeline.Name,
		Message: "what `" + last.Map.Value + "` makes goes nowhere: no step follows that takes it", Hint: "put `map` in front of the steps that are to take it"}
	if len(list) > 1 {
		switch before := list[len(list)-2]; {
		case before.Send.Set() && !before.Map.Set():
			d.Hint = "write it beside the step that it is meant for: {send: " + before.Send.Value + ", map: " + last.Map.Value + "}"
		case before.Emit.Set() && !before.Map.Set():
			d.Hint = "write it beside the step that it is meant for: {emit: " + before.Emit.Value + ", map: " + last.Map.Value + "}"
		}
	}
	p.about(d)
}

// stepRead is a `$steps.name` that a mapping reads.
type stepRead struct {
	result
	at   diag.Span
	cell *cell.Cell
}

// flowIntoMappings reports mappings that read results of steps which may not
// have run where they are used (XD3103).
func flowIntoMappings(p *pass) {
	inMapping := map[string][]stepRead{}
	for u, of := range p.judged {
		if u.Mapping != nil && len(of.reads) > 0 {
			inMapping[u.Name] = of.reads
		}
	}
	for _, pl := range p.pipelines() {
		all := resultNames(pl)
		steps(pl, func(s *compile.Step) {
			if s.Map == nil || !s.Spec.Map.Set() {
				return
			}
			p.resultsInMapping(pl, s, inMapping[s.Map.Name], all)
		})
	}
}

// result is a `$steps.name` of a cell.
type result struct {
	segment
	optional bool
}

func results(c *cell.Cell) []result {
	var out []result
	if c.JQ != nil {
		for _, path := range c.JQ.Paths() {
			if segs := jqSegments(path); path.Var == "steps" && len(segs) > 0 && !segs[0].dynamic {
				out = append(out, result{segs[0], path.Optional})
			}
		}
		return out
	}
	for _, path := range c.Rule.Paths() {
		if segs := ruleSegments(path); path.Root == "steps" && len(segs) > 0 {
			out = append(out, result{segs[0], len(segs) > 1 && path.Segments[1].Optional || path.Segments[0].Optional})
		}
	}
	return out
}

// resultNames are the names that steps of a pipeline give their results.
func resultNames(pl *compile.Pipeline) map[string]bool {
	all := map[string]bool{}
	if pl != nil {
		steps(pl, func(s *compile.Step) {
			if s.As != "" {
				all[s.As] = true
			}
		})
	}
	return all
}

// spoiltName reports whether a step of a pipeline gives its result a name that
// cannot be one, which is told where it stands.
func spoiltName(pl *compile.Pipeline) bool {
	spoilt := false
	steps(pl, func(s *compile.Step) {
		spoilt = spoilt || s.Spec.As.Set() && !resultName.MatchString(s.Spec.As.Value)
	})
	return spoilt
}

var resultName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (p *pass) unsure(c *cell.Cell, r result, all map[string]bool) {
	_, before := c.VarShapes["steps."+r.name]
	if c.Ran[r.name] || before && r.optional {
		return
	}
	d := diag.Diagnostic{Code: codeFlow}
	switch {
	case before:
		d.Message = "`" + r.name + "` may not have run here: not every way to this point gives it"
		d.Hint = "give it in every rule that goes on, end the other ways with dead_letter or ignore, or read it as " + minding(c, r.name)
	case all[r.name]:
		d.Message = "`" + r.name + "` has not run yet at this point"
		d.Hint = "move the step with `as: " + r.name + "` up, or into the same rule"
	case spoiltName(p.unit.Pipeline):
		return // it is perhaps that one
	default:
		known := sortedKeys(all)
		d.Message, d.Hint = "no step is called `"+r.name+"`", "give a send or call `as: "+r.name+"`"
		d.Missing = "result " + r.name // told once where nothing is nearly called so
		if len(known) > 0 {
			d.Hint = "results of this pipeline: " + listed(known, 20)
		}
		if near := diag.Nearest(r.name, known); len(near) > 0 {
			d.Short, d.Missing = "did you mean `"+near[0]+"`?", ""
			if fix, ok := respell(c, r.segment, near[0]); ok {
				d.Fixes = replace(c.Node.Range(r.from, r.to), fix)
			}
		}
	}
	p.inCell(c, r.from, r.to, d)
}

func minding(c *cell.Cell, name string) string {
	if c.JQ != nil {
		return "`$steps." + name + "?` to mind that"
	}
	return "`steps." + name + "?.` to mind that"
}

// misspeltResult reports in a mapping a result that is nearly called as the pipeline
// calls it which uses the mapping.
func (p *pass) misspeltResult(r stepRead, near string, s *compile.Step) {
	d := diag.Diagnostic{Code: codeFlow, Message: "no step of the pipeline is called `" + r.name + "`", Short: "did you mean `" + near + "`?",
		Related: []diag.Related{{Span: s.Spec.Map.Span(), Message: "the mapping is used here"}}}
	if fix, ok := respell(r.cell, r.segment, near); ok {
		d.Fixes = replace(r.cell.Node.Range(r.from, r.to), fix)
	}
	p.inCell(r.cell, r.from, r.to, d)
}

// answers reports what a mapping reads of the answer to a step of a pipeline that
// uses it, and that the answer does not have.
func (p *pass) answers(pl *compile.Pipeline, of stepRead) {
	var from cell.Shape
	steps(pl, func(s *compile.Step) {
		if op := p.ws.Operation(s.Target); s.As == of.name && op != nil {
			from = op.Answer()
		}
	})
	start := p.start(from, "$steps."+of.name)
	if !start.known() {
		return
	}
	for _, r := range p.reads(of.cell) {
		if r.step == of.name && !r.optional {
			r.start = start
			p.follow(of.cell, r, nil)
		}
	}
}

// resultsInMapping reports a mapping that reads what is not there in a step.
func (p *pass) resultsInMapping(pl *compile.Pipeline, s *compile.Step, reads []stepRead, all map[string]bool) {
	for _, r := range reads {
		if s.Ran[r.name] {
			p.answers(pl, r)
		}
		if s.Ran[r.name] || r.optional {
			continue
		}
		d := diag.Diagnostic{Code: codeFlow, Span: s.Spec.Map.Span(), Kind: "pipeline", Name: pl.Name, Row: s.ID,
			Message: "the mapping reads `$steps." + r.name + "`, which may not have run here",
			Hint:    "move the step with `as: " + r.name + "` in front of this one, on every way to it",
			Related: []diag.Related{{Span: r.at, Message: "it is read here"}}}
		if near := diag.Nearest(r.name, sortedKeys(all)); !all[r.name] && len(near) > 0 {
			p.misspeltResult(r, near[0], s)
			continue
		}
		if !all[r.name] {
			d.Message = "the mapping reads `$steps." + r.name + "`, but no step of this pipeline is called `" + r.name + "`"
			d.Hint = "give a send or call in front of it `as: " + r.name + "`"
		}
		p.about(d)
	}
}
