package jq

import (
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/itchyny/gojq"
)

// watchEvery is how often the memory of a run in the interpreter is looked at.
const watchEvery = 2 * time.Millisecond

// guard is the context of one run in the interpreter. It ends with the context
// of the frame, at the deadline, or when the heap of the process has grown by
// more than the run may build. The heap is shared, so a neighbour can be blamed
// for a moment; such a run fails and is tried again like any other failure.
type guard struct {
	parent context.Context
	limit  time.Duration
	bytes  uint64
	base   uint64
	end    time.Time

	done  chan struct{}
	timer *time.Timer
	mu    sync.Mutex
	err   error
}

func newGuard(f *Frame) *guard {
	g := &guard{parent: f.Ctx, limit: f.Time, bytes: uint64(f.Bytes), done: make(chan struct{})}
	if g.parent == nil {
		g.parent = context.Background()
	}
	if g.limit == 0 {
		g.limit = DefaultTime
	}
	if g.bytes == 0 {
		g.bytes = DefaultBytes
	}
	g.end = time.Now().Add(g.limit)
	g.timer = time.AfterFunc(watchEvery, g.watch)
	return g
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func (g *guard) watch() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return
	}
	now := heap()
	if g.base == 0 {
		g.base = max(now, 1)
	}
	g.base = min(g.base, max(now, 1))
	switch {
	case g.parent.Err() != nil:
		g.err = g.parent.Err()
	case now > g.base+g.bytes:
		g.err = &LimitError{ErrMemory, fmt.Sprintf("builds more than %d MiB of data", g.bytes>>20)}
	case !time.Now().Before(g.end):
		g.err = &LimitError{ErrTime, fmt.Sprintf("takes longer than %s", g.limit)}
	default:
		g.timer.Reset(watchEvery)
		return
	}
	close(g.done)
}

func (g *guard) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = context.Canceled
	}
	g.timer.Stop()
}

func (g *guard) cause() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// explain turns an error of the interpreter into one of ours.
func (g *guard) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		if cause := g.cause(); cause != nil {
			return cause
		}
	}
	return foreign(err)
}

// foreign wraps an error of the interpreter.
func foreign(err error) error {
	var limit *LimitError
	var several *SeveralError
	var run *RunError
	if errors.As(err, &limit) || errors.As(err, &several) || errors.As(err, &run) {
		return err
	}
	out := &RunError{Text: err.Error()}
	if ve, ok := err.(gojq.ValueError); ok {
		out.Value = ve.Value()
	}
	return out
}

// Deadline, Done, Err and Value make guard a context.
func (g *guard) Deadline() (time.Time, bool) { return g.end, true }

// Done is closed when the run must end.
func (g *guard) Done() <-chan struct{} { return g.done }

// Err says why Done is closed.
func (g *guard) Err() error {
	if g.cause() == nil {
		return nil
	}
	return context.Canceled
}

// Value returns the value of the context of the frame.
func (g *guard) Value(key any) any { return g.parent.Value(key) }
