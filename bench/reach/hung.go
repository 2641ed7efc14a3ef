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
	n, lasts := pick(t, 3, 1), pick(t, 15*time.Second, 3*time.Second)
	var before, with rounds
	sick := r.Ledger.Phase("to the one that hangs", false)
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
	for range n {
		send(before.next(r, "all healthy", true))
		heal := r.Target.Hang("/to_sick")
		send(with.next(r, "one hangs", true))
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
	t.result.Figures["accepted_to_delivered_p99_ms"], t.result.Figures["accepted_to_delivered_p99_without_ms"] = millis(with.median(accepted)), millis(before.median(accepted))
	t.result.Line = fmt.Sprintf("%s store, %.0f msg/s to three targets of 16 places and %s a message, one hangs with %d messages waiting for it: %s; %s", t.store,
		rate, service, waiting, t.result.Verdict, t.compare("healthy sent to delivered p99", with.median(delivered), before.median(delivered), 1.2))
	return nil
}
