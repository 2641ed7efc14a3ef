package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"crossdock/bench/load"
	"crossdock/bench/peers"
	"crossdock/bench/report"
	"crossdock/bench/system"
)

const connections = 64

// contender is a system that takes orders over HTTP and posts shipments.
type contender struct {
	name  string
	stage func(dir, addr, target string) ([]*system.Process, error)
	runs  []httpRun
}

type httpRun struct {
	rate          float64 // messages/s from the first order out to the last shipment in
	cpu           time.Duration
	accept, whole [2]time.Duration // median and 99th percentile
	rss           int64
	duplicates    int64
}

// own starts crossdock on a copy of the workspace in dir.
func (b *bench) own(dir, addr, target string, args ...string) (*system.Process, error) {
	work := filepath.Join(dir, "workspace")
	if err := os.CopyFS(work, os.DirFS(filepath.Join(b.root, "bench", "workspace"))); err != nil {
		return nil, fmt.Errorf("copy the workspace: %w", err)
	}
	admin, err := system.Port()
	if err != nil {
		return nil, err
	}
	args = append([]string{"run", work, "--no-watch", "--http", addr, "--admin", admin, "--var", "target=http://" + target}, args...)
	if b.profiles != "" {
		b.pprof, b.token = admin, filepath.Join(work, ".crossdock", "admin.token")
	}
	p, err := system.Run("crossdock", dir, b.crossdock, args...)
	if err != nil {
		return nil, err
	}
	return p, system.WaitPort(b.ctx, p, addr, 30*time.Second)
}

func (b *bench) peerHTTP(dir, addr, target string) ([]*system.Process, error) {
	return b.peerWith(dir, addr, target, b.benthos)
}

// peerTuned gives Benthos the setting of the garbage collector that crossdock
// gives itself.
func (b *bench) peerTuned(dir, addr, target string) ([]*system.Process, error) {
	return b.peerWith(dir, addr, target, "env", "GOGC=400", b.benthos)
}

func (b *bench) peerWith(dir, addr, target string, command ...string) ([]*system.Process, error) {
	config := filepath.Join(dir, "benthos.yaml")
	if err := os.WriteFile(config, []byte(peers.HTTP(addr, target)), 0o600); err != nil {
		return nil, err
	}
	p, err := system.Run("benthos", dir, command[0], append(command[1:], "-c", config)...)
	if err != nil {
		return nil, err
	}
	return []*system.Process{p}, system.WaitPort(b.ctx, p, addr, 30*time.Second)
}

// http measures webhook -> (store) -> map -> route -> HTTP target.
func (b *bench) http() error {
	own := func(args ...string) func(dir, addr, target string) ([]*system.Process, error) {
		return func(dir, addr, target string) ([]*system.Process, error) {
			p, err := b.own(dir, addr, target, args...)
			return []*system.Process{p}, err
		}
	}
	all := []*contender{
		{name: "crossdock, embedded store, fsync", stage: own()},
		{name: "Benthos, stores nothing", stage: b.peerHTTP},
		{name: "Benthos, stores nothing, GOGC=400", stage: b.peerTuned},
		{name: "crossdock, embedded store, process", stage: own("--durability", "process")},
	}
	s := b.report.Section("Webhook to HTTP target", fmt.Sprintf("%d connections post orders; each is mapped, routed and posted to a target that checks every shipment. "+
		"crossdock answers once the order is stored, removes duplicates and remembers the history; Benthos answers once the target has, and does no routing.", connections),
		"system", "messages/s", "CPU per message", "answer p50 / p99", "whole way p50 / p99", "memory")
	return b.race(s, all, b.pick(40_000, 2_000))
}

func (b *bench) pick(full, smoke int) int {
	if b.smoke {
		return smoke
	}
	return full
}

// race runs all contenders in turns and reports their medians.
func (b *bench) race(s *report.Section, all []*contender, n int) error {
	for i := range b.runs {
		for _, c := range all {
			r, err := b.runHTTP(c, n)
			if err != nil {
				return fmt.Errorf("%s, run %d: %w", c.name, i+1, err)
			}
			c.runs = append(c.runs, r)
			b.log("%s: %.0f/s, %s CPU, answer p99 %s, whole way p99 %s", c.name, r.rate, report.Micros(r.cpu), report.Millis(r.accept[1]), report.Millis(r.whole[1]))
		}
	}
	for _, c := range all {
		s.Row(c.name, report.Count(median(c, func(r httpRun) float64 { return r.rate })),
			report.Micros(median(c, func(r httpRun) time.Duration { return r.cpu })),
			pair(median(c, func(r httpRun) time.Duration { return r.accept[0] }), median(c, func(r httpRun) time.Duration { return r.accept[1] })),
			pair(median(c, func(r httpRun) time.Duration { return r.whole[0] }), median(c, func(r httpRun) time.Duration { return r.whole[1] })),
			report.MB(median(c, func(r httpRun) int64 { return r.rss })))
	}
	first := all[0]
	for _, c := range all[1:] {
		s.Note("%s against %s: %.2f times the messages/s, %.2f times the CPU per message.", first.name, c.name,
			median(first, func(r httpRun) float64 { return r.rate })/median(c, func(r httpRun) float64 { return r.rate }),
			float64(median(first, func(r httpRun) time.Duration { return r.cpu }))/float64(median(c, func(r httpRun) time.Duration { return r.cpu })))
	}
	s.Note("%s orders a run; every one arrived right and exactly once%s.", report.Count(float64(n)), repeats(all))
	return nil
}

func median[T int64 | float64 | time.Duration](c *contender, of func(httpRun) T) T {
	v := make([]T, 0, len(c.runs))
	for _, r := range c.runs {
		v = append(v, of(r))
	}
	return report.Median(v)
}

func pair(a, b time.Duration) string {
	return strings.TrimSuffix(report.Millis(a), " ms") + " / " + report.Millis(b)
}

func repeats(all []*contender) string {
	text := ""
	for _, c := range all {
		var n int64
		for _, r := range c.runs {
			n += r.duplicates
		}
		if n > 0 {
			text += fmt.Sprintf(", but for %d repeats by %s", n, c.name)
		}
	}
	return text
}

// runHTTP starts a contender anew, warms it up and measures n orders.
func (b *bench) runHTTP(c *contender, n int) (httpRun, error) {
	dir, err := os.MkdirTemp(b.tmp, "run-")
	if err != nil {
		return httpRun{}, err
	}
	defer os.RemoveAll(dir)
	check, err := checker()
	if err != nil {
		return httpRun{}, err
	}
	target, err := load.Listen("127.0.0.1:0", check)
	if err != nil {
		return httpRun{}, err
	}
	defer target.Close()
	addr, err := system.Port()
	if err != nil {
		return httpRun{}, err
	}
	ps, err := c.stage(dir, addr, target.Addr())
	defer func() {
		for _, p := range ps {
			if p != nil {
				p.Stop()
			}
		}
	}()
	if err != nil {
		return httpRun{}, err
	}
	if _, err := b.send(addr, "/orders", target, load.NewLedger(0, n/5), ps); err != nil {
		return httpRun{}, fmt.Errorf("warm up: %w", err)
	}
	return b.send(addr, "/orders", target, load.NewLedger(n/5, n), ps)
}

// send sends the orders of l and waits until all have arrived at target.
func (b *bench) send(addr, path string, target *load.Target, l *load.Ledger, ps []*system.Process) (httpRun, error) {
	target.Expect(l)
	defer b.profile(ps)()
	cpu, began := cpuOf(ps), time.Now()
	sent, err := load.Send(b.ctx, load.Job{Addr: addr, Path: path, Connections: connections, Ledger: l})
	if err != nil {
		return httpRun{}, err
	}
	if sent.Refused > 0 {
		return httpRun{}, fmt.Errorf("%d orders were refused\n%s", sent.Refused, ps[0].Tail())
	}
	select {
	case <-l.Done():
	case <-b.ctx.Done():
		return httpRun{}, b.ctx.Err()
	case <-time.After(2 * time.Minute):
		return httpRun{}, fmt.Errorf("%d of %d shipments have not arrived\n%s", l.Missing(), sent.Accepted, ps[0].Tail())
	}
	took := time.Since(began)
	if err := l.Err(); err != nil {
		return httpRun{}, err
	}
	if f := l.Foreign.Load(); f > 0 {
		return httpRun{}, fmt.Errorf("%d shipments of orders that were not sent", f)
	}
	r := httpRun{rate: float64(sent.Accepted) / took.Seconds(), cpu: (cpuOf(ps) - cpu) / time.Duration(sent.Accepted), duplicates: l.Duplicates.Load()}
	whole := l.Latencies()
	for i, q := range []float64{0.5, 0.99} {
		r.accept[i], r.whole[i] = report.Quantile(sent.Answers, q), report.Quantile(whole, q)
	}
	for _, p := range ps {
		r.rss += p.RSS()
	}
	return r, nil
}

func cpuOf(ps []*system.Process) (sum time.Duration) {
	for _, p := range ps {
		sum += p.CPU()
	}
	return sum
}
