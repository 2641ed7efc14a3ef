// Package lint looks for mistakes in definitions that run but do not do what
// was meant.
//
// It looks at the compiled workspace, so a rule and the running system can
// never see two different programs. Each rule lives in one file, reads what it
// needs and changes nothing; Explain tells people about every code, those of
// the parser and the compiler included. A run takes time in proportion to the
// size of the workspace.
package lint

import (
	"io/fs"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Input is what the rules look at.
type Input struct {
	Workspace *compile.Workspace
	Found     diag.List       // what compiling reported: lint does not say it again
	Catalog   compile.Catalog // which connections, schedules and webhooks exist
	Files     fs.FS           // the workspace folder, for samples
	Now       time.Time       // from when on schedules are looked at
}

// Codes of findings that only lint makes. The others belong to the packages
// that report them too.
const (
	codePath     diag.Code = "XD2101"
	codeTarget   diag.Code = "XD2102"
	codeLost     diag.Code = "XD2103"
	codeDoubtful diag.Code = "XD2104"
	codeFloat    diag.Code = "XD2106"
	codeDead     diag.Code = "XD3102"
	codeFlow     diag.Code = "XD3103"
	codeRepeat   diag.Code = "XD4101"
	codeClash    diag.Code = "XD4102"
	codeOpen     diag.Code = "XD4103"
	codeOverlap  diag.Code = "XD4104"
)

// rules are all rules, in the order of their codes.
var rules = []func(*pass){
	secrets, samplesExist, names, paths, targets, lost, doubtful, floats,
	deadRules, deadEvents, flow, repeats, identity, remember, schedules, webhooks, inversion, openWebhooks, pollOverlap,
}

// Run returns what every rule has to say about the definitions of the
// workspace. The library that comes with crossdock is not judged.
func Run(in Input) diag.List {
	if in.Now.IsZero() {
		in.Now = time.Now()
	}
	p := &pass{Input: in, ws: in.Workspace, cells: map[*ast.Node]*cell.Cell{}, spoken: map[spot]bool{}, decoded: map[string]*document{}}
	for _, c := range in.Workspace.Cells {
		p.cells[c.Node] = c
	}
	for _, d := range in.Found {
		p.spoken[spot{d.Code, d.Span}] = true
		if d.Severity == diag.Error {
			p.wrong = append(p.wrong, spot{d.Code, d.Span})
		}
	}
	for _, rule := range rules {
		rule(p)
	}
	return p.list
}

type spot struct {
	code diag.Code
	span diag.Span
}

// pass is one run of all rules.
type pass struct {
	Input
	ws      *compile.Workspace
	list    diag.List
	cells   map[*ast.Node]*cell.Cell
	spoken  map[spot]bool         // places of which somebody has spoken
	wrong   []spot                // errors found while compiling
	decoded map[string]*document  // samples, by the definition that names them and the name
	types   map[*cell.Cell]string // the `type:` beside cells
}

// own reports whether a definition belongs to the workspace, not to the
// library.
func own(file string) bool { return !strings.HasPrefix(file, "std/") }

// about reports d unless the same was said of the place before. What has no
// place is missing, and that was reported while compiling.
func (p *pass) about(d diag.Diagnostic) {
	at := spot{d.Code, d.Span}
	if p.spoken[at] || d.Span.File == "" {
		return
	}
	if slices.ContainsFunc(p.wrong, func(w spot) bool { return w.code == d.Code && w.span.Contains(d.Span) }) {
		return // part of what is wrong as a whole
	}
	p.spoken[at] = true
	p.list.Add(d)
}

// inCell reports something between two bytes of a cell.
func (p *pass) inCell(c *cell.Cell, from, to int, d diag.Diagnostic) {
	d.Span, d.Source = c.Node.Range(from, to), c.Node.Text
	d.Kind, d.Name, d.Row, d.Lang = c.Kind, c.Name, c.Row, "jq"
	if c.Rule != nil {
		d.Lang = "expr"
	}
	p.about(d)
}

// sortedCells returns the compiled cells of the workspace without those of the
// library.
func (p *pass) sortedCells() []*cell.Cell {
	out := make([]*cell.Cell, 0, len(p.ws.Cells))
	for _, c := range p.ws.Cells {
		if own(c.Node.Span.File) && (c.JQ != nil || c.Rule != nil) {
			out = append(out, c)
		}
	}
	return out
}

// pipelines returns the pipelines of the workspace in the order of their names.
func (p *pass) pipelines() []*compile.Pipeline {
	var out []*compile.Pipeline
	for _, name := range sortedKeys(p.ws.Pipelines) {
		if pl := p.ws.Pipelines[name]; !pl.Std {
			out = append(out, pl)
		}
	}
	return out
}

// mappings returns the mappings of the workspace in the order of their names.
func (p *pass) mappings() []*compile.Mapping {
	var out []*compile.Mapping
	for _, name := range sortedKeys(p.ws.Mappings) {
		if m := p.ws.Mappings[name]; !m.Std {
			out = append(out, m)
		}
	}
	return out
}

// steps calls f for every step that is written in a list, those of rules and
// on_fail included, with its compiled twin.
func steps(pl *compile.Pipeline, f func(*compile.Step)) {
	for _, id := range sortedKeys(pl.ByID) {
		f(pl.ByID[id])
	}
}

// effects returns the steps of a pipeline that reach outside.
func effects(pl *compile.Pipeline) []*compile.Step {
	var out []*compile.Step
	steps(pl, func(s *compile.Step) {
		if s.Action.Effect() {
			out = append(out, s)
		}
	})
	return out
}

// target returns the text that names what a step sends to or calls.
func target(s *compile.Step) spec.Text {
	if s.Spec.Call.Set() {
		return s.Spec.Call
	}
	return s.Spec.Send
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// replace is a fix that puts text in the place of span.
func replace(span diag.Span, text string) []diag.Fix {
	return []diag.Fix{{Title: "replace with `" + text + "`", Edits: []diag.Edit{{Span: span, Text: text}}}}
}

// listed joins names, the first n of them.
func listed(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[:n], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}
