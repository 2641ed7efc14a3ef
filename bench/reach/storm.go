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
	before := r.Ledger.Phase("before", false)
	o.Phase = before
	during(ctx, pick(t, min(60*time.Second, max(20*time.Second, time.Duration(swaps)*every)), 3*time.Second), r, o)

	with := r.Ledger.Phase("with swaps", false)
	o.Phase = with
	loading, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { r.Ledger.Send(loading, o) })
	s := &swapper{r: r, t: t}
	err = s.swap(ctx, swaps, every)
	reached := with.Rate()
	end()
	all.Wait()
	if err != nil {
		return err
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
	t.result.Settings["swaps"], t.result.Settings["invalid"], t.result.Settings["every_ms"] = swaps, s.bad, every.Milliseconds()
	t.result.Figures["reached_rate"], t.result.Figures["editions_seen"] = reached, seen
	t.result.Figures["swap_p50_ms"], t.result.Figures["swap_p99_ms"] = millis(s.took.Quantile(0.5)), millis(s.took.Quantile(0.99))
	t.result.Line = fmt.Sprintf("%s store, %d swaps (%d invalid), %.0f msg/s (asked %.0f, the most is %.0f): %s; %s; swap p99 %.0f ms; %d editions at work", t.store,
		swaps, s.bad, reached, t.rate, t.result.Settings["most_rate"], t.result.Verdict, t.compare("intake p99", with.Intake.Quantile(0.99), before.Intake.Quantile(0.99), 1.5),
		millis(s.took.Quantile(0.99)), seen)
	return nil
}

// swapper brings edits to life, every tenth of which is invalid.
type swapper struct {
	r         *rig.Rig
	t         *trial
	good, bad int
	took      rig.Histogram
}

func (s *swapper) swap(ctx context.Context, swaps int, every time.Duration) error {
	c, err := s.r.Replicas[0].Admin()
	if err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 1; n <= swaps; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		text, want := rig.Mapping(n), "ok"
		if n%10 == 0 {
			text, want = rig.BrokenMapping(n/10), "failed"
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
			s.t.broken("swap %d came out as %q, not %q: %s", n, answer.Result, want, answer.Error)
		}
	}
	return nil
}
