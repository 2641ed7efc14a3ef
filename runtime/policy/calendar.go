package policy

import (
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// Window is a time in which a connection is closed, again and again.
type Window struct {
	Name  string
	Next  func(time.Time) time.Time // the first beginning after a time; zero = none
	Lasts time.Duration             // of real time, also where clocks are changed
	Try   [queue.Low + 1]bool       // priorities for which the connection is called all the same
	Rate  int                       // of what was held, when it has ended: so many in Per; 0 = unbounded
	Per   time.Duration
}

// afterlife is how long after its end a window still slows down what it held.
const afterlife = 48 * time.Hour

// spell is one occurrence of a window, and what follows it.
type spell struct {
	window *Window
	end    time.Time
}

// at returns the spell that is under way at now, or else the last one that
// ended within the afterlife, and until when that answer holds. Spells that
// touch each other are one.
func (w *Window) at(now time.Time) (s spell, holds time.Time) {
	s.window = w
	begin := w.recent(now)
	for range 100_000 {
		if begin.IsZero() || begin.After(now) {
			break
		}
		s.end = begin.Add(w.Lasts)
		begin = w.Next(begin)
	}
	switch {
	case now.Before(s.end):
		// It may be prolonged by the next beginning.
		for range 1000 {
			if begin.IsZero() || begin.After(s.end) {
				break
			}
			s.end = begin.Add(w.Lasts)
			begin = w.Next(begin)
		}
		return s, s.end
	case begin.IsZero():
		return s, now.Add(afterlife)
	}
	return s, begin
}

// recent returns a beginning that is not after now, where there is one in the
// afterlife, or else the next one. Most windows are found close to now, and
// walking from one beginning to the next takes time, so that it looks back
// further only where nothing was found.
func (w *Window) recent(now time.Time) time.Time {
	most := w.Lasts + afterlife
	for back := max(w.Lasts, time.Minute); ; back *= 2 {
		back = min(back, most)
		begin := w.Next(now.Add(-back))
		if back == most || !begin.IsZero() && !begin.After(now) {
			return begin
		}
	}
}

// Manual is maintenance that a person began.
type Manual struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Who    string    `json:"who"`
	Reason string    `json:"reason,omitempty"`
	Let    [4]bool   `json:"let"` // priorities that are tried all the same
}

// Calendar knows when a connection is closed: by its windows and by hand.
type Calendar struct {
	windows []*Window
	slowest *Window // whose rate counts for what was held, nil where nothing bounds it
	strict  *Pacer  // of that rate

	mu     sync.Mutex
	known  []spell // of windows
	holds  []time.Time
	manual Manual
}

// NewCalendar returns the calendar of some windows. The slowest of their rates
// applies to what maintenance by hand held, too.
func NewCalendar(windows []*Window) *Calendar {
	c := &Calendar{windows: windows, known: make([]spell, len(windows)), holds: make([]time.Time, len(windows))}
	var slowest *Window
	for _, w := range windows {
		if w.Rate > 0 && (slowest == nil || w.Per/time.Duration(w.Rate) > slowest.Per/time.Duration(slowest.Rate)) {
			slowest = w
		}
	}
	if c.slowest = slowest; slowest != nil {
		c.strict = NewPacer(slowest.Rate, slowest.Per, true)
	}
	return c
}

// SetManual sets maintenance by hand; the zero value takes it back.
func (c *Calendar) SetManual(m Manual) {
	c.mu.Lock()
	c.manual = m
	c.mu.Unlock()
}

// Manual returns the maintenance by hand that was set last.
func (c *Calendar) Manual() Manual {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.manual
}

// idle reports whether there is nothing to look up.
func (c *Calendar) idle() bool { return len(c.windows) == 0 && c.manual.Until.IsZero() }

func (c *Calendar) spells(now time.Time) []spell {
	for i, w := range c.windows {
		if !now.Before(c.holds[i]) {
			c.known[i], c.holds[i] = w.at(now)
		}
	}
	return c.known
}

// Closed returns what closes the connection for a priority at now, and until
// when. Where several do, it is the one that ends last.
func (c *Calendar) Closed(now time.Time, p queue.Priority) (name string, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle() {
		return "", time.Time{}
	}
	if m := c.manual; !now.Before(m.From) && now.Before(m.Until) && !m.Let[p] {
		name, until = "maintenance by "+m.Who, m.Until
		if m.Reason != "" {
			name += ", " + m.Reason
		}
	}
	for _, s := range c.spells(now) {
		if now.Before(s.end) && !s.window.Try[p] && s.end.After(until) {
			name, until = s.window.Name, s.end
		}
	}
	return name, until
}

// Held reports whether a message that was received then is one of those that a
// window held which has ended, and that are let go at a rate.
func (c *Calendar) Held(now, received time.Time, p queue.Priority) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.strict == nil || c.idle() {
		return false
	}
	if m := c.manual; !now.Before(m.Until) && now.Sub(m.Until) < afterlife && received.Before(m.Until) && !m.Let[p] {
		return true
	}
	for _, s := range c.spells(now) {
		if !s.end.IsZero() && !now.Before(s.end) && now.Sub(s.end) < afterlife && received.Before(s.end) && !s.window.Try[p] {
			return true
		}
	}
	return false
}

// Rate is how fast held messages go out, 0 for unbounded.
func (c *Calendar) Rate() time.Duration {
	if c.strict == nil {
		return 0
	}
	return c.strict.interval
}
