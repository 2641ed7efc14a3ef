package compile

import (
	"fmt"
	"maps"
	"sort"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
)

// CodeFlow is the code of steps that can never run as written.
const CodeFlow diag.Code = "XD3103"

// pipelines compiles every pipeline and the event bus between them.
func (b *builder) pipelines() {
	base := standard()
	if p := b.ws.Policies[b.ws.Spec.Defaults.Policy.Value]; p != nil {
		base = p
	} else if p := b.ws.Policies["standard"]; p != nil && !b.ws.Spec.Defaults.Policy.Set() {
		base = p
	}
	for _, d := range b.defs["pipeline"] {
		p := &Pipeline{Definition: d.Definition, Spec: &spec.Pipeline{}, ByID: map[string]*Step{}}
		dec := b.decoder(d)
		dec.Decode(d.node, p.Spec)
		pb := &pipelineBuilder{builder: b, dec: dec, p: p, base: b.effective(dec, p.Spec.Policy, base), results: map[string]cell.Shape{}, ran: map[string]bool{}}
		p.Policy = pb.base
		pb.at = cell.Context{Kind: "pipeline", Name: d.Name, File: d.File.Path, Shape: cell.Shape{Examples: d.examples(p.Spec.Samples)}}
		pb.trigger()
		pb.identity()
		first := pb.steps(p.Spec.Steps, "", nil, pb.at.Shape)
		p.Steps = first
		p.Digest = meaning(d.node, pb.uses...)
		p.ReadsOriginal = pb.original || mentions(d.node, "original")
		p.ReadsMeta = pb.meta || mentions(d.node, "meta")
		p.ReadsRun = pb.run || mentions(d.node, "run")
		b.ws.Pipelines[d.Name] = p
		for _, name := range p.Trigger.Events {
			b.ws.Listeners[name] = append(b.ws.Listeners[name], p)
		}
	}
	for _, l := range b.ws.Listeners {
		sort.Slice(l, func(i, j int) bool { return l[i].Name < l[j].Name })
	}
}

// pipelineBuilder compiles one pipeline.
type pipelineBuilder struct {
	*builder
	dec      *spec.Decoder
	p        *Pipeline
	at       cell.Context
	base     *Policy
	uses     []string // digests of what the pipeline depends on
	results  map[string]cell.Shape
	ran      map[string]bool // of results: there whatever way the run took
	original bool            // a mapping may read $original
	meta     bool            // a mapping may read $meta
	run      bool            // a mapping may read $run
}

// trigger checks that there is exactly one and compiles its cells.
func (b *pipelineBuilder) trigger() {
	s := &b.p.Spec.Trigger
	t := &b.p.Trigger
	b.uses = append(b.uses, fmt.Sprint(b.base.Priority, b.base.Retry, b.base.Remember, b.base.Ordered, b.base.Box))
	t.HTTP, t.Schedule, t.Files, t.Poll = s.HTTP, s.Schedule, s.Files, s.Poll
	n := 0
	for _, set := range []bool{s.HTTP != nil, s.Schedule != nil, s.Files != nil, s.Poll != nil, s.Event != nil} {
		if set {
			n++
		}
	}
	if n != 1 && s.Node != nil {
		b.dec.Errorf(spec.CodeUnknown, s.Node.Span, "a pipeline has exactly one trigger, this one has %d", n).
			Hint = "you can use: http, schedule, files, poll, event"
	}
	b.accept()
	switch {
	case s.HTTP != nil:
		b.httpTrigger(s.HTTP)
	case s.Schedule != nil:
		t.Zone = s.Schedule.Zone.Value
		if t.Zone == "" {
			t.Zone = b.ws.Spec.Defaults.Zone.Value
		}
		if t.Zone == "" {
			t.Zone = "UTC"
		}
		if err := b.opt.Catalog.Cron(s.Schedule.Cron.Value, t.Zone); err != nil && s.Schedule.Cron.Set() {
			b.dec.Errorf("XD4102", s.Schedule.Cron.Span(), "%s", err)
		}
	case s.Files != nil:
		b.filesTrigger(s.Files)
	case s.Poll != nil:
		b.pollTrigger(s.Poll)
	case s.Event != nil:
		for _, name := range s.Event.Names {
			t.Events = append(t.Events, EventName(name.Value))
		}
		if b.p.Accept == nil {
			b.at.Shape.Schema = b.eventSchema(t.Events)
		}
	}
}

// accept resolves the contract of incoming payloads.
func (b *pipelineBuilder) accept() {
	b.p.Accept = b.schemaRef(b.dec, b.p.Spec.Accept)
	if b.p.Accept != nil {
		b.at.Shape.Schema = b.p.Accept.Schema
		b.uses = append(b.uses, b.p.Accept.Digest)
	}
}

// eventSchema is the contract of what is heard, where one schema emits it.
func (b *pipelineBuilder) eventSchema(names []string) *schema.Schema {
	var found *Schema
	for _, s := range b.ws.Schemas {
		for _, name := range names {
			if s.hears(name) {
				if found != nil {
					return nil
				}
				found = s
				break
			}
		}
	}
	if found == nil {
		return nil
	}
	return found.Schema
}

func (b *pipelineBuilder) httpTrigger(s *spec.HTTPTrigger) {
	if s.Path.Set() && !strings.HasPrefix(s.Path.Value, "/") {
		b.dec.Errorf(spec.CodeUnknown, s.Path.Span(), "the path must begin with /").Hint = "write /" + s.Path.Value
	}
	v := s.Verify
	switch {
	case v.Inline != nil:
		b.p.Trigger.Verify = v.Inline
		CheckVerify(b.dec, v.Inline.Node.Span, v.Inline)
	case v.Name.Value == "none":
		b.p.Trigger.Verify = &spec.Verify{None: true}
	case v.Name.Set():
		named := b.ws.Verify[v.Name.Value]
		if named == nil {
			b.dec.Unknown(v.Name.Node, "verification", append(sortedKeys(b.ws.Verify), "none"))
			return
		}
		b.p.Trigger.Verify = named
		if named.Node != nil {
			b.uses = append(b.uses, meaning(named.Node))
		}
	}
}

func (b *pipelineBuilder) filesTrigger(s *spec.FilesTrigger) {
	if s.Connection.Set() {
		c := b.ws.Connections[s.Connection.Value]
		switch {
		case c == nil:
			b.dec.Unknown(s.Connection.Node, "connection", sortedKeys(b.ws.Connections))
		case c.Type != "file":
			b.dec.Errorf(spec.CodeUnknown, s.Connection.Span(), "files are read from a connection of type file, `%s` is of type %s", c.Name, c.Type)
		default:
			b.uses = append(b.uses, c.Digest)
		}
	}
	formats := []string{"json", "ndjson", "csv", "text"}
	if s.Format.Set() && !contains(formats, s.Format.Value) {
		b.dec.Unknown(s.Format.Node, "format", formats)
	}
	for _, after := range []*spec.FileAfter{&s.After, &s.OnBadFile} {
		n := 0
		for _, set := range []bool{after.MoveTo.Set(), after.Delete, after.Keep} {
			if set {
				n++
			}
		}
		if n > 1 {
			b.dec.Errorf(spec.CodeUnknown, s.Path.Span(), "`after` and `on_bad_file` take one of move_to, delete and keep")
		}
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func (b *pipelineBuilder) pollTrigger(s *spec.PollTrigger) {
	op := b.operationRef(b.dec, s.Call)
	if op == nil {
		return
	}
	b.uses = append(b.uses, b.ws.Connections[op.Connection].Digest)
	b.p.Trigger.PollWith = b.rows(b.dec, "poll with", b.at.In("trigger").As("with").Of(cell.Shape{}), s.With, nil)
	shape := op.responseShape()
	if op.Items != nil {
		shape = (cell.Context{Shape: shape}).Result(op.Items).Items()
	}
	if b.p.Accept == nil {
		if len(shape.Path) > 0 {
			b.at.Shape.Examples = nil // they show whole answers
		}
		b.at.Shape.Schema, b.at.Shape.Path = shape.Schema, shape.Path
	}
	if s.Cursor != nil {
		b.p.Trigger.Save = b.cells.JQ(s.Cursor.Save, b.at.In("trigger cursor").As("save"))
	}
}

// identity compiles split, when, key, order_by and trace_by.
func (b *pipelineBuilder) identity() {
	s, p := b.p.Spec, b.p
	b.at.VarShapes = map[string]cell.Shape{"original": b.at.Shape}
	p.Split = b.cells.JQ(s.Split, b.at.In("split").As("split"))
	if s.Split.Set() {
		shape := cell.Shape{}
		if p.Split != nil {
			shape = b.at.Result(p.Split).Items()
		}
		b.at.Shape = shape
	}
	p.When = b.cells.Rule(s.When, b.at.In("when").As("when"))
	for _, part := range s.Key {
		if k := b.cells.JQ(part, b.at.In("key").As("key")); k != nil {
			p.Key = append(p.Key, k)
		}
	}
	p.OrderBy = b.cells.JQ(s.OrderBy, b.at.In("order_by").As("order_by"))
	for _, t := range s.TraceBy {
		if c := b.cells.JQ(t.Value, b.at.In("trace_by "+t.Key.Text).As("trace_by")); c != nil {
			p.TraceBy = append(p.TraceBy, Trace{Type: t.Key.Text, Cell: c})
		}
	}
}

// steps compiles a list; after is what follows its last step.
func (b *pipelineBuilder) steps(list []spec.Step, prefix string, after *Step, shape cell.Shape) []*Step {
	out := make([]*Step, 0, len(list))
	for i := range list {
		s := &list[i]
		step := &Step{Spec: s, Next: after}
		if i > 0 {
			out[i-1].Next = step
		}
		out = append(out, step)
		step.ID = b.id(prefix, s)
		b.p.ByID[step.ID] = step
	}
	// Rules need to know what follows their route, so links come first.
	for i, step := range out {
		shape = b.step(step, shape, prefix)
		if step.Route != nil && step.Route.Every && (i < len(out)-1 || after != nil) {
			where := step.Spec.Node.Span
			if i < len(out)-1 {
				where = out[i+1].Spec.Node.Span
			}
			b.dec.Errorf(CodeFlow, diag.Span{File: where.File, Start: where.Start, End: diag.Point{Line: where.Start.Line, Col: where.Start.Col + 1}},
				"nothing can follow a route with `pick: every`, because its branches never wait for one another").
				Hint = "move the step into the rules, or use `pick: first`"
		}
		if (step.Action == ActIgnore || step.Action == ActDeadLetter) && i < len(out)-1 {
			b.dec.Errorf(CodeFlow, out[i+1].Spec.Node.Span, "this step is never reached: the one before it ends the run").Hint = "remove it, or move it up"
		}
	}
	return out
}

// id names a step by the rules around it and by what it does; a repeat of the
// same gets a number.
func (b *pipelineBuilder) id(prefix string, s *spec.Step) string {
	action := s.Action()
	id := action
	for _, target := range []spec.Text{s.Send, s.Call, s.Emit} {
		if target.Set() {
			id += ":" + target.Value
		}
	}
	if action == "map" {
		id += ":" + s.Map.Value
	}
	if s.As.Set() {
		id += "@" + s.As.Value
	}
	id = prefix + id
	name := id
	for n := 2; b.p.ByID[name] != nil; n++ {
		name = fmt.Sprintf("%s#%d", id, n)
	}
	return name
}

// step compiles one step and returns the shape of the payload behind it.
func (b *pipelineBuilder) step(step *Step, shape cell.Shape, prefix string) cell.Shape {
	s := step.Spec
	at := b.at.In(step.ID)
	at.Shape = shape
	at.VarShapes, at.Ran = b.varShapes(), maps.Clone(b.ran)
	step.Ran = at.Ran
	step.Policy = b.effective(b.dec, s.Policy, b.base)
	step.As = s.As.Value
	if s.As.Set() && !isVariable(s.As.Value) {
		b.dec.Errorf(spec.CodeUnknown, s.As.Span(), "`%s` cannot be used as $steps.%s", s.As.Value, s.As.Value).Hint = "use letters, digits and _, beginning with a letter"
	}
	var mapped *Mapping
	if s.Map.Set() {
		if mapped = b.mappingRef(s.Map); mapped != nil {
			step.Map = mapped.Mapping
		}
	}
	switch s.Action() {
	case "map":
		step.Action = ActMap
		if mapped != nil {
			shape = mapped.outputShape()
		}
	case "when":
		step.Action, step.When = ActWhen, b.cells.Rule(s.When, at.As("when"))
	case "split":
		step.Action, step.Split = ActSplit, b.cells.JQ(s.Split, at.As("split"))
		shape = cell.Shape{}
		if step.Split != nil {
			shape = at.Result(step.Split).Items()
		}
	case "route":
		step.Action = ActRoute
		b.route(step, shape, prefix)
		shape = cell.Shape{}
	case "send", "call":
		b.effect(step, at, mapped)
	case "emit":
		b.emit(step, at, mapped)
	case "dead_letter":
		step.Action, step.Text, step.Next, step.ended = ActDeadLetter, s.DeadLetter.Value, nil, true
	case "ignore":
		step.Action, step.Next, step.ended = ActIgnore, nil, true
	}
	if len(s.OnFail) > 0 {
		if !step.Action.Effect() {
			b.dec.Errorf(spec.CodeUnknown, s.Node.Pair("on_fail").Key.Span, "`on_fail` belongs to send, call and emit")
		}
		results, ran := b.results, b.ran
		b.results, b.ran = maps.Clone(results), maps.Clone(at.Ran)
		delete(b.results, step.As)
		step.OnFail = b.steps(s.OnFail, step.ID+"/on_fail/", nil, at.Shape)
		b.results, b.ran = results, ran
	}
	return shape
}

func (m *Mapping) outputShape() cell.Shape {
	if m == nil || m.Output == nil {
		return cell.Shape{}
	}
	return cell.Shape{Schema: m.Output.Schema}
}

func (b *pipelineBuilder) varShapes() map[string]cell.Shape {
	shapes := map[string]cell.Shape{"original": b.at.VarShapes["original"]}
	for name, s := range b.results {
		shapes["steps."+name] = s
	}
	return shapes
}

// effect compiles send and call.
func (b *pipelineBuilder) effect(step *Step, at cell.Context, mapped *Mapping) {
	s := step.Spec
	ref := s.Send
	step.Action = ActSend
	if s.Call.Set() {
		ref, step.Action = s.Call, ActCall
	}
	step.Target = ref.Value
	step.With = b.rows(b.dec, "with of "+step.ID, at.As("with"), s.With, nil)
	op := b.operationRef(b.dec, ref)
	if op == nil {
		return
	}
	if step.As != "" {
		b.results[step.As], b.ran[step.As] = op.responseShape(), true
	}
	b.checkPlaceholders(step, op)
	if op.Request != nil && mapped != nil && mapped.Output != nil && mapped.Output != op.Request {
		b.dec.Warnf(CodeTarget, s.Map.Span(), "the mapping makes %s, but %s takes %s", mapped.Output.Name, op.Ref(), op.Request.Name).
			Hint = "let the mapping name `output: " + op.Request.Name + "`"
	}
}

// checkPlaceholders reports values an operation binds that nobody gives, and
// `with` rows nobody reads.
func (b *pipelineBuilder) checkPlaceholders(step *Step, op *Operation) {
	given := map[string]bool{}
	for _, row := range step.Spec.With {
		given[row.Key.Text] = true
	}
	for _, name := range sortedKeys(op.Bound) {
		if given[name] || !op.Bound[name] {
			continue
		}
		at := step.Spec.Send
		if step.Action == ActCall {
			at = step.Spec.Call
		}
		f := b.dec.Errorf(spec.CodeUnknown, at.Span(), "%s needs a value for {%s}", op.Ref(), name)
		f.Hint = "add with: {" + name + ": ...}"
		f.Row = step.ID
	}
}

// emit compiles emit.
func (b *pipelineBuilder) emit(step *Step, at cell.Context, mapped *Mapping) {
	step.Action = ActEmit
	step.Event = b.schemaRef(b.dec, step.Spec.Emit)
	step.With = b.rows(b.dec, "with of "+step.ID, at.As("with"), step.Spec.With, step.Event)
	if step.Event != nil {
		b.uses = append(b.uses, step.Event.Digest)
		if mapped != nil && mapped.Output != nil && mapped.Output != step.Event {
			b.dec.Warnf(CodeTarget, step.Spec.Map.Span(), "the mapping makes %s, but %s is emitted", mapped.Output.Name, step.Event.Name)
		}
	}
}

// mappingRef resolves the name of a mapping.
func (b *pipelineBuilder) mappingRef(ref spec.Text) *Mapping {
	m := b.ws.Mappings[ref.Value]
	if m == nil {
		m = b.ws.Mappings["std/"+ref.Value]
	}
	if m == nil {
		b.dec.Unknown(ref.Node, "mapping", sortedKeys(b.ws.Mappings))
		return nil
	}
	b.uses = append(b.uses, m.Digest)
	node := b.named["mapping"][m.Name].node
	b.original = b.original || mentions(node, "original") || m.Spec.Program.Set()
	b.meta = b.meta || mentions(node, "meta") || m.Spec.Program.Set()
	b.run = b.run || mentions(node, "run") || m.Spec.Program.Set()
	return m
}

// mentions reports whether a word stands in any text below n.
func mentions(n *ast.Node, word string) bool {
	if n.Kind == ast.Scalar {
		return strings.Contains(n.Text, word)
	}
	for _, p := range n.Pairs {
		if mentions(p.Value, word) {
			return true
		}
	}
	for _, item := range n.Items {
		if mentions(item, word) {
			return true
		}
	}
	return false
}
