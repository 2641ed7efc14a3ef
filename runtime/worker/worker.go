// Package worker moves messages: intake into the queue, processing of leases,
// deliveries, and the housekeeping around them. One file is one duty.
//
// Every goroutine belongs to Run and has ended when Run returns. Every change
// of a message is one queue.Commit, so a crash at any point loses nothing and
// repeats at most the effect that was under way, with the same key.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/journal"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/room"
	"crossdock/runtime/telemetry"
)

// Options tune a Worker. Zero values mean the defaults.
type Options struct {
	LeaseTTL    time.Duration // 10s
	Grace       time.Duration // how long work under way may finish at a stop; 20s
	Concurrency int           // messages of one lane at a time; 512
	Memory      int64         // bytes that this process may use, of which payloads get a share; 0 = not bounded
	Random      func() float64
	// Tracer makes spans of what happens to messages; nil = none.
	Tracer *telemetry.Tracer
	// Redact hides secrets in what other systems say; nil = nothing to hide.
	Redact func(string) string
	// RedactAnswer hides secrets in a good answer, of which raw are the bytes,
	// before it is kept; nil = nothing to hide.
	RedactAnswer func(raw []byte, body any) any
	// Emitted hears of every event that was put on the bus, after it is
	// durable. Only tests listen.
	Emitted func(schema, name string, body any)
	// Chosen hears of every rule that a route chose. Only tests listen.
	Chosen func(rule string)
}

// Live is the revision at work and what it runs on. It is immutable.
type Live struct {
	WS         *compile.Workspace
	Sinks      map[string]connectors.Sink
	Guards     map[string]*policy.Guard // by connection; one that is missing lets everybody through
	Generation int
	Recent     Recent // what is kept of messages that are done
}

// Worker moves messages through one store.
type Worker struct {
	driver queue.Driver
	log    *slog.Logger
	meter  *journal.Meter
	opt    Options
	live   atomic.Pointer[Live]
	leases *leases
	calls  *calls
	intake *room.Room // of messages that are taken in while their senders wait
	work   *room.Room // of messages that are worked on

	suspect chan struct{} // holds who is worked on alone

	recents recents

	leaving <-chan struct{} // closed when Run has been told to end: what would have to wait is returned

	mu     sync.Mutex
	ahead  map[string]*pressure
	lanes  map[string]*lane
	paused map[string]bool
	start  func(*lane) // set while Run is under way
}

// share is the part of the memory of the process, as 1/share, that the bytes of
// messages may have which are taken in, and again of those that are worked on.
// Decoded, mapped and encoded a message of many small values takes some fifteen
// times its bytes.
const share = 128

// laneShare is the part of that, as 1/laneShare, that one lane may have.
const laneShare = 4

// New returns a Worker that has no revision yet.
func New(d queue.Driver, log *slog.Logger, meter *journal.Meter, opt Options) *Worker {
	if opt.LeaseTTL == 0 {
		opt.LeaseTTL = 10 * time.Second
	}
	if opt.Grace == 0 {
		opt.Grace = 20 * time.Second
	}
	if opt.Concurrency == 0 {
		opt.Concurrency = 512
	}
	if opt.Redact == nil {
		opt.Redact = func(s string) string { return s }
	}
	if opt.RedactAnswer == nil {
		opt.RedactAnswer = func(_ []byte, body any) any { return body }
	}
	if opt.Random == nil {
		opt.Random = random
	}
	return &Worker{intake: room.New(opt.Memory / share), work: room.New(opt.Memory / share), driver: d, log: log, meter: meter, opt: opt, leases: newLeases(), calls: newCalls(), suspect: make(chan struct{}, 1), ahead: map[string]*pressure{}, lanes: map[string]*lane{}, paused: map[string]bool{}}
}

// Use makes l the revision at work. Messages under way end on theirs, but for
// those that wait for limits which are not those of l: they are returned, and
// wait anew.
func (w *Worker) Use(l *Live) {
	was := w.live.Load()
	if was == nil {
		was = &Live{}
	}
	for name, g := range l.Guards {
		g.Succeed(was.Guards[name])
	}
	w.live.Store(l)
	for name, g := range was.Guards {
		if l.Guards[name] != g {
			g.Retire()
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range l.WS.Pipelines {
		w.lane("in/" + name)
	}
	for _, c := range l.WS.Connections {
		for _, op := range c.Operations {
			w.lane("out/" + op.Ref())
		}
	}
}

// Live returns the revision at work.
func (w *Worker) Live() *Live { return w.live.Load() }

// Pause stops work on a pipeline; its messages wait and are visible. Resume
// undoes it.
func (w *Worker) Pause(pipeline string, on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused[pipeline] = on
	if l := w.lanes["in/"+pipeline]; l != nil {
		l.wake()
	}
}

// Lanes is how many lanes are served.
func (w *Worker) Lanes() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.lanes)
}

// Paused reports whether a pipeline is paused.
func (w *Worker) Paused(pipeline string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.paused[pipeline]
}

// lane makes sure that a lane is served. Callers hold mu.
func (w *Worker) lane(name string) {
	if w.lanes[name] != nil {
		return
	}
	l := &lane{w: w, name: name, kick: make(chan struct{}, 1), ahead: w.pressureLocked(name), room: room.New(w.opt.Memory / share / laneShare), few: 16}
	w.lanes[name] = l
	if w.start != nil {
		w.start(l)
	}
}

// Run works until ctx ends, then lets work under way finish within the grace
// time and returns to the queue what could not be finished, and at once what
// waits for its turn with another system. It ends by itself,
// with an error, when the store has failed for good.
func (w *Worker) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	w.leaving = ctx.Done()
	var lanes, keepers sync.WaitGroup
	w.mu.Lock()
	w.start = func(l *lane) { lanes.Go(func() { l.run(ctx, work) }) }
	for _, l := range w.lanes {
		w.start(l)
	}
	w.mu.Unlock()
	keepers.Go(func() {
		if err := w.sweep(work); err != nil {
			stop(fmt.Errorf("the store cannot be used any more: %w", err))
		}
	})
	keepers.Go(func() { w.leases.keep(work, w) })
	keepers.Go(func() { w.leases.watch(work, w.opt.LeaseTTL/10) })
	keepers.Go(func() { w.callBack(ctx) })
	keepers.Go(func() { w.findOrphans(ctx) })

	<-ctx.Done()
	w.mu.Lock()
	w.start = nil
	w.mu.Unlock()
	ended := make(chan struct{})
	go func() { lanes.Wait(); close(ended) }() // joined below
	grace := time.NewTimer(w.opt.Grace)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
		w.log.Warn("stopping: work under way did not finish in time and is returned to the queue", "grace", w.opt.Grace)
	}
	cancel()
	<-ended
	keepers.Wait()
	if cause := context.Cause(ctx); errors.Is(cause, queue.ErrFailed) {
		return cause
	}
	return nil
}

// findOrphans looks for orphans until the store has answered: one that is away
// for a moment is no reason to end.
func (w *Worker) findOrphans(ctx context.Context) {
	for ctx.Err() == nil {
		err := w.orphans(ctx)
		if err == nil || errors.Is(err, queue.ErrClosed) || errors.Is(err, queue.ErrFailed) {
			return // a store that has failed ends the run by way of sweep
		}
		w.log.Warn("cannot look for messages without a definition, trying again", "error", err)
		pause(ctx, time.Second)
	}
}

// orphans serves lanes that hold messages although no definition names them,
// so that their messages are parked with a reason instead of waiting unseen.
func (w *Worker) orphans(ctx context.Context) error {
	page, err := w.driver.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 10000})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range page.Lanes {
		if l.Ready+l.Leased+l.Delayed > 0 {
			w.lane(l.Lane)
		}
	}
	return nil
}
