package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"crossdock/bench/report"
	"crossdock/bench/rig"
)

// sample is what a process and its store hold at a moment.
type sample struct {
	At time.Duration `json:"at_ns"`
	rig.Vitals
	Store     int64 `json:"store"` // bytes on the disk
	Open      int64 `json:"open"`
	Delivered int64 `json:"delivered"`
}

// vital is one figure that has to stay flat. Between the second and the last
// quarter of a run a leak passes half of what it adds in the whole run. With a
// fifth allowed it is found once it adds half of what the process holds anyway;
// caches that fill and the times of collections stay below. Counts may also
// differ by some that come and go.
type vital struct {
	name  string
	of    func(sample) int64
	unit  int64
	times float64
	some  int64
}

var vitals = []vital{
	{"heap after a collection, MB", func(s sample) int64 { return s.Heap }, 1e6, 1.2, 8e6},
	{"resident memory, MB", func(s sample) int64 { return s.RSS }, 1e6, 1.2, 8e6},
	{"goroutines", func(s sample) int64 { return s.Goroutines }, 1, 1.2, 20},
	{"descriptors", func(s sample) int64 { return s.Files }, 1, 1.2, 20},
	{"open messages", func(s sample) int64 { return s.Open }, 1, 2, 500},
	{"store, MB", func(s sample) int64 { return s.Store }, 1e6, 1.5, 200e6},
}

// soak sends half of what the machine bears for a long time and looks whether
// anything grows. What is remembered is forgotten after five minutes, so that the
// store has to stay as it is, too.
func soak(ctx context.Context, t *trial) error {
	defs := rig.Workspace()
	defs["crossdock.yaml"] += "  short: {retry: {attempts: 20, wait: 100ms, max_wait: 2s}, remember: 5m, dead_letter: {keep: 2m}}\n"
	define(defs, "shop", "concurrency: 64, timeout: 10s", map[string]string{"orders": "short"})
	r, err := rig.Open(ctx, rig.Options{Binary: t.binary, Store: t.store, Definitions: defs, Args: []string{"--no-watch", "--history", "5m"}})
	if err != nil {
		return err
	}
	defer r.Close()
	o := rig.Load{Path: "/in/orders", Connections: 64, Keys: 2000, Size: 300, To: rig.To(r.Replicas[0].HTTP)}
	if o.Rate, err = t.bearable(ctx, r, o, 0.5); err != nil {
		return err
	}
	lasts := pick(t, time.Duration(t.n)*time.Minute, 8*time.Second)
	phase := r.Ledger.Phase("soak", false)
	o.Phase = phase
	loading, end := context.WithTimeout(ctx, lasts)
	defer end()
	var all sync.WaitGroup
	all.Go(func() { r.Ledger.Send(loading, o) })
	samples, err := look(loading, r, phase, max(lasts/120, 500*time.Millisecond))
	reached := phase.Rate()
	end()
	all.Wait()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	if err := t.judge(ctx, r); err != nil {
		return err
	}
	t.result.Settings["lasts_s"] = lasts.Seconds()
	t.result.Figures["reached_rate"], t.result.Figures["samples"] = reached, samples
	t.result.Figures["intake_p99_ms"] = millis(phase.Intake.Quantile(0.99))
	if len(samples) < 8 {
		t.broken("only %d samples: the run proves nothing", len(samples))
		return nil
	}
	grown := t.flat(samples)
	t.result.Line = fmt.Sprintf("%s store, %s at %.0f msg/s (half of %.0f): %s; flat: %s", t.store, lasts, reached,
		t.result.Settings["most_rate"], t.result.Verdict, word(grown))
	return nil
}

func word(grown int) string {
	if grown == 0 {
		return "yes"
	}
	return fmt.Sprintf("%d figures are not", grown)
}

// look takes samples until ctx ends.
func look(ctx context.Context, r *rig.Rig, phase *rig.Phase, every time.Duration) ([]sample, error) {
	var out []sample
	tick := time.NewTicker(every)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return out, nil
		case <-tick.C:
		}
		s := sample{At: time.Since(began), Delivered: phase.Delivered.Count()}
		var err error
		if s.Vitals, err = r.Replicas[0].Vitals(ctx); err == nil {
			s.Store, err = r.StoreSize()
		}
		if err == nil {
			b, balanceErr := r.Balance(ctx)
			s.Open, err = b.Open, balanceErr
		}
		switch {
		case ctx.Err() != nil:
			return out, nil // the end came in the middle of it
		case err != nil:
			return out, err
		}
		out = append(out, s)
	}
}

// flat prints a table and compares the second quarter with the last one. It
// returns how many figures have grown.
func (t *trial) flat(samples []sample) (grown int) {
	n := len(samples)
	second, last := samples[n/4:n/2], samples[n*3/4:]
	fmt.Printf("%-30s %12s %12s %8s  %s\n", "median of", "2nd quarter", "last", "times", "at most")
	for _, v := range vitals {
		was, is := median(second, v.of), median(last, v.of)
		ratio := float64(is) / float64(max(1, was))
		verdict := ""
		if ratio > v.times && is-was > v.some {
			grown++
			verdict = "  GREW"
			if !t.short {
				t.broken("%s: %d, before %d", v.name, is/v.unit, was/v.unit)
			}
		}
		fmt.Printf("%-30s %12d %12d %8.2f  %.1f, or %d more%s\n", v.name, was/v.unit, is/v.unit, ratio, v.times, v.some/v.unit, verdict)
		t.result.Figures[v.name] = map[string]any{"second_quarter": was, "last_quarter": is, "ratio": ratio, "at_most": v.times, "or_more": v.some}
	}
	return grown
}

func median(list []sample, of func(sample) int64) int64 {
	var v []int64
	for _, s := range list {
		v = append(v, of(s))
	}
	return report.Median(v)
}
