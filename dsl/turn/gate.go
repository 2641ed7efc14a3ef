package turn

import (
	"context"
	"slices"
	"sync"
)

// gate lets a number of evaluations through and the others wait in two lines.
// It is safe for concurrent use.
type gate struct {
	mu    sync.Mutex
	free  int
	first []chan struct{} // closed when it is their turn
	later []chan struct{} // the same for those that have met a limit before
	given int             // turns of the first line while another waited
}

// fair is how many of the first line go before one of the other, so that nobody
// waits for ever.
const fair = 4

func (g *gate) take(ctx context.Context, met bool) error {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	line := &g.first
	if met {
		line = &g.later
	}
	*line = append(*line, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	at := slices.Index(*line, turn)
	if at >= 0 {
		*line = slices.Delete(*line, at, at+1)
	}
	g.mu.Unlock()
	if at < 0 { // it came just now
		g.leave()
	}
	return ctx.Err()
}

// leave hands the turn to the next in line.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case len(g.later) > 0 && (len(g.first) == 0 || g.given >= fair):
		close(g.later[0])
		g.later, g.given = slices.Delete(g.later, 0, 1), 0
	case len(g.first) > 0:
		close(g.first[0])
		g.first = slices.Delete(g.first, 0, 1)
		if len(g.later) > 0 {
			g.given++
		}
	default:
		g.free++
	}
}
