package embedded

import (
	"context"
	"sync"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// sweeper remembers how far tidying has come.
type sweeper struct {
	mu     sync.Mutex
	pruned time.Time // when history was looked at last
}

const (
	sweepJobs   = 1000 // jobs moved under one lock of the index
	sweepKeys   = 2000 // keys forgotten by one Sweep
	sweepBlocks = 200  // batches of history forgotten by one Sweep
)

// Sweep implements queue.Driver. Jobs are moved completely; forgetting takes
// several calls when there is much to forget.
func (s *store) Sweep(ctx context.Context, now time.Time) (queue.Swept, error) {
	var out queue.Swept
	if !s.commits.enter() {
		return out, queue.ErrClosed
	}
	defer s.commits.leave()
	if err := s.usable(); err != nil {
		return out, err
	}
	s.sweeper.mu.Lock()
	defer s.sweeper.mu.Unlock()
	s.sieve.forget(now)
	var crashed []crash
	for more := true; more; {
		var due int
		var c []schedule.Crash
		due, c, out.Next, more = s.x.Sweep(now, sweepJobs)
		out.Due += due
		out.Expired += len(c)
		for _, c := range c {
			crashed = append(crashed, crash{c.Slot, c.Seq, c.Crashes})
			s.noteEnd(c.Seq, false)
		}
	}
	r := &request{own: true, now: now, seen: s.visible.Load(), done: make(chan struct{}), crashed: crashed}
	var ends [][]byte
	var err error
	if r.wipe, ends, err = s.ended(now); err != nil {
		return out, err
	}
	var marks [][]byte
	if r.timed, marks, err = s.outlived(now); err != nil {
		return out, err
	}
	if len(r.wipe)+len(r.timed)+len(r.crashed) > 0 {
		s.commits.submit(r)
		<-r.done
		if r.err != nil {
			return out, r.err
		}
	}
	if err := s.tidy(append(ends, marks...)); err != nil {
		return out, err
	}
	if s.opts.KeepHistory > 0 && now.Sub(s.sweeper.pruned) >= time.Second {
		more, err := s.pruneHistory(now, sweepBlocks)
		if err != nil {
			return out, err
		}
		if !more {
			s.sweeper.pruned = now
		}
	}
	return out, ctx.Err()
}

// ended lists idempotency keys whose time is over, and the records that tell.
func (s *store) ended(now time.Time) (keys []string, records [][]byte, err error) {
	var candidates []string
	err = s.kv.scan([]byte{keyEnding}, numKey(keyEnding, uint64(now.Unix())), false, func(k, v []byte) bool {
		if len(candidates) >= sweepKeys {
			return false
		}
		b, err := unseal(v)
		if s.damaged(err, "a record of idempotency keys that end") != nil {
			return true
		}
		for r := (reader{b: b}); len(r.b) > 0; {
			candidates = append(candidates, r.text())
		}
		records = append(records, append([]byte(nil), k...))
		return true
	})
	if err != nil {
		return nil, nil, s.reading(err)
	}
	for _, key := range candidates {
		k, err := s.lookup(key)
		if err == nil && k.id != "" && !k.alive(now) {
			keys = append(keys, key)
		}
	}
	return keys, records, nil
}

// outlived lists state keys whose time is over, and the records that tell.
func (s *store) outlived(now time.Time) (keys []string, records [][]byte, err error) {
	err = s.kv.scan([]byte{keyTimed}, numKey(keyTimed, uint64(now.Unix())+1), false, func(k, _ []byte) bool {
		records = append(records, append([]byte(nil), k...))
		return len(records) < sweepKeys
	})
	if err != nil {
		return nil, nil, s.reading(err)
	}
	for _, k := range records {
		key := string(k[9:])
		v, err := s.value(key)
		if err == nil && v.version != 0 && !v.alive(now) {
			keys = append(keys, key)
		}
	}
	return keys, records, nil
}

// tidy deletes records that have done their duty.
func (s *store) tidy(records [][]byte) error {
	if len(records) == 0 {
		return nil
	}
	b := s.kv.batch()
	for _, k := range records {
		b.del(k)
	}
	wait, err := s.kv.write(b)
	if err == nil {
		err = wait()
	}
	if err != nil {
		return queue.ErrFailed
	}
	return nil
}
