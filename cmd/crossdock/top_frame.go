package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crossdock/runtime/admin"
	"crossdock/runtime/journal"
)

// topView is what `top` knows and how it shows it.
type topView struct {
	ask           func(context.Context) (admin.Top, error)
	before, now   admin.Top
	sort          int
	width, height int
	colour        bool
	live          bool // keys are taken
	held          bool
	problem       string // why there is no newer picture
}

var sorts = []string{"depth", "age", "rate", "name"}

// sortOf returns the place of a word in sorts, -1 where it is none.
func sortOf(word string) int { return slices.Index(sorts, word) }

// look asks for the next picture.
func (v *topView) look(ctx context.Context) error {
	next, err := v.ask(ctx)
	if err == nil {
		v.before, v.now = v.now, next
	}
	return err
}

// key obeys a key and reports whether it ends the view.
func (v *topView) key(k byte) bool {
	switch k {
	case 'q', 3, 27: // Ctrl-C, Esc
		return true
	case 'p':
		v.held = !v.held
	case 's':
		v.sort = (v.sort + 1) % len(sorts)
	}
	return false
}

// screen is the frame as a terminal in raw mode wants it.
func (v *topView) screen() string {
	lines := strings.Split(strings.TrimSuffix(v.frame(), "\n"), "\n")
	return strings.Join(lines[:min(len(lines), v.height)], "\x1b[K\r\n") + "\x1b[K\x1b[J"
}

// topLane is one row of lanes.
type topLane struct {
	name                string
	depth, parked, dead int
	age                 time.Duration
	in, out, lag        float64
	hasLag              bool
}

// frame is one picture of width by height characters.
func (v *topView) frame() string {
	var b strings.Builder
	lanes := v.lanes()
	waiting, parked, dead := 0, 0, 0
	for _, l := range lanes {
		waiting, parked, dead = waiting+l.depth, parked+l.parked, dead+l.dead
	}
	state := v.paint("ready", 32)
	if !v.now.Ready {
		state = v.paint("NOT READY", 31)
	}
	v.line(&b, "%s  %s  waiting %d  parked %s  dead %s  %s  generation %d", v.now.At.Local().Format(time.TimeOnly), state, waiting,
		v.pad(parked, 0, 33), v.pad(dead, 0, 31), short(v.now.Revision, 12), v.now.Generation)
	calls := v.operations()
	tail := v.tail()
	room := max(v.height-len(tail)-5, 4) // headings and blank lines
	forLanes := max(room-len(calls), room/2)
	v.line(&b, "%s", v.head(fmt.Sprintf("%-*s %7s %6s %5s %6s %6s %6s %6s", v.names(), "LANE", "WAITING", "PARKED", "DEAD", "OLDEST", "IN/s", "OUT/s", "LAG")))
	v.rows(&b, v.laneRows(lanes), forLanes)
	v.line(&b, "%s", v.head(fmt.Sprintf("%-*s %-10s %7s %6s %6s %6s", v.names(), "OPERATION", "BREAKER", "CALLS", "/s", "FAILED", "TIME")))
	v.rows(&b, calls, room-min(len(lanes), forLanes))
	for _, l := range tail {
		v.line(&b, "%s", l)
	}
	return b.String()
}

// names is how wide names are.
func (v *topView) names() int { return max(16, v.width-49) }

// rows writes as many lines as there is room for.
func (v *topView) rows(b *strings.Builder, list []string, room int) {
	for i, l := range list {
		if i == room-1 && len(list) > room {
			v.line(b, "  and %d more", len(list)-i)
			return
		}
		v.line(b, "%s", l)
	}
}

// lanes are the rows of lanes, sorted.
func (v *topView) lanes() []topLane {
	was := map[string]int{}
	for _, l := range v.before.Lanes {
		was[l.Lane] = l.Ready + l.Leased + l.Delayed + sum(l.Parked) + l.Dead
	}
	seconds := v.seconds()
	var out []topLane
	for _, l := range v.now.Lanes {
		r := topLane{name: l.Lane, depth: l.Ready + l.Leased + l.Delayed, parked: sum(l.Parked), dead: l.Dead}
		if !l.Oldest.IsZero() {
			r.age = v.now.At.Sub(l.Oldest)
		}
		if seconds > 0 {
			// A dead letter leaves the work and stays in the lane.
			gone := v.now.Totals.Finished[l.Lane] - v.before.Totals.Finished[l.Lane]
			r.out = max(0, gone) / seconds
			before := was[l.Lane]
			r.in = max(0, float64(r.depth+r.parked+r.dead-before)+gone-float64(died(v.before, l.Lane, r.dead))) / seconds
		}
		if pipeline, ok := strings.CutPrefix(l.Lane, "in/"); ok {
			if d := since(v.now.Totals.Lag[pipeline], v.before.Totals.Lag[pipeline]); d.N > 0 {
				r.lag, r.hasLag = d.Seconds/d.N, true
			}
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b topLane) int {
		byName := cmp.Compare(a.name, b.name)
		switch sorts[v.sort] {
		case "age":
			return cmp.Or(cmp.Compare(b.age, a.age), byName)
		case "rate":
			return cmp.Or(cmp.Compare(b.in+b.out, a.in+a.out), byName)
		case "name":
			return byName
		}
		return cmp.Or(cmp.Compare(b.depth+b.parked, a.depth+a.parked), cmp.Compare(b.dead, a.dead), byName)
	})
	return out
}

// died is how many more dead letters a lane has than before.
func died(before admin.Top, lane string, now int) int {
	for _, l := range before.Lanes {
		if l.Lane == lane {
			return max(0, now-l.Dead)
		}
	}
	return now
}

func since(now, before journal.Calls) journal.Calls {
	return journal.Calls{N: now.N - before.N, Failed: now.Failed - before.Failed, Seconds: now.Seconds - before.Seconds}
}

func sum(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

// seconds is the time between the two pictures, 0 where there is only one.
func (v *topView) seconds() float64 {
	if v.before.At.IsZero() {
		return 0
	}
	return v.now.At.Sub(v.before.At).Seconds()
}

func (v *topView) laneRows(lanes []topLane) []string {
	out := make([]string, 0, len(lanes))
	for _, l := range lanes {
		age, lag := "", ""
		if l.age > 0 {
			age = brief(l.age)
		}
		if l.hasLag {
			lag = brief(time.Duration(l.lag * float64(time.Second)))
		}
		out = append(out, fmt.Sprintf("%-*s %7d %s %s %6s %6.1f %6.1f %6s", v.names(), short(l.name, v.names()), l.depth,
			v.pad(l.parked, 6, 33), v.pad(l.dead, 5, 31), age, l.in, l.out, lag))
	}
	return out
}

// operations are the rows of operations: those that are cut off first.
func (v *topView) operations() []string {
	type row struct {
		text string
		shut bool
		rate float64
		name string
	}
	var rows []row
	seconds := v.seconds()
	for _, c := range v.now.Connections {
		for _, op := range slices.Sorted(maps.Keys(c.Operations)) {
			name, breaker := c.Name+"."+op, c.Operations[op]
			if !c.Closed.IsZero() {
				breaker = "maintained"
			}
			d := since(v.now.Totals.Calls[name], v.before.Totals.Calls[name])
			rate, failed, took := 0.0, "", ""
			if seconds > 0 && d.N > 0 {
				rate = d.N / seconds
				failed = fmt.Sprintf("%.0f%%", 100*d.Failed/d.N)
				took = brief(time.Duration(d.Seconds / d.N * float64(time.Second)))
			}
			shut := breaker != "closed"
			word := fmt.Sprintf("%-10s", breaker)
			if shut {
				word = v.paint(word, 31)
			}
			if d.Failed > 0 {
				failed = v.paint(fmt.Sprintf("%6s", failed), 31)
			}
			rows = append(rows, row{fmt.Sprintf("%-*s %s %7s %6.1f %6s %6s", v.names(), short(name, v.names()), word,
				fmt.Sprintf("%d/%d", c.Calls, c.Places), rate, failed, took), shut, rate, name})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if a.shut != b.shut {
			if a.shut {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.rate, a.rate), cmp.Compare(a.name, b.name))
	})
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.text
	}
	return out
}

// tail is what stands at the end: why messages are parked, dead letters by box,
// replicas, keys.
func (v *topView) tail() []string {
	reasons := map[string]int{}
	for _, l := range v.now.Lanes {
		for reason, n := range l.Parked {
			reasons[reason] += n
		}
	}
	var out []string
	notes := 0
	for _, l := range v.now.Lanes {
		if l.Note == "" {
			continue
		}
		if notes++; notes <= 3 {
			out = append(out, l.Lane+": "+l.Note)
		}
	}
	if notes > 3 {
		out = append(out, fmt.Sprintf("and %d more notes, see `crossdock queues`", notes-3))
	}
	for i, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), cmp.Compare(a, b))
	}) {
		if i == 3 {
			out = append(out, fmt.Sprintf("and %d more reasons", len(reasons)-i))
			break
		}
		out = append(out, fmt.Sprintf("%d parked: %s", reasons[reason], reason))
	}
	if len(v.now.Dead) > 0 {
		var boxes []string
		for _, box := range slices.Sorted(maps.Keys(v.now.Dead)) {
			boxes = append(boxes, fmt.Sprintf("%s %d", box, v.now.Dead[box]))
		}
		more := ""
		if v.now.More {
			more = " (of the first 1000)"
		}
		out = append(out, "dead letters: "+strings.Join(boxes, ", ")+more)
	}
	for i, r := range v.now.Replicas {
		if i == 4 {
			out = append(out, fmt.Sprintf("and %d more replicas, see `crossdock status`", len(v.now.Replicas)-i))
			break
		}
		state := "ready"
		if !r.Ready {
			state = "not ready"
		}
		if r.Problem != "" {
			state = r.Problem
		}
		out = append(out, fmt.Sprintf("replica %s:%d  %s  %s", r.Host, r.PID, short(r.Revision, 12), state))
	}
	if v.problem != "" {
		out = append(out, v.paint(v.problem, 31))
	}
	if v.live {
		held := "p hold"
		if v.held {
			held = v.paint("p go on", 33)
		}
		out = append(out, fmt.Sprintf("q quit  %s  s sort (%s)", held, sorts[v.sort]))
	}
	return out
}

// line writes one line, cut to the width.
func (v *topView) line(b *strings.Builder, format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	b.WriteString(clip(text, v.width))
	b.WriteByte('\n')
}

// clip cuts a text to a width; colours take no room.
func clip(s string, width int) string {
	n, inside := 0, false
	for i, r := range s {
		switch {
		case r == '\x1b':
			inside = true
		case inside:
			inside = r != 'm'
		case n == width:
			return s[:i] + strings.Repeat("\x1b[0m", min(1, strings.Count(s[:i], "\x1b")))
		default:
			n++
		}
	}
	return s
}

func (v *topView) paint(s string, colour int) string {
	if !v.colour {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, s)
}

func (v *topView) head(s string) string {
	if !v.colour {
		return s
	}
	return "\x1b[7m" + s + "\x1b[0m"
}

// pad is a number, coloured unless it is 0.
func (v *topView) pad(n, width, colour int) string {
	s := fmt.Sprintf("%*d", width, n)
	if n == 0 {
		return s
	}
	return v.paint(s, colour)
}

// brief words a time in few characters.
func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}
