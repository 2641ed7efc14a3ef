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
	// In turns: what else the machine does meets both.
	rounds, lasts := pick(t, 3, 1), pick(t, 15*time.Second, 3*time.Second)
	before, with, sick := r.Ledger.Phase("all healthy", true), r.Ledger.Phase("one hangs", true), r.Ledger.Phase("to the one that hangs", false)
	send := func(phase *rig.Phase) {
		var loads []rig.Load
		for _, name := range names {
			o := load(name)
			o.Rate, o.Phase = rate/3, phase
			if name == "sick" {
				o.Phase = sick
			}
			loads = append(loads, o)
		}
		during(ctx, lasts, r, loads...)
	}
	waiting := int64(0)
	for range rounds {
		send(before)
		heal := r.Target.Hang("/to_sick")
		send(with)
		b, err := r.Balance(ctx)
		heal()
		if err != nil {
			return err
		}
		waiting = max(waiting, b.Open)
		if _, err := r.Settle(ctx); err != nil {
			return err
		}
	}
	if least := int64(rate / 3 * lasts.Seconds() / 2); waiting < least {
		t.broken("only %d messages waited for the target that hangs: the run proves nothing", waiting)
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	t.result.Settings["service_ms"], t.result.Settings["concurrency"] = service.Milliseconds(), 16
	t.result.Figures["waiting"] = waiting
	t.result.Figures["accepted_to_delivered_p99_ms"], t.result.Figures["accepted_to_delivered_p99_without_ms"] = millis(with.Accepted(0.99)), millis(before.Accepted(0.99))
	t.result.Line = fmt.Sprintf("%s store, %.0f msg/s to three targets of 16 places and %s a message, one hangs with %d messages waiting for it: %s; %s", t.store,
		rate, service, waiting, t.result.Verdict, t.compare("healthy sent to delivered p99", with.Delivered.Quantile(0.99), before.Delivered.Quantile(0.99), 1.2))
	return nil
}
