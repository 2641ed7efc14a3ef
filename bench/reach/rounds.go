package main

import (
	"fmt"
	"slices"
	"time"

	"crossdock/bench/rig"
)

// rounds are the turns of one of two things that are compared. Each is looked
// at by itself and the middle one counts, as with the other measurements of
// this repository: a moment in which the machine does something else spoils one
// turn and not the result.
type rounds []*rig.Phase

// next begins a turn.
func (rs *rounds) next(r *rig.Rig, name string, exact bool) *rig.Phase {
	p := r.Ledger.Phase(fmt.Sprint(name, " ", len(*rs)+1), exact)
	*rs = append(*rs, p)
	return p
}

// median is the middle one of what of says about each turn.
func (rs rounds) median(of func(*rig.Phase) time.Duration) time.Duration {
	var all []time.Duration
	for _, p := range rs {
		all = append(all, of(p))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// count is how many messages were answered in all turns.
func (rs rounds) count() (n int64) {
	for _, p := range rs {
		n += p.Intake.Count()
	}
	return n
}

// Times of a turn that 99 of 100 messages kept.
func intake(p *rig.Phase) time.Duration    { return p.Intake.Quantile(0.99) }
func delivered(p *rig.Phase) time.Duration { return p.Delivered.Quantile(0.99) }
func accepted(p *rig.Phase) time.Duration  { return p.Accepted(0.99) }
