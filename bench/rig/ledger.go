package rig

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Ledger knows every message that was sent and what became of it. It is safe
// for concurrent use.
type Ledger struct {
	start  time.Time
	next   atomic.Int64
	chunks [1 << 14]atomic.Pointer[chunk]
	acked  atomic.Int64
	first  atomic.Int64 // different acknowledged or unknown messages that arrived

	mu       sync.Mutex
	phases   []*Phase
	keys     int
	furthest map[int]int64 // sequence number that a key has come to
	behind   int64
	strange  int64
	editions map[string]int64
}

const chunkSize = 1 << 16

type chunk [chunkSize]atomic.Uint32

// What is known of a message; above it, how often it arrived.
const (
	sent, acked, failed = 1, 2, 4
	arrival             = 1 << 8
)

// Phase is a time of a run whose latencies are looked at together.
type Phase struct {
	Name      string
	Intake    Histogram // until the answer; what waited for its turn counts from when that was due
	Delivered Histogram // until the target had it and was done with it
	Sent      atomic.Int64
	Failed    atomic.Int64

	number int
	began  time.Time
	ledger *Ledger

	mu       sync.Mutex
	failures []string
	exact    bool
	told     map[int64]time.Duration // when messages were answered, and when they were delivered
	done     map[int64]time.Duration
}

// NewLedger starts a ledger.
func NewLedger() *Ledger {
	return &Ledger{start: time.Now(), furthest: map[int]int64{}, editions: map[string]int64{}}
}

// Phase begins a phase. exact keeps the times of each message, for Accepted.
func (l *Ledger) Phase(name string, exact bool) *Phase {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := &Phase{Name: name, number: len(l.phases), began: time.Now(), ledger: l, exact: exact, told: map[int64]time.Duration{}, done: map[int64]time.Duration{}}
	l.phases = append(l.phases, p)
	return p
}

func (l *Ledger) now() time.Duration { return time.Since(l.start) }

func (l *Ledger) state(n int64) *atomic.Uint32 {
	at := &l.chunks[n/chunkSize]
	c := at.Load()
	if c == nil {
		at.CompareAndSwap(nil, new(chunk))
		c = at.Load()
	}
	return &c[n%chunkSize]
}

// reserve returns the numbers of n keys that nobody else uses.
func (l *Ledger) reserve(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keys += n
	return l.keys - n
}

// answered notes how the sending of a message ended; what is empty for 2xx.
func (p *Phase) answered(n int64, took time.Duration, what string) {
	s := p.ledger.state(n)
	if what != "" {
		s.Or(failed)
		p.Failed.Add(1)
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.failures) < 5 {
			p.failures = append(p.failures, fmt.Sprintf("message %d at %s: %s", n, p.ledger.now().Round(time.Millisecond), what))
		}
		return
	}
	p.Intake.Add(took)
	if p.exact {
		p.mu.Lock()
		p.told[n] = p.ledger.now()
		p.mu.Unlock()
	}
	s.Or(acked)
	p.ledger.acked.Add(1)
}

// arrived notes that the target has a message; done is called when it is done
// with it.
func (l *Ledger) arrived(body []byte) (done func()) {
	n, at, phase, key, seq := number(body, "n"), number(body, "at"), number(body, "p"), number(body, "k"), number(body, "seq")
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= l.next.Load() || phase < 0 || int(phase) >= len(l.phases) {
		l.strange++
		return func() {}
	}
	if i := bytes.Index(body, []byte(`"edition":"`)); i >= 0 {
		word, _, _ := bytes.Cut(body[i+len(`"edition":"`):], []byte(`"`))
		l.editions[string(word)]++
	}
	if l.state(n).Add(arrival) >= 2*arrival {
		return func() {} // a repeat: neither its time nor its place count
	}
	if seq < l.furthest[int(key)] {
		l.behind++
	}
	l.furthest[int(key)] = max(l.furthest[int(key)], seq)
	p := l.phases[phase]
	return func() {
		l.first.Add(1)
		p.Delivered.Add(l.now() - time.Duration(at))
		if p.exact {
			p.mu.Lock()
			p.done[n] = l.now()
			p.mu.Unlock()
		}
	}
}

// number reads a whole number out of the JSON that crossdock sends, -1 where
// there is none.
func number(body []byte, name string) int64 {
	i := bytes.Index(body, []byte(`"`+name+`":`))
	if i < 0 {
		return -1
	}
	rest := body[i+len(name)+3:]
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// Accepted returns the quantile of the times from the answer until a message was
// delivered, for a phase that is exact. One that was delivered before its sender
// had read the answer took no time.
func (p *Phase) Accepted(q float64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var h Histogram
	for n, told := range p.told {
		if done, ok := p.done[n]; ok {
			h.Add(done - told)
		}
	}
	return h.Quantile(q)
}

// Rate is how many messages a second were answered well, until now.
func (p *Phase) Rate() float64 { return float64(p.Intake.Count()) / time.Since(p.began).Seconds() }

// Editions returns the editions of the definitions that messages were mapped by.
func (l *Ledger) Editions() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for e := range l.editions {
		out = append(out, e)
	}
	slices.Sort(out)
	return out
}

// Counts is what a run comes to.
type Counts struct {
	Sent      int64 `json:"sent"`
	Acked     int64 `json:"acknowledged"`
	Failed    int64 `json:"failed"`    // requests that got no 2xx
	Lost      int64 `json:"lost"`      // acknowledged and never delivered
	Doubled   int64 `json:"doubled"`   // deliveries of what had been delivered
	Reordered int64 `json:"reordered"` // first deliveries behind a later message of their key
	Strange   int64 `json:"strange"`   // deliveries of nothing that was sent
}

// Counts counts.
func (l *Ledger) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := Counts{Reordered: l.behind, Strange: l.strange}
	for n := range l.next.Load() {
		s := l.state(n).Load()
		times := int64(s / arrival)
		if s&sent != 0 {
			c.Sent++
		}
		if s&acked != 0 {
			c.Acked++
			if times == 0 {
				c.Lost++
			}
		}
		if s&failed != 0 {
			c.Failed++
		}
		c.Doubled += max(0, times-1)
	}
	return c
}

// Failures are examples of requests that failed.
func (l *Ledger) Failures() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, p := range l.phases {
		p.mu.Lock()
		for _, f := range p.failures {
			out = append(out, p.Name+": "+f)
		}
		p.mu.Unlock()
	}
	return out
}
