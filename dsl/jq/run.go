package jq

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// Limits that hold where a Frame does not set its own.
const (
	DefaultTime    = time.Second
	DefaultOutputs = 100_000
	DefaultBytes   = 128 << 20
)

// Frame carries what the cells of one message share: variables and limits. It
// is used by one goroutine at a time and may be used again for every row and,
// after changing Vars and Ctx, for the next message.
type Frame struct {
	// Ctx ends the run early; nil means it does not.
	Ctx context.Context
	// Vars holds the values of Options.Vars in the same order.
	Vars []any
	// Time limits one run of one cell; zero means DefaultTime.
	Time time.Duration
	// Outputs limits the number of values of one run; zero means DefaultOutputs.
	Outputs int
	// Bytes limits what one run may build, garbage included; zero means
	// DefaultBytes.
	Bytes int64
	// Aside runs what has met a limit before and turns out to be large again; nil
	// means that this process goes on with it.
	Aside Sandbox
	// Clock tells the time by which Time is counted; nil means time.Now.
	Clock func() time.Time

	machine machine
	stays   bool // Aside could not run it
}

// context is Ctx, or one that never ends.
func (f *Frame) context() context.Context {
	if f.Ctx == nil {
		return context.Background()
	}
	return f.Ctx
}

// now is the time by which limits are counted.
func (f *Frame) now() time.Time {
	if f.Clock == nil {
		return time.Now()
	}
	return f.Clock()
}

// time is what limits one run of one cell.
func (f *Frame) time() time.Duration {
	if f.Time == 0 {
		return DefaultTime
	}
	return f.Time
}

// outputs is how many values one run may give.
func (f *Frame) outputs() int {
	if f.Outputs == 0 {
		return DefaultOutputs
	}
	return f.Outputs
}

// bytes is what one run may build.
func (f *Frame) bytes() int64 {
	if f.Bytes == 0 {
		return DefaultBytes
	}
	return f.Bytes
}

// The limits a run can meet. LimitError wraps one of them.
var (
	ErrTime    = errors.New("ran out of time")
	ErrMemory  = errors.New("built too much data")
	ErrOutputs = errors.New("gave too many values")
)

// LimitError says that a run was stopped at a limit of its Frame.
type LimitError struct {
	Limit error // ErrTime, ErrMemory or ErrOutputs
	Text  string
}

func (e *LimitError) Error() string { return e.Text }
func (e *LimitError) Unwrap() error { return e.Limit }

// SeveralError says that a cell which must give one value gave more.
type SeveralError struct{ First, Second any }

func (e *SeveralError) Error() string {
	return fmt.Sprintf("gives several values, the first two are %s and %s", gojq.Preview(e.First), gojq.Preview(e.Second))
}

// Hint says what to type instead.
func (e *SeveralError) Hint() string { return "put [ ... ] around it for a list, or take first(...)" }

// RunError is an error that the cell met in its input, in words for people.
type RunError struct {
	Text  string
	Value any // the value given to error(...), else nil

	cause error
}

func (e *RunError) Error() string { return e.Text }

// Unwrap returns the defect behind an error that should not happen, else nil.
func (e *RunError) Unwrap() error { return e.cause }

// Path returns the names that the program reads, one in the other, from its
// input, if that is all that it does.
func (p *Program) Path() ([]string, bool) {
	return p.root.keys, p.root.base == nil && len(p.root.keys) > 0
}

// plain reports whether the program only follows a path or is a constant, which
// costs nothing and can harm nobody.
func (p *Program) plain() bool {
	return p.root.constant || p.root.keys != nil && p.root.base == nil
}

// Single reports whether the program gives at most one value for any input.
func (p *Program) Single() bool { return p.root.one != nil || p.root.maybe != nil }

// Run returns all values that the program gives for in.
func (p *Program) Run(f *Frame, in any) (out []any, err error) {
	if p.away != nil && !p.plain() {
		return p.away.run(p, f, in, false)
	}
	if p.Single() {
		v, ok, err := p.One(f, in)
		if err != nil || !ok {
			return nil, err
		}
		return []any{v}, nil
	}
	if out, err = p.all(f, in); err == errLeaves {
		return p.aside(f, in, false)
	}
	return out, err
}

func (p *Program) all(f *Frame, in any) (out []any, err error) {
	err = p.each(f, in, func(v any) error {
		out = append(out, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// One returns the only value that the program gives for in; ok is false if it
// gives none. Several values are a *SeveralError.
func (p *Program) One(f *Frame, in any) (v any, ok bool, err error) {
	switch {
	case p.root.constant:
		return p.root.value, true, nil
	case p.root.keys != nil && p.root.base == nil:
		if v, err := p.read(in); err == nil {
			return v, true, nil
		}
		return p.only(f, in) // for the words
	case p.away != nil:
		return first(p.away.run(p, f, in, true))
	}
	if v, ok, err = p.here(f, in); err == errLeaves {
		return first(p.aside(f, in, true))
	}
	return v, ok, err
}

// first is One of a run that gave at most one value.
func first(out []any, err error) (v any, ok bool, _ error) {
	if err != nil || len(out) == 0 {
		return nil, false, err
	}
	return out[0], true, nil
}

// here is One in this process.
func (p *Program) here(f *Frame, in any) (v any, ok bool, err error) {
	if p.Single() {
		return p.only(f, in)
	}
	return p.sole(f, in)
}

// read follows a plain path, which needs neither variables nor limits.
func (p *Program) read(in any) (v any, err error) {
	v = in
	for _, key := range p.root.keys {
		if v, err = get(v, key); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// sole is One for a program that may give several values.
func (p *Program) sole(f *Frame, in any) (v any, ok bool, err error) {
	err = p.each(f, in, func(w any) error {
		if ok {
			return &SeveralError{v, w}
		}
		v, ok = w, true
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return v, ok, nil
}

// only is One for a program that cannot give more than one value.
func (p *Program) only(f *Frame, in any) (v any, ok bool, err error) {
	if err := p.checkVars(f); err != nil {
		return nil, false, err
	}
	m := &f.machine
	m.begin(f, p)
	defer func() {
		m.finish(p)
		if r := recover(); r != nil {
			v, ok, err = nil, false, p.recovered(r)
		}
	}()
	if p.root.one != nil {
		v, err = p.root.one(m, in)
		ok = err == nil
	} else {
		v, ok, err = p.root.maybe(m, in)
	}
	if err != nil {
		return nil, false, m.outward(err)
	}
	if !ok {
		return nil, false, nil
	}
	if p.checked {
		m.measure(v)
	}
	return v, ok, nil
}

// checkVars reports that a frame does not have the variables of the cell.
func (p *Program) checkVars(f *Frame) error {
	if len(f.Vars) == len(p.vars) {
		return nil
	}
	return &RunError{Text: fmt.Sprintf("needs %d variables and was given %d", len(p.vars), len(f.Vars))}
}

// each hands every output to yield until yield returns an error.
func (p *Program) each(f *Frame, in any, yield func(any) error) (err error) {
	if err := p.checkVars(f); err != nil {
		return err
	}
	m := &f.machine
	m.begin(f, p)
	defer func() {
		m.finish(p)
		if r := recover(); r != nil {
			err = p.recovered(r)
		}
	}()
	left := f.outputs()
	limit := left
	err = p.root.each(m, in, func(v any) error {
		if left--; left < 0 {
			return &LimitError{ErrOutputs, fmt.Sprintf("gives more than %d values", limit)}
		}
		if p.checked {
			m.measure(v)
		}
		return yield(v)
	})
	if err != nil {
		return m.outward(err)
	}
	return nil
}

// recovered turns a panic into an error: limits stop a run that way, and a
// defect must fail one message and not the process.
func (p *Program) recovered(r any) error {
	if limit, ok := r.(*LimitError); ok {
		if limit.Limit == ErrTime || limit.Limit == ErrMemory {
			p.met.Store(true)
		}
		return limit
	}
	if r == any(errLeaves) {
		return errLeaves
	}
	return &RunError{Text: "cannot be computed for this input", cause: fmt.Errorf("panic: %v", r)}
}

// maxErrorText bounds the text of an error, in bytes.
const maxErrorText = 2000

// outward turns an error of a cell into one for callers.
func (m *machine) outward(err error) error {
	switch err.(type) {
	case *LimitError, *SeveralError, *RunError:
		return err
	}
	out := &RunError{}
	if ve, ok := err.(gojq.ValueError); ok {
		out.Value = ve.Value()
		m.measure(out.Value)
		err = &thrown{out.Value}
	}
	if out.Text = err.Error(); len(out.Text) > maxErrorText {
		out.Text = strings.ToValidUTF8(out.Text[:maxErrorText], "") + " ..."
	}
	return out
}
