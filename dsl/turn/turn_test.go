package turn

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
)

// TestLines: one at a time, in order, those that have met a limit behind the
// others, and yet every fifth is one of them.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(1)
		var holder Turn
		if err := holder.take(s, t.Context(), true, false); err != nil {
			t.Fatal(err)
		}
		var order []int
		done := make(chan int)
		enter := func(n int, met bool) {
			go func() {
				var own Turn
				if err := own.take(s, t.Context(), false, met); err != nil {
					t.Error(err)
				}
				order = append(order, n)
				own.leave(s, 1)
				done <- n
			}()
			synctest.Wait()
		}
		enter(100, true)
		enter(101, true)
		for n := range 6 {
			enter(n, false)
		}
		if len(order) != 0 {
			t.Fatalf("%v ran beside the holder", order)
		}
		holder.leave(s, 1)
		for range 8 {
			<-done
		}
		if want := []int{0, 1, 2, 3, 100, 4, 5, 101}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

// TestLargest: of two with a turn only one is large, and the other goes on when
// it has left.
func TestLargest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(2)
		var a, b Turn
		if err := a.take(s, t.Context(), true, false); err != nil {
			t.Fatal(err)
		}
		large := false
		go func() {
			if err := b.take(s, t.Context(), false, false); err != nil {
				t.Error(err)
			}
			if err := b.take(s, t.Context(), true, false); err != nil {
				t.Error(err)
			}
			large = true
		}()
		synctest.Wait()
		if large || !b.Held() {
			t.Fatalf("held %v, large %v", b.Held(), large)
		}
		a.leave(s, 1)
		synctest.Wait()
		if !large {
			t.Error("the turn of the largest was not handed on")
		}
	})
}

// TestEnded: who stops waiting leaves the line, and no turn is lost.
func TestEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(1)
		var a, b, c Turn
		if err := a.take(s, t.Context(), false, false); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.take(s, ctx, false, true) }()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) || b.Held() {
			t.Errorf("%v, held %v", err, b.Held())
		}
		b.leave(s, 1) // holds nothing: nothing happens
		a.leave(s, 1)
		if err := c.take(s, t.Context(), true, false); err != nil || s.turns.free != 0 || s.largest.free != 0 {
			t.Errorf("%v, %d and %d are free", err, s.turns.free, s.largest.free)
		}
		c.leave(s, 1)
		if s.turns.free != 1 || s.largest.free != 1 {
			t.Errorf("%d and %d are free", s.turns.free, s.largest.free)
		}
	})
}

// TestLitter: the next one has collected what others left.
func TestLitter(t *testing.T) {
	s := newShare(1)
	for range 2 {
		var a Turn
		if err := a.take(s, t.Context(), true, false); err != nil {
			t.Fatal(err)
		}
		a.leave(s, litterMost)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var a Turn
	if err := a.take(s, t.Context(), false, false); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if after.NumGC == before.NumGC || s.litter != 0 {
		t.Errorf("%d collections, %d bytes of litter", after.NumGC-before.NumGC, s.litter)
	}
}
