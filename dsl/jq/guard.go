package jq

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/dsl/turn"
)

// watchEvery is how often the memory of a run in the interpreter is looked at.
const watchEvery = 2 * time.Millisecond

// guard is the context of the parts of one run that the interpreter does. It
// ends with the context of the frame, at the deadline, or when the heap of the
// process has grown by more than the run may build. What cells build is paid
// for exactly; the heap is watched for what the interpreter itself needs. The
// heap is shared and holds garbage, so a collection has to confirm the growth
// before a run is blamed for it.
type guard struct {
	parent context.Context
	m      *machine
	bytes  uint64
	shown  int64 // the limit as people set it
	base   uint64
	last   uint64 // what the heap held at the last look
	limit  time.Duration
	end    time.Time

	done    chan struct{}
	timer   *time.Timer
	long    atomic.Bool // the run must have its turn to go on
	ops     int         // of the interpreter, counted where the run leaves
	mu      sync.Mutex
	err     *LimitError
	over    bool
	resting bool // the run waits for its turn
}

func newGuard(m *machine) *guard {
	f := m.frame
	g := &guard{parent: f.context(), m: m, bytes: uint64(f.bytes()), shown: f.bytes(), limit: f.time(), end: m.until(f.now()), done: make(chan struct{})}
	if m.unsafe {
		g.bytes = g.bytes / 8 * 3 // its stacks grow by copying, and what they leave behind is there until it is collected
	}
	g.mu.Lock() // the timer may fire before it is known here
	defer g.mu.Unlock()
	g.timer = time.AfterFunc(watchEvery, g.watch)
	return g
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// lastCollection is when confirmed last ran a collection, in Unix nanoseconds.
var lastCollection atomic.Int64

// confirmed reports whether the heap is above limit without its garbage. It
// asks for a collection at most ten times a second, and says no in between.
func confirmed(limit uint64) bool {
	last, now := lastCollection.Load(), time.Now().UnixNano()
	if now-last < int64(100*time.Millisecond) || !lastCollection.CompareAndSwap(last, now) {
		return false
	}
	runtime.GC()
	return heap() > limit
}

func (g *guard) watch() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	now := max(heap(), 1)
	if g.base == 0 || now < g.base {
		g.base = now // the first look, or a collection has run since
	}
	g.last = now
	switch {
	case g.parent.Err() != nil:
		g.err = &LimitError{g.parent.Err(), "was stopped"}
	case !g.resting && now > g.base+g.bytes && confirmed(g.base+g.bytes):
		g.err = &LimitError{ErrMemory, fmt.Sprintf("builds more than %d MiB of data", g.shown>>20)}
	case !g.resting && !g.m.frame.now().Before(g.end):
		g.err = &LimitError{ErrTime, fmt.Sprintf("takes longer than %s", g.limit)}
	default:
		if g.m.leaves || g.limit-g.end.Sub(g.m.frame.now()) > turn.Short {
			g.long.Store(true)
		}
		g.timer.Reset(watchEvery)
		return
	}
	g.over = true
	close(g.done)
}

// stop ends the watch and returns by how much the heap had grown when it was
// last looked at; the guard must not be used any more.
func (g *guard) stop() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.timer.Stop()
	return int64(g.last - g.base)
}

// check stops the run if the guard has ended it.
func (g *guard) check() {
	g.mu.Lock()
	err := g.err
	g.mu.Unlock()
	if err != nil {
		panic(err)
	}
}

// Deadline, Done, Err and Value make guard a context.
func (g *guard) Deadline() (time.Time, bool) { return g.end, true }

// Done is closed when the run must end. The interpreter asks for it before every
// operation, in the goroutine of the run: the place where a long one waits for
// its turn.
func (g *guard) Done() <-chan struct{} {
	if g.m.leaves {
		g.ops++
	}
	if (g.long.Load() || g.ops > leaveOps) && !g.m.turn.Held() {
		g.m.await(false)
	}
	return g.done
}

// rest says that the run begins to wait for its turn; g may be nil.
func (g *guard) rest() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resting = true
}

// goOn says that the wait is over and when the run must have ended; g may be
// nil.
func (g *guard) goOn(end time.Time) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.resting, g.end, g.base, g.last = false, end, 0, 0 // what others built meanwhile is not its own
}

// Err says whether Done is closed.
func (g *guard) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		return nil
	}
	return context.Canceled
}

// Value returns the value of the context of the frame.
func (g *guard) Value(key any) any { return g.parent.Value(key) }
