package schedule

import (
	"time"

	"crossdock/runtime/queue"
)

// Holds tells whether a lease is alive and not about to end. It must be called
// between Lock and Unlock.
func (x *Index) Holds(s Slot, epoch uint64) bool {
	l := x.leases[s]
	return l != nil && l.epoch == epoch && x.jobs.at(s).flags&claimed == 0
}

// Claim reserves a lease for the Finish that is under way: it can no longer be
// extended, finished by another or run out. It must be called between Lock and
// Unlock, for a lease that Holds.
func (x *Index) Claim(s Slot) { x.jobs.at(s).flags |= claimed }

// Hold keeps a job from being leased, for Remove or Unpark is under way. It
// must be called between Lock and Unlock, for a job that is not leased.
func (x *Index) Hold(s Slot) { x.jobs.at(s).flags |= held }

// Busy tells whether the second half of a change to the job is under way. It
// must be called between Lock and Unlock.
func (x *Index) Busy(s Slot) bool { return x.jobs.at(s).flags&(pending|claimed|held) != 0 }

// Verdict is the second half of a Finish.
type Verdict struct {
	Outcome  queue.Outcome
	At       time.Time // Retry, Park: when it is looked at; Dead: now
	Attempts int
	Note     string // Park: the reason; Dead: the box
}

// Finish ends or renews a lease. now decides whether a Retry is due at once.
// It must be called between Lock and Unlock.
func (x *Index) Finish(s Slot, v Verdict, now time.Time) {
	n := x.jobs.at(s)
	if v.Outcome != queue.Done && v.Outcome != queue.Release {
		n.attempts = uint32(v.Attempts)
	}
	if v.Outcome == queue.Keep {
		return
	}
	n.flags &^= claimed
	delete(x.leases, s)
	due := int64(0)
	if !v.At.IsZero() {
		due = v.At.UnixNano()
	}
	switch v.Outcome {
	case queue.Retry:
		if v.At.After(now) {
			x.become(n, delayed, due, 0)
			x.time(s, n)
		} else {
			x.become(n, ready, 0, 0)
		}
	case queue.Park:
		x.become(n, parked, due, x.notes.take(v.Note))
		x.time(s, n)
	case queue.Dead:
		x.leave(s, n)
		if k := n.key; k != 0 {
			n.key = 0
			x.release(k)
		}
		x.become(n, dead, due, x.notes.take(v.Note))
	case queue.Release:
		x.become(n, ready, 0, 0)
	default:
		x.Remove(s)
		return
	}
	x.arm(s)
}

// Unpark makes a parked or delayed job ready. It must be called between Lock
// and Unlock.
func (x *Index) Unpark(s Slot) {
	n := x.jobs.at(s)
	n.flags &^= held
	x.become(n, ready, 0, 0)
	x.arm(s)
}

// Unhold takes a Hold back. It must be called between Lock and Unlock.
func (x *Index) Unhold(s Slot) {
	x.jobs.at(s).flags &^= held
	x.arm(s)
}

// Mark sets bits that a driver keeps with a job. It must be called between
// Lock and Unlock.
func (x *Index) Mark(s Slot, bits uint8) { x.jobs.at(s).marks |= bits }

// Extend moves the deadline of a lease and tells whether it was alive.
func (x *Index) Extend(s Slot, epoch uint64, until time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.Holds(s, epoch) {
		return false
	}
	x.leases[s].until = until.UnixNano()
	return true
}

// Crash is a lease that ran out.
type Crash struct {
	Slot    Slot
	Seq     uint64
	Crashes int
}

// Sweep makes jobs ready whose time has come, and gives jobs whose lease ran
// out back to the head of their key. It handles at most limit jobs and tells
// whether there may be more. next is when something else will be due.
func (x *Index) Sweep(now time.Time, limit int) (due int, crashed []Crash, next time.Time, more bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := now.UnixNano()
	for len(x.dues) > 0 {
		v := x.dues[0]
		n := x.jobs.at(v.slot)
		if !x.aliveDue(v) {
			x.dues.pop()
			continue
		}
		if v.at > t {
			break
		}
		if due >= limit {
			return due, nil, now, true
		}
		x.dues.pop()
		x.become(n, ready, 0, 0)
		x.arm(v.slot)
		due++
	}
	if len(x.dues) > chunk && len(x.dues) > 4*x.timed {
		x.dues.keep(x.aliveDue)
	}
	for len(x.deadlines) > 0 {
		v := x.deadlines[0]
		if !x.aliveDeadline(v) || x.jobs.at(v.slot).flags&claimed != 0 {
			x.deadlines.pop()
			continue
		}
		if v.at >= t {
			break
		}
		if l := x.leases[v.slot]; l.until >= t {
			x.deadlines.pop()
			l.entry = l.until
			x.deadlines.push(item{at: l.until, slot: v.slot})
			continue
		}
		if len(crashed) >= limit {
			return due, crashed, now, true
		}
		x.deadlines.pop()
		crashed = append(crashed, x.expire(v.slot))
	}
	return due, crashed, x.next(), false
}

func (x *Index) expire(s Slot) Crash {
	n := x.jobs.at(s)
	delete(x.leases, s)
	if n.crashes < 1<<16-1 {
		n.crashes++
	}
	x.become(n, ready, 0, 0)
	x.arm(s)
	return Crash{Slot: s, Seq: n.seq, Crashes: int(n.crashes)}
}

// next is when something is due, seen from the tops of the heaps.
func (x *Index) next() time.Time {
	var at int64
	if len(x.dues) > 0 {
		at = x.dues[0].at
	}
	if len(x.deadlines) > 0 && (at == 0 || x.deadlines[0].at < at) {
		at = x.deadlines[0].at
	}
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at)
}

func (x *Index) aliveDue(v item) bool {
	n := x.jobs.at(v.slot)
	return (n.state == delayed || n.state == parked) && n.due == v.at && n.flags&pending == 0
}

// Ending tells whether the job is about to leave its place: its lease ends, or
// an order on it is under way. It must be called between Lock and Unlock.
func (x *Index) Ending(s Slot) bool { return x.jobs.at(s).flags&(claimed|held) != 0 }
