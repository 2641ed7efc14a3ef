package cell

import (
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/lookup"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// Rule compiles an expr cell; nil where none was written or it has errors.
func (c *Compiler) Rule(s spec.Cell, at Context) *rule.Program {
	if !s.Set() {
		return nil
	}
	at = c.withParams(at)
	scope := rule.Scope{Names: c.names(at), Lookup: ruleTables(c.Lookup), Tables: c.Tables}
	p, problems := rule.Compile(s.Node.Text, scope)
	for _, pr := range problems {
		if pr.Kind == rule.KindField || pr.Kind == rule.KindTruth && !at.OnlyParams {
			continue // lint knows the samples too and reports it better
		}
		missing := ""
		if pr.Table != "" {
			missing = "lookup " + pr.Table
		}
		c.report(s.Node, at, "expr", problem{pr.From, pr.To, pr.Warning, pr.Message, pr.Hint, pr.Replace, ruleCode(pr.Kind), pr.Short, missing})
	}
	c.Cells = append(c.Cells, &Cell{Context: at, Node: s.Node, Rule: p})
	return p
}

func ruleCode(k rule.Kind) diag.Code {
	switch k {
	case rule.KindType, rule.KindResult, rule.KindOptional:
		return "XD3101"
	case rule.KindOption:
		return "XD3102"
	case rule.KindName:
		return spec.CodeUnknown
	}
	return "XD3100"
}

// ruleTables is find as rules want it; see jqTables.
func ruleTables(find func(string) *lookup.Table) func(string) (func(string) bool, bool) {
	return func(table string) (func(string) bool, bool) {
		if find == nil {
			return nil, false
		}
		t := find(table)
		if t == nil {
			return nil, false
		}
		return t.Has, true
	}
}

// names are the names that exist at a place, with what is known of each.
func (c *Compiler) names(at Context) map[string]*value.Shape {
	if at.OnlyParams {
		return map[string]*value.Shape{"params": at.VarShapes["params"].Known()}
	}
	names := map[string]*value.Shape{
		"data": at.Shape.Known(), "original": at.VarShapes["original"].Known(),
		"meta": nil, "run": nil, "params": at.VarShapes["params"].Known(), "vars": nil, "steps": stepShapes(at),
	}
	if at.Response {
		names["response"] = &value.Shape{Type: value.Type{Base: value.Object}, Required: true, Order: []string{"status", "headers", "body"},
			Fields: map[string]*value.Shape{
				"status":  {Type: value.Type{Base: value.Integer}, Required: true},
				"headers": {Required: true},
				"body":    orUnknown(at.VarShapes["response.body"].Known()),
			}}
	}
	return names
}

// stepShapes is the shape of `steps`: what earlier steps named with `as`.
func stepShapes(at Context) *value.Shape {
	s := &value.Shape{Type: value.Type{Base: value.Object}, Fields: map[string]*value.Shape{}}
	for name, shape := range at.VarShapes {
		if step, ok := strings.CutPrefix(name, "steps."); ok {
			s.Fields[step] = orUnknown(shape.Known())
			s.Order = append(s.Order, step)
		}
	}
	if len(s.Fields) == 0 {
		return nil
	}
	return s
}

// orUnknown is s, or a shape that says nothing.
func orUnknown(s *value.Shape) *value.Shape {
	if s == nil {
		return &value.Shape{}
	}
	return s
}
