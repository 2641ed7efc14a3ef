package policy

import (
	"context"
	"sync"

	"crossdock/runtime/queue"
)

const (
	everybody = 0b1111
	critical  = 0b0001
)

// Gate bounds how many do something at the same time. The last places may be
// kept for critical work. Where more want in than may, the priorities take
// turns.
type Gate struct {
	mu      sync.Mutex
	limit   int
	reserve int
	used    int
	line    line
}

// NewGate returns a gate of limit places, of which reserve percent are for
// critical work only. One place is always open to everybody.
func NewGate(limit, reserve int) *Gate {
	return &Gate{limit: limit, reserve: kept(limit, reserve)}
}

// kept is how many of limit places are for critical work only.
func kept(limit, reserve int) int {
	return max(min((limit*reserve+99)/100, limit-1), 0)
}

// Enter waits for a place; false means the context ended first.
func (g *Gate) Enter(ctx context.Context, p queue.Priority) bool {
	return g.enter(wait{ctx: ctx}, p)
}

func (g *Gate) enter(w wait, p queue.Priority) bool {
	g.mu.Lock()
	if g.line.n == 0 && g.open()&(1<<p) != 0 {
		g.used++
		g.mu.Unlock()
		return true
	}
	me := g.line.join(p, w.came)
	g.admit() // the line may hold only those who may not use the reserve
	g.mu.Unlock()
	select {
	case <-me.c:
		return true
	case <-w.ctx.Done():
	case <-w.leaving:
	case <-w.replaced():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.line.leave(p, me) { // the place came at the same moment: it goes back
		g.used--
		g.admit()
	}
	return false
}

// Leave gives a place back.
func (g *Gate) Leave() {
	g.mu.Lock()
	g.used--
	g.admit()
	g.mu.Unlock()
}

// SetLimit changes the number of places. Who is inside stays.
func (g *Gate) SetLimit(n int) {
	g.mu.Lock()
	g.limit = n
	g.admit()
	g.mu.Unlock()
}

// become makes g a gate of limit places, of which reserve percent are for
// critical work only. Who is inside stays.
func (g *Gate) become(limit, reserve int) {
	g.mu.Lock()
	g.limit, g.reserve = limit, kept(limit, reserve)
	g.admit()
	g.mu.Unlock()
}

// Load returns how many are inside, how many wait, and how many places there are.
func (g *Gate) Load() (used, waiting, limit int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used, g.line.n, g.limit
}

// open tells which priorities may enter now.
func (g *Gate) open() uint8 {
	switch {
	case g.used < g.limit-g.reserve:
		return everybody
	case g.used < g.limit:
		return critical
	}
	return 0
}

func (g *Gate) admit() {
	for g.line.n > 0 && g.line.next(g.open()) {
		g.used++
	}
}
