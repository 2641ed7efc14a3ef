package runtime

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestManyReloadsAreTidiedOnce holds the giving back of memory, which requests
// would feel, to a time when nothing is loaded.
func TestManyReloadsAreTidiedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		loaded, ended := make(chan struct{}, 1), make(chan struct{})
		var times atomic.Int64
		go func() { defer close(ended); tidy(ctx, loaded, func() { times.Add(1) }) }()
		for _, want := range []int64{1, 2} {
			for range 100 {
				loaded <- struct{}{}
				time.Sleep(quiet / 10)
				synctest.Wait()
			}
			if n := times.Load(); n != want-1 {
				t.Errorf("tidied %d times while definitions were loaded", n)
			}
			time.Sleep(10 * quiet)
			synctest.Wait()
			if n := times.Load(); n != want {
				t.Errorf("tidied %d times, not %d", n, want)
			}
		}
		stop()
		<-ended
	})
}
