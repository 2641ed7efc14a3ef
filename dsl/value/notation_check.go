package value

import (
	"strings"
	"unicode/utf8"
)

// Whole reports whether values of the type have no decimals.
func (t Type) Whole() bool { return t.Base == Integer || t.Base == Fixed && t.Digits == 0 }

// scanNotation reads a pattern: the number 1234.56, or 1234, as it is written.
func scanNotation(p string) (n notation, ok bool) {
	n.text = p
	body := p
	if inner, found := strings.CutPrefix(body, "("); found && strings.HasSuffix(inner, ")") {
		n.minus, body = brackets, inner[:len(inner)-1]
	} else if rest, found := strings.CutSuffix(body, "-"); found {
		n.minus, body = behind, rest
	}
	if body, ok = strings.CutPrefix(body, "1"); !ok {
		return n, false
	}
	if n.group, body, ok = strings.Cut(body, "234"); !ok || n.group != "" && !mark(n.group, blanks+apostrophes+points) {
		return n, false
	}
	if body == "" {
		return n, true
	}
	if n.point, ok = strings.CutSuffix(body, "56"); !ok || !mark(n.point, points) {
		return n, false
	}
	return n, n.point != n.group
}

// mark reports whether s is one of the marks.
func mark(s, marks string) bool {
	return s != "" && utf8.RuneCountInString(s) == 1 && strings.Contains(marks, s)
}

// checkNotation is CheckPattern of numbers.
func checkNotation(pattern string, t Type, parsing bool) []PatternProblem {
	if strings.TrimSpace(pattern) == "" {
		return []PatternProblem{{0, len(pattern), "the pattern is empty", "for example \"1.234,56\""}}
	}
	alternatives := Alternatives(pattern)
	if !parsing && len(alternatives) > 1 {
		return []PatternProblem{{0, len(pattern), "a result can have only one pattern", "keep one of them"}}
	}
	var problems []PatternProblem
	var before []notation
	at := 0
	for _, p := range alternatives {
		n, ok := scanNotation(p)
		switch {
		case !ok:
			problems = append(problems, PatternProblem{at, at + len(p), "`" + p + "` does not show how the number " + example(t) + " is written", meantBy(p, t, len(alternatives) > 1)})
		case n.point == "" && !t.Whole():
			problems = append(problems, PatternProblem{at, at + len(p), "`" + p + "` does not show how decimals are written", meantBy(p, t, len(alternatives) > 1)})
		default:
			for _, other := range before {
				if mixed, clash := clash(other, n); clash {
					problems = append(problems, PatternProblem{at, at + len(p), "`" + other.text + "` and `" + p + "` read " + mixed + " as different numbers", "keep one of them"})
					break
				}
			}
			before = append(before, n)
		}
		at += len(p) + len(" | ")
	}
	return problems
}

// clash returns a text that two notations read as different numbers: the group
// of one is the point of the other.
func clash(a, b notation) (text string, ok bool) {
	for _, group := range []string{a.group, b.group} {
		if group != "" && (group == a.point || group == b.point) {
			return "1" + group + "234", true
		}
	}
	return "", false
}

func example(t Type) string {
	if t.Whole() {
		return "1234"
	}
	return "1234.56"
}

// meantBy says what to write in place of a pattern: the same notation shown on
// the number, where the pattern tells it (#,##0.00), or some that there are.
func meantBy(p string, t Type, several bool) string {
	meant, ok := meantNotation(p, t)
	switch {
	case !ok && t.Whole():
		return "for example \"1.234\", \"1,234\" or \"1 234\""
	case !ok:
		return "for example \"1.234,56\", \"1,234.56\" or \"1 234,56\""
	case several: // inside the quotes of the whole
		return "write `" + meant + "`"
	}
	return "write `\"" + meant + "\"`"
}

func meantNotation(p string, t Type) (string, bool) {
	body, before, after := strings.TrimSpace(p), "", ""
	if inner, found := strings.CutPrefix(body, "("); found && strings.HasSuffix(inner, ")") {
		body, before, after = inner[:len(inner)-1], "(", ")"
	} else if rest, found := strings.CutSuffix(body, "-"); found {
		body, after = rest, "-"
	}
	body = strings.TrimLeft(body, "+-")
	group, point, ok := marksOf(body)
	if !ok {
		return "", false
	}
	switch {
	case point != "" || t.Whole():
	case group == "," || group == "'" || group == "":
		point = "."
	default:
		point = ","
	}
	meant := before + "1" + group + "234"
	if point != "" {
		meant += point + "56"
	}
	_, ok = scanNotation(meant + after)
	return meant + after, ok
}

// marksOf takes a picture of a number apart: digits, or # for them, with marks
// in between. One mark before three digits is that of a group, unless the
// number begins with a zero.
func marksOf(body string) (group, point string, ok bool) {
	var marks []string
	runs := []int{0}
	for _, r := range body {
		switch {
		case r == '#' || r >= '0' && r <= '9':
			runs[len(runs)-1]++
		case strings.ContainsRune(blanks, r):
			marks, runs = append(marks, " "), append(runs, 0)
		case strings.ContainsRune(apostrophes, r):
			marks, runs = append(marks, "'"), append(runs, 0)
		case strings.ContainsRune(points, r):
			marks, runs = append(marks, string(r)), append(runs, 0)
		default:
			return "", "", false
		}
	}
	if len(marks) == 0 {
		return "", "", runs[0] > 0
	}
	last := marks[len(marks)-1]
	for _, m := range marks[:len(marks)-1] {
		if m != marks[0] {
			return "", "", false
		}
	}
	if len(marks) > 1 && last != marks[0] {
		return marks[0], last, true
	}
	if len(marks) > 1 || runs[1] == 3 && body[0] != '0' {
		return last, "", true
	}
	return "", last, true
}
