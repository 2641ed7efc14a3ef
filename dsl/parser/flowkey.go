package parser

import (
	"regexp"
	"strings"

	"crossdock/dsl/diag"
)

// pathKey is a key inside { } that is the path of a list: {lines[1].sku: A}.
var pathKey = regexp.MustCompile(`[{,]\s*([A-Za-z_][\w.-]*(?:\[[^\]{}:,]*\][\w.-]*)+)\s*:(?:\s|$)`)

// flowKey explains a key inside { } in which a bracket stands, where reading stopped
// in it.
func (p *parser) flowKey(at int) bool {
	point := p.text.Point(at)
	line := p.text.Line(point.Line)
	start := p.text.Offset(diag.Point{Line: point.Line, Col: 1})
	for _, m := range pathKey.FindAllStringSubmatchIndex(line, -1) {
		from, to := start+m[2], start+m[3]
		if at < from || at > to+1 || strings.Count(line[:m[2]], `"`)%2 == 1 || strings.Count(line[:m[2]], "'")%2 == 1 {
			continue
		}
		key := line[m[2]:m[3]]
		c := cell{from: from, to: to, flow: true}
		span := p.cellSpan(c)
		d := p.report(span.Start, span.End, "inside { } a `[` ends a key, so %s needs quotes", quoteWord(key))
		d.Hint = "write \"" + key + "\""
		d.Fixes = []diag.Fix{{Title: "quote the key", Edits: []diag.Edit{{Span: span, Text: `"` + key + `"`}}}}
		p.mend(c)
		return true
	}
	return false
}
