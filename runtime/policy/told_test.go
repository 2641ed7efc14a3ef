package policy

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

// pair are the guards of one connection on two replicas.
func pair(t *testing.T, trip Trip) (a, b *Guard) {
	store := memory.Open(memory.Options{})
	t.Cleanup(func() { store.Close() })
	l := Limits{Name: "tms", Operations: []string{"create", "other"}, Concurrency: 8, Trip: trip, Store: store, Shared: true}
	return NewGuard(l), NewGuard(l)
}

func enter(t *testing.T, g *Guard, op string) (Pass, *Hold) {
	t.Helper()
	p, h := g.Enter(t.Context(), Ask{Operation: op})
	if h == nil && p.g == nil {
		t.Fatal("neither a pass nor a reason")
	}
	return p, h
}

// TestPausesAreShared: what one replica was asked for holds the others, and
// they go on when one of them is answered again.
func TestPausesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, Trip{})
		p, _ := enter(t, a, "create")
		p.Pause(30 * time.Second)
		synctest.Wait()
		time.Sleep(hearEvery)
		began := time.Now()
		_, h := enter(t, b, "create")
		if h == nil || h.Kind != Throttled || h.Until.Before(began.Add(28*time.Second)) {
			t.Fatalf("the other replica is held by %+v", h)
		}
		if p, h := enter(t, b, "other"); h != nil {
			t.Errorf("another operation is held, too: %+v", h)
		} else {
			p.Leave(Answered)
		}
		time.Sleep(30 * time.Second)
		if _, h := enter(t, b, "create"); h == nil {
			t.Error("the other replica tries first")
		}
		p, h = enter(t, a, "create")
		if h != nil || !p.Tried() {
			t.Fatalf("the one that was asked does not try: %+v", h)
		}
		p.Leave(Answered)
		synctest.Wait()
		time.Sleep(hearEvery)
		if p, h = enter(t, b, "create"); h != nil {
			t.Errorf("the other replica does not hear that it works again: %+v", h)
		}
		p.Leave(Answered)
	})
}

// TestBreakersAreShared: failures that one replica counted cut all off; when
// that one is gone, the others try by themselves.
func TestBreakersAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, Trip{Failures: 2, Within: time.Minute, Probe: 10 * time.Second})
		for range 2 {
			p, _ := enter(t, a, "create")
			p.Leave(Failed)
		}
		synctest.Wait()
		time.Sleep(hearEvery)
		_, h := enter(t, b, "create")
		if h == nil || h.Kind != BreakerOpen {
			t.Fatalf("held by %+v", h)
		}
		if wait := time.Until(h.Until); wait > 10*time.Second+headStart {
			t.Errorf("the first that waits comes back after %s", wait)
		}
		time.Sleep(time.Until(h.Until))
		p, h := enter(t, b, "create")
		if h != nil || !p.Tried() {
			t.Fatalf("nobody tries where the replica that was refused is gone: %+v", h)
		}
		p.Leave(Answered)
	})
}

// slowly is a store that takes its time.
type slowly struct{ Store }

func (s slowly) Get(ctx context.Context, keys ...string) ([]queue.Value, error) {
	time.Sleep(hearMost / 2)
	return s.Store.Get(ctx, keys...)
}

// TestAllHearOfAPause: of calls that come together after a rest one asks what the
// others know, and none goes on before the answer is there.
func TestAllHearOfAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		t.Cleanup(func() { store.Close() })
		l := Limits{Name: "tms", Operations: []string{"create"}, Concurrency: 8, Store: slowly{store}, Shared: true}
		a, b := NewGuard(l), NewGuard(l)
		p, _ := enter(t, a, "create")
		p.Pause(30 * time.Second)
		time.Sleep(time.Minute / 6)
		passed := make(chan bool)
		for range 8 {
			go func() {
				p, h := b.Enter(t.Context(), Ask{Operation: "create"})
				if h == nil {
					p.Leave(Answered)
				}
				passed <- h == nil
			}()
			time.Sleep(time.Millisecond)
		}
		for range 8 {
			if <-passed {
				t.Error("a call was made in the pause")
			}
		}
	})
}

// slow is a store that answers nobody in time.
type slow struct{ Store }

func (slow) Get(ctx context.Context, _ ...string) ([]queue.Value, error) {
	<-ctx.Done()
	return nil, errors.New("too late")
}

// TestASlowStoreHoldsNobody: what cannot be heard is not waited for.
func TestASlowStoreHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGuard(Limits{Name: "tms", Operations: []string{"create"}, Concurrency: 8, Store: slow{}, Shared: true})
		began := time.Now()
		for range 100 {
			p, h := enter(t, g, "create")
			if h != nil {
				t.Fatalf("held: %+v", h)
			}
			p.Leave(Answered)
		}
		if took := time.Since(began); took > hearMost {
			t.Errorf("a hundred calls waited %s", took)
		}
	})
}

// TestDistancesAreTold: pauses and rates are told as how long a value is kept, so
// the clock of who wrote it does not matter to who reads it.
func TestDistancesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		t.Cleanup(func() { store.Close() })
		l := Limits{Name: "tms", Operations: []string{"create"}, Concurrency: 8, Rate: 1, Per: time.Minute, Store: store, Shared: true}
		p, _ := enter(t, NewGuard(l), "create")
		p.Pause(30 * time.Second)
		synctest.Wait()
		time.Sleep(10 * time.Second)
		values, err := store.Get(t.Context(), "circuit/tms.create", "rate/tms")
		if err != nil {
			t.Fatal(err)
		}
		if v := values[0]; v.Left != 20*time.Second+noticeSlack {
			t.Errorf("the pause is told with %s left", v.Left)
		}
		if v := values[1]; v.Left != 50*time.Second+bucketSlack {
			t.Errorf("the next call is told with %s left", v.Left)
		}
		// Another replica finds nothing in them but that.
		was := time.Now()
		b := newSharedBucket(store, "rate/tms", 1, time.Minute)
		if wait := b.take(t.Context(), was); wait != 50*time.Second {
			t.Errorf("the next call of another replica is due in %s", wait)
		}
	})
}
