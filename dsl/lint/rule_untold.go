package lint

import (
	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
)

// untold reports operations that the test of a pipeline counts, or answers for,
// and that no step of the pipeline ever comes to: whatever is expected of them
// tests nothing (XD3102).
func untold(p *pass) {
	for _, t := range p.ws.Tests {
		if t.Pipeline == nil || len(t.Pipeline.ByID) == 0 {
			continue
		}
		for i := range t.Spec.Cases {
			expect := t.Spec.Cases[i].Expect
			for _, section := range []string{"attempts", "sent", "absent"} {
				p.untoldIn(t, expect.Pair(section))
			}
		}
	}
}

func (p *pass) untoldIn(t *compile.Test, section *ast.Pair) {
	if section == nil {
		return
	}
	for _, named := range section.Value.Pairs {
		op := p.ws.Operation(p.ws.Ref(t.Owner(), named.Key.Text))
		if op == nil || p.foreign(t, op) {
			continue
		}
		if says, hint := p.ws.TestEnds(t.Pipeline, op); says != "" {
			p.about(diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: named.Key.Span, Kind: "test", Name: t.Name, Row: section.Key.Text, Source: named.Key.Text, Message: says, Hint: hint})
		}
	}
}

// foreign reports an operation of another client than the one under test: that
// it cannot be named here was said before.
func (p *pass) foreign(t *compile.Test, op *compile.Operation) bool {
	c := p.ws.Connections[op.Connection]
	return c != nil && c.Client != "" && t.Owner() != "" && c.Client != t.Owner()
}
