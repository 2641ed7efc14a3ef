package lint

import (
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// names reports variables of the environment that do not exist (XD1001).
func names(p *pass) {
	env := p.ws.Environment
	if env == nil || env.File == nil {
		return // there is no environment: variables come with the command line
	}
	known := sortedKeys(env.Vars)
	for _, c := range p.sortedCells() {
		for _, seg := range variables(c) {
			if _, ok := env.Vars[seg.name]; ok {
				continue
			}
			d := diag.Diagnostic{Code: spec.CodeUnknown, Message: "the environment `" + env.Name + "` has no variable `" + seg.name + "`",
				Hint: "add it below `vars:` of the environment"}
			if len(known) > 0 {
				d.Hint = "known variables: " + listed(known, 20)
			}
			if near := diag.Nearest(seg.name, known); len(near) > 0 {
				d.Short = "did you mean `" + near[0] + "`?"
				if fix, ok := respell(c, seg, near[0]); ok {
					d.Fixes = replace(c.Node.Range(seg.from, seg.to), fix)
				}
			}
			p.inCell(c, seg.from, seg.to, d)
		}
	}
}

// variables are the first segments behind $vars or vars.
func variables(c *cell.Cell) []segment {
	var out []segment
	if c.JQ != nil {
		for _, path := range c.JQ.Paths() {
			if segs := jqSegments(path); path.Var == "vars" && len(segs) > 0 && !segs[0].dynamic {
				out = append(out, segs[0])
			}
		}
		return out
	}
	for _, path := range c.Rule.Paths() {
		if segs := ruleSegments(path); path.Root == "vars" && len(segs) > 0 {
			out = append(out, segs[0])
		}
	}
	return out
}
