package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	goruntime "runtime"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// pebbleKV is kv over cockroachdb/pebble.
type pebbleKV struct {
	db   *pebble.DB
	fail func(error) // told about errors after which nothing may be written
	down func() bool // tells whether fail was called
}

func openPebble(dir string, o Options, lock *pebble.Lock, f *failure) (*pebbleKV, error) {
	fs, log := o.fs, o.Logger
	if o.Durability == Process {
		fs = lazyFS{fs}
	}
	fs = pacedFS{fs, &pace{wait: o.rest}}
	var told seldom
	k := &pebbleKV{fail: f.set, down: func() bool { return f.get() != nil }}
	cache := pebble.NewCache(int64(o.part(16 << 20)))
	defer cache.Unref()
	opts := &pebble.Options{
		FS:                          fs,
		Lock:                        lock,
		Cache:                       cache,
		FormatMajorVersion:          pebble.FormatNewest,
		MemTableSize:                uint64(o.part(16 << 20)),
		MemTableStopWritesThreshold: 3,
		L0CompactionThreshold:       16,
		L0StopWritesThreshold:       40,
		LBaseMaxBytes:               256 << 20, // as much as what waits in L0: a level less for what waits to be delivered
		MaxOpenFiles:                256,
		WALBytesPerSync:             0,
		BytesPerSync:                512 << 10,
		CompactionConcurrencyRange:  tidying,
		Logger:                      pebbleLog{log, f},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) {
				if told.now() {
					log.Error("the store cannot tidy its files; it is tried again", "error", err)
				}
			},
			DataCorruption: func(i pebble.DataCorruptionInfo) {
				f.note(fmt.Sprintf("file %s is damaged: %v", i.Path, i.Details))
			},
		},
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		opts.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
	}
	// What is flushed is read and written again soon: packing it does not pay.
	opts.Levels[0].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	db, err := pebble.Open(dir, opts)
	if err != nil {
		if pebble.IsCorruptionError(err) {
			return nil, fmt.Errorf("open store %s: its files are damaged, nothing was changed: %w", dir, err)
		}
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	k.db = db
	return k, nil
}

func (k *pebbleKV) get(key []byte) ([]byte, error) {
	v, c, err := k.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := append(make([]byte, 0, len(v)), v...)
	return out, c.Close()
}

func (k *pebbleKV) scan(from, to []byte, backwards bool, each func(key, value []byte) bool) error {
	it, err := k.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return err
	}
	first, next := it.First, it.Next
	if backwards {
		first, next = it.Last, it.Prev
	}
	for ok := first(); ok; ok = next() {
		v, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !each(it.Key(), v) {
			break
		}
	}
	return errors.Join(it.Error(), it.Close())
}

func (k *pebbleKV) batch() batch { return batches.Get().(*pebbleBatch) }

func (k *pebbleKV) write(b batch) (func() error, error) {
	pb := b.(*pebbleBatch).build(k.db)
	if pb.err != nil {
		return nil, fmt.Errorf("build a batch: %w", pb.err)
	}
	if pb.b.Empty() {
		return func() error { return pb.b.Close() }, nil
	}
	err := k.db.ApplyNoSyncWait(pb.b, pebble.Sync)
	// A commit that went wrong is only told to the logger.
	if err == nil && k.down() {
		err = errors.New("the write-ahead log could not be written")
	}
	if err != nil {
		k.fail(err)
		return nil, err
	}
	return func() error {
		if err := pb.b.SyncWait(); err != nil {
			k.fail(err)
			return err
		}
		return pb.b.Close()
	}, nil
}

func (k *pebbleKV) close() error {
	if k.down() {
		// A store that has failed is not touched again: closing would try to flush.
		return nil
	}
	return k.db.Close()
}

// tidying is how many goroutines merge files: after a deep queue has grown they
// are not to take every core from the messages that go on.
func tidying() (least, most int) { return 1, min(max(goruntime.GOMAXPROCS(0)/2, 1), 4) }

// pebbleLog takes what pebble reports. A fatal report fails the store; it does
// not end the process.
type pebbleLog struct {
	log *slog.Logger
	f   *failure
}

func (l pebbleLog) Infof(string, ...any) {}
func (l pebbleLog) Errorf(format string, args ...any) {
	l.log.Error("store: " + fmt.Sprintf(format, args...))
}
func (l pebbleLog) Fatalf(format string, args ...any) { l.f.set(fmt.Errorf(format, args...)) }

// lazyFS leaves it to the operating system when the write-ahead log reaches the
// disk: it survives the process, not a power cut.
type lazyFS struct{ vfs.FS }

func (f lazyFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return lazy(name)(f.FS.Create(name, c))
}

func (f lazyFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return lazy(newname)(f.FS.ReuseForWrite(oldname, newname, c))
}

func lazy(name string) func(vfs.File, error) (vfs.File, error) {
	return func(file vfs.File, err error) (vfs.File, error) {
		if err != nil || !strings.HasSuffix(name, ".log") {
			return file, err
		}
		return lazyFile{file}, nil
	}
}

type lazyFile struct{ vfs.File }

func (lazyFile) Sync() error                { return nil }
func (lazyFile) SyncData() error            { return nil }
func (lazyFile) SyncTo(int64) (bool, error) { return false, nil }
