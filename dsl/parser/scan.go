package parser

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

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

// startsOwn reports whether a line is an entry of its own: "key: value", a
// list item, a comment or nothing.
func startsOwn(line string) bool {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || trimmed[0] == '#' || trimmed == "-" || strings.HasPrefix(trimmed, "- ") {
		return true
	}
	return split(line).keyEnd >= 0
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
