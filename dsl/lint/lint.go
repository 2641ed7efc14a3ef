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
	Memory    *Memory         // of the last run on this workspace; nil for none
}

// Codes of findings that only lint makes. The others belong to the packages
// that report them too.
const (
	codeUntrusted diag.Code = "XD1202"
	codePersonal  diag.Code = "XD1203"
	codePath      diag.Code = "XD2101"
	codeTarget    diag.Code = "XD2102"
	codeLost      diag.Code = "XD2103"
	codeDoubtful  diag.Code = "XD2104"
	codeFloat     diag.Code = "XD2106"
	codeSample    diag.Code = "XD2107"
	codeFirst     diag.Code = "XD2108"
	codeUntested  diag.Code = "XD2109"
	codeTypes     diag.Code = "XD2110"
	codeAnswer    diag.Code = "XD3101"
	codeDead      diag.Code = "XD3102"
	codeFlow      diag.Code = "XD3103"
	codeRepeat    diag.Code = "XD4101"
	codeClash     diag.Code = "XD4102"
	codeOpen      diag.Code = "XD4103"
	codeOverlap   diag.Code = "XD4104"
	codeOwner     diag.Code = "XD4110"
	codeEcho      diag.Code = "XD4111"
)

// ofOne are the rules that look at one definition and at what it was compiled
// with. Their findings hold as long as the unit does.
var ofOne = []func(*pass){secrets, samplesExist, names, paths, types, columns, targets, lost, doubtful, floats, counted, deadRules, options, doors, flow, identity, givens, ownersNamed, personal, sampleFits, readings, firstOfMany, fails}

// ofAll are the rules that compare definitions, and those that depend on the
// time. They run each time, and never look at the cells or rows of mappings.
var ofAll = []func(*pass){secrets, deadEvents, flowIntoMappings, repeats, twice, remember, alerted, schedules, webhooks, inversion, patience, keyless, openWebhooks, pollOverlap, untested, untold, overrides, untrusted, ownership, echoes, picks, protectedNames}

// Run returns what every rule has to say about the definitions of the
// workspace. The library that comes with crossdock is not judged.
func Run(in Input) diag.List {
	if in.Now.IsZero() {
		in.Now = time.Now()
	}
	p := &pass{Input: in, ws: in.Workspace, spoken: map[spot]bool{}, decoded: map[string]*document{}, judged: in.Memory.judge(in)}
	p.known(in.Found)
	given := p.givenBeside()
	for _, u := range in.Workspace.Units {
		of := p.judged[u]
		for i, d := range of.list {
			if name, depends := of.unless[i]; depends && given[u.Name][name] {
				continue
			}
			p.list.Add(d)
		}
	}
	p.heard(p.list)
	before := len(p.list)
	for _, rule := range ofAll {
		rule(p)
	}
	p.explain(p.list[before:])
	return p.list
}

// explain says of findings of rules that compare definitions for which clients
// they are.
func (p *pass) explain(list diag.List) {
	if len(p.ws.Clients) == 0 {
		return
	}
	units := map[string]*compile.Unit{}
	for _, u := range p.ws.Units {
		if u.Client != "" {
			units[u.Kind+" "+u.Name] = u
		}
	}
	for i := range list {
		if u := units[list[i].Kind+" "+list[i].Name]; u != nil {
			u.Explain(&list[i])
		}
	}
}

// client is the code of the client to whom the definition of a finding belongs.
func (p *pass) client(d diag.Diagnostic) string {
	if p.unit != nil {
		return p.unit.Client
	}
	if code, _, ok := strings.Cut(d.Name, "/"); ok && p.ws.Clients[code] != nil {
		return code
	}
	return ""
}

// known notes what compiling found.
func (p *pass) known(list diag.List) {
	p.heard(list)
	for _, d := range list {
		if d.Severity == diag.Error {
			p.wrong = append(p.wrong, spot{code: d.Code, span: d.Span})
		}
	}
}

// heard notes the places of which somebody has spoken.
func (p *pass) heard(list diag.List) {
	for _, d := range list {
		for _, c := range d.Clients {
			p.spoken[spot{d.Code, d.Span, c}] = true
		}
		if len(d.Clients) == 0 {
			p.spoken[spot{d.Code, d.Span, ""}] = true
		}
	}
}

type spot struct {
	code   diag.Code
	span   diag.Span
	client string
}

// pass is one run of rules, over one definition or over all.
type pass struct {
	Input
	ws      *compile.Workspace
	list    diag.List
	cells   map[*ast.Node]*cell.Cell
	spoken  map[spot]bool                // places of which somebody has spoken
	wrong   []spot                       // errors found while compiling
	decoded map[string]*document         // samples, by the definition that names them and the name
	types   map[*cell.Cell]string        // the `type:` beside cells
	splits  map[*cell.Examples][]example // what splitting cells make of the samples

	unit   *compile.Unit // the only one looked at; nil where all are compared
	result *judgement    // of unit
	judged map[*compile.Unit]*judgement
}

// own reports whether a definition belongs to the workspace, not to the
// library.
func own(file string) bool { return !strings.HasPrefix(file, "std/") }

// about reports d unless the same was said of the place before. What has no
// place is missing, and that was reported while compiling.
func (p *pass) about(d diag.Diagnostic) {
	at := spot{d.Code, d.Span, p.client(d)}
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

// sortedCells returns the compiled cells of the definition looked at, none for
// those of the library.
func (p *pass) sortedCells() []*cell.Cell {
	out := make([]*cell.Cell, 0, len(p.unit.Cells))
	for _, c := range p.unit.Cells {
		if own(c.Node.Span.File) && (c.JQ != nil || c.Rule != nil) {
			out = append(out, c)
		}
	}
	return out
}

// pipelines returns the pipelines of the workspace in the order of their names,
// or the one looked at.
func (p *pass) pipelines() []*compile.Pipeline {
	if p.unit != nil {
		if p.unit.Pipeline == nil || p.unit.Std {
			return nil
		}
		return []*compile.Pipeline{p.unit.Pipeline}
	}
	var out []*compile.Pipeline
	for _, name := range sortedKeys(p.ws.Pipelines) {
		if pl := p.ws.Pipelines[name]; !pl.Std && pl.Kind == "pipeline" {
			out = append(out, pl)
		}
	}
	return out
}

// mappings returns the mapping looked at, if it is one.
func (p *pass) mappings() []*compile.Mapping {
	if p.unit.Mapping == nil || p.unit.Std {
		return nil
	}
	return []*compile.Mapping{p.unit.Mapping}
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
