package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"crossdock/runtime/disktest"
	"crossdock/runtime/queue"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// brokenFS is a disk that does what a test tells it.
type brokenFS struct {
	vfs.FS
	free  atomic.Uint64 // bytes that are left; 0 = plenty
	sync  atomic.Pointer[func() error]
	write atomic.Pointer[func() error]
}

func (f *brokenFS) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	u, err := f.FS.GetDiskUsage(path)
	if n := f.free.Load(); n != 0 {
		u.AvailBytes = n
	}
	return u, err
}

func (f *brokenFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return f.wrap(name, file, err)
}

func (f *brokenFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(from, to, c)
	return f.wrap(to, file, err)
}

func (f *brokenFS) wrap(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.HasSuffix(name, ".log") {
		return file, err
	}
	return &brokenFile{file, f}, nil
}

type brokenFile struct {
	vfs.File
	fs *brokenFS
}

func (f *brokenFile) Sync() error     { return f.synced(f.File.Sync) }
func (f *brokenFile) SyncData() error { return f.synced(f.File.SyncData) }
func (f *brokenFile) SyncTo(n int64) (bool, error) {
	return false, f.synced(func() error { _, err := f.File.SyncTo(n); return err })
}

func (f *brokenFile) synced(do func() error) error {
	if hook := f.fs.sync.Load(); hook != nil {
		if err := (*hook)(); err != nil {
			return err
		}
	}
	return do()
}

func (f *brokenFile) Write(b []byte) (int, error) {
	if hook := f.fs.write.Load(); hook != nil {
		if err := (*hook)(); err != nil {
			return 0, err
		}
	}
	return f.File.Write(b)
}

func openTest(t *testing.T, dir string, opts Options) *store {
	t.Helper()
	opts.Logger = quiet
	s, err := open(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func one(id string) queue.Commit {
	return queue.Commit{Jobs: []queue.Job{{ID: id, Lane: "l", Key: id, Body: []byte("body of " + id)}}}
}

func big(id string) queue.Commit {
	c := one(id)
	c.Jobs[0].Body = []byte(strings.Repeat("body of "+id+" ", 100))
	return c
}

func mustApply(t *testing.T, s *store, c queue.Commit) []queue.Result {
	t.Helper()
	res, err := s.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func leaseNow(t *testing.T, s *store, n int) []queue.Lease {
	t.Helper()
	ls, err := s.Lease(t.Context(), queue.Want{Lane: "l", Max: n, TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return ls
}

// Nothing can be seen before the disk has it: no job, and no way past the end of
// the job before it.
func TestNothingIsVisibleBeforeItIsDurable(t *testing.T) {
	fs := &brokenFS{FS: vfs.Default}
	s := openTest(t, t.TempDir(), Options{fs: fs})
	first := one("a")
	first.Jobs[0].Key = "k"
	mustApply(t, s, first)
	held := leaseNow(t, s, 1)[0]
	next := one("b")
	next.Jobs[0].Key = "k"
	mustApply(t, s, next)

	release, reached := make(chan struct{}), make(chan struct{}, 100)
	open := sync.OnceFunc(func() { close(release) })
	defer open()
	hook := func() error { reached <- struct{}{}; <-release; return nil }
	fs.sync.Store(&hook)
	done := make(chan error, 2)
	written := s.visible.Load()
	go func() { _, err := s.Apply(t.Context(), one("c")); done <- err }()
	<-reached
	go func() {
		_, err := s.Apply(t.Context(), queue.Commit{Finish: []queue.Finish{{Lease: held}}, Jobs: one("d").Jobs})
		done <- err
	}()
	// The second commit is written behind the first while the first waits.
	for deadline := time.Now().Add(10 * time.Second); s.visible.Load() < written+2; {
		if time.Now().After(deadline) {
			t.Fatal("the second commit was not written")
		}
		goruntime.Gosched()
	}
	if got := leaseNow(t, s, 10); len(got) != 0 {
		t.Errorf("leased %s before it was durable", got[0].ID)
	}
	if err := s.Extend(t.Context(), []queue.Lease{held}, time.Minute); err != queue.ErrLeaseLost {
		t.Errorf("a lease whose end is written can be extended: %v", err)
	}
	if len(done) != 0 {
		t.Error("a commit was answered before the disk had it")
	}
	open()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var ids []string
	for _, l := range leaseNow(t, s, 10) {
		ids = append(ids, l.ID)
	}
	if fmt.Sprint(ids) != "[b c d]" {
		t.Errorf("leased %v", ids)
	}
}

// After an fsync that failed nothing is taken any more, whoever asks.
func TestFailedSyncFailsTheStore(t *testing.T) {
	for _, what := range []string{"sync", "write"} {
		t.Run(what, func(t *testing.T) {
			fs := &brokenFS{FS: vfs.Default}
			dir := t.TempDir()
			s := openTest(t, dir, Options{fs: fs})
			mustApply(t, s, one("a"))
			waiting := make(chan error, 1)
			go func() {
				_, err := s.Lease(t.Context(), queue.Want{Lane: "other", Max: 1, TTL: time.Minute, Wait: time.Hour})
				waiting <- err
			}()
			var calls atomic.Int64
			hook := func() error { calls.Add(1); return errors.New("input/output error") }
			if what == "sync" {
				fs.sync.Store(&hook)
			} else {
				fs.write.Store(&hook)
			}
			const n = 8
			errs := make(chan error, n)
			for i := range n {
				go func() { _, err := s.Apply(t.Context(), one(fmt.Sprint("x", i))); errs <- err }()
			}
			for range n {
				if err := <-errs; err != queue.ErrFailed {
					t.Errorf("apply: %v", err)
				}
			}
			if err := <-waiting; err != queue.ErrFailed {
				t.Errorf("who waited for a job: %v", err)
			}
			fs.sync.Store(nil)
			fs.write.Store(nil)
			if _, err := s.Apply(t.Context(), one("later")); err != queue.ErrFailed {
				t.Errorf("apply after the disk is well again: %v", err)
			}
			if _, err := s.Lease(t.Context(), queue.Want{Lane: "l", Max: 1}); err != queue.ErrFailed {
				t.Errorf("lease: %v", err)
			}
			fs2, err := s.Check(t.Context())
			if err != nil || len(fs2) == 0 || !fs2[0].Fatal || !strings.Contains(fs2[0].Message, "input/output error") {
				t.Errorf("check: %+v, %v", fs2, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			// A store that failed keeps its directory until the process ends.
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			again := openTest(t, copied, Options{})
			if got := leaseNow(t, again, 100); len(got) == 0 || got[0].ID != "a" {
				t.Errorf("what was acknowledged is gone: %v", got)
			}
		})
	}
}

// A disk that fills up refuses new work, lets old work end, and goes on by
// itself.
func TestFullDisk(t *testing.T) {
	fs := &brokenFS{FS: vfs.Default}
	s := openTest(t, t.TempDir(), Options{fs: fs, Reserve: 100 << 20})
	mustApply(t, s, one("a"))
	l := leaseNow(t, s, 1)[0]
	fs.free.Store(90 << 20)
	if _, err := s.Apply(t.Context(), one("b")); err != queue.ErrFull {
		t.Fatalf("apply: %v", err)
	}
	if f, err := s.Check(t.Context()); err != nil || len(f) != 1 || f[0].Fatal {
		t.Fatalf("check: %+v, %v", f, err)
	}
	mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l, Outcome: queue.Retry}}})
	fs.free.Store(10 << 20)
	l = leaseNow(t, s, 1)[0]
	if _, err := s.Apply(t.Context(), queue.Commit{Finish: []queue.Finish{{Lease: l}}}); err != queue.ErrFull {
		t.Fatalf("finish on the last bytes: %v", err)
	}
	if _, err := s.Sweep(t.Context(), time.Now()); err != nil {
		t.Fatalf("sweep: %v", err)
	}
	fs.free.Store(0)
	mustApply(t, s, queue.Commit{Finish: []queue.Finish{{Lease: l}}})
	mustApply(t, s, one("b"))
	if got := leaseNow(t, s, 9); len(got) != 1 || got[0].ID != "b" {
		t.Fatalf("got %v", got)
	}
}

// TestNewerStore: a store of a later release is not opened, and left as it is.
func TestNewerStore(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Options{})
	mustApply(t, s, one("a"))
	b := s.kv.batch()
	b.set(textKey(keyMeta, "format"), appendNumber(nil, format+1))
	if err := s.writeNow(b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Open(t.Context(), dir, Options{Logger: quiet}); err == nil || !strings.Contains(err.Error(), "newer program") {
			t.Errorf("opened: %v", err)
		}
	}
}

// TestReadOnlyDisk: a store on a disk that cannot be written is not opened, and
// the reason is the disk, not another process.
func TestReadOnlyDisk(t *testing.T) {
	dir := t.TempDir()
	disktest.Mount(t, dir, "300m")
	s := openTest(t, dir, Options{Reserve: 1 << 20})
	mustApply(t, s, one("a"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	disktest.Change(t, dir, "ro")
	if _, err := Open(t.Context(), dir, Options{Logger: quiet}); err == nil || errors.Is(err, queue.ErrInUse) || !strings.Contains(err.Error(), "cannot be written: read-only file system") {
		t.Errorf("opened: %v", err)
	}
	disktest.Change(t, dir, "rw")
	again := openTest(t, dir, Options{Reserve: 1 << 20})
	if got := leaseNow(t, again, 9); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// One process at a time.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir, Options{})
	_, err := Open(t.Context(), dir, Options{Logger: quiet})
	if err == nil || !strings.Contains(err.Error(), "another process has it open") {
		t.Fatalf("second open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openTest(t, dir, Options{})
}

// A power cut takes what was not synced: here all of it. What was acknowledged
// is still there.
func TestPowerCut(t *testing.T) {
	for seed := range uint64(10) {
		mem := vfs.NewCrashableMem()
		dir := t.TempDir()
		s := openTest(t, dir, Options{fs: mem})
		var acked sync.Map
		var n atomic.Int64
		cut := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for p := range 8 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					c := big(fmt.Sprintf("p%d-%d", p, i))
					if _, err := s.Apply(ctx, c); err != nil {
						return
					}
					acked.Store(c.Jobs[0].ID, true)
					if n.Add(1) == int64(50+40*seed) {
						close(cut)
					}
				}
			})
		}
		<-cut
		sure := map[string]bool{}
		acked.Range(func(id, _ any) bool { sure[id.(string)] = true; return true })
		after := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed * 10), RNG: rand.New(rand.NewPCG(seed, 1))})
		cancel()
		wg.Wait()

		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again := openTest(t, dir, Options{fs: after})
		for _, l := range leaseNow(t, again, 1<<20) {
			if string(l.Body) != string(big(l.ID).Jobs[0].Body) {
				t.Fatalf("seed %d: the body of %s is %.40q", seed, l.ID, l.Body)
			}
			delete(sure, l.ID)
		}
		if len(sure) > 0 {
			t.Fatalf("seed %d: %d acknowledged jobs are gone", seed, len(sure))
		}
	}
}
