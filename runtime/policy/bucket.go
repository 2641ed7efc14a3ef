package policy

import "time"

// Bucket spreads calls evenly over time: one each interval, and after a quiet
// time a few at once. The zero time of next is a full bucket. It is arithmetic
// only.
type Bucket struct {
	interval time.Duration
	ahead    time.Duration // how far calls may be ahead of the even pace
	next     time.Time     // when the next call is due at the even pace
}

// NewBucket returns a bucket of n calls in per. A tenth of a second's calls may
// come at once, at least one.
func NewBucket(n int, per time.Duration) Bucket {
	interval := per / time.Duration(n)
	burst := max(100*time.Millisecond/max(interval, 1), 1)
	return Bucket{interval: interval, ahead: (burst - 1) * interval}
}

// Take takes one call and returns 0, or takes nothing and returns how long to
// wait for one.
func (b *Bucket) Take(now time.Time) time.Duration {
	if wait := b.next.Add(-b.ahead).Sub(now); wait > 0 {
		return wait
	}
	if b.next.Before(now) {
		b.next = now
	}
	b.next = b.next.Add(b.interval)
	return 0
}
