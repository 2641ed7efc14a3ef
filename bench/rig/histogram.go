package rig

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Histogram counts durations in steps of less than one percent. It is safe for
// concurrent use and stays the same size however many there are.
type Histogram struct {
	n       atomic.Int64
	buckets [64 << fine]atomic.Int64
}

const fine = 7 // bits of a duration that are kept below its highest one

// Add counts one duration; one below nothing counts as nothing.
func (h *Histogram) Add(d time.Duration) {
	h.n.Add(1)
	h.buckets[bucket(max(0, d))].Add(1)
}

func bucket(d time.Duration) int {
	high := bits.Len64(uint64(d))
	if high <= fine {
		return int(d)
	}
	shift := high - fine - 1
	return (shift+1)<<fine + int(uint64(d)>>shift) - 1<<fine
}

// least is the smallest duration of a bucket.
func least(bucket int) time.Duration {
	if bucket < 1<<fine {
		return time.Duration(bucket)
	}
	shift := bucket>>fine - 1
	return time.Duration(bucket&(1<<fine-1)+1<<fine) << shift
}

// Count returns how many durations there are.
func (h *Histogram) Count() int64 { return h.n.Load() }

// Quantile returns the duration below which the share q lies, 0 of nothing.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.n.Load()
	if n == 0 {
		return 0
	}
	left := min(int64(q*float64(n)), n-1)
	for i := range h.buckets {
		if left -= h.buckets[i].Load(); left < 0 {
			return least(i)
		}
	}
	return least(len(h.buckets) - 1)
}
