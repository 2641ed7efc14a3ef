package jq

import (
	"context"
	"errors"
	"time"
)

// Sandbox runs cells apart from the memory of this process. It is safe for
// concurrent use.
type Sandbox interface {
	// Run returns what Program.Run would return for the cell or, where One is
	// set, at most the one value that Program.One would. Errors are those of this
	// package. ctx ends the run early. As the Aside of a Frame it may say ErrHere.
	Run(ctx context.Context, c Call) ([]any, error)
}

// ErrHere says that the Aside of a Frame cannot run a cell, which this process
// then does itself.
var ErrHere = errors.New("has to run in this process")

// errLeaves ends a run that goes on aside. A cell only computes, so it can begin
// anew there.
var errLeaves = errors.New("goes on aside")

// Call is one run of a cell in a Sandbox. Nothing in it may be changed.
type Call struct {
	Source  string
	Unsafe  bool
	One     bool // a second value is an error
	Vars    []string
	Values  []any // of Vars; nil for those that the cell does not name
	In      any
	Time    time.Duration // limits, as in a Frame; none is zero
	Outputs int
	Bytes   int64
	Lookup  func(table string) (Table, bool) // nil where there are no tables
}

// away is what a program has that runs in a sandbox.
type away struct {
	sandbox Sandbox
	named   []bool // which variables the cell names
}

// newAway returns nil where the options name no sandbox.
func newAway(toks []token, opt Options) *away {
	if opt.Sandbox == nil {
		return nil
	}
	return &away{opt.Sandbox, named(toks, opt.Vars)}
}

// named tells which variables a cell names.
func named(toks []token, vars []string) []bool {
	out := make([]bool, len(vars))
	for _, t := range toks {
		if t.kind != tokVariable {
			continue
		}
		for i, v := range vars {
			out[i] = out[i] || t.text == "$"+v
		}
	}
	return out
}

// Sandboxed reports whether the program runs in a sandbox where it does more than
// follow a path.
func (p *Program) Sandboxed() bool { return p.away != nil }

// run runs p in its sandbox.
func (a *away) run(p *Program, f *Frame, in any, one bool) ([]any, error) {
	if err := p.checkVars(f); err != nil {
		return nil, err
	}
	return a.sandbox.Run(f.context(), p.call(f, in, one, a.named))
}

// call is a run of p somewhere else.
func (p *Program) call(f *Frame, in any, one bool, named []bool) Call {
	c := Call{
		Source: p.src, Unsafe: p.unsafe, One: one, Vars: p.vars, Values: make([]any, len(f.Vars)), In: in,
		Time: f.time(), Outputs: f.outputs(), Bytes: f.bytes(), Lookup: p.lookup,
	}
	for i, v := range f.Vars {
		if named[i] {
			c.Values[i] = v
		}
	}
	return c
}

// aside runs p from its beginning where f says, or else here after all.
func (p *Program) aside(f *Frame, in any, one bool) ([]any, error) {
	out, err := f.Aside.Run(f.context(), p.call(f, in, one, named(scan(p.src), p.vars)))
	if err == nil || !errors.Is(err, ErrHere) {
		return out, err
	}
	f.stays = true
	defer func() { f.stays = false }()
	if !one {
		return p.all(f, in)
	}
	v, ok, err := p.here(f, in)
	if err != nil || !ok {
		return nil, err
	}
	return []any{v}, nil
}
