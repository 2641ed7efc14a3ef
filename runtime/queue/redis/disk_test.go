package redis

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

// TestFailingDisk: from some moment on each fsync of Redis fails. A server that
// syncs always ends then; one that syncs every second refuses writes some
// seconds later, and goes on doing so (Redis 7.0) until it is started again. No
// write is acknowledged after that, nothing that was acknowledged is missing
// once it is back, and nobody has to tell this side.
func TestFailingDisk(t *testing.T) {
	for _, sync := range []string{"always", "everysec"} {
		t.Run(sync, func(t *testing.T) {
			server := redistest.Start(t, "--appendfsync", sync)
			d := open(t, server.URL(), Options{Unsafe: true})
			defer d.Close()
			acked, n := map[string]bool{}, 0
			send := func() error {
				n++
				c := queue.Commit{Jobs: []queue.Job{testJob(fmt.Sprint("j", n))}}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				if _, err := d.Apply(ctx, c); err != nil {
					return err
				}
				acked[c.Jobs[0].ID] = true
				return nil
			}
			for range 100 {
				if err := send(); err != nil {
					t.Fatal(err)
				}
			}
			mend := server.FailSyncs()
			var failed error
			for begun := time.Now(); failed == nil; {
				if time.Since(begun) > 30*time.Second {
					t.Fatal("30 s of failing syncs go unnoticed")
				}
				if failed = send(); failed == nil {
					<-time.After(20 * time.Millisecond)
				}
			}
			if errors.Is(failed, queue.ErrFailed) {
				t.Errorf("the store is given up: %v", failed)
			}
			if sync == "always" {
				server.Await()
			} else if !strings.Contains(failed.Error(), "Input/output error") {
				t.Errorf("the reason is not told: %v", failed)
			}
			mend()
			server.Kill()
			server.Restart()
			for begun := time.Now(); ; {
				err := send()
				if err == nil {
					break
				}
				if time.Since(begun) > 30*time.Second {
					t.Fatalf("30 s after the disk was mended: %v", err)
				}
				<-time.After(20 * time.Millisecond)
			}
			ls, err := d.Lease(t.Context(), queue.Want{Lane: testLane, Max: n + 1, TTL: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range ls {
				delete(acked, l.ID)
			}
			if len(acked) > 0 {
				t.Errorf("%d of %d acknowledged messages are missing: %v", len(acked), n, acked)
			}
		})
	}
}

// TestDamagedLog: Redis does not start on a log with a flipped byte in its
// middle, and so the store is refused, or goes on being away, in words. It is
// not taken for an empty one. With the byte put right all is there.
func TestDamagedLog(t *testing.T) {
	server := redistest.Start(t, "--appendfsync", "always")
	d := open(t, server.URL(), Options{})
	defer d.Close()
	const sent = 50
	for n := range sent {
		mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob(fmt.Sprint("j", n))}})
	}
	server.Kill()
	logs, err := filepath.Glob(filepath.Join(server.Dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("logs of the server: %v, %v", logs, err)
	}
	whole, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	// The head of a command in the middle.
	one := bytes.Clone(whole)
	one[len(whole)/2+bytes.Index(whole[len(whole)/2:], []byte("\r\n*"))+2] ^= 1
	if err := os.WriteFile(logs[0], one, 0o600); err != nil {
		t.Fatal(err)
	}
	server.Run()
	server.Await()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := d.Apply(ctx, queue.Commit{Jobs: []queue.Job{testJob("later")}}); err == nil || errors.Is(err, queue.ErrFailed) {
		t.Errorf("while Redis does not start: %v", err)
	}
	if again, err := Open(ctx, server.URL(), Options{}); err == nil || !strings.Contains(err.Error(), "reach redis") {
		if again != nil {
			again.Close()
		}
		t.Errorf("opened: %v", err)
	}
	if err := os.WriteFile(logs[0], whole, 0o600); err != nil {
		t.Fatal(err)
	}
	server.Restart()
	mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("later")}})
	ls, err := d.Lease(t.Context(), queue.Want{Lane: testLane, Max: 2 * sent, TTL: time.Minute})
	if err != nil || len(ls) != sent+1 {
		t.Errorf("%d messages, want %d: %v", len(ls), sent+1, err)
	}
}
