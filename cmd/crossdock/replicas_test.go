package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/journal"
	"crossdock/runtime/porttest"
	"crossdock/runtime/queue/redis/redistest"
)

// fleet is several processes of one workspace on one Redis.
type fleet struct {
	t      *testing.T
	binary string
	dir    string
	store  string
	lease  time.Duration
	args   []string
	target *keyedTarget
	feed   *feed

	mu       sync.Mutex
	replicas []*replica
}

// replica is one process of a fleet.
type replica struct {
	http, admin, state string
	cmd                *exec.Cmd
	ended              chan struct{}
	log                processLog
	ready              atomic.Bool
}

// processLog is what a process has written so far.
type processLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *processLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *processLog) text() string { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.String() }

const fleetLease = 2 * time.Second

func newFleet(t *testing.T, n int, args ...string) *fleet {
	if testing.Short() {
		t.Skip("runs real processes for several seconds")
	}
	f := &fleet{t: t, binary: buildBinary(t), dir: t.TempDir(), lease: fleetLease, args: args, target: newKeyedTarget(t), feed: newFeed(t)}
	f.store = redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always").URL()
	for name, text := range map[string]string{
		"crossdock.yaml":         "crossdock: 1\ndefaults: {policy: quick}\npolicies:\n  quick: {retry: {attempts: 50, wait: 200ms, grow: 1, on: [timeout, connection, 5xx]}}\n",
		"target.connection.yaml": "connection: target\ntype: http\nbase_url: http://" + f.target.addr + "\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  put: {post: /in, repeat: keyed}\n",
		"feed.connection.yaml":   "connection: feed\ntype: http\nbase_url: " + f.feed.URL() + "\nallow_private: [\"127.0.0.0/8\"]\noperations:\n  list: {get: /list, repeat: safe}\n",
		"out.mapping.yaml":       "mapping: out\nfields:\n  k: .k\n  seq: {from: .seq, type: integer}\n",
		"in.pipeline.yaml":       "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: [.k, .seq]\norder_by: .k\nsteps:\n  - {send: target.put, map: out}\n",
		"feed.pipeline.yaml":     "pipeline: feed\ntrigger: {poll: {call: feed.list, every: 250ms}}\nkey: [.k, .seq]\nsteps:\n  - {send: target.put, map: out}\n",
	} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		f.join()
	}
	t.Cleanup(func() {
		for _, r := range f.replicas {
			_ = r.cmd.Process.Kill()
			<-r.ended
		}
		if t.Failed() {
			for i, r := range f.replicas {
				t.Logf("replica %d:\n%s", i, tail(r.log.text(), 3000))
			}
		}
	})
	return f
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// join adds a replica and waits until it is ready.
func (f *fleet) join() *replica {
	f.t.Helper()
	r := &replica{http: porttest.Take(f.t), admin: porttest.Take(f.t), state: f.t.TempDir()}
	f.mu.Lock()
	f.replicas = append(f.replicas, r)
	f.mu.Unlock()
	f.start(r)
	return r
}

func (f *fleet) start(r *replica) {
	f.t.Helper()
	args := append([]string{"run", f.dir, "--state", r.state, "--store", f.store, "--http", r.http, "--admin", r.admin, "--lease", f.lease.String()}, f.args...)
	cmd := exec.Command(f.binary, args...)
	cmd.Stderr = &r.log
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // it is killed, or says in its log why it went
	r.cmd, r.ended = cmd, ended
	deadline := time.Now().Add(30 * time.Second)
	for !r.asks("/readyz") {
		if time.Now().After(deadline) {
			f.t.Fatal("a replica did not become ready")
		}
		time.Sleep(20 * time.Millisecond) // a real process: nothing signals readiness
	}
	r.ready.Store(true)
}

func (r *replica) asks(path string) bool {
	resp, err := http.Get("http://" + r.admin + path)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (f *fleet) kill(r *replica) {
	r.ready.Store(false)
	_ = r.cmd.Process.Kill()
	<-r.ended
}

// stop ends a replica as a supervisor does. Its balancer sees the readiness go.
func (f *fleet) stop(r *replica) {
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	for r.asks("/readyz") {
		time.Sleep(10 * time.Millisecond) // as a balancer looks
	}
	r.ready.Store(false)
	<-r.ended
}

// up are the replicas that a balancer would use.
func (f *fleet) up() []*replica {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.replicas), func(r *replica) bool { return !r.ready.Load() })
}

// get asks the control API of a replica.
func (f *fleet) get(r *replica, path string, out any) error {
	token, err := os.ReadFile(filepath.Join(r.state, "admin.token"))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+r.admin+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}

// load sends dense sequences of every key to whoever is up, until each message
// is acknowledged. It returns how many requests failed.
func (f *fleet) load(perKey int, pause time.Duration) (failed int64) {
	client := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var bad atomic.Int64
	var senders sync.WaitGroup
	for k := range connections {
		senders.Go(func() {
			random := rand.New(rand.NewPCG(uint64(k), 7))
			for seq := 1; seq <= perKey; seq++ {
				body := fmt.Sprintf(`{"k":"key-%d","seq":%d}`, k, seq)
				for {
					up := f.up()
					if len(up) == 0 {
						time.Sleep(20 * time.Millisecond) // as a sender would
						continue
					}
					resp, err := client.Post("http://"+up[random.IntN(len(up))].http+"/in", "application/json", strings.NewReader(body))
					if err == nil {
						_, _ = io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
						if resp.StatusCode == http.StatusAccepted {
							break
						}
					}
					bad.Add(1)
					time.Sleep(20 * time.Millisecond)
				}
				time.Sleep(pause)
			}
		})
	}
	senders.Wait()
	return bad.Load()
}

// settle waits until nothing is open and judges what the target has seen.
func (f *fleet) settle(perKey int) {
	t := f.t
	t.Helper()
	var b journal.Balance
	deadline := time.Now().Add(60 * time.Second)
	for {
		if err := f.get(f.up()[0], "/v1/balance", &b); err == nil && b.Open == 0 && b.Unaccounted == 0 && b.Delivered >= int64(perKey*connections) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("messages are still open after a minute: %+v", b)
		}
		time.Sleep(50 * time.Millisecond) // asks a real process
	}
	fed := f.feed.given()
	f.target.mu.Lock()
	got, twice := 0, 0
	for message, keys := range f.target.effect {
		if strings.HasPrefix(message, "feed/") {
			got++
			twice += len(keys) - 1
			delete(f.target.effect, message)
		}
	}
	delete(f.target.order, "feed")
	f.target.mu.Unlock()
	lost, doubled, reordered, wrong := f.target.judge(perKey)
	t.Logf("accepted %d delivered %d duplicates %d dead %d | lost %d doubled %d reordered %d | deliveries %d | polled items %d of %d", b.Accepted, b.Delivered, b.Duplicates, b.Dead,
		lost, doubled, reordered, f.target.deliveries.Load(), got, fed)
	if lost+doubled+reordered+wrong+twice != 0 || b.Dead != 0 {
		t.Errorf("lost %d, effects doubled %d, reordered %d, wrong %d, polled items doubled %d, dead %d", lost, doubled, reordered, wrong, twice, b.Dead)
	}
	if got < fed-3 { // the newest may be on their way
		t.Errorf("%d of %d polled items arrived", got, fed)
	}
}

// feed is a partner that is polled: it gives its newest five items each time.
type feed struct {
	addr  string
	mu    sync.Mutex
	times []time.Time
}

func newFeed(t *testing.T) *feed {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &feed{addr: l.Addr().String()}
	s := &http.Server{Handler: f, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return f
}

func (f *feed) URL() string { return "http://" + f.addr }

// ServeHTTP implements http.Handler.
func (f *feed) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	f.times = append(f.times, time.Now())
	n := len(f.times)
	f.mu.Unlock()
	var items []map[string]any
	for seq := max(1, n-4); seq <= n; seq++ {
		items = append(items, map[string]any{"k": "feed", "seq": seq})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(items)
}

func (f *feed) given() int { f.mu.Lock(); defer f.mu.Unlock(); return len(f.times) }

// gap is the longest time between two polls, and rate how many there were in the
// shortest second.
func (f *feed) gap() (longest time.Duration, most int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := 1; i < len(f.times); i++ {
		longest = max(longest, f.times[i].Sub(f.times[i-1]))
		n := 1
		for j := i - 1; j >= 0 && f.times[i].Sub(f.times[j]) < time.Second; j-- {
			n++
		}
		most = max(most, n)
	}
	return longest, most
}

// TestReplicasKilledAgainAndAgain kills replicas one after the other without
// warning, while others join and leave, under load: nothing is lost, doubled or
// out of order, one of them polls at a time, and it is followed within the time
// of a lease and two seconds.
func TestReplicasKilledAgainAndAgain(t *testing.T) {
	f := newFleet(t, 3)
	const perKey = 60
	done := make(chan struct{})
	go func() { f.load(perKey, 60*time.Millisecond); close(done) }() // failed requests are the kills' own
	random := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-time.After(700 * time.Millisecond): // a supervisor that is slow
			up := f.up()
			r := up[random.IntN(len(up))]
			f.kill(r)
			kills++
			if kills == 2 {
				f.join()
			}
			f.start(r)
			if kills == 3 {
				f.stop(f.up()[0])
			}
		}
	}
	if kills < 3 {
		t.Errorf("only %d kills: the test is blind", kills)
	}
	f.settle(perKey)
	longest, most := f.feed.gap()
	t.Logf("%d kills, longest gap between polls %v, at most %d in a second", kills, longest, most)
	if longest > f.lease+2*time.Second+time.Second { // and a second for a machine that is busy
		t.Errorf("nobody polled for %v with a lease of %v", longest, f.lease)
	}
	if most > 8 { // one gives four; a new holder begins at once
		t.Errorf("%d polls in a second: more than one replica polls", most)
	}
	var st runtime.Status
	if err := f.get(f.up()[0], "/v1/status", &st); err != nil || len(st.Replicas) < len(f.up()) {
		t.Errorf("status shows %d replicas, %d are up: %v", len(st.Replicas), len(f.up()), err)
	}
}

// TestStoppedReplicaIsFenced stops the replica that polls for longer than its
// lease and lets it go on: what it does late is refused.
func TestStoppedReplicaIsFenced(t *testing.T) {
	f := newFleet(t, 2)
	holder := func() *replica {
		for _, r := range f.up() {
			var st runtime.Status
			if err := f.get(r, "/v1/status", &st); err != nil {
				continue
			}
			for _, one := range st.Replicas {
				if one.Here && slices.Contains(one.Sources, "feed") {
					return r
				}
			}
		}
		return nil
	}
	var first *replica
	deadline := time.Now().Add(20 * time.Second)
	for first = holder(); first == nil; first = holder() {
		if time.Now().After(deadline) {
			t.Fatal("nobody polls")
		}
		time.Sleep(20 * time.Millisecond) // asks real processes
	}
	first.ready.Store(false)
	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for second := holder(); second == nil; second = holder() {
		if time.Since(began) > f.lease+3*time.Second {
			t.Fatalf("nobody took over in %v", time.Since(began))
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("taken over after %v with a lease of %v", time.Since(began), f.lease)
	if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	deadline = time.Now().Add(10 * time.Second)
	for !strings.Contains(first.log.text(), "another replica has taken over") {
		if time.Now().After(deadline) {
			t.Fatal("the late one did not notice that it was followed")
		}
		time.Sleep(20 * time.Millisecond)
	}
	first.ready.Store(true)
	f.settle(0)
}

// TestRollingRestart restarts every replica under load, as a supervisor behind a
// balancer does: no request fails and nothing is delivered twice.
func TestRollingRestart(t *testing.T) {
	f := newFleet(t, 2, "--drain", "300ms")
	const perKey = 40
	done := make(chan int64)
	go func() { done <- f.load(perKey, 60*time.Millisecond) }()
	for _, r := range slices.Clone(f.replicas) {
		f.stop(r)
		f.start(r)
	}
	if failed := <-done; failed != 0 {
		t.Errorf("%d requests failed", failed)
	}
	f.settle(perKey)
	if n := f.target.deliveries.Load(); n > int64(perKey*connections+f.feed.given()) {
		t.Errorf("%d deliveries of %d messages and %d polled items", n, perKey*connections, f.feed.given())
	}
}
