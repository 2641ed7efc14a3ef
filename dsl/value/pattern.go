package value

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// PatternProblem is a mistake in the pattern of a date, time or number. From and To are byte
// offsets in the pattern.
type PatternProblem struct {
	From, To int
	Message  string
	Hint     string
}

// element is one piece of a pattern: a field (its letter and how often it
// stands there) or literal text.
type element struct {
	letter   byte // 0 for literal text
	count    int
	text     string
	from, to int
}

// Special patterns that stand alone.
const (
	patternEpoch   = "epoch"    // seconds since 1970, fractions allowed
	patternEpochMS = "epoch_ms" // milliseconds since 1970
	patternOData   = "odata"    // /Date(1480000000000+0060)/
)

func isSpecial(p string) bool {
	return p == patternEpoch || p == patternEpochMS || p == patternOData
}

// fieldLetters says which counts of a letter have a meaning here.
var fieldLetters = map[byte][]int{
	'y': {1, 2, 4}, 'u': {1, 4}, 'M': {1, 2, 3, 4}, 'd': {1, 2}, 'D': {1, 3}, 'H': {1, 2}, 'h': {1, 2}, 'm': {1, 2}, 's': {1, 2},
	'S': {1, 2, 3, 4, 5, 6, 7, 8, 9}, 'a': {1}, 'E': {1, 2, 3, 4}, 'X': {1, 2, 3}, 'x': {1, 2, 3}, 'Z': {1, 2, 3, 5}, 'V': {2},
}

// scanPattern splits a pattern into elements.
func scanPattern(p string) ([]element, []PatternProblem) {
	var out []element
	var problems []PatternProblem
	literal := func(text string, from, to int) {
		if n := len(out); n > 0 && out[n-1].letter == 0 {
			out[n-1].text += text
			out[n-1].to = to
			return
		}
		out = append(out, element{text: text, from: from, to: to})
	}
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c == '\'':
			text, next, ok := quoted(p, i)
			if !ok {
				return out, append(problems, PatternProblem{i, len(p), "a quote is opened and never closed", "close it with '"})
			}
			literal(text, i, next)
			i = next
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(p) && p[j] == c {
				j++
			}
			e := element{letter: c, count: j - i, from: i, to: j}
			if problem, bad := checkLetter(p, e); bad {
				problems = append(problems, problem)
			}
			out = append(out, e)
			i = j
		default:
			_, size := utf8.DecodeRuneInString(p[i:])
			literal(p[i:i+size], i, i+size)
			i += size
		}
	}
	return out, problems
}

// quoted reads 'text' at i, where ” inside and outside quotes means one quote.
func quoted(p string, i int) (text string, next int, ok bool) {
	if i+1 < len(p) && p[i+1] == '\'' {
		return "'", i + 2, true
	}
	var b strings.Builder
	for j := i + 1; j < len(p); j++ {
		if p[j] != '\'' {
			b.WriteByte(p[j])
			continue
		}
		if j+1 < len(p) && p[j+1] == '\'' {
			b.WriteByte('\'')
			j++
			continue
		}
		return b.String(), j + 1, true
	}
	return "", 0, false
}

// OfCapitals is a pattern with the small letters that years and days have, which
// some write in capitals, and the capitals of the months beside them.
func OfCapitals(p string) string {
	out := strings.NewReplacer("YYYY", "yyyy", "YY", "yy", "DD", "dd").Replace(p)
	if !strings.Contains(out, "MM") && !strings.ContainsAny(out, "Hh") {
		out = strings.ReplaceAll(out, "mm", "MM")
	}
	return out
}

func checkLetter(p string, e element) (PatternProblem, bool) {
	bad := func(message, hint string) (PatternProblem, bool) {
		return PatternProblem{e.from, e.to, message, hint}, true
	}
	word := p[e.from:e.to]
	switch e.letter {
	case 'Y':
		return bad("`"+word+"` is the year of the calendar week, which differs from the year around 1 January", "write `"+strings.ToLower(word)+"`")
	case 'D':
		if e.count == 2 {
			return bad("`DD` is the day of the year", "write `dd` for the day of the month")
		}
	case 'T':
		return bad("the letter T must be quoted", "write `'T'`")
	case 'z':
		return bad("zone abbreviations such as CST are ambiguous", "use an offset (`XXX`, `Z`), a zone name (`VV`) or set `zone`")
	case 'k', 'K':
		return bad("`"+word+"` counts hours in an unusual way", "write `HH` for 00 to 23")
	case 'w', 'W', 'e', 'c', 'Q', 'q', 'L', 'G', 'F':
		return bad("`"+word+"` is not supported", "use y, M, d, H, m, s, S, a, E, X, x, Z or VV")
	}
	counts, known := fieldLetters[e.letter]
	if !known {
		return bad("the letter "+word+" has no meaning in a pattern", "put text between quotes: `'"+word+"'`")
	}
	for _, n := range counts {
		if n == e.count {
			return PatternProblem{}, false
		}
	}
	return bad("`"+word+"` has too many or too few letters", "possible: "+countList(e.letter, counts))
}

func countList(letter byte, counts []int) string {
	words := make([]string, len(counts))
	for i, n := range counts {
		words[i] = strings.Repeat(string(letter), n)
	}
	return strings.Join(words, ", ")
}

// Alternatives splits a pattern at " | ".
func Alternatives(pattern string) []string { return strings.Split(pattern, " | ") }

// CheckPattern returns everything that is wrong with a pattern, or with one of
// several separated by " | ", for values of type t, which is a date, a time or a
// number. Where parsing is false the pattern is meant for a result, which can be
// only one.
func CheckPattern(pattern string, t Type, parsing bool) []PatternProblem {
	if t.Numeric() {
		return checkNotation(pattern, t, parsing)
	}
	if strings.TrimSpace(pattern) == "" {
		return []PatternProblem{{0, len(pattern), "the pattern is empty", "for example yyyyMMdd"}}
	}
	alternatives := Alternatives(pattern)
	if !parsing && len(alternatives) > 1 {
		return []PatternProblem{{0, len(pattern), "a result can have only one pattern", "keep one of them"}}
	}
	var problems []PatternProblem
	at := 0
	for _, p := range alternatives {
		for _, problem := range checkOne(p, t.Base, parsing) {
			problem.From += at
			problem.To += at
			problems = append(problems, problem)
		}
		at += len(p) + len(" | ")
	}
	return problems
}

func checkOne(p string, t Base, parsing bool) []PatternProblem {
	if isSpecial(p) {
		if t == Time {
			return []PatternProblem{{0, len(p), p + " is a moment, not a time of day", "use `type: datetime`"}}
		}
		return nil
	}
	if hint := patternWords[strings.ToLower(strings.Trim(p, " "))]; hint != "" {
		return []PatternProblem{{0, len(p), "`" + p + "` is a name and no pattern", hint}}
	}
	if strings.HasPrefix(strings.ToLower(p), "epoch") {
		return []PatternProblem{{0, len(p), "`" + p + "` is a name and no pattern", "write `epoch` for seconds since 1970, `epoch_ms` for milliseconds"}}
	}
	elements, problems := scanPattern(p)
	problems = append(problems, checkMixups(elements)...)
	if len(problems) > 0 {
		return problems
	}
	if problem, bad := checkFields(p, elements, t, parsing); bad {
		problems = append(problems, problem)
	}
	if parsing {
		problems = append(problems, checkRunTogether(p, elements)...)
	}
	return problems
}

// checkMixups finds the months that are minutes, the minutes that are months,
// the seconds that are fractions and the half days without am or pm.
func checkMixups(elements []element) []PatternProblem {
	count := map[byte]int{}
	for _, e := range elements {
		count[e.letter]++
	}
	var problems []PatternProblem
	var before byte // the field before this one, whatever text stands between
	for _, e := range elements {
		if e.letter == 0 {
			continue
		}
		switch {
		case e.letter == 'm' && before != 'H' && before != 'h':
			problems = append(problems, PatternProblem{e.from, e.to, "`m` is minutes", "write `" + strings.Repeat("M", e.count) + "` for the month"})
		case e.letter == 'M' && (before == 'H' || before == 'h'):
			problems = append(problems, PatternProblem{e.from, e.to, "`M` is the month", "write `" + strings.Repeat("m", e.count) + "` for the minutes"})
		case e.letter == 'S' && count['s'] == 0:
			problems = append(problems, PatternProblem{e.from, e.to, "`S` is a fraction of a second", "write `" + strings.Repeat("s", e.count) + "` for the seconds"})
		case e.letter == 'h' && count['a'] == 0:
			problems = append(problems, PatternProblem{e.from, e.to, "`h` is the hour of the half day, which needs am or pm", "write `" + strings.Repeat("H", e.count) + "` for 0 to 23, or add ` a`"})
		case e.letter != 'S' && count[e.letter] > 1 && before == e.letter:
			problems = append(problems, PatternProblem{e.from, e.to, "`" + string(e.letter) + "` stands twice", "remove one"})
		}
		before = e.letter
	}
	return problems
}

// checkFields sees that the pattern yields all that the type needs.
func checkFields(p string, elements []element, t Base, parsing bool) (PatternProblem, bool) {
	has := map[byte]bool{}
	for _, e := range elements {
		has[e.letter] = true
	}
	year, month, day, hour := has['y'] || has['u'], has['M'] || has['D'], has['d'] || has['D'], has['H'] || has['h']
	bad := func(message, hint string) (PatternProblem, bool) {
		return PatternProblem{0, len(p), message, hint}, true
	}
	if !year && !month && !day && !hour && !has['m'] && !has['s'] && !has['S'] && !has['E'] {
		return bad("the pattern names no part of a date or time", "for example yyyyMMdd")
	}
	if parsing {
		switch {
		case t != Time && !year:
			return bad("the pattern has no year", "`yyyy`, or `yy` for two digits")
		case t != Time && (!month || !day):
			return bad("the pattern has no month or no day", "`MM` and `dd`")
		case t == DateTime && !hour:
			return bad("the pattern has no time of day", "use `type: date`")
		case t == Time && !hour:
			return bad("the pattern has no hour", "`HH`")
		}
		return PatternProblem{}, false
	}
	switch {
	case has['V']:
		return bad("a result cannot carry the name of its zone", "write the offset with `XXX`")
	case t == Date && (hour || has['m'] || has['s'] || has['S']):
		return bad("a date has no time of day to write", "use `type: datetime`, or leave the time out of the pattern")
	case t == Time && (year || month || day || has['E']):
		return bad("a time of day has no date to write", "use `type: datetime`")
	case t != DateTime && hasOffset(elements):
		return bad("only a datetime has an offset to write", "leave it out of the pattern")
	}
	return PatternProblem{}, false
}

func hasOffset(elements []element) bool {
	for _, e := range elements {
		switch e.letter {
		case 'X', 'x', 'Z', 'V':
			return true
		}
	}
	return false
}

// checkRunTogether finds numbers of unknown length with a number right behind.
func checkRunTogether(p string, elements []element) []PatternProblem {
	var problems []PatternProblem
	for i := 0; i+1 < len(elements); i++ {
		e, next := elements[i], elements[i+1]
		variable := e.count == 1 && strings.IndexByte("MdDHhms", e.letter) >= 0 && e.letter != 0
		if variable && (next.letter != 0 && strings.IndexByte("yuMdDHhmsS", next.letter) >= 0 && !(next.letter == 'M' && next.count > 2)) {
			problems = append(problems, PatternProblem{e.from, next.to,
				"`" + p[e.from:next.to] + "` does not say how many digits `" + string(e.letter) + "` has",
				"write `" + strings.Repeat(string(e.letter), 2) + "`, or text between them"})
		}
	}
	return problems
}

// patternError turns the first problem into an error.
func patternError(key, pattern string, problems []PatternProblem) error {
	p := problems[0]
	where := ""
	if p.From > 0 || p.To < len(pattern) {
		where = " at character " + strconv.Itoa(utf8.RuneCountInString(pattern[:p.From])+1)
	}
	return &Error{Code: CodeDefinition, Message: key + " " + quote(pattern) + where + ": " + p.Message, Hint: p.Hint}
}

// patternWords are names of notations that people write where a pattern stands.
var patternWords = map[string]string{
	"unix": "write `epoch` for seconds since 1970, `epoch_ms` for milliseconds", "timestamp": "write `epoch` for seconds since 1970, `epoch_ms` for milliseconds",
	"unixtime": "write `epoch`, for seconds since 1970", "unix_time": "write `epoch`, for seconds since 1970", "seconds": "write `epoch`, for seconds since 1970",
	"millis": "write `epoch_ms`, for milliseconds since 1970", "milliseconds": "write `epoch_ms`, for milliseconds since 1970", "epochmillis": "write `epoch_ms`, for milliseconds since 1970",
	"epoch_millis": "write `epoch_ms`, for milliseconds since 1970", "unix_ms": "write `epoch_ms`, for milliseconds since 1970", "epochms": "write `epoch_ms`, for milliseconds since 1970",
	"iso": isoNeedsNone, "iso8601": isoNeedsNone, "iso-8601": isoNeedsNone, "rfc3339": isoNeedsNone, "rfc-3339": isoNeedsNone, "iso_8601": isoNeedsNone, "iso 8601": isoNeedsNone,
	"rfc2822": "write `EEE, d MMM yyyy HH:mm:ss Z`", "rfc822": "write `EEE, d MMM yy HH:mm:ss Z`",
}

const isoNeedsNone = "ISO 8601 needs no pattern: leave it out"
