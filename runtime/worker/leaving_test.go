package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/message"
	"crossdock/runtime/policy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/worker"
)

// guarded is the revision at work with other limits.
func (p *port) guarded(l policy.Limits) *worker.Live {
	l.Name, l.Store, l.Operations = "t", p.driver, []string{"safe", "keyed", "check", "look"}
	if l.Concurrency == 0 {
		l.Concurrency = 64
	}
	live := *p.worker.Live()
	live.Guards = map[string]*policy.Guard{"t": policy.NewGuard(l)}
	return &live
}

func (p *port) failures() int {
	page, err := p.driver.Browse(context.Background(), queue.Query{View: queue.Recent, Kind: queue.Failed, Limit: 100})
	if err != nil {
		p.Fatal(err)
	}
	return len(page.Entries)
}

// TestAStopReturnsWhatWaits: a message that waits in memory for whatever keeps
// calls to another system back is returned at once when the process stops. It
// waits visibly then, no attempt is counted, and its key keeps its order.
func TestAStopReturnsWhatWaits(t *testing.T) {
	never := func(time.Time) time.Time { return time.Time{} }
	for name, c := range map[string]struct {
		limits policy.Limits
		bring  func(p *port)
		pass   time.Duration // until some wait in memory
	}{
		"rate":        {limits: policy.Limits{Rate: 1, Per: 2 * time.Second}},
		"concurrency": {limits: policy.Limits{Concurrency: 1}},
		"what maintenance held": {
			limits: policy.Limits{Windows: []*policy.Window{{Name: "w", Next: never, Rate: 1, Per: 2 * time.Second}}},
			bring: func(p *port) {
				p.guard.Calendar().SetManual(policy.Manual{From: time.Now(), Until: time.Now().Add(time.Minute), Who: "ann"})
			},
			pass: time.Minute,
		},
		"a system that recovers": {
			limits: policy.Limits{Trip: policy.Trip{Failures: 1, Within: time.Minute, Probe: time.Minute}},
			bring: func(p *port) {
				p.answers(status(503))
				p.send("p", `{"n":"0","k":"first"}`)
				p.pass(time.Second)
				p.answers(nil)
				p.pass(2 * time.Minute) // it was called, and from now on two may be at a time
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPort(t, c.limits, "", ordered("p", "p", "keyed"))
				if c.bring != nil {
					c.bring(p)
				}
				before, failures := len(p.calls()), p.failures()
				p.mu.Lock()
				p.took = time.Second
				p.mu.Unlock()
				for n := range 3 {
					for _, k := range []string{"a", "b", "c", "d"} {
						p.send("p", fmt.Sprintf(`{"n":"%s%d","k":%q}`, k, n, k))
					}
				}
				p.pass(c.pass + 500*time.Millisecond)
				if under, leased := p.peak(), len(p.jobs(queue.Leased)); leased <= under {
					t.Fatalf("%d are leased, %d under way: none waits in memory", leased, under)
				}
				if took := p.leave(); took > time.Second {
					t.Errorf("the stop took %s, where calls take 1s", took)
				}
				waiting := p.jobs(queue.Ready)
				if made := len(p.calls()) - before; len(waiting)+made != 12 {
					t.Errorf("%d of 12 were sent, and %d are ready", made, len(waiting))
				}
				for _, j := range waiting {
					if j.Attempts != 0 {
						t.Errorf("%s has %d attempts", j.ID, j.Attempts)
					}
				}
				p.mu.Lock()
				p.took = 0
				p.mu.Unlock()
				p.run(p.guarded(policy.Limits{})) // the next start, or another replica
				p.pass(100 * time.Millisecond)
				next := map[string]int{}
				for _, c := range p.calls()[before:] {
					if want := fmt.Sprint(c.n[:1], next[c.n[:1]]); c.n != want {
						t.Errorf("%s was sent where %s comes next", c.n, want)
					}
					next[c.n[:1]]++
				}
				if b := p.even(); p.left() != 0 || b.Dead != 0 || len(p.calls())-before != 12 || p.failures() != failures {
					t.Errorf("%d left, %d calls, %d failures, %+v", p.left(), len(p.calls())-before, p.failures()-failures, b)
				}
				p.stop()
			})
		})
	}
}

// TestAStopReturnsWhatWaitsToLook: the look for an effect waits for the rate, too.
func TestAStopReturnsWhatWaitsToLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{Rate: 1, Per: 4 * time.Second}, "", ordered("p", "p", "check"))
		p.answers(func(r connectors.Request) (connectors.Response, error) {
			if r.Operation == "look" {
				return connectors.Response{Status: 200, Body: map[string]any{"found": true}}, nil
			}
			return connectors.Response{}, timeout
		})
		p.send("p", `{"n":1,"k":"a"}`)
		p.pass(5 * time.Second) // an attempt, the turn of the next one after 4 s; its look waits until 8 s
		if n := len(p.calls()); n != 1 {
			t.Fatalf("%d calls", n)
		}
		if took := p.leave(); took != 0 {
			t.Errorf("the stop took %s", took)
		}
		if ready := p.jobs(queue.Ready); len(ready) != 1 || ready[0].Attempts != 1 {
			t.Errorf("after the stop: %+v", ready)
		}
		p.run(p.guarded(policy.Limits{}))
		p.pass(time.Second)
		if n := len(p.calls()); n != 2 || p.left() != 0 {
			t.Errorf("%d calls, %d left: it was sent again, or not looked for", n, p.left())
		}
		p.stop()
	})
}

// TestAReloadWakesWhoWaits: who waits in memory for a limit that a reload raised
// goes at once, and so does a poll.
func TestAReloadWakesWhoWaits(t *testing.T) {
	for name, l := range map[string]policy.Limits{
		"rate":        {Rate: 1, Per: time.Hour},
		"concurrency": {Concurrency: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPort(t, l, "", ordered("p", "p", "safe"))
				p.took = time.Minute
				p.send("p", `{"n":1,"k":"a"}`)
				p.pass(time.Millisecond)
				p.send("p", `{"n":2,"k":"b"}`)
				p.pass(time.Millisecond)
				if n, leased := len(p.calls()), len(p.jobs(queue.Leased)); n != 1 || leased != 2 {
					t.Fatalf("%d calls, %d leased", n, leased)
				}
				p.worker.Use(p.guarded(policy.Limits{}))
				p.pass(time.Millisecond)
				if n := len(p.calls()); n != 2 {
					t.Errorf("%d calls after the reload", n)
				}
				p.pass(time.Hour)
				if b := p.even(); b.Delivered != 2 || p.failures() != 0 {
					t.Errorf("%+v, %d failures", b, p.failures())
				}
				p.stop()
			})
		})
	}
}

// TestAPollDoesNotWaitForOldLimits, nor after it was told to stop.
func TestAPollDoesNotWaitForOldLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort(t, policy.Limits{Rate: 1, Per: 4 * time.Second}, "", ordered("p", "p", "safe"))
		op := p.worker.Live().WS.Operation("t.safe")
		ask := func(ctx context.Context) (time.Duration, error) {
			began := time.Now()
			_, err := p.worker.Ask(ctx, op, nil, "")
			return time.Since(began), err
		}
		if took, err := ask(t.Context()); took != 0 || err != nil {
			t.Fatal(took, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if took, err := ask(ctx); took != time.Second || !errors.Is(err, context.Canceled) {
			t.Errorf("told to stop after a second: %s, %v", took, err)
		}
		time.AfterFunc(time.Second, func() { p.worker.Use(p.guarded(policy.Limits{})) })
		if took, err := ask(t.Context()); took != time.Second || err != nil {
			t.Errorf("with other limits after a second: %s, %v", took, err)
		}
		p.stop()
	})
}

// late is a store during whose first write of a parked message something else
// happens.
type late struct {
	queue.Driver
	once sync.Once
	what func()
}

// Apply implements queue.Driver.
func (l *late) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	for _, f := range c.Finish {
		if f.Outcome == queue.Park {
			l.once.Do(l.what)
		}
	}
	return l.Driver.Apply(ctx, c)
}

// TestParkedDuringAReload: a message that is parked for a limit, or a definition,
// just when a reload changes it does not wait for what was.
func TestParkedDuringAReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &late{Driver: memory.Open(memory.Options{})}
		defer store.Close()
		files := map[string]string{
			"t.connection.yaml": "connection: t\ntype: log\noperations: {safe: {repeat: safe}}\n",
			"p.pipeline.yaml":   "pipeline: p\ntrigger: {http: {path: /p, verify: none}}\nkey: .n\nsteps:\n  - {send: t.safe}\n",
		}
		ws := load(t, files)
		sent := 0
		w := newWorker(ws, store, sink(func(context.Context, connectors.Request) (connectors.Response, error) {
			sent++
			return connectors.Response{Status: 200}, nil
		}), worker.Options{})
		open := w.Live()
		with := func(l policy.Limits) *worker.Live {
			live := *open
			l.Name, l.Operations, l.Concurrency = "t", []string{"safe"}, 1
			live.Guards = map[string]*policy.Guard{"t": policy.NewGuard(l)}
			return &live
		}
		begin := time.Now().Add(-time.Minute)
		shut := func(at time.Time) time.Time { // once, a minute ago
			if begin.After(at) {
				return begin
			}
			return time.Time{}
		}
		for _, c := range []struct {
			name   string
			before *worker.Live
		}{
			{"limit", with(policy.Limits{Windows: []*policy.Window{{Name: "w", Next: shut, Lasts: time.Hour}}})},
			{"definition", &worker.Live{WS: load(t, map[string]string{"t.connection.yaml": files["t.connection.yaml"]}), Sinks: open.Sinks}},
		} {
			sent, store.once = 0, sync.Once{}
			w.Use(open)
			if _, err := w.Channel("p", true).Send(t.Context(), message.Message{Raw: []byte(`{"n":"` + c.name + `"}`), Meta: message.Meta{ReceivedAt: time.Now()}}); err != nil {
				t.Fatal(err)
			}
			w.Use(c.before)
			store.what = func() { w.Use(open) }
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- w.Run(ctx) }()
			time.Sleep(time.Second)
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if sent != 1 {
				t.Errorf("%s: %d calls in the second after the reload", c.name, sent)
			}
		}
	})
}

// TestAStopSpeaksAgainstNobody: a suspect on which work goes on when the process
// stops is not convicted by that, however often it happens.
func TestAStopSpeaksAgainstNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(memory.Options{})
		defer store.Close()
		ws := load(t, map[string]string{
			"t.connection.yaml": "connection: t\ntype: log\nlimits: {timeout: 1m}\noperations: {slow: {repeat: keyed}}\n",
			"p.pipeline.yaml":   "pipeline: p\ntrigger: {http: {path: /p, verify: none}}\nkey: .n\nsteps:\n  - {send: t.slow}\n",
		})
		hangs := true
		w := newWorker(ws, store, sink(func(ctx context.Context, r connectors.Request) (connectors.Response, error) {
			if hangs {
				<-ctx.Done()
				return connectors.Response{}, connectors.Ambiguous(ctx.Err())
			}
			return connectors.Response{Status: 200}, nil
		}), worker.Options{Grace: time.Millisecond})
		for _, n := range []string{"a", "b"} { // one is worked on, the other waits for that
			if _, err := w.Channel("p", true).Send(t.Context(), message.Message{Raw: []byte(`{"n":"` + n + `"}`), Meta: message.Meta{ReceivedAt: time.Now()}}); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			if _, err := store.Lease(t.Context(), queue.Want{Lane: "in/p", Max: 2, TTL: time.Second}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
			if _, err := store.Sweep(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 {
			hangs = i < 4
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- w.Run(ctx) }()
			time.Sleep(time.Second)
			stop()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
		page, err := store.Browse(t.Context(), queue.Query{View: queue.Jobs})
		if err != nil || len(page.Jobs) != 0 {
			t.Errorf("left: %+v, %v", page.Jobs, err)
		}
	})
}
