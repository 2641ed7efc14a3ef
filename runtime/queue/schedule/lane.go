package schedule

import (
	"context"
	"math/bits"
	"slices"
	"time"

	"crossdock/runtime/queue"
)

// lane is what the workers of one kind of work see.
type lane struct {
	name           string
	used           bool // ever held a job
	ready          [queue.Low + 1]backlog
	turn           queue.Turn // whose turn it is among the priorities
	count          [states]int
	parked         map[uint32]int // by reason
	oldest, newest uint32         // all its jobs in the order of the log
	front          uint32         // all older than this one are dead; 0 = all are
	waiters        []*waiter
}

// waiter is one blocked call of Lease.
type waiter struct{ c chan struct{} }

// wake lets the caller go that has waited longest.
func (l *lane) wake() {
	if len(l.waiters) == 0 {
		return
	}
	w := l.waiters[0]
	l.waiters[0] = nil
	l.waiters = l.waiters[1:]
	w.c <- struct{}{} // has room for the one signal it ever gets
}

func (x *Index) laneOf(name string) uint32 {
	if i, ok := x.byName[name]; ok {
		return i
	}
	i := uint32(len(x.lanes))
	x.lanes = append(x.lanes, &lane{name: name, parked: map[uint32]int{}})
	x.byName[name] = i
	return i
}

// Touch makes a lane known as one that held a job. It tells whether that is
// news. It must be called between Lock and Unlock.
func (x *Index) Touch(name string) bool {
	l := x.lanes[x.laneOf(name)]
	news := !l.used
	l.used = true
	return news
}

func (x *Index) append(l *lane, s Slot, n *node) {
	n.older, n.newer = l.newest, 0
	if l.newest != 0 {
		x.jobs.at(l.newest).newer = s
	} else {
		l.oldest = s
	}
	l.newest = s
	if l.front == 0 {
		l.front = s
	}
}

func (x *Index) unlink(l *lane, s Slot, n *node) {
	if l.front == s {
		l.front = n.newer
	}
	if n.older != 0 {
		x.jobs.at(n.older).newer = n.newer
	} else {
		l.oldest = n.newer
	}
	if n.newer != 0 {
		x.jobs.at(n.newer).older = n.older
	} else {
		l.newest = n.older
	}
}

// living returns the oldest job of a lane that is not dead, or one before it.
func (x *Index) living(l *lane) Slot {
	for l.front != 0 && x.jobs.at(l.front).state == dead {
		l.front = x.jobs.at(l.front).newer
	}
	return l.front
}

// Grant is a lease as the index knows it.
type Grant struct {
	Slot     Slot
	Seq      uint64
	Epoch    uint64
	Until    time.Time
	Attempts int
	Crashes  int
	Priority queue.Priority
	Marks    uint8
}

// Lease takes up to w.Max heads of ready keys. See queue.Driver.
func (x *Index) Lease(ctx context.Context, w queue.Want) ([]Grant, error) {
	var alarm *time.Timer
	for ctx.Err() == nil {
		x.mu.Lock()
		if x.closed != nil {
			x.mu.Unlock()
			return nil, x.closed
		}
		li := x.laneOf(w.Lane)
		got := x.take(li, max(w.Max, 1), time.Now().Add(w.TTL))
		if len(got) > 0 || w.Wait <= 0 {
			x.mu.Unlock()
			return got, nil
		}
		me := &waiter{c: make(chan struct{}, 1)}
		l := x.lanes[li]
		l.waiters = append(l.waiters, me)
		x.mu.Unlock()

		if alarm == nil {
			alarm = time.NewTimer(w.Wait)
			defer alarm.Stop()
		}
		select {
		case <-me.c:
			if ctx.Err() == nil {
				continue
			}
		case <-alarm.C:
			w.Wait = 0
		case <-ctx.Done():
		}
		x.mu.Lock()
		x.quit(l, me)
		x.mu.Unlock()
	}
	return nil, nil
}

// quit takes a waiter back. One that was woken meanwhile passes its turn on.
func (x *Index) quit(l *lane, me *waiter) {
	if i := slices.Index(l.waiters, me); i >= 0 {
		l.waiters = slices.Delete(l.waiters, i, i+1)
		return
	}
	l.wake()
}

// take grants leases on up to limit ready heads, highest priority first. While
// several priorities wait, turns decide how many of each.
func (x *Index) take(li uint32, limit int, until time.Time) []Grant {
	l := x.lanes[li]
	var got []Grant
	var waiting uint8
	for prio := range l.ready {
		if x.offers(&l.ready[prio]) {
			waiting |= 1 << prio
		}
	}
	mixed := waiting&(waiting-1) != 0
	for waiting != 0 && len(got) < limit {
		prio := queue.Priority(bits.TrailingZeros8(waiting))
		if waiting&(waiting-1) != 0 {
			prio = l.turn.Next(waiting)
		}
		h := &l.ready[prio]
		v := h.pop(&x.runs)
		n := x.jobs.at(v.slot)
		n.flags &^= queued
		got = append(got, x.grant(v.slot, n, until))
		if !x.offers(h) {
			waiting &^= 1 << prio
		}
	}
	if mixed {
		slices.SortStableFunc(got, func(a, b Grant) int { return int(a.Priority) - int(b.Priority) })
	}
	return got
}

// offers tells whether the first item of a backlog can be leased, after it has
// dropped those before it that mean nothing any more.
func (x *Index) offers(h *backlog) bool {
	for !h.empty() {
		v := h.peek()
		n := x.jobs.at(v.slot)
		if int64(n.seq) == v.at && n.flags&queued != 0 {
			if n.state == ready && n.flags&held == 0 && x.first(v.slot, n) {
				return true
			}
			n.flags &^= queued
		}
		h.pop(&x.runs)
	}
	return false
}

func (x *Index) grant(s Slot, n *node, until time.Time) Grant {
	x.epoch++
	x.become(n, leased, 0, 0)
	u := until.UnixNano()
	x.leases[s] = &lease{epoch: x.epoch, until: u, entry: u}
	x.deadlines.push(item{at: u, slot: s})
	if len(x.deadlines) > chunk && len(x.deadlines) > 4*len(x.leases) {
		x.deadlines.keep(x.aliveDeadline)
	}
	return Grant{
		Slot: s, Seq: n.seq, Epoch: x.epoch, Until: until,
		Attempts: int(n.attempts), Crashes: int(n.crashes), Priority: queue.Priority(n.prio), Marks: n.marks,
	}
}

func (x *Index) aliveDeadline(v item) bool {
	l := x.leases[v.slot]
	return l != nil && l.entry == v.at
}
