package parser

import (
	"bytes"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// cell is a value as its author sees it: everything behind "key:", or between
// two commas inside brackets, whatever YAML made of it.
type cell struct {
	from, to int  // bytes of the file
	flow     bool // stands inside { } or [ ]
	alone    bool // the only element of a [ ] list
	open     int  // inside brackets: byte of the bracket
	indent   int  // columns in front of the line that holds the key
}

// lineCell returns the cell that starts in line n. It reports false where the
// line starts none.
func (p *parser) lineCell(n int) (cell, bool) {
	line := p.text.Line(n)
	m := split(line)
	if m.value == len(line) || m.keyEnd < 0 && m.dash < 0 || line[m.value] == '#' {
		return cell{}, false
	}
	base := p.text.Offset(diag.Point{Line: n, Col: 1})
	c := cell{from: base + m.value, indent: m.lead}
	if m.keyEnd < 0 {
		c.indent = m.dash
	}
	c.to = p.cellEnd(c.from, c.indent)
	return c, c.to > c.from
}

// cellEnd returns where the value that starts at byte from ends. It goes on
// over lines that stand deeper than indent and start nothing of their own.
func (p *parser) cellEnd(from, indent int) int {
	src := p.text.Bytes()
	s := scanner{src: src, at: from}
	end := from
	for {
		s.line()
		end = max(end, s.solid)
		if s.at >= len(src) {
			return end
		}
		next := s.at + 1
		line := lineAt(src, next)
		lead := len(line) - len(strings.TrimLeft(line, " "))
		inside := s.depth > 0 || s.quote != 0
		closes := inside && lead >= indent && strings.ContainsAny(line[lead:min(lead+1, len(line))], ")]}")
		switch {
		case strings.TrimSpace(line) == "" && !inside:
			return end
		case lead <= indent && !closes:
			return end
		case !inside && startsOwn(line):
			return end
		}
		s.at = next
	}
}

// match returns the byte behind the bracket that closes the one at off. It
// gives up at a line that clearly starts something new.
func (p *parser) match(off int) (int, bool) {
	src := p.text.Bytes()
	start := bytes.LastIndexByte(src[:off], '\n') + 1
	first := lineAt(src, start)
	indent := len(first) - len(strings.TrimLeft(first, " -"))
	s := scanner{src: src, at: off}
	for s.at < len(src) {
		if src[s.at] == '\n' && s.at+1 < len(src) {
			line := lineAt(src, s.at+1)
			lead := len(line) - len(strings.TrimLeft(line, " "))
			if lead <= indent && startsOwn(line) && strings.TrimSpace(line) != "" {
				return 0, false
			}
		}
		if !s.step() {
			break
		}
		if s.depth == 0 && s.quote == 0 {
			return s.at, true
		}
	}
	return 0, false
}

// flowCell returns the cell at byte target inside the collection whose bracket
// stands at byte off.
func (p *parser) flowCell(off, target int) (cell, bool) {
	src := p.text.Bytes()
	end, ok := p.match(off)
	if !ok || target < off || target > end {
		return cell{}, false
	}
	braces := src[off] == '{'
	var found cell
	count := 0
	for at := off + 1; at < end-1; {
		to := entryEnd(src, at, end-1)
		c := cell{from: at, to: to, flow: true, open: off}
		if braces {
			c.from = entryValue(src, at, to)
		}
		c.from, c.to = trim(src, c.from, c.to)
		if c.to > c.from {
			count++
		}
		if target >= at && target <= to && found.to == 0 {
			found = c
		}
		at = to + 1
	}
	if found.to <= found.from {
		return cell{}, false
	}
	if src[found.from] == '[' || src[found.from] == '{' {
		if inner, ok := p.match(found.from); ok && inner == found.to && target < inner {
			return p.flowCell(found.from, target)
		}
	}
	found.alone = !braces && count == 1
	return found, true
}

// entryEnd returns the comma behind the entry at byte at, or end.
func entryEnd(src []byte, at, end int) int {
	s := scanner{src: src[:end], at: at}
	for s.at < end {
		if s.depth == 0 && s.quote == 0 && src[s.at] == ',' {
			return s.at
		}
		if !s.step() {
			break
		}
	}
	return end
}

// entryValue returns where the value of "key: value" inside braces starts.
func entryValue(src []byte, from, to int) int {
	s := scanner{src: src[:to], at: from}
	for s.at < to {
		if s.depth == 0 && s.quote == 0 && src[s.at] == ':' && (s.at+1 >= to || strings.IndexByte(" \t\r\n", src[s.at+1]) >= 0) {
			return s.at + 1
		}
		if !s.step() {
			break
		}
	}
	return from
}

func trim(src []byte, from, to int) (int, int) {
	for from < to && strings.IndexByte(" \t\r\n", src[from]) >= 0 {
		from++
	}
	for from < to && strings.IndexByte(" \t\r\n", src[to-1]) >= 0 {
		to--
	}
	return from, to
}

// cellAt returns the cell around byte off: the innermost one where brackets
// stand around it, which may have opened many lines above.
func (p *parser) cellAt(off int) (cell, bool) {
	var nearest cell
	at := p.text.Point(off)
	for n := at.Line; n > 0 && n > at.Line-200; n-- {
		c, ok := p.lineCell(n)
		if !ok {
			continue
		}
		if around := off >= c.from && off <= c.to; around && isBracket(p.byteAt(c.from)) {
			if end, ok := p.match(c.from); ok && off < end {
				if inner, ok := p.flowCell(c.from, off); ok {
					return inner, true
				}
			}
			if nearest.to == 0 {
				return c, true
			}
		} else if around && nearest.to == 0 {
			nearest = c
		}
		if c.indent == 0 {
			break
		}
	}
	return nearest, nearest.to > 0
}

// cellText returns the cell as it stands in the file.
func (p *parser) cellText(c cell) string {
	return diag.NewText(p.file.Source).Slice(p.cellSpan(c))
}

func (p *parser) cellSpan(c cell) diag.Span {
	return p.span(p.text.Point(c.from), p.text.Point(c.to))
}

// meant is a cell as its author meant it, line by line.
func (p *parser) meant(c cell) repair {
	span := p.cellSpan(c)
	text := p.cellText(c)
	fixed := repair{span: span}
	var joined []string
	off := 0
	for i, line := range strings.Split(text, "\n") {
		at := diag.Point{Line: span.Start.Line + i, Col: 1}
		if i == 0 {
			at.Col = span.Start.Col
		}
		lead := len(line) - len(strings.TrimLeft(line, " \t"))
		if i > 0 {
			at.Col += lead
		}
		line = strings.TrimRight(line[lead:], " \t\r")
		if i == 0 {
			at.Col += lead
		}
		fixed.offsets = append(fixed.offsets, ast.Mark{Off: off, Point: at})
		joined = append(joined, line)
		off += len(line) + 1
	}
	fixed.text = strings.Join(joined, "\n")
	return fixed
}

// mend notes what the author meant by a cell and fills the cell with letters,
// so that reading can go on behind it.
func (p *parser) mend(c cell) { p.mendAs(c, p.meant(c)) }

func (p *parser) mendAs(c cell, meant repair) {
	meant.span = p.cellSpan(c)
	p.repair[meant.span.Start] = meant
	var out []byte
	out = append(out, p.text.Bytes()[:c.from]...)
	filler := byte('x')
	for _, r := range string(p.text.Bytes()[c.from:c.to]) {
		switch r {
		case '\n':
			out = append(out, '\n')
			filler = ' '
		case '\r':
			out = append(out, ' ')
		default:
			out = append(out, filler)
		}
	}
	out = append(out, p.text.Bytes()[c.to:]...)
	p.text = diag.NewText(out)
}

// quoteFix offers to write the cell in a way that YAML leaves alone.
func (p *parser) quoteFix(c cell) (diag.Fix, string) {
	text := p.cellText(c)
	span := p.cellSpan(c)
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, "'") && !strings.ContainsAny(text, "\"\\") {
		quoted = `"` + text + `"`
	}
	if !c.flow && (strings.Contains(text, "\n") || strings.Contains(quoted, "''")) {
		pad := "\n" + strings.Repeat(" ", c.indent+2)
		block := "|"
		for line := range strings.Lines(text) {
			block += pad + strings.TrimSpace(line)
		}
		return diag.Fix{Title: "put the cell below `|`", Edits: []diag.Edit{{Span: span, Text: block}}}, ""
	}
	return diag.Fix{Title: "quote the whole cell", Edits: []diag.Edit{{Span: span, Text: quoted}}}, quoted
}
