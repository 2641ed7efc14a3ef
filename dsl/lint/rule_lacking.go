package lint

import (
	"fmt"
	"regexp"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
)

// guarded finds what minds a value that may be missing: an alternative, which
// takes the place of an error, too, a condition, a question mark.
var guarded = regexp.MustCompile(`//|\?|\b(if|select|try|reduce|foreach)\b`)

// lacking reports arithmetic with a number that the contract lets be missing
// (XD2104): without it the row fails. What is missing adds as nothing.
func (p *pass) lacking(m *compile.Mapping) {
	check := func(r row) {
		c := p.cellOf(r.From)
		if c == nil || r.When.Set() || guarded.MatchString(c.Node.Text) {
			return
		}
		for _, u := range c.JQ.Uses() {
			if u.Kind != jq.UseArithmetic || u.Text == "+" {
				continue
			}
			for _, at := range []jq.Span{u.Left, u.Right} {
				if p.mayLackNumber(c, at) {
					src := strings.TrimSpace(c.Node.Text[at.From:at.To])
					from := at.From + strings.Index(c.Node.Text[at.From:at.To], src)
					p.inCell(c, from, from+len(src), diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning,
						Message: fmt.Sprintf("`%s` may be missing, and `%s` fails without it", src, u.Text),
						Hint:    "write `(" + src + " // 0)`, or leave the row out with a `when:`"})
				}
			}
		}
	}
	rowsOf(m.Spec.Let, nil, check)
	rowsOf(m.Spec.Fields, nil, check)
}

// mayLackNumber reports whether an operand is a path to a number that the contract
// does not require.
func (p *pass) mayLackNumber(c *cell.Cell, at jq.Span) bool {
	src := strings.TrimSpace(c.Node.Text[at.From:at.To])
	if !strings.HasPrefix(src, ".") || !atom.MatchString(src) {
		return false
	}
	for _, path := range c.JQ.Paths() {
		n := len(path.Segments)
		if n == 0 || path.Segments[n-1].From < at.From || path.Segments[n-1].To > at.To {
			continue
		}
		from, rest := c.Start(path)
		names, plain := cell.Names(rest)
		if from.Schema == nil || !plain {
			return false
		}
		step, _, ok := from.Known().At(names)
		return ok && step.Optional && step.Shape.Known() && groupOf(step.Shape.Type) == number
	}
	return false
}
