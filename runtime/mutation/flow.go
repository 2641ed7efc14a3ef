package mutation

import (
	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/jq"
	"crossdock/dsl/spec"
)

// firstOnly plants a split that gives its first item only, and its variants.
func (p *planter) firstOnly(row string, at **jq.Program, written spec.Cell) {
	if *at == nil || written.Node == nil {
		return
	}
	if other := p.compileJQ(*at, firstItem((*at).Source())); other != nil {
		p.add(row, written.Node.Span, "only the first item is taken", set(at, other))
	}
	p.jqCell(row, at, written, nil)
}

// firstItem is a cell that gives the first item of what source gives.
func firstItem(source string) string {
	return "[" + source + "] | if length == 1 and (.[0] | type) == \"array\" then .[0] else . end | .[:1]"
}

// pipeline plants changes of a pipeline.
func (p *planter) pipeline(pl *compile.Pipeline) {
	p.at = Mutant{Kind: "pipeline", Name: pl.Name, of: pl}
	p.client = pl.Client
	s := pl.Spec
	p.condition("when", &pl.When, s.When, "`when` is gone", "`when` is never true")
	if pl.Split != nil && s.Split.Node != nil {
		p.firstOnly("split", &pl.Split, s.Split)
	}
	if pl.Accept != nil {
		p.add("accept", s.Accept.Span(), "everything is accepted", set(&pl.Accept, nil))
	}
	for i := range pl.Key {
		if i < len(s.Key) && s.Key[i].Node != nil && pl.Key[i].Source() == s.Key[i].Source() {
			if other := p.compileJQ(pl.Key[i], `"same"`); other != nil {
				p.add("key", s.Key[i].Node.Span, "this part of the key is always the same", set(&pl.Key[i], other))
			}
		}
	}
	for _, id := range sorted(pl.ByID) {
		p.step(pl.ByID[id])
	}
}

// step plants changes of one step.
func (p *planter) step(s *compile.Step) {
	if s.Spec == nil || s.Spec.Node == nil {
		return
	}
	head := stepSpan(s.Spec)
	switch s.Action {
	case compile.ActWhen:
		p.condition(s.ID, &s.When, s.Spec.When, "`when` is gone", "`when` is never true")
	case compile.ActSplit:
		p.firstOnly(s.ID, &s.Split, s.Spec.Split)
	case compile.ActRoute:
		p.route(s)
	case compile.ActMap:
		p.add(s.ID, head.Span, "the mapping is left out", p.skip(s))
	case compile.ActSend, compile.ActCall, compile.ActEmit:
		p.add(s.ID, head.Span, "the step is left out", p.skip(s))
		p.effect(s)
	case compile.ActDeadLetter:
		p.add(s.ID, head.Span, "the run ends without a dead letter", set(&s.Action, compile.ActIgnore))
	}
}

// skip lets a run pass a step as if it were not there.
func (p *planter) skip(s *compile.Step) func() func() {
	return func() func() {
		action, when := s.Action, s.When
		s.Action, s.When = compile.ActWhen, fixed("true")
		return func() { s.Action, s.When = action, when }
	}
}

func (p *planter) effect(s *compile.Step) {
	if s.Map != nil {
		p.add(s.ID, s.Spec.Map.Span(), "the payload is sent without its mapping", set(&s.Map, nil))
	}
	if s.With != nil {
		p.written(s.Spec.With)
		p.object(&s.With.Object, "with ")
	}
	if len(s.OnFail) > 0 {
		p.add(s.ID, s.Spec.Node.Pair("on_fail").Key.Span, "`on_fail` is gone", set(&s.OnFail, nil))
	}
	if op := p.ws.Operation(s.Target); op != nil && op.Repeat != compile.RepeatNever && s.Policy != nil && s.Policy.Retry.Attempts > 1 {
		once := *s.Policy
		once.Retry.Attempts = 1
		p.add(s.ID, stepSpan(s.Spec).Span, "it is not tried again after a failure", set(&s.Policy, &once))
	}
}

// route plants changes of the rules and of their order. The order of two rules
// that never match the same message is nobody's concern.
func (p *planter) route(s *compile.Step) {
	r, w := s.Route, s.Spec.Route
	for i := range r.Rules {
		if i >= len(w.Rules) {
			break
		}
		name := "rule " + r.Rules[i].Name
		p.condition(name, &r.Rules[i].When, w.Rules[i].When, "it always matches", "it never matches")
		if !r.Every && i+1 < len(r.Rules) && !r.Rules[i].When.Apart(r.Rules[i+1].When) {
			p.add(name, w.Rules[i].Name.Span(), "the next rule, `"+r.Rules[i+1].Name+"`, stands before it", func() func() {
				swap := func() { r.Rules[i], r.Rules[i+1] = r.Rules[i+1], r.Rules[i] }
				swap()
				return swap
			})
		}
	}
	if r.Otherwise != nil && r.Otherwise.Action != compile.ActIgnore {
		p.add(s.ID, w.Node.Pair("otherwise").Key.Span, "`otherwise` does nothing", set(&r.Otherwise, nil))
	}
}

// connection plants changes of operations.
func (p *planter) connection(c *compile.Connection) {
	for _, name := range sorted(c.Operations) {
		op := c.Operations[name]
		if op == nil || op.Spec == nil || !p.called[op.Ref()] {
			continue
		}
		p.at = Mutant{Kind: "connection", Name: c.Name, of: op}
		p.client = c.Client
		s := op.Spec
		p.condition(name+" success_when", &op.SuccessWhen, s.SuccessWhen, "`success_when` is gone", "")
		if op.Check != nil && s.Check != nil {
			p.condition(name+" found_when", &op.Check.FoundWhen, s.Check.FoundWhen, "it is always found", "it is never found")
			if op.Check.With != nil {
				p.written(s.Check.With)
				p.object(&op.Check.With.Object, name+" check with ")
			}
		}
		if op.Repeat == compile.RepeatKeyed {
			p.add(name, s.Repeat.Span(), "it is not repeated after an unknown outcome", set(&op.Repeat, compile.RepeatNever))
		}
	}
}

// stepSpan is the value of the action key of a step.
func stepSpan(s *spec.Step) *ast.Node {
	if pair := s.Node.Pair(s.Action()); pair != nil {
		return pair.Key
	}
	return s.Node
}
