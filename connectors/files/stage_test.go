package files_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/runtime/message"
)

// ahead is a channel whose messages can be made ready ahead.
type ahead struct {
	*connectortest.Queue
	mu     sync.Mutex
	staged int // batches that are ready and not stored
	most   int
	fail   int // Send of that many batches fails once
}

type ready struct {
	a *ahead
	m []message.Message
}

func (a *ahead) Stage(_ context.Context, m ...message.Message) (connectors.Staged, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.staged++
	a.most = max(a.most, a.staged)
	return &ready{a, m}, nil
}

func (r *ready) Send(ctx context.Context) ([]connectors.Receipt, error) {
	time.Sleep(time.Millisecond) // of the bubble: the disk
	r.a.mu.Lock()
	r.a.staged--
	failed := r.a.fail > 0
	if failed {
		r.a.fail--
	}
	r.a.mu.Unlock()
	if failed {
		return nil, errors.New("store down")
	}
	return r.a.Queue.Send(ctx, r.m...)
}

// TestStagedAhead: while a batch is being stored the next is made ready, and
// they are stored in order all the same, also when one has to be tried again.
func TestStagedAhead(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		text.WriteString("k\n")
		var want []string
		for i := range 100 {
			fmt.Fprintln(&text, i)
			want = append(want, fmt.Sprintf(`{"k":"%d"}`, i))
		}
		put(t, dir, "in/a.csv", text.String())
		a := &ahead{Queue: &connectortest.Queue{}, fail: 3}
		c := config(dir, connectortest.NewState())
		c.Batch = 10
		run(t, c, a, time.Minute)
		if !slices.Equal(a.Raws(), want) {
			t.Errorf("got %v", a.Raws())
		}
		if a.most < 2 || a.most > 4 {
			t.Errorf("%d batches were ready at a time", a.most)
		}
	})
}
