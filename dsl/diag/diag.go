// Package diag holds what crossdock tells people about their definitions: a
// code, an exact place, what was found, what was expected and what to type.
//
// A Diagnostic never carries Go type names or stack traces. Lists are complete:
// a check reports everything it finds and the caller sorts once with Tidy.
package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a finding stops a definition from going live.
type Severity uint8

// Error findings stop a load; Warning findings do not, unless asked to.
const (
	Error Severity = iota
	Warning
)

// String returns the lower-case word shown to people.
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Code names a rule, as in "XD2101". Codes never change their meaning.
type Code string

// Point is a place in a file. Line and Col count from 1; Col counts characters
// (runes), not bytes. The zero Point means "no place known".
type Point struct{ Line, Col int }

// Less orders points by reading order.
func (p Point) Less(q Point) bool {
	return p.Line < q.Line || (p.Line == q.Line && p.Col < q.Col)
}

// Span is a half-open range of a file: End is the first character after it.
type Span struct {
	File       string
	Start, End Point
}

// Contains reports whether t lies within s, the borders included.
func (s Span) Contains(t Span) bool {
	return s.File == t.File && !t.Start.Less(s.Start) && !s.End.Less(t.End)
}

// String returns "file:line:col".
func (s Span) String() string {
	if s.Start.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d:%d", s.File, s.Start.Line, s.Start.Col)
}

// Edit replaces the text of Span with Text. An empty Span inserts.
type Edit struct {
	Span Span
	Text string
}

// Fix is a change that a person may accept as it is.
type Fix struct {
	Title string
	Edits []Edit
}

// Related points at another place that matters, such as a first definition.
type Related struct {
	Span    Span
	Message string
}

// MissingKey is what findings about a key that is not there miss.
const MissingKey = "key"

// MissingPlaceholder begins what findings about a placeholder miss that is written
// as in another tool; its name follows.
const MissingPlaceholder = "placeholder "

// Diagnostic is one finding.
type Diagnostic struct {
	Code     Code
	Severity Severity
	Span     Span
	Message  string // what is wrong, one sentence without a period
	Hint     string // what to type or what exists instead
	Short    string // beside the caret: "did you mean `zip`?"

	Kind   string // kind of the definition: "mapping"
	Name   string // its name: "erp-order-to-shipment"
	Row    string // the row or step, where there is one: "consignee.postal_code"
	Lang   string // "jq", "expr" or "" where the place is plain YAML
	Source string // the whole text of the cell

	// Clients are those for whose definitions it was found, where they come from a
	// template.
	Clients []string

	Related []Related
	Fixes   []Fix

	// Missing is kind and name of the definition that is not there, "lookup codes",
	// the kind alone where any of that kind may be meant, or MissingKey; "" for
	// other findings.
	Missing string
}

// List is a set of findings. The zero value is empty and ready for use.
type List []Diagnostic

// Add appends findings.
func (l *List) Add(d ...Diagnostic) { *l = append(*l, d...) }

// Errorf adds an error at span.
func (l *List) Errorf(code Code, span Span, format string, args ...any) *Diagnostic {
	*l = append(*l, Diagnostic{Code: code, Severity: Error, Span: span, Message: fmt.Sprintf(format, args...)})
	return &(*l)[len(*l)-1]
}

// Warnf adds a warning at span.
func (l *List) Warnf(code Code, span Span, format string, args ...any) *Diagnostic {
	d := l.Errorf(code, span, format, args...)
	d.Severity = Warning
	return d
}

// HasErrors reports whether any finding is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Count returns the number of errors and of warnings.
func (l List) Count() (errors, warnings int) {
	for _, d := range l {
		if d.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

// Tidy returns the findings in reading order without repeats. What was found for
// several clients in the same way is one finding.
func (l List) Tidy() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Span.File, b.Span.File),
			cmp.Compare(a.Span.Start.Line, b.Span.Start.Line),
			cmp.Compare(a.Span.Start.Col, b.Span.Start.Col),
			cmp.Compare(a.Code, b.Code),
			cmp.Compare(a.Message, b.Message),
		)
	})
	same := func(a, b Diagnostic) bool { return a.Code == b.Code && a.Span == b.Span && a.Message == b.Message }
	for i := 0; i < len(out); i++ {
		first := &out[i]
		for ; i+1 < len(out) && same(*first, out[i+1]); i++ {
			for _, c := range out[i+1].Clients {
				if !slices.Contains(first.Clients, c) {
					first.Clients = append(slices.Clip(first.Clients), c)
				}
			}
		}
		slices.Sort(first.Clients)
	}
	return slices.CompactFunc(out, same)
}

// ForClients says for which clients a finding holds; "" where it comes from no
// template.
func (d Diagnostic) ForClients() string {
	const most = 5
	switch n := len(d.Clients); {
	case n == 0:
		return ""
	case n == 1:
		return "for client " + d.Clients[0]
	case n > most:
		return fmt.Sprintf("for clients %s and %d more", strings.Join(d.Clients[:most-1], ", "), n-most+1)
	default:
		return "for clients " + strings.Join(d.Clients[:n-1], ", ") + " and " + d.Clients[n-1]
	}
}

// Error makes a List usable where an error is wanted.
func (l List) Error() string {
	if len(l) == 0 {
		return "no findings"
	}
	first := l[0]
	text := fmt.Sprintf("%s: %s %s", first.Span, first.Code, first.Message)
	if len(l) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(l)-1)
	}
	return text
}
