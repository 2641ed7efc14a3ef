package policy

import (
	"context"
	"time"
)

// wait is what may end a wait in memory before its turn has come: the context of
// the caller, the caller having to leave, or another guard taking the place of
// this one.
type wait struct {
	ctx     context.Context
	leaving <-chan struct{}
	guard   *Guard    // nil: nothing takes its place
	came    time.Time // when the message came, for which it waits
}

// replaced is closed when another guard has the place.
func (w wait) replaced() <-chan struct{} {
	if w.guard == nil {
		return nil
	}
	w.guard.mu.Lock()
	defer w.guard.mu.Unlock()
	return w.guard.replaced
}

// over reports whether the wait has ended before its turn.
func (w wait) over() bool {
	select {
	case <-w.ctx.Done():
	case <-w.leaving:
	case <-w.replaced():
	default:
		return false
	}
	return true
}

// Succeed makes g ready to take the place of was, nil for none: calls that are
// under way count for both. It is called before g is used, and again where g is
// put back.
func (g *Guard) Succeed(was *Guard) {
	if g == nil || g == was {
		return
	}
	if was != nil {
		if g.gate != was.gate {
			g.gate = was.gate
		}
		g.gate.become(g.limits.Concurrency, g.limits.Reserve)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.replaced:
		g.replaced = make(chan struct{})
	default:
	}
}

// Retire ends the waits in memory before g, because another guard has taken its
// place: who waits for a rate that is raised does not wait for the old one. Who
// comes later and would have to wait does not wait either.
func (g *Guard) Retire() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.replaced:
	default:
		close(g.replaced)
	}
}
