// Package sandbox runs jq cells that people one does not trust have written: in
// a WebAssembly machine with a memory of its own, without files, network,
// environment or clock of the process.
//
// Inside runs the jq of crossdock itself, built for WebAssembly (guest), so a
// cell gives the same values and the same errors as in the process. What a cell
// does to that machine ends with its run: afterwards the machine is put back
// into the state that it had before, or thrown away.
//
// A machine takes at most MemoryMost and the time of the run; what goes beyond
// is ended from outside, whatever the program inside does.
package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/wire"
)

//go:generate go run -C ../../tools ./sandbox ..

//go:embed guest.wasm.gz
var packed []byte

const (
	// MemoryMost is what one machine may take, in bytes.
	MemoryMost = 64 << 20
	// InputMost bounds what goes into a machine, in bytes.
	InputMost = 16 << 20
	// Machines is how many there are at most, however many processors.
	Machines = 4

	page = 64 << 10
)

// Sandbox is a jq.Sandbox. The first run makes it ready, which takes seconds; it
// holds its machines until the process ends.
type Sandbox struct {
	ready   func() (*works, error)
	turns   chan struct{}
	mu      sync.Mutex
	resting []*machine
}

// Default is the one of the process.
var Default = sync.OnceValue(New)

// New returns a sandbox that is not ready yet.
func New() *Sandbox {
	return &Sandbox{ready: sync.OnceValues(build), turns: make(chan struct{}, min(runtime.GOMAXPROCS(0), Machines))}
}

// Prepare makes the sandbox ready, so that no message has to wait for it.
func (s *Sandbox) Prepare() error {
	_, err := s.ready()
	return err
}

// works is what all machines have in common.
type works struct {
	runtime wazero.Runtime
	code    wazero.CompiledModule
	start   state
}

// build compiles the program, and runs it once to the point from which every
// run starts.
func build() (*works, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack the sandbox: %w", err)
	}
	program, err := io.ReadAll(unpacked)
	if err != nil {
		return nil, fmt.Errorf("unpack the sandbox: %w", err)
	}
	ctx := context.Background()
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(MemoryMost / page).WithCloseOnContextDone(true).WithDebugInfoEnabled(false)
	if cache := cached(); cache != nil {
		config = config.WithCompilationCache(cache)
	}
	w := &works{runtime: wazero.NewRuntimeWithConfig(ctx, config)}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, w.runtime); err != nil {
		return nil, fmt.Errorf("make the sandbox: %w", err)
	}
	if err := answering(ctx, w.runtime); err != nil {
		return nil, fmt.Errorf("make the sandbox: %w", err)
	}
	if w.code, err = w.runtime.CompileModule(ctx, program); err != nil {
		return nil, fmt.Errorf("compile the sandbox: %w", err)
	}
	m, err := w.machine(ctx)
	if err != nil {
		return nil, err
	}
	defer m.close()
	if err := m.begin(ctx); err != nil {
		return nil, fmt.Errorf("start the sandbox: %w", err)
	}
	w.start = m.state()
	return w, nil
}

// Run implements jq.Sandbox. Waiting for a machine is not counted as time of the
// run.
func (s *Sandbox) Run(ctx context.Context, c jq.Call) ([]any, error) {
	w, err := s.ready()
	if err != nil {
		return nil, &jq.RunError{Text: "cannot be computed: there is no sandbox on this machine: " + err.Error()}
	}
	call, err := wire.AppendCall(nil, c)
	if err != nil {
		return nil, &jq.RunError{Text: "cannot be computed: its input " + err.Error()}
	}
	if len(call) > InputMost {
		return nil, &jq.LimitError{Limit: jq.ErrMemory, Text: fmt.Sprintf("reads more than %d MiB, the most in a sandbox", InputMost>>20)}
	}
	select {
	case s.turns <- struct{}{}:
		defer func() { <-s.turns }()
	case <-ctx.Done():
		return nil, &jq.LimitError{Limit: ctx.Err(), Text: "was stopped"}
	}
	m, err := s.take(ctx, w)
	if err != nil {
		return nil, &jq.RunError{Text: "cannot be computed: " + err.Error()}
	}
	values, err, whole := m.run(ctx, call, c)
	if whole && m.restore(w.start) {
		s.mu.Lock()
		s.resting = append(s.resting, m)
		s.mu.Unlock()
	} else {
		m.close()
	}
	return values, err
}

// take returns a machine in the state from which every run starts.
func (s *Sandbox) take(ctx context.Context, w *works) (*machine, error) {
	s.mu.Lock()
	if n := len(s.resting); n > 0 {
		m := s.resting[n-1]
		s.resting = s.resting[:n-1]
		s.mu.Unlock()
		return m, nil
	}
	s.mu.Unlock()
	m, err := w.machine(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	if !m.restore(w.start) {
		m.close()
		return nil, errors.New("a new sandbox cannot be brought into its first state")
	}
	return m, nil
}

// overdue is how much longer than its limit a run may take until it is ended
// from outside; inside it ends itself, if it can.
func overdue(limit time.Duration) time.Duration { return limit + limit/4 }

// run runs one cell. whole says that the machine may be used again.
func (m *machine) run(ctx context.Context, call []byte, c jq.Call) (values []any, err error, whole bool) {
	defer func() { m.lookup = nil }()
	m.lookup = c.Lookup
	within, cancel := context.WithTimeout(ctx, overdue(c.Time))
	defer cancel()
	result, err := m.eval(within, call)
	if err == nil {
		if values, err = wire.ReadResult(result); errors.Is(err, wire.ErrBroken) {
			return nil, &jq.RunError{Text: "cannot be computed for this input"}, false
		}
		return values, err, true
	}
	switch {
	case ctx.Err() != nil:
		err = &jq.LimitError{Limit: ctx.Err(), Text: "was stopped"}
	case within.Err() != nil:
		err = &jq.LimitError{Limit: jq.ErrTime, Text: fmt.Sprintf("takes longer than %s", c.Time)}
	case strings.Contains(m.said.String(), "out of memory"), strings.Contains(m.said.String(), "cannot allocate memory"):
		err = &jq.LimitError{Limit: jq.ErrMemory, Text: fmt.Sprintf("needs more than %d MiB, the most in a sandbox", MemoryMost>>20)}
	default:
		err = &jq.RunError{Text: "cannot be computed for this input"}
	}
	return nil, err, false
}

// machine is one running copy of the program. It is used by one run at a time.
type machine struct {
	module  api.Module
	globals []api.MutableGlobal
	said    heard
	lookup  func(string) (jq.Table, bool) // of the run
	answer  []byte                        // to its last question
}

// heard keeps the beginning of what a machine says when it dies.
type heard struct{ bytes.Buffer }

func (h *heard) Write(p []byte) (int, error) {
	if room := 4096 - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// machine makes a new one, whose program has not begun.
func (w *works) machine(ctx context.Context) (*machine, error) {
	m := &machine{}
	var err error
	m.module, err = w.runtime.InstantiateModule(ctx, w.code, wazero.NewModuleConfig().
		WithName("").WithStartFunctions().WithStderr(&m.said).WithSysNanotime())
	if err != nil {
		return nil, fmt.Errorf("make a sandbox: %w", err)
	}
	for i := 0; ; i++ {
		g, ok := m.module.ExportedGlobal(fmt.Sprintf("global%d", i)).(api.MutableGlobal)
		if !ok {
			break
		}
		m.globals = append(m.globals, g)
	}
	return m, nil
}

// begin runs the program until it waits for calls.
func (m *machine) begin(ctx context.Context) error {
	for _, f := range []string{"_initialize", "warm"} {
		if _, err := m.module.ExportedFunction(f).Call(ctx); err != nil {
			return fmt.Errorf("%s: %w %s", f, err, m.said.String())
		}
	}
	return nil
}

func (m *machine) close() { _ = m.module.Close(context.Background()) }

// byMachine finds the machine whose question this is.
type byMachine struct{}

// eval hands the call to the program and returns its result, which is good until
// the machine is used again.
func (m *machine) eval(ctx context.Context, call []byte) ([]byte, error) {
	ctx = context.WithValue(ctx, byMachine{}, m)
	at, err := m.module.ExportedFunction("room").Call(ctx, uint64(len(call)))
	if err != nil {
		return nil, err
	}
	if !m.module.Memory().Write(uint32(at[0]), call) {
		return nil, wire.ErrBroken
	}
	end, err := m.module.ExportedFunction("run").Call(ctx)
	if err != nil {
		return nil, err
	}
	result, ok := m.module.Memory().Read(uint32(end[0]>>32), uint32(end[0]))
	if !ok {
		return nil, wire.ErrBroken
	}
	return result, nil
}
