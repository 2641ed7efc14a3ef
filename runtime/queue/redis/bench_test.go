package redis

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

// cycle is the life of one message: a job with an idempotency key, two
// references and its first entry; a lease; a finish with its last entry.
func benchJob(i int64, body []byte) queue.Job {
	id := fmt.Sprintf("01JDCQ7W2K%016d", i)
	return queue.Job{
		ID: id, Lane: "in/orders", Key: fmt.Sprint("SO-", i), Priority: queue.Normal,
		Dedupe: fmt.Sprint("orders:SO-", i), DedupeTTL: time.Hour, Digest: id, Body: body,
		Fresh: []queue.Entry{{
			Message: id, At: time.Now(), Kind: queue.Accepted, Pipeline: "orders", Revision: "r1",
			Refs: []queue.Ref{{Type: "order", Value: fmt.Sprint("SO-", i)}, {Type: "customer", Value: fmt.Sprint("C-", i%5000)}},
		}},
	}
}

func benchDelivered(id string) []queue.Entry {
	return []queue.Entry{{Message: id, At: time.Now(), Kind: queue.Delivered, Pipeline: "orders", Target: "tms.shipments", Attempt: 1}}
}

// benchmarkCycle runs b.N messages through the store, on top of deep others that
// wait in the same lane.
func benchmarkCycle(b *testing.B, replicas, deep int, args ...string) {
	server := redistest.Start(b, args...)
	drivers := make([]*Driver, replicas)
	for i := range drivers {
		drivers[i] = open(b, server.URL(), Options{KeepHistory: time.Hour})
		defer drivers[i].Close()
	}
	const producers, workers = 64, 64
	body := bytes.Repeat([]byte("0123456789abcde "), 96) // 1.5 KB
	var made, done atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var wg sync.WaitGroup
	fill(b, drivers[0], deep)
	redisBefore, ownBefore := redisCPU(b, server), ownCPU(b)
	b.ResetTimer()
	for p := range producers {
		d := drivers[p%replicas]
		wg.Go(func() {
			for {
				i := made.Add(1)
				if i > int64(b.N) {
					return
				}
				if _, err := d.Apply(b.Context(), queue.Commit{Jobs: []queue.Job{benchJob(i, body)}}); err != nil {
					b.Errorf("apply: %v", err)
					return
				}
			}
		})
	}
	for w := range workers {
		d := drivers[w%replicas]
		wg.Go(func() {
			for ctx.Err() == nil {
				ls, err := d.Lease(ctx, queue.Want{Lane: "in/orders", Max: 4, TTL: 10 * time.Second, Wait: time.Second})
				if err != nil {
					b.Errorf("lease: %v", err)
					return
				}
				for _, l := range ls {
					if l.Priority != queue.Low && len(l.Body) != len(body) {
						b.Errorf("body of %d bytes", len(l.Body))
					}
					_, err := d.Apply(b.Context(), queue.Commit{Finish: []queue.Finish{{Lease: l}}, History: benchDelivered(l.ID)})
					if err != nil {
						b.Errorf("finish: %v", err)
						return
					}
					if done.Add(1) == int64(b.N) {
						cancel()
					}
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cycles/s")
	b.ReportMetric((redisCPU(b, server)-redisBefore)*1e6/float64(b.N), "redis-us/cycle")
	b.ReportMetric((ownCPU(b)-ownBefore)*1e6/float64(b.N), "go-us/cycle")
}

func BenchmarkCycleOnAMillion(b *testing.B) { benchmarkCycle(b, 1, 1_000_000) }

// fill adds n small jobs of low priority.
func fill(b *testing.B, d *Driver, n int) {
	for i := 0; i < n; i += 1000 {
		var c queue.Commit
		for k := i; k < min(i+1000, n); k++ {
			c.Jobs = append(c.Jobs, queue.Job{
				ID: fmt.Sprintf("01JDCQ7W2L%016d", k), Lane: "in/orders", Key: fmt.Sprint("deep-", k), Priority: queue.Low,
			})
		}
		if _, err := d.Apply(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
}

// redisCPU and ownCPU are the seconds of processor time used so far; they tell
// more than the time on a busy machine.
func redisCPU(b *testing.B, s *redistest.Server) float64 {
	text, err := s.Client().Info(b.Context(), "cpu").Result()
	if err != nil {
		b.Fatal(err)
	}
	info, sum := parseInfo(text), 0.0
	for _, name := range []string{"used_cpu_sys", "used_cpu_user"} {
		v, err := strconv.ParseFloat(info[name], 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += v
	}
	return sum
}

func ownCPU(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func BenchmarkCycleEverysec(b *testing.B)      { benchmarkCycle(b, 1, 0) }
func BenchmarkCycleAlways(b *testing.B)        { benchmarkCycle(b, 1, 0, "--appendfsync", "always") }
func BenchmarkCycleThreeReplicas(b *testing.B) { benchmarkCycle(b, 3, 0) }

// BenchmarkMemory reports how much memory of Redis a waiting message takes,
// beside its body, and what history, references and the idempotency key add.
func BenchmarkMemory(b *testing.B) {
	for name, strip := range map[string]func(*queue.Job){
		"job alone":       func(j *queue.Job) { j.Dedupe, j.Fresh, j.Body = "", nil, nil },
		"with body 1.5KB": func(j *queue.Job) { j.Dedupe, j.Fresh = "", nil },
		"with dedupe":     func(j *queue.Job) { j.Fresh, j.Body = nil, nil },
		"with history":    func(j *queue.Job) { j.Dedupe, j.Body = "", nil },
		"whole":           func(*queue.Job) {},
	} {
		b.Run(name, func(b *testing.B) {
			server := redistest.Start(b, "--appendonly", "no")
			d := open(b, server.URL(), Options{Unsafe: true})
			defer d.Close()
			body := bytes.Repeat([]byte("0123456789abcde "), 96)
			before := usedMemory(b, server)
			var made atomic.Int64
			var wg sync.WaitGroup
			for range 32 {
				wg.Go(func() {
					for i := made.Add(1); i <= int64(b.N); i = made.Add(1) {
						j := benchJob(i, body)
						strip(&j)
						if _, err := d.Apply(b.Context(), queue.Commit{Jobs: []queue.Job{j}}); err != nil {
							b.Errorf("apply: %v", err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(usedMemory(b, server)-before)/float64(b.N), "redis-B/message")
		})
	}
}

func usedMemory(b *testing.B, s *redistest.Server) int64 {
	text, err := s.Client().Info(b.Context(), "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseInt(parseInfo(text)["used_memory"], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}
