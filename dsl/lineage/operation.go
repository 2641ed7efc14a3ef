package lineage

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
)

// operations follows the cells and templates of connections.
func (b *builder) operations() {
	for _, name := range sorted(b.ws.Connections) {
		c := b.ws.Connections[name]
		for _, op := range sorted(c.Operations) {
			if c.Operations[op] != nil && c.Operations[op].Spec != nil {
				b.operation(c.Operations[op])
			}
		}
	}
}

func (b *builder) operation(op *compile.Operation) {
	s := op.Spec
	body := Place{Stage: b.stage(Body, op.Ref(), "", op.Request)}
	answer := Place{Stage: b.stage(Response, op.Ref(), "", op.Response)}
	a := at{kind: "connection", name: op.Connection, row: op.Name, let: "connection " + op.Ref(), payload: answer, response: answer, vars: b.scope(Place{}, nil)}
	b.writes(b.use(s.SuccessWhen, a.as("success_when")), Place{}, Uses)
	b.writes(b.use(s.Items, a.as("items")), Place{}, Counts)
	b.writes(b.use(s.Next, a.as("next")), Place{}, Uses)
	if s.Check != nil {
		if probe := b.ws.Operation(s.Check.Call.Value); probe != nil {
			b.fields(s.Check.With, a.of(body).as("with"), Place{Stage: b.stage(With, probe.Ref(), "", nil)})
			found := a
			found.response = Place{Stage: b.stage(Response, probe.Ref(), "", probe.Response)}
			b.writes(b.use(s.Check.FoundWhen, found.as("found_when")), Place{}, Uses)
		}
	}
	b.templates(op, s.Node, a)
}

// templates notes the texts of an operation whose placeholders `with` fills.
func (b *builder) templates(op *compile.Operation, n *ast.Node, a at) {
	if n == nil || n.Kind != ast.Map || len(op.Bound) == 0 {
		return
	}
	bound := sorted(op.Bound)
	var walk func(key string, n *ast.Node)
	walk = func(key string, n *ast.Node) {
		for _, p := range n.Pairs {
			switch p.Key.Text {
			case "stub", "check", "success_when", "items", "next":
				continue
			}
			walk(strings.TrimPrefix(key+"."+p.Key.Text, "."), p.Value)
		}
		if n.Kind != ast.Scalar {
			return
		}
		var reads []Read
		for _, name := range bound {
			at := strings.Index(n.Text, "{"+name)
			if at < 0 || !slices.Contains([]string{"}", "?}"}, closing(n.Text[at+1+len(name):])) {
				continue
			}
			from := Place{Stage: b.stage(With, op.Ref(), "", nil), Path: []string{name}}
			reads = append(reads, Read{Place: from, Mode: Uses, Span: n.Range(at, at+len(name)+2)})
		}
		if len(reads) == 0 {
			return
		}
		u := b.note(a.in(op.Name+" "+key).as("template"), n.Text, n.Span)
		u.Reads = reads
		b.writes(u, Place{}, Uses)
	}
	walk("", n)
}

// closing is the end of a placeholder at the start of text.
func closing(text string) string {
	if i := strings.IndexByte(text, '}'); i >= 0 {
		return text[:i+1]
	}
	return ""
}
