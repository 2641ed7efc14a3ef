package main

import (
	"fmt"
	"os"
	goruntime "runtime"
	"time"

	"crossdock/bench/load"
	"crossdock/bench/report"
	"crossdock/bench/system"
)

// backlog measures what waiting messages cost: memory, and the pace of the
// others.
func (b *bench) backlog() error {
	waiting, n := b.pick(1_000_000, 5_000), b.pick(40_000, 2_000)
	dir, err := os.MkdirTemp(b.tmp, "backlog-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	check, err := checker()
	if err != nil {
		return err
	}
	target, err := load.Listen("127.0.0.1:0", check)
	if err != nil {
		return err
	}
	defer target.Close()
	silent, err := load.Silence("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer silent.Close()
	addr, err := system.Port()
	if err != nil {
		return err
	}
	p, err := b.own(dir, addr, target.Addr(), "--var", "backlog=http://"+silent.Addr().String())
	if p != nil {
		defer p.Stop()
	}
	if err != nil {
		return err
	}
	ps := []*system.Process{p}
	next := 0
	pace := func() (httpRun, error) {
		var runs []httpRun
		for range b.runs {
			r, err := b.send(addr, "/orders", target, load.NewLedger(next, n), ps)
			if err != nil {
				return r, err
			}
			next += n
			runs = append(runs, r)
		}
		c := &contender{runs: runs}
		return httpRun{rate: median(c, func(r httpRun) float64 { return r.rate }), cpu: median(c, func(r httpRun) time.Duration { return r.cpu })}, nil
	}
	if _, err := b.send(addr, "/orders", target, load.NewLedger(9_000_000, n/2), ps); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	before, err := pace()
	if err != nil {
		return fmt.Errorf("without a backlog: %w", err)
	}
	rss := p.RSS()
	l := load.NewLedger(0, waiting)
	sent, err := load.Send(b.ctx, load.Job{Addr: addr, Path: "/backlog", Connections: connections, Ledger: l})
	if err != nil || sent.Accepted != waiting {
		return fmt.Errorf("fill the backlog: %d of %d accepted: %w\n%s", sent.Accepted, waiting, err, p.Tail())
	}
	full := p.RSS()
	l, sent = nil, load.Sent{}
	goruntime.GC()
	b.log("%d waiting: %s, before %s", waiting, report.MB(full), report.MB(rss))
	after, err := pace()
	if err != nil {
		return fmt.Errorf("with a backlog: %w", err)
	}
	s := b.report.Section("Waiting messages", fmt.Sprintf("%s orders wait for a target that does not answer, in the embedded store, while orders of another pipeline go on.", report.Count(float64(waiting))), "what", "value")
	s.Row("memory before / with the backlog", report.MB(rss)+" / "+report.MB(full))
	s.Row("memory per waiting message", fmt.Sprintf("%.0f bytes", float64(full-rss)/float64(waiting)))
	s.Row("other orders per second without / with the backlog", report.Count(before.rate)+" / "+report.Count(after.rate))
	s.Row("CPU per other order without / with", report.Micros(before.cpu)+" / "+report.Micros(after.cpu))
	s.Row("change of pace", fmt.Sprintf("%+.0f %%", 100*(after.rate/before.rate-1)))
	return nil
}
