package compile

import (
	"maps"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// route compiles the rules and what follows them. It returns the shape of the
// payload behind the route.
func (b *pipelineBuilder) route(step *Step, shape cell.Shape, prefix string) cell.Shape {
	s := step.Spec.Route
	r := &Route{Every: s.Pick.Value == "every"}
	step.Route = r
	after := step.Next
	if r.Every {
		after = nil
	}
	names := map[string]*ast.Node{}
	paths := paths{results: b.results, ran: b.ran}
	for i := range s.Rules {
		rs := &s.Rules[i]
		if first := names[rs.Name.Value]; first != nil {
			f := b.dec.Errorf(spec.CodeUnknown, rs.Name.Span(), "two rules are named `%s`", rs.Name.Value)
			f.Related = []diag.Related{{Span: first.Span, Message: "the other one"}}
			f.Hint = "give every rule its own name"
		}
		names[rs.Name.Value] = rs.Name.Node
		at := b.at.In("rule " + rs.Name.Value)
		b.results, b.ran = paths.results, paths.ran
		at.Shape, at.VarShapes, at.Ran = shape, b.varShapes(), paths.ran
		rule := Rule{Name: rs.Name.Value, When: b.cells.Rule(rs.When, at.As("when"))}
		rule.To = b.branch(rs.To, prefix+rs.Name.Value+"/", after, shape, &paths)
		r.Rules = append(r.Rules, rule)
	}
	if s.Otherwise != nil {
		r.Otherwise = b.branch(s.Otherwise.Steps, prefix+"otherwise/", after, shape, &paths)
	}
	b.results, b.ran = paths.after()
	step.ended = paths.all == nil
	return paths.shape
}

// paths are the ways through a route and what each of them leaves behind.
type paths struct {
	results map[string]cell.Shape // before the route
	ran     map[string]bool
	some    map[string]cell.Shape // results of any way that goes on
	all     map[string]bool       // results of every way that goes on
	shape   cell.Shape            // the payload of every way that goes on, where it is the same
}

// branch compiles the steps of one way and returns the first.
func (b *pipelineBuilder) branch(list []spec.Step, prefix string, after *Step, shape cell.Shape, p *paths) *Step {
	b.results, b.ran = maps.Clone(p.results), maps.Clone(p.ran)
	steps := b.steps(list, prefix, after, shape)
	if len(steps) == 0 || !steps[len(steps)-1].ended {
		p.merge(b.results, b.ran, b.end)
	}
	if len(steps) == 0 {
		return nil
	}
	return steps[0]
}

// merge adds one way that goes on behind the route.
func (p *paths) merge(results map[string]cell.Shape, ran map[string]bool, shape cell.Shape) {
	if p.all == nil {
		p.some, p.all, p.shape = results, ran, shape
		return
	}
	if !p.shape.Same(shape) {
		p.shape = cell.Shape{}
	}
	for name, shape := range results {
		if other, there := p.some[name]; there && !other.Same(shape) {
			shape = cell.Shape{} // it depends on the way
		}
		p.some[name] = shape
	}
	maps.DeleteFunc(p.all, func(name string, _ bool) bool { return !ran[name] })
}

// after returns what is there behind the route.
func (p *paths) after() (map[string]cell.Shape, map[string]bool) {
	if p.all == nil {
		return p.results, p.ran
	}
	return p.some, p.all
}
