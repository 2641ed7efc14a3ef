package jq

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// maxRegexWork bounds instructions of the pattern times bytes of the text,
// because matching cannot be stopped: about a tenth of a second.
const maxRegexWork = 16 << 20

// pattern is a compiled literal regular expression with its flags.
type pattern struct {
	re    *regexp.Regexp
	next  *regexp.Regexp // one character and then re, from the start
	size  int            // instructions
	arg   any            // as written, for error messages
	flags any            // a text, or nil
	all   bool           // every match, not only the first

	unnamed bool // no group has a name
}

func newPattern(re string, flags any) (*pattern, error) {
	p := &pattern{arg: re, flags: flags}
	text, _ := flags.(string)
	prefix := ""
	for _, f := range text {
		switch f {
		case 'g':
			p.all = true
		case 'i':
			prefix = "(?i)" + prefix
		case 'm':
			prefix = "(?s)" + prefix
		default:
			return nil, fmt.Errorf("unsupported regular expression flag: %q", text)
		}
	}
	if strings.Count(prefix, "i") > 1 || strings.Count(prefix, "s") > 1 {
		return nil, errNotCompiled
	}
	var err error
	if p.re, err = regexp.Compile(prefix + re); err != nil {
		return nil, err
	}
	if p.next, err = regexp.Compile(`\A(?s:.)(?:` + prefix + re + `)`); err != nil {
		p.next = nil
	}
	tree, err := syntax.Parse(prefix+re, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, err
	}
	p.size = len(prog.Inst)
	if shortest(tree) > 0 {
		p.next = nil // it never matches nothing
	}
	p.unnamed = strings.Join(p.re.SubexpNames(), "") == ""
	return p, nil
}

// shortest returns a lower bound for the length of what re matches.
func shortest(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(re.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min * shortest(re.Sub[0])
	case syntax.OpConcat:
		n := 0
		for _, s := range re.Sub {
			n += shortest(s)
		}
		return n
	case syntax.OpAlternate:
		n := shortest(re.Sub[0])
		for _, s := range re.Sub[1:] {
			n = min(n, shortest(s))
		}
		return n
	}
	return 0
}

// regex reads the literal pattern and flags of a call; extra flags are added.
func (b *builder) regex(f *gojq.Func, flagsAt int, extra string) (*pattern, error) {
	arg := f.Args[0]
	re, ok := literalText(arg)
	var flags any
	if !ok {
		// ["re", "flags"] stands for both, where there are no flags beside it.
		t := bare(arg)
		if t == nil || t.Type != gojq.TermTypeArray || len(f.Args) > 1 || t.Array.Query == nil || extra != "" {
			return nil, errNotCompiled
		}
		pairQuery := t.Array.Query
		if pairQuery.Op != gojq.OpComma {
			return nil, errNotCompiled
		}
		second, ok2 := literalText(pairQuery.Right)
		if re, ok = literalText(pairQuery.Left); !ok || !ok2 || len(t.SuffixList) > 0 {
			return nil, errNotCompiled
		}
		flags = second
	}
	if len(f.Args) > flagsAt {
		t := bare(f.Args[flagsAt])
		if s, ok := literalText(f.Args[flagsAt]); ok {
			flags = s
		} else if t == nil || t.Type != gojq.TermTypeNull || len(t.SuffixList) > 0 {
			return nil, errNotCompiled
		}
	}
	if extra != "" {
		s, _ := flags.(string)
		flags = s + extra
	}
	p, err := newPattern(re, flags)
	if err != nil {
		return nil, errNotCompiled // the interpreter reports it while running
	}
	return p, nil
}

// admit pays for matching s, or refuses a text that is too long for p.
func (m *machine) admit(p *pattern, name string, in any) (string, error) {
	s, ok := in.(string)
	if !ok {
		return "", fail2(name, in, p.arg, p.flags)
	}
	work := p.size * (len(s) + 1)
	if work > maxRegexWork {
		panic(&LimitError{ErrTime, fmt.Sprintf("matches a text of %d bytes, the limit for this pattern is %d", len(s), maxRegexWork/p.size)})
	}
	m.spend(work >> 4)
	return s, nil
}

// matches returns the positions of the matches in s: all of them, or the
// first. An empty match right after another one counts.
func (p *pattern) matches(m *machine, s string) [][]int {
	n := 1
	if p.all {
		n = -1
	}
	found := p.re.FindAllStringSubmatchIndex(s, n)
	m.grow(len(found) * 64)
	if len(found) == 0 || n == 1 || p.next == nil {
		return found
	}
	out := make([][]int, 0, len(found))
	for i, at := range found {
		out = append(out, at)
		if at[0] == at[1] || i+1 < len(found) && found[i+1][0] == at[1] {
			continue
		}
		if empty := p.emptyAt(m, s, at[1]); empty != nil {
			out = append(out, empty)
		}
	}
	return out
}

// emptyAt looks for an empty match at a position behind another match. It
// starts one character earlier, so that ^ and \b know what comes before.
func (p *pattern) emptyAt(m *machine, s string, at int) []int {
	_, width := utf8.DecodeLastRuneInString(s[:at])
	m.spend(p.size * (len(s) - at + 1) >> 4)
	found := p.next.FindStringSubmatchIndex(s[at-width:])
	if found == nil || found[1] != width {
		return nil
	}
	out := make([]int, len(found))
	out[0], out[1] = at, at
	for i := 2; i < len(found); i++ {
		if out[i] = -1; found[i] >= 0 {
			out[i] = found[i] + at - width
		}
	}
	return out
}

// runePositions turns growing byte positions into character positions.
type runePositions struct {
	s        string
	byte, at int
}

func (r *runePositions) to(b int) int {
	if b < r.byte {
		r.byte, r.at = 0, 0
	}
	r.at += utf8.RuneCountInString(r.s[r.byte:b])
	r.byte = b
	return r.at
}

func (b *builder) regexTest(f *gojq.Func, sc *names) (*node, error) {
	p, err := b.regex(f, 1, "")
	if err != nil {
		return b.bridgeCall(f, sc)
	}
	return single(func(m *machine, in any) (any, error) {
		s, err := m.admit(p, "test", in)
		if err != nil {
			return nil, err
		}
		return p.re.MatchString(s), nil
	}), nil
}

// regexEach is a function that gives a value for each match. reads is asked once
// for each text, and what it returns once for each match in it.
func (b *builder) regexEach(f *gojq.Func, flags string, sc *names, reads func(m *machine, p *pattern, s string) func(at []int) any) (*node, error) {
	p, err := b.regex(f, 1, flags)
	if err != nil {
		return b.bridgeCall(f, sc)
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		s, err := m.admit(p, "match", in)
		if err != nil {
			return err
		}
		value := reads(m, p, s)
		for _, at := range p.matches(m, s) {
			if err := yield(value(at)); err != nil {
				return err
			}
		}
		return nil
	}), nil
}

func (b *builder) regexMatch(f *gojq.Func, sc *names) (*node, error) {
	return b.regexEach(f, "", sc, func(m *machine, p *pattern, s string) func([]int) any {
		pos := &runePositions{s: s}
		return func(at []int) any { return p.describe(m, s, at, pos) }
	})
}

// describe is one match as match gives it.
func (p *pattern) describe(m *machine, s string, at []int, pos *runePositions) any {
	m.grow((len(at)/2 + 1) * (sizeObject + sizeList))
	m.spend((at[1] - at[0] + 1) >> 4 * len(at))
	offset := pos.to(at[0])
	groups := make([]any, 0, len(at)/2-1)
	for j := 2; j < len(at); j += 2 {
		var name any
		if n := p.re.SubexpNames()[j/2]; n != "" {
			name = n
		}
		g := map[string]any{"name": name, "offset": -1, "length": 0, "string": nil}
		if at[j] >= 0 {
			inner := s[at[j]:at[j+1]]
			g["offset"], g["string"] = pos.to(at[j]), inner
			g["length"] = pos.to(at[j+1]) - g["offset"].(int)
		}
		groups = append(groups, g)
	}
	whole := map[string]any{"offset": offset, "string": s[at[0]:at[1]], "captures": groups}
	pos.to(at[0])
	whole["length"] = pos.to(at[1]) - offset
	return whole
}

var noNames = map[string]any{}

// named returns the named groups of a match as capture gives them.
func (p *pattern) named(m *machine, s string, at []int) map[string]any {
	if p.unnamed {
		return noNames
	}
	m.growObject(len(at) / 2)
	out := make(map[string]any, len(at)/2)
	for i, name := range p.re.SubexpNames() {
		if i == 0 || name == "" {
			continue
		}
		if out[name] = nil; at[2*i] >= 0 {
			out[name] = s[at[2*i]:at[2*i+1]]
		}
	}
	return out
}

func (b *builder) regexCapture(f *gojq.Func, sc *names) (*node, error) {
	return b.regexEach(f, "", sc, func(m *machine, p *pattern, s string) func([]int) any {
		return func(at []int) any { return p.named(m, s, at) }
	})
}

func (b *builder) regexScan(f *gojq.Func, sc *names) (*node, error) {
	return b.regexEach(f, "g", sc, func(m *machine, _ *pattern, s string) func([]int) any {
		return func(at []int) any { return scanned(m, s, at) }
	})
}

// scanned is one match as scan gives it: its text, or those of its groups.
func scanned(m *machine, s string, at []int) any {
	if len(at) == 2 {
		return s[at[0]:at[1]]
	}
	groups := m.list(len(at)/2 - 1)
	for j := 2; j < len(at); j += 2 {
		var g any
		if at[j] >= 0 {
			g = s[at[j]:at[j+1]]
		}
		groups = append(groups, g)
	}
	return groups
}
