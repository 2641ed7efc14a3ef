// Package child runs jq cells that have met a limit before in processes of their
// own, so that what they take once more is not taken from their neighbours: the
// kernel gives a child the processor when nobody else wants it, and what it
// builds is collected by the child and not by the process that works.
//
// A child is this very program, started again with the one argument Word and
// without its environment and files. It is no machine for people one does not
// trust, which is dsl/sandbox: it holds the same code with the same limits.
//
// What a cell gives in a child is what it would give in the process. Where that
// cannot be, because there is no child, or the machine has no time for it, or the
// values do not fit, Run says jq.ErrHere and the cell runs in the process.
package child

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/wire"
)

const (
	// Room is what one child takes at most, in bytes, more or less: from five sixths
	// of it on it collects its garbage all the time.
	Room = 192 << 20
	// Most is how many children there are at most, however many processors.
	Most = 4

	idle     = time.Minute      // how long a child lives without a call
	again    = time.Minute      // after one could not be started
	patience = 10 * time.Second // beyond its limit, while others have the processor

	// rests is how many times as long as a run that met a limit once more its turn
	// rests after it, so that who always does gets a fifth of a processor: lowest
	// priority keeps a child from the processors of others, not from their memory
	// and caches.
	rests    = 4
	restMost = 10 * time.Second
)

// Options says how children are kept.
type Options struct {
	Most     int           // at a time; 0 = one
	Log      *slog.Logger  // nil = nobody is told
	Idle     time.Duration // how long a child lives without a call; one minute
	Patience time.Duration // how long beyond its limit a run waits for a processor; 10s
}

// Pool is a jq.Sandbox. It is safe for concurrent use.
type Pool struct {
	opt   Options
	start func() (*process, error)
	turns chan struct{}
	ended chan struct{} // closed with the pool: no turn rests any longer

	mu      sync.Mutex
	resting []*process
	live    map[*process]bool
	unable  time.Time // until when no start is tried
	told    bool      // that there are children
	warned  bool      // that there are none
	closed  bool
	ending  sync.WaitGroup // of those that nobody needs any more
}

// New returns a pool without children; they are started when they are needed.
func New(opt Options) *Pool {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	opt.Idle, opt.Patience = cmp.Or(opt.Idle, idle), cmp.Or(opt.Patience, patience)
	return &Pool{opt: opt, start: start, turns: make(chan struct{}, max(opt.Most, 1)), ended: make(chan struct{}), live: map[*process]bool{}}
}

// Run implements jq.Sandbox. Waiting for a child is not counted as time of the
// run.
func (p *Pool) Run(ctx context.Context, c jq.Call) (values []any, err error) {
	if !p.able() {
		return nil, jq.ErrHere
	}
	select {
	case p.turns <- struct{}{}:
		began := time.Now()
		defer func() { p.leave(time.Since(began), err) }()
	case <-ctx.Done():
		return nil, &jq.LimitError{Limit: ctx.Err(), Text: "was stopped"}
	}
	call, err := wire.AppendCall(nil, c)
	if err != nil || len(call) > frameMost || !p.able() { // it has waited
		return nil, jq.ErrHere
	}
	values, err, died := p.once(ctx, call, c)
	if died { // perhaps somebody else has killed it
		values, err, _ = p.once(ctx, call, c)
	}
	return values, err
}

// leave gives back the turn of a run that took so long and ended with err: at
// once, or after a rest where it met a limit.
func (p *Pool) leave(took time.Duration, err error) {
	if !errors.Is(err, jq.ErrTime) && !errors.Is(err, jq.ErrMemory) {
		<-p.turns
		return
	}
	go func() { // Close waits for it
		select {
		case <-time.After(min(rests*took, restMost)):
		case <-p.ended:
		}
		<-p.turns
	}()
}

// once runs a cell in one child. died says that the child has ended and nobody
// knows why.
func (p *Pool) once(ctx context.Context, call []byte, c jq.Call) (values []any, err error, died bool) {
	k, err := p.take()
	if err != nil {
		p.cannot(err)
		return nil, jq.ErrHere, false
	}
	values, end, err := k.run(ctx, call, c, c.Time+p.opt.Patience)
	if end == whole {
		p.rest(k)
	} else {
		p.end(k)
	}
	return values, err, end == dead
}

// able reports whether it makes sense to wait for a child.
func (p *Pool) able() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.closed && !time.Now().Before(p.unable)
}

// take returns a child that waits for a call.
func (p *Pool) take() (*process, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, io.ErrClosedPipe
	}
	if n := len(p.resting); n > 0 {
		k := p.resting[n-1]
		p.resting = p.resting[:n-1]
		k.retire.Stop()
		p.mu.Unlock()
		return k, nil
	}
	p.mu.Unlock()
	k, err := p.start()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	closed, told := p.closed, p.told
	p.told = true
	if !closed {
		p.live[k] = true
	}
	p.mu.Unlock()
	if closed {
		k.end()
		return nil, io.ErrClosedPipe
	}
	if !told {
		p.opt.Log.Info("a jq cell that has met a limit goes on in a process of low priority", "pid", k.pid())
	}
	return k, nil
}

// cannot notes that no child could be started.
func (p *Pool) cannot(err error) {
	p.mu.Lock()
	p.unable = time.Now().Add(again)
	warn := !p.warned && !p.closed
	p.warned = true
	p.mu.Unlock()
	if warn {
		p.opt.Log.Warn("jq cells that have met a limit go on in this process: another one cannot be started", "error", err)
	}
}

// rest keeps a child for the next call, for a while.
func (p *Pool) rest(k *process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return // Close ends it
	}
	p.resting = append(p.resting, k)
	k.retire = time.AfterFunc(p.opt.Idle, func() { p.retire(k) })
}

// retire ends a child that nobody has needed.
func (p *Pool) retire(k *process) {
	p.mu.Lock()
	at := slices.Index(p.resting, k)
	if at < 0 || p.closed {
		p.mu.Unlock()
		return
	}
	p.resting = slices.Delete(p.resting, at, at+1)
	p.ending.Add(1)
	p.mu.Unlock()
	defer p.ending.Done()
	p.end(k)
}

// end ends a child.
func (p *Pool) end(k *process) {
	k.end()
	p.mu.Lock()
	delete(p.live, k)
	p.mu.Unlock()
}

// Close ends all children. Runs that are under way then, or begin later, run in
// the process.
func (p *Pool) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.ended)
	}
	live := make([]*process, 0, len(p.live))
	for k := range p.live {
		live = append(live, k)
	}
	p.mu.Unlock()
	for _, k := range live {
		k.kill()
	}
	for range cap(p.turns) { // those that run have seen it
		p.turns <- struct{}{}
	}
	p.ending.Wait()
	for _, k := range live {
		p.end(k)
	}
	for range cap(p.turns) {
		<-p.turns
	}
}

// find answers a question of the cell that runs.
func find(c jq.Call, question []byte) (any, error) {
	q, err := wire.ReadQuestion(question)
	if err != nil {
		return nil, err
	}
	if c.Lookup != nil {
		if t, ok := c.Lookup(q.Table); ok {
			return t.Find(q.Key, q.Column)
		}
	}
	return nil, &jq.RunError{Text: fmt.Sprintf("there is no lookup %q", q.Table)}
}
