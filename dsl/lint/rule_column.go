package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/spec"
)

// columns reports columns that jq cells read of tables that do not have them
// (XD1001), and whole rows of a table where one value is meant (XD2102).
func columns(p *pass) {
	for _, c := range p.sortedCells() {
		if c.JQ == nil {
			continue
		}
		for _, col := range c.JQ.Columns() {
			l, column := p.lookup(col.Table)
			switch {
			case l == nil || l.Table == nil || column != "":
			case col.Name == "":
				p.wholeRow(c, col, l.Table.Columns)
			case !slices.Contains(l.Table.Columns, col.Name):
				p.noColumn(c, col, l.Table.Columns)
			}
		}
	}
}

func (p *pass) noColumn(c *cell.Cell, col jq.Column, known []string) {
	d := diag.Diagnostic{Code: spec.CodeUnknown, Message: fmt.Sprintf("the lookup `%s` has no column `%s`", col.Table, col.Name),
		Hint: "its columns: " + strings.Join(known, ", "), Missing: "columns " + col.Table}
	if len(known) == 0 {
		d.Hint = fmt.Sprintf("it has one value per code: write `lookup(%q)`", col.Table)
	}
	if near := diag.Nearest(col.Name, known); len(near) > 0 {
		d.Short = "did you mean `" + near[0] + "`?"
		if fix, ok := respell(c, segment{name: col.Name, from: col.From, to: col.To}, near[0]); ok {
			d.Fixes = replace(c.Node.Range(col.From, col.To), fix)
		}
	}
	p.inCell(c, col.From, col.To, d)
}

// wholeRow reports a row of a table with columns as the value of a target that
// takes no object.
func (p *pass) wholeRow(c *cell.Cell, col jq.Column, known []string) {
	if len(known) == 0 || c.Role != "from" || !c.Target.Known() || groupOf(c.Target.Type) == record || groupOf(c.Target.Type) == anything {
		return
	}
	p.inCell(c, col.From, col.To, diag.Diagnostic{Code: codeTarget,
		Message: fmt.Sprintf("this gives all columns of the lookup `%s`, and %s is %s", col.Table, c.Row, kind(c.Target)),
		Hint:    fmt.Sprintf("choose one of them, such as `lookup(%q).%s`", col.Table, known[0])})
}
