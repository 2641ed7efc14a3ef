package redis

import (
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// TestTimesAreToldAsDistances: no time of a replica's clock goes to Redis, which
// would hold it against its own.
func TestTimesAreToldAsDistances(t *testing.T) {
	const hour = int64(time.Hour / time.Microsecond)
	near := func(what string, got any, want int64) {
		t.Helper()
		if us, ok := got.(int64); !ok || us > want || us < want-hour/2 {
			t.Errorf("%s: %v, want about %d microseconds", what, got, want)
		}
	}
	var e encoder
	e.reset()
	e.finish(&queue.Finish{Outcome: queue.Retry, At: time.Now().Add(time.Hour)})
	near("a pause", e.args[6], hour)
	e.reset()
	e.job(&queue.Job{ID: "a", NotBefore: time.Now().Add(-time.Hour)}, 1, nil)
	near("a job that is due", e.args[7], -hour)
	e.reset()
	e.job(&queue.Job{ID: "a"}, 1, nil)
	near("a job without a time", e.args[7], 0)
}
