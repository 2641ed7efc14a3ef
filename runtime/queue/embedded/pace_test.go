package embedded

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// noTables is a disk that has no room for tables while full is set.
type noTables struct {
	vfs.FS
	full atomic.Bool
}

func (f *noTables) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if f.full.Load() && strings.HasSuffix(name, ".sst") {
		return nil, syscall.ENOSPC
	}
	return f.FS.Create(name, c)
}

// TestFullDiskIsTriedAtAPace: tables that cannot be written are tried again more
// and more seldom, said once, and written when there is room.
func TestFullDiskIsTriedAtAPace(t *testing.T) {
	fs, rests := &noTables{FS: vfs.Default}, make(chan time.Duration)
	var log bytes.Buffer
	s, err := open(t.Context(), t.TempDir(), Options{fs: fs, Logger: slog.New(slog.NewTextHandler(&log, nil)), rest: func(d time.Duration) { rests <- d }})
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, s, one("a"))
	fs.full.Store(true)
	flushed, err := s.kv.(*pebbleKV).db.AsyncFlush()
	if err != nil {
		t.Fatal(err)
	}
	var last time.Duration
	for range 12 {
		rest := <-rests
		if rest < last {
			t.Errorf("a rest of %s after one of %s", rest, last)
		}
		last = rest
	}
	if last != longestRest {
		t.Errorf("the rest is %s after twelve failures, want %s", last, longestRest)
	}
	fs.full.Store(false)
	for done := false; !done; {
		select {
		case <-flushed:
			done = true
		case <-rests: // of those that had failed before
		}
	}
	if got := leaseNow(t, s, 9); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "cannot tidy"); n != 1 {
		t.Errorf("%d lines in the log:\n%s", n, &log)
	}
}

// TestFullDiskAtTheStart: a store whose log does not fit on the disk once more is
// not opened, instead of waiting for room without end; nothing is lost.
func TestFullDiskAtTheStart(t *testing.T) {
	dir, fs := t.TempDir(), &brokenFS{FS: vfs.Default}
	s := openTest(t, dir, Options{fs: fs})
	for _, id := range []string{"a", "b", "c"} {
		mustApply(t, s, big(id))
	}
	if err := s.shut(false); err != nil {
		t.Fatal(err)
	}
	fs.free.Store(1)
	if _, err := Open(t.Context(), dir, Options{Logger: quiet, fs: fs}); err == nil || !strings.Contains(err.Error(), "the disk is full: opening needs") {
		t.Fatalf("opened: %v", err)
	}
	fs.free.Store(0)
	again := openTest(t, dir, Options{fs: fs})
	if got := leaseNow(t, again, 9); len(got) != 3 {
		t.Errorf("%d jobs are there, want 3", len(got))
	}
}
