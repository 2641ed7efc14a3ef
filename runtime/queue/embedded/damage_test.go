package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/queue"
)

// spoil flips one bit in the middle of a record.
func spoil(t *testing.T, s *store, key []byte) {
	t.Helper()
	v, err := s.kv.get(key)
	if err != nil || len(v) == 0 {
		t.Fatalf("record %q: %q, %v", key, v, err)
	}
	v[len(v)/2] ^= 4
	b := s.kv.batch()
	b.set(key, v)
	if err := s.writeNow(b); err != nil {
		t.Fatal(err)
	}
}

// told makes sure that Check speaks of something.
func told(t *testing.T, s *store, what string) {
	t.Helper()
	fs, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fs {
		if strings.Contains(f.Message, what) && strings.Contains(f.Message, "damaged") {
			return
		}
	}
	t.Errorf("check says nothing about %s: %+v", what, fs)
}

// seqOf is the number under which a job is kept.
func seqOf(s *store, id string) uint64 {
	s.x.Lock()
	defer s.x.Unlock()
	for _, r := range []uint32{1, 2, 3, 4, 5} {
		if s.idOf(r) == id {
			return s.x.At(r).Seq
		}
	}
	return 0
}

func TestDamagedBodyIsParkedByName(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{CacheSize: 1})
	first, second := big("a"), big("b")
	second.Jobs[0].Key = "a"
	mustApply(t, s, first)
	mustApply(t, s, second)
	mustApply(t, s, big("c"))
	spoil(t, s, numKey(keyBody, seqOf(s, "a")))
	ls := leaseNow(t, s, 10)
	if len(ls) != 1 || ls[0].ID != "c" {
		t.Fatalf("leased %v: the job behind the damaged one must wait", ls)
	}
	told(t, s, "job a")
	p, err := s.Browse(t.Context(), queue.Query{View: queue.Jobs, State: queue.Parked, Bodies: true})
	if err != nil || len(p.Jobs) != 1 || p.Jobs[0].ID != "a" || !strings.Contains(p.Jobs[0].Reason, "damaged") {
		t.Fatalf("browse: %+v, %v", p.Jobs, err)
	}
	mustApply(t, s, queue.Commit{Orders: []queue.Order{{ID: "a", Do: queue.Discard}}})
	if ls := leaseNow(t, s, 10); len(ls) != 1 || ls[0].ID != "b" {
		t.Fatalf("after the damaged job was discarded: %v", ls)
	}
}

func TestDamagedRecordsAreToldWhenOpened(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Options{})
	for _, id := range []string{"a", "b", "c"} {
		mustApply(t, s, one(id))
	}
	l := leaseNow(t, s, 3)[1]
	mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l, Outcome: queue.Dead, Box: "x"}},
		History: []queue.Entry{{Message: "b", Kind: queue.DeadKind, Pipeline: "orders"}}})
	a, b := seqOf(s, "a"), seqOf(s, "b")
	spoil(t, s, numKey(keyJob, a))
	spoil(t, s, numKey(keyState, b))
	spoil(t, s, append(append(textKey(keyCount, "orders"), 0), "dead"...))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir, Options{})
	told(t, s, fmt.Sprintf("job number %d", a))
	told(t, s, "state of job b")
	told(t, s, "counter dead of orders")
	p, err := s.Browse(t.Context(), queue.Query{View: queue.ByID, ID: "b"})
	if err != nil || len(p.Jobs) != 1 || p.Jobs[0].State != queue.Parked {
		t.Fatalf("a job of which nobody knows the state: %+v, %v", p.Jobs, err)
	}
	if raw, err := s.kv.get(numKey(keyJob, a)); err != nil || len(raw) == 0 {
		t.Fatalf("the damaged record was not kept: %v", err)
	}
	if ls := leaseNow(t, s, 10); len(ls) != 1 || ls[0].ID != "c" {
		t.Fatalf("leased %v", ls)
	}
}

func TestDamagedHistoryDoesNotHideTheRest(t *testing.T) {
	s := openTest(t, t.TempDir(), Options{})
	for i := range 3 {
		mustApply(t, s, queue.Commit{History: []queue.Entry{{Message: "m", Kind: queue.Noted, Attempt: i}}})
	}
	var keys [][]byte
	if err := s.kv.scan([]byte{keyHistory}, []byte{keyHistory + 1}, false, func(k, _ []byte) bool {
		keys = append(keys, append([]byte(nil), k...))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	spoil(t, s, keys[1])
	p, err := s.Browse(t.Context(), queue.Query{View: queue.ByMsg, ID: "m"})
	if err != nil || len(p.Entries) != 2 {
		t.Fatalf("browse: %+v, %v", p.Entries, err)
	}
	told(t, s, "history of batch")
}

// A bit that flips in a file of the store is found, wherever it is: either the
// store does not open and says so, or it tells what is damaged, or every job is
// as it was (the bit was in no use).
func TestFlippedBitInAFile(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Options{})
	want := map[string]string{}
	for i := range 300 {
		c := big(fmt.Sprint("j", i))
		mustApply(t, s, c)
		want[c.Jobs[0].ID] = string(c.Jobs[0].Body)
	}
	if err := s.kv.(*pebbleKV).db.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables in %s: %v", dir, err)
	}
	found := 0
	for try := range 20 {
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(copied, filepath.Base(tables[try%len(tables)]))
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)*try/20] ^= 0x10
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if damageFound(t, copied, want) {
			found++
		}
	}
	if found < 15 {
		t.Errorf("only %d of 20 flipped bits were found", found)
	}
}

// damageFound opens a damaged store and tells whether it spoke of the damage. A
// store that says nothing must hold what it held.
func damageFound(t *testing.T, dir string, want map[string]string) bool {
	s, err := open(t.Context(), dir, Options{Logger: quiet, CacheSize: 1})
	if err != nil {
		if !strings.Contains(err.Error(), "damaged") && !strings.Contains(err.Error(), "corruption") {
			t.Errorf("open: %v", err)
		}
		return true
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	ls, err := s.Lease(t.Context(), queue.Want{Lane: "l", Max: 1000, TTL: time.Minute})
	if err != nil {
		return true
	}
	good := 0
	for _, l := range ls {
		if want[l.ID] != string(l.Body) {
			t.Errorf("job %s has the wrong body %.40q", l.ID, l.Body)
		}
		good++
	}
	findings, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if good != len(want) && len(findings) == 0 {
		t.Errorf("%d of %d jobs are there and nothing is said about the others", good, len(want))
	}
	return len(findings) > 0
}
