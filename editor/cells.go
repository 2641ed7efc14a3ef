package editor

import (
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/jq"
	"crossdock/dsl/rule"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
	"crossdock/dsl/value"
)

// cells notes the names inside jq and expr.
func (x *index) cells(ws *compile.Workspace) {
	for _, c := range ws.Cells {
		in := placed{c, own(ws, c.Kind, c.Name), ws}
		switch {
		case strings.HasPrefix(c.Node.Span.File, "std/"):
		case c.JQ != nil:
			x.jq(in)
		case c.Rule != nil:
			x.rule(in)
		}
	}
}

// placed is a cell with the name of its definition, and where it was compiled.
type placed struct {
	*cell.Cell
	def string
	ws  *compile.Workspace
}

// template is that whose parameters the cell reads; nil where it reads none.
func (c placed) template() *template.Template {
	code, _, _ := strings.Cut(c.Name, "/")
	if client := c.ws.Clients[code]; client != nil {
		return client.Of
	}
	return nil
}

func (x *index) jq(c placed) {
	for _, u := range c.JQ.Uses() {
		if u.Kind != jq.UseLookup {
			continue
		}
		if at := strings.Index(c.Node.Text[u.From:u.To], u.Text); at >= 0 {
			x.tableIn(c.Node, u.From+at, u.From+at+len(u.Text), "jq")
		}
	}
	for _, p := range c.JQ.Paths() {
		x.variable(c, p)
		if p.Var == "params" && c.template() != nil {
			continue // parameters are of the template, no fields
		}
		from, rest := c.Start(p)
		at := newFieldPath(from)
		for _, s := range rest.Segments {
			switch s.Step {
			case jq.Field:
				at.field(s.Name)
				x.fieldIn(c, at, s.Name, s.From, s.To, "jq")
			case jq.Each, jq.Index:
				at.items()
			case jq.Slice:
			default:
				at.lost = true
			}
		}
	}
}

var dollar = regexp.MustCompile(`\$[A-Za-z_]\w*`)

// variable notes what a path starts from where that has a name of its own.
func (x *index) variable(c placed, p jq.Path) {
	if p.Var == "steps" && len(p.Segments) > 0 && p.Segments[0].Step == jq.Field {
		s := p.Segments[0]
		x.name(c, Symbol{"step", c.def + "#" + s.Name}, s.Name, s.From, s.To, "jq")
		return
	}
	if t := c.template(); t != nil && p.Var == "params" && len(p.Segments) > 0 && p.Segments[0].Step == jq.Field {
		s := p.Segments[0]
		x.name(c, Symbol{"param", t.Name + "#" + s.Name}, s.Name, s.From, s.To, "jq")
		return
	}
	if p.Var == "vars" && len(p.Segments) > 0 && p.Segments[0].Step == jq.Field {
		s := p.Segments[0]
		x.name(c, Symbol{"var", s.Name}, s.Name, s.From, s.To, "jq")
		return
	}
	if c.Kind != "mapping" || p.Var == "" || cell.Taken(p.Var) || p.Var == "root" || p.Var == "index" {
		return
	}
	for _, at := range dollar.FindAllStringIndex(c.Node.Text, -1) {
		if c.Node.Text[at[0]+1:at[1]] == p.Var {
			x.add(Mention{Symbol: Symbol{"let", c.def + "#" + p.Var}, Span: c.Node.Range(at[0]+1, at[1]), Lang: "jq"})
		}
	}
}

// name notes a name that stands somewhere between two bytes of a cell.
func (x *index) name(c placed, s Symbol, name string, from, to int, lang string) {
	from, to = max(0, from), min(to, len(c.Node.Text))
	if from >= to {
		return
	}
	at := strings.Index(c.Node.Text[from:to], name)
	if at < 0 {
		return
	}
	m := Mention{Symbol: s, Span: c.Node.Range(from+at, from+at+len(name)), Lang: lang}
	before, after := strings.TrimRight(c.Node.Text[:from+at], " \t\n"), strings.TrimLeft(c.Node.Text[from+at+len(name):], " \t\n")
	m.Short = lang == "jq" && before != "" && strings.ContainsAny(before[len(before)-1:], "{,") &&
		(after == "" || strings.ContainsAny(after[:1], ",}")) && strings.Contains(before, "{")
	x.add(m)
}

func (x *index) rule(c placed) {
	for _, t := range c.Rule.Tables() {
		if at := strings.Index(c.Node.Text[t.From:t.To], t.Name); at >= 0 {
			x.tableIn(c.Node, t.From+at, t.From+at+len(t.Name), "expr")
		}
	}
	for _, p := range c.Rule.Paths() {
		from, segments := ruleStart(c.Cell, p)
		if p.Root == "steps" && len(p.Segments) > 0 {
			s := p.Segments[0]
			x.name(c, Symbol{"step", c.def + "#" + s.Name}, s.Name, s.From, s.To, "expr")
		}
		if t := c.template(); t != nil && p.Root == "params" && len(p.Segments) > 0 {
			s := p.Segments[0]
			x.name(c, Symbol{"param", t.Name + "#" + s.Name}, s.Name, s.From, s.To, "expr")
			continue
		}
		if p.Root == "vars" && len(p.Segments) > 0 {
			s := p.Segments[0]
			x.name(c, Symbol{"var", s.Name}, s.Name, s.From, s.To, "expr")
		}
		at := newFieldPath(from)
		for _, s := range segments {
			if s.Name == value.Items {
				at.items()
				continue
			}
			at.field(s.Name)
			x.fieldIn(c, at, s.Name, s.From, s.To, "expr")
		}
	}
}

// ruleStart is what a path of expr starts from, and the rest of it.
func ruleStart(c *cell.Cell, p rule.Path) (cell.Shape, []rule.Segment) {
	switch {
	case p.Root == "data":
		return c.Shape, p.Segments
	case p.Root == "params":
		return c.VarShapes["params"], p.Segments
	case p.Root == "original":
		return c.VarShapes["original"], p.Segments
	case p.Root == "steps" && len(p.Segments) > 0:
		return c.VarShapes["steps."+p.Segments[0].Name], p.Segments[1:]
	case p.Root == "response" && len(p.Segments) > 0 && p.Segments[0].Name == "body":
		return c.VarShapes["response.body"], p.Segments[1:]
	}
	return cell.Shape{}, nil
}

// fieldPath follows a path through a schema.
type fieldPath struct {
	schema *schema.Schema
	path   []string
	lost   bool
}

func newFieldPath(s cell.Shape) *fieldPath {
	return &fieldPath{schema: s.Schema, path: append([]string{}, s.Path...), lost: s.Schema == nil}
}

func (f *fieldPath) field(name string) { f.path = append(f.path, name) }

// items steps into a list; where the schema says there is none, the thing itself
// stands for its only item.
func (f *fieldPath) items() {
	if n := len(f.path); n > 0 && f.path[n-1] == value.Items {
		return
	}
	f.path = append(f.path, value.Items)
}

// fieldIn notes a field that a cell reads.
func (x *index) fieldIn(c placed, at *fieldPath, name string, from, to int, lang string) {
	if at.lost {
		return
	}
	if s, ok := x.fieldSymbol(c.ws, at.schema, at.path); ok {
		x.name(c, s, name, from, to, lang)
	}
}

// fieldSymbol is the symbol of a field that a schema lists.
func (x *index) fieldSymbol(ws *compile.Workspace, s *schema.Schema, path []string) (Symbol, bool) {
	if s == nil {
		return Symbol{}, false
	}
	step, _, ok := s.Shape().At(path)
	if !ok || step.Shape == nil {
		return Symbol{}, false
	}
	return Symbol{"field", own(ws, "schema", s.Name) + "#" + schema.Join(path)}, true
}

// rows notes the targets of rows whose result has a contract, and what tests say
// about them.
func (x *index) rows(ws *compile.Workspace) {
	for _, m := range ws.Mappings {
		if m == nil || m.Std || m.Spec == nil {
			continue
		}
		if m.Output != nil {
			x.targets(ws, m.Spec.Fields, nil, m.Output.Schema)
			for _, t := range m.Spec.CannotProvide {
				x.path(ws, t.Node, nil, m.Output.Schema)
			}
		}
	}
	for _, p := range ws.Pipelines {
		if p == nil || p.Std {
			continue
		}
		for _, s := range p.ByID {
			out := s.Event
			if op := ws.Operation(s.Target); op != nil {
				out = op.Request
			}
			if out != nil && s.Spec != nil {
				x.targets(ws, s.Spec.With, nil, out.Schema)
			}
		}
	}
	for _, t := range ws.Tests {
		if t.Mapping == nil || t.Spec == nil {
			continue
		}
		for i := range t.Spec.Cases {
			x.testCase(ws, &t.Spec.Cases[i], schemaOf(t.Mapping.Input), schemaOf(t.Mapping.Output))
		}
	}
}

func (x *index) targets(ws *compile.Workspace, rows spec.Fields[spec.Row], above []string, s *schema.Schema) {
	for i := range rows {
		r := &rows[i].Value
		path := x.path(ws, rows[i].Key, above, s)
		if r.Each.Set() {
			path = append(path[:len(path):len(path)], value.Items)
		}
		x.targets(ws, r.Fields, path, s)
	}
}

// path notes every name of a dotted path and returns it.
func (x *index) path(ws *compile.Workspace, n *ast.Node, above []string, s *schema.Schema) []string {
	path := append([]string{}, above...)
	for _, part := range dotted(n.Text) {
		path = append(path, part.name)
		if sym, ok := x.fieldSymbol(ws, s, path); ok {
			x.add(Mention{Symbol: sym, Span: n.Range(part.from, part.to)})
		}
		if part.list {
			path = append(path, value.Items)
		}
	}
	return path
}

// testCase notes the fields that a case of a mapping names.
func (x *index) testCase(ws *compile.Workspace, c *spec.Case, in, out *schema.Schema) {
	for _, ch := range c.Change {
		x.path(ws, ch.Key, nil, in)
		x.nested(ws, ch.Value.Node, x.plainPath(ch.Key), in)
	}
	x.nested(ws, c.Expect, nil, out)
	for _, a := range c.Absent {
		x.path(ws, a.Node, nil, out)
	}
	if c.ExpectError != nil && c.ExpectError.Field.Node != nil {
		x.path(ws, c.ExpectError.Field.Node, nil, out)
	}
}

func (x *index) plainPath(n *ast.Node) []string {
	var path []string
	for _, part := range dotted(n.Text) {
		path = append(path, part.name)
		if part.list {
			path = append(path, value.Items)
		}
	}
	return path
}

// nested notes the keys of an expected value.
func (x *index) nested(ws *compile.Workspace, n *ast.Node, above []string, s *schema.Schema) {
	if n == nil {
		return
	}
	for _, p := range n.Pairs {
		x.nested(ws, p.Value, x.path(ws, p.Key, above, s), s)
	}
	for _, item := range n.Items {
		x.nested(ws, item, append(above[:len(above):len(above)], value.Items), s)
	}
}
