package parser

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"crossdock/dsl/diag"
)

func itoa(n int) string { return strconv.Itoa(n) }

// traps looks for cells that YAML read without complaint but not as they were
// meant. It reports whether a cell was mended and the file has to be read again.
func (p *parser) traps(docs []*yaml.Node) bool {
	if len(docs) == 0 {
		return false
	}
	return p.trap(docs[0], false)
}

// trap looks at n and below it and stops at the first cell it mends, because
// from then on the nodes do not fit the file.
func (p *parser) trap(n *yaml.Node, flow bool) bool {
	if n.Kind == yaml.ScalarNode {
		return p.trapScalar(n, flow)
	}
	if n.Kind == yaml.MappingNode {
		if p.trapBraces(n) {
			return true
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if p.trapKey(n.Content[i], flow || n.Style&yaml.FlowStyle != 0) {
				return true
			}
		}
	}
	for _, child := range n.Content {
		if p.trap(child, flow || n.Style&yaml.FlowStyle != 0) {
			return true
		}
	}
	return false
}

// trapBraces finds "{{ name }}", the placeholder of other tools.
func (p *parser) trapBraces(n *yaml.Node) bool {
	off := p.text.Offset(diag.Point{Line: n.Line, Col: n.Column})
	if len(n.Content) == 0 || n.Content[0].Kind == yaml.ScalarNode || p.byteAt(off) != '{' || p.looks == 0 {
		return false
	}
	p.looks--
	c, ok := p.lineCell(n.Line)
	if !ok || c.from != off {
		return false
	}
	d := p.reportCell(c, fmt.Sprintf("YAML reads %s as a map with a map for a key", quoteWord(p.cellText(c))))
	d.Hint += "; placeholders are written `{name}` and bound by `with:`"
	p.mend(c)
	return true
}

// trapKey finds an expression that was cut in two at a colon: "- .a | {b: .c}".
func (p *parser) trapKey(key *yaml.Node, flow bool) bool {
	if key.Kind != yaml.ScalarNode || style(key.Style) != 0 || flow {
		return false
	}
	if !open(key.Value) && !strings.Contains(key.Value, " ? ") {
		return false
	}
	from := p.text.Offset(diag.Point{Line: key.Line, Col: key.Column})
	c := cell{from: from, indent: key.Column - 1}
	if above := p.lineAbove(key.Line); above > 0 && p.column(key.Line) == key.Column && !strings.Contains(p.text.Line(key.Line)[:key.Column-1], "-") {
		c.indent = p.column(above) - 1
	}
	c.to = p.cellEnd(from, c.indent)
	if p.itemDash(c.from) {
		return true
	}
	p.reportCell(c, fmt.Sprintf("YAML takes the `: ` in %s for the end of a key", quoteWord(p.cellText(c))))
	p.mend(c)
	return true
}

func (p *parser) trapScalar(n *yaml.Node, flow bool) bool {
	start := diag.Point{Line: n.Line, Col: n.Column}
	if _, mended := p.repair[start]; mended {
		return false
	}
	off := p.text.Offset(start)
	if n.Tag == "!" || n.Style&yaml.TaggedStyle != 0 {
		return p.trapTag(off)
	}
	if style(n.Style) != 0 || n.Value == "" || !open(n.Value) {
		return false
	}
	_, end, ok := trace(p.text, off, n.Value, 0, 0)
	if !ok || p.looks == 0 {
		return false
	}
	p.looks--
	c, ok := p.cellAt(off)
	if !ok || c.from > off || c.to <= end {
		return false
	}
	text := p.cellText(c)
	switch behind := strings.TrimLeft(lineAt(p.text.Bytes(), end), " \t"); {
	case strings.HasPrefix(behind, "#") && hiddenComment(text) >= 0:
		p.cutCell(c)
	case flow && c.flow && explainFlow(text) != "":
		p.reportCell(c, explainFlow(text))
		p.mend(c)
	default:
		return false
	}
	return true
}

// trapTag finds "!data.ok", which YAML takes for a type and drops.
func (p *parser) trapTag(off int) bool {
	c, ok := p.cellAt(off)
	if !ok || c.from != off || strings.HasPrefix(p.cellText(c), "!!") {
		return false
	}
	text := p.cellText(c)
	d := p.reportCell(c, fmt.Sprintf("YAML takes %s for a tag and drops it", quoteWord(strings.Fields(text)[0])))
	if word := strings.TrimPrefix(text, "!"); word != "" && !strings.Contains(word, " ") {
		d.Hint += "; in a condition you can write `not " + word + "`, or `blank(" + word + ")` for what may be missing"
	}
	p.mend(c)
	return true
}

// reportProperties reports tags and anchors that stand in front of a value.
func (p *parser) reportProperties(n *yaml.Node) {
	start := diag.Point{Line: n.Line, Col: n.Column}
	if _, mended := p.repair[start]; mended || n.Kind != yaml.AliasNode && n.Anchor == "" && n.Tag != "!" && n.Style&yaml.TaggedStyle == 0 {
		return
	}
	word := p.word(start)
	end := diag.Point{Line: start.Line, Col: start.Col + len([]rune(word))}
	switch {
	case n.Kind == yaml.AliasNode:
		p.broken = true
		p.report(start, end, "aliases (`%s`) are not part of the language", word).
			Hint = "write the value out; settings that many files share belong into a policy"
	case n.Anchor != "":
		p.report(start, end, "anchors (`&%s`) are not part of the language", n.Anchor).
			Hint = "remove it; settings that many files share belong into a policy"
	case n.Tag == "!" || n.Style&yaml.TaggedStyle != 0:
		d := p.report(start, end, "tags (`%s`) are not part of the language", word)
		d.Hint = "remove it: a value is read as text and gets its type from the schema"
		d.Fixes = []diag.Fix{{Title: "remove the tag", Edits: []diag.Edit{{Span: p.span(start, diag.Point{Line: end.Line, Col: end.Col + p.blanks(end)})}}}}
	}
}

// word returns what stands at a point up to the next blank or bracket.
func (p *parser) word(at diag.Point) string {
	line := lineAt(p.text.Bytes(), p.text.Offset(at))
	if i := strings.IndexAny(line, " \t,[]{}"); i > 0 {
		return line[:i]
	}
	return line
}

// blanks counts the blanks at a point.
func (p *parser) blanks(at diag.Point) int {
	line := lineAt(p.text.Bytes(), p.text.Offset(at))
	return len(line) - len(strings.TrimLeft(line, " "))
}

// manyDocuments reports that the file goes on behind its first document.
func (p *parser) manyDocuments(docs []*yaml.Node) {
	at := diag.Point{Line: docs[1].Line, Col: docs[1].Column}
	d := p.report(at, diag.Point{Line: at.Line, Col: at.Col + 3}, "a file holds one definition, but a second document starts here")
	d.Hint = "move what follows into a file of its own"
	if len(docs[1].Content) == 0 || docs[1].Content[0].Tag == "!!null" {
		d.Hint = "remove the line"
	}
}
