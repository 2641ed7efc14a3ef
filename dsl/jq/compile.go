package jq

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// Limits on the text of one cell. They are checked before parsing.
const (
	MaxSource  = 64 << 10 // bytes
	MaxTokens  = 12_000   // names, numbers, texts, operators and brackets
	MaxNesting = 200      // brackets and blocks inside each other
)

// Table is a crosswalk that lookup reads. It must be safe for concurrent use.
type Table interface {
	// Find returns what the table says for key. column is "" for a table with
	// one column. What a miss means is the decision of the table: a value, or
	// an error whose text is shown to people.
	Find(key, column string) (any, error)
}

// Options says what a cell may use. The zero value is a cell without
// variables and tables.
type Options struct {
	// Vars names the variables without their $, in the order in which a Frame
	// carries their values. Programs share the slice: it must not be changed.
	Vars []string
	// Lookup finds a table for the lookup function; nil means there are none.
	Lookup func(table string) (Table, bool)
	// Tables names the known tables, for suggestions only.
	Tables []string
	// Sandbox runs the cell, unless it only follows a path; nil means this
	// process does.
	Sandbox Sandbox
	// Unsafe allows what can run without a bound: recursion, open loops and
	// regular expressions made from data. The limits of the Frame still hold.
	Unsafe bool
}

// Program is one compiled cell. It is immutable and safe for concurrent use.
type Program struct {
	src   string
	vars  []string
	facts atomic.Pointer[facts] // nil once forgotten

	root     *node
	slots    int
	compiled bool
	unsafe   bool
	checked  bool // outputs are measured, because they can be larger than what was built

	away   *away // nil where this process runs it
	lookup func(table string) (Table, bool)

	met atomic.Bool // a run was stopped at a limit
}

// Compile turns the text of a cell into a Program. It returns everything that
// is wrong with the cell, root cause first; the Program is nil if any problem
// is an error.
func Compile(src string, opt Options) (*Program, []Problem) {
	if len(src) > MaxSource {
		return nil, []Problem{{
			Kind: TooLarge, From: MaxSource, To: len(src),
			Message: fmt.Sprintf("the cell has %d bytes, the limit is %d", len(src), MaxSource),
			Hint:    "split it into several rows, or move constant data into a lookup",
		}}
	}
	if at, bad := badText(src); bad {
		return nil, []Problem{{
			Kind: Syntax, From: at, To: at + 1,
			Message: "the cell has a byte here that is no text", Hint: "save the file as UTF-8 and remove control characters",
		}}
	}
	toks := scan(src)
	if len(toks) > MaxTokens {
		return nil, []Problem{{
			Kind: TooLarge, From: toks[MaxTokens].From, To: len(src),
			Message: fmt.Sprintf("the cell has more than %d words and signs", MaxTokens),
			Hint:    "split it into several rows, or move constant data into a lookup",
		}}
	}
	if at, deep := nesting(toks, MaxNesting); deep {
		return nil, []Problem{{
			Kind: TooLarge, From: at.From, To: at.To,
			Message: fmt.Sprintf("brackets and blocks are nested more than %d deep here", MaxNesting),
			Hint:    "split the cell with `let` values",
		}}
	}
	query, err := gojq.Parse(src)
	if err != nil {
		return nil, ofOthers(src, []Problem{syntaxProblem(src, toks, err)})
	}
	pl := locate(query, toks)
	problems := check(src, query, pl, opt)
	if failed(problems) {
		problems = ofOthers(src, problems)
	}
	if failed(problems) {
		return nil, order(problems)
	}
	p := &Program{src: src, vars: opt.Vars, checked: copies(query) > maxCopies, unsafe: opt.Unsafe, away: newAway(toks, opt), lookup: opt.Lookup}
	p.facts.Store(&facts{query: query, places: pl})
	root, b, err := build(query, opt)
	if err == nil {
		p.root, p.slots, p.compiled = root, b.slots, b.bridges == 0
		return p, order(problems)
	}
	if p.root, err = interpreted(query, opt); err != nil {
		problems = append(problems, Problem{Kind: Syntax, To: len(src), Message: err.Error()})
		return nil, order(problems)
	}
	return p, order(problems)
}

// facts are what a cell says, as far as that is needed to look at it and not to
// run it.
type facts struct {
	query  *gojq.Query
	places *places

	traced     sync.Once
	paths      []Path
	operations []Operation
	columns    []Column
	gives      *Path
}

// known returns the facts, made again where they were forgotten.
func (p *Program) known() *facts {
	if f := p.facts.Load(); f != nil {
		return f
	}
	query, err := gojq.Parse(p.src)
	if err != nil {
		panic("jq: a compiled cell cannot be read again: " + err.Error()) // it was read before
	}
	return &facts{query: query, places: locate(query, scan(p.src))}
}

// Forget lets go of what only Paths and Uses need, which is several times what
// running needs. They still work, more slowly.
func (p *Program) Forget() { p.facts.Store(nil) }

// badText finds the first byte that is no UTF-8 or a NUL, behind which the
// parser would read nothing.
func badText(src string) (at int, bad bool) {
	for i, r := range src {
		if r == 0 || r == utf8.RuneError && !strings.HasPrefix(src[i:], "\uFFFD") {
			return i, true
		}
	}
	return 0, false
}

// interpreted is a whole cell in the interpreter.
func interpreted(query *gojq.Query, opt Options) (*node, error) {
	names := make([]string, len(opt.Vars))
	for i, v := range opt.Vars {
		names[i] = "$" + v
	}
	code, err := interpreter(query, names, opt)
	if err != nil {
		return nil, err
	}
	return stream(func(m *machine, in any, yield yieldFunc) error { return m.interpret(code, in, m.frame.Vars, yield) }), nil
}

// Source returns the text the program was compiled from.
func (p *Program) Source() string { return p.src }

// Vars returns the names of the variables in the order of Frame.Vars.
func (p *Program) Vars() []string { return p.vars }

// Compiled reports whether the whole program runs as closures; the others run
// in the interpreter, at least in part, and give the same results more slowly.
func (p *Program) Compiled() bool { return p.compiled }

// syntaxProblem turns an error of the parser into words and a place.
func syntaxProblem(src string, toks []token, err error) Problem {
	p := Problem{Kind: Syntax, To: len(src), Message: err.Error()}
	var pe *gojq.ParseError
	if !errors.As(err, &pe) {
		return p
	}
	p.From, p.To = max(0, pe.Offset-len(pe.Token)), pe.Offset
	trimmed := strings.TrimSpace(src)
	switch {
	case trimmed == "":
		p.From, p.Message, p.Hint = 0, "the cell is empty", emptyHint(src)
	case strings.HasPrefix(p.Message, "unterminated string"):
		p.Message, p.Hint = "a text is not closed", "end it with a double quote"
		if at := lastOpenQuote(toks); at >= 0 {
			p.From, p.To = at, len(src)
		}
		if at, open := openValue(toks); open {
			p.From, p.To = at.From, at.To
			p.Message, p.Hint = "the value inside the text is not closed", "`\\(` is closed by `)`"
		}
	case strings.HasPrefix(p.Message, "invalid escape"):
		p.Message = fmt.Sprintf("`%s` is no escape that a text may have", pe.Token)
		p.Hint = `write a backslash as \\`
	case pe.Token == "":
		p.From, p.To = len(strings.TrimRight(src, " \t\r\n")), len(src)
		p.Message, p.Hint = "the cell ends too early", missingEnd(toks)
	case typeset(&p, src):
	default:
		p.Message = fmt.Sprintf("`%s` cannot stand here", pe.Token)
		for i, t := range toks {
			if t.From <= p.From && p.From < t.To {
				p.Hint = syntaxHint(src, toks, i)
				if p.Hint == ternaryHint {
					p.From, p.To = lastQuestion(toks[:i+1]), t.To
					p.Message = "`?` chooses nothing in jq"
				}
			}
		}
	}
	return p
}

// lastQuestion is where the last question mark stands.
func lastQuestion(toks []token) int {
	for i := len(toks) - 1; i >= 0; i-- {
		if toks[i].text == "?" {
			return toks[i].From
		}
	}
	return 0
}

// openValue returns the `\(` that nothing closes, where it is the only one that is
// open.
func openValue(toks []token) (at Span, open bool) {
	depth := 0
	for _, t := range toks {
		switch {
		case t.kind == tokInterp:
			at, depth = t.Span, 1
			open = true
		case open && t.kind == tokOp && t.text == "(":
			depth++
		case open && t.kind == tokOp && t.text == ")":
			if depth--; depth == 0 {
				open = false
			}
		}
	}
	return at, open
}

func lastOpenQuote(toks []token) int {
	for i := len(toks) - 1; i >= 0; i-- {
		if k := toks[i].kind; k == tokString || k == tokStrOpen {
			return toks[i].From
		}
	}
	return -1
}

// missingEnd names the bracket or block that is still open at the end.
func missingEnd(toks []token) string {
	closer := map[string]string{"(": ")", "[": "]", "{": "}", "if": "end"}
	var open []string
	for _, t := range toks {
		switch {
		case t.kind == tokInterp:
			open = append(open, "(")
		case (t.kind == tokOp || t.kind == tokIdent) && closer[t.text] != "":
			open = append(open, t.text)
		case len(open) > 0 && (t.kind == tokOp || t.kind == tokIdent) && closer[open[len(open)-1]] == t.text:
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return "something must follow"
	}
	last := open[len(open)-1]
	if last == "if" {
		for i, t := range toks {
			switch {
			case t.text == "then" && t.kind == tokIdent:
				last = "if..then"
			case i > 0 && t.text == "if" && toks[i-1].text == "else":
				return "`else if` is written `elif`: if a then b elif c then d else e end"
			}
		}
		if last == "if" {
			return "`if` is written `if a then b else c end`"
		}
		return "`if` is not closed by `end`"
	}
	return fmt.Sprintf("`%s` is not closed by `%s`", last, closer[last])
}
