package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/play"
	"crossdock/bench/chaos/stage"
	"crossdock/bench/rig"
)

// cuts cuts the power of the disk of the store again and again under load. It is
// a run of the search for faults with no other fault in it.
func cuts(ctx context.Context, t *trial) error {
	if err := stage.CanMount(); err != nil {
		return fmt.Errorf("%w: %w", errSkip, err)
	}
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		return fmt.Errorf("%w: no mkfs.ext4 here", errSkip)
	}
	if _, err := exec.LookPath("redis-server"); t.store == "redis" && err != nil {
		return fmt.Errorf("%w: no redis-server here", errSkip)
	}
	p := cutPlan(t.store, pick(t, t.n, 3), t.rate)
	dir, err := os.MkdirTemp("", "crossdock-reach-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	v, err := play.Play(ctx, p, dir, t.binary)
	if err != nil {
		return errors.Join(fmt.Errorf("see %s: %w", dir, err), ctx.Err())
	}
	t.result.Settings["cuts"], t.result.Settings["rate"], t.result.Settings["sync"] = len(p.Faults), p.Rate, p.Sync
	fired := v.Fired[plan.PowerCut]
	if fired != len(p.Faults) {
		t.broken("%d of %d cuts happened", fired, len(p.Faults))
	}
	if v.Vacuous != "" {
		t.broken("the run proves nothing: %s", v.Vacuous)
	}
	for word, n := range v.Counts {
		t.broken("%s %d", word, n)
	}
	for _, e := range v.Examples {
		fmt.Fprintf(os.Stderr, "  %s %s: %s\n", e.Word, e.ID, e.What)
	}
	t.result.Figures["acknowledged"], t.result.Figures["lost"], t.result.Figures["stores_opened"] = v.OK, v.Counts["lost"], fired
	t.result.Figures["repeated_deliveries"], t.result.Figures["recovery_ms"] = v.DupSeen, v.Recovery.Milliseconds()
	t.result.Verdict = &rig.Verdict{Counts: rig.Counts{Sent: int64(v.Sent), Acked: int64(v.OK), Lost: int64(v.Counts["lost"]), Reordered: int64(v.Counts["reordered"]), Strange: int64(v.Counts["phantom"])},
		Open: v.Ledger.Open, Dead: v.Ledger.Dead, Unaccounted: v.Ledger.Unaccounted}
	t.result.Line = fmt.Sprintf("%s store, %s, %d power cuts, the store opened after each: %d sent, %d acknowledged, %d lost, %d effects twice, %d reordered; %d deliveries repeated, as cuts may; all done %s after the last",
		t.store, p.Sync, fired, v.Sent, v.OK, v.Counts["lost"], v.Counts["dup_effects"], v.Counts["reordered"], v.DupSeen, v.Recovery.Round(time.Second/10))
	if len(t.result.Broken) > 0 {
		t.result.Line += "; everything is kept in " + dir
		return nil
	}
	return os.RemoveAll(dir)
}

// cutPlan is n power cuts, some seconds apart.
func cutPlan(store string, n int, rate float64) plan.Plan {
	const apart = 3000
	p := plan.Plan{Seed: 1, Duration: (n + 1) * apart, Store: store, Sync: "fsync", Disk: "loop", Replicas: 1, Senders: 16, Rate: int(rate), Keys: 20, Zipf: 1,
		Payload: 200, Lease: 4000, Concurrent: 16, Kinds: []plan.Kind{plan.PowerCut}}
	if store == "redis" {
		p.Sync, p.Replicas = "always", 2
	}
	for i := range n {
		// Not in step with anything that happens each second.
		p.Faults = append(p.Faults, plan.Fault{At: apart/2 + i*apart + i*37%500, For: i * 53 % 400, Kind: plan.PowerCut})
	}
	return p
}
