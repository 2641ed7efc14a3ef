package alert

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/journal"
	"crossdock/runtime/queue"
)

// Facts are what is the case now.
type Facts struct {
	Now     time.Time
	Lanes   []queue.LaneStat
	Died    map[string]Died   // by box: what died since the last look
	Empty   map[string]bool   // boxes that hold nothing
	Reloads map[string]string // by replica: why it does not run what it should
	Sources map[string]string // by pipeline: why its source fails
}

// Died counts new dead letters.
type Died struct {
	N   int
	Why string // of one of them, in few words
}

// found is an incident as the facts have it now.
type found struct{ condition, subject, summary string }

// evaluate brings the incidents of one alert up to the facts.
func (s *State) evaluate(a *compile.Alert, f *Facts) {
	now := map[string]bool{}
	for _, x := range conditions(a, f) {
		i := s.report(a, f.Now, x)
		now[i.fingerprint()] = true
	}
	if a.Hears(compile.OnDeadLetter) {
		s.deadLetters(a, f, now)
	}
	for key, i := range s.Incidents {
		if i.Alert != a.Name || now[key] {
			continue
		}
		if i.Told.IsZero() {
			delete(s.Incidents, key) // it ended before anybody heard of it
			continue
		}
		if i.Gone.IsZero() {
			i.Gone = f.Now
		}
		i.Ended = f.Now.Sub(i.Gone) >= lasting(i.Condition)
	}
}

// report notes that something is the case.
func (s *State) report(a *compile.Alert, now time.Time, x found) *Incident {
	i := &Incident{Alert: a.Name, Condition: x.condition, Subject: x.subject, Since: now}
	if known := s.Incidents[i.fingerprint()]; known != nil {
		i = known
	} else {
		s.Incidents[i.fingerprint()] = i
	}
	i.Summary, i.Gone, i.Ended = x.summary, time.Time{}, false
	return i
}

// conditions lists what an alert hears of and is the case, dead letters aside.
func conditions(a *compile.Alert, f *Facts) []found {
	var out []found
	for _, l := range f.Lanes {
		if own(l.Lane) {
			continue
		}
		if age := f.Now.Sub(l.Oldest); a.Hears(compile.OnLag) && !l.Oldest.IsZero() && age > a.Lag {
			out = append(out, found{compile.OnLag, l.Lane, fmt.Sprintf("the oldest message of %s waits for more than %s", l.Lane, length(a.Lag))})
		}
		for _, reason := range slices.Sorted(maps.Keys(l.Parked)) {
			switch kind := journal.KindOf(reason); {
			case l.Parked[reason] == 0:
			case kind == "breaker" && a.Hears(compile.OnBreaker):
				operation, _, _ := strings.Cut(reason, " ")
				out = append(out, found{compile.OnBreaker, operation, operation + " is cut off by its breaker; its messages wait"})
			case kind == "drift" && a.Hears(compile.OnDrift):
				out = append(out, found{compile.OnDrift, l.Lane, "payloads of " + l.Lane + " do not fit their contract and are held"})
			}
		}
	}
	if a.Hears(compile.OnReload) {
		for _, replica := range slices.Sorted(maps.Keys(f.Reloads)) {
			out = append(out, found{compile.OnReload, replica, "the definitions are refused on " + replica + ": " + f.Reloads[replica]})
		}
	}
	if a.Hears(compile.OnSource) {
		for _, pipeline := range slices.Sorted(maps.Keys(f.Sources)) {
			out = append(out, found{compile.OnSource, pipeline, "the source of " + pipeline + " fails: " + f.Sources[pipeline]})
		}
	}
	return out
}

// own reports whether a lane carries alerts themselves.
func own(lane string) bool { return strings.HasPrefix(lane, "in/"+compile.AlertPrefix) }

// deadLetters brings the incidents of dead-letter boxes up to the facts: they
// begin with so many new letters within a time, and end when the box is empty.
func (s *State) deadLetters(a *compile.Alert, f *Facts, now map[string]bool) {
	for _, i := range s.Incidents {
		if i.Alert == a.Name && i.Condition == compile.OnDeadLetter && !f.Empty[i.Subject] {
			now[i.fingerprint()] = true
		}
	}
	for _, box := range slices.Sorted(maps.Keys(s.Marks)) {
		if a.Boxes != nil && !slices.Contains(a.Boxes, box) {
			continue
		}
		n := 0
		for _, m := range s.Marks[box] {
			if f.Now.Sub(m.At) < a.Within {
				n += m.N
			}
		}
		x := found{condition: compile.OnDeadLetter, subject: box}
		key := (&Incident{Alert: a.Name, Condition: x.condition, Subject: box}).fingerprint()
		known := s.Incidents[key]
		died := f.Died[box]
		if f.Empty[box] || died.N == 0 || known == nil && n < a.Letters {
			continue
		}
		count := n
		if known != nil {
			count = known.Count + died.N
		}
		x.summary = fmt.Sprintf("%d dead %s in the box %s", count, letters(count), box)
		if died.Why != "" {
			x.summary += ", the last one: " + died.Why
		}
		s.report(a, f.Now, x).Count = count
		now[key] = true
	}
}

func letters(n int) string {
	if n == 1 {
		return "letter"
	}
	return "letters"
}

// longestWithin bounds how long marks are kept.
const longestWithin = 24 * time.Hour

// mark notes new dead letters.
func (s *State) mark(f *Facts) {
	for box, d := range f.Died {
		if d.N > 0 {
			s.Marks[box] = append(s.Marks[box], Mark{f.Now, d.N})
		}
	}
	for box, list := range s.Marks {
		if f.Empty[box] {
			list = nil // what was dealt with does not count towards the next incident
		}
		list = slices.DeleteFunc(list, func(m Mark) bool { return f.Now.Sub(m.At) > longestWithin })
		if over := len(list) - 1000; over > 0 {
			list = list[over:]
		}
		if s.Marks[box] = list; len(list) == 0 {
			delete(s.Marks, box)
		}
	}
}

// due takes what an alert is to be told now, in one message; nil = nothing.
func (s *State) due(a *compile.Alert, now time.Time) []Incident {
	if now.Sub(s.Sent[a.Name]) < a.Wait {
		return nil // it is told with what comes meanwhile
	}
	var out []Incident
	for _, key := range slices.Sorted(maps.Keys(s.Incidents)) {
		i := s.Incidents[key]
		switch {
		case i.Alert != a.Name:
			continue
		case i.Ended:
			delete(s.Incidents, key)
		case !i.Told.IsZero() && now.Sub(i.Told) < a.Repeat:
			continue
		default:
			i.Told = now
		}
		out = append(out, *i)
	}
	if out != nil {
		s.Sent[a.Name] = now
	}
	return out
}

func length(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
