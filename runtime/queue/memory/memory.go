// Package memory is a queue.Driver that keeps everything in memory: for tests,
// rehearsals and simulations. It is durable at no level, writes nothing and
// starts no goroutine, so it runs inside a testing/synctest bubble.
//
// Bodies are kept as they were handed over, without a copy: nobody may change
// the bytes of a body after Apply, nor those of a lease.
package memory

import (
	"context"
	"fmt"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/internal/signal"
	"crossdock/runtime/queue/schedule"
)

// Options of a store in memory.
type Options struct {
	KeepHistory time.Duration // how long history is kept; 0 = as long as the store
}

// record is what the index does not keep of a job.
type record struct {
	queue.Job
	enqueued time.Time
	reason   string
	group    string
}

type known struct {
	id      string
	digest  string
	expires time.Time // zero = never
}

type value struct {
	queue.Value
	expires time.Time
}

type store struct {
	opts Options
	x    *schedule.Index
	wake signal.Board

	// What follows is guarded by the lock of x.
	closed  bool
	seq     uint64
	jobs    map[schedule.Slot]*record
	dedupe  map[string]known
	state   map[string]value
	history history
	ending  expiries
}

// Open returns an empty store.
func Open(opts Options) queue.Driver {
	return &store{
		opts: opts, x: schedule.New(0), jobs: map[schedule.Slot]*record{},
		dedupe: map[string]known{}, state: map[string]value{}, history: newHistory(),
	}
}

func (s *store) lock() (unlock func(), err error) {
	s.x.Lock()
	if s.closed {
		s.x.Unlock()
		return nil, queue.ErrClosed
	}
	return s.x.Unlock, nil
}

func (s *store) find(id string) schedule.Slot {
	return s.x.Find(s.x.Hash(id), func(at schedule.Slot) bool { return s.jobs[at].ID == id })
}

// Lease implements queue.Driver.
func (s *store) Lease(ctx context.Context, w queue.Want) ([]queue.Lease, error) {
	grants, err := s.x.Lease(ctx, w)
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	s.x.Lock()
	defer s.x.Unlock()
	out := make([]queue.Lease, 0, len(grants))
	for _, g := range grants {
		if !s.x.Holds(g.Slot, g.Epoch) {
			continue // swept since it was granted
		}
		r := s.jobs[g.Slot]
		l := queue.Lease{
			Job: r.Job, Slot: uint64(g.Slot), Epoch: g.Epoch, Until: g.Until,
			Attempts: g.Attempts, Crashes: g.Crashes, Enqueued: r.enqueued,
		}
		l.Fresh, l.Again = nil, nil
		out = append(out, l)
	}
	return out, nil
}

// Extend implements queue.Driver.
func (s *store) Extend(_ context.Context, ls []queue.Lease, ttl time.Duration) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	unlock()
	until := time.Now().Add(ttl)
	for _, l := range ls {
		if !s.x.Extend(schedule.Slot(l.Slot), l.Epoch, until) {
			err = queue.ErrLeaseLost
		}
	}
	return err
}

// Get implements queue.Driver.
func (s *store) Get(_ context.Context, keys ...string) ([]queue.Value, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	out := make([]queue.Value, len(keys))
	for i, key := range keys {
		out[i] = queue.Value{Key: key}
		if v, ok := s.value(key); ok {
			out[i] = v.Value
			if !v.expires.IsZero() {
				out[i].Left = time.Until(v.expires)
			}
		}
	}
	return out, nil
}

// value returns a state value that has not outlived its time.
func (s *store) value(key string) (value, bool) {
	v, ok := s.state[key]
	if ok && !v.expires.IsZero() && !v.expires.After(time.Now()) {
		return value{}, false
	}
	return v, ok
}

// Watch implements queue.Driver.
func (s *store) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	unlock()
	return s.wake.Watch(ctx, key), nil
}

// Check implements queue.Driver.
func (s *store) Check(context.Context) ([]queue.Finding, error) {
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	unlock()
	return []queue.Finding{{
		Message: "the store is in memory: everything in it is gone when the process ends",
		Hint:    "name a directory or a Redis server as the store to keep messages",
	}}, nil
}

// Close implements queue.Driver.
func (s *store) Close() error {
	s.x.Lock()
	s.closed = true
	s.x.Unlock()
	s.x.Close(queue.ErrClosed)
	s.wake.Close()
	return nil
}

// Sweep implements queue.Driver.
func (s *store) Sweep(_ context.Context, now time.Time) (queue.Swept, error) {
	unlock, err := s.lock()
	if err != nil {
		return queue.Swept{}, err
	}
	s.forget(now)
	unlock()
	var out queue.Swept
	for more := true; more; {
		var due int
		var crashed []schedule.Crash
		due, crashed, out.Next, more = s.x.Sweep(now, 1000)
		out.Due += due
		out.Expired += len(crashed)
	}
	return out, nil
}

// forget drops what outlived its time.
func (s *store) forget(now time.Time) {
	for {
		key, state, ok := s.ending.pop(now)
		if !ok {
			break
		}
		if state {
			if v := s.state[key]; !v.expires.IsZero() && !v.expires.After(now) {
				delete(s.state, key)
			}
		} else if k := s.dedupe[key]; !k.expires.IsZero() && !k.expires.After(now) {
			delete(s.dedupe, key)
		}
	}
	if s.opts.KeepHistory > 0 {
		s.history.forget(now.Add(-s.opts.KeepHistory))
	}
}

// Browse implements queue.Driver.
func (s *store) Browse(_ context.Context, q queue.Query) (queue.Page, error) {
	unlock, err := s.lock()
	if err != nil {
		return queue.Page{}, err
	}
	switch q.View {
	case queue.Lanes, queue.Jobs:
		unlock()
		return s.browseJobs(q)
	case queue.ByID:
		defer unlock()
		if at := s.find(q.ID); at != 0 {
			return queue.Page{Jobs: []queue.JobInfo{s.info(s.x.At(at), q.Bodies)}}, nil
		}
		return queue.Page{}, nil
	case queue.ByRef, queue.ByMsg, queue.Recent, queue.Counters:
		defer unlock()
		return s.history.browse(q)
	default:
		unlock()
		return queue.Page{}, fmt.Errorf("view %d does not exist", q.View)
	}
}
