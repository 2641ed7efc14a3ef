package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"crossdock/dsl/compile"
)

// chart writes one Mermaid flowchart.
type chart struct {
	b     strings.Builder
	ids   map[string]string // what a node stands for -> its id
	lines []string          // edges, behind all nodes
}

func newChart(direction string) *chart {
	c := &chart{ids: map[string]string{}}
	fmt.Fprintf(&c.b, "flowchart %s\n", direction)
	return c
}

// node returns the id of a node, which is written the first time. shape is the
// pair of brackets around its label.
func (c *chart) node(key, open, label, shut string) string {
	if id, ok := c.ids[key]; ok {
		return id
	}
	id := fmt.Sprintf("n%d", len(c.ids)+1)
	c.ids[key] = id
	fmt.Fprintf(&c.b, "  %s%s\"%s\"%s\n", id, open, label1(label), shut)
	return id
}

func (c *chart) edge(from, to, label string) {
	line := "  " + from + " --> " + to
	if label != "" {
		line = fmt.Sprintf("  %s -- \"%s\" --> %s", from, label1(label), to)
	}
	c.add(line)
}

func (c *chart) dotted(from, to, label string) {
	line := "  " + from + " -.-> " + to
	if label != "" {
		line = fmt.Sprintf("  %s -. \"%s\" .-> %s", from, label1(label), to)
	}
	c.add(line)
}

func (c *chart) add(line string) {
	if !slices.Contains(c.lines, line) {
		c.lines = append(c.lines, line)
	}
}

func (c *chart) String() string { return c.b.String() + strings.Join(c.lines, "\n") + "\n" }

// label1 makes a text safe inside the quotes of a label: entities for all that
// means something to Mermaid, Markdown or HTML.
func label1(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		switch {
		case strings.ContainsRune("\"#;<>&`*_~|{}[]()\\", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	// A label such as "1. x" or "- x" would be read as a list.
	if out := b.String(); out != "" {
		return out
	}
	return " "
}

// pipelineChart draws a pipeline: trigger, steps, routes, targets.
func (c *Catalogue) pipelineChart(p *compile.Pipeline) string {
	d := newChart("TD")
	start := d.node("trigger", "([", triggerWords(p), "])")
	from, label := start, ""
	if p.When != nil {
		gate := d.node("when", "{{", "only where "+exprWords(p.When.Source()), "}}")
		d.edge(from, gate, "")
		from = gate
	}
	if p.Split != nil {
		split := d.node("split", "[/", "each item of "+p.Split.Source(), "/]")
		d.edge(from, split, "")
		from = split
	}
	if len(p.Steps) > 0 {
		c.draw(d, p.Steps[0], from, label)
	}
	return d.String()
}

// draw adds a step and all that follows it.
func (c *Catalogue) draw(d *chart, s *compile.Step, from, label string) {
	if s == nil {
		d.edge(from, d.node("end", "((", "done", "))"), label)
		return
	}
	_, drawn := d.ids["step "+s.ID]
	open, text, shut := stepWords(s)
	id := d.node("step "+s.ID, open, text, shut)
	d.edge(from, id, label)
	if drawn {
		return
	}
	if s.Target != "" {
		conn, _, _ := strings.Cut(s.Target, ".")
		d.dotted(id, d.node("connection "+conn, "[(", plainName(conn), ")]"), "")
	}
	if s.Event != nil {
		d.dotted(id, d.node("event "+s.Event.Name, ">", "event "+plainName(s.Event.Name), "]"), "")
	}
	if len(s.OnFail) > 0 {
		d.dotted(id, c.failure(d, s.OnFail[0]), "when it has failed for good")
	}
	switch {
	case s.Route != nil:
		for _, r := range s.Route.Rules {
			c.draw(d, r.To, id, r.Name)
		}
		c.draw(d, s.Route.Otherwise, id, "otherwise")
	case s.Action == compile.ActDeadLetter || s.Action == compile.ActIgnore:
	case s.Next != nil:
		c.draw(d, s.Next, id, "")
	}
}

// failure draws the steps of on_fail and returns the first one.
func (c *Catalogue) failure(d *chart, s *compile.Step) string {
	open, text, shut := stepWords(s)
	id := d.node("step "+s.ID, open, text, shut)
	if s.Target != "" {
		conn, _, _ := strings.Cut(s.Target, ".")
		d.dotted(id, d.node("connection "+conn, "[(", plainName(conn), ")]"), "")
	}
	if s.Next != nil {
		d.edge(id, c.failure(d, s.Next), "")
	}
	return id
}

// stepWords say what a step does, and how it is drawn.
func stepWords(s *compile.Step) (open, text, shut string) {
	with := ""
	if s.Spec.Map.Set() && s.Action != compile.ActMap {
		with = ", made by " + s.Spec.Map.Value
	}
	switch s.Action {
	case compile.ActMap:
		return "[", "map " + s.Spec.Map.Value, "]"
	case compile.ActWhen:
		return "{{", "only where " + exprWords(s.When.Source()), "}}"
	case compile.ActSplit:
		return "[/", "each item of " + s.Split.Source(), "/]"
	case compile.ActRoute:
		if s.Route.Every {
			return "{", "every rule that is true", "}"
		}
		return "{", "the first rule that is true", "}"
	case compile.ActSend:
		return "[", "send " + plainName(s.Target) + with, "]"
	case compile.ActCall:
		return "[", "ask " + plainName(s.Target) + with, "]"
	case compile.ActEmit:
		return "[", "tell " + plainName(s.Event.Name) + with, "]"
	case compile.ActDeadLetter:
		return "([", "dead letter: " + s.Text, "])"
	}
	return "([", "nothing to do", "])"
}

// triggerWords say what starts a pipeline.
func triggerWords(p *compile.Pipeline) string {
	t := &p.Trigger
	switch {
	case t.HTTP != nil:
		method := t.HTTP.Method.Value
		if method == "" {
			method = "POST"
		}
		return "webhook " + method + " " + t.HTTP.Path.Value
	case t.Schedule != nil:
		return "at " + t.Schedule.Cron.Value + " (" + t.Zone + ")"
	case t.Files != nil:
		return "files " + t.Files.Path.Value + " of " + plainName(t.Files.Connection.Value)
	case t.Poll != nil:
		return "asks " + plainName(t.Poll.Call.Value) + " again and again"
	}
	return "event " + strings.Join(t.Events, ", ")
}

// stepsOf are all steps of a pipeline in the order of their ids.
func stepsOf(p *compile.Pipeline) []*compile.Step {
	var out []*compile.Step
	for _, id := range slices.Sorted(maps.Keys(p.ByID)) {
		out = append(out, p.ByID[id])
	}
	return out
}

// map of the whole workspace: what comes in, which pipeline, which events, what
// is reached.
func (c *Catalogue) eventMap() string {
	d := newChart("LR")
	for _, p := range c.pipelines {
		id := d.node("pipeline "+p.Name, "[", plainName(p.Name), "]")
		switch t := &p.Trigger; {
		case t.HTTP != nil, t.Schedule != nil:
			d.edge(d.node("trigger "+p.Name, "([", triggerWords(p), "])"), id, "")
		case t.Files != nil:
			d.edge(d.node("connection "+plainName(t.Files.Connection.Value), "[(", plainName(t.Files.Connection.Value), ")]"), id, "files")
		case t.Poll != nil:
			conn, op, _ := strings.Cut(plainName(t.Poll.Call.Value), ".")
			d.edge(d.node("connection "+conn, "[(", conn, ")]"), id, op)
		}
	}
	for _, p := range c.pipelines {
		id := d.ids["pipeline "+p.Name]
		for _, s := range stepsOf(p) {
			if conn, op, ok := strings.Cut(plainName(s.Target), "."); ok {
				d.dotted(id, d.node("connection "+conn, "[(", conn, ")]"), op)
			}
			if s.Event != nil {
				d.edge(id, d.node("event "+s.Event.Name, ">", plainName(s.Event.Name), "]"), "")
			}
		}
	}
	for _, e := range c.events() {
		node, drawn := d.ids["event "+e.schema.Name]
		for _, p := range e.heard {
			if !drawn {
				node = d.node("event "+e.schema.Name, ">", plainName(e.schema.Name), "]")
				drawn = true
			}
			d.edge(node, d.ids["pipeline "+p.Name], "")
		}
	}
	return d.String()
}

// event is a schema that is emitted or heard.
type event struct {
	schema         *compile.Schema
	names          []string // under which it is heard; none where they are computed
	emitted, heard []*compile.Pipeline
}

func (c *Catalogue) events() []event {
	var out []event
	for _, s := range c.schemas {
		e := event{schema: s}
		e.names, _ = s.EventNames()
		for _, p := range c.pipelines {
			if slices.ContainsFunc(stepsOf(p), func(st *compile.Step) bool { return st.Event == s }) {
				e.emitted = append(e.emitted, p)
			}
			if slices.ContainsFunc(p.Trigger.Events, func(n string) bool { return slices.Contains(e.names, n) }) {
				e.heard = append(e.heard, p)
			}
		}
		if len(e.emitted)+len(e.heard) > 0 {
			out = append(out, e)
		}
	}
	// A schema that nobody tells may have the name of an event by chance: it counts
	// only where nothing else is told under that name.
	told := map[string]bool{}
	for _, e := range out {
		for _, n := range e.names {
			told[n] = told[n] || len(e.emitted) > 0
		}
	}
	return slices.DeleteFunc(out, func(e event) bool {
		return len(e.emitted) == 0 && slices.ContainsFunc(e.names, func(n string) bool { return told[n] })
	})
}
