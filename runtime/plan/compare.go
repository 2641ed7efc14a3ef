package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/value"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
)

// Difference is one way in which messages come to something else, with how many
// do.
type Difference struct {
	What     What   `json:"what"`
	Pipeline string `json:"pipeline,omitempty"`
	Target   string `json:"target,omitempty"` // connection.operation, event NAME or mapping NAME
	Step     string `json:"step,omitempty"`
	Place    string `json:"place,omitempty"` // body, query, header, path, method, address, form or with
	Field    string `json:"field,omitempty"` // lines[].weight
	// Protected says why nobody may change the value unseen; "" where anybody may.
	Protected string    `json:"protected,omitempty"`
	Count     int       `json:"count"` // messages that differ in it
	Of        int       `json:"of"`    // messages in which it could have differed
	Real      int       `json:"real"`  // of Count, messages of the running crossdock
	Examples  []Example `json:"examples,omitempty"`
}

// What is a kind of Difference.
type What string

// The kinds of differences.
const (
	InField   What = "field"   // another value is sent, emitted or mapped
	CallGone  What = "gone"    // a call or event is not made any more
	CallNew   What = "new"     // a call or event is made that was not
	InRoute   What = "route"   // other rules are chosen
	InOutcome What = "outcome" // it ends otherwise: delivered, filtered, dead or refused
	InKey     What = "key"     // it is another message now, for whoever remembers it
	InOrder   What = "order"   // it waits behind others than before
	InEffect  What = "effect"  // the other side sees another idempotency key
)

// Example is one message that differs.
type Example struct {
	Message string        `json:"message"` // its ID, the file of a sample, or the name of a case
	Origin  Origin        `json:"origin"`
	Refs    []message.Ref `json:"refs,omitempty"`
	Before  any           `json:"before"`
	After   any           `json:"after"`
	Lost    bool          `json:"lost,omitempty"`   // After is nothing at all, not null
	Gained  bool          `json:"gained,omitempty"` // Before is
}

// mostExamples bounds what is kept of one difference.
const mostExamples = 3

// comparison collects what differs.
type comparison struct {
	in       *Input
	old, new *player
	compared Compared
	byKey    map[string]*Difference
	order    []string
	calls    map[string]int // messages that make a call, by pipeline and target
	messages map[string]int // by pipeline or mapping

	protected *protection
}

func newComparison(in *Input) *comparison {
	return &comparison{in: in, old: newPlayer(&in.Old, in.Preview), new: newPlayer(&in.New, in.Preview), byKey: map[string]*Difference{},
		calls: map[string]int{}, messages: map[string]int{}, protected: newProtection(in.Old.WS, in.New.WS)}
}

// message runs one message through both sides and notes what differs.
func (c *comparison) message(ctx context.Context, m Message) {
	var a, b *trail
	if m.Mapping != "" {
		a, b = c.old.mapped(ctx, &m), c.new.mapped(ctx, &m)
	} else {
		a, b = c.old.play(ctx, &m), c.new.play(ctx, &m)
	}
	if !a.known || !b.known {
		return // what is new or gone has nothing to be compared with
	}
	switch m.Origin {
	case Real:
		c.compared.Real++
	case Sample:
		c.compared.Samples++
	default:
		c.compared.Tests++
	}
	c.messages[m.Pipeline+"\x00"+m.Mapping]++
	one := &collector{c: c, m: &m, seen: map[string]bool{}, veil: c.veil(&m, a, b)}
	one.refs = one.veil.refs(flow.Refs(m.In.Trace, a.refs))
	one.identity(a, b)
	one.routes(a, b)
	one.outcome(a, b)
	one.traffic(a, b)
	if len(one.seen) > 0 {
		c.compared.Differ++
	}
}

// collector notes the differences of one message.
type collector struct {
	c    *comparison
	m    *Message
	seen map[string]bool
	veil *veil
	refs []message.Ref
}

// note adds a difference; several of the same kind in one message count once.
func (o *collector) note(d Difference, x Example) {
	d.Pipeline = o.m.Pipeline
	key := strings.Join([]string{string(d.What), d.Pipeline, d.Target, d.Step, d.Place, d.Field}, "\x00")
	have := o.c.byKey[key]
	if have == nil {
		have = &d
		o.c.byKey[key] = have
		o.c.order = append(o.c.order, key)
	}
	if have.Protected == "" {
		have.Protected = d.Protected
	}
	if o.seen[key] {
		return
	}
	o.seen[key] = true
	have.Count++
	if o.m.Origin == Real {
		have.Real++
	}
	if len(have.Examples) < mostExamples {
		x.Message, x.Origin, x.Refs = o.m.ID, o.m.Origin, o.refs
		have.Examples = append(have.Examples, x)
	}
}

// list returns the differences, those of calls with how many messages make them.
func (c *comparison) list() []Difference {
	out := make([]Difference, 0, len(c.order))
	for _, key := range c.order {
		d := c.byKey[key]
		mapping, isMapping := strings.CutPrefix(d.Target, "mapping ")
		switch {
		case d.What == InField || d.What == InEffect || d.What == CallGone || d.What == CallNew:
			d.Of = max(c.calls[d.Pipeline+"\x00"+d.Target], d.Count)
		case isMapping && d.Pipeline == "":
			d.Of = c.messages["\x00"+mapping]
		default:
			d.Of = c.messages[d.Pipeline+"\x00"]
		}
		if !isMapping || !c.sentToo(mapping, d) {
			out = append(out, *d)
		}
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	return out
}

// sentToo reports whether what a mapping gives by itself is told already, by what
// a pipeline that uses it sends.
func (c *comparison) sentToo(mapping string, d *Difference) bool {
	for _, key := range c.order {
		o := c.byKey[key]
		if o.Pipeline == "" || o.What != d.What || o.Field != d.Field {
			continue
		}
		if p := c.in.New.WS.Pipelines[o.Pipeline]; p != nil && uses(p, mapping) {
			return true
		}
	}
	return false
}

func uses(p *compile.Pipeline, mapping string) bool {
	for _, s := range p.ByID {
		if s.Map != nil && s.Map.Name == mapping {
			return true
		}
	}
	return false
}

// sortKey puts what must be read first, then pipelines with their calls, then
// mappings by themselves.
func (d *Difference) sortKey() string {
	loud := "2"
	if d.What == InKey || d.What == InOrder {
		loud = "0"
	} else if d.What == InOutcome || d.What == CallGone || d.What == CallNew || d.What == InRoute {
		loud = "1"
	}
	alone := "0"
	if d.Pipeline == "" {
		alone = "1"
	}
	return strings.Join([]string{alone, d.Pipeline, loud, d.Target, d.Step, d.Place, d.Field, string(d.What)}, "\x00")
}

func (o *collector) identity(a, b *trail) {
	for i := range min(len(a.identity), len(b.identity)) {
		x, y := a.identity[i], b.identity[i]
		if x.key != y.key {
			o.note(Difference{What: InKey}, Example{Before: o.veil.text(x.key), After: o.veil.text(y.key)})
		}
		if x.order != y.order {
			o.note(Difference{What: InOrder}, Example{Before: o.veil.text(x.order), After: o.veil.text(y.order)})
		}
	}
}

func (o *collector) routes(a, b *trail) {
	before, after := strings.Join(a.routes, ", "), strings.Join(b.routes, ", ")
	if before != after {
		o.note(Difference{What: InRoute}, Example{Before: before, After: after})
	}
}

// outcome compares how a message ends. The words of a reason do not count: a
// rule that is written otherwise and says the same is no difference.
func (o *collector) outcome(a, b *trail) {
	before, after := a.outcome(), b.outcome()
	if before == after {
		return
	}
	d := Difference{What: InOutcome}
	if o.m.Mapping != "" {
		d.Target = "mapping " + o.m.Mapping
	}
	o.note(d, Example{Before: o.veil.text(a.told()), After: o.veil.text(b.told())})
}

// outcome is what counts of how a message ended.
func (t *trail) outcome() string {
	if t.refused != "" {
		return "refused"
	}
	var parts []string
	for _, e := range t.ends {
		parts = append(parts, e.kind+" "+e.place)
	}
	return strings.Join(parts, "\x00")
}

// told is the same for people.
func (t *trail) told() string {
	if t.refused != "" {
		return "refused (" + t.refused + ")"
	}
	count := map[string]int{}
	var names []string
	for _, e := range t.ends {
		text := describeEnd(e)
		if count[text]++; count[text] == 1 {
			names = append(names, text)
		}
	}
	for i, n := range names {
		if count[n] > 1 {
			names[i] = fmt.Sprintf("%d times %s", count[n], n)
		}
	}
	return strings.Join(names, ", ")
}

// traffic compares what leaves: calls and events.
func (o *collector) traffic(a, b *trail) {
	pairs, gone, fresh := match(a.calls, b.calls)
	made := map[string]bool{}
	for _, list := range [][]call{a.calls, b.calls} {
		for _, x := range list {
			made[x.target] = true
		}
	}
	for target := range made {
		o.c.calls[o.m.Pipeline+"\x00"+target]++
	}
	if o.m.Mapping != "" {
		gone, fresh = nil, nil // its outcome tells
	}
	for _, x := range gone {
		o.note(Difference{What: CallGone, Target: x.target, Step: x.step}, Example{Before: "is made", After: "is not made"})
	}
	for _, x := range fresh {
		o.note(Difference{What: CallNew, Target: x.target, Step: x.step}, Example{Before: "is not made", After: "is made"})
	}
	for _, p := range pairs {
		if p.a.key != p.b.key && !sameIdentity(a, b, p) {
			o.note(Difference{What: InEffect, Target: p.b.target, Step: p.b.step}, Example{Before: p.a.step, After: p.b.step})
		}
		for _, ch := range differ(p.a.sent, p.b.sent) {
			o.field(p, ch)
		}
	}
}

// sameIdentity reports whether the keys of two effects differ only because the
// message is known by another key, which is told by itself.
func sameIdentity(a, b *trail, p pair) bool {
	if p.a.step != p.b.step {
		return false
	}
	return slices.ContainsFunc(slices.Collect(zip(a.identity, b.identity)), func(x [2]identity) bool { return x[0].key != x[1].key })
}

func zip(a, b []identity) func(func([2]identity) bool) {
	return func(yield func([2]identity) bool) {
		for i := range min(len(a), len(b)) {
			if !yield([2]identity{a[i], b[i]}) {
				return
			}
		}
	}
}

func (o *collector) field(p pair, ch change) {
	place, path := ch.path[0], ch.path[1:]
	d := Difference{What: InField, Target: p.b.target, Step: p.b.step, Place: place, Field: o.veil.names(path)}
	if d.Field == "" {
		d.Field = place
	}
	d.Protected = o.c.protected.why(p, place, path, ch)
	o.note(d, Example{Before: o.veil.value(path, ch.before), After: o.veil.value(path, ch.after), Lost: ch.lost, Gained: ch.gained})
}

// pair is one call as it is made on both sides.
type pair struct{ a, b call }

// match finds which calls of two runs are the same: by their step, which is named
// by what it does, and then by their target.
func match(a, b []call) (pairs []pair, gone, fresh []call) {
	taken := make([]bool, len(b))
	left := a
	for _, alike := range []func(x, y call) bool{
		func(x, y call) bool { return x.step == y.step && x.target == y.target },
		func(x, y call) bool { return x.target == y.target },
	} {
		var rest []call
		for _, x := range left {
			i := slices.IndexFunc(b, func(y call) bool { return alike(x, y) })
			for i >= 0 && taken[i] {
				next := slices.IndexFunc(b[i+1:], func(y call) bool { return alike(x, y) })
				if next < 0 {
					i = -1
					break
				}
				i += next + 1
			}
			if i < 0 {
				rest = append(rest, x)
				continue
			}
			taken[i] = true
			pairs = append(pairs, pair{x, b[i]})
		}
		left = rest
	}
	for i, y := range b {
		if !taken[i] {
			fresh = append(fresh, y)
		}
	}
	return pairs, left, fresh
}

// shapes are everything that schemas say about a message and what it becomes.
func (c *comparison) shapes(m *Message, trails ...*trail) []*value.Shape {
	var out []*value.Shape
	add := func(s *compile.Schema) {
		if s != nil {
			out = append(out, s.Schema.Shape())
		}
	}
	for _, ws := range []*compile.Workspace{c.in.Old.WS, c.in.New.WS} {
		if p := ws.Pipelines[m.Pipeline]; p != nil {
			add(p.Accept)
			for _, s := range p.ByID {
				if s.Map != nil && ws.Mappings[s.Map.Name] != nil {
					add(ws.Mappings[s.Map.Name].Input)
				}
			}
		}
		if mp := ws.Mappings[m.Mapping]; mp != nil {
			add(mp.Input)
		}
	}
	for _, t := range trails {
		for _, x := range t.calls {
			if x.shape != nil {
				out = append(out, x.shape)
			}
		}
	}
	return out
}
