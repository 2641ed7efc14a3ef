package jq

import (
	"slices"

	"github.com/itchyny/gojq"
)

// UseKind is a construct that lint rules look at.
type UseKind uint8

// The constructs.
const (
	UseDefault    UseKind = iota // a // b; Text is "//"
	UseArithmetic                // a + b and its like; Text is the operator
	UseToNumber                  // tonumber
	UseFirst                     // .[0], first; Text is as written
	UseRegex                     // a literal pattern; Text is the pattern
	UseTimeFormat                // a literal format of strftime and its like; Text is the format
	UseLookup                    // Text is the name of the table
	UseText                      // any other literal text; Text is its value
	UseAssign                    // a = b where yes or no is asked; Text is "="
)

// Use is one appearance of a construct. Left and Right are the operands of an
// operator and the zero Span for the other kinds.
type Use struct {
	Kind     UseKind
	From, To int
	Text     string
	Left     Span
	Right    Span
}

// Uses returns the constructs of the cell in reading order.
func (p *Program) Uses() []Use {
	f := p.known()
	u := &user{src: p.src, pl: f.places, skip: map[any]bool{}}
	walk(f.query, u.see)
	slices.SortStableFunc(u.out, func(a, b Use) int { return a.From - b.From })
	return u.out
}

type user struct {
	src  string
	pl   *places
	out  []Use
	skip map[any]bool // texts that were seen as something better
}

func (u *user) add(k UseKind, at Span, text string) {
	u.out = append(u.out, Use{Kind: k, From: at.From, To: at.To, Text: text})
}

func (u *user) see(node any) {
	switch n := node.(type) {
	case *gojq.Query:
		u.operator(n)
	case *gojq.Term:
		if n.Type == gojq.TermTypeIf {
			u.condition(n.If.Cond)
			for _, e := range n.If.Elif {
				u.condition(e.Cond)
			}
		}
	case *gojq.Func:
		u.call(n)
	case *gojq.Index:
		if v, ok := literalNumber(n.Start); ok && v == 0 && !n.IsSlice && n.Start != nil {
			at := u.pl.span(n)
			u.add(UseFirst, at, u.src[at.From:at.To])
		}
	case *gojq.String:
		if n.Queries == nil && !u.skip[n] {
			u.add(UseText, u.pl.span(n), n.Str)
		}
	}
}

func (u *user) operator(q *gojq.Query) {
	kind := UseArithmetic
	switch q.Op {
	case gojq.OpAlt, gojq.OpUpdateAlt:
		kind = UseDefault
	case gojq.OpAdd, gojq.OpSub, gojq.OpMul, gojq.OpDiv,
		gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul, gojq.OpUpdateDiv:
	default:
		return
	}
	at := u.pl.span(opOf{q})
	u.out = append(u.out, Use{
		Kind: kind, From: at.From, To: at.To, Text: q.Op.String(),
		Left: u.pl.span(q.Left), Right: u.pl.span(q.Right),
	})
}

// condition notes assignments in a query that is asked for yes or no: jq gives
// the whole input with a change in it, which always counts as yes.
func (u *user) condition(q *gojq.Query) {
	if q == nil {
		return
	}
	switch q.Op {
	case gojq.OpAssign:
		u.add(UseAssign, u.pl.span(opOf{q}), "=")
	case gojq.OpAnd, gojq.OpOr:
		u.condition(q.Left)
		u.condition(q.Right)
	case gojq.OpPipe:
		u.condition(q.Right)
	default:
		if q.Term != nil && q.Term.Type == gojq.TermTypeQuery {
			u.condition(q.Term.Query)
		}
	}
}

func (u *user) call(f *gojq.Func) {
	at := u.pl.span(keyOf{f})
	if f.Name == "select" && len(f.Args) == 1 {
		u.condition(f.Args[0])
	}
	switch f.Name {
	case "tonumber":
		u.add(UseToNumber, at, f.Name)
	case "first":
		if len(f.Args) == 0 {
			u.add(UseFirst, at, f.Name)
		}
	case "lookup":
		u.literal(f, UseLookup)
	case "strftime", "strptime", "strflocaltime":
		u.literal(f, UseTimeFormat)
	case "split":
		if len(f.Args) == 2 {
			u.literal(f, UseRegex)
		}
	default:
		if regexFunctions[f.Name] {
			u.literal(f, UseRegex)
		}
	}
}

// literal notes the first argument of f if it is a text.
func (u *user) literal(f *gojq.Func, kind UseKind) {
	if len(f.Args) == 0 {
		return
	}
	if s, ok := literalText(f.Args[0]); ok {
		u.add(kind, u.pl.span(f.Args[0]), s)
		u.skip[bare(f.Args[0]).Str] = true
	}
}
