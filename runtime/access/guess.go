package access

import (
	"net/netip"
	"sync"
	"time"
)

// Guesses slows down who tries tokens: an address that was wrong too often is
// not listened to for a while, whatever it says.
type Guesses struct {
	mu    sync.Mutex
	wrong map[netip.Addr]*strikes
}

type strikes struct {
	n     int
	since time.Time
	until time.Time
}

const (
	mostWrong   = 10 // within wrongFor
	wrongFor    = time.Minute
	lockedFor   = time.Minute
	mostClients = 10000
)

// NewGuesses returns a brake that has seen nobody.
func NewGuesses() *Guesses { return &Guesses{wrong: map[netip.Addr]*strikes{}} }

// Locked returns how long an address is not listened to; 0 = it is.
func (g *Guesses) Locked(from netip.Addr, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.wrong[client(from)]
	if s == nil || !now.Before(s.until) {
		return 0
	}
	return s.until.Sub(now)
}

// Wrong counts a wrong token. It reports whether the address was locked by it.
func (g *Guesses) Wrong(from netip.Addr, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := client(from)
	s := g.wrong[c]
	if s == nil || now.Sub(s.since) > wrongFor {
		if len(g.wrong) >= mostClients {
			g.tidy(now)
		}
		s = &strikes{since: now}
		g.wrong[c] = s
	}
	if s.n++; s.n < mostWrong {
		return false
	}
	s.until = now.Add(lockedFor)
	s.n, s.since = 0, now
	return true
}

// Size returns how many addresses are remembered.
func (g *Guesses) Size() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.wrong)
}

// tidy forgets addresses that have been quiet; where all are busy, a tenth of
// them, so that neither memory nor work grows without bound.
func (g *Guesses) tidy(now time.Time) {
	for a, s := range g.wrong {
		if now.Sub(s.since) > wrongFor && !now.Before(s.until) {
			delete(g.wrong, a)
		}
	}
	for a := range g.wrong {
		if len(g.wrong) <= mostClients*9/10 {
			return
		}
		delete(g.wrong, a)
	}
}

// client is what counts as one guesser: an IPv4 address, or the /64 that one
// IPv6 customer holds.
func client(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	if p, err := a.Prefix(64); a.Is6() && err == nil {
		return p.Addr()
	}
	return a
}
