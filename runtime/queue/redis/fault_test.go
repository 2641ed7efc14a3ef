package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

const testLane = "in/orders"

func testJob(id string) queue.Job {
	return queue.Job{
		ID: id, Lane: testLane, Key: id, Priority: queue.Normal, Body: []byte("body of " + id),
		Fresh: []queue.Entry{{Message: id, At: time.Now(), Kind: queue.Accepted, Pipeline: "orders"}},
	}
}

func mustApply(t *testing.T, d *Driver, c queue.Commit) []queue.Result {
	t.Helper()
	res, err := d.Apply(t.Context(), c)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	return res
}

func leaseAll(t *testing.T, d *Driver, max int) []queue.Lease {
	t.Helper()
	ls, err := d.Lease(t.Context(), queue.Want{Lane: testLane, Max: max, TTL: 10 * time.Second})
	if err != nil {
		t.Fatalf("lease: %v", err)
	}
	return ls
}

func counter(t *testing.T, d *Driver, kind queue.Kind) int64 {
	t.Helper()
	p, err := d.Browse(t.Context(), queue.Query{View: queue.Counters, Kind: kind})
	if err != nil {
		t.Fatalf("browse: %v", err)
	}
	n := int64(0)
	for _, c := range p.Counts {
		n += c.N
	}
	return n
}

// sound makes sure that the driver does not believe its store has lost writes.
func sound(t *testing.T, d *Driver) {
	t.Helper()
	if n := d.wentBack.Load(); n != 0 {
		t.Errorf("%d times the store was said to have lost writes", n)
	}
}

// within polls until f holds; for what a real process does in its own time.
func within(t *testing.T, limit time.Duration, what string, f func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !f() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

// Redis dies again and again under load. What was acknowledged must be there,
// once, and what was finished must not come back.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel() // mostly waits
	server := redistest.Start(t, "--appendfsync", "always")
	d := open(t, server.URL(), Options{})
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	acked, finished := map[string]bool{}, map[string]bool{}
	var wg sync.WaitGroup
	for p := range 16 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				c := queue.Commit{Jobs: []queue.Job{testJob(fmt.Sprintf("p%d-%d", p, n))}}
				// An error leaves the outcome open, so the same commit comes again.
				for ctx.Err() == nil {
					if _, err := d.Apply(context.Background(), c); err == nil {
						mu.Lock()
						acked[c.Jobs[0].ID] = true
						mu.Unlock()
						break
					}
				}
			}
		})
		wg.Go(func() {
			for ctx.Err() == nil {
				ls, err := d.Lease(ctx, queue.Want{Lane: testLane, Max: 2, TTL: time.Minute, Wait: 100 * time.Millisecond})
				if err != nil {
					continue
				}
				for _, l := range ls {
					c := queue.Commit{
						Finish:  []queue.Finish{{Lease: l}},
						History: []queue.Entry{{Message: l.ID, At: time.Now(), Kind: queue.Delivered, Pipeline: "orders"}},
					}
					var err error
					for range 50 {
						if _, err = d.Apply(context.Background(), c); err == nil || errors.Is(err, queue.ErrLeaseLost) {
							break
						}
					}
					mu.Lock()
					if err != nil {
						t.Errorf("finish %s: %v", l.ID, err)
					} else if finished[l.ID] {
						t.Errorf("%s was leased again after it was finished", l.ID)
					}
					finished[l.ID] = true
					mu.Unlock()
				}
			}
		})
	}
	for range 4 {
		<-time.After(400 * time.Millisecond)
		server.Kill()
		<-time.After(50 * time.Millisecond)
		server.Restart()
	}
	<-time.After(200 * time.Millisecond)
	cancel()
	wg.Wait()
	for _, l := range leaseAll(t, d, 1000) {
		mustApply(t, d, queue.Commit{Finish: []queue.Finish{{Lease: l, Outcome: queue.Release}}})
	}
	there := map[string]bool{}
	q := queue.Query{View: queue.Jobs, Limit: 1000}
	for {
		page, err := d.Browse(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Jobs {
			there[j.ID] = true
			if finished[j.ID] {
				t.Errorf("%s was finished and is there as %s", j.ID, j.State)
			}
			if j.Crashes > 0 {
				t.Errorf("%s has %d crashes although no lease ran out", j.ID, j.Crashes)
			}
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	for id := range acked {
		if !finished[id] && !there[id] {
			t.Errorf("%s was acknowledged and is gone", id)
		}
	}
	if n := int64(len(finished) + len(there)); n != counter(t, d, queue.Accepted) {
		t.Errorf("%d accepted in the counters, %d finished or there", counter(t, d, queue.Accepted), n)
	}
	if n := counter(t, d, queue.Delivered); n != int64(len(finished)) {
		t.Errorf("%d delivered in the counters, %d finished", n, len(finished))
	}
	if len(acked) < 200 || len(finished) < 200 {
		t.Errorf("only %d acknowledged and %d finished: the test is blind", len(acked), len(finished))
	}
	sound(t, d)
	t.Logf("%d acknowledged, %d finished, %d waiting", len(acked), len(finished), len(there))
}

// The reply is lost after the work was done: the call is repeated under its
// number and changes nothing a second time.
func TestLostReplies(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server)
	d := open(t, proxy.URL(), Options{})
	defer d.Close()
	cut := func(f func()) {
		t.Helper()
		before := proxy.Cuts()
		proxy.CutReplies()
		done := make(chan struct{})
		go func() { defer close(done); f() }()
		within(t, 5*time.Second, "a reply is cut", func() bool { return proxy.Cuts() > before })
		proxy.Heal()
		<-done
	}
	var res []queue.Result
	var err error
	cut(func() { res, err = d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("a")}}) })
	if err != nil || res[0].Status != queue.Enqueued {
		t.Fatalf("apply: %v, %v", res, err)
	}
	if n := counter(t, d, queue.Accepted); n != 1 {
		t.Errorf("accepted %d times", n)
	}
	var ls []queue.Lease
	cut(func() { ls, err = d.Lease(t.Context(), queue.Want{Lane: testLane, Max: 1, TTL: time.Minute}) })
	if err != nil || len(ls) != 1 || string(ls[0].Body) != "body of a" {
		t.Fatalf("lease: %v, %v", ls, err)
	}
	finish := queue.Commit{
		Finish:  []queue.Finish{{Lease: ls[0]}},
		Jobs:    []queue.Job{testJob("a.1")},
		History: []queue.Entry{{Message: "a", Kind: queue.Delivered, Pipeline: "orders"}},
	}
	cut(func() { _, err = d.Apply(t.Context(), finish) })
	if err != nil {
		t.Fatalf("finish: %v", err)
	}
	if n := counter(t, d, queue.Delivered); n != 1 {
		t.Errorf("delivered %d times", n)
	}
	if n := bodies(t, server); n != 1 {
		t.Errorf("%d bodies are stored, want that of a.1 alone", n)
	}
}

// bodies counts the bodies in the store.
func bodies(t *testing.T, s *redistest.Server) int {
	t.Helper()
	keys, err := s.Client().Keys(t.Context(), newKeyset(defaultPrefix, 0).of("body")+"*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return len(keys)
}

// Redis answers nothing for longer than the driver asks. The caller is told so;
// the same commit, brought again, is answered as if the first had been.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel() // mostly waits
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server)
	d := open(t, proxy.URL(), Options{})
	defer d.Close()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("a")}})
	l := leaseAll(t, d, 1)[0]
	c := queue.Commit{
		Finish:  []queue.Finish{{Lease: l}},
		History: []queue.Entry{{Message: "a", At: time.Now(), Kind: queue.Delivered, Pipeline: "orders"}},
	}
	for _, mode := range []struct {
		name  string
		broke func()
	}{{"done, answer lost", proxy.CutReplies}, {"never arrived", proxy.Darken}} {
		begun := time.Now()
		mode.broke()
		_, err := d.Apply(t.Context(), c)
		took := time.Since(begun)
		proxy.Heal()
		if err == nil || errors.Is(err, queue.ErrLeaseLost) {
			t.Fatalf("%s: got %v, want an open outcome", mode.name, err)
		}
		if took > 8*time.Second {
			t.Errorf("%s: told after %v", mode.name, took)
		}
		if _, err := d.Apply(t.Context(), c); err != nil {
			t.Fatalf("%s: the same commit again: %v", mode.name, err)
		}
		if n := counter(t, d, queue.Delivered); n != 1 {
			t.Errorf("%s: delivered %d times", mode.name, n)
		}
		mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("b" + mode.name)}})
		l = leaseAll(t, d, 1)[0]
		if mode.name == "never arrived" {
			break
		}
		// The second round ends another lease, with the same sort of commit.
		c = queue.Commit{Finish: []queue.Finish{{Lease: l}}, Jobs: []queue.Job{testJob("c")}}
	}
	sound(t, d)
}

// A process that was cut off and whose lease ran out must not change anything.
func TestStaleEpochAfterPartition(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server)
	cutOff, other := open(t, proxy.URL(), Options{}), open(t, server.URL(), Options{})
	defer cutOff.Close()
	defer other.Close()
	mustApply(t, cutOff, queue.Commit{Jobs: []queue.Job{testJob("a")}})
	old := leaseAll(t, cutOff, 1)[0]
	proxy.Darken()
	if _, err := other.Sweep(t.Context(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	fresh := leaseAll(t, other, 1)[0]
	if fresh.Epoch <= old.Epoch || fresh.Crashes != 1 || string(fresh.Body) != "body of a" {
		t.Fatalf("leased again: %+v after epoch %d", fresh, old.Epoch)
	}
	proxy.Heal()
	_, err := cutOff.Apply(t.Context(), queue.Commit{Finish: []queue.Finish{{Lease: old}}, Jobs: []queue.Job{testJob("ghost")}})
	if err != queue.ErrLeaseLost {
		t.Fatalf("a lease that ran out: %v", err)
	}
	if err := cutOff.Extend(t.Context(), []queue.Lease{old}, time.Minute); err != queue.ErrLeaseLost {
		t.Fatalf("extend a lease that ran out: %v", err)
	}
	mustApply(t, other, queue.Commit{Finish: []queue.Finish{{Lease: fresh}}})
	if n := bodies(t, server); n != 0 {
		t.Errorf("%d bodies are left of a refused commit", n)
	}
}

func TestRedisDownAndBack(t *testing.T) {
	t.Parallel() // mostly waits
	server := redistest.Start(t, "--appendfsync", "always")
	d := open(t, server.URL(), Options{})
	defer d.Close()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("a")}})
	down := func(name string, end, back func()) {
		end()
		begun := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob(name)}}); !errors.Is(err, queue.ErrAway) {
				t.Errorf("%s: apply said %v", name, err)
			}
		})
		wg.Go(func() {
			if _, err := d.Browse(t.Context(), queue.Query{View: queue.Lanes}); !errors.Is(err, queue.ErrAway) {
				t.Errorf("%s: browse said %v", name, err)
			}
		})
		wg.Go(func() {
			if _, err := d.Lease(t.Context(), queue.Want{Lane: testLane, Max: 1, TTL: time.Minute, Wait: time.Hour}); err == nil {
				t.Errorf("%s: lease succeeded", name)
			}
		})
		wg.Wait()
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("%s: told after %v", name, took)
		}
		back()
		mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob(name)}})
		var got []string
		within(t, 5*time.Second, name+": all jobs can be leased", func() bool {
			for _, l := range leaseAll(t, d, 10) {
				got = append(got, l.ID)
				if l.Crashes > 0 {
					t.Errorf("%s: %s counts a crash", name, l.ID)
				}
				mustApply(t, d, queue.Commit{Finish: []queue.Finish{{Lease: l}}})
			}
			return len(got) >= 2
		})
		mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("a")}})
	}
	down("killed", server.Kill, server.Restart)
	down("stopped", server.Pause, server.Resume)
	sound(t, d)
}

func TestEmptiedStore(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server.URL(), Options{})
	defer d.Close()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("a")}})
	server.Flush()
	for name, call := range map[string]func() error{
		"Apply": func() error {
			_, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("b")}})
			return err
		},
		"Lease":  func() error { _, err := d.Lease(t.Context(), queue.Want{Lane: testLane, Max: 1}); return err },
		"Get":    func() error { _, err := d.Get(t.Context(), "s"); return err },
		"Browse": func() error { _, err := d.Browse(t.Context(), queue.Query{}); return err },
		"Sweep":  func() error { _, err := d.Sweep(t.Context(), time.Now()); return err },
	} {
		if err := call(); !errors.Is(err, queue.ErrFailed) {
			t.Errorf("%s in an emptied store: %v", name, err)
		}
	}
	findings, err := d.Check(t.Context())
	if err != nil || len(findings) == 0 || !findings[0].Fatal {
		t.Errorf("check: %+v, %v", findings, err)
	}
	fresh := open(t, server.URL(), Options{})
	defer fresh.Close()
	mustApply(t, fresh, queue.Commit{Jobs: []queue.Job{testJob("c")}})
}

// Each way to notice it must do so alone.
func TestEmptiedStoreIsNoticedByEveryMethod(t *testing.T) {
	server := redistest.Start(t)
	for name, call := range map[string]func(d *Driver) error{
		"Apply": func(d *Driver) error {
			_, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("b")}})
			return err
		},
		"Lease":  func(d *Driver) error { _, err := d.Lease(t.Context(), queue.Want{Lane: testLane, Max: 1}); return err },
		"Get":    func(d *Driver) error { _, err := d.Get(t.Context(), "s"); return err },
		"Browse": func(d *Driver) error { _, err := d.Browse(t.Context(), queue.Query{}); return err },
		"Sweep":  func(d *Driver) error { _, err := d.Sweep(t.Context(), time.Now()); return err },
		"Extend": func(d *Driver) error { return d.Extend(t.Context(), []queue.Lease{{Epoch: 1}}, time.Minute) },
	} {
		d := open(t, server.URL(), Options{})
		server.Flush()
		if err := call(d); !errors.Is(err, queue.ErrFailed) {
			t.Errorf("%s in an emptied store: %v", name, err)
		}
		if n, err := server.Client().DBSize(t.Context()).Result(); err != nil || n != 0 {
			t.Errorf("%s left %d keys in the emptied store, %v", name, n, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A server that comes back with older data than it had confirmed is reported.
func TestStoreGoneBack(t *testing.T) {
	server := redistest.Start(t, "--appendfsync", "always")
	d := open(t, server.URL(), Options{})
	defer d.Close()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("a")}})
	server.Kill()
	saved := t.TempDir()
	if err := os.CopyFS(saved, os.DirFS(server.Dir+"/appendonlydir")); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	for i := range 3 {
		mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob(fmt.Sprint("b", i))}})
	}
	server.Kill()
	if err := os.RemoveAll(server.Dir + "/appendonlydir"); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(server.Dir+"/appendonlydir", os.DirFS(saved)); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("c")}})
	findings, err := d.Check(t.Context())
	if err != nil || !strings.Contains(fmt.Sprint(findings), "lost writes") {
		t.Errorf("check: %+v, %v", findings, err)
	}
}

// A store that lacks more than a crash may cost was put back by somebody: work
// on it stops.
func TestStorePutBack(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server.URL(), Options{})
	defer d.Close()
	for i := range 5 {
		mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob(fmt.Sprint("a", i))}})
	}
	session := d.keys.of("session", d.session)
	if err := server.Client().HSet(t.Context(), session, "high", 2).Err(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	d.commit.session.mu.Lock()
	d.commit.session.trail = []trace{{now.Add(-time.Minute), 2}, {now.Add(-50 * time.Second), 3}, {now, 5}}
	d.commit.session.mu.Unlock()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("b")}}) // it is stored, whatever is missing
	if _, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("c")}}); !errors.Is(err, queue.ErrFailed) {
		t.Errorf("the next write: %v", err)
	}
}

func TestLostSince(t *testing.T) {
	s, now := newSession(), time.Now()
	for no := uint64(1); no <= 600; no++ { // ten a second for a minute
		s.note(no, now.Add(time.Duration(no)*100*time.Millisecond))
	}
	if n := len(s.trail); n < 25 || n > 35 {
		t.Errorf("the trail has %d entries for 30 s", n)
	}
	for known, want := range map[uint64][2]time.Duration{
		600: {0, 0}, 595: {0, time.Second}, 550: {4 * time.Second, 6 * time.Second}, 400: {18 * time.Second, 21 * time.Second},
		10: {crashMayCost, time.Hour}, 0: {crashMayCost, time.Hour},
	} {
		if got := s.lostSince(known); got < want[0] || got > want[1] {
			t.Errorf("known %d: %v, want %v", known, got, want)
		}
	}
}

// Out of memory: new work is refused, old work goes on, and then new work does.
func TestOutOfMemory(t *testing.T) {
	server := redistest.Start(t, "--maxmemory", "12mb")
	d := open(t, server.URL(), Options{})
	defer d.Close()
	body := []byte(strings.Repeat("x", 4000))
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			for n := 0; ; n++ {
				j := testJob(fmt.Sprintf("p%d-%d", p, n))
				j.Body = body
				_, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{j}})
				if err == nil {
					accepted.Add(1)
					continue
				}
				if !errors.Is(err, queue.ErrFull) {
					t.Errorf("apply: %v", err)
				}
				return
			}
		})
	}
	wg.Wait()
	if n := int64(bodies(t, server)); n != accepted.Load() || n < 500 {
		t.Fatalf("%d accepted, %d bodies stored", accepted.Load(), n)
	}
	drained := int64(0)
	for {
		ls := leaseAll(t, d, 50)
		if len(ls) == 0 {
			break
		}
		for _, l := range ls {
			c := queue.Commit{
				Finish:  []queue.Finish{{Lease: l}},
				Put:     []queue.Put{{Key: "last", Version: queue.AnyVersion, Value: []byte(l.ID)}},
				History: []queue.Entry{{Message: l.ID, Kind: queue.Delivered, Pipeline: "orders"}},
			}
			if !strings.Contains(l.ID, ".") { // one step goes on with another
				c.Jobs = []queue.Job{testJob(l.ID + ".1")}
				drained++
			}
			mustApply(t, d, c)
		}
	}
	if drained != accepted.Load() {
		t.Errorf("accepted %d, drained %d", accepted.Load(), drained)
	}
	within(t, 5*time.Second, "new work is taken again", func() bool {
		_, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("after")}})
		return err == nil
	})
	sound(t, d)
}
