package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"crossdock/bench/chaos/judge"
	"crossdock/bench/chaos/plan"
	"crossdock/runtime/mutant"
)

// mostRuns is how many schedules a mutant may survive.
const mostRuns = 20

// hunted says which faults bring a planted mistake to light.
type hunted struct {
	id       mutant.ID
	mistake  string
	store    string // "" = by seed
	replicas int
	kinds    []plan.Kind
	change   func(*plan.Plan)
}

// prey is every mutant. The mistakes of other designs that ours has no room for
// are replaced by the nearest one; the words say what is planted here.
var prey = []hunted{
	{id: mutant.M1, mistake: "2xx before the commit", store: "redis", kinds: []plan.Kind{plan.RedisKill, plan.RedisStop, plan.Kill}},
	{id: mutant.M2, mistake: "done before the effect", kinds: []plan.Kind{plan.Kill, plan.Target}},
	{id: mutant.M3, mistake: "key remembered in a write before the message", kinds: []plan.Kind{plan.Kill, plan.CrashPoint}, change: dieAt(mutant.AfterAccept)},
	{id: mutant.M4, mistake: "epoch not checked", store: "redis", replicas: 2, kinds: []plan.Kind{plan.Stop, plan.Target}, change: beyondLease},
	{id: mutant.M5, mistake: "a new idempotency key per attempt", kinds: []plan.Kind{plan.Target}},
	{id: mutant.M6, mistake: "order_by puts nobody in line", kinds: []plan.Kind{plan.Target, plan.Kill}},
	{id: mutant.M7, mistake: "a failed message goes to the tail", kinds: []plan.Kind{plan.Target}},
	{id: mutant.M8, mistake: "durability process under a power cut", store: "embedded", kinds: []plan.Kind{plan.PowerCut}, change: func(p *plan.Plan) { p.Sync = "process" }},
	{id: mutant.M9, mistake: "WAIT on another connection", store: "redis", kinds: []plan.Kind{plan.FailOver}},
	{id: mutant.M10, mistake: "a dead letter leaves the store and comes back", kinds: []plan.Kind{plan.CrashPoint, plan.Kill}, change: dieAt(mutant.AfterEnd)},
	{id: mutant.M11, mistake: "what waits behind a key is trimmed to eight", store: "redis", kinds: []plan.Kind{plan.Target, plan.RedisStop}},
	{id: mutant.M12, mistake: "no webhooks while a reload builds", kinds: []plan.Kind{plan.Reload}},
	{id: mutant.M13, mistake: "keys remembered for a second", kinds: []plan.Kind{plan.Target}},
	{id: mutant.M14, mistake: "pauses between attempts in memory only", kinds: []plan.Kind{plan.Kill, plan.Target}},
	{id: mutant.M15, mistake: "leases not noted where the sweep looks", store: "redis", replicas: 2, kinds: []plan.Kind{plan.Kill, plan.Target}},
	{id: mutant.M16, mistake: "a failure repeats the effects before it", kinds: []plan.Kind{plan.Target}},
	{id: mutant.M17, mistake: "the call is repeated within an attempt", kinds: []plan.Kind{plan.Target}},
}

// dieAt makes crash points hit one place, early.
func dieAt(place mutant.Place) func(*plan.Plan) {
	n := slices.Index(mutant.Places(), place)
	return func(p *plan.Plan) {
		for i := range p.Faults {
			if p.Faults[i].Kind == plan.CrashPoint {
				p.Faults[i].Arg, p.Faults[i].Level = fmt.Sprint(n), float64(int(p.Faults[i].Level)%20)
			}
		}
	}
}

// beyondLease makes every stop longer than a lease.
func beyondLease(p *plan.Plan) {
	for i := range p.Faults {
		if p.Faults[i].Kind == plan.Stop {
			p.Faults[i].For = p.Lease + 1500
		}
	}
}

// hunt plants each mistake and counts the schedules until it is found.
func (c *chaos) hunt(ctx context.Context) error {
	only := strings.FieldsFunc(c.mutant, func(r rune) bool { return r == ',' || r == ' ' })
	survived := 0
	fmt.Printf("%-5s %-50s %-10s %s\n", "", "MISTAKE", "FOUND BY", "AS")
	for _, h := range prey {
		if len(only) > 0 && !slices.Contains(only, string(h.id)) {
			continue
		}
		if slices.Contains(h.kinds, plan.PowerCut) && !c.disks {
			fmt.Printf("%-5s %-50s skipped: no power cuts on this machine\n", h.id, h.mistake)
			continue
		}
		run, words, err := c.find(ctx, h)
		if err != nil {
			return err
		}
		found := fmt.Sprintf("run %d", run)
		if run == 0 {
			found = "NOBODY"
			survived++
		}
		fmt.Printf("%-5s %-50s %-10s %s\n", h.id, h.mistake, found, words)
	}
	if survived > 0 {
		fmt.Printf("%d mistakes were not found\n", survived)
		return errBroken
	}
	return nil
}

// find returns the number of the run that found a mutant, 0 = none.
func (c *chaos) find(ctx context.Context, h hunted) (int, string, error) {
	for n := range mostRuns {
		o := plan.Options{Duration: min(c.duration, 12*time.Second), Store: h.store, Replicas: h.replicas, Kinds: h.kinds, Disks: c.disks, Tagged: true}
		p := plan.Make(c.seed+uint64(n), o)
		p.Mutant = string(h.id)
		if h.change != nil {
			h.change(&p)
		}
		if _, err := c.binary(ctx, p); err != nil {
			return 0, "", err
		}
		v, err := c.one(ctx, p)
		if ctx.Err() != nil {
			return 0, "", ctx.Err()
		}
		if err != nil && !errors.Is(err, errBroken) {
			return n + 1, "the run broke: " + err.Error(), nil // as when the store cannot be opened any more
		}
		if c.v {
			tell(os.Stdout, v)
		}
		if v.Bad() {
			return n + 1, words(v), nil
		}
	}
	return 0, "", nil
}

// words names the promises that were broken.
func words(v *judge.Verdict) string {
	var out []string
	for _, w := range judge.Words {
		if n := v.Counts[w]; n > 0 {
			out = append(out, fmt.Sprintf("%s %d", w, n))
		}
	}
	return strings.Join(out, ", ")
}
