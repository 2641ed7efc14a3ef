package parser

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// cell is a value as its author sees it: everything behind "key:", or between
// two commas inside brackets, whatever YAML made of it.
type cell struct {
	from, to int  // bytes of the file
	flow     bool // stands inside { } or [ ]
	alone    bool // the only element of a [ ] list
	open     int  // for a lone element: byte of the "["
	indent   int  // columns in front of the line that holds the key
}

// parts is a line taken apart: "  - key: value". Offsets are bytes of the line.
type parts struct {
	lead   int // behind blanks and dashes
	dash   int // the last dash, or -1
	keyEnd int // behind the key, or -1 where there is none
	value  int // where the value starts
}

// split takes a line apart the way a person reads it.
func split(line string) parts {
	p := parts{dash: -1, keyEnd: -1}
	i := skipBlanks(line, 0)
	for i < len(line) && line[i] == '-' && (i+1 == len(line) || isBlank(line[i+1])) {
		p.dash = i
		i = skipBlanks(line, i+1)
	}
	p.lead, p.value = i, i
	if i == len(line) || strings.IndexByte("#{}[],&*!|>%@`", line[i]) >= 0 {
		return p
	}
	j := i
	if end := quotedEnd(line[i:]); end > 0 {
		j = skipBlanks(line, i+end)
		if j == len(line) || line[j] != ':' {
			return p
		}
	} else if line[i] == '"' || line[i] == '\'' {
		return p
	}
	for ; j < len(line) && line[j] != '#'; j++ {
		if line[j] == ':' && j > i && (j+1 == len(line) || isBlank(line[j+1])) {
			p.keyEnd = len(strings.TrimRight(line[:j], " \t"))
			p.value = skipBlanks(line, j+1)
			return p
		}
	}
	return p
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func skipBlanks(s string, i int) int {
	for i < len(s) && isBlank(s[i]) {
		i++
	}
	return i
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

// startsOwn reports whether a line is an entry of its own: "key: value", a
// list item, a comment or nothing.
func startsOwn(line string) bool {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' || trimmed == "-" || strings.HasPrefix(trimmed, "- ") {
		return true
	}
	return split(line).keyEnd >= 0
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

func lineAt(src []byte, off int) string {
	if off >= len(src) {
		return ""
	}
	line, _, _ := bytes.Cut(src[off:], []byte("\n"))
	return strings.TrimSuffix(string(line), "\r")
}

// scanner walks over an expression and knows quotes and brackets, as both
// expression languages write them. It knows nothing else of them.
type scanner struct {
	src   []byte
	at    int
	depth int
	quote byte // open quote, or 0
	solid int  // behind the last character that is no blank and no comment
	hash  int  // the first " #" inside quotes: YAML starts a comment there
}

// step reads one character. It reports false at the end of the file and where
// a comment starts, which it passes.
func (s *scanner) step() bool {
	if s.at >= len(s.src) {
		return false
	}
	c := s.src[s.at]
	before := byte(' ')
	if s.at > 0 {
		before = s.src[s.at-1]
	}
	switch {
	case c == '#' && (before == ' ' || before == '\t'):
		if s.quote == 0 {
			for s.at < len(s.src) && s.src[s.at] != '\n' {
				s.at++
			}
			return s.at < len(s.src)
		}
		if s.hash < 0 {
			s.hash = s.at
		}
	case s.quote != 0:
		if c == '\\' && s.quote == '"' && s.at+1 < len(s.src) && s.src[s.at+1] != '\n' {
			s.at++
		} else if c == s.quote {
			s.quote = 0
		}
	case c == '"', c == '\'' && !wordBefore(s.src, s.at):
		s.quote = c
	case c == '(', c == '[', c == '{':
		s.depth++
	case c == ')', c == ']', c == '}':
		s.depth--
	}
	_, size := utf8.DecodeRune(s.src[s.at:])
	s.at += size
	if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
		s.solid = s.at
	}
	return true
}

// line reads to the end of the line.
func (s *scanner) line() {
	for s.at < len(s.src) && s.src[s.at] != '\n' {
		if !s.step() {
			return
		}
	}
}

// wordBefore reports whether a letter stands in front of byte at, as in "don't".
func wordBefore(src []byte, at int) bool {
	r, _ := utf8.DecodeLastRune(src[:at])
	return at > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// open reports whether text leaves a quote or a bracket open.
func open(text string) bool {
	s := scanner{src: []byte(text)}
	for s.step() {
	}
	return s.depth > 0 || s.quote != 0
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

// cellAt returns the cell around byte off.
func (p *parser) cellAt(off int) (cell, bool) {
	src := p.text.Bytes()
	at := p.text.Point(off)
	for n := at.Line; n > 0 && n > at.Line-200; n-- {
		c, ok := p.lineCell(n)
		if !ok {
			continue
		}
		if off >= c.from && off <= c.to {
			if src[c.from] == '{' || src[c.from] == '[' {
				if end, ok := p.match(c.from); ok && off < end {
					if inner, ok := p.flowCell(c.from, off); ok {
						return inner, true
					}
				}
			}
			return c, true
		}
		// The line below a cell that is closed belongs to nothing above.
		if off > c.to && n < at.Line && c.indent == 0 {
			break
		}
	}
	return cell{}, false
}

// text returns the cell as it stands in the file.
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
