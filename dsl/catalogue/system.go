package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/compile"
)

// pipelinePage is a pipeline with its diagram.
func (c *Catalogue) pipelinePage(x *compile.Pipeline) []byte {
	p := newPage("Pipeline "+escape(plainName(x.Name)), "../")
	p.prose(x.Spec.Description.Value)
	p.chart(c.pipelineChart(x))
	var rows [][]string
	fact := func(name, text string) {
		if text != "" {
			rows = append(rows, []string{name, text})
		}
	}
	fact("Starts with", escape(triggerWords(x)))
	if x.Accept != nil {
		refused := "others are refused"
		if x.Hold {
			refused = "others are held until somebody has looked"
		}
		fact("Takes", p.link("schemas", x.Accept.Name)+"; "+refused)
	}
	var key []string
	for _, k := range x.Key {
		key = append(key, k.Source())
	}
	if len(key) > 0 {
		fact("Is the same message when", codes1(key)+" are equal; it is then worked on once")
	}
	if x.OrderBy != nil {
		fact("Keeps the order of messages with the same", code(x.OrderBy.Source()))
	}
	var traces []string
	for _, t := range x.TraceBy {
		traces = append(traces, t.Type)
	}
	fact("Is found by", codes1(traces))
	if pol := x.Policy; pol != nil {
		fact("Policy", escape(policyWords(pol)))
	}
	p.table([]string{"", ""}, rows)
	rows = nil
	for _, s := range stepsOf(x) {
		if m := c.mapping(s); m != nil {
			rows = append(rows, []string{code(s.ID), "mapping " + p.link("mappings", m.Name)})
		}
		if conn := c.connectionOf(s.Target); conn != nil {
			rows = append(rows, []string{code(s.ID), "system " + p.link("connections", conn.Name)})
		}
		if s.Event != nil {
			rows = append(rows, []string{code(s.ID), "event " + p.link("schemas", s.Event.Name)})
		}
	}
	if len(rows) > 0 {
		p.section("What its steps use")
		p.table([]string{"Step", "Uses"}, rows)
	}
	return p.bytes()
}

func (c *Catalogue) connectionOf(target string) *compile.Connection {
	conn, _, ok := strings.Cut(target, ".")
	if !ok {
		return nil
	}
	if n := c.ws.Connections[conn]; n != nil {
		return n
	}
	return c.ws.Connections["std/"+conn]
}

func policyWords(p *compile.Policy) string {
	priority := [...]string{"critical", "high", "normal", "low"}[p.Priority]
	parts := []string{fmt.Sprintf("priority %s; %d attempts", priority, p.Retry.Attempts)}
	if p.SLA > 0 {
		parts = append(parts, "delivery promised within "+days(p.SLA))
	}
	parts = append(parts, "a repetition is recognised for "+days(p.Remember), "what fails waits in the box "+p.Box+" for "+days(p.Keep))
	return strings.Join(parts, "; ")
}

// connectionPage is another system: what is asked of it and by whom. Addresses
// are shown as they are written, credentials never.
func (c *Catalogue) connectionPage(x *compile.Connection) []byte {
	p := newPage("System "+escape(plainName(x.Name)), "../")
	p.prose(x.Spec.Description.Value)
	var rows [][]string
	fact := func(name, text string) {
		if text != "" {
			rows = append(rows, []string{name, text})
		}
	}
	fact("Type", x.Type)
	fact("Address", code(harmless(c.setting(x, "base_url"))))
	fact("Folder", code(harmless(c.setting(x, "dir"))))
	if x.Rate.N > 0 {
		fact("At most", fmt.Sprintf("%d calls in %s", x.Rate.N, days(x.Rate.Per)))
	}
	if x.Quota.N > 0 {
		fact("Quota", fmt.Sprintf("%d calls per %s (%s)", x.Quota.N, x.Quota.Period, x.Quota.Zone))
	}
	for _, w := range x.Windows {
		fact("Closed", escape(fmt.Sprintf("%s: begins at %s (%s), lasts %s", w.Name, w.Cron, w.Zone, days(w.Lasts))))
	}
	p.table([]string{"", ""}, rows)
	p.section("Operations")
	rows = nil
	for _, name := range slices.Sorted(maps.Keys(x.Operations)) {
		o := x.Operations[name]
		var used []string
		for _, q := range c.pipelines {
			calls := slices.ContainsFunc(stepsOf(q), func(s *compile.Step) bool { return c.ws.Operation(s.Target) == o })
			polls := q.Trigger.Poll != nil && c.ws.Operation(q.Trigger.Poll.Call.Value) == o
			if calls || polls {
				used = append(used, p.link("pipelines", q.Name))
			}
		}
		schemas := ""
		if o.Request != nil {
			schemas = p.link("schemas", o.Request.Name)
		}
		answer := ""
		if o.Response != nil {
			answer = p.link("schemas", o.Response.Name)
		}
		rows = append(rows, []string{code(name), code(harmless(call(o))), schemas, answer, repeatWords(o), strings.Join(used, ", ")})
	}
	p.table([]string{"Operation", "Call", "Sends", "Answers", "When it is done twice", "Used by"}, rows)
	return p.bytes()
}

// setting is the text of a key of a connection as it is written; never a secret.
func (c *Catalogue) setting(x *compile.Connection, key string) string {
	if x.File == nil || x.File.Root == nil {
		return ""
	}
	n := x.File.Root.Get(key)
	if n == nil {
		return ""
	}
	return n.Text
}

// call says how an operation is called, as it is written.
func call(o *compile.Operation) string {
	for _, verb := range []string{"get", "post", "put", "patch", "delete", "head", "write", "append"} {
		if o.Spec.Node == nil {
			break
		}
		if n := o.Spec.Node.Get(verb); n != nil {
			return strings.ToUpper(verb) + " " + n.Text
		}
	}
	return ""
}

func repeatWords(o *compile.Operation) string {
	switch o.Repeat {
	case compile.RepeatSafe:
		return "nothing happens"
	case compile.RepeatKeyed:
		return "the system recognises its key"
	case compile.RepeatCheck:
		return "it is looked up first"
	}
	return "it must never be done twice"
}

// days writes a length of time in days where it is whole days.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
