package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// untested reports mappings that give what somebody has marked as protected,
// such as money and stock, and that no test runs (XD2109).
func untested(p *pass) {
	tested := map[string]bool{}
	for _, t := range p.ws.Tests {
		switch {
		case t.Mapping != nil:
			tested[t.Mapping.Name] = true
		case t.Pipeline != nil:
			for _, s := range t.Pipeline.ByID {
				if s.Map != nil {
					tested[s.Map.Name] = true
				}
			}
		}
	}
	for _, pl := range p.pipelines() {
		steps(pl, func(s *compile.Step) {
			if s.Map == nil || tested[s.Map.Name] || !s.Spec.Map.Set() {
				return
			}
			m := p.ws.Mappings[s.Map.Name]
			if m == nil || m.Std || m.Output == nil {
				return
			}
			field := p.protected(m.Output.Schema.Shape(), nil)
			if field == "" {
				return
			}
			p.about(diag.Diagnostic{Code: codeUntested, Severity: diag.Warning, Span: s.Spec.Map.Span(), Kind: "pipeline", Name: pl.Name, Row: s.ID, Source: s.Spec.Map.Value,
				Message: fmt.Sprintf("no test runs the mapping `%s`, and `%s` of %s is protected", m.Name, field, m.Output.Name),
				Hint:    "write one: crossdock new test mapping " + m.Name + ", or crossdock test record ID of a message that came"})
		})
	}
}

// protected returns the first field that a schema, or crossdock.yaml, protects;
// "" where there is none.
func (p *pass) protected(s *value.Shape, path []string) string {
	if s == nil || len(path) > 12 {
		return ""
	}
	if s.Item != nil {
		return p.protected(s.Item, append(path[:len(path):len(path)], value.Items))
	}
	for _, name := range s.Order {
		at := append(path[:len(path):len(path)], name)
		f := s.Fields[name]
		if f == nil {
			continue
		}
		if f.Protected != nil && *f.Protected || f.Protected == nil && p.listed(schema.Join(at)) {
			return schema.Join(at)
		}
		if found := p.protected(f, at); found != "" {
			return found
		}
	}
	return ""
}

// listed reports whether `protected` of crossdock.yaml names a field.
func (p *pass) listed(field string) bool {
	return p.ws.Spec != nil && slices.ContainsFunc(p.ws.Spec.Protected, func(t spec.Text) bool {
		low := strings.ToLower(field)
		name := strings.TrimSuffix(strings.ToLower(t.Value), value.Items)
		return low == name || strings.HasSuffix(low, "."+name)
	})
}
