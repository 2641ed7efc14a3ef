package jq

import (
	"context"
	"time"
)

// Sandbox runs cells apart from the memory of this process. It is safe for
// concurrent use.
type Sandbox interface {
	// Run returns what Program.Run would return for the cell or, where One is
	// set, at most the one value that Program.One would. Errors are those of this
	// package. ctx ends the run early.
	Run(ctx context.Context, c Call) ([]any, error)
}

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
	lookup  func(table string) (Table, bool)
	named   []bool // which variables the cell names
}

// newAway returns nil where the options name no sandbox.
func newAway(toks []token, opt Options) *away {
	if opt.Sandbox == nil {
		return nil
	}
	a := &away{sandbox: opt.Sandbox, lookup: opt.Lookup, named: make([]bool, len(opt.Vars))}
	for _, t := range toks {
		if t.kind != tokVariable {
			continue
		}
		for i, v := range opt.Vars {
			a.named[i] = a.named[i] || t.text == "$"+v
		}
	}
	return a
}

// Sandboxed reports whether the program runs in a sandbox where it does more than
// follow a path.
func (p *Program) Sandboxed() bool { return p.away != nil }

// run runs p in its sandbox.
func (a *away) run(p *Program, f *Frame, in any, one bool) ([]any, error) {
	if err := p.checkVars(f); err != nil {
		return nil, err
	}
	c := Call{
		Source: p.src, Unsafe: p.unsafe, One: one, Vars: p.vars, Values: make([]any, len(f.Vars)), In: in,
		Time: f.time(), Outputs: f.outputs(), Bytes: f.bytes(), Lookup: a.lookup,
	}
	for i, v := range f.Vars {
		if a.named[i] {
			c.Values[i] = v
		}
	}
	ctx := f.Ctx
	if ctx == nil {
		ctx = context.Background()
	}
	return a.sandbox.Run(ctx, c)
}
