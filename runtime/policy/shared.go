package policy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"crossdock/runtime/queue"
)

// sharedBucket spreads calls evenly over all replicas that use one store. Each
// takes the right to a few calls in advance, about a tenth of a second's worth,
// by moving the time of the next call in the store. That time is how long the
// value is kept there, less bucketSlack, so the clocks of the replicas may
// disagree.
type sharedBucket struct {
	store    Store
	key      string
	interval time.Duration
	advance  int

	left int
	next time.Time // of what was taken in advance
}

// bucketSlack is how long the store knows a bucket after the time of its next
// call.
const bucketSlack = time.Hour

// newSharedBucket returns a bucket of n calls in per, kept under a key.
func newSharedBucket(store Store, key string, n int, per time.Duration) *sharedBucket {
	interval := per / time.Duration(n)
	return &sharedBucket{store: store, key: key, interval: interval, advance: int(min(max(100*time.Millisecond/max(interval, 1), 1), 1000))}
}

// take implements source. Pacer calls it one at a time.
func (b *sharedBucket) take(ctx context.Context, now time.Time) time.Duration {
	if b.left == 0 {
		if wait := b.refill(ctx); wait > 0 {
			return wait
		}
	}
	if wait := b.next.Sub(now); wait > 0 {
		return wait
	}
	b.left--
	b.next = b.next.Add(b.interval)
	return 0
}

// refill takes the next few calls from the store, and returns how long to wait
// where that did not work.
func (b *sharedBucket) refill(ctx context.Context) time.Duration {
	const again = 500 * time.Millisecond // the store is away: nothing can be delivered anyway
	for range 10 {
		values, err := b.store.Get(ctx, b.key)
		if err != nil {
			return again
		}
		asked := time.Now()
		wait := b.ahead(values[0])
		kept := wait + time.Duration(b.advance)*b.interval + bucketSlack
		whole := (kept + time.Millisecond - 1).Truncate(time.Millisecond) // as the store counts
		_, err = b.store.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: b.key, Version: values[0].Version,
			Value: fmt.Appendf(nil, "%d/%d", whole-kept, b.interval), TTL: whole}}})
		if errors.Is(err, queue.ErrVersion) {
			continue
		}
		if err != nil {
			return again
		}
		b.left, b.next = b.advance, asked.Add(wait)
		return 0
	}
	return b.interval
}

// ahead reads how long it is until the next call that nobody has taken. Beside
// the time that it is kept, the value holds by how many nanoseconds that is
// rounded up, and the interval by which the time was moved. Calls that were
// taken at a slower rate, before a reload raised it, keep the others waiting
// only as long as so many of them take now.
func (b *sharedBucket) ahead(v queue.Value) time.Duration {
	rounded, by, _ := strings.Cut(string(v.Data), "/")
	more, err := strconv.ParseInt(rounded, 10, 64)
	ahead := v.Left - bucketSlack - time.Duration(more)
	if err != nil || ahead <= 0 {
		return 0
	}
	if was, err := strconv.ParseInt(by, 10, 64); err == nil && was > int64(b.interval) {
		ahead = time.Duration(float64(ahead) / float64(was) * float64(b.interval))
	}
	return ahead
}
