package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/dsl/diag"
	"crossdock/runtime"
	"crossdock/runtime/worker"
)

// host is a place where a replica runs, and is started again when it ended.
type host struct {
	w    *world
	no   int
	log  logBook
	turn chan struct{} // held by what starts or ends the process; a wait for it lets time pass
	proc atomic.Pointer[process]
}

// process is one life of a replica.
type process struct {
	store  *store
	engine *runtime.Engine
	on     *listener
	cancel context.CancelFunc
	ended  chan error
}

// start tries until a process is up, as a supervisor does.
func (h *host) start(ctx context.Context) {
	for ctx.Err() == nil {
		p, err := h.launch(ctx)
		if err == nil {
			h.proc.Store(p)
			return
		}
		var list diag.List
		if errors.As(err, &list) {
			text := "the simulated definitions are not fit to run:" // a mistake in this package
			for _, f := range list {
				text += fmt.Sprintf("\n%s %s %s", f.Span, f.Code, f.Message)
			}
			panic(text)
		}
		h.w.sleep(ctx, time.Second)
	}
}

func (h *host) launch(ctx context.Context) (*process, error) {
	p := &process{store: newStore(h.w, h.no), on: newListener(), ended: make(chan error, 1)}
	known := loads.of(h.w.dir)
	opt := runtime.Options{Dir: h.w.dir, State: filepath.Join(h.w.dir, fmt.Sprintf(".state%d", h.no)), Driver: p.store, Listener: p.on,
		Log: slog.New(slog.NewTextHandler(&h.log, nil)), Cache: known.cache, Free: func() {}, Worker: worker.Options{Concurrency: 32, Random: func() float64 { return 0 }},
		Dial: func(ctx context.Context, _, addr string) (net.Conn, error) {
			return h.w.targets.dial(ctx, p.store, addr)
		}}
	if h.w.plan.Replicas > 1 {
		opt.Driver = shared{p.store}
	}
	engine, err := runtime.New(ctx, opt)
	if err != nil {
		p.store.kill()
		return nil, err
	}
	known.keep()
	p.engine = engine
	run, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	go func() { p.ended <- engine.Run(run) }()
	return p, nil
}

// kill ends the process without letting it finish anything.
func (h *host) kill() {
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	p := h.proc.Swap(nil)
	if p == nil {
		return
	}
	h.w.trouble(1)
	p.store.kill()
	p.cancel()
	<-p.ended
}

// die ends the process at a call it just makes. It is started again.
func (s *store) die() {
	s.kill()
	s.w.trouble(1)
	h := s.w.hosts[s.no]
	s.w.deaths.Go(func() {
		h.kill()
		s.w.sleep(context.Background(), s.w.jitter(5*time.Second))
		h.again(context.Background())
	})
}

// stop ends the process as operators do.
func (h *host) stop() {
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	p := h.proc.Swap(nil)
	if p == nil {
		return
	}
	h.w.trouble(0)
	p.cancel()
	if err := <-p.ended; err != nil {
		h.w.broken("stop", "", "the replica ended with: %s", err)
	}
	p.store.kill()
	h.w.trouble(0)
}

// again starts the process unless it runs.
func (h *host) again(ctx context.Context) {
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if h.proc.Load() == nil {
		h.start(ctx)
	}
}

// running returns a process that is up, nil where there is none.
func (w *world) running(no int) *process {
	for i := range w.hosts {
		if p := w.hosts[(no+i)%len(w.hosts)].proc.Load(); p != nil && p.engine.Ready() {
			return p
		}
	}
	return nil
}

// edit replaces the mapping, as careful editors do.
func (w *world) edit(text string) error {
	path := filepath.Join(w.dir, mappingFile)
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+"~", path)
}

// logBook keeps the last of a log.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
