package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

// acked is what a store has confirmed to producers.
type acked struct {
	mu   sync.Mutex
	ids  map[string]bool
	last time.Time
	errs int
}

func (a *acked) count() int { a.mu.Lock(); defer a.mu.Unlock(); return len(a.ids) }

// produce applies jobs until ctx ends. An error leaves the outcome open, so the
// same commit is brought again, as senders do.
func produce(ctx context.Context, d *Driver, wg *sync.WaitGroup) *acked {
	a := &acked{ids: map[string]bool{}}
	for p := range 8 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				c := queue.Commit{Jobs: []queue.Job{testJob(fmt.Sprintf("p%d-%d", p, n))}}
				for ctx.Err() == nil {
					_, err := d.Apply(context.Background(), c)
					a.mu.Lock()
					if err == nil {
						a.ids[c.Jobs[0].ID], a.last = true, time.Now()
						a.mu.Unlock()
						break
					}
					a.errs++
					a.mu.Unlock()
					if errors.Is(err, queue.ErrFailed) {
						return
					}
				}
				<-time.After(2 * time.Millisecond)
			}
		})
	}
	return a
}

// missing counts confirmed jobs that a store does not have.
func missing(t *testing.T, d *Driver, a *acked) int {
	t.Helper()
	there := map[string]bool{}
	q := queue.Query{View: queue.Jobs, Limit: 1000}
	for {
		page, err := d.Browse(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range page.Jobs {
			if there[j.ID] {
				t.Errorf("%s is there twice", j.ID)
			}
			there[j.ID] = true
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	lost := 0
	for id := range a.ids {
		if !there[id] {
			lost++
		}
	}
	return lost
}

// constellation is a master behind a proxy, two replicas and three sentinels. To
// the proxy, all but the stores come from another address.
type constellation struct {
	master *redistest.Server
	proxy  *redistest.Proxy
	url    string
}

const farSide = "127.0.0.2"

func newConstellation(t *testing.T) *constellation {
	c := &constellation{master: redistest.Start(t)}
	c.proxy = redistest.NewProxy(t, c.master)
	host, port, _ := net.SplitHostPort(c.proxy.Addr)
	for range 2 {
		r := redistest.Start(t, "--replicaof", host+" "+port, "--bind-source-addr", farSide, "--repl-timeout", "5", "--protected-mode", "no")
		_, own, _ := net.SplitHostPort(r.Addr)
		for k, v := range map[string]string{"replica-announce-ip": "127.0.0.1", "replica-announce-port": own} {
			if err := r.Client().ConfigSet(t.Context(), k, v).Err(); err != nil {
				t.Fatal(err)
			}
		}
		within(t, 20*time.Second, "a replica is in step", func() bool {
			info, err := r.Client().Info(t.Context(), "replication").Result()
			return err == nil && strings.Contains(info, "master_link_status:up")
		})
	}
	var sentinels []string
	for range 3 {
		conf := filepath.Join(t.TempDir(), "sentinel.conf")
		text := fmt.Sprintf("sentinel monitor main %s %s 2\nsentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 6000\nsentinel announce-ip 127.0.0.1\nbind-source-addr %s\n", host, port, farSide)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := redistest.StartSentinel(t, conf)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("sentinel %s:\n%s", s.Addr, s.Log())
			}
		})
		sentinels = append(sentinels, s.Addr)
		within(t, 30*time.Second, "a sentinel knows the others", func() bool {
			got, err := s.Client().Do(t.Context(), "sentinel", "master", "main").StringSlice()
			flat := strings.Join(got, " ")
			return err == nil && strings.Contains(flat, "num-slaves 2") && strings.Contains(flat, fmt.Sprintf("num-other-sentinels %d", len(sentinels)-1))
		})
	}
	c.url = "redis+sentinel://" + strings.Join(sentinels, ",") + "/main"
	return c
}

// The master dies, or is cut off from all but its clients, under load. What all
// replicas that can be promoted have confirmed is not lost: while the master is
// cut off its writes are refused, and work goes on when it has come back as a
// replica. Without confirmations the test must see losses, or it would be blind.
// A killed master leaves what it sent in the buffers of one machine, so that one
// confirmation is enough here, and work goes on with one replica.
func TestSentinelFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("runs eighteen processes for half a minute")
	}
	for _, c := range []struct {
		name, query string
		partition   bool
	}{
		{"killed, replicated", "?replicas=1", false},
		{"cut off, replicated", "?replicas=2", true},
		{"cut off, not replicated", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // mostly waits
			s := newConstellation(t)
			d := open(t, s.url+c.query, Options{})
			defer d.Close()
			ctx, stop := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			a := produce(ctx, d, &wg)
			within(t, 20*time.Second, "work is under way", func() bool { return a.count() > 100 })
			cut := time.Now()
			if c.partition {
				s.proxy.Hide(farSide)
			} else {
				s.master.Kill()
			}
			within(t, 60*time.Second, "work goes on at the new master", func() bool {
				addr, err := s.promoted(t)
				return err == nil && addr != s.proxy.Addr
			})
			failedOver := time.Now()
			before := a.count()
			if c.partition {
				s.proxy.Show()
			}
			within(t, 60*time.Second, "work is confirmed again", func() bool { return a.count() > before+50 })
			resumed := time.Since(failedOver)
			<-time.After(500 * time.Millisecond)
			stop()
			wg.Wait()
			fresh := open(t, s.url, Options{Unsafe: true})
			defer fresh.Close()
			lost := missing(t, fresh, a)
			t.Logf("%d confirmed, %d lost, %d errors; another master after %v, work again %v later", len(a.ids), lost, a.errs, failedOver.Sub(cut), resumed)
			switch {
			case c.query != "" && lost > 0:
				t.Errorf("%d of %d confirmed messages are lost", lost, len(a.ids))
			case c.query == "" && lost == 0:
				t.Error("nothing was lost without confirmations: the partition was none")
			case c.query == "" && d.wentBack.Load() == 0:
				t.Error("the loss was not noticed")
			}
		})
	}
}

// promoted asks a sentinel who the master is.
func (c *constellation) promoted(t *testing.T) (string, error) {
	first, _, _ := strings.Cut(strings.TrimPrefix(c.url, "redis+sentinel://"), ",")
	conn, err := net.DialTimeout("tcp", first, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte("SENTINEL get-master-addr-by-name main\r\n")); err != nil {
		return "", err
	}
	b := make([]byte, 200)
	n, err := conn.Read(b)
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(b[:n]), "\r\n") // *2, $9, address, $5, port
	if len(lines) < 5 {
		return "", errors.New("no master")
	}
	return net.JoinHostPort(lines[2], lines[4]), nil
}

// A Redis Cluster of real processes: the whole contract of a message in one slot,
// and a master that dies under load.
func TestClusterFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("runs six processes")
	}
	t.Parallel() // mostly waits
	nodes := redistest.StartCluster(t, "--appendfsync", "everysec")
	url := "redis+cluster://" + nodes[0].Addr + "," + nodes[1].Addr + "," + nodes[2].Addr + "?replicas=1"
	d := open(t, url, Options{})
	defer d.Close()
	life(t, d)
	node, err := d.master(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	a := produce(ctx, d, &wg)
	within(t, 20*time.Second, "work is under way", func() bool { return a.count() > 100 })
	for _, s := range nodes {
		if s.Addr == node.Options().Addr {
			s.Kill()
		}
	}
	cut := time.Now()
	// The new master has no replica to confirm: what was not confirmed before
	// stays refused, which is what replicas=1 promises.
	within(t, 30*time.Second, "the loss of the master is felt", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.errs > 0 })
	var plain *Driver
	within(t, 60*time.Second, "the cluster can be opened again", func() bool {
		plain, err = Open(t.Context(), strings.TrimSuffix(url, "?replicas=1"), Options{Unsafe: true})
		return err == nil
	})
	defer plain.Close()
	within(t, 60*time.Second, "the new master takes work", func() bool {
		_, err := plain.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("after")}})
		return err == nil
	})
	t.Logf("another master took work after %v", time.Since(cut))
	stop()
	wg.Wait()
	if lost := missing(t, plain, a); lost > 0 {
		t.Errorf("%d of %d confirmed messages are lost", lost, len(a.ids))
	}
}

// While too few replicas confirm, senders are refused; when they are back the
// same message is taken once.
func TestTooFewReplicas(t *testing.T) {
	master := redistest.Start(t)
	_, port, _ := net.SplitHostPort(master.Addr)
	replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+port)
	within(t, 10*time.Second, "the replica is in step", func() bool {
		info, err := replica.Client().Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	d := open(t, master.URL()+"?replicas=2", Options{})
	defer d.Close()
	j := testJob("a")
	j.Dedupe, j.DedupeTTL = "k", time.Hour
	if _, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{j}}); err == nil || !strings.Contains(err.Error(), "1 of 2 replicas confirmed") {
		t.Errorf("with one of two replicas: %v", err)
	}
	// That the master remembers the call is no confirmation either.
	if res, err := d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{j}}); err == nil || !strings.Contains(err.Error(), "1 of 2 replicas confirmed") {
		t.Errorf("brought again, with one of two replicas: %+v, %v", res, err)
	}
	second := redistest.Start(t, "--replicaof", "127.0.0.1 "+port)
	within(t, 10*time.Second, "the second replica is in step", func() bool {
		info, err := second.Client().Info(t.Context(), "replication").Result()
		return err == nil && strings.Contains(info, "master_link_status:up")
	})
	if res := mustApply(t, d, queue.Commit{Jobs: []queue.Job{j}}); res[0].Status != queue.Enqueued {
		t.Errorf("with both: %+v", res)
	}
	if n := counter(t, d, queue.Accepted); n != 1 {
		t.Errorf("%d accepted, want 1", n)
	}
}
