package lint

import (
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
)

// counted reports comparisons with a number of things that are always true, or
// never, whatever comes: len(x) >= 0 (XD3102).
func counted(p *pass) {
	for _, c := range p.sortedCells() {
		if c.Rule == nil || c.Role == "found_when" && c.Rule.Truth() != rule.Varies {
			continue // what comes of a look that always says the same is told there
		}
		for _, n := range c.Rule.Counted() {
			src := c.Node.Text[n.From:n.To]
			d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Message: "`" + src + "` is never true: no number of things is less than 0", Hint: "write `== 0` for none"}
			if n.Always {
				d.Message, d.Hint = "`"+src+"` is always true: 0 are enough for it", "write `> 0` for at least one"
			}
			p.inCell(c, n.From, n.To, d)
		}
	}
}

// byCount reports whether a comparison with a number of things decides a rule,
// which is told of that comparison.
func byCount(r *rule.Program) bool { return r.Truth() != rule.Varies && len(r.Counted()) > 0 }
