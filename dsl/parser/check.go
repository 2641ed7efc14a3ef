package parser

import (
	"unicode/utf8"

	"crossdock/dsl/diag"
)

// maxBadBytes bounds how many unreadable places of one file are reported.
const maxBadBytes = 10

// precheck looks at the bytes before YAML sees them. It reports false where
// the file cannot be read at all.
func (p *parser) precheck() bool {
	src := p.text.Bytes()
	top := diag.Point{Line: 1, Col: 1}
	if len(src) > MaxBytes {
		p.report(top, top, "the file is larger than 1 MiB").
			Hint = "split it, or keep the table in a CSV file and name it with `file:`"
		return false
	}
	if len(src) >= 2 && (src[0] == 0xFE && src[1] == 0xFF || src[0] == 0xFF && src[1] == 0xFE) {
		p.report(top, top, "the file is stored as UTF-16").Hint = "save it as UTF-8"
		return false
	}
	bad := 0
	for off := p.text.Offset(top); off < len(src) && bad < maxBadBytes; {
		r, size := utf8.DecodeRune(src[off:])
		if message, hint := badRune(src, off, r, size); message != "" {
			at := p.text.Point(off)
			p.report(at, diag.Point{Line: at.Line, Col: at.Col + 1}, "%s", message).Hint = hint
			bad++
		}
		off += size
	}
	return bad == 0
}

// badRune says what is wrong with a character that has no place in a
// definition, wherever it stands.
func badRune(src []byte, off int, r rune, size int) (message, hint string) {
	switch {
	case r == utf8.RuneError && size == 1:
		return "this byte is not UTF-8 text", "save the file as UTF-8"
	case r == 0:
		return "the file holds a NUL byte", "remove it; is this really a text file?"
	case r == '\r' && (off+1 >= len(src) || src[off+1] != '\n'):
		return "a carriage return stands alone here", "save the file with Unix (LF) or Windows (CRLF) line ends"
	case r == 0x85 || r == 0x2028 || r == 0x2029:
		return "an invisible line separator stands here", `remove it, or write it as "\u2028" in double quotes`
	case r == 0xFEFF:
		return "an invisible byte order mark stands here", "remove it"
	case r < 0x20 && r != '\t' && r != '\n' && r != '\r', r == 0x7F, r >= 0x80 && r < 0xA0, r == 0xFFFE || r == 0xFFFF:
		return "an invisible control character stands here", `remove it, or write it as "\u0007" in double quotes`
	}
	return "", ""
}
