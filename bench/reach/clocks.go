package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"crossdock/bench/rig"
)

// jumps are by how many seconds the clock of the last replica is wrong, one after
// the other. Those of the others are wrong by five minutes all the time.
var jumps = []int{0, 600, -600, 3600, -60, -3600}

// clocks runs three replicas whose clocks disagree, one of which jumps, on one
// Redis.
func clocks(ctx context.Context, t *trial) error {
	const replicas = 3
	tmp, err := os.MkdirTemp("", "crossdock-clocks-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	file := func(no int) string { return filepath.Join(tmp, "clock"+strconv.Itoa(no)) }
	for no, by := range []int{300, -300, 0} {
		if err := setClock(file(no), by); err != nil {
			return err
		}
	}
	calls, err := newCallee()
	if err != nil {
		return err
	}
	defer calls.server.Close()
	defs := rig.Workspace()
	define(defs, "shop", "concurrency: 64, timeout: 1s", map[string]string{"orders": "standard"})
	beside(defs, calls.addr)
	r, err := rig.Open(ctx, rig.Options{Binary: t.binary, Store: "redis", Replicas: replicas, Definitions: defs, Args: []string{"--no-watch", "--drain", "500ms"}, Pipeline: "orders",
		Env: func(no int) []string { return []string{wrongClock + "=" + file(no)} }})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := isWrong(ctx, r.Replicas[0].HTTP, 5*time.Minute); err != nil {
		return err
	}
	balancer := r.Balancer()
	defer balancer.Close()
	phase := r.Ledger.Phase("wrong clocks", false)
	o := rig.Load{Path: "/in/orders", Connections: 24, Keys: 200, Size: 300, To: balancer.To, Rate: t.rate, Phase: phase}
	loading, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { r.Ledger.Send(loading, o) })
	for n := range pick(t, t.n, 2) {
		if err = setClock(file(replicas-1), jumps[n%len(jumps)]); err != nil {
			break
		}
		heal := r.Target.Hang("/shop") // attempts come to nothing, and are repeated after pauses
		wait(ctx, 3*time.Second)
		heal()
		wait(ctx, pick(t, 9*time.Second, 2*time.Second))
		p := r.Replicas[n%replicas] // what it held goes to another one
		if err = p.Stop(); err == nil {
			err = p.Start(ctx)
		}
		if err != nil {
			break
		}
	}
	end()
	all.Wait()
	if err != nil {
		return err
	}
	if err := t.twice(r); err != nil {
		return err
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	ticks := calls.check(t)
	t.result.Settings["jumps"], t.result.Settings["rate"] = pick(t, t.n, 2), t.rate
	t.result.Figures["ticks"] = ticks
	t.result.Line = fmt.Sprintf("3 replicas on one Redis, their clocks 5 min ahead, 5 min behind and jumping %d times, %.0f msg/s, each restarted in turn: %s; %d runs of a schedule, each once",
		pick(t, t.n, 2), t.rate, t.result.Verdict, ticks)
	return nil
}

// beside are the definitions of what the ledger knows nothing of: a schedule, and
// a pipeline to which the same message is sent over and over.
func beside(defs map[string]string, addr string) {
	defs["calls.connection.yaml"] = fmt.Sprintf(`connection: calls
type: http
base_url: http://%s
allow_private: ["127.0.0.0/8"]
operations:
  tick: {post: /tick, repeat: keyed}
  once: {post: /once, repeat: keyed}
`, addr)
	defs["tick.pipeline.yaml"] = "pipeline: tick\ntrigger: {schedule: {cron: \"* * * * *\", missed: run_all}}\nsteps:\n  - {send: calls.tick, with: {at: .scheduled_at}}\n"
	defs["once.pipeline.yaml"] = "pipeline: once\ntrigger: {http: {path: /in/once, verify: none}}\nkey: .id\nsteps:\n  - {send: calls.once, with: {at: .id}}\n"
}

func setClock(path string, by int) error {
	if err := os.WriteFile(path+"~", []byte(strconv.Itoa(by)), 0o644); err != nil {
		return fmt.Errorf("set a clock: %w", err)
	}
	return os.Rename(path+"~", path)
}

// isWrong makes sure that a replica has the clock it was given: with another one
// nothing would be measured.
func isWrong(ctx context.Context, addr string, by time.Duration) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask a replica for its time: %w", err)
	}
	resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil || time.Until(at) < by-10*time.Second {
		return fmt.Errorf("the clock of the replica is not wrong (it says %s): it was not built for this measurement", resp.Header.Get("Date"))
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// twice sends one message to every replica: all but the first know it.
func (t *trial) twice(r *rig.Rig) error {
	for n, p := range r.Replicas {
		resp, err := http.Post("http://"+p.HTTP+"/in/once", "application/json", bytes.NewReader([]byte(`{"id":"the same"}`)))
		if err != nil {
			return fmt.Errorf("send a message: %w", err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return fmt.Errorf("read an answer: %w", err)
		}
		if known := bytes.Contains(raw, []byte(`"duplicate"`)); known != (n > 0) {
			t.broken("%s answered a message that came to %d replicas before: %s", p.Name, n, raw)
		}
	}
	return nil
}

// callee is told of the runs of a schedule, and of what came more than once.
type callee struct {
	addr   string
	server *http.Server

	mu   sync.Mutex
	keys map[string]bool
	at   map[string]int // effects
}

func newCallee() (*callee, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a target: %w", err)
	}
	c := &callee{addr: l.Addr().String(), keys: map[string]bool{}, at: map[string]int{}}
	c.server = &http.Server{Handler: c}
	go func() { _ = c.server.Serve(l) }() // ends when it is closed
	return c, nil
}

// ServeHTTP implements http.Handler.
func (c *callee) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ At string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if key := r.Header.Get("Idempotency-Key"); !c.keys[key] {
		c.keys[key] = true
		c.at[r.URL.Path+" "+in.At]++
	}
	w.WriteHeader(http.StatusCreated)
}

// check holds the runs of the schedule to one for each minute between the first
// and the last, and returns how many there were.
func (c *callee) check(t *trial) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ticks []time.Time
	for what, n := range c.at {
		if n != 1 {
			t.broken("%s had its effect %d times", what, n)
		}
		if at, err := time.Parse("/tick "+time.RFC3339, what); err == nil {
			ticks = append(ticks, at)
		}
	}
	slices.SortFunc(ticks, time.Time.Compare)
	for i := 1; i < len(ticks); i++ {
		if ticks[i].Sub(ticks[i-1]) != time.Minute {
			t.broken("the schedule did not run between %s and %s", ticks[i-1], ticks[i])
		}
	}
	if len(ticks) == 0 && !t.short {
		t.broken("the schedule did not run")
	}
	return len(ticks)
}
