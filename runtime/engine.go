// Package runtime is the engine: it opens the store, loads a workspace, brings
// it to life and keeps it so, until it is told to stop.
//
// Everything that can fail happens before anything running is touched: a
// failed start or reload leaves the last good revision at work and says why.
package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	nethttp "net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"crossdock/connectors/webhook"
	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/spec"
	"crossdock/runtime/catalog"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
	"crossdock/runtime/reload"
	"crossdock/runtime/room"
	"crossdock/runtime/worker"
)

// Options say how to run.
type Options struct {
	Dir         string            // folder of the workspace
	State       string            // folder of what crossdock keeps; "" = StateDir below Dir
	Environment string            // "" = the default of the workspace
	Vars        map[string]string // win over those of the environment
	Std         fs.FS             // the shipped library
	Store       string            // embedded:PATH, redis://..., memory:; "" = embedded in the state folder
	Durability  string            // fsync (default), process, or replicated on Redis
	History     time.Duration     // how long the story of a message can be told; 0 = 30 days
	Driver      queue.Driver      // an open store instead of Store; it is closed with the engine
	HTTP        string            // address for webhooks
	Listener    net.Listener      // for webhooks, instead of HTTP
	Watch       bool              // reload when files change
	Published   bool              // run only what was published into the store
	Drain       time.Duration     // how long webhooks are still served after readiness is gone; 0
	AcceptStore bool              // go on with a store that was emptied, replaced or put back
	Strict      bool              // all jq cells run in the sandbox, whatever the definitions say
	AllowExec   bool              // definitions may name a program that prints secrets
	Unsafe      bool              // start on a store whose promises do not hold
	Log         *slog.Logger
	Secret      func(name string) (string, error) // instead of what the environment says; for demos and tests
	Gate        Gate                              // tests before a revision goes live; nil = none
	Dial        func(ctx context.Context, network, addr string) (net.Conn, error)
	Debounce    time.Duration // of the file watch: how long files are quiet before they are read; 50ms
	AlertEvery  time.Duration // how often alerts look at what is the case; 5s
	Aside       jq.Sandbox    // where jq cells go on that have met a limit before; nil = in this process
	Memory      int64         // bytes that this process may use; 0 = not bounded
	Cache       *dsl.Cache    // of earlier loads of the same definitions; nil = nothing is known of them
	Free        func()        // gives memory back that loading left behind; nil = debug.FreeOSMemory
	Worker      worker.Options
	// Switched hears of every reload that went live or was refused, whatever
	// asked for it; before is the revision that was at work.
	Switched func(before string, r Report)
}

// Gate runs the tests of a workspace. An error keeps the revision from going
// live.
type Gate func(ctx context.Context, ws *dsl.Workspace, fsys fs.FS) error

// StateDir is the folder below the workspace where crossdock keeps its own,
// unless Options.State names another.
const StateDir = ".crossdock"

// Engine runs one workspace on one store.
type Engine struct {
	opt     Options
	log     *slog.Logger
	catalog *catalog.Catalog
	driver  queue.Driver
	meter   *journal.Meter
	worker  *worker.Worker
	hide    *redactor
	holder  *holder

	table    atomic.Pointer[webhook.Table]
	listener net.Listener
	own      own                         // addresses of crossdock itself
	limiters map[string]*webhook.Limiter // of webhooks, by pipeline; guarded by mu
	reading  *room.Room                  // of large bodies that webhooks read
	ready    atomic.Bool

	mu      turn // one reload at a time
	current *revision
	last    Report     // the last reload that came to something
	checked Report     // the last one at all
	status  sync.Mutex // guards current, last and checked for readers
	pausing turn       // what the store says and what the worker does change together

	following turn // one switch to what is published at a time; taken before mu

	sight     reload.Sight // of the folder, just before it was first read
	read      *recorder    // what was read for the last load, until it is kept
	published origin       // what definitions are read from; zero = the folder
	cleared   string       // revision of the folder that an approved plan brings to life; guarded by mu
	unable    string       // why the active publication does not run here; guarded by status

	troubles troubles      // of sources
	known    *note         // of the store, where others may change it; see storenote.go
	news     chan struct{} // something changed that other replicas show
	loaded   chan struct{} // a reload has left something behind
	since    time.Time     // of this process

	run context.Context // of Run; sources live in it
}

// revision is what is at work for one Workspace.
type revision struct {
	ws      *dsl.Workspace
	live    *worker.Live
	sinks   map[string]*openSink
	sources map[string]*source
	table   *webhook.Table
	since   time.Time
	secret  spec.Finder

	published int // number of the publication; 0 = the folder
}

// New opens the store and loads the workspace. It does not accept work yet. A
// diag.List is returned as the error where the definitions are not fit to run.
func New(ctx context.Context, opt Options) (*Engine, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Debounce == 0 {
		opt.Debounce = 50 * time.Millisecond
	}
	if opt.Cache == nil {
		opt.Cache = &dsl.Cache{}
	}
	if opt.Free == nil {
		opt.Free = debug.FreeOSMemory
	}
	dir, err := filepath.Abs(opt.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the workspace: %w", err)
	}
	opt.Dir = dir
	if opt.State == "" {
		opt.State = filepath.Join(dir, StateDir)
	}
	if !opt.Published { // else opening the store would make the folder that is missing
		if err := isFolder(dir); err != nil {
			return nil, err
		}
	}
	e := &Engine{opt: opt, log: opt.Log, catalog: catalog.New(), meter: journal.NewMeter(), hide: &redactor{}, news: make(chan struct{}, 1), loaded: make(chan struct{}, 1), since: time.Now(),
		mu: make(turn, 1), pausing: make(turn, 1), following: make(turn, 1)}
	if e.driver, err = OpenStore(ctx, opt); err != nil {
		return nil, err
	}
	e.own.store(ctx, opt.Store)
	if err := e.begin(ctx); err != nil {
		return nil, errors.Join(err, e.driver.Close())
	}
	return e, nil
}

// begin loads what runs first and makes everything ready to run it.
func (e *Engine) begin(ctx context.Context) error {
	e.holder = newHolder(e.driver, e.opt.Worker.LeaseTTL, e.log)
	if err := e.recogniseStore(ctx); err != nil {
		return err
	}
	if err := e.takePublished(ctx); err != nil {
		return err
	}
	e.sight = reload.See(e.opt.Dir)
	ws, list, err := e.load()
	if err != nil {
		return err
	}
	ws, report, err := e.startWith(ws, list)
	if err != nil {
		return err
	}
	if report.Result == "started" {
		if err := e.gate(ctx, ws); err != nil {
			return err
		}
	}
	if err := e.checkDurability(ctx, ws); err != nil {
		return err
	}
	w := e.opt.Worker
	w.Memory, e.reading = e.opt.Memory, room.New(e.opt.Memory/16)
	w.Redact, w.RedactAnswer = e.hide.text, e.hide.answer
	e.worker = worker.New(e.driver, e.log, e.meter, w)
	e.meter.Watch(e.driver, e.Connections)
	e.meter.Process(Version)
	next, err := e.build(ws, nil)
	if err != nil {
		return err
	}
	if report.Result == "started" {
		next.published = e.published.Number
	} else if e.published.Number > 0 {
		e.unable = cannotRun(e.published.Number, report.Error)
	}
	e.install(next)
	if err := e.restorePauses(ctx, next); err != nil {
		return err
	}
	if err := e.unpark(ctx, next, nil); err != nil {
		return err
	}
	if err := e.noteDemand(ctx); err != nil {
		return err
	}
	report.Revision, report.At = ws.Revision, time.Now()
	e.last, e.checked = report, report
	e.makeState()
	return nil
}

// load reads and checks the definitions as they are now.
func (e *Engine) load() (*dsl.Workspace, diag.List, error) {
	fsys, err := e.files()
	if err != nil {
		return nil, nil, err
	}
	e.read = record(fsys)
	ws, list, err := dsl.Load(e.read, e.loading())
	if err == nil && !list.HasErrors() {
		ws.Drop()
	}
	return ws, list, err
}

// files is where definitions are read: the published revision, or the folder.
func (e *Engine) files() (fs.FS, error) {
	if e.published.files != nil {
		return e.published.files, nil
	}
	if err := isFolder(e.opt.Dir); err != nil {
		return nil, err
	}
	return os.DirFS(e.opt.Dir), nil
}

func isFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("there is no folder %s", dir)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	return nil
}

// loading says how definitions are loaded.
func (e *Engine) loading() dsl.Options {
	return dsl.Options{Catalog: e.catalog, Environment: e.opt.Environment, Vars: e.opt.Vars, Std: e.opt.Std, Strict: e.opt.Strict, Cache: e.opt.Cache}
}

// gate runs the tests where the environment requires them.
func (e *Engine) gate(ctx context.Context, ws *dsl.Workspace) error {
	if e.opt.Gate == nil || ws.Environment.Spec == nil {
		return nil
	}
	for _, need := range ws.Environment.Spec.Reload.Require {
		if need.Value == "test" {
			fsys, err := e.files()
			if err != nil {
				return err
			}
			return e.opt.Gate(ctx, ws, fsys)
		}
	}
	return nil
}

// Driver returns the store, for reading.
func (e *Engine) Driver() queue.Driver { return e.driver }

// Meter returns the metrics.
func (e *Engine) Meter() *journal.Meter { return e.meter }

// Worker returns what moves the messages.
func (e *Engine) Worker() *worker.Worker { return e.worker }

// Ready reports whether the engine takes in work.
func (e *Engine) Ready() bool { return e.ready.Load() }

// Addr returns the address on which webhooks are served, "" before Listen.
func (e *Engine) Addr() string {
	if e.listener == nil {
		return ""
	}
	return e.listener.Addr().String()
}

// Listen opens the address for webhooks, so that a taken port is known before
// anything starts. Once it is open, a further call does nothing.
func (e *Engine) Listen() error {
	if e.listener != nil {
		return nil
	}
	l := e.opt.Listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", e.opt.HTTP); err != nil {
			return fmt.Errorf("listen for webhooks: %w", err)
		}
	}
	e.Own(l.Addr(), "the webhook address of crossdock")
	e.listener = webhook.LimitPerIP(l, 1000)
	return nil
}

// Run works until ctx ends, then stops gracefully: not ready, webhooks closed,
// sources stopped, work under way finished or returned, store closed.
func (e *Engine) Run(ctx context.Context) error {
	defer e.driver.Close()
	if e.listener == nil {
		if err := e.Listen(); err != nil {
			return err
		}
	}
	sources, stopSources := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSources()
	workers, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	e.mu.Lock()
	e.run = sources
	e.mu.Unlock()
	server := webhook.Server(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) { e.table.Load().ServeHTTP(w, r) }),
		webhook.ServerOptions{Log: e.log})

	var running sync.WaitGroup
	failed := make(chan error, 3)
	running.Go(func() {
		if err := e.worker.Run(workers); err != nil {
			failed <- err
		}
	})
	running.Go(func() {
		if err := server.Serve(e.listener); err != nil && !errors.Is(err, nethttp.ErrServerClosed) {
			failed <- fmt.Errorf("serve webhooks: %w", err)
		}
	})
	e.mu.Lock()
	e.startSources(e.current, nil)
	ws := e.current.ws
	e.mu.Unlock()
	if e.opt.Watch && !e.opt.Published {
		running.Go(func() { e.watch(sources) })
	}
	running.Go(func() { e.heed(sources) })
	running.Go(func() { e.register(sources) })
	running.Go(func() { e.watchStore(sources) })
	running.Go(func() { e.keepLetters(sources) })
	running.Go(func() { e.keepWatch(sources) })
	running.Go(func() { tidy(sources, e.loaded, e.opt.Free) })
	e.ready.Store(true)
	e.meter.Ready(true)
	e.tell()
	e.log.Info("ready", "revision", ws.Revision, "pipelines", len(ws.Pipelines), "http", e.Addr())
	running.Go(e.keepStarted)
	e.opt.Free() // what loading left behind

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	e.ready.Store(false)
	e.meter.Ready(false)
	e.tell()
	e.log.Info("stopping")
	if err == nil {
		time.Sleep(e.opt.Drain) // balancers turn to other replicas meanwhile
	}
	grace, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if shutdown := server.Shutdown(grace); shutdown != nil {
		e.log.Warn("some webhook calls did not end in time", "error", shutdown)
		server.Close()
	}
	stopSources()
	e.mu.Lock()
	e.stopSources(e.current)
	e.mu.Unlock()
	stopWorkers()
	running.Wait()
	e.mu.Lock()
	for _, s := range e.current.sinks {
		s.sink.Close()
	}
	e.mu.Unlock()
	e.log.Info("stopped")
	return err
}
