package parser

import (
	"strings"
	"unicode/utf8"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// tracer reads one scalar from the source a second time and notes where each
// character of its text came from. The YAML library gives only the start of a
// value; the text it found is the proof that this reading is right.
type tracer struct {
	text  *diag.Text
	src   []byte
	at    int // next byte to read
	end   int // behind the last character of the scalar
	bol   int // start of the line being read
	next  int // byte that continues the last mark, or -1
	value string
	out   []byte
	marks ast.Offsets
}

// trace maps the scalar that starts at byte off. indent is the column of the
// block that holds the scalar, 0 at the top. It returns the place of every
// character and the byte behind the scalar, or false where the source does not
// give the same text.
func trace(text *diag.Text, off int, value string, style ast.Style, indent int) (ast.Offsets, int, bool) {
	t := tracer{text: text, src: text.Bytes(), at: off, end: off, next: -1, value: value}
	switch style {
	case ast.Plain:
		t.plain()
	case ast.SingleQuoted, ast.DoubleQuoted:
		if !t.quoted(style == ast.DoubleQuoted) {
			return nil, off, false
		}
	default:
		if !t.block(style == ast.Folded, indent) {
			return nil, off, false
		}
	}
	if string(t.out) != value {
		return nil, off, false
	}
	if len(t.marks) == 0 {
		// An empty text still has a place: behind the opening quote.
		t.marks = ast.Offsets{{Off: 0, Point: text.Point(min(off+1, t.end))}}
	} else if strings.HasSuffix(value, "\n") {
		// The end of the text is the end of its last line, not the next one.
		t.marks = append(t.marks, ast.Mark{Off: len(value), Point: t.place(len(value) - 1)})
	}
	return t.marks, t.end, true
}

// place returns the point already noted for byte off of the text.
func (t *tracer) place(off int) diag.Point {
	n := ast.Node{Text: t.value, Offsets: t.marks}
	return n.At(off)
}

// emit appends s, which was written at byte from of the source and takes size
// bytes there.
func (t *tracer) emit(s string, from, size int) {
	if from != t.next {
		t.marks = append(t.marks, ast.Mark{Off: len(t.out), Point: t.text.Point(from)})
	}
	t.out = append(t.out, s...)
	t.next = from + size
	if utf8.RuneCountInString(s) != 1 || size != len(s) {
		t.next = -1
	}
}

// copyRune appends the next character of the source as it is.
func (t *tracer) copyRune() {
	_, size := utf8.DecodeRune(t.src[t.at:])
	t.emit(string(t.src[t.at:t.at+size]), t.at, size)
	t.at += size
	t.end = t.at
}

func (t *tracer) peek() byte {
	if t.at < len(t.src) {
		return t.src[t.at]
	}
	return 0
}

func (t *tracer) done() bool { return t.at >= len(t.src) }

func (t *tracer) atBreak() bool {
	c := t.peek()
	return c == '\n' || c == '\r' && t.at+1 < len(t.src) && t.src[t.at+1] == '\n'
}

func (t *tracer) skipBreak() int {
	from := t.at
	if t.peek() == '\r' {
		t.at++
	}
	t.at++
	t.bol = t.at
	return from
}

func (t *tracer) atBlank() bool { return t.peek() == ' ' || t.peek() == '\t' }

// gap reads blanks and line breaks between two words. It returns the place of
// each break and the range of the blanks in front of the first one.
func (t *tracer) gap() (breaks []int, from, to int) {
	from, to = t.at, t.at
	for !t.done() && (t.atBlank() || t.atBreak()) {
		if t.atBreak() {
			breaks = append(breaks, t.skipBreak())
			continue
		}
		t.at++
		if len(breaks) == 0 {
			to = t.at
		}
	}
	return breaks, from, to
}

// fold appends what YAML makes of a gap: blanks stay, one line break becomes a
// space, and of several line breaks all but the first stay.
func (t *tracer) fold(breaks []int, from, to int) {
	switch len(breaks) {
	case 0:
		for i := from; i < to; i++ {
			t.emit(string(t.src[i:i+1]), i, 1)
		}
	case 1:
		t.emit(" ", breaks[0], 1)
		t.next = -1
	default:
		for _, at := range breaks[1:] {
			t.emit("\n", at, 1)
			t.next = -1
		}
	}
}

// plain needs no rule for where the scalar ends: it never ends with a blank,
// so it is over when the whole text has been found.
func (t *tracer) plain() {
	for len(t.out) < len(t.value) && !t.done() {
		for !t.done() && !t.atBlank() && !t.atBreak() && len(t.out) < len(t.value) {
			t.copyRune()
		}
		if len(t.out) >= len(t.value) {
			return
		}
		breaks, from, to := t.gap()
		t.fold(breaks, from, to)
	}
}

func (t *tracer) quoted(double bool) bool {
	quote := byte('\'')
	if double {
		quote = '"'
	}
	if t.peek() != quote {
		return false
	}
	t.at++
	for !t.done() {
		escapedBreak := false
		for !t.done() && !t.atBlank() && !t.atBreak() && t.peek() != quote {
			if double && t.peek() == '\\' {
				if t.at++; t.atBreak() {
					t.skipBreak()
					escapedBreak = true
					break
				}
				if !t.escape() {
					return false
				}
				continue
			}
			t.copyRune()
		}
		if t.peek() == quote && !escapedBreak {
			if !double && t.at+1 < len(t.src) && t.src[t.at+1] == quote {
				t.emit("'", t.at, 2)
				t.at += 2
				continue
			}
			t.at++
			t.end = t.at
			return true
		}
		breaks, from, to := t.gap()
		if !escapedBreak {
			t.fold(breaks, from, to)
			continue
		}
		// Behind an escaped line break blanks vanish and every further
		// break counts.
		for _, at := range breaks {
			t.emit("\n", at, 1)
			t.next = -1
		}
	}
	return false
}

var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f",
	'r': "\r", 'e': "\x1b", ' ': " ", '"': `"`, '/': "/", '\\': `\`,
	'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

// escape reads one escape of a double-quoted scalar; the backslash is read
// already and is where the character stands.
func (t *tracer) escape() bool {
	from := t.at - 1
	c := t.peek()
	if s, ok := escapes[c]; ok {
		t.at++
		t.emit(s, from, 2)
		t.next = -1
		return true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if digits == 0 || t.at+1+digits > len(t.src) {
		return false
	}
	var r rune
	for _, h := range t.src[t.at+1 : t.at+1+digits] {
		v := strings.IndexByte("0123456789abcdef", h|0x20)
		if v < 0 {
			return false
		}
		r = r<<4 | rune(v)
	}
	t.at += 1 + digits
	t.emit(string(r), from, 2+digits)
	t.next = -1
	return true
}
