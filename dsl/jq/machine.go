package jq

import (
	"fmt"
	"time"
)

// machine is the state of one run of a compiled program: variables and what is
// left of the limits. Work is paid for in steps and built data in bytes; a run
// that cannot pay is stopped by a panic with a *LimitError, which no try of the
// cell can catch and which each turns into an error.
type machine struct {
	frame *Frame // whose run this is
	slots []any  // values bound by the cell itself

	steps  int   // until the clock is looked at again
	bytes  int64 // that may still be built
	depth  int   // of recursion into data
	timed  bool  // end is set, which the first look at the clock does
	unsafe bool
	end    time.Time
	guard  *guard // for the parts that run in the interpreter
}

// slice is how many steps pass between two looks at the clock. A step takes
// some tens of nanoseconds.
const slice = 1024

// begin makes the machine of f ready for a run. It is part of the cost of each
// cell, so it sets nothing that most cells do not need.
func (m *machine) begin(f *Frame, slots int, unsafe bool) {
	if m.frame != f {
		m.frame = f
	}
	m.steps, m.bytes, m.depth, m.timed, m.unsafe = slice, f.bytes(), 0, false, unsafe
	if len(m.slots) < slots {
		m.slots = make([]any, slots)
	}
}

// finish lets go of the values of the run.
func (m *machine) finish(slots int) {
	clear(m.slots[:slots])
	if m.guard != nil {
		m.guard.stop()
		m.guard = nil
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
		panic(&LimitError{ErrMemory, fmt.Sprintf("builds more than %d MiB of data", m.frame.bytes()>>20)})
	}
	if m.steps -= n >> 6; m.steps < 0 {
		m.look()
	}
}

// look checks the clock and the context.
func (m *machine) look() {
	m.steps = slice
	if m.frame.Ctx != nil {
		if err := m.frame.Ctx.Err(); err != nil {
			panic(&LimitError{err, "was stopped"})
		}
	}
	if now := time.Now(); now.After(m.until(now)) {
		panic(&LimitError{ErrTime, fmt.Sprintf("takes longer than %s", m.frame.time())})
	}
}

// until is when the run must have ended; now is the time.
func (m *machine) until(now time.Time) time.Time {
	if !m.timed {
		m.end, m.timed = now.Add(m.frame.time()), true
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
