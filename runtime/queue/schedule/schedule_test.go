package schedule

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"crossdock/runtime/queue"
)

// A table finds what was put in and nothing else, also when all hashes are
// alike.
func TestTable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		hashes := map[uint32]uint64{}
		tab := table{owned: &owned{}}
		hashOf := func(s uint32) uint64 { return hashes[s] }
		next := uint32(0)
		rt.Repeat(map[string]func(*rapid.T){
			"insert": func(rt *rapid.T) {
				next++
				hashes[next] = rapid.Uint64Range(0, 12).Draw(rt, "hash")
				tab.insert(hashes[next], next, hashOf)
			},
			"remove": func(rt *rapid.T) {
				s := rapid.Uint32Range(1, next+1).Draw(rt, "slot")
				if h, ok := hashes[s]; ok {
					tab.remove(h, s, hashOf)
					delete(hashes, s)
				}
			},
			"": func(rt *rapid.T) {
				for s := uint32(1); s <= next; s++ {
					h, there := hashes[s]
					got := tab.find(h, func(c uint32) bool { return c == s })
					if there != (got == s) {
						rt.Fatalf("slot %d: found %d, there %v", s, got, there)
					}
				}
			},
		})
	})
}

// A backlog gives its items in order, whether they are kept in the heap or in
// runs.
func TestBacklog(t *testing.T) {
	m := &runs{owned: &owned{}}
	defer m.owned.free()
	rapid.Check(t, func(rt *rapid.T) {
		var b backlog
		var want []int64
		top := int64(0)
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 3*chunk).Draw(rt, "in order") {
				top++
				b.push(item{at: top}, m)
				want = append(want, top)
			}
			for range rapid.IntRange(0, 50).Draw(rt, "out of order") {
				at := rapid.Int64Range(-1000, top+10).Draw(rt, "at")
				b.push(item{at: at}, m)
				want = append(want, at)
			}
			slices.Sort(want)
			n := rapid.IntRange(0, len(want)).Draw(rt, "taken")
			for i := range n {
				if got := b.pop(m); got.at != want[i] {
					rt.Fatalf("item %d of %d: got %d, want %d", i, n, got.at, want[i])
				}
			}
			want = want[n:]
			if b.empty() != (len(want) == 0) {
				rt.Fatalf("empty: %v with %d left", b.empty(), len(want))
			}
		}
		for _, at := range want { // gives the runs back
			if got := b.pop(m); got.at != at {
				rt.Fatalf("got %d, want %d", got.at, at)
			}
		}
	})
}

func TestHeapKeep(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var h heap
		in := rapid.SliceOf(rapid.Int64Range(0, 50)).Draw(rt, "in")
		var want []int64
		for _, at := range in {
			h.push(item{at: at})
			if at%3 != 0 {
				want = append(want, at)
			}
		}
		h.keep(func(v item) bool { return v.at%3 != 0 })
		slices.Sort(want)
		for _, at := range want {
			if got := h.pop(); got.at != at {
				rt.Fatalf("got %d, want %d", got.at, at)
			}
		}
		if len(h) != 0 {
			rt.Fatalf("%d are left", len(h))
		}
	})
}

// A text is kept as long as somebody uses it, and no longer.
func TestNotes(t *testing.T) {
	n := newNotes()
	a, b := n.take("a"), n.take("b")
	if n.take("a") != a || n.texts[a] != "a" {
		t.Fatal("a text has two numbers")
	}
	n.drop(a)
	if n.texts[a] != "a" {
		t.Fatal("a text in use is gone")
	}
	n.drop(a)
	if _, ok := n.byText["a"]; ok {
		t.Fatal("a text that nobody uses is still there")
	}
	if c := n.take("c"); c != a || n.texts[b] != "b" {
		t.Fatal("a number is not used again")
	}
}

func add(x *Index, seq uint64, key string) Slot {
	x.Lock()
	defer x.Unlock()
	s := x.Add(Arrival{Seq: seq, Hash: seq, Lane: "l", Key: key, KeyHash: x.Hash(key)})
	x.Admit(s)
	return s
}

// A job that was added but not admitted cannot be leased, and does not take its
// place in its key either.
func TestNothingIsSeenBeforeItIsAdmitted(t *testing.T) {
	x := New(0)
	x.Lock()
	late := x.Add(Arrival{Seq: 1, Hash: 1, Lane: "l", Key: "k", KeyHash: 7})
	x.Unlock()
	take := func() int {
		got, err := x.Lease(t.Context(), queue.Want{Lane: "l", Max: 9, TTL: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	if take() != 0 {
		t.Fatal("a job was leased before it was admitted")
	}
	x.Lock()
	x.Admit(late)
	x.Unlock()
	if take() != 1 {
		t.Fatal("an admitted job was not leased")
	}
}

// A claimed lease keeps its key and cannot run out, be extended or finished
// again.
func TestClaimedLease(t *testing.T) {
	x := New(41)
	add(x, 1, "k")
	add(x, 2, "k")
	got, err := x.Lease(t.Context(), queue.Want{Lane: "l", Max: 9, TTL: time.Minute})
	if err != nil || len(got) != 1 || got[0].Epoch != 42 {
		t.Fatalf("lease: %+v, %v", got, err)
	}
	g := got[0]
	x.Lock()
	x.Claim(g.Slot)
	holds := x.Holds(g.Slot, g.Epoch)
	x.Unlock()
	if holds || x.Extend(g.Slot, g.Epoch, time.Now()) {
		t.Fatal("a lease is still held while its end is on the way")
	}
	if _, crashed, _, _ := x.Sweep(time.Now().Add(time.Hour), 10); len(crashed) != 0 {
		t.Fatal("a lease ran out while its end was on the way")
	}
	x.Lock()
	x.Finish(g.Slot, Verdict{Outcome: queue.Done}, time.Now())
	x.Unlock()
	if got, err = x.Lease(t.Context(), queue.Want{Lane: "l", Max: 9}); err != nil || len(got) != 1 || got[0].Seq != 2 {
		t.Fatalf("the next of the key: %+v, %v", got, err)
	}
}

// Those who wait for one lane sleep while another lane is busy, and a turn that
// its owner gives up goes to the next.
func TestWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := New(0)
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan int, 8)
		wait := func(ctx context.Context) {
			got, err := x.Lease(ctx, queue.Want{Lane: "l", Max: 1, TTL: time.Minute, Wait: time.Hour})
			if err != nil {
				t.Error(err)
			}
			results <- len(got)
		}
		go wait(ctx)
		synctest.Wait()
		go wait(t.Context())
		synctest.Wait()
		if n := len(x.lanes[x.byName["l"]].waiters); n != 2 {
			t.Fatalf("%d wait", n)
		}
		// The first is woken and its context ends before it can look: the second
		// gets the job, and need not wait for its time to be over.
		x.Lock()
		s := x.Add(Arrival{Seq: 1, Hash: 1, Lane: "l"})
		x.Admit(s)
		cancel()
		x.Unlock()
		woken := time.Now()
		if a, b := <-results, <-results; a+b != 1 {
			t.Fatalf("leased %d and %d", a, b)
		}
		if late := time.Since(woken); late != 0 {
			t.Fatalf("the job was leased %v late", late)
		}
		// A waiter leaves when its time is over.
		begin := time.Now()
		wait(t.Context())
		if <-results != 0 || time.Since(begin) != time.Hour {
			t.Fatalf("it waited %v", time.Since(begin))
		}
		if n := len(x.lanes[x.byName["l"]].waiters); n != 0 {
			t.Fatalf("%d still wait", n)
		}
	})
}

// A sweep works in slices, and heaps do not grow with leases that are over.
func TestSweepInSlices(t *testing.T) {
	x := New(0)
	begin := time.Unix(1000, 0)
	x.Lock()
	for i := range uint64(25) {
		x.Admit(x.Add(Arrival{Seq: i + 1, Hash: i, Lane: "l", State: queue.Delayed, Due: begin}))
	}
	x.Unlock()
	total := 0
	for more := true; more; {
		var due int
		due, _, _, more = x.Sweep(begin, 10)
		if due > 10 {
			t.Fatalf("%d at once", due)
		}
		total += due
	}
	if total != 25 {
		t.Fatalf("%d were due", total)
	}
	for range 3 * chunk {
		got, err := x.Lease(t.Context(), queue.Want{Lane: "l", Max: 1, TTL: time.Hour})
		if err != nil || len(got) != 1 {
			t.Fatalf("lease: %v, %v", got, err)
		}
		x.Lock()
		x.Finish(got[0].Slot, Verdict{Outcome: queue.Release}, begin)
		x.Unlock()
	}
	if n := len(x.deadlines); n > chunk+1 {
		t.Fatalf("%d deadlines for no lease", n)
	}
}
