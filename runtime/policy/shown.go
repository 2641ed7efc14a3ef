package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crossdock/runtime/queue"
)

// Shown is the state of one connection for people and machines.
type Shown struct {
	Name    string    `json:"name"`
	Calls   int       `json:"calls"`            // under way in this process
	Waiting int       `json:"waiting"`          // in memory, for a place
	Places  int       `json:"places"`           // calls at the same time
	Used    int       `json:"used,omitempty"`   // of the quota in this period, as far as this process knows
	Quota   int       `json:"quota,omitempty"`  // calls in a period
	Notes   []string  `json:"notes,omitempty"`  // what is not as usual
	Held    int       `json:"held,omitempty"`   // messages that wait behind a window
	Drained time.Time `json:"drained,omitzero"` // when they will have gone out, by the rates that are known
	Manual  *Manual   `json:"manual,omitempty"` // maintenance by hand, while it lasts
	Closed  time.Time `json:"closed,omitzero"`  // until when it is closed

	Operations map[string]string `json:"operations,omitempty"` // by name, the state of its circuit: one of States
}

// States are the states of an operation. All but the first keep calls back.
var States = []string{closed, open, throttled, probing, recovering}

// Show returns the state at now; lanes are those of the store.
func (g *Guard) Show(now time.Time, lanes []queue.LaneStat) Shown {
	s := Shown{Name: g.limits.Name}
	s.Calls, s.Waiting, s.Places = g.gate.Load()
	if g.quota != nil {
		s.Used, s.Quota = g.quota.Used()
	}
	if m := g.calendar.Manual(); now.Before(m.Until) {
		s.Manual = &m
	}
	if name, until := g.calendar.Closed(now, queue.Low); !until.IsZero() {
		s.Closed = until
		s.Notes = append(s.Notes, fmt.Sprintf("closed until %s (%s)", clock(until), name))
	}
	s.Operations = make(map[string]string, len(g.circuits))
	for _, op := range slices.Sorted(maps.Keys(g.circuits)) {
		s.Operations[op] = g.circuits[op].State()
		if text := g.circuits[op].Shown(now); text != "" {
			s.Notes = append(s.Notes, op+": "+text)
		}
	}
	for _, l := range lanes {
		held := 0
		for reason, n := range l.Parked {
			if Closed(s.Name, reason) || strings.HasPrefix(reason, s.Name+": "+drains) {
				held += n
			}
		}
		if held > 0 {
			s.Held += held + l.Ready // those behind the head of their key are ready, and wait for it
		}
	}
	if s.Held > 0 {
		s.Drained = g.forecast(now, s.Closed, s.Held)
		if !s.Drained.IsZero() {
			s.Notes = append(s.Notes, fmt.Sprintf("about %d messages will have gone out by %s", s.Held, clock(s.Drained)))
		}
	}
	return s
}

// forecast says when n messages will have gone out, zero where no rate is known.
func (g *Guard) forecast(now, opens time.Time, n int) time.Time {
	each := g.calendar.Rate()
	if g.pacer != nil {
		each = max(each, g.pacer.interval)
	}
	if each == 0 {
		return time.Time{}
	}
	from := now
	if opens.After(now) {
		from = opens
	}
	return from.Add(time.Duration(n) * each)
}

// KindOf returns the kind of what keeps a message that was parked with reason:
// one of the kinds of Hold, or "definition" where no other system does.
func KindOf(reason string) string {
	for _, k := range []struct{ part, kind string }{
		{closedUntil(""), Maintenance}, {cutOff, BreakerOpen}, {askedPause, Throttled}, {quotaOf, QuotaSpent}, {noCount, QuotaSpent},
		{rateOf, RateReached}, {drains, Draining},
	} {
		if strings.Contains(reason, k.part) {
			return k.kind
		}
	}
	return "definition"
}
