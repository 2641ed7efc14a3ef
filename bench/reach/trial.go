package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"time"

	"crossdock/bench/chaos/stage"
	"crossdock/bench/rig"
)

// measurement is one thing that can be measured.
type measurement struct {
	name, what string
	n          int // how often, or how long, unless it is said; 0 = there is nothing to say
	nWhat      string
	rate       float64 // messages a second, unless it is said
	stores     bool    // the store can be chosen
	run        func(context.Context, *trial) error
	build      func(ctx context.Context, root, binary string) error // nil = as people get it
}

var measurements = []measurement{
	{"reload-storm", "definitions are swapped all the time", 1000, "swaps, a tenth of them invalid", 5000, true, storm, nil},
	{"rolling", "replicas are restarted one after the other", 50, "restarts", 2000, false, rolling, nil},
	{"clocks", "the clocks of replicas disagree, and jump", 30, "jumps", 200, false, clocks, wrongBuild},
	{"trickle", "critical messages beside a backlog", 100_000, "messages in the backlog", 100, true, trickle, nil},
	{"hung", "one target hangs, others do not", 0, "", 600, true, hung, nil},
	{"hostile", "cells that take all they are given, beside others", 0, "", 600, true, hostile, nil},
	{"power-cuts", "the power of the disk of the store is cut", 50, "cuts", 400, true, cuts, nil},
	{"soak", "half of what the machine bears, for long", 60, "minutes", 0, true, soak, nil},
}

// trial is one run of a measurement.
type trial struct {
	measurement
	n      int
	rate   float64
	store  string
	short  bool
	json   string
	binary string

	result Result
}

// Result is what is written down.
type Result struct {
	Name     string         `json:"name"`
	Line     string         `json:"line"`
	Kept     bool           `json:"kept"`
	Broken   []string       `json:"broken,omitempty"`
	Settings map[string]any `json:"settings"`
	Figures  map[string]any `json:"figures"`
	Verdict  *rig.Verdict   `json:"verdict,omitempty"`
	Machine  string         `json:"machine"`
	At       time.Time      `json:"at"`
	Took     string         `json:"took"`
}

func parse(m measurement, args []string) (*trial, error) {
	t := &trial{measurement: m, store: "embedded"}
	f := flag.NewFlagSet(m.name, flag.ContinueOnError)
	if m.n > 0 {
		f.IntVar(&t.n, "n", m.n, m.nWhat)
	}
	if m.rate > 0 {
		f.Float64Var(&t.rate, "rate", m.rate, "messages a second; fewer where the machine cannot bear them")
	}
	if m.stores {
		f.StringVar(&t.store, "store", "embedded", "embedded or redis")
	}
	f.BoolVar(&t.short, "short", false, "less than half a minute, to see that it works; speed is not judged")
	f.StringVar(&t.json, "json", "", "write the result to this file, too")
	f.StringVar(&t.binary, "crossdock", "", "binary to measure instead of one built from here")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 || t.store != "embedded" && t.store != "redis" {
		fmt.Fprintln(os.Stderr, "unknown:", strings.Join(append(f.Args(), t.store), " "))
		f.Usage()
		return nil, flag.ErrHelp
	}
	return t, nil
}

// take builds crossdock, measures, and tells the result.
func (t *trial) take(ctx context.Context) error {
	if t.binary == "" {
		tmp, err := os.MkdirTemp("", "crossdock-reach-")
		if err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
		defer os.RemoveAll(tmp)
		root, err := root()
		if err != nil {
			return err
		}
		t.binary = filepath.Join(tmp, "crossdock")
		if t.build == nil {
			t.build = func(ctx context.Context, root, binary string) error { return stage.Build(ctx, root, binary, false) }
		}
		if err := t.build(ctx, root, t.binary); err != nil {
			return err
		}
	}
	began := time.Now()
	t.result = Result{Name: t.name, At: began.UTC(), Machine: machine(), Settings: map[string]any{"short": t.short}, Figures: map[string]any{}}
	if t.stores {
		t.result.Settings["store"] = t.store
	}
	if err := t.run(ctx, t); err != nil {
		return err
	}
	r := &t.result
	r.Took = time.Since(began).Round(time.Second).String()
	r.Kept = len(r.Broken) == 0
	word := "kept"
	if !r.Kept {
		word = "BROKEN (" + strings.Join(r.Broken, "; ") + ")"
	}
	r.Line = fmt.Sprintf("%s: %s: %s [%s]", t.name, word, r.Line, r.Machine)
	fmt.Println(r.Line)
	if r.Verdict != nil && len(r.Verdict.Failures) > 0 {
		fmt.Fprintln(os.Stderr, " ", strings.Join(r.Verdict.Failures, "\n  "))
	}
	if t.json == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	if err := os.WriteFile(t.json, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// broken notes a promise that was not kept.
func (t *trial) broken(format string, args ...any) {
	t.result.Broken = append(t.result.Broken, fmt.Sprintf(format, args...))
}

// judge waits for the end of all messages and holds it to what was promised.
func (t *trial) judge(ctx context.Context, r *rig.Rig) error {
	v, err := r.Judge(ctx)
	if err != nil {
		return err
	}
	t.result.Verdict = &v
	t.result.Broken = append(t.result.Broken, v.Broken()...)
	return nil
}

// compare holds a time to one of the same run, and tells both.
func (t *trial) compare(what string, now, without time.Duration, reach float64) string {
	ratio := float64(now) / float64(max(1, without))
	key := strings.ReplaceAll(what, " ", "_")
	t.result.Figures[key+"_ms"], t.result.Figures[key+"_without_ms"] = millis(now), millis(without)
	t.result.Figures[key+"_ratio"], t.result.Figures[key+"_reach"] = ratio, reach
	if ratio > reach && !t.short {
		t.broken("%s is %.2f times what it is without, the reach is %.1f", what, ratio, reach)
	}
	return fmt.Sprintf("%s %.1f ms, without %.1f ms: %.2f times (reach %.1f)", what, millis(now), millis(without), ratio, reach)
}

func millis(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond)) / 1e6 }

// pick is the figure of a whole run, or of a short one.
func pick[T any](t *trial, full, short T) T {
	if t.short {
		return short
	}
	return full
}

// headroom is the share of what a machine can bear at most that a load takes:
// beyond it times say more about queues than about what is measured.
const headroom = 0.6

// bearable is the asked rate, or less where the machine does not reach it. It
// fills the path with as much as goes and waits until all of it is delivered.
func (t *trial) bearable(ctx context.Context, r *rig.Rig, o rig.Load, share float64) (float64, error) {
	o.Phase = r.Ledger.Phase("as fast as it goes", false)
	o.Rate, o.Count = 0, 0
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, pick(t, 5*time.Second, time.Second))
	r.Ledger.Send(limited, o)
	cancel()
	if _, err := r.Settle(ctx); err != nil {
		return 0, err
	}
	most := float64(o.Phase.Delivered.Count()) / time.Since(began).Seconds()
	rate := t.rate
	if rate == 0 || rate > most*share {
		rate = most * share
	}
	if rate < 1 {
		return 0, errors.New("nothing comes through")
	}
	o.Phase, o.Rate = r.Ledger.Phase("settling", false), rate // what the burst has left behind is no part of anything
	during(ctx, pick(t, 5*time.Second, 500*time.Millisecond), r, o)
	t.result.Settings["asked_rate"], t.result.Settings["most_rate"], t.result.Settings["rate"] = t.rate, most, rate
	return rate, nil
}

// during sends until d is over.
func during(ctx context.Context, d time.Duration, r *rig.Rig, loads ...rig.Load) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	sendAll(ctx, r, loads...)
}

// root finds the repository around the working folder.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "crossdock", "main.go")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("run it inside a checkout of the repository, or with make")
		}
		dir = up
	}
}

func machine() string {
	load := "unknown"
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(raw), " ")
	}
	return fmt.Sprintf("%d cores, load %s at the start, %s", goruntime.NumCPU(), load, goruntime.Version())
}
