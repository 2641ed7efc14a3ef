package jq

import "strings"

// Span is a half-open range of byte offsets in the text of a cell.
type Span struct{ From, To int }

// token kinds; punctuation and operators carry their text as kind tokOp.
type tokenKind uint8

const (
	tokEOF      tokenKind = iota
	tokIdent              // names and keywords: map, if, std::f
	tokVariable           // $name
	tokField              // .name
	tokNumber
	tokFormat   // @base64
	tokString   // a whole string without interpolation, quotes included
	tokStrOpen  // the opening quote of a string with interpolation
	tokStrPart  // literal text inside such a string
	tokInterp   // \(
	tokStrClose // the closing quote of such a string
	tokOp
)

type token struct {
	kind tokenKind
	Span
	text string
}

// scan splits src into tokens the way the parser does. It never fails: what
// it cannot read becomes a one-byte operator, and the parser has the last word.
func scan(src string) []token {
	s := &scanner{src: src}
	for s.pos < len(src) {
		s.step()
	}
	s.toks = append(s.toks, token{kind: tokEOF, Span: Span{len(src), len(src)}})
	return s.toks
}

type scanner struct {
	src   string
	pos   int
	toks  []token
	depth []int // open parentheses inside each open interpolation
}

func (s *scanner) emit(kind tokenKind, from int) {
	s.toks = append(s.toks, token{kind, Span{from, s.pos}, s.src[from:s.pos]})
}

func (s *scanner) peek(off int) byte {
	if s.pos+off < len(s.src) {
		return s.src[s.pos+off]
	}
	return 0
}

func (s *scanner) step() {
	c, from := s.src[s.pos], s.pos
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		s.pos++
	case c == '#':
		s.comment()
	case identStart(c):
		s.ident()
		if s.peek(0) == ':' && s.peek(1) == ':' && identStart(s.peek(2)) {
			s.pos += 2
			s.ident()
		}
		s.emit(tokIdent, from)
	case c == '$' && identStart(s.peek(1)):
		s.pos++
		s.ident()
		if s.peek(0) == ':' && s.peek(1) == ':' && identStart(s.peek(2)) {
			s.pos += 2
			s.ident()
		}
		s.emit(tokVariable, from)
	case c == '@' && (identStart(s.peek(1)) || digit(s.peek(1))):
		s.pos++
		s.ident()
		s.emit(tokFormat, from)
	case c == '.' && identStart(s.peek(1)):
		s.pos++
		s.ident()
		s.emit(tokField, from)
	case digit(c) || c == '.' && digit(s.peek(1)):
		s.number()
		s.emit(tokNumber, from)
	case c == '"':
		s.str()
	case c == '(':
		s.pos++
		if n := len(s.depth); n > 0 {
			s.depth[n-1]++
		}
		s.emit(tokOp, from)
	case c == ')':
		s.pos++
		s.emit(tokOp, from)
		if n := len(s.depth); n > 0 {
			if s.depth[n-1] > 0 {
				s.depth[n-1]--
			} else {
				s.depth = s.depth[:n-1]
				s.inString(s.pos)
			}
		}
	default:
		s.operator()
	}
}

func (s *scanner) ident() {
	for s.pos < len(s.src) && (identStart(s.src[s.pos]) || digit(s.src[s.pos])) {
		s.pos++
	}
}

func (s *scanner) number() {
	for s.pos < len(s.src) && (digit(s.src[s.pos]) || s.src[s.pos] == '.') {
		s.pos++
	}
	if c := s.peek(0); c != 'e' && c != 'E' {
		return
	}
	s.pos++
	if c := s.peek(0); c == '+' || c == '-' {
		s.pos++
	}
	for s.pos < len(s.src) && digit(s.src[s.pos]) {
		s.pos++
	}
}

func (s *scanner) comment() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case '\n', '\r':
			return
		case '\\': // a backslash carries the comment over the line end
			s.pos++
			switch s.peek(0) {
			case '\\', '\n':
				s.pos++
			case '\r':
				s.pos++
				if s.peek(0) == '\n' {
					s.pos++
				}
			}
		default:
			s.pos++
		}
	}
}

var operators = []string{"//=", "..", "//", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", ">=", "<="}

func (s *scanner) operator() {
	from := s.pos
	for _, op := range operators {
		if strings.HasPrefix(s.src[s.pos:], op) {
			s.pos += len(op)
			s.emit(tokOp, from)
			return
		}
	}
	s.pos++
	s.emit(tokOp, from)
}

// str reads a string from its opening quote; with an interpolation inside it
// emits the pieces one by one.
func (s *scanner) str() {
	from := s.pos
	for i := from + 1; i < len(s.src); i++ {
		switch s.src[i] {
		case '\\':
			i++
			if i < len(s.src) && s.src[i] == '(' {
				s.pos = from + 1
				s.emit(tokStrOpen, from)
				s.inString(s.pos)
				return
			}
		case '"':
			s.pos = i + 1
			s.emit(tokString, from)
			return
		}
	}
	s.pos = len(s.src)
	s.emit(tokString, from)
}

// inString reads literal text up to the next interpolation or the end.
func (s *scanner) inString(from int) {
	for i := from; i < len(s.src); i++ {
		switch s.src[i] {
		case '\\':
			if i+1 < len(s.src) && s.src[i+1] == '(' {
				if s.pos = i; i > from {
					s.emit(tokStrPart, from)
				}
				s.pos = i + 2
				s.emit(tokInterp, i)
				s.depth = append(s.depth, 0)
				return
			}
			i++
		case '"':
			if s.pos = i; i > from {
				s.emit(tokStrPart, from)
			}
			s.pos = i + 1
			s.emit(tokStrClose, i)
			return
		}
	}
	s.pos = len(s.src)
	s.emit(tokStrPart, from)
}

func identStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// nesting returns the greatest depth of brackets and block keywords in toks
// and where it exceeds limit first. It is checked before parsing, because a
// parser that recurses on hostile input cannot be stopped.
func nesting(toks []token, limit int) (at Span, deep bool) {
	depth, signs := 0, 0
	for _, t := range toks {
		if t.kind == tokOp && (t.text == "-" || t.text == "+") {
			if signs++; signs > limit {
				return t.Span, true
			}
			continue
		}
		signs = 0
		switch {
		case t.kind == tokInterp || t.kind == tokOp && (t.text == "(" || t.text == "[" || t.text == "{"):
			depth++
		case t.kind == tokOp && (t.text == ")" || t.text == "]" || t.text == "}"):
			depth--
		case t.kind == tokIdent && (t.text == "if" || t.text == "def" || t.text == "try" || t.text == "label" || t.text == "reduce" || t.text == "foreach"):
			depth++
		case t.kind == tokIdent && t.text == "end":
			depth--
		}
		if depth > limit {
			return t.Span, true
		}
	}
	return Span{}, false
}
