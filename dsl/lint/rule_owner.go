package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// owner is a system that a schema names.
type owner struct {
	name string
	at   diag.Span
}

// ownersNamed notes the systems that a schema names.
func ownersNamed(p *pass) {
	s := p.unit.Schema
	if s == nil || p.unit.Std || s.Spec.Fields == nil {
		return
	}
	note := func(n *ast.Node) { p.result.owners = append(p.result.owners, owner{n.Text, n.Span}) }
	for _, f := range s.Spec.Fields.Pairs {
		o := f.Value.Get("owner")
		switch {
		case o == nil:
		case o.Kind == ast.Scalar:
			note(o)
		default:
			for _, state := range o.Pairs {
				note(state.Value)
			}
		}
	}
}

// ownership reports rows that write what another system owns (XD4110).
func ownership(p *pass) {
	named := false
	systems := p.systems()
	for _, u := range p.ws.Units {
		for _, o := range p.judged[u].owners {
			named = true
			if near := diag.Nearest(o.name, systems); len(o.name) > len("wms") && len(near) > 0 && !slices.Contains(systems, o.name) {
				p.about(diag.Diagnostic{Code: spec.CodeUnknown, Span: o.at, Kind: "schema", Name: u.Name, Source: o.name,
					Message: "no connection and no pipeline belongs to the system `" + o.name + "`", Hint: "systems of this workspace: " + listed(systems, 20),
					Short: "did you mean `" + near[0] + "`?", Fixes: replace(o.at, near[0])})
			}
		}
	}
	if !named {
		return
	}
	gives := map[string][]given{}
	for _, u := range p.ws.Units {
		if u.Mapping != nil || u.Pipeline != nil {
			gives[u.Kind+" "+u.Name] = p.judged[u].gives
		}
	}
	for _, pl := range p.pipelines() {
		w := &writer{p: p, pl: pl, gives: gives, seen: map[*compile.Step]bool{}}
		w.start = p.speakers(pl, nil)
		if len(pl.Steps) > 0 {
			w.walk(pl.Steps[0], nil)
		}
	}
}

// systems returns the names of all systems that take part.
func (p *pass) systems() []string {
	all := map[string]bool{}
	for _, c := range p.ws.Connections {
		all[system(c)] = true
	}
	for _, pl := range p.pipelines() {
		if pl.Spec.System.Set() {
			all[pl.Spec.System.Value] = true
		}
	}
	return sortedKeys(all)
}

// system is the system that a connection leads to.
func system(c *compile.Connection) string {
	if c.Spec != nil && c.Spec.System.Set() {
		return c.Spec.System.Value
	}
	return strings.TrimPrefix(c.Name, c.Client+"/")
}

// speakers returns the systems whose data starts runs of a pipeline; nil where
// nobody says. above are the pipelines that wait for the answer.
func (p *pass) speakers(pl *compile.Pipeline, above []*compile.Pipeline) []string {
	t := pl.Trigger
	connection := ""
	switch {
	case pl.Spec != nil && pl.Spec.System.Set():
		return []string{pl.Spec.System.Value}
	case t.Poll != nil:
		connection, _, _ = strings.Cut(p.ws.Ref(pl.Client, t.Poll.Call.Value), ".")
	case t.Files != nil:
		connection = t.Files.Connection.Value
	case len(t.Events) > 0 && !slices.Contains(above, pl):
		var out []string
		for _, name := range sortedKeys(p.ws.Pipelines) {
			other := p.ws.Pipelines[name]
			if other.Client != "" && other.Client != pl.Client || !emits(other, t.Events) {
				continue
			}
			more := p.speakers(other, append(above, pl))
			if more == nil {
				return nil
			}
			out = append(out, more...)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	c := p.ws.Connections[pl.Client+"/"+connection]
	if c == nil {
		c = p.ws.Connections[connection]
	}
	if c != nil {
		return []string{system(c)}
	}
	return nil
}

// emits reports whether a pipeline may emit one of the events.
func emits(pl *compile.Pipeline, events []string) bool {
	return slices.ContainsFunc(effects(pl), func(s *compile.Step) bool { return says(s.Event, events) })
}

// says reports whether an event of a schema may have one of the names.
func says(event *compile.Schema, names []string) bool {
	if event == nil {
		return false
	}
	its, known := event.EventNames()
	return !known || slices.ContainsFunc(its, func(n string) bool { return slices.Contains(names, n) })
}

// writer follows one pipeline and looks at what it writes.
type writer struct {
	p     *pass
	pl    *compile.Pipeline
	gives map[string][]given
	start []string // the systems that start it
	seen  map[*compile.Step]bool
}

// walk goes through the steps from s on; made are the mappings that made the
// payload, the last one at the end.
func (w *writer) walk(s *compile.Step, made []string) {
	for ; s != nil && !w.seen[s]; s = s.Next {
		w.seen[s] = true
		mine := made
		if s.Map != nil {
			mine = append(made[:len(made):len(made)], s.Map.Name)
		}
		w.write(s, made, mine)
		if s.Action == compile.ActMap {
			made = mine
		}
		for _, r := range routes(s) {
			w.walk(r, made)
		}
		if len(s.OnFail) > 0 {
			w.walk(s.OnFail[0], made)
		}
	}
}

// routes are the first steps of the ways on from a route.
func routes(s *compile.Step) []*compile.Step {
	if s.Route == nil {
		return nil
	}
	var out []*compile.Step
	for _, r := range s.Route.Rules {
		out = append(out, r.To)
	}
	return append(out, s.Route.Otherwise)
}

// write judges what one step writes: what its own mapping makes, the last of
// made, and the rows of its `with`, which see the payload in front of the step.
func (w *writer) write(s *compile.Step, before, made []string) {
	var to *compile.Schema
	where := s.Spec.Emit
	switch op := w.p.ws.Operation(s.Target); {
	case s.Action == compile.ActEmit:
		to = s.Event
	case op != nil && s.Action.Effect() && op.Own != nil && !w.p.Catalog.ReadOnly(op):
		to, where = op.Request, target(s)
	}
	if to == nil && len(made) > 0 && where.Set() {
		if m := w.p.ws.Mappings[made[len(made)-1]]; m != nil {
			to = m.Output
		}
	}
	if to == nil || to.Schema == nil {
		return
	}
	if n := len(made); n > 0 {
		for _, g := range w.gives["mapping "+made[n-1]] {
			w.judge(to, g, made, where)
		}
	}
	for _, g := range w.gives["pipeline "+w.pl.Name] {
		if g.step == s.ID {
			w.judge(to, g, append(before[:len(before):len(before)], ""), where)
		}
	}
}

// judge reports a value that its owner did not give. made are the mappings of
// its row and of those in front of it.
func (w *writer) judge(to *compile.Schema, g given, made []string, where spec.Text) {
	owner, state := ownerOf(to.Schema.Shape(), g)
	if owner == "" {
		return
	}
	var from []string
	for _, o := range g.from {
		systems := w.origin(o, made[:len(made)-1])
		if systems == nil || slices.Contains(systems, owner) {
			return
		}
		from = append(from, systems...)
	}
	slices.Sort(from)
	from = slices.Compact(from)
	name := schema.Join(g.path)
	d := diag.Diagnostic{Code: codeOwner, Span: g.at, Kind: "pipeline", Name: w.pl.Name, Row: g.row, Source: g.row,
		Message: fmt.Sprintf("`%s` of %s belongs to %s, but here it comes from %s", name, to.Name, owner, strings.Join(from, " and ")),
		Hint:    "leave the row out, or take the value from " + owner + "; where the exception is meant, write `# crossdock-ignore XD4110 why` above the row",
		Related: []diag.Related{{Span: where.Span(), Message: "pipeline " + w.pl.Name + " writes it"}}}
	if state != "" {
		d.Message = fmt.Sprintf("only %s makes `%s` of %s %s, but here %s does", owner, name, to.Name, state, strings.Join(from, " and "))
	}
	if span, ok := to.Schema.Span(g.path); ok && own(span.File) {
		d.Related = append(d.Related, diag.Related{Span: span, Message: "the owner is declared here"})
	}
	w.p.about(d)
}

// origin returns the systems that a value comes from, nil where nobody knows.
func (w *writer) origin(o origin, made []string) []string {
	if o.step != "" {
		for _, id := range sortedKeys(w.pl.ByID) {
			if s := w.pl.ByID[id]; s.As == o.step {
				if op := w.p.ws.Operation(s.Target); op != nil && w.p.ws.Connections[op.Connection] != nil {
					return []string{system(w.p.ws.Connections[op.Connection])}
				}
			}
		}
		return nil
	}
	if n := len(made); n > 0 {
		return w.through(o, made)
	}
	// What an event says of a field with an owner was judged where it was emitted.
	if event := w.p.heardSchema(w.pl); event != nil && event.Schema != nil {
		if owner, _ := ownerOf(event.Schema.Shape(), given{path: o.path}); owner != "" {
			return []string{owner}
		}
	}
	return w.start
}

// heardSchema is the contract of the events that start a pipeline, nil where
// nothing or several are emitted under their names.
func (p *pass) heardSchema(pl *compile.Pipeline) *compile.Schema {
	if len(pl.Trigger.Events) == 0 {
		return nil // what another system says of a field is its own copy
	}
	if pl.Accept != nil {
		return pl.Accept
	}
	var found *compile.Schema
	for _, other := range p.ws.Pipelines {
		for _, s := range effects(other) {
			if s.Event == found || !says(s.Event, pl.Trigger.Events) {
				continue
			}
			if found != nil {
				return nil
			}
			found = s.Event
		}
	}
	return found
}

// through returns the systems of a value that an earlier mapping made.
func (w *writer) through(o origin, made []string) []string {
	n := len(made)
	for _, g := range w.gives["mapping "+made[n-1]] {
		if len(o.path) == 0 || !slices.Equal(g.path, o.path) {
			continue
		}
		var out []string
		for _, from := range g.from {
			more := w.origin(from, made[:n-1])
			if more == nil {
				return nil
			}
			out = append(out, more...)
		}
		return out
	}
	return nil
}

// ownerOf returns the system that owns what a row writes, and the state of
// which that is true, "" where it is the whole field.
func ownerOf(shape *value.Shape, g given) (owner, state string) {
	for _, name := range append([]string{""}, g.path...) {
		if name != "" && shape != nil {
			if name == value.Items {
				shape = shape.Item
			} else {
				shape = shape.Fields[name]
			}
		}
		if shape == nil {
			return owner, ""
		}
		if shape.Owner != "" {
			owner = shape.Owner
		}
	}
	if shape.Owners == nil || len(g.states) == 0 {
		return owner, ""
	}
	owner, state = shape.Owners[g.states[0]], g.states[0]
	for _, s := range g.states[1:] {
		if shape.Owners[s] != owner {
			return "", "" // the states that it can be have several owners
		}
	}
	if len(g.states) > 1 {
		state = "one of " + strings.Join(g.states, ", ")
	}
	return owner, state
}
