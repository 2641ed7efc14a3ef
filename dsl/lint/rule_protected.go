package lint

import (
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
)

// protectedNames reports names below `protected` in crossdock.yaml that no field
// has: what they were to protect is not (XD1001).
func protectedNames(p *pass) {
	if p.ws.Spec == nil || len(p.ws.Spec.Protected) == 0 {
		return
	}
	if slices.ContainsFunc(sortedKeys(p.ws.Schemas), func(name string) bool { return p.ws.Schemas[name].Broken() }) {
		return // it may be in what cannot be read
	}
	paths := p.fieldPaths()
	var names []string // as they can be written
	for _, path := range paths {
		last := path[strings.LastIndexByte(path, '.')+1:]
		for _, name := range []string{strings.TrimSuffix(last, "[]"), path} {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	for _, t := range p.ws.Spec.Protected {
		name := p.withoutTarget(t.Value)
		if name == "" || slices.ContainsFunc(paths, func(path string) bool { return onTheWay(path, name) }) {
			continue
		}
		d := diag.Diagnostic{Code: spec.CodeUnknown, Severity: diag.Warning, Span: t.Span(), Source: t.Value,
			Message: "`" + t.Value + "` protects nothing: no schema, mapping or `with` has a field of that name",
			Hint:    "write the name of a field, such as currency, a path such as charges[].amount, or connection.operation.path"}
		if near := diag.Nearest(name, names); len(near) > 0 {
			d.Short = "did you mean `" + strings.TrimSuffix(t.Value, name) + near[0] + "`?"
			d.Fixes = replace(t.Span(), strings.TrimSuffix(t.Value, name)+near[0])
		} else if p.sendsUnknown() {
			continue // it may be in what no definition describes
		}
		p.about(d)
	}
}

// fieldPaths are the fields that schemas list and rows make.
func (p *pass) fieldPaths() []string {
	var out []string
	for _, name := range sortedKeys(p.ws.Schemas) {
		if s := p.ws.Schemas[name]; s.Schema != nil {
			for _, f := range s.Schema.Fields() {
				out = append(out, f.Path)
			}
		}
	}
	for _, u := range p.ws.Units {
		if of := p.judged[u]; of != nil {
			for _, g := range of.gives {
				out = append(out, schema.Join(g.path))
			}
		}
	}
	return out
}

// withoutTarget takes away the operation that a protected name begins with.
func (p *pass) withoutTarget(name string) string {
	parts := strings.SplitN(name, ".", 3)
	if len(parts) == 3 && p.ws.Operation(parts[0]+"."+parts[1]) != nil {
		return parts[2]
	}
	return name
}

// onTheWay reports whether a name, or a path, is a field or stands on the way to it.
// Capital letters make no difference.
func onTheWay(path, name string) bool {
	path, name = "."+strings.ToLower(path)+".", "."+strings.TrimSuffix(strings.ToLower(name), "[]")
	return strings.Contains(path, name+".") || strings.Contains(path, name+"[]")
}

// sendsUnknown reports whether something is sent of which no definition says what
// fields it has.
func (p *pass) sendsUnknown() bool {
	for _, pl := range p.pipelines() {
		for _, s := range effects(pl) {
			op := p.ws.Operation(s.Target)
			if s.Action == compile.ActEmit || op == nil || op.Request != nil || !op.SendsBody() {
				continue
			}
			if _, _, known := p.sent(op, s); !known {
				return true
			}
		}
	}
	return false
}
