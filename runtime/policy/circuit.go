package policy

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Trip says when failures open a circuit. The zero value never does.
type Trip struct {
	Failures int
	Within   time.Duration
	Probe    time.Duration // pause before one call is tried
}

const (
	// everyoneElse is how long messages wait at most that are not the one that
	// tries again; they are let go as soon as the circuit closes. Where the one
	// that was to try is taken by another replica, or the process has ended
	// meanwhile, nobody lets them go: they come back after a few pauses.
	everyoneElse = 5 * time.Minute
	fewPauses    = 5
	// full is the number of calls at a time at which a circuit that recovers is
	// closed: from there on the gate of the connection bounds them.
	full = 64
	// longestPause bounds the pauses after refusals that name no time.
	longestPause = time.Minute
)

// The states of a circuit.
const (
	closed     = "closed"
	open       = "open"
	throttled  = "throttled"
	probing    = "probing"
	recovering = "recovering"
)

// Circuit cuts one operation off while the other system fails, or while it asks
// for a pause. After the pause one call is tried; when it succeeds, two may be
// made at the same time, then four, and so on.
type Circuit struct {
	trip   Trip
	normal atomic.Bool // closed, and nothing to remember

	mu        sync.Mutex
	state     string
	failures  []time.Time
	until     time.Time
	rest      time.Duration // how long the others wait behind until
	cause     string        // open or throttled
	candidate time.Time
	sentAway  int
	allowed   int
	good      int
	pauses    int // refusals that named no time, less the steps of recovery between them
	ramp      *Gate
	adopted   bool // another replica was refused, not this one
}

// NewCircuit returns a closed circuit.
func NewCircuit(t Trip) *Circuit {
	c := &Circuit{trip: t, state: closed, ramp: NewGate(full, 0)}
	c.normal.Store(true)
	return c
}

// pass says how far a caller came.
type pass uint8

const (
	refused pass = iota
	free         // go
	probe        // go, and everything depends on it
	ramped       // go when the ramp has a place
)

// Try asks to make a call at now. Where it is refused, until says when to come
// back and cause why: open or throttled.
func (c *Circuit) Try(now time.Time) (p pass, cause string, until time.Time) {
	if c.normal.Load() {
		return free, "", time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case open, throttled:
		if now.Before(c.until) {
			return refused, c.cause, c.away()
		}
		c.state = probing
		return probe, "", time.Time{}
	case probing:
		return refused, c.cause, now.Add(c.spread())
	case recovering:
		return ramped, "", time.Time{}
	}
	return free, "", time.Time{}
}

// Shut reports whether a call would be refused now, without taking the place of
// the one that is tried.
func (c *Circuit) Shut(now time.Time) (cause string, until time.Time) {
	if c.normal.Load() {
		return "", time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case (c.state == open || c.state == throttled) && now.Before(c.until):
		return c.cause, c.away()
	case c.state == probing:
		return c.cause, now.Add(c.spread())
	}
	return "", time.Time{}
}

// away returns when one who is refused comes back: the first one when the pause
// is over, to be the one that tries; the others much later, for they are called
// when it has succeeded.
func (c *Circuit) away() time.Time {
	if !c.candidate.Equal(c.until) {
		c.candidate = c.until
		return c.until
	}
	return c.until.Add(c.spread())
}

// spread gives everybody a time of their own.
func (c *Circuit) spread() time.Duration {
	c.sentAway++
	return c.rest + time.Duration(c.sentAway%60000)*5*time.Millisecond
}

// Done tells how a call ended that Try let go. It reports whether the circuit
// began to recover with it.
func (c *Circuit) Done(now time.Time, p pass, r Result) (recovers bool) {
	if c.normal.Load() && (r != Failed || c.trip.Failures == 0) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case p == probe && c.state == probing:
		switch {
		case r == Answered, r == Failed && c.trip.Failures == 0:
			// Without a breaker only pauses that were asked for count. The one
			// that was is over; what failed is a matter of the retries.
			c.recover()
			return true
		case r == Failed:
			c.open(now)
		default: // nothing is known: somebody else may try
			c.state, c.until = c.cause, now
		}
	case c.state == recovering && r == Failed && c.trip.Failures > 0:
		c.open(now)
	case c.state == recovering && (r == Answered || r == Failed):
		if c.good++; c.good >= c.allowed {
			c.good, c.allowed = 0, 2*c.allowed
			c.ramp.SetLimit(c.allowed)
			// The pause was long enough for so many calls: what is refused now
			// is refused for being too many, not for coming too early.
			c.pauses = max(c.pauses-1, 0)
		}
		if c.allowed >= full {
			c.close()
		}
	case c.state == closed && r == Failed && c.trip.Failures > 0:
		c.failed(now)
	}
	return false
}

// failed counts a failure and opens the circuit with the last one that is too
// many.
func (c *Circuit) failed(now time.Time) {
	keep := c.failures[:0]
	for _, t := range c.failures {
		if now.Sub(t) < c.trip.Within {
			keep = append(keep, t)
		}
	}
	c.failures = append(keep, now)
	if len(c.failures) >= c.trip.Failures {
		c.open(now)
	}
}

func (c *Circuit) open(now time.Time) {
	wait := c.trip.Probe
	if wait <= 0 {
		wait = longestPause
	}
	c.shut(open, now, now.Add(wait))
}

func (c *Circuit) shut(why string, now, until time.Time) {
	c.normal.Store(false)
	c.rest = min(max(fewPauses*until.Sub(now), fewPauses*time.Second), everyoneElse)
	c.state, c.cause, c.until = why, why, until
	c.failures = c.failures[:0]
	c.sentAway, c.adopted = 0, false
	c.ramp.SetLimit(1 << 30) // who waits there comes out, and is refused
}

// Pause cuts the operation off because the other side asked for it: for asked,
// or where it named no time for a while that grows from refusal to refusal, and
// shrinks with the calls that are answered in between. p is what Try said to the
// call that was refused. It returns when the pause ends.
func (c *Circuit) Pause(now time.Time, p pass, asked time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if asked <= 0 {
		if c.state == closed || p == probe || c.state == recovering {
			c.pauses++
		}
		asked = min(time.Second<<min(max(c.pauses-1, 0), 10), longestPause)
	}
	until := now.Add(asked)
	shut := c.state == open || c.state == throttled
	switch {
	case shut && !until.After(c.until):
		// A longer pause is under way.
	case shut && c.state == open:
		c.until = until
	default:
		c.shut(throttled, now, until)
	}
	return c.until
}

// adopt cuts the operation off because another replica found that it should be.
// This one tries it by itself afterwards, unless it hears that it works.
func (c *Circuit) adopt(now time.Time, cause string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if (c.state == open || c.state == throttled) && !until.After(c.until) {
		return
	}
	c.shut(cause, now, until)
	c.rest, c.adopted = adoptedRest, true
}

// forgive lets calls go again, a few at first, because another replica found
// that they are answered. What this one found out itself stays.
func (c *Circuit) forgive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adopted && (c.state == open || c.state == throttled) {
		c.recover()
	}
}

// found returns until when the operation is cut off by what this replica found
// out; "" where it is not.
func (c *Circuit) found() (cause string, until time.Time) {
	if c.normal.Load() {
		return "", time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adopted || c.state != open && c.state != throttled {
		return "", time.Time{}
	}
	return c.cause, c.until
}

// Return is the time at which a message whose call was refused, or failed as
// the one that tried, comes back: it is the next one to try.
func (c *Circuit) Return() (cause string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open && c.state != throttled {
		return "", time.Time{}
	}
	return c.cause, c.away()
}

func (c *Circuit) recover() {
	c.state, c.allowed, c.good = recovering, 2, 0
	c.ramp.SetLimit(c.allowed)
}

func (c *Circuit) close() {
	c.state, c.cause, c.pauses = closed, "", 0
	c.failures = c.failures[:0]
	c.ramp.SetLimit(1 << 30)
	c.normal.Store(true)
}

// cutOff reports whether calls are refused, or only one is tried.
func (c *Circuit) cutOff() bool {
	if c.normal.Load() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == open || c.state == throttled || c.state == probing
}

// State returns the state of the circuit: one of States.
func (c *Circuit) State() string {
	if c.normal.Load() {
		return closed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Shown is the state of a circuit for people, "" while it is closed.
func (c *Circuit) Shown(now time.Time) string {
	if c.normal.Load() {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state {
	case open:
		return fmt.Sprintf("cut off by its breaker; one call is tried %s", soon(now, c.until))
	case throttled:
		return fmt.Sprintf("asked for a pause; one call is tried %s", soon(now, c.until))
	case probing:
		return "one call is being tried"
	case recovering:
		return fmt.Sprintf("recovering, up to %d calls at a time", c.allowed)
	}
	return ""
}

func soon(now, at time.Time) string {
	if !at.After(now) {
		return "with the next message"
	}
	return "in " + at.Sub(now).Round(time.Second).String()
}
