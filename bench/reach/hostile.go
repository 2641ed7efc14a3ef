package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"crossdock/bench/rig"
	"crossdock/runtime/journal"
)

// traps are jq cells that lint lets pass and that take all the time or memory
// they are given.
var traps = []string{
	`last(range(1e12))`,
	`[range(1e12)]`,
	`[range(50000)] | . - .`,
	`reduce range(100000000) as $i (null; [.])`,
	`[[range(300)], [range(300)], [range(300)], [range(300)]] | [combinations]`,
	`("x" * 9999) | reduce range(1e9) as $i (.; . + "abcdefgh")`,
}

// trapEvery is how often a message comes to one of the traps: about as often as
// they end.
const trapEvery = 500 * time.Millisecond

// hostile sends messages to mappings that are traps beside those to a good one.
func hostile(ctx context.Context, t *trial) error {
	defs := rig.Workspace()
	define(defs, "shop", "concurrency: 64, timeout: 10s", map[string]string{"orders": "standard"})
	for i, cell := range traps {
		name := fmt.Sprint("trap", i)
		defs[name+".mapping.yaml"] = fmt.Sprintf("mapping: %s\nfields:\n  x: '%s'\n", name, strings.ReplaceAll(cell, "'", "''"))
		defs[name+".pipeline.yaml"] = fmt.Sprintf("pipeline: %[1]s\ntrigger: {http: {path: /in/%[1]s, verify: none}}\nkey: .n\nsteps:\n  - {send: shop.put, map: %[1]s}\n", name)
	}
	r, err := rig.Open(ctx, rig.Options{Binary: t.binary, Store: t.store, Definitions: defs, Args: []string{"--no-watch"}, Pipeline: "orders"})
	if err != nil {
		return err
	}
	defer r.Close()
	o := rig.Load{Path: "/in/orders", Connections: 32, Keys: 1000, Size: 300, To: rig.To(r.Replicas[0].HTTP)}
	if o.Rate, err = t.bearable(ctx, r, o, headroom); err != nil {
		return err
	}
	lasts, sent := pick(t, 12*time.Second, 3*time.Second), 0
	var before, with rounds
	for range pick(t, 5, 1) {
		o.Phase = before.next(r, "alone", false)
		during(ctx, lasts, r, o)
		o.Phase = with.next(r, "beside traps", false)
		n, err := besideTraps(ctx, r.Replicas[0].HTTP, sent, func(ctx context.Context) { during(ctx, lasts, r, o) })
		if err != nil {
			return err
		}
		sent += n
		if err := t.allDead(ctx, r, sent); err != nil {
			return err
		}
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	t.result.Settings["trap_every_ms"], t.result.Figures["traps"] = trapEvery.Milliseconds(), sent
	t.result.Line = fmt.Sprintf("%s store, %.0f msg/s beside %d hostile cells, %d messages for them, each a dead letter: %s; %s", t.store, o.Rate, len(traps), sent, t.result.Verdict,
		t.compare("sent to delivered p99", with.median(delivered), before.median(delivered), 1.2))
	return nil
}

// besideTraps sends messages to the traps while f runs; from is the number of the
// first one.
func besideTraps(ctx context.Context, addr string, from int, f func(context.Context)) (sent int, err error) {
	done := make(chan struct{})
	go func() { // joined below
		defer close(done)
		f(ctx)
	}()
	tick := time.NewTicker(trapEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return sent, err
		case <-tick.C:
		}
		if err != nil {
			continue
		}
		n := from + sent
		var resp *http.Response
		resp, err = http.Post(fmt.Sprintf("http://%s/in/trap%d", addr, n%len(traps)), "application/json", strings.NewReader(fmt.Sprintf(`{"n":%d}`, n)))
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			err = fmt.Errorf("a trap answered %s", resp.Status)
			continue
		}
		sent++
	}
}

// allDead waits until every message to a trap has ended, and makes sure that it
// is a dead letter.
func (t *trial) allDead(ctx context.Context, r *rig.Rig, sent int) error {
	c, err := r.Replicas[0].Admin()
	if err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		dead, open := int64(0), int64(0)
		for i := range traps {
			var b journal.Balance
			if err := c.Get(limit, "/v1/balance", url.Values{"pipeline": {fmt.Sprint("trap", i)}}, &b); err != nil {
				return fmt.Errorf("ask for the balance: %w", err)
			}
			dead, open = dead+b.Dead, open+b.Open
		}
		if open == 0 {
			if dead != int64(sent) {
				t.broken("%d of %d messages to traps are dead letters", dead, sent)
			}
			return nil
		}
		wait(limit, 200*time.Millisecond)
	}
}
