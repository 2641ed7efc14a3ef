package schedule

import (
	"slices"
	"time"

	"crossdock/runtime/queue"
)

// Row is a job as the index knows it.
type Row struct {
	Slot     Slot
	Seq      uint64
	Lane     string
	State    queue.State
	Priority queue.Priority
	Due      time.Time // DeadJob: since when
	Attempts int
	Crashes  int
	Note     string // Parked: the reason; DeadJob: the box
	Marks    uint8
}

// At describes one job. It must be called between Lock and Unlock.
func (x *Index) At(s Slot) Row {
	n := x.jobs.at(s)
	r := Row{
		Slot: s, Seq: n.seq, Lane: x.lanes[n.lane].name, State: names[n.state], Priority: queue.Priority(n.prio),
		Attempts: int(n.attempts), Crashes: int(n.crashes), Note: x.notes.texts[n.note], Marks: n.marks,
	}
	if n.due != 0 {
		r.Due = time.Unix(0, n.due)
	}
	return r
}

// Rows lists up to limit admitted jobs of a lane ("" = all) in a state ("" =
// all) and, where box is not "", with that box, in the order of the log after
// the job number after.
func (x *Index) Rows(lane string, state queue.State, box string, after uint64, limit int) []Row {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []Row
	for _, l := range x.lanes[1:] {
		if lane == "" || l.name == lane {
			out = x.rows(out, l, state, box, after, limit)
		}
	}
	slices.SortFunc(out, func(a, b Row) int {
		if a.Seq < b.Seq {
			return -1
		}
		return 1
	})
	return out[:min(len(out), limit)]
}

func (x *Index) rows(out []Row, l *lane, state queue.State, box string, after uint64, limit int) []Row {
	left := 0
	for i, c := range l.count {
		if state == "" || names[i] == state {
			left += c
		}
	}
	note, known := x.notes.byText[box]
	if box != "" && !known {
		return out
	}
	begin := l.oldest
	if state != "" && state != queue.DeadJob && box == "" {
		begin = x.living(l)
	}
	for s, found := begin, 0; s != 0 && left > 0 && found < limit; {
		n := x.jobs.at(s)
		if state == "" || names[n.state] == state {
			left--
			if n.seq > after && (box == "" || n.note == note && n.state == dead) {
				out = append(out, x.At(s))
				found++
			}
		}
		s = n.newer
	}
	return out
}

// Stats tells how full each lane is. Oldest of a lane is left to the driver:
// first is called with the oldest job that waits.
func (x *Index) Stats(lane string, first func(Row) time.Time) []queue.LaneStat {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []queue.LaneStat
	for _, l := range x.lanes[1:] {
		if !l.used || lane != "" && lane != l.name {
			continue
		}
		s := queue.LaneStat{
			Lane: l.name, Ready: l.count[ready], Leased: l.count[leased], Delayed: l.count[delayed],
			Dead: l.count[dead], Parked: map[string]int{},
		}
		for note, n := range l.parked {
			s.Parked[x.notes.texts[note]] = n
		}
		if l.count[ready]+l.count[delayed]+l.count[parked] > 0 {
			for at := x.living(l); at != 0; at = x.jobs.at(at).newer {
				if st := x.jobs.at(at).state; st != leased && st != dead {
					s.Oldest = first(x.At(at))
					break
				}
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b queue.LaneStat) int {
		if a.Lane < b.Lane {
			return -1
		}
		return 1
	})
	return out
}
