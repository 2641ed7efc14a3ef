package worker

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSlots(8)
		if n := s.take(ctx); n != 8 {
			t.Fatalf("took %d of eight", n)
		}
		took := make(chan int)
		take := func() { took <- s.take(ctx) }
		go take()
		synctest.Wait()
		select {
		case n := <-took:
			t.Fatalf("took %d, there were none", n)
		default:
		}
		s.leave(3)
		if n := <-took; n != 3 {
			t.Errorf("took %d, three had come back", n)
		}
		s.limit(2) // five and three are in use: two may be
		go take()
		synctest.Wait()
		s.leave(6)
		synctest.Wait()
		select {
		case n := <-took:
			t.Fatalf("took %d while two were in use", n)
		default:
		}
		s.leave(1)
		if n := <-took; n != 1 {
			t.Errorf("took %d, one was to be used", n)
		}
		s.limit(8)
		if n := s.take(ctx); n != 6 {
			t.Errorf("took %d, six were shut", n)
		}
		go take()
		cancel()
		if n := <-took; n != 0 {
			t.Errorf("took %d after the end", n)
		}
	})
}
