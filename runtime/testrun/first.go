package testrun

import (
	"strings"
	"unicode/utf8"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// ExpectsNothing reports whether a case passes whatever comes out.
func ExpectsNothing(c *spec.Case) bool {
	return c.ExpectError == nil && len(c.Absent) == 0 && (c.Expect == nil || c.Expect.Kind == ast.Map && len(c.Expect.Pairs) == 0)
}

// first lets a case of a mapping that expects nothing expect all that comes out.
func (a *accepting) first(file *ast.File, c *spec.Case, out any) bool {
	got, isMap := out.(map[string]any)
	if !isMap || len(got) == 0 || !ExpectsNothing(c) || len(c.Node.Pairs) == 0 {
		return false
	}
	pair := c.Node.Pair("expect")
	more := additions("", &ast.Node{}, got)
	edit := diag.Edit{}
	last := c.Node.Pairs[len(c.Node.Pairs)-1]
	end := last.Value.Span.End
	switch indent := strings.Repeat(" ", c.Node.Pairs[0].Key.Span.Start.Col-1); {
	case c.Node.Flow && pair != nil:
		edit = diag.Edit{Span: pair.Value.Span, Text: braces(more)}
	case c.Node.Flow:
		edit = diag.Edit{Span: diag.Span{File: last.Key.Span.File, Start: end, End: end}, Text: ", expect: " + braces(more)}
	case pair != nil:
		edit = diag.Edit{Span: diag.Span{File: pair.Key.Span.File, Start: pair.Key.Span.End, End: pair.Value.Span.End}, Text: ":" + lines(more, indent)}
	default:
		if file.Source != nil { // a comment behind the last value stays there
			end.Col = 1 + utf8.RuneCountInString(diag.NewText(file.Source).Line(end.Line))
		}
		edit = diag.Edit{Span: diag.Span{File: last.Key.Span.File, Start: end, End: end}, Text: "\n" + indent + "expect:" + lines(more, indent)}
	}
	for i := range more {
		more[i].Edit = diag.Edit{}
	}
	more[0].Edit = edit
	a.out.Changes = append(a.out.Changes, more...)
	return true
}

func braces(more []Rewrite) string {
	parts := make([]string, len(more))
	for i, m := range more {
		parts[i] = m.Edit.Text
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func lines(more []Rewrite, indent string) string {
	var b strings.Builder
	for _, m := range more {
		b.WriteString("\n" + indent + "  " + m.Edit.Text)
	}
	return b.String()
}
