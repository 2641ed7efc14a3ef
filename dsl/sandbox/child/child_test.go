package child

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/wire"
)

// TestMain makes this test binary a child where it is started as one, and the
// process that is killed in TestNobodyStaysBehind.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == Word:
		os.Exit(Main())
	case os.Getenv(orphanEnv) != "":
		os.Exit(orphan())
	}
	os.Exit(m.Run())
}

// told is a table that tells its test when a cell looks into it.
type told func(key string) (any, error)

func (t told) Find(key, _ string) (any, error) { return t(key) }

// call is a run of a cell with one table, t.
func call(src string, in any, t told) jq.Call {
	return jq.Call{Source: src, In: in, Time: time.Minute, Outputs: jq.DefaultOutputs, Bytes: jq.DefaultBytes,
		Lookup: func(string) (jq.Table, bool) { return t, true }}
}

func pool(t *testing.T, opt Options) *Pool {
	t.Helper()
	p := New(opt)
	t.Cleanup(p.Close)
	return p
}

func appendCall(t *testing.T, c jq.Call) []byte {
	t.Helper()
	b, err := wire.AppendCall(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// child is the only one of a pool.
func (p *Pool) child(t *testing.T) *process {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.live) != 1 {
		t.Fatalf("%d children are there", len(p.live))
	}
	for k := range p.live {
		return k
	}
	return nil
}

// TestRun: one child runs one cell after the other.
func TestRun(t *testing.T) {
	p := pool(t, Options{})
	for _, want := range []string{"a", "b", "a"} {
		values, err := p.Run(t.Context(), call(`lookup("t")`, "k", func(string) (any, error) { return want, nil }))
		if err != nil || len(values) != 1 || values[0] != want {
			t.Errorf("%v %v, want %s", values, err, want)
		}
	}
	pid := p.child(t).pid()
	c := call(`last(range(1e12))`, nil, nil)
	c.Time = 20 * time.Millisecond
	if _, err := p.Run(t.Context(), c); !errors.Is(err, jq.ErrTime) || err.Error() != "takes longer than 20ms" {
		t.Errorf("ends with %v", err)
	}
	if p.child(t).pid() != pid {
		t.Error("a child that met a limit was replaced")
	}
}

// TestRests: a turn rests after a run that met a limit, as long as the pool is
// open, and not after another run.
func TestRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(Options{})
		free := func() bool {
			synctest.Wait()
			return len(p.turns) == 0
		}
		for _, err := range []error{nil, &jq.RunError{Text: "cannot"}, &jq.LimitError{Limit: context.Canceled}} {
			p.turns <- struct{}{}
			p.leave(time.Second, err)
			if !free() {
				t.Errorf("rests after %v", err)
			}
		}
		for _, limit := range []error{jq.ErrTime, jq.ErrMemory} {
			p.turns <- struct{}{}
			p.leave(time.Second, &jq.LimitError{Limit: limit})
			time.Sleep(rests*time.Second - time.Nanosecond)
			if free() {
				t.Errorf("%v: no rest", limit)
			}
			time.Sleep(time.Nanosecond)
			if !free() {
				t.Errorf("%v: rests too long", limit)
			}
		}
		p.turns <- struct{}{}
		p.leave(time.Hour, &jq.LimitError{Limit: jq.ErrTime})
		closing := time.Now()
		p.Close()
		p.Close()
		if took := time.Since(closing); took != 0 || !free() {
			t.Errorf("closes after %s", took)
		}
	})
}

// TestKilledInTheMiddle kills a child while it runs: another one does it again,
// and where that dies, too, the run has failed.
func TestKilledInTheMiddle(t *testing.T) {
	p := pool(t, Options{})
	for _, deaths := range []int{1, 2} {
		asked := 0
		values, err := p.Run(t.Context(), call(`lookup("t")`, "k", func(string) (any, error) {
			if asked++; asked <= deaths {
				p.child(t).kill()
			}
			return "v", nil
		}))
		switch {
		case deaths == 1 && (err != nil || len(values) != 1 || values[0] != "v" || asked != 2):
			t.Errorf("asked %d times, gives %v %v", asked, values, err)
		case deaths == 2 && (err == nil || err.Error() != "cannot be computed for this input" || asked != 2):
			t.Errorf("asked %d times, ends with %v", asked, err)
		}
	}
}

// TestStopped: a run ends with its context, and so does one that waits for a
// child.
func TestStopped(t *testing.T) {
	p := pool(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	_, err := p.Run(ctx, call(`lookup("t") | last(range(1e12))`, "k", func(string) (any, error) {
		late, stop := context.WithCancel(t.Context())
		stop()
		_, err := p.Run(late, call(`1`, nil, nil))
		waited <- err
		cancel()
		return "v", nil
	}))
	for _, err := range []error{err, <-waited} {
		var limit *jq.LimitError
		if !errors.As(err, &limit) || limit.Limit != context.Canceled || err.Error() != "was stopped" {
			t.Errorf("ends with %v", err)
		}
	}
	if values, err := p.Run(t.Context(), call(`1`, nil, nil)); err != nil || len(values) != 1 {
		t.Errorf("then gives %v %v", values, err)
	}
}

// TestOthersHaveTheProcessor stops a child for good: what gets no time runs in
// the process.
func TestOthersHaveTheProcessor(t *testing.T) {
	p := pool(t, Options{Patience: 50 * time.Millisecond})
	c := call(`lookup("t")`, "k", func(string) (any, error) {
		return "v", p.child(t).cmd.Process.Signal(syscall.SIGSTOP)
	})
	c.Time = 20 * time.Millisecond
	if _, err := p.Run(t.Context(), c); !errors.Is(err, jq.ErrHere) {
		t.Errorf("ends with %v", err)
	}
}

// TestEnds: a child ends by itself when the other side closes, whatever it does.
func TestEnds(t *testing.T) {
	k, err := start()
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.ask(appendCall(t, call(`lookup("t") | last(range(1e12))`, "k", nil)), call("", nil, func(string) (any, error) {
		return nil, k.in.Close()
	}))
	if err == nil {
		t.Error("it gave a result")
	}
	_ = k.ended()
	if code := k.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d: %s", code, k.said.String())
	}
}

// TestIdle: a child that nobody needs is ended.
func TestIdle(t *testing.T) {
	p := pool(t, Options{Idle: time.Millisecond})
	var k *process
	if _, err := p.Run(t.Context(), call(`lookup("t")`, "k", func(string) (any, error) { k = p.child(t); return 1, nil })); err != nil {
		t.Fatal(err)
	}
	_ = k.ended() // it waits for that
	if values, err := p.Run(t.Context(), call(`1`, nil, nil)); err != nil || len(values) != 1 {
		t.Errorf("then gives %v %v", values, err)
	}
}

// TestClose ends what runs, and starts nothing afterwards.
func TestClose(t *testing.T) {
	p := New(Options{})
	closed := make(chan struct{})
	var k *process
	_, err := p.Run(t.Context(), call(`lookup("t") | last(range(1e12))`, "k", func(string) (any, error) {
		k = p.child(t)
		go func() { p.Close(); close(closed) }()
		_ = k.ended() // Close kills it
		return "v", nil
	}))
	<-closed
	if !errors.Is(err, jq.ErrHere) {
		t.Errorf("the run ends with %v", err)
	}
	if _, err := p.Run(t.Context(), call(`1`, nil, nil)); !errors.Is(err, jq.ErrHere) || len(p.live) != 0 {
		t.Errorf("a later one ends with %v, %d children", err, len(p.live))
	}
}

// TestNoChild: where none can be started, that is told once, not tried again and
// again, and the cell runs in the process.
func TestNoChild(t *testing.T) {
	var lines strings.Builder
	p := pool(t, Options{Log: slog.New(slog.NewTextHandler(&lines, nil))})
	var tried atomic.Int64
	p.start = func() (*process, error) { tried.Add(1); return begin(exec.Command("/nowhere/at/all")) }
	for range 3 {
		if _, err := p.Run(t.Context(), call(`1`, nil, nil)); !errors.Is(err, jq.ErrHere) {
			t.Errorf("ends with %v", err)
		}
	}
	if n := strings.Count(lines.String(), "cannot be started"); n != 1 || tried.Load() != 1 {
		t.Errorf("tried %d times, told %d times: %s", tried.Load(), n, lines.String())
	}
}

// TestAnotherProgram: what does not say hello is no child.
func TestAnotherProgram(t *testing.T) {
	if k, err := begin(exec.Command("/bin/echo")); err == nil {
		t.Errorf("%v was taken for one", k)
	}
}

// TestNonsense replaces a child by programs that behave as a child must not.
func TestNonsense(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		{`cat`, "cannot be computed for this input"},
		{`printf '\004\001\000\000\000\377'; cat >/dev/null`, "cannot be computed for this input"},
		{`printf '\004\377\377\377\377'; cat >/dev/null`, "cannot be computed for this input"},
		{`exit 1`, "cannot be computed for this input"},
		{`exit 75`, "takes longer than 1m0s"},
		{`echo 'fatal error: runtime: out of memory' >&2; exit 2`, "builds more than 128 MiB of data"},
	} {
		p := pool(t, Options{})
		p.start = func() (*process, error) { return open(exec.Command("/bin/sh", "-c", c.script)) }
		_, err := p.Run(t.Context(), call(`1`, nil, nil))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: ends with %v, want %s", c.script, err, c.want)
		}
	}
}

// TestTooLarge: what does not fit through runs in the process.
func TestTooLarge(t *testing.T) {
	p := pool(t, Options{})
	long := strings.Repeat("x", frameMost)
	var deep any = 1
	for range 10_001 {
		deep = []any{deep}
	}
	for _, c := range []jq.Call{
		call(`length`, long, nil),
		call(`length`, deep, nil),
		call(`length`, struct{}{}, nil),
		call(`[limit(40; repeat(.))] | map(. + "a")`, long[:1<<20], nil),
	} {
		c.Unsafe = true
		if v, err := p.Run(t.Context(), c); !errors.Is(err, jq.ErrHere) {
			t.Errorf("%.30s gives %d values, %v", c.Source, len(v), err)
		}
	}
}
