package simulate

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	seed   = flag.Uint64("seed", 0, "run this seed alone; then look for the smallest plan that fails")
	first  = flag.Uint64("first", 1, "the first of many seeds")
	number = flag.Int("seeds", 40, "how many seeds to run")
	still  = flag.Duration("still", 2*time.Minute, "real time after which a run is taken for one that stands still")
	chatty = flag.Bool("log", false, "print the log of the replicas of a seed that fails")
)

// patience is how long after the end of all faults everything has to be done:
// leases that ran out, probes of breakers, pauses asked for, a maintenance window.
const patience = 5 * time.Minute

// run plays one plan and returns the promises it broke.
func run(t *testing.T, p plan) (w *world) {
	watch := time.AfterFunc(*still, func() { panic("the clock stands still: " + p.String()) })
	defer watch.Stop()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(t, p)
		if err := writeAll(w.dir); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() { _ = w.targets.server.Serve(w.targets.on) }() // ends when it is closed
		for no := range p.Replicas {
			w.hosts = append(w.hosts, &host{w: w, no: no, turn: make(chan struct{}, 1)})
		}
		for _, h := range w.hosts {
			h.again(ctx)
		}
		var people sync.WaitGroup
		for _, f := range flows {
			for k := range p.Keys {
				people.Go(func() { w.send(ctx, f, fmt.Sprintf("k%d", k)) })
			}
		}
		for k := range p.Keys {
			people.Go(func() { w.feed(ctx, fmt.Sprintf("k%d", k)) })
		}
		people.Go(func() { w.nemesis(ctx, &people) })
		w.sleep(ctx, p.Length)
		w.heal()
		people.Wait()
		w.deaths.Wait()
		for _, h := range w.hosts {
			h.again(ctx)
		}
		settled := w.now()
		for w.open() != "" && w.now() < settled+patience {
			w.release(ctx)
			w.sleep(ctx, 500*time.Millisecond)
		}
		if open := w.open(); open != "" {
			w.broken("stuck", "", "%s", open)
		}
		for _, h := range w.hosts {
			h.stop()
		}
		w.targets.server.Close()
		w.targets.under.Wait()
		w.judge()
	})
	return w
}

// TestSimulation plays many plans. A seed that breaks a promise prints how to
// run it again.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		replay(t, newPlan(*seed))
		return
	}
	var mu sync.Mutex
	fired, runs, events := map[kind]int{}, 0, 0
	t.Run("seeds", func(t *testing.T) {
		for n := range uint64(*number) {
			t.Run(fmt.Sprint(*first+n), func(t *testing.T) {
				t.Parallel()
				p := newPlan(*first + n)
				w := run(t, p)
				mu.Lock()
				defer mu.Unlock()
				for k, n := range w.fired {
					fired[k] += n
				}
				runs++
				events += len(w.events)
				if len(w.faults) > 0 {
					t.Errorf("%s\nagain: go test ./runtime/simulate -run TestSimulation -seed %d", report(w), p.Seed)
				}
			})
		}
	})
	for _, k := range kinds {
		if *number >= 300 && fired[k] == 0 {
			t.Errorf("the fault %s never happened", k)
		}
	}
	t.Logf("%d seeds, %d messages; faults: %v", runs, events, fired)
}

// report is what went wrong.
func report(w *world) string {
	list := w.faults
	if len(list) > 12 {
		list = append(slices.Clone(list[:12]), fmt.Sprintf("and %d more", len(w.faults)-12))
	}
	return w.plan.String() + "\n  " + strings.Join(list, "\n  ")
}

// replay runs one plan, and looks for the fewest faults that break a promise.
// Goroutines are not scheduled by the seed, so each plan has three tries.
func replay(t *testing.T, p plan) {
	var worst *world
	bad := func(p plan) bool {
		for range 3 {
			if w := run(t, p); len(w.faults) > 0 {
				worst = w
				return true
			}
		}
		return false
	}
	if !bad(p) {
		t.Logf("no promise is broken by %s", p)
		return
	}
	t.Log(report(worst))
	smaller(p, bad)
	if *chatty {
		for _, h := range worst.hosts {
			fmt.Fprintln(os.Stderr, h.log.String())
		}
		for _, a := range worst.targets.seen {
			fmt.Fprintf(os.Stderr, "%+v\n", *a)
		}
	}
	t.Errorf("the smallest plan:\n%s", report(worst))
}
