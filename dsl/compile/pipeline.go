package compile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/spec"
)

// CodeFlow is the code of steps that can never run as written.
const CodeFlow diag.Code = "XD3103"

// CodeLost is the code of required fields that nothing gives.
const CodeLost diag.Code = "XD2103"

// pipelines compiles every pipeline and the event bus between them.
func (b *builder) pipelines() {
	top := standard()
	if p := b.ws.Policies[b.ws.Spec.Defaults.Policy.Value]; p != nil {
		top = p
	} else if p := b.ws.Policies["standard"]; p != nil && !b.ws.Spec.Defaults.Policy.Set() {
		top = p
	}
	units := b.compileAll("pipeline", func(b *builder, d *definition) { b.pipeline(d, top) })
	for _, u := range units {
		p := u.Pipeline
		b.ws.Pipelines[p.Name] = p
		for _, name := range p.Trigger.Events {
			b.ws.Listeners[name] = append(b.ws.Listeners[name], p)
		}
	}
	b.take(units)
	for _, l := range b.ws.Listeners {
		sort.Slice(l, func(i, j int) bool { return l[i].Name < l[j].Name })
	}
}

// pipeline compiles one; top is the policy under its own.
func (b *builder) pipeline(d *definition, top *Policy) {
	b.ask(base, "")
	p := &Pipeline{Definition: b.unit.Definition, Spec: &spec.Pipeline{}, ByID: map[string]*Step{}}
	dec := b.decoder(d)
	dec.Decode(d.node, p.Spec)
	for i := range p.Spec.Samples {
		b.nearby(d, &p.Spec.Samples[i])
	}
	pb := &pipelineBuilder{builder: b, dec: dec, p: p, base: b.effective(dec, p.Spec.Policy, top), results: map[string]cell.Shape{}, ran: map[string]bool{}}
	p.Policy = pb.base
	pb.at = cell.Context{Kind: "pipeline", Name: d.Name, File: d.File.Path, Shape: cell.Shape{Examples: d.examples(p.Spec.Samples)}}
	pb.trigger()
	if n := d.node.Get("key"); n != nil && n.Kind == ast.List && len(n.Items) == 0 {
		dec.Errorf(spec.CodeUnknown, n.Span, "`key` is empty").Hint = "name the data that identifies the work, such as key: [.orderNo, .revision]"
	}
	pb.identity()
	first := pb.steps(p.Spec.Steps, "", nil, pb.at.Shape)
	p.Steps = first
	b.samples(d.File.Path, p.Spec.Samples)
	p.Params = b.params
	if d.client != nil {
		pb.uses = append(pb.uses, d.Digest)
	}
	p.Digest = meaning(d.node, append(pb.uses, b.unit.surroundings()...)...)
	p.ReadsOriginal = pb.original || mentions(d.node, "original")
	p.ReadsMeta = pb.meta || mentions(d.node, "meta")
	p.ReadsRun = pb.run || mentions(d.node, "run")
	b.unit.Pipeline = p
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
	end      cell.Shape      // the payload behind the list of steps that was compiled last
	original bool            // a mapping may read $original
	meta     bool            // a mapping may read $meta
	run      bool            // a mapping may read $run
}

// accept resolves the contract of incoming payloads.
func (b *pipelineBuilder) accept() {
	b.p.Accept = b.schemaRef(b.dec, b.p.Spec.Accept)
	b.p.Hold = b.p.Spec.OnSchemaDrift.Value == "quarantine"
	if b.p.Accept == nil && b.p.Spec.Accept.Set() {
		b.at.Shape = cell.Shape{} // what it says counts, and cannot be read
	}
	if b.p.Accept != nil {
		b.at.Shape.Schema = b.p.Accept.Schema
		b.uses = append(b.uses, b.p.Accept.Digest)
	}
}

// identity compiles split, when, key, order_by and trace_by.
func (b *pipelineBuilder) identity() {
	s, p := b.p.Spec, b.p
	if !s.Split.Set() && (s.Trigger.Files == nil || s.Trigger.Files.Format.Value != "csv") { // a CSV file is {name, rows}
		b.firstRead()
	}
	b.at.VarShapes = map[string]cell.Shape{"original": b.at.Shape}
	p.When = b.cells.Rule(s.When, b.at.In("when").As("when")) // asked of the whole message
	p.Split = b.cells.JQ(s.Split, b.at.In("split").As("split"))
	if s.Split.Set() {
		whole := b.at
		b.at.Shape = partsOf(b.at, p.Split)
		b.firstRead()
		if !b.at.Shape.Set() {
			b.at.Shape = listedParts(whole, p.Split)
		}
	}
	for _, part := range s.Key {
		if k := b.cells.JQ(part, b.at.In("key").As("key")); k != nil {
			p.Key = append(p.Key, k)
		}
	}
	p.OrderBy = b.cells.JQ(s.OrderBy, b.at.In("order_by").As("order_by"))
	p.EventTime = b.cells.JQ(s.EventTime, b.at.In("event_time").As("event_time"))
	for _, t := range s.TraceBy {
		if c := b.cells.JQ(t.Value, b.at.In("trace_by "+t.Key.Text).As("trace_by")); c != nil {
			p.TraceBy = append(p.TraceBy, Trace{Type: t.Key.Text, Cell: c})
		}
	}
}

// partsOf is what is known of the parts into which a cell splits a payload: the
// place that it selects, or else what it makes of the samples of the payload.
// Results of steps are in no sample.
func partsOf(at cell.Context, split *jq.Program) cell.Shape {
	if split == nil {
		return cell.Shape{}
	}
	if s := at.Result(split); s.Set() {
		return s.Items()
	}
	if at.Shape.Examples == nil || slices.ContainsFunc(split.Paths(), besides) {
		return cell.Shape{}
	}
	return cell.Shape{Examples: &cell.Examples{Split: split, Of: at.Shape}}
}

// besides reports whether a path begins with what is in no sample.
func besides(p jq.Path) bool { return slices.Contains([]string{"steps", "vars", "meta", "run"}, p.Var) }

// listedParts is what a cell makes of a payload of which only a schema tells: where
// it decides nothing by the values, a document with all the fields shows it.
func listedParts(at cell.Context, split *jq.Program) cell.Shape {
	if split == nil || at.Shape.Known() == nil || deciding.MatchString(split.Source()) || slices.ContainsFunc(split.Paths(), besides) {
		return cell.Shape{}
	}
	return cell.Shape{Examples: &cell.Examples{Split: split, Of: cell.Shape{Schema: at.Shape.Schema, Path: at.Shape.Path}}}
}

// deciding is what makes a result depend on values, not only on fields.
var deciding = regexp.MustCompile(`\b(if|select|try|empty|error|test|match|capture|scan|split|fromjson|type|objects|arrays|strings|numbers|values|nulls|to_entries|from_entries|with_entries|group_by|unique_by|unique|reduce|foreach|limit|first|last|nth|until|while|recurse|walk|paths|getpath|setpath|del|delpaths|has|keys|in|def|label|lookup|input|range|index|indices|any|all|contains|inside)\b|\?|//|==|!=|[<>]|\)\s*:|\.\.|\[[^\]]*[:$\d][^\]]*\]`)

// firstRead lets the samples of the first mapping show what comes in, where
// nothing else says it.
func (b *pipelineBuilder) firstRead() {
	steps := b.p.Spec.Steps
	if b.at.Shape.Schema != nil || b.at.Shape.Examples != nil || len(steps) == 0 || !steps[0].Map.Set() {
		return
	}
	for _, name := range b.candidates(steps[0].Map.Value) {
		if m := b.ask(aMapping, name).(*Mapping); m != nil {
			if m.File != nil && m.Spec != nil && len(m.Spec.Samples) > 0 && !m.unread() {
				b.at.Shape = cell.Shape{Examples: &cell.Examples{From: m.File.Path, Files: texts(m.Spec.Samples)}}
			}
			return
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
	b.end = shape
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
	step.Ran, step.Shape = at.Ran, shape
	step.Policy = b.effective(b.dec, s.Policy, b.base)
	step.As = s.As.Value
	b.modifiers(s)
	if first := b.ran[s.As.Value]; first && s.As.Set() {
		b.dec.Errorf(spec.CodeUnknown, s.As.Span(), "an earlier step has the name `%s` already", s.As.Value).Hint = "give every result a name of its own"
	}
	if s.As.Set() && !isVariable(s.As.Value) {
		f := b.dec.Errorf(spec.CodeUnknown, s.As.Span(), "`%s` cannot be used as $steps.%s", s.As.Value, s.As.Value)
		f.Hint = "use letters, digits and _, beginning with a letter"
		if name := variableOf(s.As.Value); name != "" {
			f.Short, step.As = "did you mean `"+name+"`?", name
		}
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
		shape = mapped.outputShape() // nothing is known where there is no such mapping
	case "when":
		step.Action, step.When = ActWhen, b.cells.Rule(s.When, at.As("when"))
	case "split":
		step.Action, step.Split = ActSplit, b.cells.JQ(s.Split, at.As("split"))
		if shape = partsOf(at, step.Split); !shape.Set() {
			shape = listedParts(at, step.Split)
		}
	case "route":
		step.Action = ActRoute
		shape = b.route(step, shape, prefix)
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
		results, ran := b.results, b.ran
		b.results, b.ran = maps.Clone(results), maps.Clone(at.Ran)
		delete(b.results, step.As)
		step.OnFail = b.steps(s.OnFail, step.ID+"/on_fail/", nil, at.Shape)
		b.results, b.ran = results, ran
	}
	return shape
}

// modifiers reports keys that mean nothing beside the action of a step.
func (b *pipelineBuilder) modifiers(s *spec.Step) {
	effect := s.Send.Set() || s.Call.Set() || s.Emit.Set()
	if s.Action() == "" || effect && !s.Emit.Set() {
		return
	}
	if n := 0; effect {
		for _, a := range spec.Actions {
			if a != "map" && s.Node.Pair(a) != nil {
				n++
			}
		}
		if n > 1 {
			return // which of them is meant is not known
		}
	}
	for _, key := range []string{"with", "as", "policy", "on_fail"} {
		p := s.Node.Pair(key)
		if p == nil || effect && key != "as" {
			continue
		}
		who := "send, call and emit"
		if key == "as" {
			who = "send and call"
		}
		b.dec.Errorf(spec.CodeUnknown, p.Key.Span, "`%s` belongs to %s", key, who).Hint = "remove it: `" + s.Action() + "` has nothing to do with it"
	}
}

func (m *Mapping) outputShape() cell.Shape {
	if m == nil {
		return cell.Shape{}
	}
	if m.Output == nil {
		return cell.Shape{Made: m.makes}
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
		if step.As != "" { // what is wrong with the operation is said; its answer is not missing too
			b.results[step.As], b.ran[step.As] = cell.Shape{}, true
		}
		return
	}
	if step.As != "" {
		b.results[step.As], b.ran[step.As] = op.answer, true
	}
	step.Target = b.targetOf(ref, op)
	b.checkPlaceholders(step, op)
	if op.Request != nil && mapped != nil && mapped.Output != nil && mapped.Output != op.Request {
		f := b.dec.Warnf(CodeTarget, s.Map.Span(), "the mapping makes %s, but %s takes %s", mapped.Output.Name, op.Ref(), op.Request.Name)
		f.Hint = "name the mapping that makes " + op.Request.Name + ", or let this one name `output: " + op.Request.Name + "`"
		f.Missing = MissingSent + b.p.Name + " " + mapped.Name
	}
}

// checkPlaceholders reports values an operation binds that nobody gives, and
// `with` rows nobody reads.
func (b *pipelineBuilder) checkPlaceholders(step *Step, op *Operation) {
	given := map[string]bool{}
	for _, row := range step.Spec.With {
		given[row.Key.Text] = true
	}
	at := step.Spec.Send
	if step.Action == ActCall {
		at = step.Spec.Call
	}
	unbound(b.dec, op, at, given, step.Spec.With)
}

// MissingValue begins what findings about a placeholder miss for which there is a
// value under another name; Unbound takes it apart.
const MissingValue = "with "

// Unbound returns the operation and the placeholder that a finding is about, and
// the names under which values are given that fill nothing.
func Unbound(missing string) (op, placeholder string, given []string) {
	words := strings.Fields(strings.TrimPrefix(missing, MissingValue))
	if len(words) != 3 {
		return "", "", nil
	}
	return words[1], words[2], strings.Split(words[0], ",")
}

// unbound reports placeholders of an operation for which there is no value. with are
// the rows that give values.
func unbound(dec *spec.Decoder, op *Operation, at spec.Text, given map[string]bool, with spec.Fields[spec.Row]) {
	for _, name := range sortedKeys(op.Bound) {
		if given[name] || !op.Bound[name] {
			continue
		}
		f := dec.Errorf(spec.CodeUnknown, at.Span(), "%s needs a value for {%s}", op.Ref(), name)
		f.Hint = "add with: {" + name + ": ...}"
		var spare []string // what is given and fills nothing
		for _, other := range sortedKeys(given) {
			if !op.Binds(other) {
				spare = append(spare, other)
			}
		}
		if len(spare) > 0 { // where all steps do the same, the placeholder is at fault
			f.Missing = MissingValue + strings.Join(spare, ",") + " " + op.Ref() + " " + name
		}
		for _, other := range sortedKeys(given) {
			if _, read := op.Bound[other]; !read && len(diag.Nearest(other, []string{name})) > 0 {
				f.Hint, f.Missing = "`"+other+"` looks like it: write `"+name+"`", MissingValue+other+" "+op.Ref()+" "+name
				for _, row := range with {
					if row.Key.Text == other {
						f.Span = row.Key.Span // there it is to be mended
					}
				}
			}
		}
	}
}

// emit compiles emit.
func (b *pipelineBuilder) emit(step *Step, at cell.Context, mapped *Mapping) {
	step.Action = ActEmit
	step.Event = b.schemaRef(b.dec, step.Spec.Emit)
	step.With = b.rows(b.dec, "with of "+step.ID, at.As("with"), step.Spec.With, step.Event)
	if step.Event != nil {
		b.emitted(step, at, mapped)
		b.uses = append(b.uses, step.Event.Digest)
		if mapped != nil && mapped.Output != nil && mapped.Output != step.Event {
			b.dec.Warnf(CodeTarget, step.Spec.Map.Span(), "the mapping makes %s, but %s is emitted", mapped.Output.Name, step.Event.Name)
		}
	}
}

// emitted reports fields that an event requires and that neither the payload
// has, as far as its contract is known, nor `with` adds.
func (b *pipelineBuilder) emitted(step *Step, at cell.Context, mapped *Mapping) {
	shape := at.Shape
	if step.Spec.Map.Set() {
		shape = mapped.outputShape() // nothing is known where there is no such mapping
	}
	if shape.Schema == nil && shape.Made == nil || len(shape.Path) > 0 || step.Event.Schema == nil || shape.Schema == step.Event.Schema {
		return
	}
	known := shape.Known()
	if shape.Schema == nil {
		if shape.Made.Shown {
			return // an answer may have more than what is written of it
		}
		known = shape.Made.Shape
	}
	have := known.Names()
	for _, row := range step.Spec.With {
		name, _, _ := strings.Cut(row.Key.Text, ".")
		have = append(have, name)
	}
	for _, name := range step.Event.Schema.Children(nil) {
		f, ok := step.Event.Schema.Lookup([]string{name})
		if !ok || !f.Shape.Required || contains(have, name) {
			continue
		}
		d := b.dec.Errorf(CodeLost, step.Spec.Emit.Span(), "%s requires `%s`, but neither the payload nor `with` has it", step.Event.Name, name)
		d.Hint = "add it: with: {" + name + ": ...}"
	}
}

// mappingRef resolves the name of a mapping.
func (b *pipelineBuilder) mappingRef(ref spec.Text) *Mapping {
	var m *Mapping
	for _, name := range b.candidates(ref.Value) {
		if m = b.ask(aMapping, name).(*Mapping); m != nil {
			break
		}
	}
	if m == nil {
		b.dec.Unknown(ref.Node, "mapping", b.knownNames("mapping"))
		return nil
	}
	b.uses = append(b.uses, m.Digest)
	b.original, b.meta, b.run = b.original || m.readsOriginal, b.meta || m.readsMeta, b.run || m.readsRun
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
