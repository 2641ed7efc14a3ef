package lint

import (
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
)

// takesOne are the cells that take one value, by their role, and what they are
// called.
var takesOne = map[string]string{"from": "a row", "key": "`key`", "order_by": "`order_by`", "event_time": "`event_time`", "trace_by": "`trace_by`", "save": "`save`"}

// severalValues reports a cell that takes one value and gives several (XD2104):
// always, or for a list that has more than one item.
func (p *pass) severalValues(c *cell.Cell, one string) {
	text := c.Node.Text
	if at, ok := c.JQ.Lists(); ok {
		d := diag.Diagnostic{Code: codeDoubtful, Severity: diag.Error, Message: "this is a second value, but " + one + " takes one",
			Hint: "write `[" + text + "]` for a list, or one text of both such as `\"\\(.a) \\(.b)\"`"}
		if c.Role == "key" {
			d.Hint = "write key: [" + text + "], in brackets"
		}
		p.inCell(c, at.From, at.To, d)
		return
	}
	if !c.JQ.PassesOn() {
		return
	}
	for _, path := range c.JQ.Paths() {
		for i, seg := range path.Segments {
			if seg.Step != jq.Each || !p.may(c, path, i) {
				continue
			}
			hint := "write `first(" + text + ")` for the first one, or `[" + text + "]` for all"
			d := diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning, Hint: hint,
				Message: "this gives one value for every item, but " + one + " takes one"}
			if i > 0 && path.Segments[i-1].Step == jq.Field {
				d.Message = "this gives one value for every item of `" + path.Segments[i-1].Name + "`, but " + one + " takes one"
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
