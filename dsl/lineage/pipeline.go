package lineage

import (
	"encoding/json"
	"maps"
	"slices"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func written(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// mappingsAlone follows every mapping as if it ran by itself.
func (b *builder) mappingsAlone() {
	for _, name := range sorted(b.ws.Mappings) {
		m := b.ws.Mappings[name]
		if m == nil || m.Spec == nil {
			continue
		}
		in := Place{Stage: b.stage(Input, name, "", m.Input)}
		out := Place{Stage: b.stage(Output, name, "", m.Output)}
		b.mapping(m, at{let: name, payload: in, vars: b.scope(Place{}, nil), alone: true}, out)
	}
}

// mapping follows the rows of a mapping that writes to out.
func (b *builder) mapping(m *compile.Mapping, a at, out Place) {
	if m == nil || m.Spec == nil {
		return
	}
	a.kind, a.name = "mapping", m.Name
	b.known(m.Input, a.payload)
	b.known(m.Output, out)
	a.vars = b.lets(m.Spec.Let, a)
	if m.Spec.Program.Set() {
		for _, c := range b.programs {
			if c.Name == m.Name && c.JQ != nil {
				b.writes(b.useCell(c, a.in("program").as("program")), out, Copies)
			}
		}
		return
	}
	b.fields(m.Spec.Fields, a, out)
}

// walk follows one pipeline.
type walk struct {
	*builder
	p       *compile.Pipeline
	bySpec  map[*spec.Step]*compile.Step
	got     Place
	results map[string]Place
}

func (b *builder) pipelines() {
	for _, name := range sorted(b.ws.Pipelines) {
		if p := b.ws.Pipelines[name]; p != nil && p.Spec != nil {
			b.pipeline(p)
		}
	}
	b.events()
}

func (b *builder) pipeline(p *compile.Pipeline) {
	w := &walk{builder: b, p: p, bySpec: map[*spec.Step]*compile.Step{}, results: map[string]Place{}}
	for _, s := range p.ByID {
		w.bySpec[s.Spec] = s
	}
	w.got = Place{Stage: b.stage(Received, p.Name, "", p.Accept)}
	w.trigger()
	a := w.at("", w.got)
	w.ends(p.Spec.When, a.in("when").as("when"))
	payload := w.got
	if p.Spec.Split.Set() {
		payload = w.split(p.Spec.Split, a.in("split").as("split"))
		a.payload = payload
	}
	for _, c := range p.Spec.Key {
		w.ends(c, a.in("key").as("key"))
	}
	w.ends(p.Spec.OrderBy, a.in("order_by").as("order_by"))
	w.ends(p.Spec.EventTime, a.in("event_time").as("event_time"))
	for _, t := range p.Spec.TraceBy {
		w.ends(t.Value, a.in("trace_by "+t.Key.Text).as("trace_by"))
	}
	w.steps(p.Spec.Steps, payload)
}

// at is where the cells of a step stand.
func (w *walk) at(step string, payload Place) at {
	return at{kind: "pipeline", name: w.p.Name, pipeline: w.p.Name, step: step, row: step, let: w.p.Name + "\x00" + step,
		payload: payload, vars: w.scope(w.got, w.results)}
}

// ends notes a cell behind which no value goes on.
func (w *walk) ends(c spec.Cell, a at) { w.writes(w.use(c, a), Place{}, Uses) }

// trigger links a poll with what it asks. Events are linked when all emitters
// are known.
func (w *walk) trigger() {
	s := w.p.Spec.Trigger.Poll
	if s == nil {
		return
	}
	op := w.ws.Operation(s.Call.Value)
	if op == nil {
		return
	}
	answer := Place{Stage: w.stage(Response, op.Ref(), "", op.Response)}
	a := w.at("trigger", Place{})
	w.fields(s.With, a.as("with"), Place{Stage: w.stage(With, op.Ref(), "", nil)})
	if op.Items != nil {
		ctx := cell.Context{Shape: answer.shape()}
		if p, ok := w.place(ctx.Result(op.Items)); ok {
			answer = items(p)
		}
	}
	w.link(answer, w.got, "poll", s.Call.Span())
	if s.Cursor != nil {
		w.ends(s.Cursor.Save, w.at("trigger", w.got).in("trigger cursor").as("save"))
	}
}

// split is the payload behind a split.
func (w *walk) split(c spec.Cell, a at) Place {
	u := w.use(c, a)
	if u == nil {
		return Place{Stage: w.stage(Payload, w.p.Name, a.row, nil)}
	}
	for i := range u.Reads {
		if u.Reads[i].Mode == Copies {
			u.Reads[i].Mode = Counts
			w.writes(u, Place{}, Copies)
			return items(u.Reads[i].Place)
		}
	}
	st := w.stage(Payload, w.p.Name, a.row, nil)
	w.writes(u, Place{Stage: st}, Uses)
	return Place{Stage: st}
}

// steps follows a list of steps and returns the payload behind it; ok is false
// where no run comes out.
func (w *walk) steps(list []spec.Step, payload Place) (after Place, ok bool) {
	for i := range list {
		if payload, ok = w.step(&list[i], payload); !ok {
			return payload, false
		}
	}
	return payload, true
}

func (w *walk) step(s *spec.Step, payload Place) (Place, bool) {
	step := w.bySpec[s]
	if step == nil {
		return payload, true
	}
	a := w.at(step.ID, payload)
	switch step.Action {
	case compile.ActMap:
		m := w.mappingOf(step)
		if m == nil {
			return Place{Stage: w.stage(Payload, w.p.Name, step.ID, nil)}, true
		}
		out := Place{Stage: w.stage(Payload, w.p.Name, step.ID, m.Output)}
		w.running[m.Name] = true
		w.mapping(m, a, out)
		return out, true
	case compile.ActWhen:
		w.ends(s.When, a.as("when"))
	case compile.ActSplit:
		return w.split(s.Split, a.as("split")), true
	case compile.ActRoute:
		return w.route(s, step, a)
	case compile.ActSend, compile.ActCall:
		w.effect(s, step, a)
	case compile.ActEmit:
		w.emit(s, step, a)
	default:
		return payload, false
	}
	if len(s.OnFail) > 0 {
		results := maps.Clone(w.results)
		delete(w.results, s.As.Value)
		w.steps(s.OnFail, payload)
		w.results = results
	}
	return payload, true
}

func (w *walk) mappingOf(step *compile.Step) *compile.Mapping {
	if step.Map == nil {
		return nil
	}
	return w.ws.Mappings[step.Map.Name]
}

// route follows the rules; behind it the payloads of all ways come together.
func (w *walk) route(s *spec.Step, step *compile.Step, a at) (Place, bool) {
	var ways []Place
	before, after := w.results, maps.Clone(w.results)
	branch := func(list []spec.Step) {
		w.results = maps.Clone(before)
		if p, ok := w.steps(list, a.payload); ok {
			ways = append(ways, p)
			maps.Copy(after, w.results)
		}
	}
	for i := range s.Route.Rules {
		r := &s.Route.Rules[i]
		w.ends(r.When, a.in("rule "+r.Name.Value).as("when"))
		branch(r.To)
	}
	if s.Route.Otherwise != nil {
		branch(s.Route.Otherwise.Steps)
	}
	w.results = after
	if len(ways) == 0 {
		return a.payload, false
	}
	first := ways[0]
	if !slices.ContainsFunc(ways, func(p Place) bool { return p.Stage != first.Stage || !same(p.Path, first.Path) }) {
		return first, true
	}
	joined := Place{Stage: w.stage(Payload, w.p.Name, step.ID, nil)}
	for _, p := range ways {
		w.link(p, joined, "goes on", s.Node.Span)
	}
	return joined, true
}

// effect follows what an operation is sent.
func (w *walk) effect(s *spec.Step, step *compile.Step, a at) {
	ref := s.Send
	if step.Action == compile.ActCall {
		ref = s.Call
	}
	op := w.ws.Operation(step.Target)
	if op == nil {
		if step.As != "" {
			w.results[step.As] = Place{Stage: w.stage(Response, step.Target, "", nil)}
		}
		return
	}
	body := Place{Stage: w.stage(Body, op.Ref(), "", op.Request)}
	m := w.mappingOf(step)
	switch {
	case m != nil:
		w.running[m.Name] = true
		w.mapping(m, a, body)
	case len(s.With) == 0 && op.SendsBody():
		w.link(a.payload, body, "send", ref.Span())
	}
	w.with(s.With, a, func(target string) Place {
		if op.Binds(target) {
			return Place{Stage: w.stage(With, op.Ref(), "", nil)}
		}
		return body
	})
	if step.As != "" {
		w.results[step.As] = Place{Stage: w.stage(Response, op.Ref(), "", op.Response)}
	}
}

// with follows the rows of `with`, each to where into says.
func (w *walk) with(rows spec.Fields[spec.Row], a at, into func(target string) Place) {
	for i := range rows {
		f := &rows[i]
		w.fields(rows[i:i+1], a.as("with"), into(f.Key.Text))
	}
}

// emit follows what becomes of an event.
func (w *walk) emit(s *spec.Step, step *compile.Step, a at) {
	if step.Event == nil {
		return
	}
	event := Place{Stage: w.stage(Event, step.Event.Name, "", step.Event)}
	var added [][]string
	for _, f := range s.With {
		added = append(added, ParsePath(f.Key.Text))
	}
	if m := w.mappingOf(step); m != nil {
		w.running[m.Name] = true
		w.mapping(m, a, event)
	} else {
		w.link(a.payload, event, "emit", s.Emit.Span(), added...)
	}
	w.with(s.With, a, func(string) Place { return event })
}

// events links emitted events with the pipelines that hear them.
func (b *builder) events() {
	for _, st := range slices.Clone(b.stages) {
		if st.Kind != Event {
			continue
		}
		for _, p := range b.listeners(b.ws.Schemas[st.Name]) {
			got := Place{Stage: b.stage(Received, p.Name, "", b.ws.Schemas[st.Name])}
			var span diag.Span
			if t := p.Spec.Trigger.Event; t != nil && t.Node != nil {
				span = t.Node.Span
			}
			b.link(Place{Stage: st}, got, "hear", span)
		}
	}
}

// listeners are the pipelines that hear events of a schema. Where the names of
// its events cannot be told, those count that accept its documents.
func (b *builder) listeners(s *compile.Schema) []*compile.Pipeline {
	if s == nil {
		return nil
	}
	var out []*compile.Pipeline
	add := func(p *compile.Pipeline) {
		if p.Spec != nil && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	names, known := s.EventNames()
	for _, name := range names {
		for _, p := range b.ws.Listeners[name] {
			add(p)
		}
	}
	if !known {
		for _, name := range sorted(b.ws.Listeners) {
			for _, p := range b.ws.Listeners[name] {
				if p.Accept == s || p.Accept == nil {
					add(p)
				}
			}
		}
	}
	return out
}
