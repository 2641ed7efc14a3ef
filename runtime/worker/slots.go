package worker

import (
	"context"
	"sync"
)

// slots are the places of a lane: how much it works on at once. They are counted,
// because most of them are free most of the time, and a lane asks for all that
// are each time it leases.
type slots struct {
	all  int
	mu   sync.Mutex
	free int
	shut int           // not to be used
	more chan struct{} // one may have become free
}

func newSlots(n int) *slots { return &slots{all: n, free: n, more: make(chan struct{}, 1)} }

// take waits for one free slot and takes all that are free; 0 = ctx has ended.
func (s *slots) take(ctx context.Context) int {
	for ctx.Err() == nil {
		s.mu.Lock()
		n := s.free - s.shut
		if n > 0 {
			s.free -= n
		}
		s.mu.Unlock()
		if n > 0 {
			return n
		}
		select {
		case <-s.more:
		case <-ctx.Done():
		}
	}
	return 0
}

// leave gives back n slots that were taken.
func (s *slots) leave(n int) {
	s.mu.Lock()
	s.free += n
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default: // that is known already
	}
}

// limit says how many slots may be used from now on. Where more are in use, what
// is under way goes on, and none is taken until enough have come back.
func (s *slots) limit(n int) {
	s.mu.Lock()
	s.shut = s.all - n
	s.mu.Unlock()
}
