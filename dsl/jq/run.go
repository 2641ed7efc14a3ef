package jq

import (
	"context"
	"errors"
	"fmt"
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
}

func (e *RunError) Error() string { return e.Text }

// Run returns all values that the program gives for in.
func (p *Program) Run(f *Frame, in any) (out []any, err error) {
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

// each hands every output to yield until yield returns an error.
func (p *Program) each(f *Frame, in any, yield func(any) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &RunError{Text: fmt.Sprintf("cannot be computed for this input (%v)", r)}
		}
	}()
	if len(f.Vars) != len(p.vars) {
		return &RunError{Text: fmt.Sprintf("needs %d variables and was given %d", len(p.vars), len(f.Vars))}
	}
	guard := newGuard(f)
	defer guard.stop()
	limit := f.Outputs
	if limit == 0 {
		limit = DefaultOutputs
	}
	it := p.code.RunWithContext(guard, in, f.Vars...)
	for n := 0; ; n++ {
		v, ok := it.Next()
		if !ok {
			return guard.cause()
		}
		if e, isErr := v.(error); isErr {
			return guard.explain(e)
		}
		if n >= limit {
			return &LimitError{ErrOutputs, fmt.Sprintf("gives more than %d values", limit)}
		}
		if err := yield(v); err != nil {
			return err
		}
	}
}
