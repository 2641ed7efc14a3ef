package redis

import (
	"log/slog"
	"testing"

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
	server := redistest.Start(t)
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
