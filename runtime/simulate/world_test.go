package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

// world is one run: everything inside a bubble.
type world struct {
	t       *testing.T
	plan    plan
	begin   time.Time
	dir     string
	driver  queue.Driver // the store itself, which does not fail
	targets *targets
	hosts   []*host
	deaths  sync.WaitGroup // at calls
	planned map[kind][]*fault

	mu       sync.Mutex
	random   *rand.Rand
	healed   bool
	fired    map[kind]int
	troubles []time.Duration // when work was taken from its holder
	crashes  int             // how much of it
	editions []time.Duration // since when an edition can be at work
	events   []*event
	orders   []order
	faults   []string // broken promises
}

func newWorld(t *testing.T, p plan) *world {
	w := &world{t: t, plan: p, begin: time.Now(), dir: t.TempDir(), driver: memory.Open(memory.Options{}),
		random: rand.New(rand.NewPCG(p.Seed, 2)), fired: map[kind]int{}, planned: map[kind][]*fault{}, editions: []time.Duration{0}}
	for i, f := range p.Faults {
		w.planned[f.Kind] = append(w.planned[f.Kind], &p.Faults[i])
	}
	w.targets = newTargets(w)
	return w
}

func (w *world) now() time.Duration { return time.Since(w.begin) }

// broken notes a promise that was not kept.
func (w *world) broken(word, id, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, fmt.Sprintf("%s %s: %s", word, id, fmt.Sprintf(format, args...)))
}

// jitter is a random part of d. Every pause has a length of its own, and so
// things happen in an order that follows from the seed.
func (w *world) jitter(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.random.Int64N(int64(d)))
}

func (w *world) intn(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(n)
}

// sleep passes time in the bubble.
func (w *world) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// moment is a pause that is too short to be cut off.
func (w *world) moment(d time.Duration) { time.Sleep(w.jitter(d)) }

// ways is how many things there are that a fault of this kind may befall.
func (w *world) ways(k kind) int {
	switch k {
	case storeBefore, storeAfter, storeSlow, storeStall, killBefore, killAfter, killCall, kill, stop:
		return w.plan.Replicas
	case netRefuse, netReset, netCut, netHalf, netHang, netMute, netSlow, target5xx, target429:
		return 2
	}
	return 1
}

// active returns how long a fault that befalls no goes on, 0 = there is none.
func (w *world) active(k kind, no int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.find(k, no); f != nil {
		w.fired[k]++
		return f.At + f.For - w.now()
	}
	return 0
}

func (w *world) find(k kind, no int) *fault {
	if w.healed || len(w.planned[k]) == 0 {
		return nil
	}
	now := w.now()
	i := slices.IndexFunc(w.planned[k], func(f *fault) bool {
		return f.At <= now && now < f.At+f.For && f.On%w.ways(k) == no%w.ways(k)
	})
	if i < 0 {
		return nil
	}
	return w.planned[k][i]
}

// hit decides whether a call meets a fault.
func (w *world) hit(k kind, no int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.find(k, no)
	if f == nil || w.random.Float64() > f.Rate {
		return false
	}
	w.fired[k]++
	return true
}

func (w *world) count(k kind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fired[k]++
}

// trouble notes that work was, or will be, taken from its holder.
func (w *world) trouble(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.troubles = append(w.troubles, w.now())
	w.crashes += n
}

// heal ends all faults.
func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.healed = true
}
