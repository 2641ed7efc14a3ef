package plan

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/runtime/message"
)

// collector notes the differences of one message.
type collector struct {
	c      *comparison
	m      *Message
	client string // whose message it is
	seen   map[string]bool
	veil   *veil
	refs   []message.Ref
}

// note adds a difference; several of the same kind in one message count once.
func (o *collector) note(d Difference, x Example) {
	d.Pipeline, d.Client = o.m.Pipeline, o.client
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
