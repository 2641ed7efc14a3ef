package compile

import (
	"slices"
	"strings"
	"time"

	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/lookup"
	"crossdock/dsl/spec"
)

// Alert is a receiver of alerts.
type Alert struct {
	Name     string
	Pipeline *Pipeline // AlertPrefix and the name: one effect, delivered as that of any pipeline
	On       []string  // the conditions it hears of
	Boxes    []string  // whose dead letters it hears of, sorted; nil = all
	Letters  int
	Within   time.Duration
	Lag      time.Duration
	Wait     time.Duration
	Repeat   time.Duration
}

// Hears reports whether the alert is told of a condition.
func (a *Alert) Hears(condition string) bool { return slices.Contains(a.On, condition) }

// The conditions of alerts.
const (
	OnDeadLetter = "dead_letter"
	OnLag        = "lag"
	OnBreaker    = "breaker"
	OnDrift      = "drift"
	OnReload     = "reload"
	OnSource     = "source"
)

var conditions = []string{OnDeadLetter, OnLag, OnBreaker, OnDrift, OnReload, OnSource}

const (
	// AlertPrefix begins the names of the pipelines that deliver alerts.
	AlertPrefix = "alerts/"
	// AlertKind is their kind.
	AlertKind = "alert"
	// AlertBox is where alerts go that cannot be delivered. Nobody is told of it.
	AlertBox = "alerts"
)

// alerts compiles the receivers of alerts.
func (b *builder) alerts() {
	b.ws.Alerts = map[string]*Alert{}
	defs := b.defs["crossdock"]
	if len(defs) == 0 || len(b.ws.Spec.Alerts) == 0 {
		return
	}
	inner := *b
	inner.diags = nil
	t := tables{byName: map[string]*lookup.Table{}, find: inner.findTable}
	inner.cells = &cell.Compiler{Diags: &inner.diags, Lookup: t.get, Tables: b.tableNames}
	for i := range b.ws.Spec.Alerts {
		inner.alert(defs[0], b.ws.Spec.Alerts[i].Key.Text, &b.ws.Spec.Alerts[i].Value)
	}
	b.diags.Add(inner.diags...)
	b.boxes()
}

func (b *builder) alert(d *definition, name string, s *spec.Alert) {
	dec := b.configured(d)
	if s.Node == nil || !s.Send.Set() {
		return // what is missing is said
	}
	a := &Alert{Name: name, Letters: max(s.Letters, 1), Within: s.Within.Or(5 * time.Minute), Lag: s.Lag.Or(15 * time.Minute),
		Wait: s.Wait.Or(30 * time.Second), Repeat: s.Repeat.Or(4 * time.Hour)}
	for _, on := range s.On {
		if !contains(conditions, on.Value) {
			dec.Unknown(on.Node, "condition of alerts", conditions)
			continue
		}
		a.On = append(a.On, on.Value)
	}
	for _, only := range []struct {
		key string
		on  []string
	}{{"lag", []string{OnLag}}, {"dead_letters", []string{OnDeadLetter}}, {"within", []string{OnDeadLetter}}} {
		if p := s.Node.Pair(only.key); p != nil && len(s.On) > 0 && len(a.On) == len(s.On) && !contains(a.On, only.on[0]) {
			dec.Errorf(spec.CodeUnknown, p.Key.Span, "`%s` has no effect: this receiver does not hear of it", only.key).
				Hint = "add `" + only.on[0] + "` to `on`, or remove it"
		}
	}
	p := &Pipeline{Definition: Definition{Kind: AlertKind, Name: AlertPrefix + name, Digest: meaning(s.Node), File: d.File},
		Spec: &spec.Pipeline{}, ByID: map[string]*Step{}, ReadsOriginal: true, ReadsMeta: true, ReadsRun: true}
	p.Spec.Steps = []spec.Step{{Node: s.Node, StepOptions: spec.StepOptions{Send: s.Send, Map: s.Map, With: s.With}}}
	policy := *b.effective(dec, s.Policy, standard())
	policy.Box, policy.Alert = AlertBox, ""
	p.Policy = &policy
	pb := &pipelineBuilder{builder: b, dec: dec, p: p, base: &policy, results: map[string]cell.Shape{}, ran: map[string]bool{}}
	pb.at = cell.Context{Kind: d.Kind, Name: d.Name, File: d.File.Path}
	before := len(b.cells.Cells)
	p.Steps = pb.steps(p.Spec.Steps, "", nil, pb.at.Shape)
	for _, c := range b.cells.Cells[before:] {
		b.alertFields(dec, c)
	}
	if other := b.ws.Pipelines[p.Name]; other != nil {
		dec.Errorf(spec.CodeUnknown, s.Node.Span, "a pipeline has the name `%s`, which belongs to this alert", p.Name).Hint = "rename the pipeline"
		return
	}
	a.Pipeline = p
	b.ws.Alerts[name] = a
	b.ws.Pipelines[p.Name] = p
}

// alertFields are those of an alert as its cells read it.
var alertFields = []string{"alert", "workspace", "environment", "status", "summary", "at", "count", "items"}

// itemFields are those of each of its items.
var itemFields = []string{"status", "condition", "subject", "summary", "since", "count"}

// alertFields reports fields that no alert has.
func (b *builder) alertFields(dec *spec.Decoder, c *cell.Cell) {
	if c.JQ == nil {
		return
	}
	for _, path := range c.JQ.Paths() {
		known := alertFields
		for i, seg := range path.Segments {
			if path.Var != "" || seg.Step != jq.Field || i > 0 && !contains(known, path.Segments[0].Name) {
				if i == 1 && path.Var == "" && path.Segments[0].Name == "items" {
					known = itemFields
					continue
				}
				break
			}
			if contains(known, seg.Name) {
				if i > 0 {
					break
				}
				continue
			}
			f := dec.Errorf("XD2101", c.Node.Range(seg.From, seg.To), "an alert has no field `%s`", seg.Name)
			f.Short, f.Hint, f.Source = diag.DidYouMean(seg.Name, known), "you can use: "+strings.Join(known, ", "), c.Node.Text
			break
		}
	}
}

// boxes tells each alert whose dead letters it hears of.
func (b *builder) boxes() {
	named := map[string][]string{}
	note := func(p *Policy) {
		if p != nil && p.Alert != "" && !contains(named[p.Alert], p.Box) {
			named[p.Alert] = append(named[p.Alert], p.Box)
		}
	}
	for _, p := range b.ws.Policies {
		note(p)
	}
	for _, p := range b.ws.Pipelines {
		note(p.Policy)
		for _, s := range p.ByID {
			note(s.Policy)
		}
	}
	for _, a := range b.ws.Alerts {
		boxes := named[a.Name]
		slices.Sort(boxes)
		switch {
		case len(a.On) > 0 && a.Hears(OnDeadLetter):
		case boxes != nil:
			a.Boxes = boxes
			a.On = append(a.On, OnDeadLetter)
		case len(a.On) == 0:
			a.On = slices.Clone(conditions)
		}
	}
}
