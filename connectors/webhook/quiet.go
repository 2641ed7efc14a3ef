package webhook

import (
	"sync"
	"time"
)

// quiet bounds how often one thing is logged. It is safe for concurrent use.
type quiet struct {
	mu    sync.Mutex
	next  time.Time // no line before
	since int       // lines left out
}

// every is the pause between two lines of the same kind.
const every = 10 * time.Second

// line reports whether a line is due at now, and how many were left out before.
func (q *quiet) line(now time.Time) (leftOut int, due bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Before(q.next) {
		q.since++
		return 0, false
	}
	leftOut, q.since, q.next = q.since, 0, now.Add(every)
	return leftOut, true
}
