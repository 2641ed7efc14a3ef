// Package cell compiles the computed cells of definitions, jq and expr, in the
// place where they stand: which names exist there, what is known about the
// payload, and where in the file a problem is.
//
// Every compiled cell is recorded, so that the rules of dsl/lint look at the
// very programs that run.
package cell

import (
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/lookup"
	"crossdock/dsl/rule"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// Cell is one compiled cell.
type Cell struct {
	Context
	Node *ast.Node
	JQ   *jq.Program   // one of JQ
	Rule *rule.Program // and Rule is set, unless the cell has errors
}

// Context is where a cell stands.
type Context struct {
	Kind, Name string           // of the definition
	File       string           // path of the definition, where samples are relative to it
	Row        string           // target, step or section
	Role       string           // the key of the cell: from, each, when, key ...
	Shape      Shape            // what is known of the payload
	VarShapes  map[string]Shape // what is known of variables; results of steps as "steps.name"
	Vars       []string         // jq variables behind the base ones
	Response   bool             // `response` exists
	Samples    []string         // files with example payloads, relative to File
	Target     *value.Shape     // of rows: what the output schema says about the target
}

// As returns the context with another role.
func (c Context) As(role string) Context { c.Role = role; return c }

// In returns the context with another row.
func (c Context) In(row string) Context { c.Row = row; return c }

// Of returns the context with another payload.
func (c Context) Of(s Shape) Context { c.Shape = s; return c }

// Answer returns the context of cells that judge an answer.
func (c Context) Answer(s Shape) Context {
	c.Response = true
	c.Shape = Shape{}
	c.VarShapes = map[string]Shape{"response.body": s}
	return c
}

// Shape is a place inside a schema; the zero value knows nothing.
type Shape struct {
	Schema *schema.Schema
	Path   []string
}

// Known returns what the schema says there, nil where it says nothing.
func (s Shape) Known() *value.Shape {
	if s.Schema == nil {
		return nil
	}
	f, ok := s.Schema.Lookup(s.Path)
	if !ok {
		return nil
	}
	return f.Shape
}

// Items returns the shape of the items where s is a list, else s itself: `each`
// takes both.
func (s Shape) Items() Shape {
	if k := s.Known(); k != nil && k.Type.Base == value.List {
		return s.at(value.Items)
	}
	return s
}

func (s Shape) at(path ...string) Shape {
	if s.Schema == nil {
		return s
	}
	return Shape{Schema: s.Schema, Path: append(append([]string{}, s.Path...), path...)}
}

// selection is a cell that gives a part of its input as it is: a path, with
// `select` and `first` around it.
var selection = regexp.MustCompile(`^(first|last)?\(?\s*(\$[A-Za-z_]\w*)?\.?[\w."\[\]?\s]*(\|\s*select\(.*\)\s*)*\)?\s*(//\s*(empty|null|\[\]))?$`)

// Result returns what is known of the value a cell gives: the place it selects.
func (c Context) Result(p *jq.Program) Shape {
	if !selection.MatchString(strings.TrimSpace(p.Source())) {
		return Shape{}
	}
	paths := p.Paths()
	if len(paths) == 0 {
		if strings.TrimSpace(p.Source()) == "." {
			return c.Shape
		}
		return Shape{}
	}
	base := paths[0]
	for _, other := range paths[1:] {
		if len(other.Segments) < len(base.Segments) {
			return Shape{}
		}
	}
	from := c.Shape
	if base.Var != "" {
		from = c.VarShapes[base.Var]
	}
	if from.Schema == nil {
		return Shape{}
	}
	names, ok := Names(base)
	if !ok {
		return Shape{}
	}
	return from.at(names...)
}

// Names turns a path of jq into a path of a schema; false where a segment is
// known only while running.
func Names(p jq.Path) ([]string, bool) {
	names := make([]string, 0, len(p.Segments))
	for _, s := range p.Segments {
		switch s.Step {
		case jq.Field:
			names = append(names, s.Name)
		case jq.Each, jq.Index:
			names = append(names, value.Items)
		case jq.Slice:
		default:
			return nil, false
		}
	}
	return names, true
}

// Compiler compiles cells and records them.
type Compiler struct {
	Diags  *diag.List
	Lookup func(table string) *lookup.Table
	Tables func() []string
	Cells  []*Cell
}

// JQ compiles a jq cell; nil where none was written or it has errors.
func (c *Compiler) JQ(s spec.Cell, at Context) *jq.Program {
	if !s.Set() {
		return nil
	}
	opt := jq.Options{Vars: append(baseNames[:len(baseNames):len(baseNames)], at.Vars...), Lookup: c.table}
	if c.Tables != nil {
		opt.Tables = c.Tables()
	}
	p, problems := jq.Compile(s.Node.Text, opt)
	for _, pr := range problems {
		c.report(s.Node, at, "jq", problem{pr.From, pr.To, pr.Warning, pr.Message, pr.Hint, pr.Replace, jqCode(pr.Kind)})
	}
	c.Cells = append(c.Cells, &Cell{Context: at, Node: s.Node, JQ: p})
	return p
}

func (c *Compiler) table(name string) (jq.Table, bool) {
	if c.Lookup == nil {
		return nil, false
	}
	t := c.Lookup(name)
	return t, t != nil
}

func jqCode(k jq.Kind) diag.Code {
	if k == jq.Doubtful {
		return "XD2104"
	}
	return "XD2100"
}

type problem struct {
	from, to              int
	warning               bool
	message, hint, change string
	code                  diag.Code
}

// report places a problem inside the text of a cell.
func (c *Compiler) report(n *ast.Node, at Context, lang string, p problem) {
	d := diag.Diagnostic{
		Code: p.code, Span: n.Range(p.from, p.to), Message: p.message, Hint: p.hint,
		Kind: at.Kind, Name: at.Name, Row: at.Row, Lang: lang, Source: n.Text,
	}
	if p.warning {
		d.Severity = diag.Warning
	}
	if p.change != "" && n.Style == ast.Plain {
		d.Short = "did you mean `" + p.change + "`?"
		d.Fixes = []diag.Fix{{Title: "replace with `" + p.change + "`", Edits: []diag.Edit{{Span: d.Span, Text: p.change}}}}
	}
	c.Diags.Add(d)
}
