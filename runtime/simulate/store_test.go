package simulate

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"crossdock/runtime/queue"
)

// errStore is what a store answers that cannot be reached.
var errStore = errors.New("the store did not answer")

// store is how one process sees the store: it may fail, and ends with the
// process without a word.
type store struct {
	queue.Driver
	w    *world
	no   int // of the replica
	dead atomic.Bool
	end  context.CancelFunc
	life context.Context
}

func newStore(w *world, no int) *store {
	life, end := context.WithCancel(context.Background())
	return &store{Driver: w.driver, w: w, no: no, life: life, end: end}
}

// kill cuts the process off: what it asks from now on has no effect.
func (s *store) kill() {
	s.dead.Store(true)
	s.end()
}

// before is what happens on the way to the store.
func (s *store) before(ctx context.Context) error {
	if s.dead.Load() {
		return queue.ErrClosed
	}
	s.w.moment(200 * time.Microsecond)
	if until := s.w.active(storeStall, s.no); until > 0 {
		s.w.sleep(ctx, until)
	}
	if s.w.hit(storeSlow, s.no) {
		s.w.sleep(ctx, s.w.jitter(time.Second))
	}
	switch {
	case s.dead.Load():
		return queue.ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case s.w.hit(storeBefore, s.no):
		return errStore
	}
	return nil
}

// after is what happens on the way back of a write.
func (s *store) after(err error) error {
	s.w.moment(200 * time.Microsecond)
	switch {
	case s.dead.Load():
		return queue.ErrClosed
	case err == nil && s.w.hit(storeAfter, s.no):
		return errStore
	}
	return err
}

// Apply implements queue.Driver.
func (s *store) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	if err := s.before(ctx); err != nil {
		return nil, err
	}
	if s.w.hit(killBefore, s.no) {
		s.die()
		return nil, queue.ErrClosed
	}
	out, err := s.Driver.Apply(context.WithoutCancel(ctx), c)
	if s.w.hit(killAfter, s.no) {
		s.die()
	}
	if err = s.after(err); err != nil {
		return nil, err
	}
	return out, nil
}

// Lease implements queue.Driver. What was leased for a process that died stays
// leased until its time is over.
func (s *store) Lease(ctx context.Context, want queue.Want) ([]queue.Lease, error) {
	if err := s.before(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	out, err := s.Driver.Lease(ctx, want)
	if s.dead.Load() {
		return nil, queue.ErrClosed
	}
	return out, err
}

// Extend implements queue.Driver.
func (s *store) Extend(ctx context.Context, ls []queue.Lease, ttl time.Duration) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Driver.Extend(ctx, ls, ttl))
}

// Sweep implements queue.Driver.
func (s *store) Sweep(ctx context.Context, now time.Time) (queue.Swept, error) {
	if err := s.before(ctx); err != nil {
		return queue.Swept{}, err
	}
	swept, err := s.Driver.Sweep(ctx, time.Now())
	if swept.Expired > 0 {
		s.w.trouble(swept.Expired)
	}
	return swept, s.after(err)
}

// Get implements queue.Driver.
func (s *store) Get(ctx context.Context, keys ...string) ([]queue.Value, error) {
	if err := s.before(ctx); err != nil {
		return nil, err
	}
	return s.Driver.Get(ctx, keys...)
}

// Browse implements queue.Driver.
func (s *store) Browse(ctx context.Context, q queue.Query) (queue.Page, error) {
	if err := s.before(ctx); err != nil {
		return queue.Page{}, err
	}
	return s.Driver.Browse(ctx, q)
}

// Close implements queue.Driver: the store outlives the process.
func (s *store) Close() error {
	s.kill()
	return nil
}

// shared is a store that several processes use.
type shared struct{ *store }

// Identity implements queue.Shared.
func (s shared) Identity(ctx context.Context) (queue.Identity, error) {
	return queue.Identity{Mark: "simulated"}, s.before(ctx)
}
