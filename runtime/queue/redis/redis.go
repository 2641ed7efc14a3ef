// Package redis keeps the durable queues in Redis 7 or newer (or Valkey), for
// several replicas at once; it is one of the drivers of package queue.
//
// Promises beyond those of the contract:
//
//   - Every change is one Lua script, so it happens wholly or not at all. Calls
//     carry a number, and Redis remembers their answers until the caller has
//     them: an answer lost on the way is fetched again, and a call that arrives
//     late is refused.
//   - A store that was emptied or replaced under a running process is noticed
//     by a mark; from then on every method returns ErrFailed.
//   - No order depends on the clocks of the replicas: times of leases come from
//     the clock of Redis.
//
// How much survives is decided by the configuration of Redis, which Check reads.
package redis

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

const (
	defaultPrefix = "cd"
	defaultKeep   = 14 * 24 * time.Hour
	recentEntries = 50_000
)

// Options adjust a store. The zero value is good for service.
type Options struct {
	// Prefix begins the name of every key, so that stores can share a server.
	// Empty means "cd".
	Prefix string
	// KeepHistory is how long history is kept after its last entry; 0 means 14
	// days.
	KeepHistory time.Duration
	// Replicas is how many replicas must confirm each write before Apply
	// returns; the parameter replicas of the URL sets it too.
	Replicas int
	// Synced asks besides that the write is on the disks of the master and of
	// those replicas (WAITAOF, Redis 7.2 or newer); the parameter synced sets it
	// too.
	Synced bool
	// Unsafe opens a store although Check found that a promise does not hold.
	Unsafe bool
	// Logger hears of what nobody is told otherwise; nil means slog.Default().
	Logger *slog.Logger
}

// Driver is a store in Redis.
type Driver struct {
	rdb  goredis.UniversalClient
	keys keyset
	opts Options
	log  *slog.Logger

	mark    string // of the store as it was opened
	session string // of this process

	slotBase uint64
	slotNext atomic.Uint64

	bodies  *bodyCache
	commit  *committer
	lease   *leaser
	renewal renewal

	failed    atomic.Pointer[error]
	wentBack  atomic.Int64 // answers given that a restarted Redis did not know
	closing   chan struct{}
	closeOnce sync.Once
	calls     sync.WaitGroup
	callMu    sync.RWMutex // read: a method begins; write: Close
	closed    bool
}

var _ queue.Shared = (*Driver)(nil)

// Open connects to the store at url and makes it if it is not there. It returns
// an error when Redis cannot be reached, or is set up in a way that breaks a
// promise and o.Unsafe is not set.
func Open(ctx context.Context, url string, o Options) (*Driver, error) {
	uo, sure, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if strings.ContainsAny(o.Prefix, "{}*?[]\\ \r\n") {
		return nil, fmt.Errorf("the key prefix %q holds one of { } * ? [ ] \\ or a blank", o.Prefix)
	}
	if o.KeepHistory <= 0 {
		o.KeepHistory = defaultKeep
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Replicas, o.Synced = max(o.Replicas, sure.replicas), o.Synced || sure.synced
	quiet()
	d := &Driver{
		rdb:     goredis.NewUniversalClient(uo),
		keys:    newKeyset(o.Prefix, 0),
		opts:    o,
		log:     o.Logger,
		session: randomWord(),
		bodies:  newBodyCache(64 << 20),
		closing: make(chan struct{}),
	}
	d.newSlots()
	if err := d.prepare(ctx); err != nil {
		return nil, errors.Join(err, d.rdb.Close())
	}
	d.commit = newCommitter(d)
	d.lease = newLeaser(d)
	return d, nil
}

// quiet silences the client library, which writes to standard error what it also
// returns.
var quiet = sync.OnceFunc(func() { goredis.SetLogger(noLog{}) })

type noLog struct{}

func (noLog) Printf(context.Context, string, ...any) {}

// prepare checks the server, makes or reads the mark and loads the scripts.
func (d *Driver) prepare(ctx context.Context) error {
	if err := d.rdb.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("reach redis: %w", err)
	}
	findings, err := d.Check(ctx)
	if err != nil {
		return err
	}
	if !d.opts.Unsafe {
		var all []string
		for _, f := range findings {
			if f.Fatal {
				all = append(all, f.Message+" ("+f.Hint+")")
			}
		}
		if len(all) > 0 {
			return fmt.Errorf("redis is not set up to keep messages safe: %s", strings.Join(all, "; "))
		}
	}
	key := d.keys.of("mark")
	if err := d.rdb.SetNX(ctx, key, newMark(), 0).Err(); err != nil {
		return fmt.Errorf("mark the store: %w", err)
	}
	if d.mark, err = d.rdb.Get(ctx, key).Result(); err != nil {
		return fmt.Errorf("read the mark of the store: %w", err)
	}
	if err := known(d.mark); err != nil {
		return err
	}
	return d.loadScripts(ctx)
}

// newSlots begins a new run of slots. Slots of different runs differ in 40
// random bits, so no store needs to hand them out.
func (d *Driver) newSlots() {
	var b [8]byte
	rand.Read(b[:])
	d.slotBase = binary.BigEndian.Uint64(b[:]) << 24
}

func (d *Driver) slot() uint64 {
	// The counter may run into the random bits: they only tell processes apart.
	return d.slotBase + d.slotNext.Add(1)
}

func randomWord() string { return rand.Text()[:16] }

// begin enters a method. The caller defers end when it returned nil.
func (d *Driver) begin() error {
	d.callMu.RLock()
	defer d.callMu.RUnlock()
	if d.closed {
		return queue.ErrClosed
	}
	if err := d.failed.Load(); err != nil {
		return *err
	}
	d.calls.Add(1)
	return nil
}

func (d *Driver) end() { d.calls.Done() }

// Close waits for writes under way and closes the connections.
func (d *Driver) Close() error {
	var err error
	d.closeOnce.Do(func() {
		d.callMu.Lock()
		d.closed = true
		d.callMu.Unlock()
		close(d.closing)
		d.lease.close()
		d.calls.Wait()
		d.commit.close()
		err = d.rdb.Close()
	})
	return err
}

// fail stops the store for this process.
func (d *Driver) fail(message string) error {
	err := fmt.Errorf("%w: %s", queue.ErrFailed, message)
	if d.failed.CompareAndSwap(nil, &err) {
		d.log.Error("the store has failed", "reason", message)
	}
	return *d.failed.Load()
}
