// Package nemesis makes the faults of a plan happen, writes down when, and heals
// everything at the end. A fault counts as fired when it met something: a
// process that ran, a connection that was open, a message that waited.
package nemesis

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"crossdock/bench/chaos/event"
	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/proxy"
	"crossdock/bench/chaos/record"
	"crossdock/bench/chaos/stage"
	"crossdock/bench/chaos/target"
	"crossdock/runtime/mutant"
)

// Nemesis is the faults of one run.
type Nemesis struct {
	Plan    plan.Plan
	Stage   *stage.Stage
	Log     *record.Log
	Stream  event.Stream
	Targets *target.Server
	Orders  *target.Orders

	replicas []sync.Mutex // one fault at a time on the process of a replica
	store    sync.Mutex   // and on the store
	editing  sync.Mutex
	edition  int

	mu    sync.Mutex
	fired map[plan.Kind]int
	errs  []error
}

// Run makes the faults happen at their times and returns when all are over.
func (n *Nemesis) Run(ctx context.Context) {
	n.replicas = make([]sync.Mutex, len(n.Stage.Replicas))
	n.fired = map[plan.Kind]int{}
	var all sync.WaitGroup
	begin := time.Now()
	for _, f := range n.Plan.Faults {
		wait := time.NewTimer(time.Until(begin.Add(time.Duration(f.At) * time.Millisecond)))
		select {
		case <-ctx.Done():
			wait.Stop()
			all.Wait()
			return
		case <-wait.C:
		}
		all.Go(func() {
			fired, err := n.do(ctx, f)
			n.mu.Lock()
			defer n.mu.Unlock()
			if fired {
				n.fired[f.Kind]++
			}
			if err != nil && ctx.Err() == nil {
				n.errs = append(n.errs, fmt.Errorf("%s: %w", f.Kind, err))
			}
		})
	}
	all.Wait()
}

// Fired counts the faults that happened.
func (n *Nemesis) Fired() map[plan.Kind]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.fired)
}

// Errors are faults that could not be made, which is a fault of the set-up.
func (n *Nemesis) Errors() []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.errs)
}

func (n *Nemesis) do(ctx context.Context, f plan.Fault) (bool, error) {
	r := n.Stage.Replicas[f.Who%len(n.Stage.Replicas)]
	switch f.Kind {
	case plan.Kill:
		return n.kill(ctx, f, r)
	case plan.KillAll:
		return n.killAll(ctx, f)
	case plan.CrashPoint:
		return n.crash(ctx, f, r)
	case plan.Stop:
		return n.stop(ctx, f, r)
	case plan.Term, plan.Scale:
		return n.term(ctx, f, r)
	case plan.RedisKill, plan.RedisStop, plan.PowerCut, plan.DiskFull, plan.FailOver:
		return n.storage(ctx, f)
	case plan.NetStore:
		return n.net(ctx, f, r.Number, r.Store, true), nil
	case plan.NetTarget:
		return n.net(ctx, f, r.Number, r.Target, true), nil
	case plan.NetClient:
		return n.net(ctx, f, r.Number, r.Client, false), nil
	case plan.Target:
		before := n.Targets.Hits.Load()
		end := n.Targets.Bad(target.Mood{Kind: f.Arg, Share: f.Level})
		sleep(ctx, f.For)
		met := n.meets(ctx, func() bool { return n.Targets.Hits.Load() > before })
		end()
		return met, nil
	case plan.Reload:
		return n.reload(ctx, int(f.Level))
	case plan.ReloadBad:
		return n.reloadBad(ctx, f)
	case plan.Operator:
		return n.operate(ctx, f)
	case plan.Pause:
		return n.pause(ctx, f)
	}
	return false, fmt.Errorf("there is no fault %q", f.Kind)
}

func sleep(ctx context.Context, ms int) {
	t := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// start brings a replica back, whatever else is broken meanwhile.
func (n *Nemesis) start(ctx context.Context, r *stage.Replica, env ...string) error {
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return r.Start(ready, env...)
}

func (n *Nemesis) kill(ctx context.Context, f plan.Fault, r *stage.Replica) (bool, error) {
	n.replicas[r.Number].Lock()
	defer n.replicas[r.Number].Unlock()
	defer n.Log.Trouble("kill", r.Number, true)()
	fired := r.Kill()
	sleep(ctx, f.For)
	return fired, n.start(ctx, r)
}

func (n *Nemesis) killAll(ctx context.Context, f plan.Fault) (bool, error) {
	for i := range n.replicas {
		n.replicas[i].Lock()
		defer n.replicas[i].Unlock()
	}
	defer n.Log.Trouble("kill", -1, true)()
	fired := false
	for _, r := range n.Stage.Replicas {
		fired = r.Kill() || fired
	}
	sleep(ctx, f.For)
	for _, r := range n.Stage.Replicas {
		if err := n.start(ctx, r); err != nil {
			return fired, err
		}
	}
	return fired, nil
}

// crash starts a replica that will die by itself at a place in its code, or,
// where messages do not come by there in time, at the next place they do.
func (n *Nemesis) crash(ctx context.Context, f plan.Fault, r *stage.Replica) (bool, error) {
	n.replicas[r.Number].Lock()
	defer n.replicas[r.Number].Unlock()
	defer n.Log.Trouble("crash_point", r.Number, true)()
	pick, err := strconv.Atoi(f.Arg)
	if err != nil {
		return false, err
	}
	places := mutant.Places()
	r.Kill()
	if err := r.Launch(fmt.Sprintf("CROSSDOCK_CRASH_AT=%s:%d:3s", places[pick%len(places)], int(f.Level)+1)); err != nil {
		return false, err
	}
	died := n.meets(ctx, func() bool { return !r.Up() })
	r.Kill()
	sleep(ctx, f.For)
	return died, n.start(ctx, r)
}

func (n *Nemesis) stop(ctx context.Context, f plan.Fault, r *stage.Replica) (bool, error) {
	n.replicas[r.Number].Lock()
	defer n.replicas[r.Number].Unlock()
	defer n.Log.Trouble("stop", r.Number, true)()
	fired := r.Stop()
	sleep(ctx, f.For)
	r.Go()
	return fired, nil
}

func (n *Nemesis) term(ctx context.Context, f plan.Fault, r *stage.Replica) (bool, error) {
	n.replicas[r.Number].Lock()
	defer n.replicas[r.Number].Unlock()
	defer n.Log.Trouble("term", r.Number, false)()
	fired := r.Term()
	sleep(ctx, f.For)
	return fired, n.start(ctx, r)
}

// storage is the faults of what the store stands on.
func (n *Nemesis) storage(ctx context.Context, f plan.Fault) (bool, error) {
	n.store.Lock()
	defer n.store.Unlock()
	s := n.Stage
	switch f.Kind {
	case plan.RedisKill:
		defer n.Log.Trouble("redis_kill", -1, true)()
		fired := s.Redis.Kill()
		sleep(ctx, f.For)
		return fired, s.StartRedis()
	case plan.RedisStop:
		defer n.Log.Trouble("redis_stop", -1, true)()
		fired := s.Redis.Stop()
		sleep(ctx, f.For)
		s.Redis.Go()
		return fired, nil
	case plan.DiskFull:
		defer n.Log.Trouble("disk_full", -1, true)()
		heal, err := s.FillDisk()
		if err != nil {
			return false, err
		}
		sleep(ctx, f.For)
		heal()
		return true, nil
	case plan.FailOver:
		defer n.Log.Trouble("fail_over", -1, true)()
		s.CutFollower()
		sleep(ctx, f.For)
		return true, s.FailOver()
	}
	return n.powerCut(ctx, f)
}

func (n *Nemesis) powerCut(ctx context.Context, f plan.Fault) (bool, error) {
	s := n.Stage
	embedded := s.Redis == nil
	if embedded {
		n.replicas[0].Lock()
		defer n.replicas[0].Unlock()
	}
	defer n.Log.Trouble("power_cut", -1, true)()
	if err := s.CutPower(); err != nil {
		return false, err
	}
	sleep(ctx, f.For)
	if embedded {
		return true, n.start(ctx, s.Replicas[0])
	}
	return true, s.StartRedis()
}

func (n *Nemesis) net(ctx context.Context, f plan.Fault, replica int, p *proxy.Proxy, death bool) bool {
	if p == nil {
		return false
	}
	defer n.Log.Trouble(string(f.Kind)+" "+f.Arg, replica, death)()
	before := p.Hits.Load()
	p.Set(proxy.Mode(f.Arg), time.Duration(f.Level)*time.Millisecond)
	if proxy.Mode(f.Arg) == proxy.Reset {
		for range f.For / 100 { // over and over
			sleep(ctx, 100)
			p.Set(proxy.Reset, 0)
		}
	} else {
		sleep(ctx, f.For)
	}
	met := n.meets(ctx, func() bool { return p.Hits.Load() > before })
	p.Set(proxy.Pass, 0)
	return met
}

// meets prolongs a fault that has met nothing yet, because another one was in
// its way, for some seconds.
func (n *Nemesis) meets(ctx context.Context, met func() bool) bool {
	for range 300 {
		if met() || ctx.Err() != nil {
			break
		}
		sleep(ctx, 50)
	}
	return met()
}

// reload writes good edits to all replicas.
func (n *Nemesis) reload(ctx context.Context, times int) (bool, error) {
	for range times {
		if err := n.edit(); err != nil {
			return false, err
		}
		sleep(ctx, 100+rand.IntN(500))
	}
	return true, nil
}

func (n *Nemesis) edit() error {
	n.editing.Lock()
	defer n.editing.Unlock()
	n.edition++
	n.Log.Edited(n.edition)
	return n.write(stage.Mapping(n.edition))
}

func (n *Nemesis) write(text string) error {
	for _, r := range n.Stage.Replicas {
		if err := r.Edit("effect.mapping.yaml", text); err != nil {
			return err
		}
	}
	return nil
}

// reloadBad writes an edit that must not go live, and mends it.
func (n *Nemesis) reloadBad(ctx context.Context, f plan.Fault) (bool, error) {
	n.editing.Lock()
	err := n.write(stage.BrokenMapping(f.At))
	n.editing.Unlock()
	if err != nil {
		return false, err
	}
	sleep(ctx, f.For)
	return true, n.edit()
}

// Heal ends everything that may still be broken and waits until all replicas
// are ready and work.
func (n *Nemesis) Heal(ctx context.Context) error {
	n.store.Lock()
	defer n.store.Unlock()
	if r := n.Stage.Redis; r != nil {
		r.Go()
		if err := n.Stage.StartRedis(); err != nil {
			return err
		}
	}
	if err := n.edit(); err != nil {
		return err
	}
	for i, r := range n.Stage.Replicas {
		for _, p := range []*proxy.Proxy{r.Client, r.Target, r.Store} {
			if p != nil {
				p.Set(proxy.Pass, 0)
			}
		}
		n.replicas[i].Lock()
		r.Go()
		err := n.start(ctx, r)
		n.replicas[i].Unlock()
		if err != nil {
			return err
		}
	}
	return n.resumeAll(ctx)
}
