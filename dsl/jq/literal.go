package jq

import (
	"strconv"

	"github.com/itchyny/gojq"
)

// bare returns the term of q without brackets around it, or nil.
func bare(q *gojq.Query) *gojq.Term {
	for q != nil && q.Term != nil && len(q.FuncDefs) == 0 {
		if q.Term.Type != gojq.TermTypeQuery || len(q.Term.SuffixList) > 0 {
			return q.Term
		}
		q = q.Term.Query
	}
	return nil
}

// literalText returns the text of q if it is a string without interpolation.
func literalText(q *gojq.Query) (string, bool) {
	t := bare(q)
	if t == nil || t.Type != gojq.TermTypeString || len(t.SuffixList) > 0 || t.Str.Queries != nil {
		return "", false
	}
	return t.Str.Str, true
}

// literalNumber returns the value of q if it is a number.
func literalNumber(q *gojq.Query) (float64, bool) {
	t := bare(q)
	if t == nil || len(t.SuffixList) > 0 {
		return 0, false
	}
	if t.Type == gojq.TermTypeUnary {
		n, ok := literalNumber(&gojq.Query{Term: t.Unary.Term})
		if t.Unary.Op == gojq.OpSub {
			n = -n
		}
		return n, ok
	}
	if t.Type != gojq.TermTypeNumber {
		return 0, false
	}
	n, err := strconv.ParseFloat(t.Number, 64)
	return n, err == nil
}

// literalRegex returns the pattern of q if it is a text, or an array that
// begins with one, as in ["^a", "g"].
func literalRegex(q *gojq.Query) (string, bool) {
	if s, ok := literalText(q); ok {
		return s, true
	}
	t := bare(q)
	if t == nil || t.Type != gojq.TermTypeArray || len(t.SuffixList) > 0 {
		return "", false
	}
	first := t.Array.Query
	for first != nil && first.Op == gojq.OpComma {
		first = first.Left
	}
	return literalText(first)
}

// descends reports whether q only ever steps deeper into its input and ends
// at null, so that repeating it ends with the data. A plain path does not: what
// is missing in null is null again.
func descends(q *gojq.Query) bool {
	if q == nil || len(q.FuncDefs) > 0 {
		return false
	}
	if q.Term == nil {
		switch {
		case q.Op == gojq.OpComma:
			return descends(q.Left) && descends(q.Right)
		case q.Op == gojq.OpPipe && len(q.Patterns) == 0:
			return descends(q.Left) && (steps(q.Right) || filters(q.Right)) || steps(q.Left) && (descends(q.Right) || endsAtNull(q.Right))
		case q.Op == gojq.OpAlt:
			return steps(q.Left) && endsAtNull(q.Right)
		}
		return false
	}
	t := bare(q)
	if !stepping(t) {
		return false
	}
	for _, s := range t.SuffixList {
		if s.Iter {
			return true
		}
	}
	return false
}

// steps reports whether q is a path of at least one step without slices.
func steps(q *gojq.Query) bool { return stepping(bare(q)) }

func stepping(t *gojq.Term) bool {
	if t == nil || t.Type != gojq.TermTypeIndex && (t.Type != gojq.TermTypeIdentity || len(t.SuffixList) == 0) {
		return false
	}
	if t.Index != nil && t.Index.IsSlice { // .[0:] of a list is the list again
		return false
	}
	for _, s := range t.SuffixList {
		if s.Index != nil && s.Index.IsSlice {
			return false
		}
	}
	return true
}

// filters reports whether q lets its input pass or drops it.
func filters(q *gojq.Query) bool {
	t := bare(q)
	return t != nil && len(t.SuffixList) == 0 && t.Type == gojq.TermTypeFunc && (t.Func.Name == "select" || endsAtNull(q))
}

// endsAtNull reports whether q drops null.
func endsAtNull(q *gojq.Query) bool {
	t := bare(q)
	if t == nil || len(t.SuffixList) > 0 || t.Type != gojq.TermTypeFunc || len(t.Func.Args) > 0 {
		return false
	}
	switch t.Func.Name {
	case "values", "objects", "arrays", "iterables", "empty":
		return true
	}
	return false
}
