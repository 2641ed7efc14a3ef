package plan

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
)

// gather makes messages of everything that the definitions of both sides name:
// samples, and the inputs of tests. The same input counts once. The notes tell
// what could not be read.
func gather(in *Input) ([]Message, []string) {
	g := &gatherer{seen: map[string]bool{}}
	for _, side := range []*Side{&in.New, &in.Old} {
		if side.FS == nil {
			continue
		}
		g.side, g.current = side, side == &in.New
		g.samples()
		g.tests()
	}
	return g.out, g.notes
}

type gatherer struct {
	side    *Side
	current bool // it is the new one: what it cannot read is told
	seen    map[string]bool
	out     []Message
	notes   []string
}

// add takes a message unless the same is there already.
func (g *gatherer) add(m Message) {
	h := sha256.New()
	stubs := sorted(m.Stubs)
	meta, _ := json.Marshal([]any{m.In.Meta, m.Meta, stubs}) // plain values cannot fail
	for _, part := range [][]byte{[]byte(m.Pipeline), []byte(m.Mapping), m.In.Raw, message.Marshal(m.In.Body), message.Marshal(m.Input), meta} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	id := string(h.Sum(nil))
	if len(m.Stubs) > 0 {
		id += m.ID // cases differ by their stubs
	}
	if !g.seen[id] {
		g.seen[id] = true
		g.out = append(g.out, m)
	}
}

func (g *gatherer) note(format string, args ...any) {
	if g.current {
		g.notes = append(g.notes, fmt.Sprintf(format, args...))
	}
}

// samples takes the samples of pipelines and mappings. Those of a mapping with
// which a pipeline begins are inputs of the pipeline, too.
func (g *gatherer) samples() {
	ws := g.side.WS
	for _, name := range sorted(ws.Mappings) {
		m := ws.Mappings[name]
		if m.Spec == nil {
			continue
		}
		for _, s := range m.Spec.Samples {
			raw, at, err := compile.ReadBeside(g.side.FS, g.side.Std, m.File.Path, s.Value)
			if err != nil {
				g.note("the sample %s of the mapping %s cannot be read", s.Value, name)
				continue
			}
			if v, err := message.Decode(raw, message.Unlimited); err == nil {
				one := Message{ID: at, Origin: Sample, Mapping: name, Input: v}
				one.In.Meta.ReceivedAt = testrun.Now()
				g.add(one)
			}
		}
	}
	for _, name := range sorted(ws.Pipelines) {
		p := ws.Pipelines[name]
		if p.Spec == nil {
			continue
		}
		g.files(p, p.File.Path, p.Spec.Samples)
		if first := g.begins(p); first != nil {
			g.files(p, first.File.Path, first.Spec.Samples)
		}
	}
}

// begins returns the mapping that is first to read the payload of p; nil where
// it is not the payload as it came.
func (g *gatherer) begins(p *compile.Pipeline) *compile.Mapping {
	if p.Split != nil {
		return nil
	}
	for s := p.Steps[0]; s != nil; s = s.Next {
		if s.Map != nil {
			if m := g.side.WS.Mappings[s.Map.Name]; m != nil && m.Spec != nil {
				return m
			}
			return nil
		}
		if s.Action == compile.ActSplit || s.Action == compile.ActRoute {
			return nil
		}
	}
	return nil
}

func (g *gatherer) files(p *compile.Pipeline, from string, names []spec.Text) {
	for _, s := range names {
		raw, at, err := compile.ReadBeside(g.side.FS, g.side.Std, from, s.Value)
		if err != nil {
			g.note("the sample %s of the pipeline %s cannot be read", s.Value, p.Name)
			continue
		}
		list, err := testrun.FromFile(p, at, raw, testrun.Now())
		if err != nil {
			g.note("the sample %s of the pipeline %s cannot be read", s.Value, p.Name)
			continue
		}
		for i, in := range list {
			g.add(Message{ID: numbered(at, i, len(list)), Origin: Sample, Pipeline: p.Name, In: in})
		}
	}
}

// tests takes the inputs of all cases.
func (g *gatherer) tests() {
	runner := &testrun.Runner{WS: g.side.WS, FS: g.side.FS, Std: g.side.Std}
	for _, t := range append(append([]*compile.Test{}, g.side.WS.Tests...), g.side.WS.StdTests...) {
		for i := range t.Spec.Cases {
			c := &t.Spec.Cases[i]
			given, err := runner.Given(t, c)
			if err != nil {
				g.note("test %q of %s: %s", c.Name.Value, t.Spec.Of.Value, err)
				continue
			}
			if t.Mapping != nil {
				one := Message{ID: c.Name.Value, Origin: Case, Mapping: t.Mapping.Name, Input: given.Input, Meta: given.Meta}
				one.In.Meta.ReceivedAt = given.Now
				g.add(one)
				continue
			}
			for j, in := range given.Messages {
				g.add(Message{ID: numbered(c.Name.Value, j, len(given.Messages)), Origin: Case, Pipeline: t.Pipeline.Name, In: in, Stubs: given.Stubs})
			}
		}
	}
}

func numbered(name string, i, n int) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s #%d", name, i+1)
}

// errorPlace names the rows that failed.
func errorPlace(err error) string {
	var me *mapping.Error
	if !errors.As(err, &me) {
		return "jq"
	}
	parts := make([]string, 0, len(me.Rows))
	for _, r := range me.Rows {
		parts = append(parts, r.Code+" "+r.Field)
	}
	return strings.Join(parts, ", ")
}

// base is the name of a file without its folders.
func base(name string) string { return path.Base(name) }
