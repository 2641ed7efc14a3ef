package redis

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/queuetest"
	"crossdock/runtime/queue/redis/redistest"
)

func open(t testing.TB, url string, o Options) *Driver {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	d, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return d
}

func TestConformance(t *testing.T) {
	// With everysec a crash may take what waits for a slow disk.
	server := redistest.Start(t, "--appendfsync", "always")
	queuetest.Exercise(t, queuetest.Harness{
		Open: func(t *testing.T) queue.Driver {
			server.Flush()
			return open(t, server.URL(), Options{})
		},
		Reopen: func(t *testing.T, d queue.Driver) queue.Driver {
			server.Kill()
			server.Restart()
			if err := d.Close(); err != nil {
				t.Fatalf("close: %v", err)
			}
			return open(t, server.URL(), Options{})
		},
		Features: queuetest.Features{Hints: true, Shared: true},
	})
}

// replicas is a store seen through several processes: each call goes through
// another one.
type replicas struct {
	drivers []*Driver
	n       atomic.Uint64
}

func (r *replicas) next() *Driver { return r.drivers[int(r.n.Add(1))%len(r.drivers)] }

func (r *replicas) Apply(ctx context.Context, c queue.Commit) ([]queue.Result, error) {
	return r.next().Apply(ctx, c)
}

func (r *replicas) Lease(ctx context.Context, w queue.Want) ([]queue.Lease, error) {
	return r.next().Lease(ctx, w)
}

func (r *replicas) Extend(ctx context.Context, ls []queue.Lease, ttl time.Duration) error {
	return r.next().Extend(ctx, ls, ttl)
}

func (r *replicas) Sweep(ctx context.Context, now time.Time) (queue.Swept, error) {
	return r.next().Sweep(ctx, now)
}

func (r *replicas) Get(ctx context.Context, keys ...string) ([]queue.Value, error) {
	return r.next().Get(ctx, keys...)
}

func (r *replicas) Browse(ctx context.Context, q queue.Query) (queue.Page, error) {
	return r.next().Browse(ctx, q)
}

func (r *replicas) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	return r.next().Watch(ctx, key)
}

func (r *replicas) Check(ctx context.Context) ([]queue.Finding, error) { return r.next().Check(ctx) }

func (r *replicas) Close() error {
	var all error
	for _, d := range r.drivers {
		all = errors.Join(all, d.Close())
	}
	return all
}

func TestConformanceOfReplicas(t *testing.T) {
	// With everysec a crash may take what waits for a slow disk.
	server := redistest.Start(t, "--appendfsync", "always")
	openAll := func(t *testing.T) queue.Driver {
		return &replicas{drivers: []*Driver{
			open(t, server.URL(), Options{}), open(t, server.URL(), Options{}), open(t, server.URL(), Options{}),
		}}
	}
	queuetest.Exercise(t, queuetest.Harness{
		Open: func(t *testing.T) queue.Driver {
			server.Flush()
			return openAll(t)
		},
		Reopen: func(t *testing.T, d queue.Driver) queue.Driver {
			server.Kill()
			server.Restart()
			if err := d.Close(); err != nil {
				t.Fatalf("close: %v", err)
			}
			return openAll(t)
		},
		Features: queuetest.Features{Shared: true},
	})
}
