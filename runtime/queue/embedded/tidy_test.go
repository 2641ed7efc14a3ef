package embedded

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/disktest"
	"crossdock/runtime/queue"
)

// records counts what is on the disk by the first byte of its key.
func records(t *testing.T, s *store) map[string]int {
	t.Helper()
	out := map[string]int{}
	for kind := byte('a'); kind <= 'z'; kind++ {
		if err := s.kv.scan([]byte{kind}, []byte{kind + 1}, false, func([]byte, []byte) bool {
			out[string(kind)]++
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// What has outlived its time leaves the disk, and nothing else does.
func TestNothingIsLeftBehind(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{KeepHistory: 48 * time.Hour})
	before := fmt.Sprint(records(t, s))
	for i := range 40 {
		c := big(fmt.Sprint("m", i))
		j := &c.Jobs[0]
		j.Dedupe, j.DedupeTTL = j.ID, 24*time.Hour
		j.Fresh = []queue.Entry{{Message: j.ID, Kind: queue.Accepted, Refs: []queue.Ref{{Type: "order", Value: j.ID}}}}
		c.Put = []queue.Put{{Key: j.ID, Value: []byte("v"), TTL: time.Hour}}
		mustApply(t, s, c)
	}
	for i, l := range leaseNow(t, s, 100) {
		switch i % 4 {
		case 0:
			mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l, Outcome: queue.Keep, Body: []byte("x")}, {Lease: l}}})
		case 1:
			mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l, Outcome: queue.Dead, Body: []byte("y")}}})
			mustApply(t, s, queue.Commit{Orders: []queue.Order{{ID: l.ID, Do: queue.Revive}}})
		case 2:
			mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l, Outcome: queue.Park, Reason: "r"}}})
			mustApply(t, s, queue.Commit{Orders: []queue.Order{{ID: l.ID, Do: queue.Discard}}})
		}
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(2*time.Minute)); err != nil { // the rest runs out
		t.Fatal(err)
	}
	for _, l := range leaseNow(t, s, 100) {
		mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l}}})
	}
	got := records(t, s)
	if got["j"]+got["b"]+got["s"]+got["o"]+got["k"] != 0 || got["d"] != 40 || got["v"] != 40 {
		t.Errorf("after all jobs are gone: %v", got)
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(30*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got = records(t, s); got["d"]+got["e"]+got["v"]+got["t"] != 0 || got["h"] == 0 || got["x"] == 0 {
		t.Errorf("after a day: %v", got)
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(60*time.Hour)); err != nil {
		t.Fatal(err)
	}
	got = records(t, s)
	delete(got, "c") // the counters and
	delete(got, "n") // the lanes stay
	if after := fmt.Sprint(got); after != before {
		t.Errorf("in the end: %v, want %v", after, before)
	}
}

// An entry from a clock that was wrong does not keep the history behind it.
func TestHistoryFromTheFuture(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{KeepHistory: 48 * time.Hour})
	mustApply(t, s, queue.Commit{History: []queue.Entry{{Message: "late", At: time.Now().Add(100 * time.Hour)}}})
	mustApply(t, s, queue.Commit{History: []queue.Entry{{Message: "now"}}})
	if _, err := s.Sweep(t.Context(), time.Now().Add(60*time.Hour)); err != nil {
		t.Fatal(err)
	}
	p, err := s.Browse(t.Context(), queue.Query{View: queue.Recent})
	if err != nil || len(p.Entries) != 1 || p.Entries[0].Message != "late" {
		t.Fatalf("after its keep: %+v, %v", p.Entries, err)
	}
	if _, err := s.Sweep(t.Context(), time.Now().Add(200*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Browse(t.Context(), queue.Query{View: queue.Recent}); err != nil || len(p.Entries) != 0 {
		t.Fatalf("in the end: %+v, %v", p.Entries, err)
	}
}

// A real disk that runs full refuses, lets work end and takes work again when it
// has grown. Nothing that was acknowledged is lost.
func TestRealFullDisk(t *testing.T) {
	dir := t.TempDir()
	disktest.Mount(t, dir, "160m")
	s := openTest(t, dir, Options{Reserve: 80 << 20})
	body := []byte(strings.Repeat("0123456789abcdef", 4096))
	acked := 0
	for ; acked < 10_000; acked++ {
		c := one(fmt.Sprint("j", acked))
		c.Jobs[0].Body = body
		if _, err := s.Apply(t.Context(), c); errors.Is(err, queue.ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if acked == 10_000 {
		t.Fatal("the disk never became full")
	}
	ls := leaseNow(t, s, 20)
	for _, l := range ls {
		mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l}}})
	}
	disktest.Change(t, dir, "size=600m")
	mustApply(t, s, one("later"))
	if err := s.shut(false); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, dir, Options{})
	if got := len(leaseNow(t, again, 20_000)); got != acked-len(ls)+1 {
		t.Errorf("%d jobs are there, want %d", got, acked-len(ls)+1)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// A store can be opened and closed at any pace, while others use it.
func TestOpenCloseStress(t *testing.T) {
	dir := t.TempDir()
	for i := range 15 {
		s := openTest(t, dir, Options{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := 0; ; n++ {
				if _, err := s.Apply(t.Context(), one(fmt.Sprintf("r%d-%d", i, n))); err != nil {
					if err != queue.ErrClosed {
						t.Errorf("apply: %v", err)
					}
					return
				}
				if _, err := s.Sweep(t.Context(), time.Now()); err != nil && err != queue.ErrClosed {
					t.Errorf("sweep: %v", err)
				}
			}
		}()
		if i%3 != 0 {
			leaseNow(t, s, 1)
		}
		closers := make(chan error, 3)
		for range cap(closers) {
			go func() { closers <- s.Close() }()
		}
		for range cap(closers) {
			if err := <-closers; err != nil {
				t.Fatal(err)
			}
		}
		<-done
	}
}
