package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/runtime"
	"crossdock/runtime/enginetest"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
)

// site is a workspace on disk, an engine on it and a target it delivers to.
type site struct {
	t      *testing.T
	dir    string
	opt    runtime.Options
	engine *runtime.Engine
	target *target
	log    *logBook
	stop   func() error
}

// base is a workspace that delivers {k, seq} to the target.
const (
	baseSettings   = "crossdock: 1\ndefaults: {policy: quick}\npolicies:\n  quick: {retry: {attempts: 50, wait: 20ms, grow: 1, jitter: 0, on: [timeout, connection, 5xx]}}\n"
	baseMapping    = "mapping: out\nfields:\n  k: .k\n  seq: {from: .seq, type: integer}\n"
	basePipeline   = "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.k, .seq]\norder_by: .k\ntrace_by: {k: .k}\nsteps:\n  - {send: target.put, map: out}\n"
	baseConnection = "connection: target\ntype: http\nbase_url: %s\nallow_private: [\"127.0.0.0/8\"]\nlimits: {timeout: 5s}\noperations:\n  put: {post: /in, repeat: keyed}\n"
)

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), target: newTarget(t), log: newLogBook(t)}
	s.opt = runtime.Options{Dir: s.dir, Store: "memory:", HTTP: "127.0.0.1:0", Log: slog.New(slog.NewJSONHandler(s.log, nil))}
	s.write("crossdock.yaml", baseSettings)
	s.write("target.connection.yaml", fmt.Sprintf(baseConnection, s.target.URL))
	s.write("out.mapping.yaml", baseMapping)
	s.write("in.pipeline.yaml", basePipeline)
	return s
}

// write saves a file as careful editors do.
func (s *site) write(name, text string) {
	s.t.Helper()
	enginetest.Write(s.t, s.dir, name, text)
}

func (s *site) remove(name string) {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
		s.t.Fatal(err)
	}
}

// start opens and runs the engine; it is stopped with the test at the latest.
func (s *site) start() {
	s.t.Helper()
	s.engine, s.stop = enginetest.Start(s.t, s.opt)
}

func (s *site) until(what string, ok func() bool) {
	s.t.Helper()
	enginetest.Until(s.t, what, ok)
}

func (s *site) url(path string) string { return "http://" + s.engine.Addr() + path }

func (s *site) post(path, body string) (int, string) {
	s.t.Helper()
	resp, err := http.Post(s.url(path), "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

func (s *site) send(k string, seq int) {
	s.t.Helper()
	if status, answer := s.post("/in", fmt.Sprintf(`{"k":%q,"seq":%d}`, k, seq)); status/100 != 2 {
		s.t.Fatalf("%s/%d: %d %s", k, seq, status, answer)
	}
}

func (s *site) balance() journal.Balance {
	s.t.Helper()
	b, err := journal.ReadBalance(context.Background(), s.engine.Driver(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// settled waits until nothing is open and everything is accounted for.
func (s *site) settled() journal.Balance {
	s.t.Helper()
	var b journal.Balance
	s.until("all messages have ended", func() bool { b = s.balance(); return b.Open == 0 && b.Unaccounted == 0 })
	return b
}

func (s *site) status() runtime.Status {
	s.t.Helper()
	st, err := s.engine.Status(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return st
}

func (s *site) parked() []queue.JobInfo {
	s.t.Helper()
	page, err := s.engine.Driver().Browse(context.Background(), queue.Query{View: queue.Jobs, State: queue.Parked, Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	return page.Jobs
}

func (s *site) reload(want string) runtime.Report {
	s.t.Helper()
	r := s.engine.Reload(context.Background())
	if r.Result != want {
		s.t.Fatalf("the reload is %s (%s), want %s", r.Result, r.Error, want)
	}
	return r
}

// target is an HTTP server that remembers what it was sent.
type target struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  []string
	keys    []string
	answers func(n int, r *http.Request, body string) (int, string) // n counts from 1
}

func newTarget(t *testing.T) *target {
	k := &target{}
	k.Server = httptest.NewServer(k)
	t.Cleanup(k.Close)
	return k
}

// ServeHTTP implements http.Handler.
func (k *target) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller went away
	}
	k.mu.Lock()
	k.bodies = append(k.bodies, string(body))
	k.keys = append(k.keys, r.Header.Get("Idempotency-Key"))
	n, answers := len(k.bodies), k.answers
	k.mu.Unlock()
	if answers == nil {
		w.WriteHeader(http.StatusCreated)
		return
	}
	status, text := answers(n, r, string(body))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (k *target) seen() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.bodies...)
}

func (k *target) seenKeys() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.keys...)
}

func (k *target) answer(f func(n int, r *http.Request, body string) (int, string)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answers = f
}

// logBook keeps a log for reading.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// newLogBook returns one whose end is shown where the test fails.
func newLogBook(t *testing.T) *logBook {
	l := &logBook{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the log:\n%s", l.tail())
		}
	})
	return l
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

func (l *logBook) tail() string {
	s := l.String()
	return s[max(0, len(s)-4000):]
}

func TestStartRefusesBrokenDefinitionsWithAllFindings(t *testing.T) {
	s := newSite(t)
	s.write("out.mapping.yaml", "mapping: out\nfields:\n  k: {from: .k, tpye: string}\n")
	s.write("in.pipeline.yaml", strings.Replace(basePipeline, "target.put", "target.putt", 1))
	s.write("more.pipeline.yaml", "pipeline: more\ntrigger: {http: {path: /more, verify: none}}\nkey: [.k |]\nsteps:\n  - {send: target.put}\n")
	_, err := runtime.New(context.Background(), s.opt)
	var list diag.List
	if !errors.As(err, &list) {
		t.Fatalf("got %v, want findings", err)
	}
	files := map[string]bool{}
	for _, f := range list {
		if f.Severity == diag.Error {
			files[filepath.Base(f.Span.File)] = true
		}
	}
	for _, want := range []string{"out.mapping.yaml", "in.pipeline.yaml", "more.pipeline.yaml"} {
		if !files[want] {
			t.Errorf("no finding in %s; found %v", want, files)
		}
	}
}

func TestStartRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		alter func(*site)
		want  string
	}{
		{"no folder", func(s *site) { s.opt.Dir = filepath.Join(s.dir, "none") }, "there is no folder"},
		{"a file", func(s *site) { s.opt.Dir = filepath.Join(s.dir, "crossdock.yaml") }, "is not a folder"},
		{"unknown store", func(s *site) { s.opt.Store = "tape:drum" }, "there is no store `tape`"},
		{"store nobody answers", func(s *site) { s.opt.Store = "redis://user:hunter2-secret@127.0.0.1:1" }, "127.0.0.1:1"},
		{"tests fail", func(s *site) {
			s.write("prod.environment.yaml", "environment: prod\nreload: {require: [test]}\n")
			s.opt.Environment = "prod"
			s.opt.Gate = func(context.Context, *dsl.Workspace, fs.FS) error { return errors.New("2 tests failed") }
		}, "2 tests failed"},
		{"unknown environment", func(s *site) { s.opt.Environment = "prdo" }, "prdo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			c.alter(s)
			e, err := runtime.New(context.Background(), s.opt)
			if err == nil {
				e.Driver().Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to hold %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells a password: %q", err)
			}
		})
	}
}

func TestPortThatIsTakenIsSaid(t *testing.T) {
	s := newSite(t)
	s.opt.HTTP = strings.TrimPrefix(s.target.URL, "http://")
	e, err := runtime.New(context.Background(), s.opt)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Driver().Close()
	if err := e.Listen(); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v, want that the address is in use", err)
	}
	if e.Ready() {
		t.Error("it says that it is ready")
	}
}
