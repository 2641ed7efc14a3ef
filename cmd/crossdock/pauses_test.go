package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/mutant"
)

// busyTarget asks the first caller for a pause and notes when it is called.
type busyTarget struct {
	*httptest.Server
	pause time.Duration

	mu    sync.Mutex
	first time.Time
	early int // calls in the pause, apart from those made before others can know
	good  int
}

// grace is how long the others need to hear of a pause.
const grace = 1200 * time.Millisecond

func newBusyTarget(t *testing.T, pause time.Duration) *busyTarget {
	b := &busyTarget{pause: pause}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		since := time.Since(b.first)
		switch {
		case b.first.IsZero():
			b.first = time.Now()
			fallthrough
		case since < b.pause:
			if since > grace && !b.first.IsZero() && since < b.pause {
				b.early++
			}
			w.Header().Set("Retry-After", fmt.Sprint(int(b.pause.Seconds())))
			w.WriteHeader(http.StatusTooManyRequests)
		default:
			b.good++
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *busyTarget) seen() (called bool, early, good int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.first.IsZero(), b.early, b.good
}

// TestReplicasShareAPause runs two processes on one Redis. One of them is asked
// for a pause; what both then take in waits for its end at both. With a build in
// which nobody hears of pauses it does not, or the test would be blind.
func TestReplicasShareAPause(t *testing.T) {
	t.Run("heard", func(t *testing.T) {
		if early := callsInAPause(t, newFleet(t, 2)); early > 0 {
			t.Errorf("%d calls in the pause that was asked for", early)
		}
	})
	t.Run("deaf", func(t *testing.T) {
		f := newFleet(t, 0)
		f.binary = buildMutant(t)
		t.Setenv("CROSSDOCK_MUTANT", string(mutant.Deaf))
		f.join()
		f.join()
		if early := callsInAPause(t, f); early == 0 {
			t.Error("no call in the pause although nobody hears of it: the test is blind")
		}
	})
}

// callsInAPause counts the calls of a busy target in the pause that it asks the
// first caller for.
func callsInAPause(t *testing.T, f *fleet) int {
	t.Helper()
	busy := newBusyTarget(t, 5*time.Second)
	for name, text := range map[string]string{
		"busy.connection.yaml": "connection: busy\ntype: http\nbase_url: " + busy.URL + "\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /in, repeat: keyed}\n",
		"busy.pipeline.yaml":   "pipeline: busy\ntrigger: {http: {path: /busy, verify: none}}\nkey: .n\npolicy: {retry: {attempts: 8, wait: 200ms, on: [timeout, connection, 429, 5xx]}}\nsteps:\n  - {send: busy.put}\n",
	} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(time.Minute)
	wait := func(what string, done func() bool) {
		t.Helper()
		for !done() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not in time", what)
			}
			time.Sleep(20 * time.Millisecond) // real processes: nothing signals
		}
	}
	post := func(r *replica, n int) int {
		resp, err := http.Post("http://"+r.http+"/busy", "application/json", strings.NewReader(fmt.Sprintf(`{"n": "%d"}`, n)))
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, r := range f.up() {
		wait("the pipeline is there", func() bool {
			resp, err := http.Get("http://" + r.http + "/busy")
			if err != nil {
				return false
			}
			resp.Body.Close()
			return resp.StatusCode != http.StatusNotFound
		})
	}
	// One message, so that one replica is asked and the other can only hear of it.
	if code := post(f.up()[0], 0); code != http.StatusAccepted {
		t.Fatalf("the first message: %d", code)
	}
	sent := 1
	wait("the first call", func() bool { called, _, _ := busy.seen(); return called })
	time.Sleep(grace) // a real process has to hear of it
	for n := range 60 {
		if code := post(f.up()[n%2], 100+n); code != http.StatusAccepted {
			t.Fatalf("message %d: %d", n, code)
		}
		sent++
	}
	wait("all are delivered", func() bool { _, _, good := busy.seen(); return good >= sent })
	_, early, _ := busy.seen()
	return early
}
