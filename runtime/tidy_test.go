package runtime

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestManyReloadsAreTidiedOnce holds the giving back of memory, which requests
// would feel, to a time when nothing is loaded.
func TestManyReloadsAreTidiedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		loaded, ended, times := make(chan struct{}, 1), make(chan struct{}), 0
		go func() { defer close(ended); tidy(ctx, loaded, func() { times++ }) }()
		for _, want := range []int{1, 2} {
			for range 100 {
				loaded <- struct{}{}
				time.Sleep(quiet / 10)
				synctest.Wait()
			}
			if times != want-1 {
				t.Errorf("tidied %d times while definitions were loaded", times)
			}
			time.Sleep(10 * quiet)
			synctest.Wait()
			if times != want {
				t.Errorf("tidied %d times, not %d", times, want)
			}
		}
		stop()
		<-ended
	})
}
