// Package policy decides whether another system may be called now, and if not,
// until when a message waits and why: concurrency, rate, quota, breaker, pauses
// that the other side asks for, and maintenance windows of one connection.
//
// A Guard stands before each connection. What it refuses is not a failure: the
// message is parked with a reason and a time to wake up, and its attempts are
// as they were. Short waits are spent in memory, where the priorities take
// turns (see queue.Turn); long ones in the store, with wake-up times spread so
// that nothing comes back all at once. A wait in memory is over at once when
// whoever waits has to leave, or when a reload has put another guard in the place.
//
// Bucket, Circuit, Calendar and the arithmetic of Quota are pure: time is an
// argument. Gate and Pacer block their callers and nobody else; there is no
// goroutine that outlives a call. Everything is safe for concurrent use.
package policy

import (
	"slices"
	"time"

	"crossdock/runtime/queue"
)

// The kinds of Hold, for metrics.
const (
	Maintenance = "maintenance"
	BreakerOpen = "breaker"
	Throttled   = "throttled" // the other side asked for a pause
	QuotaSpent  = "quota"
	RateReached = "rate"
	Draining    = "draining" // behind others that were held by a window
)

// Hold says why a message waits in the store, and until when.
type Hold struct {
	Kind   string
	Reason string // for people; the same for all that wait for the same thing
	Until  time.Time
}

// Result is what a call came to, as far as the other system's health goes.
type Result uint8

// The results of a call.
const (
	Answered Result = iota // it works, whatever it said
	Failed                 // no answer, or an answer that says it is broken
	Unknown                // the call says nothing, as one that was cancelled
)

// line is a queue of those who wait in memory for one thing, by priority.
type line struct {
	waiting [queue.Low + 1][]*place
	turn    queue.Turn
	strict  bool // the highest priority always goes first, and of one priority the oldest
	n       int
}

// place is one who waits. Its channel is closed when its turn has come.
type place struct {
	c    chan struct{}
	came time.Time // in a strict line: when its message came
	gone bool      // had its turn, or left
}

func (l *line) join(p queue.Priority, came time.Time) *place {
	me := &place{c: make(chan struct{}), came: came}
	l.waiting[p] = slices.Insert(l.waiting[p], l.behind(p, came), me)
	l.n++
	return me
}

// behind counts those of priority p who go before one that came then.
func (l *line) behind(p queue.Priority, came time.Time) int {
	n := len(l.waiting[p])
	for l.strict && n > 0 && l.waiting[p][n-1].came.After(came) {
		n--
	}
	return n
}

// leave takes one out who gave up; false means that its turn has come already.
func (l *line) leave(p queue.Priority, me *place) bool {
	if me.gone {
		return false
	}
	me.gone = true
	l.n--
	for i, o := range l.waiting[p] {
		if o == me {
			l.waiting[p] = append(l.waiting[p][:i], l.waiting[p][i+1:]...)
			break
		}
	}
	return true
}

// next lets one go among the priorities of allowed (bit 0: critical), and tells
// whether there was one.
func (l *line) next(allowed uint8) bool {
	var waiting uint8
	for p := range l.waiting {
		if len(l.waiting[p]) > 0 {
			waiting |= 1 << p
		}
	}
	if waiting &= allowed; waiting == 0 {
		return false
	}
	var p queue.Priority
	if l.strict {
		for waiting&(1<<p) == 0 {
			p++
		}
	} else {
		p = l.turn.Next(waiting)
	}
	me := l.waiting[p][0]
	l.waiting[p][0] = nil
	l.waiting[p] = l.waiting[p][1:]
	me.gone = true
	l.n--
	close(me.c)
	return true
}

// ahead counts those who wait with a higher priority than p, or with p and go
// before one that came then.
func (l *line) ahead(p queue.Priority, came time.Time) int {
	n := l.behind(p, came)
	for q := range p {
		n += len(l.waiting[q])
	}
	return n
}
