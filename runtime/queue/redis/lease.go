package redis

import (
	"context"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// While somebody waits for work, the store is looked at for work that other
// replicas brought, at a pace between these two.
const (
	pollFast = 4 * time.Millisecond
	pollSlow = 50 * time.Millisecond
)

// callLeases bounds how many leases one call grants.
const callLeases = 1000

// waiter is one Lease call. It is queued, then taken by the pump, then answered
// through its channel; a taken waiter is always answered.
type waiter struct {
	want   queue.Want
	once   bool // answer after the first look
	taken  bool
	got    []queue.Lease
	err    error
	answer chan struct{}
}

type laneWait struct {
	waiters []*waiter
	hot     bool // look now
}

// leaser gathers the Lease calls of all lanes into few script calls.
type leaser struct {
	d      *Driver
	mu     sync.Mutex
	lanes  map[string]*laneWait
	count  int // waiters queued
	closed bool
	kick   chan struct{}
	stop   chan struct{}
	no     uint64
	doubt  []any // arguments of a call whose answer never came
	joined sync.WaitGroup
}

func newLeaser(d *Driver) *leaser {
	l := &leaser{d: d, lanes: map[string]*laneWait{}, kick: make(chan struct{}, 1), stop: make(chan struct{})}
	l.joined.Go(l.loop)
	return l
}

// Lease returns heads of ready keys; see queue.Driver.
func (d *Driver) Lease(ctx context.Context, w queue.Want) ([]queue.Lease, error) {
	if err := d.begin(); err != nil {
		return nil, err
	}
	defer d.end()
	if ctx.Err() != nil || w.Max <= 0 {
		return nil, nil
	}
	wt := &waiter{want: w, once: w.Wait <= 0, answer: make(chan struct{})}
	d.lease.add(wt)
	if wt.once {
		select {
		case <-wt.answer:
			return wt.got, wt.err
		case <-ctx.Done():
			return d.lease.leave(wt)
		}
	}
	timer := time.NewTimer(w.Wait)
	defer timer.Stop()
	select {
	case <-wt.answer:
		return wt.got, wt.err
	case <-timer.C:
	case <-ctx.Done():
	}
	return d.lease.leave(wt)
}

func (l *leaser) add(w *waiter) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		w.taken, w.err = true, queue.ErrClosed
		close(w.answer)
		return
	}
	lane := l.lanes[w.want.Lane]
	if lane == nil {
		lane = &laneWait{}
		l.lanes[w.want.Lane] = lane
	}
	lane.waiters = append(lane.waiters, w)
	lane.hot = true
	l.count++
	l.mu.Unlock()
	l.poke()
}

// leave takes a waiter out of its lane, or waits for its answer where it is too
// late for that: a lease that was granted is never dropped.
func (l *leaser) leave(w *waiter) ([]queue.Lease, error) {
	l.mu.Lock()
	if !w.taken {
		lane := l.lanes[w.want.Lane]
		for i, o := range lane.waiters {
			if o == w {
				lane.waiters = append(lane.waiters[:i], lane.waiters[i+1:]...)
				l.count--
				break
			}
		}
		if len(lane.waiters) == 0 {
			delete(l.lanes, w.want.Lane)
		}
		l.mu.Unlock()
		return nil, nil
	}
	w.once = true
	l.mu.Unlock()
	<-w.answer
	return w.got, w.err
}

// wake says that a lane has work.
func (l *leaser) wake(lane string) {
	l.mu.Lock()
	w := l.lanes[lane]
	if w != nil {
		w.hot = true
	}
	l.mu.Unlock()
	if w != nil {
		l.poke()
	}
}

func (l *leaser) poke() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

func (l *leaser) close() {
	close(l.stop)
	l.joined.Wait()
}

func (l *leaser) loop() {
	pace := pollSlow
	timer := time.NewTimer(pace)
	defer timer.Stop()
	for {
		all := false
		select {
		case <-l.kick:
		case <-timer.C:
			all = true
		case <-l.stop:
			l.dismiss()
			return
		}
		granted := l.round(all)
		switch {
		case granted > 0:
			pace = pollFast
		case all:
			pace = min(2*pace, pollSlow)
		}
		timer.Reset(pace)
	}
}

// dismiss answers everybody who still waits, at Close.
func (l *leaser) dismiss() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lane := range l.lanes {
		for _, w := range lane.waiters {
			w.taken, w.err = true, queue.ErrClosed
			close(w.answer)
		}
	}
	l.lanes = map[string]*laneWait{}
	l.count, l.closed = 0, true
}

// ask is what one call wants of one lane.
type ask struct {
	lane    string
	max     int
	ttl     time.Duration
	waiters []*waiter
}

// take collects what the next call asks for: the waiters of hot lanes, or of all.
func (l *leaser) take(all bool) []ask {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == 0 {
		return nil
	}
	var asks []ask
	left := callLeases
	for name, lane := range l.lanes {
		if !all && !lane.hot {
			continue
		}
		lane.hot = false
		a := ask{lane: name}
		keep := lane.waiters[:0]
		for _, w := range lane.waiters {
			n := min(w.want.Max, callLeases)
			// One call has one TTL per lane; waiters with another one come next.
			if left < n && left < callLeases || a.ttl != 0 && a.ttl != w.want.TTL {
				keep = append(keep, w)
				lane.hot = true
				continue
			}
			a.ttl = w.want.TTL
			a.max += n
			left -= n
			w.taken = true
			a.waiters = append(a.waiters, w)
		}
		clear(lane.waiters[len(keep):])
		lane.waiters = keep
		l.count -= len(a.waiters)
		if lane.hot {
			l.poke()
		}
		if len(a.waiters) > 0 {
			asks = append(asks, a)
		}
	}
	return asks
}

// round makes one call and hands out what it granted.
func (l *leaser) round(all bool) int {
	asks := l.take(all)
	if len(asks) == 0 {
		return 0
	}
	begun := time.Now()
	granted, err := l.call(asks)
	total := 0
	for i, a := range asks {
		var leases []queue.Lease
		if err == nil {
			leases = granted[i]
			for j := range leases {
				leases[j].Until = begun.Add(a.ttl)
			}
			total += len(leases)
		}
		l.hand(a, leases, err)
	}
	return total
}

// hand shares out the leases of a lane: everybody gets one before anybody gets
// a second. Who got none waits on.
func (l *leaser) hand(a ask, leases []queue.Lease, err error) {
	if err != nil {
		for _, w := range a.waiters {
			w.err = err
			close(w.answer)
		}
		return
	}
	full := len(leases) >= a.max
	for len(leases) > 0 {
		left := len(leases)
		for _, w := range a.waiters {
			if len(leases) > 0 && len(w.got) < w.want.Max {
				w.got = append(w.got, leases[0])
				leases = leases[1:]
			}
		}
		if len(leases) == left {
			break
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var back []*waiter
	for _, w := range a.waiters {
		if len(w.got) == 0 && !w.once {
			w.taken = false
			back = append(back, w)
		}
	}
	if len(back) > 0 || full {
		lane := l.lanes[a.lane]
		if lane == nil && len(back) > 0 {
			lane = &laneWait{}
			l.lanes[a.lane] = lane
		}
		if lane != nil {
			lane.waiters = append(back, lane.waiters...)
			l.count += len(back)
		}
	}
	if lane := l.lanes[a.lane]; lane != nil && len(lane.waiters) == 0 {
		delete(l.lanes, a.lane)
	}
	for _, w := range a.waiters {
		if w.taken {
			close(w.answer)
		}
	}
}
