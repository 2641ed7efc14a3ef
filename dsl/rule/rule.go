package rule

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/expr-lang/expr/vm"

	"crossdock/dsl/value"
)

// Names are all names a scope can have, in the order of Env.
var Names = []string{"data", "original", "meta", "run", "steps", "params", "vars", "state", "response", "left", "right"}

// Env holds the values of the names. A name that the rule's scope does not
// have is never read.
type Env struct {
	Data, Original, Meta, Run, Steps, Params, Vars, State, Response, Left, Right any
}

func (e *Env) root(i int) any {
	switch i {
	case 0:
		return e.Data
	case 1:
		return e.Original
	case 2:
		return e.Meta
	case 3:
		return e.Run
	case 4:
		return e.Steps
	case 5:
		return e.Params
	case 6:
		return e.Vars
	case 7:
		return e.State
	case 8:
		return e.Response
	case 9:
		return e.Left
	}
	return e.Right
}

// Scope says what a rule can use.
type Scope struct {
	// Names maps each name that exists here to what is known of its value; nil
	// where nothing is.
	Names map[string]*value.Shape
	// Lookup finds a lookup table for in_lookup and returns its test for a
	// code. Nil means that there are no tables.
	Lookup func(table string) (has func(code string) bool, ok bool)
	// Tables are the names Lookup knows, for suggestions.
	Tables []string
}

// Kind says what a problem is about.
type Kind string

// The kinds of problem.
const (
	KindSyntax   Kind = "syntax"   // it cannot be read
	KindLimit    Kind = "limit"    // too long, too deep, or not allowed in a rule
	KindName     Kind = "name"     // unknown name, function or table
	KindField    Kind = "field"    // the schema has no such field
	KindType     Kind = "type"     // operands that do not fit
	KindResult   Kind = "result"   // the answer is not yes or no
	KindOptional Kind = "optional" // a field that may be missing where a value is needed
	KindTruth    Kind = "truth"    // a text where a field would have to be yes or no
	KindOption   Kind = "option"   // a text that is none of the field's options
)

// Problem is a mistake in a rule. From and To are byte offsets in its source.
type Problem struct {
	From, To int
	Kind     Kind
	Message  string
	Hint     string
	Short    string // "did you mean `zip`?"
	Replace  string // what to put between From and To, where that is certain enough to offer
	Table    string // of kind KindName: the lookup table that does not exist, or ""
	Warning  bool   // it does not make the rule wrong
}

// Program is a compiled rule.
type Program struct {
	source string
	paths  []Path
	tables []Table
	wants  []Want
	truth  Truth

	first, second string // conditions that decide it, whatever is given; see Clash
	counted       []Counted
	demands       []demand
	onlyDemands   bool   // it asks for nothing else
	lead          demand // what it asks first
	choice        choice

	slots  []slot
	code   *vm.Program
	looped bool // it walks lists and so needs a budget
	places map[int]operation
	states sync.Pool
	met    atomic.Bool // an evaluation was stopped at a limit

	// careful is the same rule, slower: every path is followed only when it is
	// needed and every comparison is exact.
	careful func() (*Program, error)

	parts func() []*Program // the conditions it joins, for Why
}

// Truth is what is known of a rule's answer before it is run.
type Truth uint8

// The three truths.
const (
	Varies Truth = iota
	Always
	Never
)

// Table is a lookup table that a rule names.
type Table struct {
	Name     string
	From, To int
}

// Source returns the text of the rule.
func (p *Program) Source() string { return p.source }

// Paths returns what the rule reads, in source order, repeats included.
func (p *Program) Paths() []Path { return slices.Clone(p.paths) }

// Tables returns the lookup tables the rule names.
func (p *Program) Tables() []Table { return slices.Clone(p.tables) }

// Truth says whether the rule answers yes or no whatever it is given.
func (p *Program) Truth() Truth { return p.truth }

// Clash returns two conditions of the rule that exclude each other, where they
// are joined with and, or of which one always holds, where they are joined with
// or; "" where there are none.
func (p *Program) Clash() (first, second string) { return p.first, p.second }

// Limits of a rule.
const (
	maxSource  = 4 << 10
	maxNesting = 50
	maxNodes   = 300
)

// Compile compiles a rule. It returns every problem it finds, in source order.
// The program is nil where a problem makes it impossible to run; problems that
// only a schema reveals leave it usable.
func Compile(src string, scope Scope) (*Program, []Problem) {
	if p, bad := precheck(src); bad {
		return nil, []Problem{p}
	}
	c := &compilation{src: src, offsets: byteOffsets(src), scope: scope}
	p := c.compile()
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.From - b.From })
	return p, c.problems
}

// precheck refuses what the parser should not even see.
func precheck(src string) (Problem, bool) {
	if strings.TrimSpace(src) == "" {
		return Problem{To: len(src), Kind: KindSyntax, Message: "the rule is empty", Hint: "write a condition such as data.status == \"RELEASED\", or true"}, true
	}
	if len(src) > maxSource {
		return Problem{To: len(src), Kind: KindLimit, Message: "the rule is longer than 4096 bytes", Hint: "split it, or compute part of it in a mapping"}, true
	}
	depth := 0
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '"', '\'', '`':
			i = skipText(src, i)
		case '(', '[', '{':
			if depth++; depth > maxNesting {
				return Problem{From: i, To: i + 1, Kind: KindLimit, Message: "brackets are nested more than 50 deep", Hint: "split the rule"}, true
			}
		case ')', ']', '}':
			depth--
		}
	}
	return Problem{}, false
}

// skipText returns the index of the quote that closes the one at i, or the end.
func skipText(src string, i int) int {
	quote := src[i]
	for i++; i < len(src); i++ {
		switch {
		case src[i] == '\\' && quote != '`':
			i++
		case src[i] == quote:
			return i
		}
	}
	return i
}

// byteOffsets maps rune offsets to byte offsets; nil where they are the same.
func byteOffsets(src string) []int {
	ascii := true
	for i := range len(src) {
		if src[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return nil
	}
	var out []int
	for i := range src {
		out = append(out, i)
	}
	return append(out, len(src))
}
