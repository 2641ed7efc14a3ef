package worker

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

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
		well.enter(t.Context(), 1000)()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		sick.enter(ctx, 1)() // gives nothing back: it had nothing
		if !w.work.Try(3<<18) || w.work.Try(1) {
			t.Error("the lane that hangs has more or less than a quarter")
		}
	})
}
