// Package plan is what happens in one run: the set-up and the faults with
// their times. It follows from the seed, and can be written down, read again
// and made smaller.
package plan

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"
)

// Kind names a fault.
type Kind string

// The faults.
const (
	Kill       Kind = "kill"        // kill -9 of a replica; it is started again after For
	KillAll    Kind = "kill_all"    // of all replicas at once
	CrashPoint Kind = "crash_point" // a replica dies at a named place in its code
	Stop       Kind = "stop"        // SIGSTOP of a replica for For
	Term       Kind = "term"        // SIGTERM of a replica, then a start: a rolling restart
	Scale      Kind = "scale"       // a replica leaves for For
	RedisKill  Kind = "redis_kill"  // kill -9 of Redis; it is started again after For
	RedisStop  Kind = "redis_stop"  // SIGSTOP of Redis for For
	NetStore   Kind = "net_store"   // replica to Redis: Arg says what
	NetTarget  Kind = "net_target"  // replica to targets: Arg says what
	NetClient  Kind = "net_client"  // sender to replica: Arg says what
	Target     Kind = "target"      // targets misbehave: Arg says how, Level how often
	Reload     Kind = "reload"      // a good edit of the definitions, several times
	ReloadBad  Kind = "reload_bad"  // a faulty edit, mended after For
	Operator   Kind = "operator"    // dead letters are replayed, edited, discarded
	Pause      Kind = "pause"       // an operator pauses the pipeline Arg for For
	DiskFull   Kind = "disk_full"   // the disk of the store has no room for For
	PowerCut   Kind = "power_cut"   // the disk of the store stops in the middle, then a start
	FailOver   Kind = "fail_over"   // the master of Redis is cut off and its replica promoted
)

// Fault is one fault. Times are milliseconds after the start of the load.
type Fault struct {
	At    int     `json:"at_ms"`
	For   int     `json:"for_ms,omitempty"`
	Kind  Kind    `json:"kind"`
	Who   int     `json:"who,omitempty"` // which replica
	Arg   string  `json:"arg,omitempty"`
	Level float64 `json:"level,omitempty"`
}

// String tells the fault in one line.
func (f Fault) String() string {
	return fmt.Sprintf("%6dms %s %s replica %d for %dms level %.2f", f.At, f.Kind, f.Arg, f.Who, f.For, f.Level)
}

// Plan is one run.
type Plan struct {
	Seed       uint64  `json:"seed"`
	Duration   int     `json:"duration_ms"` // of the load
	Store      string  `json:"store"`       // embedded or redis
	Sync       string  `json:"sync"`        // embedded: fsync, process; redis: always, everysec
	Followers  int     `json:"followers"`   // redis: replicas of Redis that confirm each write
	Disk       string  `json:"disk"`        // of the store: plain, small (tmpfs) or loop (ext4)
	Replicas   int     `json:"replicas"`
	Senders    int     `json:"senders"`
	Rate       int     `json:"rate"` // messages a second
	Keys       int     `json:"keys"` // per pipeline
	Zipf       float64 `json:"zipf"`
	Payload    int     `json:"payload"` // bytes
	Lease      int     `json:"lease_ms"`
	Concurrent int     `json:"concurrent"` // calls to the target at a time
	Breaker    bool    `json:"breaker"`    // a target that fails often is left alone for a second
	Quota      int     `json:"quota"`      // calls to the target a second, 0 = any
	Mutant     string  `json:"mutant,omitempty"`
	Kinds      []Kind  `json:"kinds"`
	Faults     []Fault `json:"faults"`
}

// Options narrow what a seed may choose.
type Options struct {
	Duration time.Duration
	Store    string // "" = by seed
	Replicas int    // 0 = by seed
	Kinds    []Kind // nil = by seed
	Disks    bool   // loop devices and tmpfs can be mounted
	Tagged   bool   // places to die can be chosen
}

// menu is the weight of each fault and how long it lasts.
type dish struct {
	kind     Kind
	weight   int
	min, max int // ms
}

var menu = []dish{
	{Kill, 10, 0, 2500}, {KillAll, 3, 0, 1500}, {CrashPoint, 6, 0, 500}, {Stop, 8, 100, 7000}, {Term, 4, 0, 500}, {Scale, 4, 1000, 5000},
	{RedisKill, 5, 0, 2000}, {RedisStop, 3, 200, 4000}, {NetStore, 8, 300, 4000}, {NetTarget, 8, 300, 4000}, {NetClient, 6, 300, 3000},
	{Target, 16, 500, 5000}, {Reload, 6, 0, 500}, {ReloadBad, 4, 300, 2000}, {Operator, 5, 0, 0}, {Pause, 3, 300, 3000},
	{DiskFull, 3, 500, 3000}, {PowerCut, 5, 0, 500}, {FailOver, 3, 300, 1500},
}

// Network faults and what targets do.
var (
	NetFaults = []string{"latency", "cut", "reset", "partition", "half"}
	Moods     = []string{"503", "500_after", "429", "hang", "hang_after", "reset_after", "cut_after"}
)

// Make returns the plan of a seed.
func Make(seed uint64, o Options) Plan {
	r := rand.New(rand.NewPCG(seed, 0xc0ffee))
	p := Plan{Seed: seed, Duration: int(o.Duration.Milliseconds()), Store: o.Store, Replicas: o.Replicas,
		Senders: 16 + r.IntN(32), Rate: 250 + r.IntN(350), Keys: 5 + r.IntN(40), Zipf: 0.6 + r.Float64(),
		Payload: []int{50, 200, 800, 6000}[r.IntN(4)], Lease: 4000, Concurrent: []int{4, 16, 64}[r.IntN(3)], Disk: "plain"}
	p.Breaker, p.Quota = r.IntN(2) == 0, []int{0, 0, 300, 900}[r.IntN(4)]
	if p.Store == "" {
		p.Store = []string{"embedded", "redis", "redis"}[r.IntN(3)]
	}
	if p.Store == "embedded" {
		p.Replicas, p.Sync = 1, "fsync"
	} else {
		p.Sync = []string{"always", "always", "everysec"}[r.IntN(3)]
		if n := r.IntN(4) + 1; p.Replicas == 0 {
			p.Replicas = n
		}
	}
	if o.Disks {
		p.Disk = []string{"plain", "small", "loop"}[r.IntN(3)]
	}
	if p.Store == "redis" && p.Disk != "loop" && r.IntN(3) == 0 {
		p.Followers, p.Disk, p.Sync = 1, "plain", "always"
	}
	if o.Kinds != nil {
		p.adapt(o.Kinds)
	}
	p.choose(r, o)
	p.schedule(r)
	return p
}

// adapt makes the set-up fit faults that were asked for.
func (p *Plan) adapt(kinds []Kind) {
	if slices.Contains(kinds, FailOver) {
		p.Followers, p.Disk, p.Sync = 1, "plain", "always"
		return
	}
	p.Followers = 0
	switch {
	case slices.Contains(kinds, PowerCut):
		p.Disk = "loop"
		if p.Store == "redis" {
			p.Sync = "always"
		}
	case slices.Contains(kinds, DiskFull):
		p.Disk = "small"
	}
	if slices.Contains(kinds, RedisKill) {
		p.Sync = "always"
	}
}

// possible reports whether a fault can happen in this set-up. Redis that syncs
// once a second promises nothing when it is killed while its disk is slow.
func (p *Plan) possible(k Kind, o Options) bool {
	redis := p.Store == "redis"
	switch k {
	case Scale:
		return p.Replicas > 1
	case KillAll:
		return p.Replicas > 1
	case RedisKill:
		return redis && p.Sync == "always" && p.Followers == 0
	case RedisStop, NetStore:
		return redis
	case DiskFull:
		return p.Disk == "small" && !redis
	case PowerCut:
		return p.Disk == "loop" && p.Sync != "everysec"
	case FailOver:
		return p.Followers > 0
	case CrashPoint:
		return o.Tagged
	}
	return true
}

// choose picks a random subset of the faults: a swarm finds what a mixture of
// everything hides.
func (p *Plan) choose(r *rand.Rand, o Options) {
	if o.Kinds != nil {
		p.Kinds = o.Kinds
		return
	}
	for len(p.Kinds) < 3 {
		p.Kinds = nil
		for _, d := range menu {
			if p.possible(d.kind, o) && r.IntN(2) == 0 {
				p.Kinds = append(p.Kinds, d.kind)
			}
		}
	}
}

// schedule fills the run with faults, one to three at a time.
func (p *Plan) schedule(r *rand.Rand) {
	var dishes []dish
	for _, d := range menu {
		if slices.Contains(p.Kinds, d.kind) {
			dishes = append(dishes, d)
		}
	}
	overlap := 1 + r.IntN(3)
	last := p.Duration * 9 / 10
	wanted := max(10, last*overlap/2500)
	cuts, failed := 0, false
	for len(p.Faults) < wanted {
		d := weighted(r, dishes)
		if len(p.Faults) < len(dishes) {
			d = dishes[len(p.Faults)] // each at least once
		}
		f := Fault{Kind: d.kind, Who: r.IntN(p.Replicas), At: last/20 + r.IntN(last)}
		f.For = d.min
		if d.max > d.min {
			f.For += r.IntN(d.max - d.min)
		}
		f.For = min(f.For, p.Duration-f.At)
		p.detail(r, &f)
		switch {
		case f.Kind == FailOver && failed, f.Kind == PowerCut && cuts >= 4:
			f.Kind = Kill // once, or a few times, a run
		case f.Kind == FailOver:
			failed = true
		case f.Kind == PowerCut:
			cuts++
		}
		p.Faults = append(p.Faults, f)
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return a.At - b.At })
}

func (p *Plan) detail(r *rand.Rand, f *Fault) {
	switch f.Kind {
	case NetStore, NetTarget, NetClient:
		f.Arg = NetFaults[r.IntN(len(NetFaults))]
		f.Level = float64(10 + r.IntN(800)) // latency in ms
	case Target:
		f.Arg = Moods[r.IntN(len(Moods))]
		f.Level = []float64{0.1, 0.3, 0.6, 1}[r.IntN(4)]
	case Pause:
		f.Arg = []string{"keyed", "naive", "chain", "fan", "bus", "heard", "file"}[r.IntN(7)]
	case Reload:
		f.Level = float64(1 + r.IntN(6)) // edits
	case CrashPoint:
		f.Level = float64(r.IntN(200)) // how often the place is passed before
		f.Arg = fmt.Sprint(r.IntN(1 << 16))
	}
}

func weighted(r *rand.Rand, dishes []dish) dish {
	sum := 0
	for _, d := range dishes {
		sum += d.weight
	}
	n := r.IntN(sum)
	for _, d := range dishes {
		if n -= d.weight; n < 0 {
			return d
		}
	}
	return dishes[0]
}

// Read reads a plan that Write wrote.
func Read(path string) (Plan, error) {
	var p Plan
	raw, err := os.ReadFile(path)
	if err != nil {
		return p, fmt.Errorf("read the plan: %w", err)
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("read the plan %s: %w", path, err)
	}
	return p, nil
}

// Write keeps the plan in a file.
func (p Plan) Write(path string) error {
	raw, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep the plan: %w", err)
	}
	return nil
}

// NeedsTag reports whether the plan needs a binary with planted mistakes and
// places to die.
func (p Plan) NeedsTag() bool { return p.Mutant != "" || slices.Contains(p.Kinds, CrashPoint) }
