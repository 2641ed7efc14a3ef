package lint

import (
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
)

// severalValues reports a row that reads every item of a list and takes one
// value (XD2104): it works as long as the list has one item.
func (p *pass) severalValues(r row) {
	c := p.cellOf(r.From)
	if c == nil || !c.JQ.PassesOn() {
		return
	}
	for _, path := range c.JQ.Paths() {
		for i, seg := range path.Segments {
			if seg.Step != jq.Each || !p.may(c, path, i) {
				continue
			}
			text := c.Node.Text
			hint := "write `first(" + text + ")` for the first one, or `[" + text + "]` for all"
			d := diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning, Hint: hint,
				Message: "this gives one value for every item, but a row takes one"}
			if i > 0 && path.Segments[i-1].Step == jq.Field {
				d.Message = "this gives one value for every item of `" + path.Segments[i-1].Name + "`, but a row takes one"
			}
			p.inCell(c, seg.From, seg.To, d)
			return
		}
	}
}

// may reports whether the first n steps of a path may exist.
func (p *pass) may(c *cell.Cell, path jq.Path, n int) bool {
	from, rest := c.Start(path)
	at := p.start(from, "")
	for i, seg := range jqSegments(rest) {
		next, v, end := at.next(seg)
		if v == absent || v == unseen || v == ofValue {
			return false
		}
		if end || i >= n {
			break
		}
		at = next
	}
	return true
}
