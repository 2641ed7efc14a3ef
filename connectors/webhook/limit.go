package webhook

import (
	nethttp "net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound what the callers of one webhook may send; zero = no bound.
type Limits struct {
	Rate       int // messages of recognised callers in Per
	Per        time.Duration
	Concurrent int // requests at the same time
}

// leastBurst is what may come at once, however low the rate.
const leastBurst = 10

// Limiter holds Limits. It is safe for concurrent use and outlives the tables
// it is in, so that a reload gives nobody a fresh allowance.
type Limiter struct {
	limits Limits
	open   atomic.Int64

	mu    sync.Mutex
	ahead time.Time // until when the rate is used up
}

// NewLimiter returns a limiter that has let nobody through yet.
func NewLimiter(l Limits) *Limiter { return &Limiter{limits: l} }

// Limits returns the bounds that are held.
func (l *Limiter) Limits() Limits { return l.limits }

// take lets one message through, or says how long to wait.
func (l *Limiter) take(now time.Time) time.Duration {
	if l == nil || l.limits.Rate == 0 {
		return 0
	}
	each := l.limits.Per / time.Duration(l.limits.Rate)
	burst := max(each*leastBurst, time.Second)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ahead.Before(now) {
		l.ahead = now
	}
	if wait := l.ahead.Add(each).Sub(now) - burst; wait > 0 {
		return wait
	}
	l.ahead = l.ahead.Add(each)
	return 0
}

// enter counts a request under way, or says that there are too many; leave
// ends it.
func (l *Limiter) enter() bool {
	if l == nil || l.limits.Concurrent == 0 {
		return true
	}
	if l.open.Add(1) > int64(l.limits.Concurrent) {
		l.open.Add(-1)
		return false
	}
	return true
}

func (l *Limiter) leave() {
	if l != nil && l.limits.Concurrent > 0 {
		l.open.Add(-1)
	}
}

// tooMany answers a caller who is beyond the limits.
func tooMany(w nethttp.ResponseWriter, wait time.Duration, detail string) *problem {
	w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	return &problem{Status: nethttp.StatusTooManyRequests, Title: "Too many requests", Detail: detail}
}
