// Package judge says whether a run kept what crossdock promises. It reads what
// was seen from outside and what the store holds at the end, and knows nothing
// of how crossdock works inside.
package judge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossdock/bench/chaos/event"
	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/record"
	"crossdock/runtime/journal"
)

// Ledger is what crossdock says about itself at the end.
type Ledger struct {
	API      journal.Balance  // from the control API
	Store    journal.Balance  // from the store, opened after all replicas had ended
	Found    journal.Balance  // Dead and Open counted job by job in the store
	Accepted map[string]int64 // messages taken in, by pipeline
	Dead     []Letter
	Waiting  map[string]bool // messages with work left in the store
	Stuck    string          // what was still open when everything had to be done, "" = nothing
}

// Letter is a dead letter.
type Letter struct {
	Message, ID, Cause, Reason string
	Known                      bool // ID is that of a message of this run
}

// Fault is one broken promise.
type Fault struct {
	Word string // lost, reordered ...
	ID   string
	What string
}

// Verdict is the outcome of a run.
type Verdict struct {
	Plan       plan.Plan         `json:"plan"`
	Sent       int               `json:"sent"`
	OK         int               `json:"ok"`
	Unknown    int               `json:"unknown"`
	Repeats    int               `json:"repeats"`
	Arrivals   int               `json:"arrivals"`
	DupSeen    int               `json:"dup_deliveries"` // legal repeats
	LateDups   int               `json:"late_dups"`      // of them, behind a newer message
	Orders     int               `json:"orders"`
	Editions   int               `json:"editions"`
	Failures   int               `json:"failed_tries"`
	Fired      map[plan.Kind]int `json:"fired"`
	Counts     map[string]int    `json:"counts"` // broken promises by word
	Ledger     journal.Balance   `json:"ledger"`
	Recovery   time.Duration     `json:"recovery"` // from the end of the faults until nothing was open
	Examples   []Fault           `json:"examples,omitempty"`
	Vacuous    string            `json:"vacuous,omitempty"` // why the run says nothing
	faultsKept map[string]int
}

// Words are the broken promises that a verdict counts.
var Words = []string{"lost", "phantom", "corrupt", "dup_effects", "reordered", "stuck", "unaccounted", "resurrected",
	"needless", "hidden", "burned", "hasty", "forgotten", "refused", "failed_req", "dead", "edition"}

// Bad reports whether a promise was broken.
func (v *Verdict) Bad() bool { return len(v.Counts) > 0 }

func (v *Verdict) add(word, id, format string, args ...any) {
	v.Counts[word]++
	if v.faultsKept[word]++; v.faultsKept[word] <= 5 {
		v.Examples = append(v.Examples, Fault{word, id, fmt.Sprintf(format, args...)})
	}
}

// message is all that is known about one message.
type message struct {
	event    event.Event
	sent     bool
	ok       bool
	unknown  bool
	answered record.Sent // the first call that was answered with ok
	arrived  map[string][]record.Arrival
	edited   bool // an operator tried to
	replayed bool
	dropped  record.Result // of a discard
	dropTime time.Duration
	letters  []Letter
}

// court is the work on one verdict.
type court struct {
	v      *Verdict
	stream event.Stream
	seen   record.Seen
	ledger Ledger
	all    map[string]*message

	refusals map[string][]time.Duration // answers with 429, by target
}

// Judge compares what was seen with what had to happen.
func Judge(p plan.Plan, s event.Stream, seen record.Seen, l Ledger) *Verdict {
	v := &Verdict{Plan: p, Counts: map[string]int{}, faultsKept: map[string]int{}, Ledger: l.Store, Editions: len(seen.Edits) - 1,
		Failures: len(seen.Failures), Arrivals: len(seen.Arrivals), Orders: len(seen.Orders)}
	c := &court{v: v, stream: s, seen: seen, ledger: l, all: map[string]*message{}, refusals: map[string][]time.Duration{}}
	c.senders()
	c.operators()
	c.targets()
	c.deadLetters()
	c.ends()
	c.order()
	c.repeats()
	c.requests()
	c.sums()
	c.worth()
	return v
}

func (c *court) message(id string) *message {
	m := c.all[id]
	if m == nil {
		e, _ := c.stream.Parse(id)
		m = &message{event: e, arrived: map[string][]record.Arrival{}}
		c.all[id] = m
	}
	return m
}

// senders reads the log of the senders, and what they were told about repeats.
func (c *court) senders() {
	for _, s := range c.seen.Sent {
		m := c.message(s.ID)
		if s.Repeat {
			c.v.Repeats++
		} else {
			m.sent = true
			c.v.Sent++
		}
		switch {
		case s.Result == record.Unknown:
			if !s.Repeat {
				m.unknown = true
				c.v.Unknown++
			}
		case s.Result == record.Fail && !s.Repeat:
			c.v.add("refused", s.ID, "a good message was refused")
		case s.Result == record.OK:
			c.told(m, s)
		}
	}
}

// told holds the answer to a message against the answers before.
func (c *court) told(m *message, s record.Sent) {
	if !s.Repeat {
		m.ok = true
		c.v.OK++
		m.answered = s
		return
	}
	first := m.answered
	switch {
	case !m.ok || s.Word == "dropped":
	case s.Word != "duplicate":
		c.v.add("forgotten", s.ID, "a repeat was answered %q as message %s; first taken in as %s", s.Word, s.Message, first.Message)
	case s.Message != first.Message:
		c.v.add("forgotten", s.ID, "a repeat was said to be message %s; first taken in as %s", s.Message, first.Message)
	}
}

func (c *court) operators() {
	for _, o := range c.seen.Orders {
		m := c.message(o.ID)
		switch o.Do {
		case "edit":
			m.edited = true
		case "replay":
			m.replayed = true
		case "discard":
			m.dropped = max(m.dropped, o.Result) // "unknown" is more than "ok"
			m.dropTime = o.At
		}
	}
}

// targets reads what arrived.
func (c *court) targets() {
	newest := slices.Max(editions(c.seen.Edits))
	applied := map[[2]string]map[string]bool{}
	for _, a := range c.seen.Arrivals {
		e, known := c.stream.Parse(a.ID)
		if !known {
			c.v.add("phantom", a.ID, "%s got a message that nobody sent", a.Target)
			continue
		}
		m := c.message(a.ID)
		if !m.sent {
			c.v.add("phantom", a.ID, "%s got a message that was not sent yet", a.Target)
		}
		if !slices.ContainsFunc(e.Effects(), func(f event.Effect) bool { return f.Target == a.Target }) {
			c.v.add("phantom", a.ID, "%s got a message of the class %s of %s", a.Target, e.Class, e.Flow)
		}
		if a.Wrong != "" {
			c.v.add("corrupt", a.ID, "%s: %s", a.Target, a.Wrong)
		}
		if e.Class == event.Poison && !m.edited && a.Wrong == "" {
			c.v.add("phantom", a.ID, "%s got a message that cannot be mapped", a.Target)
		}
		if since, ok := c.seen.Edits[a.Edition]; !ok || a.Edition > newest || a.At < since {
			c.v.add("edition", a.ID, "%s got the edition %d, which never was a good one", a.Target, a.Edition)
		}
		if m.dropped == record.OK && a.At > m.dropTime {
			c.v.add("resurrected", a.ID, "%s got it after it was discarded", a.Target)
		}
		m.arrived[a.Target] = append(m.arrived[a.Target], a)
		if a.Status == 429 {
			c.refusals[a.Target] = append(c.refusals[a.Target], a.At)
		}
		if a.Applied && a.Key != "" {
			k := [2]string{a.Target, a.ID}
			if applied[k] == nil {
				applied[k] = map[string]bool{}
			}
			applied[k][a.Key] = true
		}
	}
	for k, keys := range applied {
		if len(keys) > 1 {
			c.v.add("dup_effects", k[1], "%s had its effect %d times, under different keys", k[0], len(keys))
		}
	}
}

func editions(m map[int]time.Duration) []int {
	out := make([]int, 0, len(m))
	for n := range m {
		out = append(out, n)
	}
	return out
}

func (c *court) deadLetters() {
	deaths := c.deaths()
	for _, l := range c.ledger.Dead {
		if !l.Known {
			c.v.add("phantom", l.Message, "a dead letter of nobody: %s", l.Reason)
			continue
		}
		m := c.message(l.ID)
		m.letters = append(m.letters, l)
		class := m.event.Class
		switch {
		case class == event.Poison, class == event.Rejected:
		case l.Cause == "crash" && deaths >= 5: // as documented: its worker died five times
		default:
			c.v.add("dead", l.ID, "a good message is a dead letter: %s", l.Reason)
		}
		if m.dropped == record.OK {
			c.v.add("resurrected", l.ID, "it is a dead letter after it was discarded")
		}
	}
}

// deaths is how often, at most, work on a message may have ended with its
// holder. A place to die is looked for by a process that is started anew.
func (c *court) deaths() (n int) {
	for _, t := range c.seen.Troubles {
		switch {
		case t.Kind == "crash_point":
			n += 2
		case t.Death:
			n++
		}
	}
	return n
}

// ends looks for every message at its end.
func (c *court) ends() {
	for id, m := range c.all {
		if !m.ok {
			continue
		}
		e := m.event
		switch {
		case e.Class == event.Filtered:
			continue
		case m.dropped != "" && len(m.letters) == 0:
			continue // by a person; where that was in doubt, either end is fine
		case e.Class == event.Poison && len(m.letters) == 0 && !(m.edited && m.replayed):
			c.v.add("lost", id, "it cannot be mapped, and is no dead letter")
			continue
		case len(m.letters) > 1:
			c.v.add("dup_effects", id, "it is %d dead letters", len(m.letters))
		case e.Class == event.Poison && len(m.letters) == 1:
			continue
		}
		for _, f := range e.Effects() {
			if len(m.letters) > 0 || c.ledger.Waiting[m.answered.Message] {
				break // it is there: stuck, perhaps, but not lost
			}
			if !slices.ContainsFunc(m.arrived[f.Target], func(a record.Arrival) bool { return a.Applied || a.Status == 201 || a.Status == 409 }) {
				c.v.add("lost", id, "answered %q as %s at %s, and %s never got it", m.answered.Word, m.answered.Message, m.answered.End.Round(time.Millisecond), f.Target)
			}
		}
	}
	if c.ledger.Stuck != "" {
		c.v.add("stuck", "", "%s", c.ledger.Stuck)
	}
}

// free says that the order of a message is not promised: it was out of line as a
// dead letter, or its sender does not know whether and when it was taken in.
func (m *message) free() bool {
	return m.unknown || !m.ok || m.event.Class != event.Normal || len(m.letters) > 0 || m.replayed
}

// order looks at the first arrivals of each key at each target.
func (c *court) order() {
	type line struct{ target, flow, key string }
	furthest := map[line]*message{}
	first := map[[2]string]bool{}
	for _, a := range c.seen.Arrivals {
		m := c.all[a.ID]
		if m == nil || a.Target == "file" {
			continue
		}
		l := line{a.Target, m.event.Flow, m.event.Key}
		ahead := furthest[l]
		behind := ahead != nil && ahead.event.Turn > m.event.Turn
		if k := [2]string{a.Target, a.ID}; first[k] {
			if behind {
				c.v.LateDups++
			}
			continue
		} else {
			first[k] = true
		}
		switch {
		case m.free():
		case behind:
			c.v.add("reordered", a.ID, "turn %d first arrived at %s at %s, behind %s of turn %d", m.event.Turn, a.Target,
				a.At.Round(time.Millisecond), ahead.event.ID, ahead.event.Turn)
		default:
			furthest[l] = m
		}
	}
}

// repeats asks of every repeated arrival why it came. A repeat is legal when
// the one before was not answered well, or something died in between.
func (c *court) repeats() {
	for id, m := range c.all {
		for target, list := range m.arrived {
			for i := 1; i < len(list); i++ {
				last, again := list[i-1], list[i]
				c.v.DupSeen++
				c.attempts(id, list, i)
				if m.event.Class != event.Normal && m.replayed || c.troubled(last.At, again.At, true) {
					continue
				}
				if last.Answer == record.Clean {
					c.v.add("needless", id, "%s got it again at %s, attempt %d, though it had answered well at %s, attempt %d", target,
						again.At.Round(time.Millisecond), again.Attempt, last.Done.Round(time.Millisecond), last.Attempt)
				}
				// While a breaker is open, or a pause was asked for, nothing
				// counts as an attempt, nor does what a rolling restart cuts short.
				counted := !c.v.Plan.Breaker && !c.pausing(target, last.At, again.At) && !c.restarted(last.At, again.At)
				if last.Attempt == again.Attempt && again.Attempt > 0 && counted {
					c.v.add("hidden", id, "%s got the attempt %d twice, at %s and %s", target, again.Attempt,
						last.At.Round(time.Millisecond), again.At.Round(time.Millisecond))
				}
			}
		}
	}
}

// attempts asks whether a repeat came too early, or with an attempt that nobody
// made. An attempt may fail on its way to the target, where the network was bad.
func (c *court) attempts(id string, list []record.Arrival, i int) {
	last, again := list[i-1], list[i]
	alone := c.v.Plan.Replicas == 1 // each replica keeps the pauses that it was asked for
	if last.Status == 429 && alone && again.At < last.At+asked && !c.troubled(last.At, again.At, true) && !c.restarted(last.At, again.At) {
		c.v.add("hasty", id, "%s asked for a pause of %s and got it again after %s", again.Target, asked, (again.At - last.At).Round(time.Millisecond))
	}
	bad := slices.ContainsFunc(c.seen.Troubles, func(t record.Disturbance) bool { return strings.HasPrefix(t.Kind, "net_target") })
	if again.Attempt > i+1 && !bad && c.all[id].event.Class == event.Normal {
		c.v.add("burned", id, "%s got it for the %d. time as attempt %d", again.Target, i+1, again.Attempt)
	}
}

// asked is the pause that targets ask for with 429, less what clocks may differ.
const asked = 900 * time.Millisecond

// pausing reports whether a target asked for a pause that reached into some
// time.
func (c *court) pausing(target string, from, to time.Duration) bool {
	times := c.refusals[target]
	i, _ := slices.BinarySearch(times, from-2*time.Second)
	return i < len(times) && times[i] <= to
}

// slack is how long a disturbance is felt after its end.
const slack = 3 * time.Second

// troubled reports whether something was broken between two moments: deaths
// asks for what may make work be repeated, else whatever lets requests fail.
func (c *court) troubled(from, to time.Duration, deaths bool) bool {
	return slices.ContainsFunc(c.seen.Troubles, func(t record.Disturbance) bool {
		return (t.Death || !deaths) && t.Begin <= to && from <= t.End+slack
	})
}

// restarted reports whether a replica was asked to end between two moments. That
// excuses no repeat of what has succeeded.
func (c *court) restarted(from, to time.Duration) bool {
	return slices.ContainsFunc(c.seen.Troubles, func(t record.Disturbance) bool {
		return t.Kind == "term" && t.Begin <= to && from <= t.End+slack
	})
}

// requests asks of every failed try of a sender what excuses it.
func (c *court) requests() {
	for _, f := range c.seen.Failures {
		if f.Status >= 400 && f.Status < 500 {
			c.v.add("refused", f.ID, "replica %d answered %d: %s", f.Replica, f.Status, f.What)
		} else if !c.troubled(f.Begin, f.End, false) {
			c.v.add("failed_req", f.ID, "replica %d, from %s to %s, while nothing was broken: %d %s", f.Replica,
				f.Begin.Round(time.Millisecond), f.End.Round(time.Millisecond), f.Status, f.What)
		}
	}
}

// sums holds the ledger to what the senders know, and its two readings to each
// other.
func (c *court) sums() {
	l := c.ledger
	for _, b := range []struct {
		from string
		b    journal.Balance
	}{{"the control API", l.API}, {"the store", l.Store}} {
		if b.b.Unaccounted != 0 {
			c.v.add("unaccounted", "", "%s does not add up: %+v", b.from, b.b)
		}
	}
	if l.API != l.Store {
		c.v.add("unaccounted", "", "the control API says %+v, the store says %+v", l.API, l.Store)
	}
	if l.Store.Dead != l.Found.Dead || l.Store.Open != l.Found.Open {
		c.v.add("unaccounted", "", "the store counts %d dead and %d open, and holds %d and %d", l.Store.Dead, l.Store.Open, l.Found.Dead, l.Found.Open)
	}
	if int64(len(l.Dead)) != l.Store.Dead {
		c.v.add("unaccounted", "", "%d dead letters are listed, the store counts %d", len(l.Dead), l.Store.Dead)
	}
	sure, perhaps := map[string]int64{}, map[string]int64{}
	for _, m := range c.all {
		switch {
		case m.ok:
			sure[m.event.Flow]++
		case m.sent:
			perhaps[m.event.Flow]++
		}
	}
	for _, f := range event.Flows() {
		if n := l.Accepted[f.Name]; n < sure[f.Name] || n > sure[f.Name]+perhaps[f.Name] {
			c.v.add("unaccounted", "", "%s took in %d messages; its senders know of %d and perhaps %d more", f.Name, n, sure[f.Name], perhaps[f.Name])
		}
	}
}

// worth says when a run proves nothing.
func (c *court) worth() {
	v := c.v
	least := 1000 * v.Plan.Duration / 20000
	switch {
	case v.Sent < least:
		v.Vacuous = fmt.Sprintf("only %d messages were sent, %d are the least", v.Sent, least)
	case v.OK*2 < v.Sent:
		v.Vacuous = fmt.Sprintf("only %d of %d messages were taken in", v.OK, v.Sent)
	}
	slices.SortStableFunc(v.Examples, func(a, b Fault) int {
		return cmp.Compare(slices.Index(Words, a.Word), slices.Index(Words, b.Word))
	})
}
