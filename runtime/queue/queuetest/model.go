package queuetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"crossdock/runtime/queue"
)

// exerciseModel plays random operations on a driver and on a model that is too
// simple to be wrong, and compares all that can be seen.
func exerciseModel(t *testing.T, h Harness) {
	rapid.Check(t, func(rt *rapid.T) {
		d := h.Open(t)
		m := &model{T: rt, suite: t, h: h, d: d, now: time.Now(), dedupe: map[string]string{}}
		defer func() {
			if err := m.d.Close(); err != nil {
				rt.Errorf("close: %v", err)
			}
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"add":    m.add,
			"lease":  m.lease,
			"finish": m.finish,
			"stale":  m.stale,
			"order":  m.order,
			"cancel": m.cancel,
			"sweep":  m.sweep,
			"crash":  m.crash,
			"":       m.check,
		})
	})
}

type thing struct {
	id, key, body string
	prio          queue.Priority
	state         queue.State
	attempts      int
	crashes       int
	due           time.Time
	lease         queue.Lease
}

type model struct {
	*rapid.T
	suite  *testing.T
	h      Harness
	d      queue.Driver
	now    time.Time // of the last sweep or later
	n      int
	things []*thing // in the order of the log
	dedupe map[string]string
	old    []queue.Lease
}

func (m *model) apply(c queue.Commit) ([]queue.Result, error) { return m.d.Apply(m.suite.Context(), c) }

func (m *model) must(c queue.Commit) []queue.Result {
	res, err := m.apply(c)
	if err != nil {
		m.Fatalf("apply %+v: %v", c, err)
	}
	return res
}

func (m *model) in(states ...queue.State) []*thing {
	var out []*thing
	for _, t := range m.things {
		if slices.Contains(states, t.state) {
			out = append(out, t)
		}
	}
	return out
}

func (m *model) remove(t *thing) {
	m.things = slices.DeleteFunc(m.things, func(o *thing) bool { return o == t })
}

// head tells whether t is the first of its key.
func (m *model) head(t *thing) bool {
	for _, o := range m.things {
		if o == t || t.key == "" {
			return true
		}
		if o.key == t.key && o.state != queue.DeadJob {
			return false
		}
	}
	return true
}

func (m *model) add(rt *rapid.T) {
	m.n++
	t := &thing{id: fmt.Sprint("m", m.n), state: queue.Ready, body: fmt.Sprint("body ", m.n)}
	t.key = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(rt, "key")
	t.prio = queue.Priority(rapid.IntRange(0, 3).Draw(rt, "priority"))
	j := queue.Job{ID: t.id, Lane: lane, Key: t.key, Priority: t.prio, Body: []byte(t.body)}
	if rapid.IntRange(0, 4).Draw(rt, "late") == 0 {
		t.state, t.due = queue.Delayed, m.now.Add(time.Hour)
		j.NotBefore = t.due
	}
	j.Dedupe = rapid.SampledFrom([]string{"", "", "d1", "d2", "d3"}).Draw(rt, "dedupe")
	j.DedupeTTL = 1000 * time.Hour
	got := m.must(queue.Commit{Jobs: []queue.Job{j}})[0]
	if first, ok := m.dedupe[j.Dedupe]; ok {
		if got.Status != queue.Duplicate || got.ID != first {
			rt.Fatalf("add %s: got %+v, want a duplicate of %s", t.id, got, first)
		}
		return
	}
	if got.Status != queue.Enqueued || got.ID != t.id {
		rt.Fatalf("add %s: got %+v", t.id, got)
	}
	if j.Dedupe != "" {
		m.dedupe[j.Dedupe] = t.id
	}
	m.things = append(m.things, t)
}

// ready lists what may be leased, in the order in which it must be.
func (m *model) ready() []*thing {
	out := slices.DeleteFunc(m.in(queue.Ready), func(t *thing) bool { return !m.head(t) })
	slices.SortStableFunc(out, func(a, b *thing) int { return int(a.prio) - int(b.prio) })
	return out
}

func (m *model) lease(rt *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(rt, "max")
	all := m.ready()
	got, err := m.d.Lease(m.suite.Context(), queue.Want{Lane: lane, Max: n, TTL: time.Hour})
	if err != nil || len(got) != min(n, len(all)) {
		rt.Fatalf("lease %d: got %v, %v of %d", n, ids(got), err, len(all))
	}
	// Turns decide how many there are of each priority; within one they are in order.
	taken := map[queue.Priority]int{}
	for _, l := range got {
		taken[l.Priority]++
	}
	if !fair(all, taken, len(got)) {
		rt.Fatalf("lease %d: no sequence of turns gives %v of %d", n, taken, len(all))
	}
	var want []*thing
	for _, t := range all {
		if taken[t.prio] > 0 {
			taken[t.prio]--
			want = append(want, t)
		}
	}
	for i, t := range want {
		l := got[i]
		if l.ID != t.id || l.Attempts != t.attempts || l.Crashes != t.crashes || string(l.Body) != t.body || l.Key != t.key {
			rt.Fatalf("lease: got %+v, want %+v", l, *t)
		}
		if l.Epoch <= t.lease.Epoch {
			rt.Fatalf("lease of %s: the epoch went from %d to %d", t.id, t.lease.Epoch, l.Epoch)
		}
		t.state, t.lease = queue.Leased, l
		m.old = append(m.old, l)
	}
}

// fair tells whether turns, wherever they stand, can take so many of each
// priority.
func fair(ready []*thing, taken map[queue.Priority]int, n int) bool {
	for start := range 15 {
		turn, left, got := queue.Turn(start), map[queue.Priority]int{}, map[queue.Priority]int{}
		for _, t := range ready {
			left[t.prio]++
		}
		for range n {
			var waiting uint8
			for p, k := range left {
				if k > 0 {
					waiting |= 1 << p
				}
			}
			p := turn.Next(waiting)
			left[p]--
			got[p]++
		}
		if maps.Equal(got, taken) {
			return true
		}
	}
	return false
}

func (m *model) finish(rt *rapid.T) {
	leased := m.in(queue.Leased)
	if len(leased) == 0 {
		return
	}
	t := rapid.SampledFrom(leased).Draw(rt, "job")
	f := queue.Finish{Lease: t.lease, Outcome: queue.Outcome(rapid.IntRange(0, 5).Draw(rt, "outcome")), Attempts: t.attempts + 1,
		Reason: "r", Box: "x"}
	if f.Outcome != queue.Done && f.Outcome != queue.Release && rapid.Bool().Draw(rt, "body") {
		f.Body = fmt.Appendf(nil, "%s+", t.body)
	}
	if (f.Outcome == queue.Retry || f.Outcome == queue.Park) && rapid.Bool().Draw(rt, "later") {
		f.At = m.now.Add(time.Duration(rapid.IntRange(1, 5).Draw(rt, "hours")) * time.Hour)
	}
	m.must(queue.Commit{Finish: []queue.Finish{f}})
	if f.Body != nil {
		t.body = string(f.Body)
	}
	if f.Outcome != queue.Done && f.Outcome != queue.Release {
		t.attempts++
	}
	t.due = f.At
	switch f.Outcome {
	case queue.Done:
		m.remove(t)
	case queue.Retry:
		if t.state = queue.Delayed; f.At.IsZero() {
			t.state = queue.Ready
		}
	case queue.Park:
		t.state = queue.Parked
	case queue.Dead:
		t.state = queue.DeadJob
	case queue.Release:
		t.state = queue.Ready
	}
}

// stale tries a lease that is over.
func (m *model) stale(rt *rapid.T) {
	var over []queue.Lease
	for _, l := range m.old {
		if !slices.ContainsFunc(m.in(queue.Leased), func(t *thing) bool { return t.lease.Epoch == l.Epoch && t.id == l.ID }) {
			over = append(over, l)
		}
	}
	if len(over) == 0 {
		return
	}
	l := rapid.SampledFrom(over).Draw(rt, "lease")
	_, err := m.apply(queue.Commit{Finish: []queue.Finish{{Lease: l}}, Jobs: []queue.Job{{ID: "ghost", Lane: lane}}})
	if err != queue.ErrLeaseLost {
		rt.Fatalf("finish of a lease of %s that is over: %v", l.ID, err)
	}
}

func (m *model) order(rt *rapid.T) {
	if len(m.things) == 0 {
		return
	}
	t := rapid.SampledFrom(m.things).Draw(rt, "job")
	o := queue.Order{ID: t.id, Do: queue.Do(rapid.IntRange(0, 3).Draw(rt, "order"))}
	if o.Do == queue.Edit {
		o.Body = fmt.Appendf(nil, "%s!", t.body)
	}
	fits := map[queue.Do][]queue.State{
		queue.Revive: {queue.DeadJob}, queue.Edit: {queue.DeadJob},
		queue.Discard: {queue.DeadJob, queue.Parked}, queue.Unpark: {queue.Parked, queue.Delayed},
	}
	_, err := m.apply(queue.Commit{Orders: []queue.Order{o}})
	if !slices.Contains(fits[o.Do], t.state) {
		if err != queue.ErrNotFound {
			rt.Fatalf("order %d on %s job %s: %v", o.Do, t.state, t.id, err)
		}
		return
	}
	if err != nil {
		rt.Fatalf("order %d on %s job %s: %v", o.Do, t.state, t.id, err)
	}
	switch o.Do {
	case queue.Revive:
		m.remove(t)
		t.state, t.attempts, t.crashes = queue.Ready, 0, 0
		m.things = append(m.things, t)
	case queue.Discard:
		m.remove(t)
	case queue.Edit:
		t.body = string(o.Body)
	case queue.Unpark:
		t.state = queue.Ready
	}
}

func (m *model) cancel(rt *rapid.T) {
	if len(m.things) == 0 {
		return
	}
	t := rapid.SampledFrom(m.things).Draw(rt, "job")
	m.must(queue.Commit{Cancel: []string{t.id}})
	if t.state != queue.Leased {
		m.remove(t)
	}
}

func (m *model) sweep(rt *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
	// A store with a clock of its own is told how far away a time is, and finds it
	// a little later for the time that took.
	at := m.now.Add(5 * time.Second)
	var want queue.Swept
	for _, t := range m.things {
		switch t.state {
		case queue.Delayed, queue.Parked:
			if !t.due.IsZero() && !t.due.After(m.now) {
				t.state = queue.Ready
				want.Due++
			}
		case queue.Leased:
			if t.lease.Until.Before(at) {
				t.state = queue.Ready
				t.crashes++
				want.Expired++
			}
		}
	}
	got, err := m.d.Sweep(m.suite.Context(), at)
	if err != nil || got.Due != want.Due || got.Expired != want.Expired {
		rt.Fatalf("sweep: got %+v, %v, want %+v", got, err, want)
	}
}

func (m *model) crash(rt *rapid.T) {
	// A store that is opened again tells what is due by its own clock, which a
	// sweep with a later time has left behind: so all times are swept first.
	if m.h.Reopen == nil || m.h.Features.Shared || rapid.IntRange(0, 3).Draw(rt, "crash") != 0 {
		return
	}
	m.d = m.h.Reopen(m.suite, m.d)
	if _, err := m.d.Sweep(m.suite.Context(), m.now); err != nil {
		rt.Fatalf("sweep: %v", err)
	}
	for _, t := range m.in(queue.Leased) {
		t.state = queue.Ready
		t.crashes++
	}
}

// check compares what can be seen.
func (m *model) check(rt *rapid.T) {
	p, err := m.d.Browse(m.suite.Context(), queue.Query{View: queue.Jobs, Bodies: true, Limit: 1000})
	if err != nil {
		rt.Fatalf("browse: %v", err)
	}
	var got, want []string
	for _, j := range p.Jobs {
		got = append(got, fmt.Sprintf("%s %s %s %d %d %q", j.ID, j.Key, j.State, j.Attempts, j.Crashes, j.Body))
	}
	for _, t := range m.things {
		want = append(want, fmt.Sprintf("%s %s %s %d %d %q", t.id, t.key, t.state, t.attempts, t.crashes, t.body))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		rt.Fatalf("the store has\n%q\nthe model has\n%q", got, want)
	}
}
