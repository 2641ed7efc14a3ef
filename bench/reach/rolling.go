package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"crossdock/bench/rig"
)

// rolling restarts one of three replicas after the other, as an update does.
func rolling(ctx context.Context, t *trial) error {
	const replicas, drain = 3, 500 * time.Millisecond
	defs := rig.Workspace()
	define(defs, "shop", "concurrency: 64, timeout: 10s", map[string]string{"orders": "standard"})
	r, err := rig.Open(ctx, rig.Options{Binary: t.binary, Store: "redis", Replicas: replicas, Definitions: defs, Args: []string{"--no-watch", "--drain", drain.String()}})
	if err != nil {
		return err
	}
	defer r.Close()
	balancer := r.Balancer()
	defer balancer.Close()
	o := rig.Load{Path: "/in/orders", Connections: 48, Keys: 2000, Size: 300, To: balancer.To}
	if o.Rate, err = t.bearable(ctx, r, o, headroom*2/3); err != nil { // one of three may be away
		return err
	}
	phase := r.Ledger.Phase("rolling", false)
	o.Phase = phase
	loading, end := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { r.Ledger.Send(loading, o) })
	var took rig.Histogram
	restarts := pick(t, t.n, 4)
	for n := range restarts {
		began := time.Now()
		p := r.Replicas[n%replicas]
		if err = p.Stop(); err != nil {
			err = fmt.Errorf("restart %d: it did not end by itself: %w", n+1, err)
			break
		}
		if err = p.Start(ctx); err != nil {
			break
		}
		took.Add(time.Since(began))
	}
	reached := phase.Rate()
	end()
	all.Wait()
	if err != nil {
		return err
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	t.result.Settings["restarts"], t.result.Settings["replicas"], t.result.Settings["drain_ms"] = restarts, replicas, drain.Milliseconds()
	t.result.Settings["balancer"] = fmt.Sprintf("asks every /readyz each %s, repeats nothing", rig.Look)
	t.result.Figures["reached_rate"], t.result.Figures["restart_p50_ms"] = reached, millis(took.Quantile(0.5))
	t.result.Figures["intake_p99_ms"] = millis(phase.Intake.Quantile(0.99))
	t.result.Line = fmt.Sprintf("%d restarts of %d replicas on one Redis, %.0f msg/s (asked %.0f, the most is %.0f): %s; restart %.0f ms; intake p99 %.1f ms", restarts, replicas,
		reached, t.rate, t.result.Settings["most_rate"], t.result.Verdict, millis(took.Quantile(0.5)), millis(phase.Intake.Quantile(0.99)))
	return nil
}
