package jq_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/dsl/dsltest"
	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/child"
)

// TestMain makes this test binary a child where it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == child.Word {
		os.Exit(child.Main())
	}
	os.Exit(m.Run())
}

// counted is a place that counts what runs there, and what it would rather not.
type counted struct {
	jq.Sandbox
	runs, refused atomic.Int64
}

func (c *counted) Run(ctx context.Context, call jq.Call) ([]any, error) {
	c.runs.Add(1)
	values, err := c.Sandbox.Run(ctx, call)
	if errors.Is(err, jq.ErrHere) {
		c.refused.Add(1)
	}
	return values, err
}

// always is a child for every run, and this process where the child cannot do it.
type always struct{ *counted }

func (a always) Run(ctx context.Context, c jq.Call) ([]any, error) {
	values, err := a.counted.Run(ctx, c)
	if !errors.Is(err, jq.ErrHere) {
		return values, err
	}
	p, problems := jq.Compile(c.Source, jq.Options{Vars: c.Vars, Unsafe: c.Unsafe, Lookup: c.Lookup})
	if p == nil {
		return nil, errors.New(problems[0].Error())
	}
	f := &jq.Frame{Ctx: ctx, Vars: c.Values, Time: c.Time, Outputs: c.Outputs, Bytes: c.Bytes}
	if !c.One {
		return p.Run(f, c.In)
	}
	v, ok, err := p.One(f, c.In)
	if err != nil || !ok {
		return nil, err
	}
	return []any{v}, nil
}

func children(t *testing.T) *counted {
	t.Helper()
	pool := child.New(child.Options{})
	t.Cleanup(pool.Close)
	return &counted{Sandbox: pool}
}

// TestChildAgrees runs random cells, the examples of the docs and every kind of
// error in this process and in a child: same values of the same kinds, same
// errors.
func TestChildAgrees(t *testing.T) {
	dsltest.Unraced(t, "runs one cell after the other")
	place := children(t)
	agreeAll(t, always{place})
	runs, refused := place.runs.Load(), place.refused.Load()
	t.Logf("%d runs, %d of them came back", runs, refused)
	if refused*20 > runs {
		t.Errorf("%d of %d runs came back: nothing is compared", refused, runs)
	}
}

// TestGoesOnAside: a cell runs in this process until it meets a limit. From then
// on only what is small runs here; what is large gives the same in a child, and
// also where the child hands it back.
func TestGoesOnAside(t *testing.T) {
	for _, c := range []struct{ name, src string }{
		{"one value", `reduce range(.n) as $i (0; . + $i * $v)`},
		{"a list", `[range(.n) | . * $v] | length`},
		{"several values", `range(2), last(range(.n)) * $v`},
		{"interpreted", `def f: . * $v; [range(.n) | f] | length`},
		{"a table", `.n as $n | "02" | lookup("service-levels") as $s | [range($n) | [$s]] | length`},
	} {
		t.Run(c.name, func(t *testing.T) {
			place := children(t)
			opt := jq.Tables("v")
			opt.Unsafe = true
			p, problems := jq.Compile(c.src, opt)
			if p == nil {
				t.Fatal(problems)
			}
			run := func(f *jq.Frame, n int) ([]any, error) {
				f.Vars = []any{2}
				return p.Run(f, map[string]any{"n": n})
			}
			if _, err := run(&jq.Frame{Aside: place, Time: time.Millisecond}, 10_000_000); !errors.Is(err, jq.ErrTime) {
				t.Fatalf("it meets no limit: %v", err)
			}
			if n := place.runs.Load(); n != 0 {
				t.Errorf("%d runs elsewhere before it has met one", n)
			}
			for _, n := range []int{3, 100_000} {
				want, err := run(&jq.Frame{}, n)
				if err != nil {
					t.Fatal(err)
				}
				got, err := run(&jq.Frame{Aside: place, Time: 10 * time.Second}, n)
				if err != nil || kinds(got) != kinds(want) {
					t.Errorf("%d: gives %s %v, want %s", n, kinds(got), err, kinds(want))
				}
				again, err := run(&jq.Frame{Aside: refuses{}, Time: 10 * time.Second}, n)
				if err != nil || kinds(again) != kinds(want) {
					t.Errorf("%d: gives %s %v when it comes back, want %s", n, kinds(again), err, kinds(want))
				}
				if runs := place.runs.Load(); (n == 3) != (runs == 0) {
					t.Errorf("%d: %d runs elsewhere", n, runs)
				}
			}
			if _, err := run(&jq.Frame{Aside: place, Time: 10 * time.Millisecond}, 100_000_000); !errors.Is(err, jq.ErrTime) || err.Error() != "takes longer than 10ms" {
				t.Errorf("ends with %v", err)
			}
		})
	}
}

// refuses hands everything back.
type refuses struct{}

func (refuses) Run(context.Context, jq.Call) ([]any, error) { return nil, jq.ErrHere }

const asideEnv = "CROSSDOCK_HOSTILE_ASIDE"

// TestChildHoldsHostileCells runs half of the hostile cells at once, as if each had
// met a limit before, without any of the checks that refuse them before: the
// process itself takes little meanwhile, and its child stays within 256 MiB.
func TestChildHoldsHostileCells(t *testing.T) {
	if which := os.Getenv(asideEnv); which != "" {
		hostileAside(t, which == "all")
		return
	}
	if testing.Short() {
		t.Skip("takes minutes")
	}
	dsltest.Unraced(t, "time and memory count")
	peaks := func(which string) (own, child int) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChildHoldsHostileCells$", "-test.v", "-test.timeout=10m")
		cmd.Env = append(os.Environ(), asideEnv+"="+which)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("the process: %v\n%s", err, out)
		}
		_, rest, _ := strings.Cut(string(out), "PEAKS ")
		if _, err := fmt.Sscan(rest, &own, &child); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Logf("%s", out)
		return own >> 10, child >> 10
	}
	base, _ := peaks("none")
	own, aside := peaks("all")
	t.Logf("%d MiB over a bare process, and %d MiB in a child", own-base, aside)
	if own-base > 128 || aside > 256 {
		t.Errorf("%d MiB over a bare process, and %d MiB in a child", own-base, aside)
	}
}

// hostileAside is that process.
func hostileAside(t *testing.T, all bool) {
	place := children(t)
	var running sync.WaitGroup
	var mu sync.Mutex
	ends, peak := map[string]int{}, 0
	sources, inputs := jq.Hostile(t)
	ran := 0
	for i, src := range sources {
		p, _ := jq.Compile(src, jq.Options{Unsafe: true})
		if p == nil || !all || i%2 == 0 { // one child does one after the other
			continue
		}
		in := inputs[i]()
		if text, ok := in.(string); ok && len(text) >= 1<<20 {
			continue // large messages are counted with what is in flight
		}
		jq.Met(p)
		ran++
		running.Go(func() {
			_, err := p.Run(&jq.Frame{Aside: place}, in)
			how := "by itself"
			var limit *jq.LimitError
			switch {
			case errors.As(err, &limit):
				how = limit.Limit.Error()
			case err != nil:
				how = "failed"
			}
			mu.Lock()
			defer mu.Unlock()
			ends[how]++
			peak = max(peak, childPeak(t))
		})
	}
	running.Wait()
	if runs := place.runs.Load(); all && runs < 20 {
		t.Errorf("only %d went to a child", runs)
	}
	fmt.Printf("%d at once ended: %v; %d in a child, %d came back\nPEAKS %d %d\n", ran, ends, place.runs.Load(), place.refused.Load(), peakOf(t, "self"), peak)
}

// childPeak is the most that a child of this process has taken that is alive, in
// KiB.
func childPeak(t *testing.T) (most int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(raw), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid())) {
			most = max(most, peakOf(t, filepath.Base(filepath.Dir(f))))
		}
	}
	return most
}

// peakOf is the most that a process has taken, in KiB; 0 where it has ended.
func peakOf(t *testing.T, pid string) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(raw), "VmHWM:")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Error(err)
	}
	return n
}
