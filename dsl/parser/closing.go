package parser

import (
	"strings"

	"crossdock/dsl/diag"
)

// giveUp returns the end of the line in front of the next one that clearly
// starts something new behind byte off.
func (p *parser) giveUp(off int) int {
	at := p.text.Point(off)
	first := p.text.Line(at.Line)
	indent := len(first) - len(strings.TrimLeft(first, " -"))
	last := at.Line
	for n := at.Line + 1; n <= p.text.Lines(); n++ {
		line := p.text.Line(n)
		if lead := len(line) - len(strings.TrimLeft(line, " ")); lead <= indent && strings.TrimSpace(line) != "" {
			break
		}
		last = n
	}
	return p.text.Offset(diag.Point{Line: last, Col: len([]rune(p.text.Line(last))) + 1})
}

// unclosedBracket reports a bracket that nothing closes.
func (p *parser) unclosedBracket(off int) bool {
	c := p.byteAt(off)
	want := map[byte]string{'[': "]", '{': "}"}[c]
	if quote := p.quoteLeftOpen(off); quote > off && p.openQuote == 0 {
		p.unclosedQuote(quote) // it took what closes the bracket
	}
	if p.openQuote == 0 || p.openQuote < off { // a quote behind it that is not closed took what closes it
		d := p.reportAt(off, "the `%c` that opens here is never closed", c)
		d.Hint = "add `" + want + "`"
	}
	p.broken = true
	p.mend(cell{from: off, to: p.giveUp(off)})
	return true
}

// quoteLeftOpen returns the quote behind the bracket at off that is not closed on
// its line, or -1.
func (p *parser) quoteLeftOpen(off int) int {
	line := lineAt(p.text.Bytes(), off)
	s := scanner{src: []byte(line), hash: -1}
	from := -1
	for s.at < len(line) {
		at, before := s.at, s.quote
		if !s.step() {
			break
		}
		if before == 0 && s.quote != 0 {
			from = at
		}
	}
	if s.quote == 0 || from < 0 {
		return -1
	}
	return off + from
}

// keyQuote reports a quote that opens at the beginning of a line, for its key, and
// is not closed on it.
func (p *parser) keyQuote(n int) bool {
	for line := n; line > 0 && line > n-3; line-- {
		text := p.text.Line(line)
		lead := len(text) - len(strings.TrimLeft(text, " -"))
		if rest := text[lead:]; rest != "" && (rest[0] == '"' || rest[0] == '\'') && quotedEnd(rest) < 0 && strings.Contains(rest, ":") {
			p.unclosedQuote(p.text.Offset(diag.Point{Line: line, Col: 1}) + lead)
			d := &p.list[len(p.list)-1]
			if key, value, ok := strings.Cut(rest[1:], ": "); ok {
				d.Hint = "close it behind the key: `" + clip(rest[:1]+key+rest[:1]+": "+value) + "`"
			}
			return true
		}
	}
	return false
}

var closers = map[byte]byte{'[': ']', '{': '}', '(': ')'}

// mismatch returns the first bracket behind off that closes another kind than
// was opened, and the one it should have matched. It returns -1 where there is
// none.
func (p *parser) mismatch(off int) (closer, opener int) {
	src := p.text.Bytes()
	s := scanner{src: src, at: off}
	var stack []int
	for {
		at, quote := s.at, s.quote
		if !s.step() {
			return -1, -1
		}
		switch c := src[at]; {
		case quote != 0 || s.quote != 0:
		case closers[c] != 0:
			stack = append(stack, at)
		case len(stack) == 0:
			return -1, -1
		case c == ']' || c == '}' || c == ')':
			opener = stack[len(stack)-1]
			if closers[src[opener]] != c {
				return at, opener
			}
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				return -1, -1
			}
		}
	}
}

// wrongBracket reports "[ ... }".
func (p *parser) wrongBracket(closer, opener int) bool {
	if quote := p.strayQuote(opener, closer); quote >= 0 {
		word := wordAt(p.text.Bytes()[quote+1 : closer])
		d := p.reportAt(quote, "this quote ends the text, and `%s` stands behind it", word)
		d.Hint = "write texts within it in double quotes: \"" + word + "\""
		p.broken = true
		if c, ok := p.cellAt(opener); ok {
			p.mend(c)
			return true
		}
		return false
	}
	want := string(closers[p.byteAt(opener)])
	d := p.reportAt(closer, "`%c` stands here, but the `%c` of column %d is still open", p.byteAt(closer), p.byteAt(opener), p.text.Point(opener).Col)
	d.Hint = "put a `" + want + "` in front of it"
	p.broken = true
	if c, ok := p.cellAt(opener); ok {
		p.mend(c)
		return true
	}
	return false
}

// strayQuote returns a single quote between two places that ends a text in the
// middle of it, as in '.a == 'b”, or -1.
func (p *parser) strayQuote(from, to int) int {
	src := p.text.Bytes()
	s := scanner{src: src, at: from}
	for s.at < to {
		at, before := s.at, s.quote
		if !s.step() {
			break
		}
		if before == '\'' && s.quote == 0 && at+1 < to && wordAt(src[at+1:to]) != "" {
			return at
		}
	}
	return -1
}

// wordAt is the word that a text begins with, "" where it begins with none.
func wordAt(src []byte) string {
	n := 0
	for n < len(src) && (src[n] == '_' || src[n] == '-' || src[n] >= '0' && src[n] <= '9' || src[n]|0x20 >= 'a' && src[n]|0x20 <= 'z') {
		n++
	}
	return string(src[:n])
}

// leftOpen finds the bracket above that nothing closes.
func (p *parser) leftOpen(at int) bool {
	last := p.text.Point(at).Line
	for n := last; n > 0 && n > last-200; n-- {
		c, ok := p.lineCell(n)
		if !ok || !isBracket(p.byteAt(c.from)) {
			continue
		}
		if _, closed := p.match(c.from); !closed {
			return p.unclosedBracket(c.from)
		}
	}
	return false
}

// quotedScalar reports what is wrong inside quotes.
func (p *parser) quotedScalar(from, at int, message string) bool {
	if !strings.Contains(message, "escape") && !strings.Contains(message, "hexadecimal") {
		// The quote may belong to an expression that is fine as it stands.
		if c, ok := p.cellAt(from); ok && c.from < from && p.explain(c, from) {
			return true
		}
		p.unclosedQuote(from)
		return p.dropRest(from)
	}
	src := p.text.Bytes()
	for at = min(at, len(src)-1); at > from && src[at] != '\\'; {
		at--
	}
	to := min(at+2, len(src))
	c := cell{from: from, to: from}
	if end := quotedEnd(string(src[from:])); end > 0 {
		c.to = from + end
	}
	escape := string(src[at:to])
	d := p.report(p.text.Point(at), p.text.Point(to), "inside double quotes `%s` is no escape that YAML knows", escape)
	if strings.ContainsAny(escape, "xuU") {
		d.Message = "the escape `" + escape + "` needs more digits: \\xNN, \\uNNNN or \\UNNNNNNNN with a character that exists"
	}
	d.Hint = "write `\\" + escape + "`, or use single quotes, which change nothing"
	if c.to == from {
		return false
	}
	inner := string(src[from+1 : c.to-1])
	plain := !strings.ContainsAny(inner, "'\n") && !strings.Contains(inner, `\\`)
	if text := strings.ReplaceAll(inner, `\"`, `"`); escape == `\(` && plain {
		// jq takes a value in that way inside a text, which has quotes of its own.
		if text == inner {
			text = `"` + inner + `"`
		}
		d.Hint = "a text of jq has quotes of its own: write '" + text + "'"
		d.Fixes = []diag.Fix{{Title: "put the text of jq into single quotes", Edits: []diag.Edit{{Span: p.cellSpan(c), Text: "'" + text + "'"}}}}
		mended := p.meant(cell{from: from, to: c.to})
		mended.text = text
		p.mendAs(c, mended)
		return true
	}
	if plain && !strings.Contains(inner, `\"`) {
		d.Fixes = []diag.Fix{{Title: "use single quotes", Edits: []diag.Edit{{Span: p.cellSpan(c), Text: "'" + inner + "'"}}}}
	}
	p.mendAs(c, p.meant(cell{from: from + 1, to: c.to - 1}))
	return true
}

func (p *parser) unclosedQuote(from int) {
	quote := p.byteAt(from)
	p.openQuote = from
	d := p.reportAt(from, "the quote that opens here is never closed")
	d.Hint = "add `" + string(quote) + "` at the end of the text"
	if quote == '\'' {
		d.Hint += "; an apostrophe inside single quotes is written twice: ''"
	}
}

// swallowed finds the quote that was not closed on its line and took the lines
// below it into the text, up to the next quote.
func (p *parser) swallowed(at int) bool {
	last := p.text.Point(at).Line
	for n := last - 1; n > 0 && n > last-100; n-- {
		c, ok := p.lineCell(n)
		if !ok || p.byteAt(c.from) != '"' && p.byteAt(c.from) != '\'' {
			continue
		}
		rest := lineAt(p.text.Bytes(), c.from)
		if quotedEnd(rest) >= 0 {
			continue
		}
		end := quotedEnd(string(p.text.Bytes()[c.from:]))
		if end < 0 || p.text.Point(c.from+end).Line != last {
			continue
		}
		p.unclosedQuote(c.from)
		return p.dropRest(c.from)
	}
	return false
}

// dropRest fills the rest of the line, so that mistakes further down are found
// too. What the author meant is not known, so the file gets no tree.
func (p *parser) dropRest(off int) bool {
	p.broken = true
	rest := strings.TrimRight(lineAt(p.text.Bytes(), off), " \t")
	p.mend(cell{from: off, to: off + len(rest)})
	return true
}
