package cell

import (
	"context"
	"slices"
	"sync"
	"time"

	"crossdock/dsl/jq"
	"crossdock/dsl/rule"
)

// The variables every jq cell has, by slot of jq.Frame.Vars. Cells of mappings
// have more behind them.
const (
	slotOriginal = iota
	slotMeta
	slotRun
	slotSteps
	slotParams
	slotVars
	BaseVars // how many there are
)

// baseNames are their names in slot order.
var baseNames = [BaseVars]string{"original", "meta", "run", "steps", "params", "vars"}

// Taken reports whether every cell has a variable of that name already.
func Taken(name string) bool { return slices.Contains(baseNames[:], name) }

// Scope is what a run knows beside its payload. It belongs to one run at a
// time and is not safe for concurrent use.
type Scope struct {
	Ctx      context.Context // ends evaluation early; nil means it does not
	Original any
	Meta     any
	Run      any
	Steps    any
	Params   any
	Vars     any
	Response any // success_when, found_when

	Time  time.Duration // longest run of one cell; 0 = the default of dsl/jq
	Bytes int64         // most one cell may build; 0 = the default of dsl/jq

	Aside jq.Sandbox // where cells go on that have met a limit before; nil is this process

	Watch Watch // nil outside of tests
}

var frames = sync.Pool{New: func() any { return new(jq.Frame) }}

// Frame returns a frame for cells with extra variables behind the base ones.
// Whoever took it gives it back with Release.
func (s *Scope) Frame(extra int) *jq.Frame {
	f := frames.Get().(*jq.Frame)
	n := BaseVars + extra
	if cap(f.Vars) < n {
		f.Vars = make([]any, n, n+8)
	}
	f.Vars = f.Vars[:n]
	f.Vars[slotOriginal], f.Vars[slotMeta], f.Vars[slotRun] = s.Original, s.Meta, s.Run
	f.Vars[slotSteps], f.Vars[slotParams], f.Vars[slotVars] = s.Steps, s.Params, s.Vars
	f.Ctx, f.Time, f.Bytes, f.Aside = s.Ctx, s.Time, s.Bytes, s.Aside
	return f
}

// Release takes back a frame, which its holder must not use any more.
func Release(f *jq.Frame) {
	clear(f.Vars)
	f.Ctx, f.Aside = nil, nil
	frames.Put(f)
}

// One runs a cell that gives at most one value.
func (s *Scope) One(p *jq.Program, in any) (v any, ok bool, err error) {
	f := s.Frame(0)
	defer Release(f)
	return p.One(f, in)
}

// All runs a cell that may give several values.
func (s *Scope) All(p *jq.Program, in any) ([]any, error) {
	f := s.Frame(0)
	defer Release(f)
	return p.Run(f, in)
}

// Env returns the names of expr with data as the payload.
func (s *Scope) Env(data any) rule.Env {
	return rule.Env{
		Data: data, Original: s.Original, Meta: s.Meta, Run: s.Run, Steps: s.Steps,
		Params: s.Params, Vars: s.Vars, Response: s.Response,
	}
}

// Yes evaluates a yes/no cell.
func (s *Scope) Yes(p *rule.Program, data any) (bool, error) {
	yes, err := p.Eval(s.Env(data))
	if s.Watch != nil && err == nil {
		s.Watch.Rule(p, yes)
	}
	return yes, err
}
