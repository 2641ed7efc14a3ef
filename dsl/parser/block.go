package parser

import "bytes"

// block reads a literal or folded scalar. Its indentation follows from its
// first line with text, unless the header says how much deeper it stands than
// the block around it.
func (t *tracer) block(folded bool, indent int) bool {
	t.at++
	chomp, deeper := t.header()
	if t.done() {
		t.end = t.at
		return true
	}
	if !t.atBreak() {
		return false
	}
	t.end = t.at
	t.skipBreak()
	b := blockReader{tracer: t, folded: folded, width: indent - 1 + deeper}
	if indent == 0 {
		b.width = deeper
	}
	if deeper == 0 {
		b.width = -1
		b.least = indent
	}
	b.read(chomp)
	return true
}

// header reads the indicators behind "|" or ">" and leaves the reader at the
// line break. A comment may stand there too.
func (t *tracer) header() (chomp byte, deeper int) {
	for !t.done() && !t.atBreak() {
		switch c := t.peek(); {
		case c == '+' || c == '-':
			chomp = c
		case c >= '1' && c <= '9':
			deeper = int(c - '0')
		case t.atBlank():
			for !t.done() && !t.atBreak() {
				t.at++
			}
			return chomp, deeper
		}
		t.at++
	}
	return chomp, deeper
}

// blockReader reads the lines of a block scalar.
type blockReader struct {
	*tracer
	folded bool
	width  int // spaces in front of each line; -1 until known
	least  int // smallest width that the block around allows

	breaks []int // places of empty lines not yet written
	lead   int   // place of the break behind the last line with text, or -1
}

func (b *blockReader) read(chomp byte) {
	b.lead = -1
	b.skipEmpty()
	first, afterBlank := true, false
	for !b.done() && b.column() == b.width {
		blank := b.atBlank()
		switch {
		case b.folded && !first && !afterBlank && !blank:
			// Two ordinary lines: their break becomes a space, or goes
			// when empty lines follow it.
			if len(b.breaks) == 0 {
				b.newline(" ", b.lead)
			}
		case !first:
			b.newline("\n", b.lead)
		}
		b.flush()
		first, afterBlank = false, blank
		start := b.at
		for !b.done() && !b.atBreak() {
			b.copyRune()
		}
		b.lead = -1
		switch {
		case !b.done():
			b.lead = b.skipBreak()
		case len(bytes.Trim(b.src[start:b.at], " \t")) == 0:
			// The library gives a last line of blanks its break back.
			b.lead = b.at
		}
		b.skipEmpty()
	}
	if chomp != '-' && b.lead >= 0 {
		b.newline("\n", b.lead)
	}
	if chomp == '+' {
		b.flush()
	}
}

func (b *blockReader) newline(s string, at int) {
	b.emit(s, at, 1)
	b.next = -1
}

func (b *blockReader) flush() {
	for _, at := range b.breaks {
		b.newline("\n", at)
	}
	b.breaks = b.breaks[:0]
}

// column returns how many bytes of the current line have been read.
func (b *blockReader) column() int { return b.at - b.bol }

// skipEmpty passes empty lines and the indentation of the next line with text,
// and finds the width where it is not known yet.
func (b *blockReader) skipEmpty() {
	widest := 0
	for {
		for b.peek() == ' ' && (b.width < 0 || b.column() < b.width) {
			b.at++
		}
		widest = max(widest, b.column())
		if b.done() || !b.atBreak() {
			break
		}
		b.breaks = append(b.breaks, b.skipBreak())
	}
	if b.done() && b.column() > 0 && (b.width < 0 || b.column() < b.width || b.column() == b.width && b.width > 0) {
		b.breaks = append(b.breaks, b.at)
	}
	if b.width < 0 {
		b.width = max(widest, b.least)
	}
}
