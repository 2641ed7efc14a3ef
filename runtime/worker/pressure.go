package worker

import (
	"context"
	"sync"
	"time"
)

const (
	// maxAhead is how many bytes of messages intake may be ahead of the workers
	// of its lane: few enough that the store still has them in memory, decoded,
	// when their turn comes.
	maxAhead = 1 << 20
	// headway is how long intake waits for workers that do nothing, and patience
	// how long for workers that are slow: a target that is down or slow does not
	// keep messages out of the store.
	headway  = 100 * time.Millisecond
	patience = time.Second
)

// pressure holds sources back that have nobody waiting for them, such as files,
// while the workers of a lane keep up.
type pressure struct {
	mu    sync.Mutex
	ahead int           // bytes that were taken in and not leased yet
	moved chan struct{} // closed when workers have leased; nil while nobody waits
}

// taken notes bytes that were taken in.
func (p *pressure) taken(n int) {
	p.mu.Lock()
	p.ahead += n
	p.mu.Unlock()
}

// leased notes bytes that workers have leased, or never will. What waited before the process
// began, or comes again, was never counted as taken.
func (p *pressure) leased(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ahead = max(0, p.ahead-n)
	if p.moved != nil {
		close(p.moved)
		p.moved = nil
	}
}

// wait returns when intake may go on.
func (p *pressure) wait(ctx context.Context) {
	enough := time.NewTimer(patience)
	defer enough.Stop()
	for {
		p.mu.Lock()
		if p.ahead <= maxAhead {
			p.mu.Unlock()
			return
		}
		if p.moved == nil {
			p.moved = make(chan struct{})
		}
		moved := p.moved
		p.mu.Unlock()
		idle := time.NewTimer(headway)
		select {
		case <-moved:
			idle.Stop()
			continue
		case <-idle.C:
		case <-enough.C:
		case <-ctx.Done():
		}
		idle.Stop()
		// They wait for something else, or were cancelled: what comes now is
		// counted anew.
		p.mu.Lock()
		p.ahead = 0
		p.mu.Unlock()
		return
	}
}

// pressure returns the one of a lane.
func (w *Worker) pressure(lane string) *pressure {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pressureLocked(lane)
}

// pressureLocked is pressure for callers that hold mu.
func (w *Worker) pressureLocked(lane string) *pressure {
	p := w.ahead[lane]
	if p == nil {
		p = &pressure{}
		w.ahead[lane] = p
	}
	return p
}
