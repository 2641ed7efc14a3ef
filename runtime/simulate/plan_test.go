package simulate

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// kind is one sort of fault.
type kind string

// The faults. Those of the store and the network last and hit calls by chance;
// the others happen once.
const (
	storeBefore kind = "store-before" // a call of the store fails, nothing was done
	storeAfter  kind = "store-after"  // a write of the store is done, its answer lost
	storeSlow   kind = "store-slow"   // a call of the store takes up to a second
	storeStall  kind = "store-stall"  // all calls of one replica wait for the end of the fault
	netRefuse   kind = "net-refuse"   // a target cannot be dialled
	netReset    kind = "net-reset"    // the connection breaks before the effect
	netCut      kind = "net-cut"      // the connection breaks after the effect
	netHalf     kind = "net-half"     // half of the answer comes
	netHang     kind = "net-hang"     // no answer, no effect
	netMute     kind = "net-mute"     // no answer, after the effect
	netSlow     kind = "net-slow"     // a target takes up to some seconds
	target5xx   kind = "target-5xx"
	target429   kind = "target-429"
	senderGone  kind = "sender-gone" // a sender hangs up before the answer
	kill        kind = "kill"        // a replica ends without finishing anything
	stop        kind = "stop"        // a replica is stopped as it should be
	killBefore  kind = "kill-before" // a replica dies before a write
	killAfter   kind = "kill-after"  // a replica dies after a write
	killCall    kind = "kill-call"   // a replica dies after its call had its effect
	reloadGood  kind = "reload"
	reloadBad   kind = "reload-bad"
	pausing     kind = "pause"       // a pipeline is paused
	closing     kind = "maintenance" // a connection is closed by hand
	dropping    kind = "discard"     // a dead letter is discarded
	replaying   kind = "replay"      // a dead letter is sent again
	mending     kind = "edit"        // a dead letter is mended and sent again
)

var kinds = []kind{storeBefore, storeAfter, storeSlow, storeStall, netRefuse, netReset, netCut, netHalf, netHang, netMute, netSlow,
	target5xx, target429, senderGone, kill, stop, killBefore, killAfter, killCall, reloadGood, reloadBad, pausing, closing, dropping, replaying, mending}

// fault is one entry of a plan.
type fault struct {
	Kind kind
	At   time.Duration // since the start
	For  time.Duration // how long; of kill and stop: until the next start
	Rate float64       // share of the calls that are hit
	On   int           // which replica, target or pipeline; counted modulo how many there are
}

// String writes a fault as a plan does.
func (f fault) String() string {
	return fmt.Sprintf("%s@%s+%s*%.2f/%d", f.Kind, f.At.Round(time.Millisecond), f.For.Round(time.Millisecond), f.Rate, f.On)
}

// plan is all that a run depends on.
type plan struct {
	Seed     uint64
	Replicas int
	Keys     int // per flow
	Turns    int // messages per key
	Length   time.Duration
	Faults   []fault
}

// String is the plan in one line.
func (p plan) String() string {
	words := make([]string, len(p.Faults))
	for i, f := range p.Faults {
		words[i] = f.String()
	}
	return fmt.Sprintf("seed %d: %d replicas, %d keys of %d messages in %s: %s", p.Seed, p.Replicas, p.Keys, p.Turns, p.Length, strings.Join(words, " "))
}

// newPlan makes the plan of a seed: some of the kinds, some of each.
func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 1))
	p := plan{Seed: seed, Replicas: 1 + r.IntN(2), Keys: 1 + r.IntN(2), Turns: 3 + r.IntN(8),
		Length: time.Duration(20+r.IntN(70)) * time.Second}
	chosen := slices.Clone(kinds)
	r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
	chosen = chosen[:1+r.IntN(8)]
	for range 2 + r.IntN(14) {
		f := fault{Kind: chosen[r.IntN(len(chosen))], On: r.IntN(60), Rate: 0.1 + 0.8*r.Float64()}
		f.At = time.Duration(r.Int64N(int64(p.Length)))
		f.For = time.Duration(r.Int64N(int64(12 * time.Second)))
		switch f.Kind {
		case killBefore, killAfter, killCall:
			f.Rate /= 10
		}
		p.Faults = append(p.Faults, f)
	}
	slices.SortStableFunc(p.Faults, func(a, b fault) int { return cmp.Compare(a.At, b.At) })
	return p
}

// smaller looks for a part of a plan's faults that is enough for bad to hold.
func smaller(p plan, bad func(plan) bool) plan {
	for size := (len(p.Faults) + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < len(p.Faults); {
			q := p
			q.Faults = slices.Delete(slices.Clone(p.Faults), from, min(from+size, len(p.Faults)))
			if bad(q) {
				p = q
			} else {
				from += size
			}
		}
	}
	return p
}
