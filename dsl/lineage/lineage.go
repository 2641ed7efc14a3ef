// Package lineage tells where the fields of a compiled workspace come from and
// where they go: from the payload of a trigger through mappings, events and
// other pipelines to the operations of connections, and back.
//
// It reads the very cells that run, and follows what they select through `let`,
// `each`, `$root`, `$original` and `$steps`. What a cell computes depends on
// everything the cell reads. A Graph is immutable and safe for concurrent use;
// building one takes time in proportion to the cells of the workspace, times the
// steps that share a mapping.
package lineage

import (
	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/value"
)

// Kind says what a Stage is.
type Kind string

// The kinds of stages.
const (
	Received Kind = "received" // what a pipeline gets; Name is the pipeline
	Payload  Kind = "payload"  // the payload of a pipeline behind Step
	Event    Kind = "event"    // events of the schema Name
	Body     Kind = "body"     // what an operation is sent; Name is connection.operation
	With     Kind = "with"     // values for the placeholders of an operation
	Response Kind = "response" // what an operation answers
	Input    Kind = "input"    // of the mapping Name, wherever it runs
	Output   Kind = "output"   // of the mapping Name, wherever it runs
	Let      Kind = "let"      // a helper value; Name is the mapping, Step the name
	Items    Kind = "items"    // items that `each` or `fields` computes; Step is the row
	Around   Kind = "around"   // Name is meta, run, vars or params
	Lookup   Kind = "lookup"   // the crosswalk Name
)

// Stage is a document at one point of its way.
type Stage struct {
	Kind   Kind
	Name   string
	Step   string // where one Name has several
	Schema string // its contract, "" where none is known
	PII    func(path []string) bool

	mark *cell.Examples // stands for the stage where cells are followed
	out  []*Edge        // what reads it
	in   []*Edge        // what writes it
}

// Place is a field of a stage; without a path it is the whole document. Items
// of lists are value.Items.
type Place struct {
	Stage *Stage
	Path  []string
}

// At returns the place below p at path.
func (p Place) At(path ...string) Place {
	p.Path = append(p.Path[:len(p.Path):len(p.Path)], path...)
	return p
}

// Mode says what of a value an edge takes.
type Mode uint8

// The modes of edges.
const (
	Copies  Mode = iota // the value as it is, with everything below it
	Uses                // the value goes into what is written
	Decides             // it decides whether, or which, value is written
	Counts              // only how many items there are
)

// String returns the mode in a word of people.
func (m Mode) String() string { return [...]string{"copies", "uses", "decides", "counts"}[m] }

// Edge is one way of a value: a cell reads From and writes To.
type Edge struct {
	From, To Place // To.Stage is nil where nothing is written, as in a key
	Mode     Mode
	Use      *Use   // the cell or row; nil for what the engine does by itself
	Link     string // what the engine does: emit, send, hear, poll, or goes on behind a route
	Span     diag.Span

	except [][]string // places of To that something else writes
}

// Use is one cell, or one row without a cell, at one point where it runs.
type Use struct {
	Kind, Name string // of the definition it is written in
	Row        string // target, step or section
	Role       string // the key of the cell: from, each, when, key; const, default, lookup, template
	Lang       string // jq, expr or "" for what is no expression
	Source     string // as written
	Span       diag.Span
	Pipeline   string // where it runs; "" for a mapping by itself
	Step       string
	Cell       *cell.Cell // nil for what is no cell

	Reads  []Read
	Writes []Place
}

// Read is one place that a use reads.
type Read struct {
	Place
	Mode Mode
	Span diag.Span // of the path inside the cell
}

// Graph knows every way of every field.
type Graph struct {
	uses     []*Use
	stages   []*Stage
	byKey    map[stageKey]*Stage
	schemas  map[string][]Place // where documents of a schema are
	mappings map[string][]*Use  // by themselves
	running  map[string]bool    // mappings that a pipeline uses
}

type stageKey struct {
	kind       Kind
	name, step string
}

// Of follows every cell of a workspace that has its cells and specs still.
func Of(ws *compile.Workspace) *Graph {
	g := &Graph{byKey: map[stageKey]*Stage{}, schemas: map[string][]Place{}, mappings: map[string][]*Use{}, running: map[string]bool{}}
	b := &builder{Graph: g, ws: ws, cells: make(map[*ast.Node]*cell.Cell, len(ws.Cells)), marks: map[*cell.Examples]*Stage{}}
	for _, c := range ws.Cells {
		b.cells[c.Node] = c
		if c.Role == "program" {
			b.programs = append(b.programs, c)
		}
	}
	b.operations()
	b.mappingsAlone()
	b.pipelines()
	return g
}

// Uses returns every use in the order of the definitions. A mapping that
// several steps share appears once by itself and once for each of them.
func (g *Graph) Uses() []*Use { return g.uses }

// Mapping returns the uses of a mapping by itself, in reading order; their
// places are of the stages Input, Output, Let and Items.
func (g *Graph) Mapping(name string) []*Use { return g.mappings[name] }

// Stage returns a stage; nil where there is none.
func (g *Graph) Stage(kind Kind, name, step string) *Stage {
	return g.byKey[stageKey{kind, name, step}]
}

// Schema returns where documents of a schema are: payloads, events, bodies and
// answers, and the input of mappings that no pipeline uses.
func (g *Graph) Schema(name string) []Place {
	var out []Place
	for _, p := range g.schemas[name] {
		if p.Stage.alone() && g.running[p.Stage.Name] {
			continue
		}
		out = append(out, p)
	}
	return out
}

func (s *Stage) alone() bool { return s.Kind == Input || s.Kind == Output }

// builder follows the cells.
type builder struct {
	*Graph
	ws       *compile.Workspace
	cells    map[*ast.Node]*cell.Cell
	programs []*cell.Cell
	marks    map[*cell.Examples]*Stage
}

// stage finds or makes a stage.
func (b *builder) stage(kind Kind, name, step string, s *compile.Schema) *Stage {
	st := b.keyed(stageKey{kind, name, step}, name)
	if s != nil && st.Schema == "" {
		st.Schema = s.Name
		st.PII = personal(s)
		b.known(s, Place{Stage: st})
	}
	return st
}

// inside finds or makes a stage of a mapping that runs at a.
func (b *builder) inside(kind Kind, a at, step string) *Stage {
	return b.keyed(stageKey{kind, a.let, step}, a.name)
}

func (b *builder) keyed(key stageKey, name string) *Stage {
	st := b.byKey[key]
	if st == nil {
		st = &Stage{Kind: key.kind, Name: name, Step: key.step, mark: &cell.Examples{From: name}}
		b.byKey[key] = st
		b.marks[st.mark] = st
		b.stages = append(b.stages, st)
	}
	return st
}

func personal(s *compile.Schema) func([]string) bool {
	return func(path []string) bool {
		step, _, ok := s.Schema.Shape().At(path)
		return ok && step.PII
	}
}

// known notes that a document of a schema is at a place.
func (b *builder) known(s *compile.Schema, at Place) {
	if s == nil {
		return
	}
	for _, p := range b.schemas[s.Name] {
		if p.Stage == at.Stage && same(p.Path, at.Path) {
			return
		}
	}
	b.schemas[s.Name] = append(b.schemas[s.Name], at)
}

// shape stands for a place while cells are followed.
func (p Place) shape() cell.Shape {
	if p.Stage == nil {
		return cell.Shape{}
	}
	return cell.Shape{Examples: p.Stage.mark, Path: p.Path}
}

// place is what a shape stands for.
func (b *builder) place(s cell.Shape) (Place, bool) {
	st := b.marks[s.Examples]
	return Place{Stage: st, Path: s.Path}, st != nil
}

// edge adds a way.
func (b *builder) edge(e *Edge) {
	if e.From.Stage != nil {
		e.From.Stage.out = append(e.From.Stage.out, e)
	}
	if e.To.Stage != nil {
		e.To.Stage.in = append(e.To.Stage.in, e)
	}
}

// link lets the engine carry a whole document on.
func (b *builder) link(from, to Place, how string, span diag.Span, except ...[]string) {
	b.edge(&Edge{From: from, To: to, Mode: Copies, Link: how, Span: span, except: except})
}

// items is the place of what `each` walks over at p.
func items(p Place) Place {
	if n := len(p.Path); n > 0 && p.Path[n-1] == value.Items {
		return p
	}
	return p.At(value.Items)
}
