// Package cell compiles the computed cells of definitions, jq and expr, in the
// place where they stand: which names exist there, what is known about the
// payload, and where in the file a problem is.
//
// Every compiled cell is recorded, so that the rules of dsl/lint look at the
// very programs that run.
package cell

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/lookup"
	"crossdock/dsl/rule"
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
	OnlyParams bool             // nothing exists but `params`
	Ran        map[string]bool  // pipelines: results of steps that are there for certain at this point
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

// selection is a cell that gives a part of its input as it is: a path, with
// `select` and `first` around it.
var selection = regexp.MustCompile(`^(first|last)?\(?\s*` +
	`(\$[A-Za-z_]\w*)?((\.\s*([A-Za-z_]\w*|"[^"\\]*")?|\[\s*-?[0-9]*\s*\])\??)*\s*` +
	`(\|\s*select\(([^()|]|\([^()|]*\))*\)\s*)*\)?\s*(//\s*(empty|null|\[\]))?$`)

// Selects reports whether a cell does nothing but select, as selection says: what
// it gives is there wherever the place is that it names.
func Selects(p *jq.Program) bool { return selection.MatchString(strings.TrimSpace(p.Source())) }

// Result returns what is known of the value a cell gives: the place it selects.
func (c Context) Result(p *jq.Program) Shape {
	if path, ok := p.Gives(); ok {
		return c.at(path)
	}
	if !Selects(p) {
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
	return c.at(base)
}

// at is what is known of a place that a cell names.
func (c Context) at(p jq.Path) Shape {
	from, rest := c.Start(p)
	if !from.Set() {
		return Shape{}
	}
	names, ok := Names(rest)
	if !ok {
		return Shape{}
	}
	return from.At(names...)
}

// Start returns what is known of the value a path starts from, and the path
// without the segments that belong to the name of that value.
func (c Context) Start(p jq.Path) (Shape, jq.Path) {
	switch {
	case p.Var == "":
		return c.Shape, p
	case p.Var == "steps" && len(p.Segments) > 0 && p.Segments[0].Step == jq.Field:
		step := p.Segments[0].Name
		return c.VarShapes["steps."+step], jq.Path{Var: p.Var, Segments: p.Segments[1:], Optional: p.Optional}
	}
	return c.VarShapes[p.Var], p
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
	Tables []string // their names, for suggestions
	Params Shape    // of a template, where the definition comes from one
	Cells  []*Cell
	// Sandbox is where jq cells run; nil is this process.
	Sandbox jq.Sandbox

	last []string // names of the variables of the last cell
}

// JQ compiles a jq cell; nil where none was written or it has errors.
func (c *Compiler) JQ(s spec.Cell, at Context) *jq.Program {
	if !s.Set() {
		return nil
	}
	at = c.withParams(at)
	opt := jq.Options{Vars: c.vars(at.Vars), Lookup: jqTables(c.Lookup), Tables: c.Tables, Sandbox: c.Sandbox}
	p, problems := jq.Compile(s.Node.Text, opt)
	for i, pr := range plainText(s.Node, at, problems) {
		if i == 0 || pr.Name != "" {
			at.named(&pr, s.Node.Text)
		}
		missing := ""
		if pr.Table {
			missing = "lookup " + pr.Name
		}
		c.report(s.Node, at, "jq", problem{pr.From, pr.To, pr.Warning, pr.Message, pr.Hint, pr.Replace, jqCode(pr.Kind), "", missing})
	}
	c.Cells = append(c.Cells, &Cell{Context: at, Node: s.Node, JQ: p})
	return p
}

// withParams adds what is known of the parameters of a template.
func (c *Compiler) withParams(at Context) Context {
	if c.Params.Set() {
		shapes := make(map[string]Shape, len(at.VarShapes)+1)
		maps.Copy(shapes, at.VarShapes)
		shapes["params"] = c.Params
		at.VarShapes = shapes
	}
	return at
}

// jqTables is find as jq wants it. What it returns lives as long as the cell and
// must not keep the Compiler alive.
func jqTables(find func(string) *lookup.Table) func(string) (jq.Table, bool) {
	return func(name string) (jq.Table, bool) {
		if find == nil {
			return nil, false
		}
		t := find(name)
		return t, t != nil
	}
}

// vars are the names of all variables of a cell. Cells of one mapping share
// them.
func (c *Compiler) vars(more []string) []string {
	if len(c.last) != BaseVars+len(more) || !slices.Equal(c.last[BaseVars:], more) {
		c.last = append(baseNames[:len(baseNames):len(baseNames)], more...)
	}
	return c.last
}

func jqCode(k jq.Kind) diag.Code {
	if k == jq.Doubtful {
		return "XD2104"
	}
	return "XD2100"
}

// word is what means the same in every style of YAML.
var word = regexp.MustCompile(`^[\w.]+$`)

type problem struct {
	from, to              int
	warning               bool
	message, hint, change string
	code                  diag.Code
	short                 string // beside the caret
	missing               string // kind and name of the definition that is not there
}

// report places a problem inside the text of a cell.
func (c *Compiler) report(n *ast.Node, at Context, lang string, p problem) {
	d := diag.Diagnostic{
		Code: p.code, Span: n.Range(p.from, p.to), Message: p.message, Hint: p.hint,
		Kind: at.Kind, Name: at.Name, Row: at.Row, Lang: lang, Source: n.Text, Short: p.short, Missing: p.missing,
	}
	if p.warning {
		d.Severity = diag.Warning
	}
	if p.change != "" && (n.Style == ast.Plain || word.MatchString(p.change)) {
		// Beside the caret, or in the hint, but not in both.
		switch question := "did you mean `" + p.change + "`?"; {
		case p.short != "" && p.hint != question: // as it is
		case p.hint == question, p.hint == "did you mean `"+strings.Trim(p.change, `"`)+"`?":
			d.Short, d.Hint = p.hint, ""
		case !strings.Contains(p.hint, "`"+p.change+"`"):
			d.Short = question
		}
		if d.Hint == d.Short {
			d.Hint = ""
		}
		d.Fixes = []diag.Fix{{Title: "replace with `" + p.change + "`", Edits: []diag.Edit{{Span: d.Span, Text: p.change}}}}
	}
	c.Diags.Add(d)
}
