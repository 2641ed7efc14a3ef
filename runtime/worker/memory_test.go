package worker

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

func laneOf(w *Worker, name string) *lane {
	w.lane(name)
	return w.lanes[name]
}

// TestLeasesFitTheMemory: how many messages are leased at once follows their
// size, from few on.
func TestLeasesFitTheMemory(t *testing.T) {
	d := memory.Open(memory.Options{})
	defer d.Close()
	leased := func(n, size int) []queue.Lease {
		ls := make([]queue.Lease, n)
		for i := range ls {
			ls[i].Body = make([]byte, size)
		}
		return ls
	}
	w := New(d, nil, journal.NewMeter(), Options{Memory: 128 << 20}) // 1 MiB for messages
	l := laneOf(w, "in/p")
	if n := l.most(512); n != 16 {
		t.Errorf("%d at the start", n)
	}
	for range 10 {
		l.grow(leased(l.most(512), 1000))
	}
	if n := l.most(2000); n != 512 {
		t.Errorf("%d small ones", n)
	}
	l.grow(leased(4, 300_000))
	if n := l.most(512); n != 3 {
		t.Errorf("%d of 300 KB, where 1 MiB is for all", n)
	}
	l.grow(leased(2, 5_000_000))
	if n := l.most(512); n != 1 {
		t.Errorf("%d of 5 MB", n)
	}
	l.grow(nil)
	if n := laneOf(New(d, nil, journal.NewMeter(), Options{}), "in/p").most(512); n != 512 {
		t.Errorf("%d without bounds", n)
	}
}

// TestSendersWaitForMemory: they wait for a while, and are then told to come
// later; the messages of one lane leave memory to those of others.
func TestSendersWaitForMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := memory.Open(memory.Options{})
		defer d.Close()
		w := New(d, nil, journal.NewMeter(), Options{Memory: 128 << 20})
		if err := w.enter(t.Context(), 1<<20); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := w.enter(t.Context(), 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != senderWaits {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		w.intake.Leave(1 << 20)
		if err := w.enter(t.Context(), 1); err != nil {
			t.Error(err)
		}
		sick, well := laneOf(w, "out/sick.put"), laneOf(w, "out/well.put")
		sick.enter(t.Context(), 10<<20) // hangs
		if leave, ok := well.enter(t.Context(), 1000); !ok {
			t.Error("no memory for the other lane")
		} else {
			leave()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, ok := sick.enter(ctx, 1); ok {
			t.Error("more than its part for the lane that hangs")
		}
		if !w.work.Try(3<<18) || w.work.Try(1) {
			t.Error("the lane that hangs has more or less than a quarter")
		}
	})
}

// TestAStopReturnsWhatWaitsForMemory: what was leased and has no memory yet when
// the process stops is given back, with one write where all leases are held.
func TestAStopReturnsWhatWaitsForMemory(t *testing.T) {
	for _, lost := range []bool{false, true} {
		d := memory.Open(memory.Options{})
		defer d.Close()
		w := New(d, slog.New(slog.DiscardHandler), journal.NewMeter(), Options{Memory: 128 << 20})
		w.Use(&Live{WS: &compile.Workspace{}})
		l := laneOf(w, "in/p")
		if _, ok := l.enter(t.Context(), 10<<20); !ok { // by a message that hangs
			t.Fatal("no memory")
		}
		_, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{{ID: "1", Lane: "in/p", Body: []byte("1")}, {ID: "2", Lane: "in/p"}, {ID: "3", Lane: "in/p"}}})
		if err != nil {
			t.Fatal(err)
		}
		leased, err := d.Lease(t.Context(), queue.Want{Lane: "in/p", Max: 3, TTL: time.Minute})
		if err != nil || len(leased) != 3 {
			t.Fatal(leased, err)
		}
		w.leases.add(leased)
		if lost {
			if _, err := d.Apply(t.Context(), queue.Commit{Finish: []queue.Finish{{Lease: leased[1], Outcome: queue.Done}}}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		slots := newSlots(3)
		slots.take(t.Context())
		var wg sync.WaitGroup
		l.begin(ctx, t.Context(), leased, slots, &wg)
		wg.Wait()
		page, err := d.Browse(t.Context(), queue.Query{View: queue.Lanes})
		if err != nil || len(page.Lanes) != 1 || page.Lanes[0].Leased != 0 || page.Lanes[0].Ready != map[bool]int{false: 3, true: 2}[lost] {
			t.Errorf("one lost: %v: %+v, %v", lost, page.Lanes, err)
		}
		if n := slots.take(t.Context()); n != 3 || len(w.leases.held) != 0 {
			t.Errorf("one lost: %v: %d places are free, %d leases held", lost, n, len(w.leases.held))
		}
	}
}
