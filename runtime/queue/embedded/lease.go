package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// Lease implements queue.Driver.
func (s *store) Lease(ctx context.Context, w queue.Want) ([]queue.Lease, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if !s.commits.enter() {
		return nil, queue.ErrClosed
	}
	defer s.commits.leave()
	grants, err := s.x.Lease(ctx, w)
	if err != nil || len(grants) == 0 {
		return nil, err
	}
	seqs := make([]uint64, len(grants))
	for i, g := range grants {
		seqs[i] = g.Seq
	}
	if err := s.cells.begin(seqs); err != nil {
		s.opts.Logger.Warn("the store cannot note leases; a crash would not be counted", "error", err)
	}
	out := make([]queue.Lease, 0, len(grants))
	for _, g := range grants {
		l := queue.Lease{Slot: uint64(g.Slot), Epoch: g.Epoch, Until: g.Until, Attempts: g.Attempts, Crashes: g.Crashes}
		c, hint := s.cache.take(g.Seq)
		var err error
		if c == nil {
			c, err = s.job(g.Seq, g.Marks)
		}
		switch {
		case err != nil:
			s.quarantine(g, err)
			continue
		case c == nil: // swept and finished since it was granted
			continue
		}
		c.lease(&l, hint)
		out = append(out, l)
	}
	return out, nil
}

// job reads a job; nil when it is gone.
func (s *store) job(seq uint64, marks uint8) (*cached, error) {
	if c := s.cache.get(seq); c != nil {
		return c, nil
	}
	raw, err := s.kv.get(numKey(keyJob, seq))
	if err != nil || raw == nil {
		return nil, s.reading(err)
	}
	h, err := readHeader(raw)
	if err != nil {
		return nil, s.damaged(err, fmt.Sprintf("job number %d", seq))
	}
	body, err := s.body(seq, marks, h)
	if err != nil {
		return nil, err
	}
	return newCached(&h.job, body, h.enqueued), nil
}

// body reads the body of a job whose header is known.
func (s *store) body(seq uint64, marks uint8, h header) ([]byte, error) {
	var raw []byte
	var err error
	if marks&markOther != 0 {
		// It is missing for the moment between the mark and the write.
		raw, err = s.kv.get(numKey(keyOther, seq))
	}
	if raw == nil && err == nil {
		if h.inline {
			return h.job.Body, nil
		}
		raw, err = s.kv.get(numKey(keyBody, seq))
	}
	if err != nil {
		return nil, s.reading(err)
	}
	if raw == nil {
		err = fmt.Errorf("%w: its body is missing", errDamaged)
	}
	var body []byte
	if err == nil {
		body, err = unseal(raw)
	}
	return body, s.damaged(err, "job "+h.job.ID)
}

// quarantine takes a job that cannot be read out of the way of its workers. One
// that is damaged is parked, so that people see it and its key waits; after any
// other error it is tried again a little later.
func (s *store) quarantine(g schedule.Grant, cause error) {
	v := schedule.Verdict{Outcome: queue.Retry, Attempts: g.Attempts, At: time.Now().Add(5 * time.Second)}
	if errors.Is(cause, errDamaged) || pebble.IsCorruptionError(cause) {
		v = schedule.Verdict{Outcome: queue.Park, Attempts: g.Attempts, Note: cause.Error()}
	}
	s.noteEnd(g.Seq, false)
	s.x.Lock()
	defer s.x.Unlock()
	if s.x.Holds(g.Slot, g.Epoch) {
		s.x.Finish(g.Slot, v, time.Now())
	}
}

// noteEnd notes that a job is no longer leased.
func (s *store) noteEnd(seq uint64, gone bool) {
	if err := s.cells.end(seq, gone); err != nil {
		s.opts.Logger.Warn("the store cannot note the end of a lease; it may count as a crash", "error", err)
	}
}

// Extend implements queue.Driver.
func (s *store) Extend(_ context.Context, ls []queue.Lease, ttl time.Duration) error {
	if err := s.usable(); err != nil {
		return err
	}
	var err error
	until := time.Now().Add(ttl)
	for _, l := range ls {
		if !s.x.Extend(schedule.Slot(l.Slot), l.Epoch, until) {
			err = queue.ErrLeaseLost
		}
	}
	return err
}
