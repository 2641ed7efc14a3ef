// Package embedded is a queue.Driver that keeps its jobs in one directory of
// the local disk, for one process at a time.
//
// The schedule is in memory and is built again from the directory on start.
// Bodies and history stay on disk. All commits that wait at one moment are
// written together with one fsync, and a change becomes visible to workers only
// once it is durable: nobody works on a message whose sender may still be told
// to send it again, and no job overtakes the end of the one before it.
//
// When a write or an fsync fails, the store has failed for good: what is on the
// disk then is only known after a start. A disk that is about to be full is no
// failure: Apply returns ErrFull until there is room again, while work that is
// stored already can be finished.
//
// The bytes of a body that a lease returns belong to the store and may not be
// changed.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/internal/signal"
	"crossdock/runtime/queue/schedule"
)

// Durability says what an acknowledged write survives.
type Durability uint8

// The levels of durability.
const (
	Fsync   Durability = iota // a power cut
	Process                   // the end of the process, however sudden
)

// Options of a store on disk. The zero Options are good.
type Options struct {
	Durability  Durability
	KeepHistory time.Duration // how long history is kept; 0 = 30 days, negative = for ever
	Reserve     uint64        // bytes of the disk that are left free; 0 = 256 MiB
	CacheSize   int           // bytes of jobs kept in memory for their lease; 0 = 24 MiB
	Memory      int64         // bytes that the process may use: with less than 1 GiB the caches are smaller; 0 = not bounded
	Logger      *slog.Logger  // nil = slog.Default()

	fs   vfs.FS              // tests break it
	rest func(time.Duration) // tests do not wait
}

// part is size, or less where there is little memory.
func (o Options) part(size int) int {
	const enough = 1 << 30
	if o.Memory <= 0 || o.Memory >= enough {
		return size
	}
	return max(size/8, int(int64(size)*o.Memory/enough))
}

func (o Options) withDefaults() Options {
	if o.KeepHistory == 0 {
		o.KeepHistory = 30 * 24 * time.Hour
	}
	if o.Reserve == 0 {
		o.Reserve = 256 << 20
	}
	if o.CacheSize == 0 {
		o.CacheSize = o.part(24 << 20)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.fs == nil {
		o.fs = vfs.Default
	}
	if o.rest == nil {
		o.rest = time.Sleep
	}
	return o
}

type store struct {
	opts  Options
	dir   string
	lock  *pebble.Lock
	kv    kv
	x     *schedule.Index
	cache *cache
	cells *cells
	sieve *sieve
	wake  signal.Board
	fault failure

	commits committer
	visible atomic.Uint64 // number of batches that get can see
	closed  atomic.Bool
	closing sync.Once
	over    chan struct{} // closed by Close
	running sync.WaitGroup
	sweeper sweeper
	counts  counters
	block   block // of the batch that is being gathered
}

// Open opens the store in dir, which is made if need be. It fails when another
// process has it open, when its files are damaged or were written by a newer
// program. ctx ends the opening, not the store.
func Open(ctx context.Context, dir string, opts Options) (queue.Driver, error) {
	return open(ctx, dir, opts)
}

// Promises tells what commits survive; see queue.Durable.
func (s *store) Promises(context.Context) ([]queue.Durability, error) {
	if s.opts.Durability == Process {
		return []queue.Durability{queue.Process}, nil
	}
	return []queue.Durability{queue.Process, queue.Fsync}, nil
}

func open(ctx context.Context, dir string, opts Options) (_ *store, err error) {
	opts = opts.withDefaults()
	s := &store{opts: opts, dir: dir, fault: failure{failed: make(chan struct{})}, over: make(chan struct{}), cache: newCache(opts.CacheSize), sieve: newSieve()}
	if err := makeDir(opts.fs, dir); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if s.lock, err = pebble.LockDirectory(dir, opts.fs); err != nil {
		if errors.Is(err, syscall.EROFS) {
			return nil, fmt.Errorf("open store %s: it cannot be written: %w", dir, syscall.EROFS)
		}
		return nil, fmt.Errorf("open store %s: %w: %w", dir, queue.ErrInUse, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release(false))
		}
	}()
	if err = enoughToOpen(opts.fs, dir); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	if s.kv, err = openPebble(dir, opts, s.lock, &s.fault); err != nil {
		return nil, err
	}
	var crashed []uint64
	if s.cells, crashed, err = openCells(filepath.Join(dir, "leases")); err != nil {
		return nil, err
	}
	if err := s.load(ctx, crashed); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s.start()
	return s, nil
}

// makeDir makes a directory and those above it, so that a power cut does not
// take them back.
func makeDir(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	d, err := fs.OpenDir(parent)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// release gives back what open took.
func (s *store) release(clean bool) error {
	var errs []error
	if s.cells != nil {
		errs = append(errs, s.cells.close(clean))
	}
	if s.kv != nil {
		errs = append(errs, s.kv.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// usable is why nothing can be done, or nil.
func (s *store) usable() error {
	if s.closed.Load() {
		return queue.ErrClosed
	}
	if s.fault.get() != nil {
		return queue.ErrFailed
	}
	return nil
}

// reading turns an error of a read into one that users can do something with.
func (s *store) reading(err error) error {
	if err == nil || s.closed.Load() {
		return s.orClosed(err)
	}
	if pebble.IsCorruptionError(err) {
		s.fault.note(fmt.Sprintf("a file of the store in %s is damaged: %v", s.dir, err))
	}
	return fmt.Errorf("read store %s: %w", s.dir, err)
}

func (s *store) orClosed(err error) error {
	if err != nil {
		return queue.ErrClosed
	}
	return nil
}

// damaged notes a record that cannot be read, under a name for people.
func (s *store) damaged(err error, what string) error {
	if err == nil {
		return nil
	}
	s.fault.note(fmt.Sprintf("%s: %v", what, err))
	return fmt.Errorf("%s: %w", what, err)
}

// Apply implements queue.Driver. Once the commit is on its way to the disk, the
// end of ctx is not waited for: the outcome is always known.
func (s *store) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !s.commits.enter() {
		return nil, queue.ErrClosed
	}
	defer s.commits.leave()
	r, err := s.prepare(c, time.Now())
	if err != nil {
		return nil, err
	}
	s.commits.submit(r)
	<-r.done
	if r.err != nil {
		return nil, r.err
	}
	return r.results, nil
}

// Get implements queue.Driver.
func (s *store) Get(_ context.Context, keys ...string) ([]queue.Value, error) {
	if !s.commits.enter() {
		return nil, queue.ErrClosed
	}
	defer s.commits.leave()
	if err := s.usable(); err != nil {
		return nil, err
	}
	out := make([]queue.Value, len(keys))
	for i, key := range keys {
		out[i].Key = key
		v, err := s.value(key)
		if err != nil {
			return nil, err
		}
		if now := time.Now(); v.alive(now) {
			out[i].Version, out[i].Data = v.version, v.data
			if !v.expires.IsZero() {
				out[i].Left = v.expires.Sub(now)
			}
		}
		s.commits.durable(key)
	}
	return out, s.usable()
}

// Watch implements queue.Driver.
func (s *store) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	return s.wake.Watch(ctx, key), nil
}

// Close implements queue.Driver.
func (s *store) Close() error { return s.shut(true) }

// shut closes the store; a clean one counts no lease as a crash.
func (s *store) shut(clean bool) (err error) {
	s.closing.Do(func() {
		s.closed.Store(true)
		close(s.over)
		s.x.Close(queue.ErrClosed)
		s.commits.close()
		s.running.Wait()
		s.wake.Close()
		err = s.release(clean)
		if err != nil && !errors.Is(err, os.ErrClosed) {
			err = fmt.Errorf("close store %s: %w", s.dir, err)
		}
	})
	return err
}
