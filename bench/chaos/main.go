// Command chaos searches for broken promises: it runs real crossdock processes
// under load, breaks what a seed says, and judges from outside whether a message
// was lost, doubled, reordered or forgotten.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"crossdock/bench/chaos/judge"
	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/play"
	"crossdock/bench/chaos/stage"
)

// errBroken says that a promise was broken; the report has told which.
var errBroken = errors.New("a promise was broken")

type flags struct {
	seed               uint64
	runs, replicas     int
	duration           time.Duration
	store, json        string
	replay, keep       string
	kinds              string
	mutant             string
	shrink, mutants, v bool
}

func main() {
	var f flags
	flag.Uint64Var(&f.seed, "seed", 1, "which run")
	flag.IntVar(&f.runs, "runs", 1, "how many runs, with the seeds that follow")
	flag.DurationVar(&f.duration, "duration", 20*time.Second, "how long messages are sent and things break")
	flag.StringVar(&f.store, "store", "", "embedded or redis; by seed unless said")
	flag.IntVar(&f.replicas, "replicas", 0, "how many crossdock processes share one Redis; by seed unless said")
	flag.StringVar(&f.kinds, "faults", "", "only these faults, with commas between; by seed unless said")
	flag.StringVar(&f.json, "json", "", "write the verdicts to this file")
	flag.StringVar(&f.replay, "replay", "", "run the plan in this file instead of a seed's")
	flag.StringVar(&f.keep, "keep", "", "folder where everything of a run that failed is kept; a new one in the temporary folder unless said")
	flag.BoolVar(&f.shrink, "shrink", false, "look for a smaller plan that fails too")
	flag.BoolVar(&f.mutants, "mutants", false, "plant the known mistakes one after the other and see that each is found")
	flag.StringVar(&f.mutant, "mutant", "", "with this mistake planted (M1); with --mutants only these, with commas between")
	flag.BoolVar(&f.v, "v", false, "say what each plan is before it runs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, f)
	stop()
	if err != nil {
		if !errors.Is(err, errBroken) {
			fmt.Fprintln(os.Stderr, "chaos:", err)
		}
		os.Exit(1)
	}
}

// chaos is what all runs of one call share.
type chaos struct {
	flags
	tmp      string
	binaries map[bool]string // tagged or not
	disks    bool
	root     string
}

func command(ctx context.Context, f flags) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "cmd", "crossdock")); err != nil {
		return errors.New("run it from the folder bench of the repository, or with make chaos")
	}
	tmp, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	c := &chaos{flags: f, tmp: tmp, binaries: map[bool]string{}, root: root}
	if err := stage.CanMount(); err != nil {
		fmt.Fprintln(os.Stderr, "note:", err)
	} else {
		c.disks = true
	}
	switch {
	case f.mutants:
		return c.hunt(ctx)
	case f.replay != "":
		p, err := plan.Read(f.replay)
		if err != nil {
			return err
		}
		return c.all(ctx, []plan.Plan{p})
	}
	var plans []plan.Plan
	for n := range f.runs {
		p := plan.Make(f.seed+uint64(n), c.options())
		p.Mutant = f.mutant
		plans = append(plans, p)
	}
	return c.all(ctx, plans)
}

func (c *chaos) options() plan.Options {
	o := plan.Options{Duration: c.duration, Store: c.store, Replicas: c.replicas, Disks: c.disks, Tagged: true}
	for _, k := range strings.FieldsFunc(c.kinds, func(r rune) bool { return r == ',' || r == ' ' }) {
		o.Kinds = append(o.Kinds, plan.Kind(k))
	}
	return o
}

// all runs plans one after the other.
func (c *chaos) all(ctx context.Context, plans []plan.Plan) error {
	var verdicts []*judge.Verdict
	failed := 0
	under := versions(c.root)
	fmt.Println(under)
	for _, p := range plans {
		if c.v {
			for _, f := range p.Faults {
				fmt.Println(" ", f)
			}
		}
		v, err := c.one(ctx, p)
		if v != nil {
			verdicts = append(verdicts, v)
			tell(os.Stdout, v)
		}
		if err != nil && !errors.Is(err, errBroken) {
			return fmt.Errorf("seed %d: %w", p.Seed, err)
		}
		if err == nil {
			continue
		}
		failed++
		if c.shrink {
			if err := c.smaller(ctx, p); err != nil {
				return err
			}
		}
	}
	if c.json != "" {
		if err := writeJSON(c.json, under, verdicts); err != nil {
			return err
		}
	}
	if len(plans) > 1 {
		fmt.Printf("%d runs, %d failed\n", len(plans), failed)
	}
	if failed > 0 {
		return errBroken
	}
	return nil
}

// one runs one plan. It keeps everything of a run that failed and says where.
func (c *chaos) one(ctx context.Context, p plan.Plan) (*judge.Verdict, error) {
	binary, err := c.binary(ctx, p)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(c.tmp, "run-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	v, err := play.Play(ctx, p, dir, binary)
	if err == nil && v.Vacuous == "" && !v.Bad() {
		return v, os.RemoveAll(dir)
	}
	if ctx.Err() == nil && p.Mutant == "" {
		kept, moveErr := c.keepRun(dir, p.Seed)
		fmt.Printf("  kept in %s; again with: go run -mod=mod ./chaos --replay %s\n", kept, filepath.Join(kept, "plan.json"))
		err = errors.Join(err, moveErr)
	}
	if err == nil {
		err = errBroken
	}
	return v, err
}

// parent is the folder of what is kept.
func (c *chaos) parent() (string, error) {
	parent := c.keep
	if parent == "" {
		parent = filepath.Join(os.TempDir(), "chaos-failed")
	}
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("keep the run: %w", err)
	}
	return parent, nil
}

func (c *chaos) keepRun(dir string, seed uint64) (string, error) {
	parent, err := c.parent()
	if err != nil {
		return "", err
	}
	to := filepath.Join(parent, fmt.Sprintf("seed-%d-%s", seed, time.Now().Format("150405")))
	return to, os.Rename(dir, to)
}

// binary builds the command line once, with the planted mistakes where the
// plan needs them.
func (c *chaos) binary(ctx context.Context, p plan.Plan) (string, error) {
	tagged := p.NeedsTag()
	if c.binaries[tagged] == "" {
		out := filepath.Join(c.tmp, fmt.Sprintf("crossdock-%t", tagged))
		if err := stage.Build(ctx, c.root, out, tagged); err != nil {
			return "", err
		}
		c.binaries[tagged] = out
	}
	return c.binaries[tagged], nil
}
