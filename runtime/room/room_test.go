package room_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/room"
)

func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := room.New(100)
		if err := r.Enter(t.Context(), 60); err != nil {
			t.Fatal(err)
		}
		if !r.Try(40) || r.Try(1) {
			t.Error("there are 100 bytes")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Enter(ctx, 1); err == nil {
			t.Error("more than there is was given")
		}
		entered := make(chan struct{})
		go func() {
			if err := r.Enter(context.Background(), 1000); err != nil {
				t.Error(err)
			}
			close(entered)
		}()
		synctest.Wait()
		r.Leave(60)
		synctest.Wait()
		select {
		case <-entered:
			t.Error("the largest is not alone")
		default:
		}
		r.Leave(40)
		<-entered
		if r.Try(1) {
			t.Error("the largest is not alone")
		}
		r.Leave(1000)
		if !r.Try(100) {
			t.Error("not all came back")
		}
	})
}

func TestNoBounds(t *testing.T) {
	r := room.New(0)
	if err := r.Enter(t.Context(), 1<<40); err != nil || !r.Try(1<<40) {
		t.Error("nil has bounds")
	}
	r.Leave(1 << 40)
}
