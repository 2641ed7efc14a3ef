package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// node is something that can start pipelines: a document of a system, or an
// event.
type node struct{ system, name string }

// happens says what a step does to it.
func (n node) happens() string {
	if n.system == "" {
		return "emits `" + n.name + "`"
	}
	return "changes " + n.name + " in " + n.system
}

// hop is one way of a change: a step of a pipeline changes what another one
// hears of.
type hop struct {
	pl  *compile.Pipeline
	at  spec.Text
	out node
}

// echoes reports loops in which what a pipeline writes starts it again
// (XD4111).
func echoes(p *pass) {
	hears := map[node][]*compile.Pipeline{}
	for _, pl := range p.pipelines() {
		for _, n := range p.heardNodes(pl) {
			hears[n] = append(hears[n], pl)
		}
	}
	told := map[string]bool{}
	for _, pl := range p.pipelines() {
		loop := p.shortest(pl, hears)
		if loop == nil {
			continue
		}
		names := make([]string, 0, len(loop))
		for _, h := range loop {
			names = append(names, h.pl.Name)
		}
		slices.Sort(names)
		if key := strings.Join(names, " "); !told[key] {
			told[key] = true
			p.echo(loop)
		}
	}
}

// heardNodes is what starts runs of a pipeline.
func (p *pass) heardNodes(pl *compile.Pipeline) []node {
	var out []node
	for _, e := range pl.Trigger.Events {
		out = append(out, node{name: e})
	}
	if len(out) > 0 {
		return out
	}
	what := pl.Accept
	if t := pl.Trigger.Poll; t != nil && what == nil {
		if op := p.ws.Operation(p.ws.Ref(pl.Client, t.Call.Value)); op != nil {
			what = op.Response
		}
	}
	if what == nil {
		return nil
	}
	for _, s := range p.speakers(pl, nil) {
		out = append(out, node{p.whose(s, pl.Client), base(what.Name)})
	}
	return out
}

// whose names a system of one client apart from those of others.
func (p *pass) whose(name, client string) string {
	for _, c := range p.ws.Connections {
		if client != "" && c.Client == client && system(c) == name {
			return client + "/" + name
		}
	}
	return name
}

// base is the name of a schema without its version: a document is the same in
// all of them.
func base(name string) string {
	before, _, _ := strings.Cut(name, "@")
	return before
}

// changed is what the steps of a pipeline change, each with the step.
func (p *pass) changed(pl *compile.Pipeline) []hop {
	var out []hop
	for _, s := range effects(pl) {
		if s.Action == compile.ActEmit {
			// Which of several events it is, only running shows.
			if s.Event != nil {
				if names, known := s.Event.EventNames(); known && len(names) == 1 {
					out = append(out, hop{pl, s.Spec.Emit, node{name: names[0]}})
				}
			}
			continue
		}
		op := p.ws.Operation(s.Target)
		if op == nil || op.Own == nil || p.ws.Connections[op.Connection] == nil || p.Catalog.ReadOnly(op) {
			continue
		}
		what := op.Request
		if op.Changes != nil {
			what = op.Changes
		} else if what == nil && s.Map != nil {
			if m := p.ws.Mappings[s.Map.Name]; m != nil {
				what = m.Output
			}
		}
		if what != nil {
			out = append(out, hop{pl, target(s), node{p.whose(system(p.ws.Connections[op.Connection]), p.ws.Connections[op.Connection].Client), base(what.Name)}})
		}
	}
	return out
}

// shortest returns the shortest loop that begins with a step of first, nil where
// there is none.
func (p *pass) shortest(first *compile.Pipeline, hears map[node][]*compile.Pipeline) []hop {
	ways := [][]hop{nil}
	at := []*compile.Pipeline{first}
	seen := map[*compile.Pipeline]bool{}
	for i := 0; i < len(at); i++ {
		if seen[at[i]] {
			continue
		}
		seen[at[i]] = true
		for _, h := range p.changed(at[i]) {
			way := append(ways[i][:len(ways[i]):len(ways[i])], h)
			for _, next := range hears[h.out] {
				if next == first {
					return way
				}
				at, ways = append(at, next), append(ways, way)
			}
		}
	}
	return nil
}

func (p *pass) echo(loop []hop) {
	h := loop[0]
	d := diag.Diagnostic{Code: codeEcho, Span: h.at.Span(), Kind: "pipeline", Name: h.pl.Name, Source: h.at.Value,
		Hint: "let one side own the data and stop the other way; where the loop is meant and ends, because `when` drops our own changes, " +
			"write `# crossdock-ignore XD4111 how it ends` above this line"}
	if len(loop) == 1 {
		d.Message = fmt.Sprintf("this %s, which starts pipeline `%s` again, for ever", h.out.happens(), h.pl.Name)
	} else {
		d.Message = fmt.Sprintf("an echo: this %s, which starts pipeline `%s`", h.out.happens(), loop[1].pl.Name)
		for i, next := range loop[1:] {
			then := "`" + h.pl.Name + "` again, for ever"
			if i+2 < len(loop) {
				then = "`" + loop[i+2].pl.Name + "`"
			}
			d.Message += fmt.Sprintf("; that %s, which starts %s", next.out.happens(), then)
			d.Related = append(d.Related, diag.Related{Span: next.at.Span(), Message: "pipeline " + next.pl.Name + " goes on here"})
		}
	}
	p.about(d)
}
