package parser

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"crossdock/dsl/diag"
)

// structure reports an error that concerns the layout of lines, not a cell.
// What the lines below it belong to is not known, so reading stops.
func (p *parser) structure(failure *yaml.LoadError, at, context int) {
	point := p.text.Point(at)
	if strings.Contains(failure.Message, "could not find expected ':'") {
		p.noColon(p.text.Point(context).Line)
		return
	}
	line := p.text.Line(point.Line)
	from := diag.Point{Line: point.Line, Col: len([]rune(line)) - len([]rune(strings.TrimLeft(line, " "))) + 1}
	to := diag.Point{Line: point.Line, Col: len([]rune(strings.TrimRight(line, " \t"))) + 1}
	content := strings.TrimSpace(line)
	above := p.lineAbove(point.Line)
	if p.keyQuote(point.Line) {
		return
	}
	if above > 0 && (keyAlone.MatchString(p.text.Line(above)) || keyRun.MatchString(p.text.Line(above))) && !p.insideText(above) {
		p.noColon(above)
		return
	}
	switch msg := failure.Message; {
	case strings.Contains(msg, "block sequence entries"):
		p.report(from, to, "a list cannot start behind a key on the same line").
			Hint = "start it on the next line, one `- ` per item, or write [one, two]; quote the cell if it is an expression"
	case isItem(content) && above > 0 && isItem(strings.TrimSpace(p.text.Line(above))):
		d := p.report(from, to, "the `-` of this list item stands in column %d, but line %d has it in column %d", from.Col, above, p.dash(above))
		d.Hint = "indent the items of one list alike"
	case isItem(content):
		p.report(from, to, "a list item stands here, but the lines around it are `key: value` lines").
			Hint = "put the `-` below the key that the list belongs to, at least as deep as that key"
	case strings.Contains(msg, "expected '-' indicator"):
		p.report(from, to, "a list item was expected here: the lines above start with `- `").
			Hint = "start the line with `- `, or indent it deeper if it belongs to the item above"
	case strings.Contains(msg, "<document start>"):
		p.report(from, to, "this line stands further left than the first line of the file").
			Hint = "start the first line of the file in column 1"
	case strings.Contains(msg, "mapping values") && above > 0 && !startsOwn(p.text.Line(above)):
		if key := p.lineAbove(above); key > 0 && p.column(key) < p.column(above) && strings.HasSuffix(p.text.Line(key), ":") {
			p.needsBar(from, to, key)
			return
		}
		p.noColon(above)
	case strings.Contains(msg, "mapping values") && above > 0 && p.column(above) < from.Col:
		d := p.report(from, to, "this line is indented deeper than line %d, which already has a value", above)
		d.Hint = "indent it like line " + itoa(above) + ", with " + spaces(p.column(above)-1)
	case at >= p.text.Offset(from) && p.text.Point(at) == from && above > 0:
		d := p.report(from, to, "the indentation of this line, %s, fits none of the lines above", spaces(from.Col-1))
		d.Hint = "lines that belong together start in the same column; line " + itoa(above) + " has " + spaces(p.column(above)-1)
		if bar := p.barAbove(point.Line); bar > 0 {
			d.Hint = "text below the `|` or `>` of line " + itoa(bar) + " stays at least as deep as its first line"
		}
	default:
		p.report(point, diag.Point{Line: point.Line, Col: max(to.Col, point.Col)}, "YAML cannot read on from here").
			Hint = "look for a quote or bracket that is not closed, here or above, or quote the whole cell"
	}
}

var (
	keyAlone = regexp.MustCompile(`^\s*[a-z][a-z_]*\s*$`)                      // a key without its colon
	keyRun   = regexp.MustCompile(`^\s*(?:- )?[a-z][a-z_]*:[A-Za-z0-9."'{\[]`) // and one without the space behind it
	keyFirst = regexp.MustCompile(`^([A-Za-z_][\w.-]*) (\S.*)$`)
)

// insideText reports whether the key above line n has a value that begins on its own
// line or below "|": then the line may be a part of it.
func (p *parser) insideText(n int) bool {
	key := p.lineAbove(n)
	return key > 0 && p.column(key) < p.column(n) && !strings.HasSuffix(strings.TrimSpace(p.text.Line(key)), ":")
}

// needsBar reports a line with a colon in an expression that stands below the
// key of line n without "|".
func (p *parser) needsBar(from, to diag.Point, n int) {
	d := p.report(from, to, "YAML takes the `: ` in this line for the end of a key")
	d.Hint = "write `" + strings.TrimSpace(p.text.Line(n)) + " |` in line " + itoa(n) + ", so that YAML leaves the lines below it alone"
	end := diag.Point{Line: n, Col: len([]rune(p.text.Line(n))) + 1}
	d.Fixes = []diag.Fix{{Title: "put a `|` behind the key", Edits: []diag.Edit{{Span: p.span(end, end), Text: " |"}}}}
}

// commentInside reports a comment inside a value of several lines, which ends
// the value.
func (p *parser) commentInside(at int) bool {
	point := p.text.Point(at)
	n := point.Line - 1
	if n < 1 || startsOwn(p.text.Line(point.Line)) {
		return false
	}
	start := p.text.Offset(diag.Point{Line: n, Col: 1})
	line := p.text.Line(n)
	hash := -1
	s := scanner{src: []byte(line), hash: -1}
	for s.at < len(line) && hash < 0 {
		if line[s.at] == '#' && s.quote == 0 && (s.at == 0 || isBlank(line[s.at-1])) {
			hash = s.at
		} else if !s.step() {
			break
		}
	}
	first := n
	for first > 0 && (strings.HasPrefix(strings.TrimSpace(p.text.Line(first)), "#") || !startsOwn(p.text.Line(first))) {
		first--
	}
	c, ok := p.lineCell(first)
	if hash < 0 || !ok || c.indent >= p.column(point.Line)-1 {
		return false
	}
	c.to = p.giveUp(c.from)
	d := p.reportCell(c, "a comment inside a value of several lines ends the value for YAML")
	from := p.text.Point(start + hash)
	d.Span = p.span(from, diag.Point{Line: n, Col: len([]rune(line)) + 1})
	d.Hint = "put the value below `|`, or move the comment above the key"
	d.Fixes = nil
	p.broken = true
	p.mend(c)
	return true
}

// noColon reports a line that is neither a key nor part of a value.
func (p *parser) noColon(n int) {
	line := strings.TrimRight(p.text.Line(n), " \t")
	trimmed := strings.TrimLeft(line, " ")
	from := diag.Point{Line: n, Col: len(line) - len(trimmed) + 1}
	d := p.report(from, diag.Point{Line: n, Col: len([]rune(line)) + 1}, "this line is no `key: value`: there is no colon followed by a space")
	key, value, found := strings.Cut(strings.TrimPrefix(trimmed, "- "), ":")
	switch {
	case strings.ContainsRune(trimmed, '\u00A0'):
		d.Hint = "an invisible no-break space stands in this line: replace it by an ordinary space"
	case strings.Contains(trimmed, " = "):
		name, value, _ := strings.Cut(trimmed, " = ")
		d.Hint = "write `" + clip(name+": "+value) + "`"
	case found && !strings.ContainsAny(key, " \"'(["):
		d.Hint = "put a space behind the colon: `" + key + ": " + value + "`"
		at := diag.Point{Line: n, Col: len([]rune(line)) - len([]rune(value)) + 1}
		d.Fixes = []diag.Fix{{Title: "put a space behind the colon", Edits: []diag.Edit{{Span: p.span(at, at), Text: " "}}}}
	case keyAlone.MatchString(line):
		d.Hint = "put a colon behind it: `" + trimmed + ":`"
		at := diag.Point{Line: n, Col: len([]rune(line)) + 1}
		d.Fixes = []diag.Fix{{Title: "put a colon there", Edits: []diag.Edit{{Span: p.span(at, at), Text: ":"}}}}
	case keyFirst.MatchString(strings.TrimPrefix(trimmed, "- ")):
		m := keyFirst.FindStringSubmatch(strings.TrimPrefix(trimmed, "- "))
		d.Hint = "write `" + clip(m[1]+": "+m[2]) + "`, or indent the line deeper if it continues the value above"
	default:
		d.Hint = "write `key: value`, or indent the line deeper if it continues the value above"
	}
}

func isItem(content string) bool { return strings.HasPrefix(content, "- ") || content == "-" }

// dash returns the column of the first "-" of a list item.
func (p *parser) dash(n int) int { return strings.IndexByte(p.text.Line(n), '-') + 1 }

// barAbove returns the line whose "|" or ">" announces the lines above n, or 0.
func (p *parser) barAbove(n int) int {
	for n--; n > 0; n-- {
		if c, ok := p.lineCell(n); ok {
			if blockHeader.MatchString(lineAt(p.text.Bytes(), c.from)) {
				return n
			}
			return 0
		}
	}
	return 0
}

// lineAbove returns the nearest line above n with text other than a comment,
// or 0.
func (p *parser) lineAbove(n int) int {
	for n--; n > 0; n-- {
		if t := strings.TrimSpace(p.text.Line(n)); t != "" && t[0] != '#' {
			return n
		}
	}
	return 0
}

// column returns the column where the key of a line starts.
func (p *parser) column(n int) int {
	line := p.text.Line(n)
	return len(line) - len(strings.TrimLeft(line, " -")) + 1
}

// directive reports a "%YAML" line and reads on without it.
func (p *parser) directive(at int) bool {
	n := p.text.Point(at).Line
	for ; n > 0 && !strings.HasPrefix(p.text.Line(n), "%"); n-- {
	}
	if n == 0 {
		n = p.text.Point(at).Line
	}
	p.broken = true
	from, to := diag.Point{Line: n, Col: 1}, diag.Point{Line: n, Col: len([]rune(p.text.Line(n))) + 1}
	p.report(from, to, "`%s` lines are not part of the language", clip(p.text.Line(n))).Hint = "remove the line"
	return false
}

// tabs reports tabs in the indentation, of this line and of the lines around
// it that have them too.
func (p *parser) tabs(at int) bool {
	first := p.text.Point(at).Line
	if !tabbed(p.text.Line(first)) {
		return false
	}
	last := first
	for last < p.text.Lines() && tabbed(p.text.Line(last+1)) {
		last++
	}
	var edits []diag.Edit
	for n := first; n <= last; n++ {
		line := p.text.Line(n)
		lead := len(line) - len(strings.TrimLeft(line, " \t"))
		from, to := diag.Point{Line: n, Col: 1}, diag.Point{Line: n, Col: lead + 1}
		edits = append(edits, diag.Edit{Span: p.span(from, to), Text: strings.ReplaceAll(line[:lead], "\t", "  ")})
	}
	col := strings.IndexByte(p.text.Line(first), '\t') + 1
	d := p.report(diag.Point{Line: first, Col: col}, diag.Point{Line: first, Col: col + 1}, "a tab stands in the indentation")
	d.Hint = "indent with spaces, two for each level"
	d.Fixes = []diag.Fix{{Title: "replace each tab by two spaces", Edits: edits}}
	return true
}

func tabbed(line string) bool {
	return strings.ContainsRune(line[:len(line)-len(strings.TrimLeft(line, " \t"))], '\t') && strings.TrimSpace(line) != ""
}

// alias reports "*name".
func (p *parser) alias(at int) bool {
	if c, ok := p.cellAt(at); ok && c.from == at {
		text := p.cellText(c)
		if line := p.text.Line(p.text.Point(at).Line); strings.Contains(line, "<<: *") {
			p.broken = true // the merge key is told
			p.mend(c)
			return true
		}
		d := p.reportCell(c, "YAML takes "+quoteWord(text)+" for an alias, which is not part of the language")
		if !strings.ContainsAny(text, " .(") {
			d.Hint = "write the value out; settings that many files share belong into a policy"
			d.Fixes = nil
			p.broken = true
		}
		p.mend(c)
		return true
	}
	p.reportAt(at, "aliases (`*name`) are not part of the language").Hint = "write the value out"
	return false
}

func spaces(n int) string {
	if n == 1 {
		return "1 space"
	}
	return itoa(n) + " spaces"
}
