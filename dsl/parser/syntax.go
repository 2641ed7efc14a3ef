package parser

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"crossdock/dsl/diag"
)

// syntax explains a YAML error in the words of the language. It reports
// whether the cell was mended and the file can be read again.
//
// Most errors come from an expression that is fine but not quoted. They are
// found by looking at the cell around the place where YAML stopped, not by the
// library's message, which talks about tokens.
func (p *parser) syntax(failure *yaml.LoadError) bool {
	at := p.text.Offset(diag.Point{Line: failure.Mark.Line, Col: failure.Mark.Column})
	context := p.text.Offset(diag.Point{Line: failure.ContextMark.Line, Col: failure.ContextMark.Column})
	switch msg := failure.Message; {
	case strings.Contains(msg, "exceeded max depth"):
		p.reportAt(at, "the file is nested deeper than %d levels", MaxDepth)
		return false
	case strings.Contains(msg, "YAML document") || strings.Contains(msg, "directive"):
		return p.directive(at)
	case p.tabs(at):
		return false
	case strings.Contains(msg, "unknown anchor"):
		return p.alias(at)
	case strings.HasPrefix(failure.ContextMsg, "while scanning a quoted scalar"):
		return p.quotedScalar(context, at, msg)
	case strings.HasPrefix(failure.ContextMsg, "while parsing a flow"):
		if !isBracket(p.byteAt(context)) {
			break
		}
		if _, closed := p.match(context); !closed {
			return p.unclosedBracket(context)
		}
		if closer, opener := p.mismatch(context); closer >= 0 {
			return p.wrongBracket(closer, opener)
		}
	}
	if p.flowKey(at) {
		return true
	}
	if c, ok := p.cellAt(at); ok && p.explain(c, at) {
		return true
	}
	if p.swallowed(at) || strings.Contains(failure.ContextMsg, "flow") && p.leftOpen(at) {
		return true
	}
	if p.commentInside(at) {
		return true
	}
	p.structure(failure, at, context)
	return false
}

func (p *parser) byteAt(off int) byte {
	if src := p.text.Bytes(); off < len(src) {
		return src[off]
	}
	return 0
}

func isBracket(c byte) bool { return c == '[' || c == '{' }

// reportAt adds an error at one character.
func (p *parser) reportAt(off int, format string, args ...any) *diag.Diagnostic {
	at := p.text.Point(off)
	return p.report(at, diag.Point{Line: at.Line, Col: at.Col + 1}, format, args...)
}

// fixedType is decimal(2) with the wrong brackets, or with all its digits as SQL counts them, ternary a choice as many
// languages write it.
var (
	fixedType = regexp.MustCompile(`^(?:decimal|numeric|number|DECIMAL|NUMERIC)\s*(?:[\[{<]\s*(?:\d+\s*,\s*)?(\d+)\s*[\]}>]|\(\s*\d+\s*,\s*(\d+)\s*\))$`)
	ternary   = regexp.MustCompile(`^([^?:{}"']+?) \? ([^?:{}]+?) : ([^?:{}]+)$`)
)

// reportCell adds an error at a cell with the offer to quote it.
func (p *parser) reportCell(c cell, message string) *diag.Diagnostic {
	span := p.cellSpan(c)
	d := p.report(span.Start, span.End, "%s", message)
	fix, quoted := p.quoteFix(c)
	d.Fixes = []diag.Fix{fix}
	d.Source = p.cellText(c)
	if m := fixedType.FindStringSubmatch(d.Source); m != nil {
		right := "decimal(" + m[1] + m[2] + ")"
		d.Message, d.Hint = "`"+d.Source+"` is no type", "write `"+right+"`"
		d.Fixes = []diag.Fix{{Title: "replace with `" + right + "`", Edits: []diag.Edit{{Span: span, Text: right}}}}
		return d
	}
	defer func() {
		if m := ternary.FindStringSubmatch(d.Source); m != nil && !strings.Contains(d.Source, "data.") { // conditions have it
			d.Hint += "; in jq there is no `a ? b : c`: write " + "`if " + m[1] + " then " + m[2] + " else " + m[3] + " end`"
		}
	}()
	switch {
	case quoted == "" || len([]rune(quoted)) > 60 && !c.flow:
		d.Hint = "put the cell on its own lines below `|`"
	case len([]rune(quoted)) > 60:
		d.Hint = "put the whole cell in quotes"
	case c.flow:
		d.Hint = "quote the whole cell: " + quoted
	default:
		d.Hint = "put it on its own line below `|`, or quote the whole cell: " + quoted
	}
	return d
}

// explain says why YAML could not read a cell, and mends the cell. It reports
// false where nothing about the cell is suspicious.
func (p *parser) explain(c cell, at int) bool {
	if at < c.from || c.to <= c.from {
		return false
	}
	text := p.cellText(c)
	if p.itemDash(at) || p.surplus(c, text) || p.innerQuote(c, text) || c.flow && p.missingComma(c, text) {
		return true
	}
	message := explainStart(text)
	switch shown := quoteWord(text); {
	case message != "":
	case isBracket(text[0]):
		// A list or map that is whole as far as brackets go: not the cause.
		return false
	case c.flow:
		message = explainFlow(text)
	case strings.Contains(text, " ? ") && strings.Contains(text, ":"):
		message = fmt.Sprintf("YAML takes the `:` in %s for the end of a key", shown)
	case strings.Contains(text, ": ") || strings.Contains(text, ":\n") || strings.HasSuffix(text, ":"):
		message = fmt.Sprintf("YAML takes the `: ` in %s for the end of a key", shown)
	case hiddenComment(text) >= 0:
		p.cutCell(c)
		return true
	}
	if message == "" {
		return false
	}
	// In a list of one element it is the whole list that was meant as an
	// expression.
	if c.alone && !strings.HasPrefix(text, `"`) {
		c.from = c.open
		c.to, _ = p.match(c.open)
		c.flow = p.insideFlow(c.open)
		message = fmt.Sprintf("%s starts with `[`, so YAML reads a list and not an expression", quoteWord(p.cellText(c)))
	}
	d := p.reportCell(c, message)
	d.Short = shortFor(text)
	if entries.MatchString(text) && !c.flow {
		d.Hint = "if these are several entries, put { } around them; if it is one value, quote the whole cell"
		d.Fixes = nil
	}
	if text[0] == '|' && !c.flow {
		p.textBehindBar(d, c)
		return true
	}
	p.mend(c)
	return true
}

// dashRun is a list item without the space behind its dash.
var dashRun = regexp.MustCompile(`^-(?:[{\["']|[a-z][a-z_]*: )`)

// itemDash reports "-{send: x}" in the line of byte off.
func (p *parser) itemDash(off int) bool {
	n := p.text.Point(off).Line
	line := strings.TrimRight(p.text.Line(n), " \t")
	rest := strings.TrimLeft(line, " ")
	if !dashRun.MatchString(rest) {
		return false
	}
	from := p.text.Offset(diag.Point{Line: n, Col: len(line) - len(rest) + 1})
	at, next := p.text.Point(from), p.text.Point(from+1)
	d := p.report(at, next, "a space is missing behind the `-` of this list item")
	d.Hint = "write `" + clip("- "+rest[1:]) + "`"
	d.Fixes = []diag.Fix{{Title: "put a space there", Edits: []diag.Edit{{Span: p.span(next, next), Text: " "}}}}
	p.broken = true
	p.mend(cell{from: from, to: from + len(rest)})
	return true
}

// surplus reports a bracket that closes nothing behind a list or map: {a: b}}.
func (p *parser) surplus(c cell, text string) bool {
	if !isBracket(text[0]) {
		return false
	}
	s := scanner{src: []byte(text), hash: -1}
	for s.step() && s.depth > 0 {
	}
	rest := strings.TrimSpace(text[s.at:])
	if s.depth > 0 || rest == "" || strings.Trim(rest, "]}") != "" {
		return false
	}
	from := c.from + s.at + strings.IndexAny(text[s.at:], "]}")
	at, end := p.text.Point(from), p.text.Point(from+1)
	d := p.report(at, end, "this `%c` closes nothing: every bracket in front of it is closed", p.byteAt(from))
	d.Hint = "remove it"
	d.Fixes = []diag.Fix{{Title: "remove it", Edits: []diag.Edit{{Span: p.span(at, end)}}}}
	p.broken = true
	p.mend(c)
	return true
}

// entries is what "name: a, when: b" leaves behind the first key.
var entries = regexp.MustCompile(`^[^"'(){}\[\]?]*, *[A-Za-z_][\w.-]*: `)

// gap is a place inside braces where a second key follows a value.
var gap = regexp.MustCompile(`^([^?]*[^\s?|,])\s+([A-Za-z_][\w.-]*):(\s|$)`)

// missingComma reports "{a: .b c: .d}".
func (p *parser) missingComma(c cell, text string) bool {
	m := gap.FindStringSubmatchIndex(text)
	if m == nil || open(text[:m[3]]) || p.byteAt(c.open) != '{' {
		return false
	}
	at := p.text.Point(c.from + m[3])
	key := p.text.Point(c.from + m[4])
	d := p.report(key, diag.Point{Line: key.Line, Col: key.Col + len(text[m[4]:m[5]])}, "a comma is missing in front of `%s`", text[m[4]:m[5]])
	d.Hint = "inside { } a comma stands between two entries; quote the whole cell if it is one value"
	d.Fixes = []diag.Fix{{Title: "put a comma there", Edits: []diag.Edit{{Span: p.span(at, at), Text: ","}}}}
	p.broken = true
	p.mend(c)
	return true
}

// innerQuote reports a text in quotes that holds the same quotes: 'don't'.
func (p *parser) innerQuote(c cell, text string) bool {
	end := quotedEnd(text)
	if end < 0 || end >= len(text) || text[len(text)-1] != text[0] {
		return false
	}
	if next := text[end]; next != text[0] && next != '_' && !wordBefore([]byte(text), end+1) {
		return false
	}
	inner := cell{from: c.from + 1, to: c.to - 1, flow: c.flow, indent: c.indent}
	from, to := p.text.Point(c.from+end-1), p.text.Point(c.from+end)
	d := p.report(from, to, "this quote ends the value, because the value starts with `%c` too", text[0])
	fix, quoted := p.quoteFix(inner)
	fix.Edits[0].Span = p.cellSpan(c)
	d.Fixes = []diag.Fix{fix}
	d.Hint = "put the cell on its own lines below `|`"
	if quoted != "" {
		d.Hint = "write " + clip(quoted)
	}
	p.mendAs(c, p.meant(inner))
	return true
}

// textBehindBar mends "key: | text", where the text belongs below the bar.
func (p *parser) textBehindBar(d *diag.Diagnostic, c cell) {
	from, _ := trim(p.text.Bytes(), c.from+1, c.to)
	inner := cell{from: from, to: c.to, indent: c.indent}
	d.Hint = "put the text on the next line, indented by " + spaces(c.indent+2)
	block := "|"
	for line := range strings.Lines(p.cellText(inner)) {
		block += "\n" + strings.Repeat(" ", c.indent+2) + strings.TrimSpace(line)
	}
	d.Fixes = []diag.Fix{{Title: "put the text below `|`", Edits: []diag.Edit{{Span: p.cellSpan(c), Text: block}}}}
	p.mendAs(c, p.meant(inner))
}

// insideFlow reports whether the bracket at off stands inside another one.
func (p *parser) insideFlow(off int) bool {
	at := p.text.Point(off)
	for n := at.Line; n > 0 && n > at.Line-200; n-- {
		if c, ok := p.lineCell(n); ok && off >= c.from && off < c.to {
			return off != c.from
		}
	}
	return false
}

// blockHeader is a "|" or ">" that nothing follows on its line.
var blockHeader = regexp.MustCompile(`^[|>][-+0-9]*[ \t]*(#.*)?\r?(\n|$)`)

// explainStart says what YAML makes of the first character of a cell.
func explainStart(text string) string {
	shown := quoteWord(text)
	switch first := text[0]; first {
	case '"', '\'':
		end := quotedEnd(text)
		if end < 0 || strings.TrimSpace(text[end:]) == "" {
			return ""
		}
		return fmt.Sprintf("%s starts with a quote, so YAML ends the value behind %s", shown, quoteWord(text[:end]))
	case '[', '{':
		s := scanner{src: []byte(text)}
		for s.step() && s.depth > 0 {
		}
		if s.depth > 0 || strings.TrimSpace(text[s.at:]) == "" {
			return ""
		}
		what := map[byte]string{'[': "a list", '{': "a map"}[first]
		return fmt.Sprintf("%s starts with `%c`, so YAML reads %s and stops behind it", shown, first, what)
	case '|', '>':
		if blockHeader.MatchString(text) {
			return ""
		}
		return fmt.Sprintf("%s starts with `%c`, which announces lines of text below it", shown, first)
	case '@', '`', '%':
		return fmt.Sprintf("%s starts with `%c`, which YAML keeps for itself", shown, first)
	case '&', '*', '!':
		return fmt.Sprintf("%s starts with `%c`, which YAML does not read as text", shown, first)
	case ',', ']', '}':
		return fmt.Sprintf("%s starts with `%c`, but no bracket is open", shown, first)
	case '-', '?', ':':
		if len(text) > 1 && text[1] == ' ' && first != '-' {
			return fmt.Sprintf("%s starts with `%c `, which YAML takes for the start of a key or value", shown, first)
		}
	}
	return ""
}

// explainFlow says which character inside brackets ended a cell too early.
func explainFlow(text string) string {
	i := strings.IndexAny(text, "[]{},")
	if j := strings.Index(text, ": "); i < 0 || j >= 0 && j < i {
		i = j
	}
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("inside { } and [ ] a `%c` ends the value, so %s needs quotes", text[i], quoteWord(text))
}

// shortFor is what stands beside the caret.
func shortFor(text string) string {
	if end := quotedEnd(text); end > 0 && end < len(text) {
		return "YAML stops behind " + clip(text[:end])
	}
	return ""
}

// quotedEnd returns the byte behind the closing quote of a text that starts
// with a quote, or -1.
func quotedEnd(text string) int {
	if text == "" || text[0] != '"' && text[0] != '\'' {
		return -1
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[0] == '"' && text[i] == '\\':
			i++
		case text[0] == '\'' && strings.HasPrefix(text[i:], "''"):
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return -1
}

// hiddenComment returns where a " #" stands inside quotes, or -1.
func hiddenComment(text string) int {
	s := scanner{src: []byte(text), hash: -1}
	for s.step() {
	}
	return s.hash
}

// cutCell reports a " #" inside quotes, which ends the value for YAML.
func (p *parser) cutCell(c cell) {
	text := p.cellText(c)
	hash := hiddenComment(text)
	d := p.reportCell(c, fmt.Sprintf("YAML takes %s for a comment and never sees it", quoteWord(text[hash:])))
	from := p.text.Point(c.from + hash)
	line, _, _ := strings.Cut(text[hash:], "\n")
	d.Span = p.span(from, diag.Point{Line: from.Line, Col: from.Col + len([]rune(strings.TrimRight(line, " \t\r")))})
	d.Short = "here YAML stops"
	p.mend(c)
}

// quoteWord puts a cell into backticks for a message, or into quotes where it
// holds backticks itself.
func quoteWord(text string) string {
	text = clip(text)
	if strings.Contains(text, "`") {
		return "“" + text + "”"
	}
	return "`" + text + "`"
}

// clip shortens a cell for a message to its first line and 60 characters.
func clip(text string) string {
	text, _, more := strings.Cut(text, "\n")
	if runes := []rune(text); len(runes) > 60 {
		text, more = string(runes[:60]), true
	}
	if text = strings.TrimRight(text, " \t\r"); more {
		text += " …"
	}
	return text
}
