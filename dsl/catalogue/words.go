package catalogue

import (
	"regexp"
	"strings"

	"crossdock/dsl/spec"
)

// ruleWords say in plain words what a row does. cell is the expression itself
// where the words do not say everything.
func ruleWords(r spec.Row) (words, cell string) {
	var parts []string
	switch {
	case r.Const.Node != nil:
		parts = append(parts, "always "+text(r.Const.V))
	case r.Each.Set():
		said, whole := jqWords(r.Each.Source())
		if !whole {
			cell = r.Each.Source()
		}
		what := "one entry for each item of " + said
		if r.From.Set() {
			inner, ok := jqWords(r.From.Source())
			if !ok {
				cell = strings.TrimSpace(cell + "\n" + r.From.Source())
			}
			what += ": " + inner
		}
		parts = append(parts, what)
	case r.From.Set():
		said, whole := jqWords(r.From.Source())
		if !whole {
			cell = r.From.Source()
		}
		parts = append(parts, said)
	case len(r.Fields) > 0:
		parts = append(parts, "the fields below")
	}
	if r.When.Set() {
		parts = append(parts, "only where "+exprWords(r.When.Source()))
	}
	return strings.Join(parts, "; "), strings.TrimSpace(cell)
}

var (
	plainPath  = regexp.MustCompile(`^\.([A-Za-z_][\w]*|"[^"\\]+")((\.[A-Za-z_]\w*|\."[^"\\]+"|\[\])\??)*\??$`)
	helperPath = regexp.MustCompile(`^\$([A-Za-z_]\w*)((\.[A-Za-z_]\w*|\[\])\??)*$`)
	quotedText = regexp.MustCompile(`^"([^"\\]*)"$`)
	sliceFirst = regexp.MustCompile(`^\.?\[:(\d+)\]$`)
	pathSlice  = regexp.MustCompile(`^(.+)\[:(\d+)\]$`)
	calls      = []struct {
		pattern *regexp.Regexp
		words   string
	}{
		{regexp.MustCompile(`^pad_left\((\d+); "(.)"\)$`), "filled on the left with $2 to $1 characters"},
		{regexp.MustCompile(`^digits$`), "its digits only"},
		{regexp.MustCompile(`^ltrimstr\("([^"\\]*)"\)$`), "without $1 in front"},
		{regexp.MustCompile(`^rtrimstr\("([^"\\]*)"\)$`), "without $1 at the end"},
		{regexp.MustCompile(`^ascii_upcase$`), "in capital letters"},
		{regexp.MustCompile(`^ascii_downcase$`), "in small letters"},
		{regexp.MustCompile(`^tostring$`), "as text"},
		{regexp.MustCompile(`^tonumber$`), "as a number"},
		{regexp.MustCompile(`^length$`), "how many there are"},
		{regexp.MustCompile(`^exact_sum$`), "added up"},
		{regexp.MustCompile(`^exact_round\((\d+)\)$`), "rounded to $1 decimals"},
		{regexp.MustCompile(`^join\("([^"\\]*)"\)$`), "put together with “$1” in between"},
		{regexp.MustCompile(`^lookup\("([^"\\]+)"\)$`), "translated with the table $1"},
		{regexp.MustCompile(`^lookup\("([^"\\]+)"; "([^"\\]+)"\)$`), "translated with the table $1, column $2"},
		{regexp.MustCompile(`^convert\("([^"\\]+)"; "([^"\\]+)"\)$`), "converted from $1 to $2"},
		{regexp.MustCompile(`^group_by\(\.([\w.]+)\)$`), "grouped by $1"},
		{regexp.MustCompile(`^unique_by\(\.([\w.]+)\)$`), "each $1 once"},
		{regexp.MustCompile(`^sort_by\(\.([\w.]+)\)$`), "sorted by $1"},
		{regexp.MustCompile(`^unique$`), "each once"},
		{regexp.MustCompile(`^first$`), "the first one"},
		{regexp.MustCompile(`^last$`), "the last one"},
		{regexp.MustCompile(`^select\(\.([\w.]+) == "([^"\\]*)"\)$`), "where $1 is $2"},
		{regexp.MustCompile(`^select\(\.([\w.]+) != null\)$`), "where there is $1"},
	}
	wrapped = regexp.MustCompile(`^(first|last)\((.+)\)$`)
	exact   = regexp.MustCompile(`^exact_(mul|sub|div)\(([^;()]+); ?([^;()]+)(?:; ?(\d+))?\)$`)
)

// jqWords says what an expression gives; whole is false where it is too involved
// for words, and "computed" must do.
func jqWords(src string) (words string, whole bool) {
	src = strings.TrimSpace(src)
	if src == "." {
		return "the whole of it", true
	}
	if m := wrapped.FindStringSubmatch(src); m != nil && balanced(m[2]) {
		inner, ok := jqWords(m[2])
		return "the " + m[1] + " of " + inner, ok
	}
	if alternatives := cut(src, "//"); len(alternatives) > 1 {
		return each(alternatives, ", or where that is missing ")
	}
	stages := cut(src, "|")
	if len(stages) > 1 {
		said, ok := jqWords(stages[0])
		if !ok {
			return "computed", false
		}
		for _, stage := range stages[1:] {
			next := stageWords(stage)
			if next == "" {
				return "computed", false
			}
			said += ", " + next
		}
		return said, true
	}
	if parts := cut(src, "+"); len(parts) > 1 {
		return each(parts, " followed by ")
	}
	return term(src)
}

func each(parts []string, between string) (string, bool) {
	var said []string
	for _, p := range parts {
		words, ok := jqWords(p)
		if !ok {
			return "computed", false
		}
		said = append(said, words)
	}
	return strings.Join(said, between), true
}

// term says what an expression without operators gives.
func term(src string) (string, bool) {
	if m := exact.FindStringSubmatch(src); m != nil {
		a, okA := jqWords(m[2])
		b, okB := jqWords(m[3])
		word := map[string]string{"mul": " times ", "sub": " less ", "div": " divided by "}[m[1]]
		return a + word + b, okA && okB
	}
	if m := pathSlice.FindStringSubmatch(src); m != nil {
		inner, ok := jqWords(m[1])
		return "the first " + m[2] + " characters of " + inner, ok
	}
	switch {
	case plainPath.MatchString(src):
		return pathWords(strings.TrimPrefix(src, ".")), true
	case helperPath.MatchString(src):
		return helperWords(src), true
	case strings.HasPrefix(src, `"`) && strings.Contains(src, `\(`):
		return composed(src)
	case quotedText.MatchString(src):
		return "“" + quotedText.FindStringSubmatch(src)[1] + "”", true
	case src == "empty", src == "null":
		return "nothing", true
	case src == "$index + 1":
		return "the position in the list, from 1", true
	}
	return "computed", false
}

// composed says of which parts a text with values in it is made.
func composed(src string) (string, bool) {
	inner, ok := strings.CutSuffix(strings.TrimPrefix(src, `"`), `"`)
	if !ok {
		return "computed", false
	}
	var said []string
	for inner != "" {
		text, rest, found := strings.Cut(inner, `\(`)
		if strings.ContainsAny(text, `\"`) {
			return "computed", false
		}
		if text != "" {
			said = append(said, "“"+text+"”")
		}
		if !found {
			break
		}
		end := closing(rest)
		if end < 0 {
			return "computed", false
		}
		words, whole := jqWords(rest[:end])
		if !whole {
			return "computed", false
		}
		said = append(said, words)
		inner = rest[end+1:]
	}
	return strings.Join(said, " followed by "), true
}

// closing returns where the bracket closes that was opened before s.
func closing(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			if depth == 0 {
				return i
			}
			depth--
		case '"', '\\':
			return -1
		}
	}
	return -1
}

func pathWords(path string) string {
	return strings.NewReplacer("?", "", `"`, "").Replace(path)
}

func helperWords(src string) string {
	name, rest, _ := strings.Cut(strings.TrimPrefix(src, "$"), ".")
	below := pathWords(rest)
	switch name {
	case "root":
		return below + " of the whole document"
	case "index":
		return "the position in the list, from 0"
	case "vars":
		return "the setting " + below + " of the environment"
	case "run":
		return map[string]string{"now": "the time of the run", "id": "the id of the run"}[below] + ""
	case "original", "meta", "steps", "params":
		return pathWords(src)
	}
	if below == "" {
		return "the helper value " + name
	}
	return below + " of the helper value " + name
}

// stageWords say what one stage behind a | does.
func stageWords(stage string) string {
	if m := sliceFirst.FindStringSubmatch(stage); m != nil {
		return "its first " + m[1] + " characters"
	}
	for _, c := range calls {
		if m := c.pattern.FindStringSubmatchIndex(stage); m != nil {
			return string(c.pattern.ExpandString(nil, c.words, stage, m))
		}
	}
	if plainPath.MatchString(stage) {
		return "of that " + pathWords(strings.TrimPrefix(stage, "."))
	}
	return ""
}

var exprReplacer = strings.NewReplacer("data.", "", " == nil", " is missing", " != nil", " is there", " == ", " is ", " != ", " is not ",
	"not blank(", "not empty(", "blank(", "empty(", "&&", "and", "||", "or", "?.", ".")

// exprWords makes a condition readable.
func exprWords(src string) string { return strings.TrimSpace(exprReplacer.Replace(src)) }

// balanced reports whether brackets close within the text.
func balanced(s string) bool {
	depth := 0
	for _, r := range s {
		switch r {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return depth == 0
}

// cut splits an expression at an operator outside brackets and quotes.
func cut(src, operator string) []string {
	var parts []string
	depth, quoted, from := 0, false, 0
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && strings.HasPrefix(src[i:], operator) && !assigns(src, i, operator):
			parts = append(parts, strings.TrimSpace(src[from:i]))
			i += len(operator) - 1
			from = i + 1
		}
	}
	return append(parts, strings.TrimSpace(src[from:]))
}

// assigns reports whether the operator at i is part of a longer one: |=, //=, +=.
func assigns(src string, i int, operator string) bool {
	return strings.HasPrefix(src[i+len(operator):], "=")
}
