package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// deaths is after how many lost leases a message may be a dead letter.
const deaths = 5

// court is the work on one verdict.
type court struct {
	*world
	letters map[string][]*flow.Cause // by event
	seen    map[string][]*arrival    // by operation and event
	known   map[string]*event        // by ID: what has an end of its own
}

// judge compares what was seen with what had to happen. Nothing runs any more.
func (w *world) judge() {
	c := &court{world: w, letters: map[string][]*flow.Cause{}, seen: map[string][]*arrival{}, known: map[string]*event{}}
	for _, e := range w.events {
		for _, l := range e.leaves() {
			l.ok, l.sent = e.ok, e.sent
			c.known[l.ID] = l
		}
	}
	c.arrivals()
	c.dead()
	for _, e := range c.known {
		c.end(e)
	}
	c.order()
	c.behind()
	c.repeats()
	c.ticks()
	c.sums()
}

func (c *court) arrivals() {
	for _, a := range c.targets.seen {
		e := c.known[a.ID]
		if a.Op == "tick" {
			c.seen["tick "+a.ID] = append(c.seen["tick "+a.ID], a)
			continue
		}
		switch {
		case e == nil || !e.sent:
			c.broken("phantom", a.ID, "%s got what nobody sent", a.Op)
			continue
		case e.Class == filtered, e.Class == poison && !c.ordered(e.ID, mending),
			!slices.Contains(effects[e.Flow], a.Op) && !(a.Op == "fallback" && e.Class == refused):
			c.broken("phantom", a.ID, "%s got a message of the class %s", a.Op, e.Class)
		case a.Op != "heard" && (a.Edition >= len(c.editions) || c.editions[a.Edition] > a.At):
			c.broken("edition", a.ID, "%s got the edition %d, which was no good one yet", a.Op, a.Edition)
		case c.discarded(e.ID, a.At):
			c.broken("resurrected", a.ID, "%s got it after it was discarded", a.Op)
		}
		c.seen[a.Op+" "+a.ID] = append(c.seen[a.Op+" "+a.ID], a)
	}
}

// ordered reports whether a person tried to.
func (c *court) ordered(event string, do kind) bool {
	return slices.ContainsFunc(c.orders, func(o order) bool { return o.Event == event && o.Do == do })
}

func (c *court) discarded(event string, before time.Duration) bool {
	return slices.ContainsFunc(c.orders, func(o order) bool { return o.Event == event && o.Do == dropping && o.Sure && o.At < before })
}

// dead reads the dead letters of the store.
func (c *court) dead() {
	page, err := c.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.DeadJob, Limit: 100000, Bodies: true})
	if err != nil {
		c.broken("store", "", "%s", err)
	}
	for _, j := range page.Jobs {
		run, err := flow.Decode(j.Body, func(raw []byte, _ *message.Meta) (any, error) { return message.Decode(raw, message.Unlimited) })
		body, _ := run.Body.(map[string]any)
		id, _ := body["id"].(string)
		e := c.known[id]
		if err != nil || e == nil || run.Cause == nil {
			c.broken("phantom", j.ID, "a dead letter of nobody: %s", j.Reason)
			continue
		}
		c.letters[id] = append(c.letters[id], run.Cause)
		switch {
		case e.Class == poison && run.Cause.Code == "parse":
		case run.Cause.Code == "uncertain" && e.Flow == "never":
		case run.Cause.Code == "crash" && c.crashes >= deaths:
		default:
			c.broken("dead", id, "a good message is a dead letter: %s: %s", run.Cause.Code, run.Cause.Message)
		}
		if c.discarded(id, c.now()) {
			c.broken("resurrected", id, "it is a dead letter after it was discarded")
		}
	}
}

// end looks for a message at its end.
func (c *court) end(e *event) {
	letters := c.letters[e.ID]
	dropped := c.ordered(e.ID, dropping)
	switch {
	case !e.ok:
		c.broken("refused", e.ID, "it was never taken in")
		return
	case e.Class == filtered, dropped && len(letters) == 0:
		return
	case e.Flow == "latest" && len(letters) == 0 && c.overtaken(e):
		return
	case e.Class == poison && len(letters) == 0 && !c.ordered(e.ID, mending):
		c.broken("lost", e.ID, "it cannot be mapped, and is no dead letter")
		return
	case len(letters) > 1 && e.Flow != "fan":
		c.broken("doubled", e.ID, "it is %d dead letters", len(letters))
	}
	ops := effects[e.Flow]
	if e.Class == refused {
		ops = []string{"fallback"}
	}
	for _, op := range ops {
		n := c.targets.effects[op+" "+e.ID]
		switch {
		case n == 0 && len(letters) == 0:
			c.broken("lost", e.ID, "taken in as %s, and %s never got it", e.Message, op)
		case n > 1 && op != "copy" && op != "first":
			c.broken("doubled", e.ID, "%s had its effect %d times", op, n)
		}
	}
}

// overtaken reports whether the history says that a newer message took the place
// of e, and there is one.
func (c *court) overtaken(e *event) bool {
	newer := ""
	page, err := c.driver.Browse(context.Background(), queue.Query{View: queue.ByMsg, ID: e.Message, Limit: 1000})
	if err != nil {
		c.broken("store", e.ID, "%s", err)
	}
	for _, h := range page.Entries {
		if h.Kind == queue.Filtered {
			newer, _, _ = strings.Cut(strings.TrimPrefix(h.Detail, "the newer message "), " ")
		}
	}
	return newer != "" && slices.ContainsFunc(c.events, func(o *event) bool {
		return o.Message == newer && o.Flow == e.Flow && o.K == e.K && o.Turn > e.Turn
	})
}

// behind asks of every message that may be held up whether all before it had
// their ends when it came.
func (c *court) behind() {
	done := map[string]time.Duration{} // when an event had its effect
	for _, a := range c.targets.seen {
		if a.Op == "held" && a.Applied {
			done[a.ID] = a.At
		}
	}
	for _, a := range c.targets.seen {
		e := c.known[a.ID]
		if a.Op != "held" || e == nil || c.ordered(e.ID, dropping) {
			continue
		}
		for _, before := range c.events {
			if before.Flow != e.Flow || before.K != e.K || before.Turn >= e.Turn || before.Class == filtered {
				continue
			}
			at, had := done[before.ID]
			if had && at <= a.At || slices.ContainsFunc(c.orders, func(o order) bool { return o.Event == before.ID && o.Do == dropping && o.Began <= a.At }) {
				continue
			}
			c.broken("overtaken", e.ID, "came at %s, although %s had not ended", a.At, before.ID)
		}
	}
}

// order looks at the first arrivals of each key.
func (c *court) order() {
	furthest, first := map[string]*arrival{}, map[string]bool{}
	for _, a := range c.targets.seen {
		e := c.known[a.ID]
		if e == nil || first[a.Op+" "+a.ID] || e.Class == poison || len(c.letters[a.ID]) > 0 || c.ordered(a.ID, replaying) || c.ordered(a.ID, dropping) {
			continue
		}
		first[a.Op+" "+a.ID] = true
		line := a.Op + " " + e.Flow + " " + e.K
		if ahead := furthest[line]; ahead != nil && ahead.Turn > a.Turn {
			c.broken("reordered", a.ID, "first came to %s at %s, behind %s at %s", a.Op, a.At, ahead.ID, ahead.At)
			continue
		}
		furthest[line] = a
	}
}

// repeats asks of every repeated arrival why it came, and whether too early.
func (c *court) repeats() {
	for what, list := range c.seen {
		for i := 1; i < len(list); i++ {
			last, again := list[i-1], list[i]
			troubled := slices.ContainsFunc(c.troubles, func(at time.Duration) bool { return last.At <= at+time.Minute && at <= again.At })
			if troubled || c.ordered(last.ID, replaying) || c.ordered(last.ID, mending) {
				continue
			}
			wait := time.Second
			switch {
			case last.Clean:
				c.broken("needless", last.ID, "%s again at %s, answered well at %s", what, again.At, last.Done)
			case last.Kind == "once" && last.Op == "never" && last.Applied:
				c.broken("doubled", last.ID, "%s again at %s", what, again.At)
			case last.Status == 429 && c.plan.Replicas > 1:
				continue // each replica keeps pauses by itself, and may call what another holds
			case last.Status == 429:
				wait = 2 * time.Second
				fallthrough
			default:
				if op := last.Op; op != "low" && op != "urgent" && again.At < last.At+wait {
					c.broken("early", last.ID, "%s again at %s, %s after the attempt before, status %d", what, again.At, again.At-last.At, last.Status)
				}
			}
		}
	}
}

// ticks asks that every minute since the first had one run.
func (c *court) ticks() {
	var times []time.Time
	for what := range c.seen {
		text, is := strings.CutPrefix(what, "tick ")
		if !is {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			c.broken("phantom", what, "%s", err)
		}
		times = append(times, at)
		if n := c.targets.effects[what]; n != 1 {
			c.broken("doubled", what, "it had %d effects", n)
		}
		if first := c.seen[what][0]; c.begin.Add(first.At).Before(at) {
			c.broken("early", what, "it ran at %s", first.At)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	for i := 1; i < len(times); i++ {
		if !times[i].Equal(times[i-1].Add(time.Minute)) {
			c.broken("lost", "tick", "there is no run between %s and %s", times[i-1], times[i])
		}
	}
}

// sums holds the ledger to what senders know and to what the store holds.
func (c *court) sums() {
	b, err := journal.ReadBalance(context.Background(), c.driver, "")
	if err != nil || b.Unaccounted != 0 || b.Open != 0 {
		c.broken("unaccounted", "", "%+v %v", b, err)
	}
	page, err := c.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, Limit: 100000})
	if err != nil || int64(len(page.Jobs)) != b.Open+b.Dead {
		c.broken("unaccounted", "", "the store holds %d messages, and counts %+v %v", len(page.Jobs), b, err)
	}
	counts, err := c.driver.Browse(context.Background(), queue.Query{View: queue.Counters, Limit: 100000})
	if err != nil {
		c.broken("store", "", "%s", err)
	}
	accepted := takenIn(counts)
	want := map[string]int64{}
	for _, e := range c.known {
		want[e.Flow]++
		if e.Class == filtered {
			want[e.Flow+" again"]++ // those without a key are taken in as often as they are sent
		}
	}
	for _, f := range append([]string{"polled"}, flows...) {
		if n := accepted[f]; n < want[f] || n > want[f] && want[f+" again"] == 0 {
			c.broken("unaccounted", f, "took in %d messages, %d were sent", n, want[f])
		}
	}
}

// takenIn counts the messages of each pipeline.
func takenIn(counts queue.Page) map[string]int64 {
	n := map[string]int64{}
	for _, c := range counts.Counts {
		if c.Kind == queue.Accepted {
			n[c.Pipeline] += c.N
		}
	}
	return n
}

// unread tells how many changes nobody has asked for yet.
func (w *world) unread() int64 {
	counts, err := w.driver.Browse(context.Background(), queue.Query{View: queue.Counters, Limit: 100000})
	if err != nil {
		return 1
	}
	n := -takenIn(counts)["polled"]
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e.Flow == "polled" {
			n++
		}
	}
	return n
}

// open tells what is not done yet, "" = nothing.
func (w *world) open() string {
	b, err := journal.ReadBalance(context.Background(), w.driver, "")
	if err != nil {
		return err.Error()
	}
	if n := w.unread(); n > 0 {
		return fmt.Sprintf("%d changes were not taken in", n)
	}
	if b.Open == 0 {
		return ""
	}
	page, err := w.driver.Browse(context.Background(), queue.Query{View: queue.Jobs, Limit: 100000})
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, j := range page.Jobs {
		if j.State != queue.DeadJob {
			list = append(list, fmt.Sprintf("%s %s of %s, key %q, due %s, %d attempts, %s", j.State, j.ID, j.Lane, j.Key, j.Due.Sub(w.begin), j.Attempts, j.Reason))
		}
	}
	return fmt.Sprintf("%d open: %s", b.Open, strings.Join(list, "; "))
}
