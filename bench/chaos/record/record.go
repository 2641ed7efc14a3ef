// Package record is what was seen from outside during a run: by the senders, the
// targets, the operator, and by who made the faults. Times are counted from the
// start of the run.
package record

import (
	"sync"
	"time"
)

// Sent is one call of a sender, or a row of calls for the same message.
type Sent struct {
	ID      string        `json:"id"`
	Begin   time.Duration `json:"begin"`
	End     time.Duration `json:"end"`
	Result  Result        `json:"result"`
	Word    string        `json:"word,omitempty"`    // accepted, duplicate or filtered, as the answer says
	Message string        `json:"message,omitempty"` // its ID in crossdock
	Repeat  bool          `json:"repeat,omitempty"`  // of a message that was answered before
	Doubt   bool          `json:"doubt,omitempty"`   // an earlier try of the same call may have been taken in
}

// Result is how a call ended, as Jepsen has it.
type Result string

// The results.
const (
	OK      Result = "ok"      // 2xx: it must survive
	Fail    Result = "fail"    // certainly not taken in
	Unknown Result = "unknown" // nobody knows
)

// Failure is one try that got no 2xx.
type Failure struct {
	ID         string
	Replica    int
	Begin, End time.Duration
	Status     int // 0 = no answer
	What       string
}

// Answer is what a target did with an arrival.
type Answer string

// The answers.
const (
	Clean  Answer = "clean"  // a whole 2xx, at once
	Failed Answer = "failed" // another status
	Broken Answer = "broken" // late, none, or a part of one
)

// Arrival is one request at a target, or one file.
type Arrival struct {
	At      time.Duration `json:"at"`
	Done    time.Duration `json:"done"` // answered
	Target  string        `json:"target"`
	ID      string        `json:"id"`
	Key     string        `json:"key,omitempty"` // Idempotency-Key
	Attempt int           `json:"attempt,omitempty"`
	Edition int           `json:"edition"`
	Applied bool          `json:"applied"`         // it had an effect
	Wrong   string        `json:"wrong,omitempty"` // what is not as it should be in it
	Answer  Answer        `json:"answer"`
	Status  int           `json:"status"`
}

// Disturbance is a time during which something was broken.
type Disturbance struct {
	Kind       string
	Replica    int // -1 = all
	Begin, End time.Duration
	Death      bool // work under way may be repeated; else only requests may fail
}

// Order is what an operator did to a dead letter.
type Order struct {
	Message string // its ID in crossdock
	ID      string
	Do      string // replay, edit, discard
	At      time.Duration
	Result  Result
}

// Log collects all of it. It is safe for concurrent use.
type Log struct {
	start time.Time

	mu       sync.Mutex
	sent     []Sent
	failures []Failure
	arrivals []Arrival
	troubles []Disturbance
	orders   []Order
	edits    map[int]time.Duration
	keep     func(Sent)
}

// New returns a Log that starts now. keep is called with every Sent, in order.
func New(keep func(Sent)) *Log {
	return &Log{start: time.Now(), edits: map[int]time.Duration{0: 0}, keep: keep}
}

// Now is the time since the start.
func (l *Log) Now() time.Duration { return time.Since(l.start) }

// Sent adds the end of a call.
func (l *Log) Sent(s Sent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, s)
	l.keep(s)
}

// Failure adds a failed try.
func (l *Log) Failure(f Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, f)
}

// Arrival adds an arrival at a target and returns its number, for Answered.
func (l *Log) Arrival(a Arrival) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals = append(l.arrivals, a)
	return len(l.arrivals) - 1
}

// Answered says how an arrival was answered.
func (l *Log) Answered(n int, answer Answer, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals[n].Answer, l.arrivals[n].Status, l.arrivals[n].Done = answer, status, l.Now()
}

// Trouble begins a disturbance; the function that is returned ends it.
func (l *Log) Trouble(kind string, replica int, death bool) (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.troubles)
	l.troubles = append(l.troubles, Disturbance{Kind: kind, Replica: replica, Begin: l.Now(), End: 1 << 62, Death: death})
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.troubles[n].End = l.Now()
	}
}

// Order adds what an operator did.
func (l *Log) Order(o Order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.orders = append(l.orders, o)
}

// Edited notes that an edition of the definitions was written.
func (l *Log) Edited(edition int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.edits[edition] = l.Now()
}

// Seen is all that was recorded.
type Seen struct {
	Sent     []Sent
	Failures []Failure
	Arrivals []Arrival
	Troubles []Disturbance
	Orders   []Order
	Edits    map[int]time.Duration // good editions of the definitions and when they were written
}

// Seen returns everything, when nothing is added any more.
func (l *Log) Seen() Seen {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Seen{l.sent, l.failures, l.arrivals, l.troubles, l.orders, l.edits}
}
