package policy_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

// slowStore answers after a while.
type slowStore struct{ queue.Driver }

// Get implements policy.Store.
func (s slowStore) Get(ctx context.Context, keys ...string) ([]queue.Value, error) {
	time.Sleep(time.Minute) // the clock of the bubble
	return s.Driver.Get(ctx, keys...)
}

// TestQuotaLetsGoWhoCannotWait: one call waits for a store that is slow; another
// one behind it ends with its context, not with the store.
func TestQuotaLetsGoWhoCannotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		q := policy.NewQuota(slowStore{store}, "erp", 10, policy.Day, time.UTC, 0)
		ended := make(chan error)
		go func() {
			_, err := q.Take(context.Background(), time.Now(), queue.Normal)
			ended <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := q.Take(ctx, time.Now(), queue.Normal)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s, want the end of its context after 1s", err, time.Since(began))
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
