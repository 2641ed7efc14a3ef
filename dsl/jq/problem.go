package jq

import (
	"cmp"
	"slices"
)

// Kind groups the problems of a cell.
type Kind uint8

// The kinds of problems.
const (
	Syntax   Kind = iota // the text is not jq
	Unknown              // a name that does not exist
	Refused              // jq that definitions may not use
	TooLarge             // over a size limit
	Doubtful             // jq that works, but hardly as meant
)

// Problem is one finding in a cell. From and To are byte offsets in its text.
type Problem struct {
	Kind     Kind
	From, To int
	Warning  bool   // the cell works all the same
	Message  string // what is wrong, one sentence without a period
	Hint     string // what to type or what exists instead
	Replace  string // text that mends From..To, if there is one
	Name     string // of kind Unknown: the name that does not exist, a variable with its $
	Table    bool   // and it is that of a lookup table
}

// Error returns the message and the hint.
func (p Problem) Error() string {
	if p.Hint == "" {
		return p.Message
	}
	return p.Message + ": " + p.Hint
}

// order puts errors before warnings and both in reading order, so that the
// root cause comes first.
func order(ps []Problem) []Problem {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		if a.Warning != b.Warning {
			if b.Warning {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.From, b.From)
	})
	return slices.CompactFunc(ps, func(a, b Problem) bool { return a == b })
}

func failed(ps []Problem) bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}
