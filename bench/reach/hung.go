package main

import (
	"context"
	"fmt"
	"time"

	"crossdock/bench/rig"
)

// hung makes one of three targets take requests and never answer them.
func hung(ctx context.Context, t *trial) error {
	defs := rig.Workspace()
	names := []string{"left", "right", "sick"}
	for _, name := range names {
		define(defs, "to_"+name, "concurrency: 16, timeout: 10s", map[string]string{name: "standard"})
	}
	r, err := rig.Open(ctx, rig.Options{Binary: t.binary, Store: t.store, Definitions: defs, Args: []string{"--no-watch"}})
	if err != nil {
		return err
	}
	defer r.Close()
	to := rig.To(r.Replicas[0].HTTP)
	load := func(name string) rig.Load {
		return rig.Load{Path: "/in/" + name, Connections: 20, Keys: 1000, Size: 300, To: to}
	}
	rate, err := t.bearable(ctx, r, load("left"), headroom)
	if err != nil {
		return err
	}
	for _, name := range names {
		r.Target.Slow("/to_"+name, service)
	}
	lasts := pick(t, 30*time.Second, 3*time.Second)
	phase := func(name string) *rig.Phase {
		healthy, sick := r.Ledger.Phase(name, true), r.Ledger.Phase(name+", at the one that hangs", false)
		var loads []rig.Load
		for _, name := range names {
			o := load(name)
			o.Rate, o.Phase = rate/3, healthy
			if name == "sick" {
				o.Phase = sick
			}
			loads = append(loads, o)
		}
		during(ctx, lasts, r, loads...)
		return healthy
	}
	before := phase("all healthy")
	heal := r.Target.Hang("/to_sick")
	with := phase("one hangs")
	b, err := r.Balance(ctx)
	if err != nil {
		return err
	}
	heal()
	if waiting := rate / 3 * lasts.Seconds() / 2; float64(b.Open) < waiting {
		t.broken("only %d messages waited for the target that hangs: the run proves nothing", b.Open)
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	t.result.Settings["service_ms"], t.result.Settings["concurrency"] = service.Milliseconds(), 16
	t.result.Figures["waiting"] = b.Open
	t.result.Figures["accepted_to_delivered_p99_ms"], t.result.Figures["accepted_to_delivered_p99_before_ms"] = millis(with.Accepted(0.99)), millis(before.Accepted(0.99))
	t.result.Line = fmt.Sprintf("%s store, %.0f msg/s to three targets of 16 places and %s a message, one hangs with %d messages waiting for it: %s; %s", t.store,
		rate, service, b.Open, t.result.Verdict, t.compare("healthy sent to delivered p99", with.Delivered.Quantile(0.99), before.Delivered.Quantile(0.99), 1.2))
	return nil
}
