package jq

import (
	"fmt"
	"time"

	"crossdock/dsl/turn"
)

// machine is the state of one run of a compiled program: variables and what is
// left of the limits. Work is paid for in steps and built data in bytes; a run
// that cannot pay is stopped by a panic with a *LimitError, which no try of the
// cell can catch and which each turns into an error.
type machine struct {
	frame *Frame // whose run this is
	slots []any  // values bound by the cell itself

	steps  int   // until the clock is looked at again
	bytes  int64 // that may still be built before more is asked for
	more   int64 // that may be asked for
	depth  int   // of recursion into data
	looks  int   // at the clock, as far as its own work has led to them
	timed  bool  // end is set, which the first look at the clock does
	unsafe bool
	end    time.Time
	guard  *guard // for the parts that run in the interpreter
	turn   turn.Turn
	met    bool // this program has met a limit before
	leaves bool // it goes on aside when it turns out to be large
}

// slice is how many steps pass between two looks at the clock. A step takes
// some tens of nanoseconds.
const slice = 1024

// longLooks is how many looks at the clock a run has at least before it is a
// long one: who did little and was kept from the processor is not.
const longLooks = 64

// A run that leaves has looked at the clock so often, and has taken so long, or
// has taken so many operations of the interpreter, whose stacks nobody counts. It
// begins anew aside, so this is lost, and neighbours have noticed little.
const (
	leaveLooks = 8
	leaveAfter = 500 * time.Microsecond
	leaveOps   = 2048
)

// begin makes the machine of f ready for a run. It is part of the cost of each
// cell, so it sets nothing that most cells do not need.
func (m *machine) begin(f *Frame, p *Program) {
	if m.frame != f {
		m.frame = f
	}
	bytes := f.bytes()
	m.steps, m.bytes, m.more, m.depth, m.timed, m.unsafe = slice, min(bytes, turn.Free), bytes-min(bytes, turn.Free), 0, false, p.unsafe
	if len(m.slots) < p.slots {
		m.slots = make([]any, p.slots)
	}
	m.met = p.met.Load()
	m.leaves = m.met && f.Aside != nil && !f.stays
}

// finish lets go of the values of the run and of its turn.
func (m *machine) finish(p *Program) {
	clear(m.slots[:p.slots])
	built := int64(0)
	if m.guard != nil {
		built = m.guard.stop()
		m.guard = nil
	}
	if m.turn.Held() {
		m.turn.Leave(built + m.frame.bytes() - m.more - max(m.bytes, 0))
	}
}

// tick pays one step.
func (m *machine) tick() {
	if m.steps--; m.steps < 0 {
		m.look()
	}
}

// spend pays n steps.
func (m *machine) spend(n int) {
	if m.steps -= n; m.steps < 0 {
		m.look()
	}
}

// grow pays for n bytes of new data and for the work of filling them.
func (m *machine) grow(n int) {
	if m.bytes -= int64(n); m.bytes < 0 {
		m.ask()
	}
	if m.steps -= n >> 6; m.steps < 0 {
		m.look()
	}
}

// ask gets more bytes to build, for which a run must have its turn.
func (m *machine) ask() {
	if m.bytes+m.more < 0 {
		panic(&LimitError{ErrMemory, fmt.Sprintf("builds more than %d MiB of data", m.frame.bytes()>>20)})
	}
	upTo := m.frame.bytes() - turn.Large // what is left when the turn of the largest is needed
	large := m.bytes+m.more < upTo
	m.await(large)
	if large {
		upTo = 0
	}
	m.bytes, m.more = m.bytes+m.more-max(upTo, 0), max(upTo, 0)
}

// await waits for the turn of a run that has become large, or ends it where it
// goes on aside. The wait is not counted as its time.
func (m *machine) await(large bool) {
	if m.leaves {
		panic(errLeaves)
	}
	m.guard.rest()
	from := m.frame.now()
	m.until(from)
	err := m.turn.Take(m.frame.context(), large, m.met)
	m.end = m.end.Add(m.frame.now().Sub(from))
	m.guard.goOn(m.end)
	if err != nil {
		panic(&LimitError{err, "was stopped"})
	}
}

// look checks the clock and the context.
func (m *machine) look() {
	m.looks += 1 - m.steps/slice
	m.steps = slice
	if m.frame.Ctx != nil {
		if err := m.frame.Ctx.Err(); err != nil {
			panic(&LimitError{err, "was stopped"})
		}
	}
	now := m.frame.now()
	left := m.until(now).Sub(now)
	if left < 0 {
		panic(&LimitError{ErrTime, fmt.Sprintf("takes longer than %s", m.frame.time())})
	}
	looks, short := longLooks, turn.Short
	if m.leaves {
		looks, short = leaveLooks, leaveAfter
	}
	if m.looks > looks && !m.turn.Held() && m.frame.time()-left > short {
		m.await(false)
	}
}

// until is when the run must have ended; now is the time.
func (m *machine) until(now time.Time) time.Time {
	if !m.timed {
		m.end, m.timed, m.looks = now.Add(m.frame.time()), true, 0
	}
	return m.end
}

// Sizes of values in memory, roughly, for grow.
const (
	sizeElement = 16
	sizeNumber  = 8
	sizeList    = 24
	sizeObject  = 320 // with up to 8 entries
	sizeEntry   = 64
)

// growObject pays for an object with n entries.
func (m *machine) growObject(n int) {
	m.grow(sizeObject + max(0, n-8)*sizeEntry)
}

// list returns an empty list with room for n elements.
func (m *machine) list(n int) []any {
	m.grow(sizeList + n*sizeElement)
	return make([]any, 0, n)
}

// push appends to a list that list made, and pays for what is added.
func (m *machine) push(l []any, v any) []any {
	if len(l) == cap(l) {
		m.grow(max(64, len(l)*sizeElement))
	}
	return append(l, v)
}
