package redis

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

// A body that was deleted or changed behind the store's back must not hold up
// its lane, nor reach a target.
func TestDamagedBodies(t *testing.T) {
	server := redistest.Start(t)
	d, other := open(t, server.URL(), Options{}), open(t, server.URL(), Options{})
	defer d.Close()
	defer other.Close()
	var jobs []queue.Job
	for i := range 4 {
		jobs = append(jobs, testJob(fmt.Sprint("j", i)))
	}
	mustApply(t, d, queue.Commit{Jobs: jobs})
	keys, err := server.Client().Keys(t.Context(), "cd:{0}:p:*").Result()
	if err != nil || len(keys) != 4 {
		t.Fatalf("bodies: %v, %v", keys, err)
	}
	client := server.Client()
	if err := errors.Join(client.Del(t.Context(), keys[0]).Err(), client.SetRange(t.Context(), keys[1], 8, "#").Err()); err != nil {
		t.Fatal(err)
	}
	ls := leaseAll(t, other, 10)
	if len(ls) != 2 {
		t.Fatalf("leased %d of the two whole ones", len(ls))
	}
	for _, l := range ls {
		if string(l.Body) != "body of "+l.ID {
			t.Errorf("%s has the body %q", l.ID, l.Body)
		}
	}
	page, err := other.Browse(t.Context(), queue.Query{View: queue.Jobs, State: queue.DeadJob, Box: damagedBox})
	if err != nil || len(page.Jobs) != 2 || !strings.Contains(page.Jobs[0].Reason, "damaged") {
		t.Errorf("set aside: %+v, %v", page.Jobs, err)
	}
}

// Work of another replica is found soon, without any word from it.
func TestWorkOfOtherReplicas(t *testing.T) {
	server := redistest.Start(t)
	here, there := open(t, server.URL(), Options{}), open(t, server.URL(), Options{})
	defer here.Close()
	defer there.Close()
	var slowest time.Duration
	for i := range 20 {
		got := make(chan []queue.Lease, 1)
		go func() {
			ls, err := here.Lease(t.Context(), queue.Want{Lane: testLane, Max: 1, TTL: time.Minute, Wait: 10 * time.Second})
			if err != nil {
				t.Error(err)
			}
			got <- ls
		}()
		within(t, 5*time.Second, "somebody waits", func() bool {
			here.lease.mu.Lock()
			defer here.lease.mu.Unlock()
			return here.lease.count == 1
		})
		begun := time.Now()
		mustApply(t, there, queue.Commit{Jobs: []queue.Job{testJob(fmt.Sprint("j", i))}})
		ls := <-got
		slowest = max(slowest, time.Since(begun))
		if len(ls) != 1 {
			t.Fatalf("leased %v", ls)
		}
		mustApply(t, here, queue.Commit{Finish: []queue.Finish{{Lease: ls[0]}}})
	}
	if slowest > time.Second {
		t.Errorf("the slowest was found after %v", slowest)
	}
	t.Logf("the slowest was found after %v", slowest)
}

// Commits larger than Lua's stack and than the bounds of a call.
func TestLargeCommits(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server.URL(), Options{})
	defer d.Close()
	const n = 9001
	var c queue.Commit
	for i := range n {
		j := testJob(fmt.Sprintf("m.%05d", i))
		j.Key = fmt.Sprint("k", i%5000)
		j.Dedupe, j.DedupeTTL = j.ID, time.Hour
		c.Jobs = append(c.Jobs, j)
	}
	mustApply(t, d, c)
	got := map[string]bool{}
	for len(got) < n {
		ls := leaseAll(t, d, 1000)
		if len(ls) == 0 {
			break
		}
		var f queue.Commit
		for _, l := range ls {
			if got[l.ID] {
				t.Fatalf("%s was leased twice", l.ID)
			}
			got[l.ID] = true
			f.Finish = append(f.Finish, queue.Finish{Lease: l})
		}
		if err := d.Extend(t.Context(), ls, time.Minute); err != nil {
			t.Fatal(err)
		}
		mustApply(t, d, f)
	}
	if len(got) != n {
		t.Errorf("leased %d of %d", len(got), n)
	}
	if n := bodies(t, server); n != 0 {
		t.Errorf("%d bodies are left", n)
	}
	page, err := d.Browse(t.Context(), queue.Query{View: queue.Lanes})
	if err != nil || len(page.Lanes) != 1 || page.Lanes[0].Ready+page.Lanes[0].Leased != 0 {
		t.Errorf("lanes: %+v, %v", page.Lanes, err)
	}
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("big")}, History: []queue.Entry{{
		Message: "big", Kind: queue.Rejected, Data: []byte(strings.Repeat("x", 8<<20))}}})
}

// When all is done nothing is left but what is remembered on purpose.
func TestNothingIsLeftBehind(t *testing.T) {
	server := redistest.Start(t)
	d := open(t, server.URL(), Options{KeepHistory: time.Hour})
	defer d.Close()
	var wg sync.WaitGroup
	for p := range 8 {
		wg.Go(func() {
			for n := range 50 {
				j := testJob(fmt.Sprintf("p%d-%d", p, n))
				j.Key = fmt.Sprint("k", n%3)
				j.Dedupe, j.DedupeTTL = j.ID, time.Minute
				j.Fresh[0].Refs = []queue.Ref{{Type: "order", Value: j.ID}}
				if n%7 == 0 {
					j.NotBefore = time.Now().Add(time.Hour)
				}
				if _, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{j}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := d.Sweep(t.Context(), time.Now().Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		ls := leaseAll(t, d, 10)
		if len(ls) == 0 {
			break
		}
		for k, l := range ls {
			f := queue.Finish{Lease: l, Reason: "r", Box: "b"}
			if i%2 == 0 {
				f.Outcome = []queue.Outcome{queue.Dead, queue.Park, queue.Retry}[k%3]
			}
			mustApply(t, d, queue.Commit{Finish: []queue.Finish{f}})
		}
	}
	for { // discard and finish in turns: behind a parked job there is more
		page, err := d.Browse(t.Context(), queue.Query{View: queue.Jobs, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Jobs {
			if j.State == queue.DeadJob || j.State == queue.Parked {
				mustApply(t, d, queue.Commit{Orders: []queue.Order{{ID: j.ID, Do: queue.Discard}}})
			}
		}
		for _, l := range leaseAll(t, d, 100) {
			mustApply(t, d, queue.Commit{Finish: []queue.Finish{{Lease: l}}})
		}
		if len(page.Jobs) == 0 {
			break
		}
	}
	if _, err := d.Sweep(t.Context(), time.Now().Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	keys, err := server.Client().Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		name := strings.TrimPrefix(k, "cd:{0}:")
		switch {
		case strings.HasPrefix(name, "c:"), name == "mark", name == "seq", name == "epoch", name == "recent", name == "recent#",
			name == "renewal", name == "n:lanes", name == "n:kinds":
		default:
			t.Errorf("left behind: %s", k)
		}
	}
}

// History is forgotten after its time, but not that of a message that waits for
// somebody.
func TestHistoryOfOpenMessages(t *testing.T) {
	t.Parallel() // mostly waits
	server := redistest.Start(t)
	const keep = time.Second
	d, other := open(t, server.URL(), Options{KeepHistory: keep}), open(t, server.URL(), Options{KeepHistory: keep})
	defer d.Close()
	defer other.Close()
	for _, id := range []string{"done", "dead", "parked"} {
		j := testJob(id)
		j.Fresh[0].Refs = []queue.Ref{{Type: "order", Value: "SO-" + id}}
		mustApply(t, d, queue.Commit{Jobs: []queue.Job{j}})
		l := leaseAll(t, d, 1)[0]
		f := queue.Finish{Lease: l, Outcome: map[string]queue.Outcome{"done": queue.Done, "dead": queue.Dead, "parked": queue.Park}[id]}
		mustApply(t, d, queue.Commit{Finish: []queue.Finish{f}})
	}
	byRef := func(id string) int {
		t.Helper()
		page, err := d.Browse(t.Context(), queue.Query{View: queue.ByRef, Ref: queue.Ref{Value: "SO-" + id}})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Entries)
	}
	begun := time.Now()
	within(t, 20*time.Second, "three times the keeping time goes by", func() bool {
		for _, r := range []*Driver{d, other} {
			if _, err := r.Sweep(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		return time.Since(begun) > 3*keep
	})
	if n := byRef("done"); n != 0 {
		t.Errorf("%d entries of a finished message are left", n)
	}
	for _, id := range []string{"dead", "parked"} {
		if n := byRef(id); n != 1 {
			t.Errorf("%d entries of the %s message are left", n, id)
		}
	}
}
