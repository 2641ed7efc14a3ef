package runtime

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// errNotHolder says that another replica runs the source now.
var errNotHolder = errors.New("another replica has taken over")

// holder lets one of several replicas do what may be done only once at a time,
// such as firing a schedule. The right to it is a state key that its holder
// writes again and again, and with everything it does: the version of the key
// is the fencing token. A key that keeps its version for a whole ttl, measured
// by the clock of whoever looks at it, has lost its holder; no clock of another
// machine is trusted.
//
// On a store of one process everybody holds everything.
type holder struct {
	driver queue.Driver
	shared bool
	id     string // of this replica
	ttl    time.Duration
	log    *slog.Logger

	mu   sync.Mutex
	held map[string]bool // by key
}

func newHolder(d queue.Driver, ttl time.Duration, log *slog.Logger) *holder {
	if ttl == 0 {
		ttl = 10 * time.Second
	}
	_, shared := d.(queue.Shared)
	return &holder{driver: d, shared: shared, id: replicaID(), ttl: ttl, log: log, held: map[string]bool{}}
}

// replicaID names this process among the replicas of a store.
func replicaID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:6])
}

// claim is what the state key of a right says. An empty ID has given it back.
type claim struct {
	ID string `json:"id"`
	N  uint64 `json:"n"` // makes every write another one
}

// during waits until this replica holds the right to key and runs do while it
// does. do writes with apply alone; its context ends when the right is lost.
// It returns the error of do, or nil when the right was lost or ctx ended.
func (h *holder) during(ctx context.Context, key string, do func(ctx context.Context, apply worker.Apply) error) error {
	if !h.shared {
		return do(ctx, h.driver.Apply)
	}
	for ctx.Err() == nil {
		t, err := h.take(ctx, "holder/"+key)
		if err != nil {
			return err
		}
		if t == nil {
			return nil
		}
		h.note(key, true)
		err = t.run(ctx, do)
		h.note(key, false)
		if err != nil && ctx.Err() == nil && !t.gone() {
			return err
		}
		if t.gone() {
			h.log.Warn("another replica has taken over what this one did not renew in time", "what", key)
		}
	}
	return nil
}

func (h *holder) note(key string, on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if on {
		h.held[key] = true
	} else {
		delete(h.held, key)
	}
}

// holds lists what this replica holds now.
func (h *holder) holds() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	keys := make([]string, 0, len(h.held))
	for k := range h.held {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// take waits until the right is free and takes it; nil when ctx ended.
func (h *holder) take(ctx context.Context, key string) (*tenure, error) {
	seen, since := int64(-1), time.Now()
	for {
		began := time.Now()
		values, err := h.driver.Get(ctx, key)
		switch {
		case ctx.Err() != nil:
			return nil, nil
		case errors.Is(err, queue.ErrFailed), errors.Is(err, queue.ErrClosed):
			return nil, err
		case err != nil:
			seen = -1 // it may be renewed while it cannot be read
		default:
			v := values[0]
			if v.Version != seen {
				seen, since = v.Version, time.Now()
			}
			var c claim
			if v.Version > 0 {
				if err := json.Unmarshal(v.Data, &c); err != nil {
					return nil, fmt.Errorf("who holds %s cannot be read: %w", key, err)
				}
			}
			if c.ID == "" || c.ID == h.id || began.Sub(since) >= h.ttl {
				t := &tenure{holder: h, key: key, version: v.Version, mu: make(turn, 1)}
				if _, err := t.apply(ctx, queue.Commit{}); err == nil {
					return t, nil
				}
			}
		}
		if !sleep(ctx, h.ttl/10) {
			return nil, nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// tenure is one time of holding a right. Safe for concurrent use: its writes go
// one after the other, each presuming the version that the one before it left.
type tenure struct {
	holder *holder
	key    string

	mu      turn
	version int64
	n       uint64
	written time.Time // when the last write that went well began
	doubt   bool      // the outcome of the last write is unknown
	lost    bool
	cancel  context.CancelFunc
}

// run runs do, renews the right meanwhile, and gives it back afterwards.
func (t *tenure) run(ctx context.Context, do func(ctx context.Context, apply worker.Apply) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t.mu.Lock()
	t.cancel = cancel
	t.mu.Unlock()
	renewed := make(chan struct{})
	go func() { // joined below
		defer close(renewed)
		for sleep(ctx, t.holder.ttl/5) {
			t.mu.Lock()
			fresh := time.Since(t.written) < t.holder.ttl/4
			t.mu.Unlock()
			if fresh {
				continue
			}
			if _, err := t.apply(ctx, queue.Commit{}); err != nil && ctx.Err() == nil {
				t.holder.log.Warn("the right to run a source could not be renewed", "what", t.key, "error", err)
			}
		}
	}()
	err := do(ctx, t.apply)
	cancel()
	<-renewed
	t.giveBack()
	return err
}

// apply writes c, provided that the right is still held. Every write renews it.
func (t *tenure) apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.write(ctx, c, t.holder.id)
}

// write is called with mu held. id is the holder after it.
func (t *tenure) write(ctx context.Context, c queue.Commit, id string) ([]queue.Result, error) {
	if t.lost {
		return nil, errNotHolder
	}
	if t.doubt {
		if err := t.look(ctx); err != nil {
			return nil, err
		}
	}
	t.n++
	raw, err := json.Marshal(claim{ID: id, N: t.n})
	if err != nil {
		return nil, err
	}
	c.Put = append(slices.Clone(c.Put), queue.Put{Key: t.key, Version: t.version, Value: raw})
	began := time.Now()
	results, err := t.holder.driver.Apply(ctx, c)
	switch {
	case err == nil:
		t.version++
		t.written = began
	case errors.Is(err, queue.ErrVersion):
		// Sources write their own state whatever its version is: it is the right
		// that is gone.
		t.lose()
		return nil, errNotHolder
	default:
		t.doubt = true
	}
	return results, err
}

// look finds out who holds the right after a write whose outcome is unknown.
func (t *tenure) look(ctx context.Context) error {
	values, err := t.holder.driver.Get(ctx, t.key)
	if err != nil {
		return err
	}
	var c claim
	if v := values[0]; v.Version != t.version {
		if err := json.Unmarshal(v.Data, &c); err != nil || c.ID != t.holder.id || c.N != t.n || v.Version != t.version+1 {
			t.lose()
			return errNotHolder
		}
		t.version = v.Version
	}
	t.doubt = false
	return nil
}

func (t *tenure) lose() {
	t.lost = true
	if t.cancel != nil {
		t.cancel()
	}
}

func (t *tenure) gone() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}

// giveBack lets another replica take over at once. Where that fails it does so
// when the ttl has passed.
func (t *tenure) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if _, err := t.write(ctx, queue.Commit{}, ""); err != nil && !errors.Is(err, errNotHolder) {
		t.holder.log.Warn("the right to run a source could not be given back; it runs out", "what", t.key, "error", err)
	}
}
