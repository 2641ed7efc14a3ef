package redis

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

// What a Redis in trouble answers is "not now": nothing is taken, nothing fails
// for good, and work goes on by itself.
func TestRefusalsPass(t *testing.T) {
	t.Parallel() // mostly waits
	for _, c := range []struct {
		name     string
		args     []string
		begin    func(t *testing.T, s *redistest.Server)
		end      func(t *testing.T, s *redistest.Server)
		accepted bool // also meanwhile
	}{
		{name: "scripts forgotten", accepted: true,
			begin: func(t *testing.T, s *redistest.Server) { must(t, s.Client().ScriptFlush(t.Context()).Err()) },
			end:   func(*testing.T, *redistest.Server) {}},
		{name: "it became a replica",
			begin: func(t *testing.T, s *redistest.Server) {
				must(t, s.Client().Do(t.Context(), "replicaof", "127.0.0.1", "1").Err())
			},
			end: func(t *testing.T, s *redistest.Server) {
				must(t, s.Client().Do(t.Context(), "replicaof", "no", "one").Err())
			}},
		{name: "its disk refuses", args: []string{"--enable-protected-configs", "yes", "--save", "3600 1000000"},
			begin: func(t *testing.T, s *redistest.Server) {
				gone := filepath.Join(t.TempDir(), "gone")
				must(t, os.Mkdir(gone, 0o700))
				must(t, s.Client().ConfigSet(t.Context(), "dir", gone).Err())
				must(t, os.Remove(gone))
				saves(t, s, "err")
			},
			end: func(t *testing.T, s *redistest.Server) {
				must(t, s.Client().ConfigSet(t.Context(), "dir", s.Dir).Err())
				saves(t, s, "ok")
			}},
		{name: "too few replicas to write", args: []string{"--min-replicas-max-lag", "1"},
			begin: func(t *testing.T, s *redistest.Server) {
				must(t, s.Client().ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
			},
			end: func(t *testing.T, s *redistest.Server) {
				must(t, s.Client().ConfigSet(t.Context(), "min-replicas-to-write", "0").Err())
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, c.args...)
			d := open(t, server.URL(), Options{})
			defer d.Close()
			mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("before")}})
			c.begin(t, server)
			commit := queue.Commit{Jobs: []queue.Job{testJob("meanwhile")}}
			_, err := d.Apply(t.Context(), commit)
			if (err == nil) != c.accepted || errors.Is(err, queue.ErrFailed) {
				t.Errorf("meanwhile: %v", err)
			}
			c.end(t, server)
			within(t, 10*time.Second, "work goes on", func() bool {
				_, err := d.Apply(t.Context(), commit)
				return err == nil
			})
			if n := counter(t, d, queue.Accepted); n != 2 {
				t.Errorf("%d accepted, want 2", n)
			}
			sound(t, d)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// saves makes the server save until that has the outcome.
func saves(t *testing.T, s *redistest.Server, want string) {
	t.Helper()
	client := s.Client()
	within(t, 20*time.Second, "a save is "+want, func() bool {
		_ = client.BgSave(t.Context()).Err() // one may be under way
		text, err := client.Info(t.Context(), "persistence").Result()
		return err == nil && parseInfo(text)["rdb_last_bgsave_status"] == want
	})
}
