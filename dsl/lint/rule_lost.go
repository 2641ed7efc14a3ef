package lint

import (
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// lost reports required fields of the output that a mapping does not give, or
// not always (XD2103).
func lost(p *pass) {
	for _, m := range p.mappings() {
		if m.Output == nil || m.Spec.Program.Set() || len(m.Spec.Fields) == 0 {
			continue
		}
		l := &loss{p: p, m: m}
		l.object(m.Output.Schema.Shape(), grow(m), nil, m.Spec.Output.Node, true)
	}
}

// givenBeside returns the names that `with` adds to the results of each
// mapping in some pipeline.
func (p *pass) givenBeside() map[string]map[string]bool {
	out := map[string]map[string]bool{}
	for _, pl := range p.pipelines() {
		with := map[string]bool{}
		var used []string
		steps(pl, func(s *compile.Step) {
			if s.Map != nil {
				used = append(used, s.Map.Name)
			}
			for _, f := range s.Spec.With {
				name, _, _ := strings.Cut(f.Key.Text, ".")
				with[name] = true
			}
		})
		for _, name := range used {
			if out[name] == nil {
				out[name] = map[string]bool{}
			}
			for n := range with {
				out[name][n] = true
			}
		}
	}
	return out
}

// branch is a place of the output that rows build.
type branch struct {
	row  *row // that gives it whole, nil where only rows below it exist
	kids map[string]*branch
}

func (b *branch) kid(name string) *branch {
	if b.kids == nil {
		b.kids = map[string]*branch{}
	}
	if b.kids[name] == nil {
		b.kids[name] = &branch{}
	}
	return b.kids[name]
}

// grow returns the tree that the rows of a mapping build.
func grow(m *compile.Mapping) *branch {
	root := &branch{}
	rowsOf(m.Spec.Fields, nil, func(r row) {
		b := root
		for _, name := range r.path {
			b = b.kid(name)
		}
		b.row = &r
	})
	return root
}

type loss struct {
	p *pass
	m *compile.Mapping
}

// voidIfGiven marks the findings from position i on: they are void where a
// pipeline gives the field at path beside the mapping.
func (l *loss) voidIfGiven(i int, path []string) {
	if len(path) != 1 {
		return
	}
	r := l.p.result
	if r.unless == nil {
		r.unless = map[int]string{}
	}
	for ; i < len(l.p.list); i++ {
		r.unless[i] = path[0]
	}
}

// object checks the fields of an object that rows build. certain tells that
// the object is always there.
func (l *loss) object(shape *value.Shape, b *branch, path []string, around *ast.Node, certain bool) {
	if !shape.Known() {
		return
	}
	if !certain {
		// One field that is always there makes the object be there.
		for _, k := range b.kids {
			certain = certain || k.row != nil && !l.mayBeEmpty(k.row) && l.always(k.row)
		}
	}
	for _, name := range shape.Order {
		child := shape.Fields[name]
		at := append(path[:len(path):len(path)], name)
		k := b.kids[name]
		if k == nil {
			if child.Required {
				before := len(l.p.list)
				l.absent(child, at, around)
				l.voidIfGiven(before, at)
			}
			continue
		}
		switch {
		case !child.Required || !certain || k.row == nil:
		case l.mayBeEmpty(k.row):
			l.empty(*k.row, at)
		default:
			if sample := l.without(k.row); sample != "" {
				l.unsaid(*k.row, at, sample)
			}
		}
		if l.cannot(at) != nil && child.Required {
			l.missing(at, around)
		}
		l.below(child, k, at, around, certain && child.Required)
	}
}

// absent reports a required field without a row: the fields inside it, where
// it is an object whose fields are required.
func (l *loss) absent(shape *value.Shape, path []string, around *ast.Node) {
	before := len(l.p.list)
	for _, name := range shape.Order {
		if inner := shape.Fields[name]; inner.Required && len(path) < 8 && l.cannot(path) == nil {
			l.absent(inner, append(path[:len(path):len(path)], name), around)
		}
	}
	if len(l.p.list) == before {
		l.missing(path, around)
	}
}

// below goes on inside a field.
func (l *loss) below(shape *value.Shape, k *branch, path []string, around *ast.Node, certain bool) {
	if k.row != nil {
		around = k.row.key
	}
	switch {
	case len(k.kids) == 0:
	case k.kids[value.Items] != nil:
		if items := k.kids[value.Items]; shape.Item != nil && len(items.kids) > 0 {
			l.object(shape.Item, items, append(path[:len(path):len(path)], value.Items), around, true)
		}
	case shape.Fields != nil:
		l.object(shape, k, path, around, certain)
	}
}

// cannot returns the entry of cannot_provide that names a field or something
// around it.
func (l *loss) cannot(path []string) *spec.Text {
	whole := schema.Join(path)
	for i, c := range l.m.Spec.CannotProvide {
		if c.Value == whole || strings.HasPrefix(whole, c.Value+".") || strings.HasPrefix(whole, c.Value+value.Items) {
			return &l.m.Spec.CannotProvide[i]
		}
	}
	return nil
}

// noRow ends the message about a field without a row.
const noRow = "`, but no row gives it"

func (l *loss) missing(path []string, around *ast.Node) {
	name := schema.Join(path)
	d := diag.Diagnostic{Code: codeLost, Span: around.Span, Kind: "mapping", Name: l.m.Name, Row: name,
		Message: l.m.Output.Name + " requires `" + name + noRow}
	target := strings.TrimPrefix(name, around.Text+value.Items+".")
	d.Hint = "add the row `" + target + ": ...`"
	if len(path) == 1 && l.m.Input != nil {
		for _, n := range l.m.Input.Schema.Children(nil) {
			if strings.EqualFold(strings.ReplaceAll(n, "_", ""), strings.ReplaceAll(target, "_", "")) {
				d.Hint = "add the row `" + target + ": ." + n + "`"
			}
		}
	}
	if c := l.cannot(path); c != nil {
		d.Span = c.Span()
		d.Message = l.m.Output.Name + " requires `" + name + "`, so it cannot be named here"
		d.Hint = "add a row for it, or make it optional in the schema"
	}
	if span, ok := l.m.Output.Schema.Span(path); ok && own(span.File) {
		d.Related = []diag.Related{{Span: span, Message: "it is required here"}}
	}
	l.p.list.Add(d) // several fields may be missing at one place
}
