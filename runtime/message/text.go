package message

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, by the high bit of each byte of w, control characters, quotes
// and backslashes. Marks above the lowest one may be false.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return ((w-ones*' ')&^w | (quote-ones)&^quote | (slash-ones)&^slash) & highs
}

// plain returns the first position from i on that holds a control character, a
// quote or a backslash, or the length of b.
func plain(b []byte, i int) int {
	for i+8 <= len(b) {
		if m := special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// str reads the string whose opening quote is at i.
func (d *decoder) str(i int) (string, int) {
	start := i + 1
	i = plain(d.raw, start)
	if i < len(d.raw) && d.raw[i] == '"' {
		return d.text[start:i], i + 1
	}
	return d.escaped(start, i)
}

// escaped reads on at i, where the first character stands that needs care.
func (d *decoder) escaped(start, i int) (string, int) {
	buf := append(d.scratch[:0], d.raw[start:i]...)
	for i < len(d.raw) {
		switch c := d.raw[i]; {
		case c == '"':
			d.scratch = buf
			return string(buf), i + 1
		case c == '\\':
			if buf, i = d.escape(buf, i); i < 0 {
				return "", i
			}
		default:
			return "", d.fail(FaultSyntax, i, found(d.raw, i)+" must be escaped within text")
		}
		from := i
		i = plain(d.raw, i)
		buf = append(buf, d.raw[from:i]...)
	}
	return "", d.fail(FaultSyntax, start-1, "text without a closing quote")
}

// escape appends what the escape at i stands for.
func (d *decoder) escape(buf []byte, i int) ([]byte, int) {
	if i+1 >= len(d.raw) {
		return buf, d.expected("an escape", i+1)
	}
	switch c := d.raw[i+1]; c {
	case '"', '\\', '/':
		return append(buf, c), i + 2
	case 'b':
		return append(buf, '\b'), i + 2
	case 'f':
		return append(buf, '\f'), i + 2
	case 'n':
		return append(buf, '\n'), i + 2
	case 'r':
		return append(buf, '\r'), i + 2
	case 't':
		return append(buf, '\t'), i + 2
	case 'u':
		return d.unicode(buf, i)
	}
	return buf, d.fail(FaultSyntax, i, "unknown escape `\\"+string(firstRune(d.text[i+1:]))+"`; a backslash itself is written `\\\\`")
}

func (d *decoder) unicode(buf []byte, i int) ([]byte, int) {
	r, ok := hex4(d.raw, i)
	if !ok {
		return buf, d.fail(FaultSyntax, i, "expected four hexadecimal digits behind `\\u`")
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(buf, r), i + 6
	}
	if low, ok := hex4(d.raw, i+6); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			return utf8.AppendRune(buf, pair), i + 12
		}
	}
	return buf, d.fail(FaultEncoding, i, "half of a surrogate pair: "+shown(d.text[i:i+6]))
}

// hex4 reads `\uXXXX` at i.
func hex4(b []byte, i int) (rune, bool) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
