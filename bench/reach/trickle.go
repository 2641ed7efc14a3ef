package main

import (
	"context"
	"fmt"
	"time"

	"crossdock/bench/rig"
)

// service is how long the targets take for one message where their time is what
// messages compete for.
const service = 10 * time.Millisecond

// trickle sends a few critical messages beside a backlog that goes to the same
// target.
func trickle(ctx context.Context, t *trial) error {
	defs := rig.Workspace()
	define(defs, "shop", "concurrency: 16, timeout: 10s", map[string]string{"urgent": "critical", "bulk": "standard", "low": "low"})
	r, err := rig.Open(ctx, rig.Options{Binary: t.binary, Store: t.store, Definitions: defs, Args: []string{"--no-watch"}})
	if err != nil {
		return err
	}
	defer r.Close()
	to := rig.To(r.Replicas[0].HTTP)
	urgent := rig.Load{Path: "/in/urgent", Rate: t.rate, Connections: 20, Keys: 500, Size: 300, To: to, Phase: r.Ledger.Phase("warming up", false)}
	during(ctx, time.Second, r, urgent)
	r.Target.Slow("/shop", service)
	n, lasts := pick(t, 5, 1), pick(t, 6*time.Second, 2*time.Second)
	var before, with rounds
	for range n {
		urgent.Phase = before.next(r, "unloaded", true)
		during(ctx, lasts, r, urgent)
	}

	backlog := pick(t, t.n, 5000)
	if err := fill(ctx, r, to, backlog); err != nil {
		return err
	}
	for range n {
		urgent.Phase = with.next(r, "with backlog", true)
		during(ctx, lasts, r, urgent)
	}
	b, err := r.Balance(ctx)
	if err != nil {
		return err
	}
	if b.Open < int64(backlog)/20 {
		t.broken("the backlog was down to %d messages when the trickle ended: the run proves nothing", b.Open)
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	t.result.Settings["backlog"], t.result.Settings["rate"], t.result.Settings["service_ms"], t.result.Settings["concurrency"] = backlog, t.rate, service.Milliseconds(), 16
	t.result.Figures["left_of_backlog"] = b.Open
	t.result.Figures["intake_p99_ms"], t.result.Figures["intake_p99_without_ms"] = millis(with.median(intake)), millis(before.median(intake))
	t.result.Line = fmt.Sprintf("%s store, %.0f critical msg/s beside a backlog of %d (half normal, half low; %d left), a target of 16 places and %s a message: %s; %s", t.store,
		t.rate, backlog, b.Open, service, t.result.Verdict, t.compare("critical accepted to delivered p99", with.median(accepted), before.median(accepted), 2))
	return nil
}

// fill makes a backlog of n messages and lets work on it begin.
func fill(ctx context.Context, r *rig.Rig, to func(string) string, n int) error {
	c, err := r.Replicas[0].Admin()
	if err != nil {
		return err
	}
	names := []string{"bulk", "low"}
	for _, name := range names {
		if err := c.Post(ctx, "/v1/pipelines/"+name+"/pause", nil, &map[string]string{}); err != nil {
			return fmt.Errorf("pause %s: %w", name, err)
		}
	}
	phase := r.Ledger.Phase("backlog", false)
	var loads []rig.Load
	for _, name := range names {
		loads = append(loads, rig.Load{Path: "/in/" + name, Count: int64(n / 2), Connections: 32, Keys: 2000, Size: 300, To: to, Phase: phase})
	}
	sendAll(ctx, r, loads...)
	for _, name := range names {
		if err := c.Post(ctx, "/v1/pipelines/"+name+"/resume", nil, &map[string]string{}); err != nil {
			return fmt.Errorf("resume %s: %w", name, err)
		}
	}
	return nil
}
