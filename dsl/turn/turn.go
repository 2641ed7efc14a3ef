// Package turn bounds what large evaluations take from a process together. Each
// of them has limits of its own; a hundred at once would still take a hundred
// times as much. So an evaluation that turns out to be large waits for its turn,
// and waiting is not counted as its time. Small ones never come here.
package turn

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// What an evaluation may take before it must have a turn.
const (
	// Free is what it may build without one, in bytes.
	Free = 256 << 10
	// Large is what it may build before it needs the one turn of the largest, in
	// bytes.
	Large = 16 << 20
	// Short is how long it may run without one.
	Short = 5 * time.Millisecond
)

// most bounds how many turns there are, however many processors: beside what is
// Free, large evaluations hold at most (most-1) times Large, and what the
// largest may build.
const most = 8

// litterMost is how much ended evaluations may leave behind before the next one
// has it collected, in bytes.
const litterMost = 16 << 20

// process is shared by all evaluations of the process.
var process = newShare(min(max(runtime.GOMAXPROCS(0)/2, 1), most))

// share is what large evaluations have together.
type share struct {
	turns, largest gate

	mu     sync.Mutex
	litter int64  // bytes that ended evaluations have built since a collection
	cycle  uint64 // the collection after which litter was counted
}

func newShare(turns int) *share {
	return &share{turns: gate{free: turns}, largest: gate{free: 1}}
}

// Turn is what one evaluation holds. The zero value holds nothing. It is used
// by one goroutine at a time.
type Turn struct{ held, largest bool }

// Held reports whether t has a turn.
func (t *Turn) Held() bool { return t.held }

// Take waits for a turn, unless t has one, and where it is for a large
// evaluation for the turn of those as well. Who has met a limit before stands
// behind those that have not. The error is that of ctx.
func (t *Turn) Take(ctx context.Context, large, met bool) error {
	return t.take(process, ctx, large, met)
}

func (t *Turn) take(s *share, ctx context.Context, large, met bool) error {
	if !t.held {
		if err := s.turns.take(ctx, met); err != nil {
			return err
		}
		t.held = true
	}
	if large && !t.largest {
		if err := s.largest.take(ctx, met); err != nil {
			return err
		}
		t.largest = true
	}
	s.tidy()
	return nil
}

// Leave gives back what t holds. built is how much the evaluation has built, in
// bytes.
func (t *Turn) Leave(built int64) { t.leave(process, built) }

func (t *Turn) leave(s *share, built int64) {
	if !t.held {
		return
	}
	s.left(built)
	if t.largest {
		s.largest.leave()
	}
	s.turns.leave()
	*t = Turn{}
}

// left counts what an evaluation leaves behind.
func (s *share) left(built int64) {
	now := collections()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now != s.cycle {
		s.litter, s.cycle = 0, now
	}
	s.litter += built
}

// tidy collects what ended evaluations have left, where it is much and nobody
// has collected it since.
func (s *share) tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.litter < litterMost {
		return
	}
	if collections() == s.cycle {
		runtime.GC()
	}
	s.litter = 0
}

// collections is how many have ended in this process.
func collections() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
