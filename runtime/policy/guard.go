package policy

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// Limits is what the definitions say about one connection.
type Limits struct {
	Name        string
	Operations  []string
	Concurrency int
	Reserve     int // percent for critical work
	Rate        int // calls in Per; 0 = unbounded
	Per         time.Duration
	Quota       int // calls in Period; 0 = unbounded
	Period      Period
	Zone        *time.Location // of Period
	Trip        Trip
	Windows     []*Window
	Store       Store // where Quota is counted
	Shared      bool  // other processes use the same store, and are told of pauses and breakers
}

// Guard stands before one connection. A nil Guard lets everybody through.
type Guard struct {
	limits   Limits
	gate     *Gate
	pacer    *Pacer // nil: no rate
	quota    *Quota // nil: none
	calendar *Calendar
	circuits map[string]*Circuit
	told     *told // nil: no other process uses the store

	mu       sync.Mutex
	replaced chan struct{} // closed while another guard has the place of this one
}

// NewGuard returns the guard of a connection.
func NewGuard(l Limits) *Guard {
	g := &Guard{limits: l, gate: NewGate(l.Concurrency, l.Reserve), calendar: NewCalendar(l.Windows), circuits: make(map[string]*Circuit, len(l.Operations)), replaced: make(chan struct{})}
	for _, op := range l.Operations {
		g.circuits[op] = NewCircuit(l.Trip)
	}
	if l.Shared {
		g.told = newTold(l.Store, l.Name, l.Operations)
	}
	if l.Rate > 0 {
		g.pacer = NewPacer(l.Rate, l.Per, false)
		if l.Shared {
			g.pacer.from = newSharedBucket(l.Store, "rate/"+l.Name, l.Rate, l.Per)
		}
	}
	if w := g.calendar.slowest; l.Shared && w != nil {
		g.calendar.strict.from = newSharedBucket(l.Store, "drain/"+l.Name, w.Rate, w.Per)
	}
	if l.Quota > 0 {
		g.quota = NewQuota(l.Store, l.Name, l.Quota, l.Period, l.Zone, l.Reserve)
	}
	return g
}

// Plain reports whether nothing but the number of calls at a time is bounded, as
// far as the definitions say.
func (g *Guard) Plain() bool {
	return g == nil || g.pacer == nil && g.quota == nil && g.limits.Trip.Failures == 0 && len(g.limits.Windows) == 0
}

// Ask is what wants to be called, and for whom.
type Ask struct {
	Operation string
	Priority  queue.Priority
	Received  time.Time // when the message came
	// Leaving is closed when whoever asks has to leave, as a process does that
	// stops: then it does not wait. nil = it never has to.
	Leaving <-chan struct{}
}

// Pass is the right to one call, if it is Given. Leave must be called with what it came to.
type Pass struct {
	g       *Guard
	circuit *Circuit
	op      string
	how     pass
	over    bool
}

// Enter waits until the call may be made, for a few seconds at most, or says why
// it may not. It returns a Pass that is not Given, and nil, when ctx ended, or
// when the call would have to wait and whoever asks is leaving, or g is retired.
func (g *Guard) Enter(ctx context.Context, a Ask) (Pass, *Hold) {
	if g == nil {
		return Pass{how: free}, nil
	}
	c := g.circuits[a.Operation]
	now := time.Now()
	g.told.hear(ctx, now, g.circuits)
	if h := g.refuses(now, c, a); h != nil {
		return Pass{}, h
	}
	counted := false
	if g.quota != nil {
		spent, err := g.quota.Take(ctx, now, a.Priority)
		switch {
		case err != nil && ctx.Err() == nil:
			return Pass{}, &Hold{QuotaSpent, g.limits.Name + ": " + noCount, now.Add(patience)}
		case err != nil:
			return Pass{}, nil
		case !spent.IsZero():
			return Pass{}, &Hold{QuotaSpent, g.spent(a.Priority, spent), spent}
		}
		counted = true
	}
	p, h := g.turn(wait{ctx, a.Leaving, g, a.Received}, c, a)
	if counted && !p.Given() {
		g.quota.Return()
	}
	return p, h
}

// Count counts a call that is made in the course of another one, such as a look
// for its effect: it waits for the rate a little, and is never refused. It
// returns false when that wait ended as those of Enter may.
func (g *Guard) Count(ctx context.Context, a Ask) bool {
	if g == nil {
		return true
	}
	if g.quota != nil {
		_, _ = g.quota.Take(ctx, time.Now(), a.Priority) // a spent quota does not leave an effect in doubt
	}
	if g.pacer == nil {
		return true
	}
	back, ok := g.pacer.enter(wait{ctx, a.Leaving, g, a.Received}, time.Now(), a.Priority)
	return ok || !back.IsZero()
}

// refuses tells what closes the connection or the operation at now.
func (g *Guard) refuses(now time.Time, c *Circuit, a Ask) *Hold {
	if name, until := g.calendar.Closed(now, a.Priority); !until.IsZero() {
		return &Hold{Maintenance, fmt.Sprintf("%s%s (%s)", closedUntil(g.limits.Name), clock(until), name), until}
	}
	if c == nil {
		return nil
	}
	if cause, until := c.Shut(now); cause != "" {
		return g.cut(a.Operation, cause, until)
	}
	return nil
}

// Parts of the reasons why messages wait, by which they are recognised again.
const (
	cutOff     = "is cut off by its breaker"
	askedPause = "asked for a pause"
	quotaOf    = "the quota of"
	noCount    = "the store cannot count the quota"
	rateOf     = "the rate of"
	// drains is the reason of those that a window held which has ended.
	drains = "what maintenance held goes out at its rate"
)

func closedUntil(connection string) string { return connection + " is closed until " }

// Closed reports whether a message was parked with reason because the
// connection was closed.
func Closed(connection, reason string) bool {
	return strings.HasPrefix(reason, closedUntil(connection))
}

// turn waits for the rate, a place and the circuit, in this order.
func (g *Guard) turn(w wait, c *Circuit, a Ask) (Pass, *Hold) {
	now := time.Now()
	if g.calendar.Held(now, a.Received, a.Priority) {
		back, ok := g.calendar.strict.enter(w, now, a.Priority)
		if !ok {
			return Pass{}, g.behind(Draining, drains, back)
		}
	}
	if g.pacer != nil {
		back, ok := g.pacer.enter(w, time.Now(), a.Priority)
		if !ok {
			return Pass{}, g.behind(RateReached, fmt.Sprintf(rateOf+" %d in %s is reached", g.limits.Rate, g.limits.Per), back)
		}
	}
	if !g.gate.enter(w, a.Priority) {
		return Pass{}, nil
	}
	if c == nil {
		return Pass{g: g, how: free}, nil
	}
	how, cause, until := c.Try(time.Now())
	if how == ramped {
		if !c.ramp.enter(w, a.Priority) {
			g.gate.Leave()
			return Pass{}, nil
		}
		if how, cause, until = c.Try(time.Now()); how != ramped {
			c.ramp.Leave() // it closed or opened meanwhile
		}
	}
	if how == refused {
		g.gate.Leave()
		return Pass{}, g.cut(a.Operation, cause, until)
	}
	return Pass{g: g, circuit: c, op: a.Operation, how: how}, nil
}

// Leave ends a call; a second call of it or of Pause does nothing. It reports whether the operation began to recover with it,
// so that those who wait in the store are worth calling.
func (p *Pass) Leave(r Result) (recovers bool) {
	if p.g == nil || p.over {
		return false
	}
	p.over = true
	if p.circuit != nil {
		if p.how == ramped {
			p.circuit.ramp.Leave()
		}
		recovers = p.circuit.Done(time.Now(), p.how, r)
		p.g.told.tell(p.op, p.circuit, recovers)
	}
	p.g.gate.Leave()
	return recovers
}

// Pause says that the call was refused with the wish for a pause; it takes the
// place of Leave. asked is 0 where the other side named no time.
func (p *Pass) Pause(asked time.Duration) {
	if p.g == nil || p.over {
		return
	}
	p.over = true
	if p.circuit != nil {
		if p.how == ramped {
			p.circuit.ramp.Leave()
		}
		p.circuit.Pause(time.Now(), p.how, asked)
		p.g.told.tell(p.op, p.circuit, false)
	}
	p.g.gate.Leave()
}

// Given reports whether the call may be made.
func (p *Pass) Given() bool { return p.how != refused }

// Tried reports whether the call was made to find out whether the operation
// works again: its failure is no attempt of the message.
func (p *Pass) Tried() bool { return p.how == probe || p.how == ramped }

// Back returns until when a message waits whose call was refused, or failed
// when it was tried; nil where nothing holds it.
func (g *Guard) Back(operation string) *Hold {
	if g == nil || g.circuits[operation] == nil {
		return nil
	}
	cause, until := g.circuits[operation].Return()
	if cause == "" {
		return nil
	}
	return g.cut(operation, cause, until)
}

func (g *Guard) cut(operation, cause string, until time.Time) *Hold {
	if cause == throttled {
		return &Hold{Throttled, fmt.Sprintf("%s.%s "+askedPause, g.limits.Name, operation), until}
	}
	return &Hold{BreakerOpen, fmt.Sprintf("%s.%s fails and "+cutOff, g.limits.Name, operation), until}
}

func (g *Guard) spent(p queue.Priority, until time.Time) string {
	if p != queue.Critical && g.limits.Reserve > 0 {
		return fmt.Sprintf("%s: "+quotaOf+" %d %s is spent until %s, but for what is kept for critical work", g.limits.Name, g.limits.Quota, g.limits.Period.each(), clock(until))
	}
	return fmt.Sprintf("%s: "+quotaOf+" %d %s is spent until %s", g.limits.Name, g.limits.Quota, g.limits.Period.each(), clock(until))
}

// behind is nil where the wait was over before its turn.
func (g *Guard) behind(kind, why string, back time.Time) *Hold {
	if back.IsZero() {
		return nil
	}
	return &Hold{kind, g.limits.Name + ": " + why, back}
}

// clock words a time for people.
func clock(t time.Time) string { return t.Format("2006-01-02 15:04 MST") }

// Cut reports whether an operation is cut off now.
func (g *Guard) Cut(operation string) bool {
	return g != nil && g.circuits[operation] != nil && g.circuits[operation].cutOff()
}

// Holds reports whether a message was parked with reason because the operation
// was cut off.
func (g *Guard) Holds(operation, reason string) bool {
	if g == nil {
		return false
	}
	for _, cause := range []string{open, throttled} {
		if strings.HasPrefix(reason, g.cut(operation, cause, time.Time{}).Reason) {
			return true
		}
	}
	return false
}

// Calendar returns when the connection is closed.
func (g *Guard) Calendar() *Calendar { return g.calendar }
