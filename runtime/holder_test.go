package runtime

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// commons is a store in memory that passes for one of several processes, with
// faults to be had.
type commons struct {
	queue.Driver
	mu   sync.Mutex
	fail func(c queue.Commit, did bool) error // did: asked again after the write
}

func newCommons() *commons { return &commons{Driver: memory.Open(memory.Options{})} }

// Identity implements queue.Shared.
func (*commons) Identity(context.Context) (queue.Identity, error) { return queue.Identity{}, nil }

func (s *commons) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	s.mu.Lock()
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		if err := fail(c, false); err != nil {
			return nil, err
		}
	}
	res, err := s.Driver.Apply(ctx, c)
	if fail != nil && err == nil {
		if err := fail(c, true); err != nil {
			return nil, err
		}
	}
	return res, err
}

func (s *commons) Get(ctx context.Context, keys ...string) ([]queue.Value, error) {
	s.mu.Lock()
	fail := s.fail
	s.mu.Unlock()
	if fail != nil {
		if err := fail(queue.Commit{}, false); err != nil {
			return nil, err
		}
	}
	return s.Driver.Get(ctx, keys...)
}

func (s *commons) breakWith(f func(c queue.Commit, did bool) error) {
	s.mu.Lock()
	s.fail = f
	s.mu.Unlock()
}

func newTestHolder(d queue.Driver, id string) *holder {
	h := newHolder(d, 10*time.Second, slog.New(slog.DiscardHandler))
	h.id = id
	return h
}

// shifts notes who worked when.
type shifts struct {
	mu   sync.Mutex
	list []string
	now  int
	most int // at the same time
}

func (s *shifts) begin(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, who)
	s.now++
	s.most = max(s.most, s.now)
}

func (s *shifts) end() { s.mu.Lock(); s.now--; s.mu.Unlock() }

func (s *shifts) all() []string { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.list) }

func TestOneHolderAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s := newCommons(), &shifts{}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		ends := map[string]context.CancelFunc{}
		for _, id := range []string{"a", "b", "c"} {
			h := newTestHolder(store, id)
			mine, cancel := context.WithCancel(ctx)
			ends[id] = cancel
			wg.Go(func() {
				err := h.during(mine, "cron", func(ctx context.Context, _ worker.Apply) error {
					s.begin(id)
					defer s.end()
					<-ctx.Done()
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Hour)
		if got := s.all(); len(got) != 1 {
			t.Fatalf("in an hour %v held it, want one of them", got)
		}
		first := s.all()[0]
		began := time.Now()
		ends[first]() // a graceful end gives it back
		for len(s.all()) < 2 {
			time.Sleep(100 * time.Millisecond)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("taken over %v after it was given back", took)
		}
		stop()
		wg.Wait()
		if s.most != 1 {
			t.Errorf("%d held it at the same time", s.most)
		}
	})
}

// A holder that is gone without a word is followed within its time and two
// seconds, and finds its writes refused when it wakes up.
func TestZombieIsFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCommons()
		a, b := newTestHolder(store, "a"), newTestHolder(store, "b")
		old, err := a.take(t.Context(), "holder/cron")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now() // from here on a does not renew: it is stopped
		next, err := b.take(t.Context(), "holder/cron")
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("taken over after %v, want 10 to 12 s", took)
		}
		fire := func(id string) queue.Commit {
			return queue.Commit{Jobs: []queue.Job{{ID: id, Lane: "in/p", Body: []byte("x")}}}
		}
		if _, err := old.apply(t.Context(), fire("zombie")); !errors.Is(err, errNotHolder) || !old.gone() {
			t.Errorf("the zombie was answered %v, lost %v", err, old.gone())
		}
		if _, err := next.apply(t.Context(), fire("next")); err != nil {
			t.Errorf("the holder was refused: %v", err)
		}
		page, err := store.Browse(t.Context(), queue.Query{View: queue.Jobs})
		if err != nil || len(page.Jobs) != 1 || page.Jobs[0].ID != "next" {
			t.Errorf("in the store are %+v, %v; want only what the holder wrote", page.Jobs, err)
		}
	})
}

// A holder that was stopped for long goes on where nobody took over.
func TestLateHolderGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newCommons()
		tenure, err := newTestHolder(store, "a").take(t.Context(), "holder/cron")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := tenure.apply(t.Context(), queue.Commit{}); err != nil {
			t.Errorf("refused although nobody else came: %v", err)
		}
	})
}

// The answer of a write is lost. Whether it was carried out is found out before
// the next, and it is not taken for that of another holder.
func TestHolderAfterALostAnswer(t *testing.T) {
	for name, carriedOut := range map[string]bool{"carried out": true, "not carried out": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newCommons()
				tenure, err := newTestHolder(store, "a").take(t.Context(), "holder/cron")
				if err != nil {
					t.Fatal(err)
				}
				store.breakWith(func(_ queue.Commit, did bool) error {
					if did == carriedOut {
						return errors.New("no answer")
					}
					return nil
				})
				if _, err := tenure.apply(t.Context(), queue.Commit{}); err == nil {
					t.Fatal("the fault did not fire")
				}
				store.breakWith(nil)
				for range 2 {
					if _, err := tenure.apply(t.Context(), queue.Commit{}); err != nil {
						t.Errorf("after a lost answer: %v", err)
					}
				}
			})
		})
	}
}

// While the store is away nobody takes over; when it is back, the holder has
// the time of a lease to renew.
func TestHolderOverAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, s := newCommons(), &shifts{}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, id := range []string{"a", "b"} {
			h := newTestHolder(store, id)
			wg.Go(func() {
				_ = h.during(ctx, "cron", func(ctx context.Context, _ worker.Apply) error {
					s.begin(id)
					defer s.end()
					<-ctx.Done()
					return nil
				})
			})
		}
		time.Sleep(time.Minute)
		store.breakWith(func(queue.Commit, bool) error { return errors.New("down") })
		time.Sleep(time.Minute)
		store.breakWith(nil)
		time.Sleep(time.Minute)
		stop()
		wg.Wait()
		if s.most != 1 {
			t.Errorf("%d held it at the same time", s.most)
		}
	})
}
