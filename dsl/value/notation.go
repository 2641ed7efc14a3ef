package value

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// notation is a way to write numbers, one alternative of parse, or the format:
// "1.234,56". The zero notation is that of JSON without an exponent.
type notation struct {
	text  string
	group string // what stands between groups of three digits, "" for nothing
	point string // what stands before the decimals, "" for whole numbers
	minus minus
}

// minus is where a notation puts the sign of a negative number. A sign in front
// is read in any case.
type minus uint8

const (
	inFront  minus = iota
	behind         // 12.50-
	brackets       // (12.50)
)

// The marks that people put between groups of digits, each kind with its usual
// spelling first. A text may have any of the kind that the pattern shows.
const (
	blanks      = " \u00a0\u202f\u2009" // no-break, narrow no-break and thin
	apostrophes = "'\u2019"
	points      = ".,"
)

// read takes the marks off a text. Where the text is not written so, why says
// what is wrong with it, if there is anything to say.
func (n *notation) read(s string) (d Decimal, why string, err error) {
	digits, negative, ok := n.unsigned(s)
	if !ok {
		return d, "one sign is enough", errNotation
	}
	var buf [48]byte
	b, why := n.plain(append(buf[:0], '-'), digits)
	if b == nil {
		return d, why, errNotation
	}
	if !negative {
		b = b[1:]
	}
	d, err = ParseDecimal(string(b))
	return d, "", err
}

// errNotation is the error of a text that is written in another way; whoever
// knows all alternatives puts it into words.
var errNotation = &Error{Code: CodeParse, Message: "the number is written in another way"}

// unsigned takes the sign off a text; ok is false where it has two.
func (n *notation) unsigned(s string) (digits string, negative, ok bool) {
	if n.minus == brackets && len(s) > 1 && s[0] == '(' && s[len(s)-1] == ')' {
		return s[1 : len(s)-1], true, true
	}
	signed := false
	for _, sign := range []string{"-", "+", "\u2212"} {
		if rest, found := strings.CutPrefix(s, sign); found {
			s, signed, negative = rest, true, sign != "+"
			break
		}
	}
	if rest, found := strings.CutSuffix(s, "-"); found && n.minus == behind {
		return rest, true, !signed
	}
	return s, negative, true
}

// plain appends the digits with a point, or returns nil and what is wrong.
// Groups may be left out; where one is marked all have to be, and each but the
// first has three digits: a mark at any other place is more likely a point of
// somebody else than a slip.
func (n *notation) plain(b []byte, s string) ([]byte, string) {
	const misplaced = "each group behind the first has three digits"
	run, groups, decimals := 0, 0, false // run: digits since the last mark
	for i := 0; i < len(s); {
		if c := s[i]; c >= '0' && c <= '9' {
			b = append(b, c)
			run++
			i++
			continue
		}
		if n.point != "" && s[i] == n.point[0] {
			switch {
			case decimals:
				return nil, "`" + n.point + "` stands before the decimals, once"
			case groups > 0 && run != 3:
				return nil, misplaced
			}
			b = append(b, '.')
			run, decimals = 0, true
			i++
			continue
		}
		size := n.groupAt(s[i:])
		switch {
		case size == 0:
			return nil, ""
		case decimals:
			return nil, "there are no groups behind `" + n.point + "`"
		case run == 0 || run > 3 || groups > 0 && run != 3:
			return nil, misplaced
		case groups == 0 && b[len(b)-run] == '0':
			return nil, "a number in groups does not begin with a zero"
		}
		groups++
		run = 0
		i += size
	}
	switch {
	case !decimals && groups > 0 && run != 3:
		return nil, misplaced
	case run == 0:
		return nil, ""
	}
	return b, ""
}

// groupAt returns how many bytes the mark of a group has with which s begins.
func (n *notation) groupAt(s string) int {
	if n.group == "" {
		return 0
	}
	r, size := utf8.DecodeRuneInString(s)
	for _, kind := range []string{blanks, apostrophes} {
		if strings.Contains(kind, n.group) {
			if strings.ContainsRune(kind, r) {
				return size
			}
			return 0
		}
	}
	if strings.HasPrefix(s, n.group) {
		return size
	}
	return 0
}

// write is the other way round: all digits of d, in groups where the notation
// has them.
func (n *notation) write(d Decimal) string {
	var buf [48]byte
	digits := d.Abs().Append(buf[:0])
	whole, decimals, _ := bytes.Cut(digits, []byte("."))
	out := make([]byte, 0, 2*len(digits)+2)
	if d.Sign() < 0 && n.minus == inFront {
		out = append(out, '-')
	} else if d.Sign() < 0 && n.minus == brackets {
		out = append(out, '(')
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out = append(out, n.group...)
		}
		out = append(out, c)
	}
	if len(decimals) > 0 {
		out = append(append(out, n.point...), decimals...)
	}
	if d.Sign() < 0 && n.minus == behind {
		out = append(out, '-')
	} else if d.Sign() < 0 && n.minus == brackets {
		out = append(out, ')')
	}
	return string(out)
}

// written is how the numbers of a row are written, before and after.
type written struct {
	parse  []notation // none: as JSON writes them
	text   string     // the parse option, for messages
	format *notation  // nil: the result is a number
}

func newWritten(t Type, opt Options) (*written, error) {
	if opt.Parse == "" && opt.Format == "" {
		return nil, nil
	}
	w := &written{text: opt.Parse}
	if opt.Parse != "" {
		if problems := CheckPattern(opt.Parse, t, true); len(problems) > 0 {
			return nil, patternError("parse", opt.Parse, problems)
		}
		for _, p := range Alternatives(opt.Parse) {
			n, _ := scanNotation(p)
			w.parse = append(w.parse, n)
		}
	}
	if opt.Format != "" {
		if problems := CheckPattern(opt.Format, t, false); len(problems) > 0 {
			return nil, patternError("format", opt.Format, problems)
		}
		n, _ := scanNotation(opt.Format)
		w.format = &n
	}
	return w, nil
}

// read reads a text by the first alternative that fits.
func (w *written) read(s string, t Type) (Decimal, error) {
	trimmed := strings.TrimSpace(s)
	if trimmed == "" {
		return Decimal{}, emptyText("a number as " + w.text)
	}
	hint := ""
	for i := range w.parse {
		d, why, err := w.parse[i].read(trimmed)
		if err != errNotation {
			return d, err
		}
		if hint == "" {
			hint = why
		}
	}
	if other := readingHint(t, trimmed); other != "" {
		hint = other
	}
	return Decimal{}, &Error{Code: CodeParse, Message: "expected a number as " + w.text + ", found " + quote(s), Hint: hint}
}
