package rule

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"time"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"crossdock/dsl/turn"
	"crossdock/dsl/value"
)

// slot is a value that the code finds under a name of its own, filled before
// it runs.
type slot struct {
	name    string
	root    int // index in Names
	steps   []Segment
	numeric bool // numbers are needed as the machine computes with them
	path    Path
}

// state is what one evaluation needs; states are reused.
type state struct {
	vm     vm.VM
	env    map[string]any
	budget budget
}

// budget bounds the work of one evaluation.
type budget struct {
	steps    int
	deadline time.Time
	turn     turn.Turn
	met      bool // the rule has met a limit before
	over     bool // a limit was met
	patient  bool // it has waited for its turn in vain
}

// patience is how long a rule that takes long waits for its turn; then it goes
// on without one.
const patience = 5 * time.Second

// await waits for the turn of a rule that takes long, which is not counted as
// its time.
func (b *budget) await(now time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	// Without a turn it still ends within its time: it is only not alone.
	if b.turn.Take(ctx, false, b.met) != nil {
		b.patient = true
	}
	b.deadline = b.deadline.Add(time.Since(now))
}

// Bounds of one evaluation: steps of all predicates together, and their time.
const (
	maxSteps     = 2_000_000
	longSteps    = 1_000 // a rule that takes long has done at least these
	maxTime      = 250 * time.Millisecond
	memoryBudget = 100_000 // values the machine may build
	sizeValue    = 16      // bytes of one, about
)

const budgetName = "$b"

// maxExact is the length up to which a number keeps its order among others
// when the machine takes it as float64: 15 digits, a point and a sign.
const maxExact = 17

// follow walks down from v. A field or item that is not there is nothing; a
// field of something that has none is reported with the step that failed.
func follow(v any, steps []Segment) (out any, failed int) {
	for i := range steps {
		s := &steps[i]
		switch t := v.(type) {
		case nil:
			return nil, -1
		case map[string]any:
			if s.Indexed {
				return nil, i
			}
			v = t[s.Name]
		case []any:
			if !s.Indexed {
				return nil, i
			}
			at := s.Index
			if at < 0 {
				at += len(t)
			}
			if at < 0 || at >= len(t) {
				return nil, -1
			}
			v = t[at]
		default:
			return nil, i
		}
	}
	return v, -1
}

// native returns a number as the machine computes with it: int where it is a
// whole number of 64 bits, else float64. Other values stay as they are.
func native(v any) any {
	switch n := v.(type) {
	case json.Number:
		if out := nativeNumber(n); out != nil {
			return out
		}
	case int64:
		return int(n)
	case *big.Int:
		if n.IsInt64() {
			return int(n.Int64())
		}
		f, _ := new(big.Float).SetInt(n).Float64()
		return f
	}
	return v
}

// nativeNumber returns nil for a number beyond what the machine knows.
func nativeNumber(n json.Number) any {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return int(i)
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return nil
	}
	return f
}

// Eval answers the rule for env. Its error is an *Error. It is safe for
// concurrent use.
func (p *Program) Eval(env Env) (bool, error) { return p.eval(&env) }

func (p *Program) eval(env *Env) (bool, error) {
	st, ok := p.states.Get().(*state)
	if !ok {
		st = &state{env: make(map[string]any, len(p.slots)+1)}
		st.vm.MemoryBudget = memoryBudget
		if p.looped {
			st.env[budgetName] = &st.budget
		}
	}
	for i := range p.slots {
		s := &p.slots[i]
		v, failed := follow(env.root(s.root), s.steps)
		if failed >= 0 && p.careful != nil {
			p.states.Put(st)
			return p.evalCarefully(env)
		}
		if s.numeric {
			if n, ok := v.(json.Number); ok {
				var out any
				if len(n) <= maxExact {
					out = nativeNumber(n)
				}
				if out == nil && p.careful != nil {
					p.states.Put(st)
					return p.evalCarefully(env)
				}
				v = out
			} else {
				v = native(v)
			}
		}
		st.env[s.name] = v
	}
	st.budget = budget{met: p.met.Load()}
	out, err := st.vm.Run(p.code, st.env)
	if st.budget.turn.Held() {
		st.budget.turn.Leave(memoryBudget * sizeValue)
	}
	if st.budget.over {
		p.met.Store(true)
	}
	p.states.Put(st)
	if err != nil {
		return false, p.explainFailure(err, env)
	}
	yes, ok := out.(bool)
	if !ok {
		return false, p.notYesNo(out, env)
	}
	return yes, nil
}

// evalCarefully runs the rule where a path could not be followed, which fails
// only if it is really needed, or where a number has more digits than the
// machine can compare.
func (p *Program) evalCarefully(env *Env) (bool, error) {
	careful, err := p.careful()
	if err != nil {
		return false, &Error{Code: "rule", Message: "the rule cannot be evaluated"}
	}
	return careful.eval(env)
}

// Error is a rule that could not be answered.
type Error struct {
	Code    string // "missing", "type", "limit" or "rule"
	Path    string // the path to blame, where one is known: "data.attempt"
	Message string // one sentence without a period that names path and kind
	Hint    string
}

// Error returns the message, followed by the hint where there is one.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + " (" + e.Hint + ")"
}

func (p *Program) notYesNo(out any, env *Env) error {
	e := &Error{Code: "type", Message: "the rule must answer yes or no, but gives " + describe(out)}
	if out == nil {
		e.Code = "missing"
	}
	if path, ok := wholePath(p); ok {
		e.Path = path.String()
		e.Message = e.Path + " is " + describe(out) + ", expected true or false"
		if out == nil {
			e.Message, e.Hint = e.Path+" is missing, expected true or false", "write `"+e.Path+" ?? false`"
		}
	}
	return e
}

// wholePath returns the path that is the whole rule.
func wholePath(p *Program) (Path, bool) {
	if len(p.paths) == 1 && p.paths[0].From == leading(p.source) && p.paths[0].To == len(p.source)-trailing(p.source) {
		return p.paths[0], true
	}
	return Path{}, false
}

func describe(v any) string {
	if v == nil {
		return "nothing"
	}
	return value.Describe(v)
}

// explainFailure words an error of the machine for people: it looks at what
// stands at the place of the failure and names the value that does not fit.
func (p *Program) explainFailure(err error, env *Env) error {
	var known *Error
	if errors.As(err, &known) {
		out := *known
		return &out
	}
	var at *file.Error
	if !errors.As(err, &at) {
		return &Error{Code: "rule", Message: "the rule cannot be evaluated"}
	}
	if at.Message == "memory budget exceeded" {
		return &Error{Code: "limit", Message: "the rule builds too many values", Hint: "walk over fewer items"}
	}
	op, ok := p.places[at.From]
	if !ok {
		return &Error{Code: "rule", Message: "the rule cannot be evaluated: a value is missing or of another kind than expected"}
	}
	return op.blame(env)
}

// Reading is the value of a path that a rule reads.
type Reading struct {
	Path    string
	Value   any
	Missing bool // nothing is there
}

// Explain returns the values of what the rule reads, each path once, in source
// order. Paths into the items of a list are left out; the list itself is
// given.
func (p *Program) Explain(env Env) []Reading {
	var out []Reading
	seen := map[string]bool{}
	for _, path := range p.paths {
		root := rootIndex(path.Root)
		steps := path.Segments
		for i, s := range steps {
			if s.Name == value.Items && !s.Indexed {
				steps = steps[:i]
				break
			}
		}
		shown := Path{Root: path.Root, Segments: steps}.String()
		if root < 0 || seen[shown] {
			continue
		}
		seen[shown] = true
		v, _ := follow(env.root(root), steps)
		out = append(out, Reading{Path: shown, Value: v, Missing: v == nil})
	}
	return out
}
