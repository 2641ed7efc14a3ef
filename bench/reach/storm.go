package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"crossdock/bench/rig"
	"crossdock/runtime/admin"
)

// sendAll sends several loads at once until ctx ends.
func sendAll(ctx context.Context, r *rig.Rig, loads ...rig.Load) {
	var all sync.WaitGroup
	for _, o := range loads {
		all.Go(func() { r.Ledger.Send(ctx, o) })
	}
	all.Wait()
}

// define adds a connection and pipelines that use it.
func define(defs map[string]string, connection, limits string, pipelines map[string]string) {
	file, text := rig.Connection(connection, limits)
	defs[file] = text
	for name, policy := range pipelines {
		file, text := rig.Pipeline(name, policy, connection)
		defs[file] = text
	}
}

// storm swaps the definitions all the time while messages go through.
func storm(ctx context.Context, t *trial) error {
	const every = 100 * time.Millisecond
	defs := rig.Workspace()
	define(defs, "shop", "concurrency: 64, timeout: 10s", map[string]string{"orders": "standard"})
	r, err := rig.Open(ctx, rig.Options{Binary: t.binary, Store: t.store, Definitions: defs, Args: []string{"--no-watch"}})
	if err != nil {
		return err
	}
	defer r.Close()
	o := rig.Load{Path: "/in/orders", Connections: 64, Keys: 2000, Size: 300, To: rig.To(r.Replicas[0].HTTP)}
	if o.Rate, err = t.bearable(ctx, r, o, headroom); err != nil {
		return err
	}
	swaps := pick(t, t.n, 30)
	n := pick(t, 7, 1)
	var before, with rounds
	s := &swapper{r: r, t: t, every: every}
	for i := range n {
		part := swaps*(i+1)/n - swaps*i/n
		o.Phase = before.next(r, "before", false)
		during(ctx, time.Duration(part)*every, r, o)
		o.Phase = with.next(r, "with swaps", false)
		if err := s.under(ctx, o, part); err != nil {
			return err
		}
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	if slices.Contains(r.Ledger.Editions(), "e900000") {
		t.broken("messages were mapped by an invalid edition")
	}
	seen := len(r.Ledger.Editions())
	if seen*2 < s.good {
		t.broken("only %d of %d good editions were ever at work: the run proves nothing", seen, s.good)
	}
	t.result.Settings["swaps"], t.result.Settings["invalid"], t.result.Settings["every_ms"] = s.n, s.bad, every.Milliseconds()
	reached := float64(with.count()) / s.lasted.Seconds()
	t.result.Figures["reached_rate"], t.result.Figures["editions_seen"] = reached, seen
	t.result.Figures["swap_p50_ms"], t.result.Figures["swap_p99_ms"] = millis(s.took.Quantile(0.5)), millis(s.took.Quantile(0.99))
	t.result.Line = fmt.Sprintf("%s store, %d swaps (%d invalid), %.0f msg/s (asked %.0f, the most is %.0f): %s; %s; swap p99 %.0f ms; %d editions at work", t.store,
		s.n, s.bad, reached, t.rate, t.result.Settings["most_rate"], t.result.Verdict, t.compare("intake p99", with.median(intake), before.median(intake), 1.5),
		millis(s.took.Quantile(0.99)), seen)
	return nil
}

// swapper brings edits to life, every tenth of which is invalid.
type swapper struct {
	r         *rig.Rig
	t         *trial
	every     time.Duration
	n         int // swaps so far
	good, bad int
	took      rig.Histogram
	lasted    time.Duration
}

// under makes a number of swaps under a load.
func (s *swapper) under(ctx context.Context, o rig.Load, swaps int) error {
	began := time.Now()
	loading, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { s.r.Ledger.Send(loading, o) })
	err := s.swap(ctx, swaps)
	end()
	all.Wait()
	s.lasted += time.Since(began)
	return err
}

func (s *swapper) swap(ctx context.Context, swaps int) error {
	c, err := s.r.Replicas[0].Admin()
	if err != nil {
		return err
	}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for range swaps {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		s.n++
		text, want := rig.Mapping(s.n), "ok"
		if s.n%10 == 0 {
			text, want = rig.BrokenMapping(s.n/10), "failed"
			s.bad++
		} else {
			s.good++
		}
		if err := s.r.Write("effect.mapping.yaml", text); err != nil {
			return err
		}
		var answer admin.ReloadAnswer
		began := time.Now()
		if err := c.Post(ctx, "/v1/reload", admin.Change{Who: "reach"}, &answer); err != nil {
			return fmt.Errorf("reload: %w", err)
		}
		s.took.Add(time.Since(began))
		if answer.Result != want {
			s.t.broken("swap %d came out as %q, not %q: %s", s.n, answer.Result, want, answer.Error)
		}
	}
	return nil
}
