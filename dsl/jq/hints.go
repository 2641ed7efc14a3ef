package jq

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// habits says what to write instead of functions that people know from
// spreadsheets, scripts and other mapping tools.
var habits = map[string]string{
	"upper": "ascii_upcase", "toupper": "ascii_upcase", "uppercase": "ascii_upcase", "upcase": "ascii_upcase",
	"lower": "ascii_downcase", "tolower": "ascii_downcase", "lowercase": "ascii_downcase", "downcase": "ascii_downcase",
	"len": "length", "size": "length", "count": "length",
	"substring": ".[2:5]", "substr": ".[2:5]", "mid": ".[2:5]", "slice": ".[2:5]", "left": ".[:5]", "right": ".[-5:]",
	"replace": `gsub("old"; "new")`, "replaceall": `gsub("old"; "new")`, "regexreplace": `gsub("old"; "new")`,
	"touppercase": "ascii_upcase", "tolowercase": "ascii_downcase", "concat": "a + b", "concatenate": "a + b", "append": "a + [b]", "push": "a + [b]", "merge": "a + b", "union": "a + b | unique",
	"includes": "contains(x)", "matches": `test("pattern")`, "match_regex": `test("pattern")`, "like": `test("pattern")`,
	"string": "tostring", "str": "tostring", "text": "tostring", "number": "tonumber", "int": "tonumber", "parseint": "tonumber",
	"toint": "tonumber", "tointeger": "tonumber", "to_number": "tonumber", "to_int": "tonumber", "to_string": "tostring", "cstr": "tostring", "cint": "tonumber", "float": "tonumber", "parsefloat": "tonumber", "todecimal": "tonumber", "bool": "toboolean", "boolean": "toboolean",
	"sum": "exact_sum", "total": "exact_sum", "avg": "add / length", "average": "add / length", "mean": "add / length",
	"isnull": ". == null", "is_null": ". == null", "isempty": "blank", "is_empty": "blank", "isblank": "blank", "empty_string": "blank",
	"default": "`default:` on the row", "coalesce": "a // b", "ifnull": "a // b", "nvl": "a // b", "iif": "if a then b else c end",
	"today": "$run.now", "date": "$run.now", "current_time": "$run.now", "timestamp": "$run.now", "datetime": "`type: datetime` on the row",
	"filter": "map(select(.x == 1))", "where": "select(.x == 1)", "find": "first(.[] | select(.x == 1))", "foreach": ".[]",
	"distinct": "unique", "uniq": "unique", "dedupe": "unique", "orderby": "sort_by(.x)", "order_by": "sort_by(.x)", "sortby": "sort_by(.x)",
	"groupby": "group_by(.x)", "starts_with": "startswith(x)", "ends_with": "endswith(x)", "indexof": "index(x)", "index_of": "index(x)",
	"lpad": `pad_left(n; "0")`, "padleft": `pad_left(n; "0")`, "padstart": `pad_left(n; "0")`, "zfill": `pad_left(n; "0")`, "pad": `pad_left(n; "0")`,
	"exists": `has("name")`, "defined": `has("name")`, "keys_unsorted": "keys", "toarray": "if type == \"array\" then . else [.] end",
	"translate": "lookup(table)", "crosswalk": "lookup(table)", "vlookup": "lookup(table)", "map_code": "lookup(table)",
	"strip": "trim", "ltrimstring": "ltrimstr(x)", "onlydigits": "digits", "ascii": "[.] | implode", "tostr": "tostring",
	"nil": "null", "none": "null", "undefined": "null", "todate": "`type: date` and `parse:` on the row", "to_date": "`type: date` and `parse:` on the row",
	"parse_date": "`type: date` and `parse:` on the row", "parsedate": "`type: date` and `parse:` on the row", "formatdate": "`format:` on the row", "format_date": "`format:` on the row",
	"wenn": "if a then b else c end", "wennfehler": "a // b", "sverweis": "lookup(table)", "xlookup": "lookup(table)", "xverweis": "lookup(table)", "summe": "exact_sum", "verketten": "a + b", "textkette": "a + b",
	"links": ".[:5]", "rechts": ".[-5:]", "teil": ".[2:5]", "länge": "length", "gross": "ascii_upcase", "klein": "ascii_downcase", "glätten": "trim", "wechseln": `gsub("old"; "new")`, "ersetzen": `gsub("old"; "new")`,
	"runden": "exact_round(n)", "heute": "$run.now", "jetzt": "$run.now", "istleer": "blank", "anzahl": "length", "wert": "tonumber",
	"in_lookup":     "`in_lookup` in a condition (`when:` of the row), or `(try lookup(\"table\") catch null) != null` here",
	"round_half_up": "exact_round(n)", "todecimals": "exact_round(n)", "decimal": "exact_round(n)", "fixed": "exact_round(n)",
}

// habit returns what to write instead of a name that does not exist.
func habit(name string, args int, arg string, vars []string) string {
	if name == "data" && args == 0 {
		return "in jq the payload is `.`; `data` is its name in conditions"
	}
	if args == 0 {
		for _, v := range vars {
			if v == "$"+name {
				return "a variable starts with $: `" + v + "`"
			}
		}
	}
	if to := habits[strings.ToLower(name)]; to != "" {
		if strings.HasPrefix(to, "`") {
			return "use " + to
		}
		return "write `" + pipedCall(to, arg) + "`"
	}
	return ""
}

// pipedCall puts the argument of a call in front of what replaces the function: jq
// takes it from the left. An argument that is several, or none, stays out.
func pipedCall(to, arg string) string {
	arg = strings.TrimSpace(arg)
	switch {
	case arg == "" || strings.ContainsAny(arg, ",;|") || strings.Count(arg, "(") != strings.Count(arg, ")"):
		return to
	case strings.HasPrefix(to, ". "):
		return arg + to[1:]
	case (strings.HasPrefix(to, "add") || to == "exact_sum") && strings.Contains(arg, "[]"):
		return "[" + arg + "] | " + to
	case strings.Trim(to, "abcdefghijklmnopqrstuvwxyz_ /0123456789") == "" && to != "a / b" && !strings.HasPrefix(to, "a "):
		return arg + " | " + to
	}
	return to
}

// fieldMeant is the path that somebody wrote without the dot in front, as other
// tools want it: lineItems[0].sku.
func fieldMeant(src string, at Span) string {
	end := at.To
	for end < len(src) && (src[end] == '_' || src[end] == '.' || src[end] == '[' || src[end] == ']' || src[end] >= '0' && src[end] <= '9' || src[end]|0x20 >= 'a' && src[end]|0x20 <= 'z') {
		end++
	}
	path := strings.TrimRight(src[at.From:end], ".")
	if strings.Count(path, "[") != strings.Count(path, "]") {
		path, _, _ = strings.Cut(path, "[")
	}
	return "." + path
}

// payloads are the names that other tools give the message.
var payloads = []string{"payload", "input", "data", "body", "message", "msg", "document", "doc", "json", "record", "source", "this", "item", "event"}

// typeset words a problem with a character that word processors and chats put in
// the place of another one.
func typeset(p *Problem, src string) bool {
	r, n := utf8.DecodeRuneInString(src[min(p.From, len(src)):])
	switch {
	case strings.ContainsRune("“”„‟«»″", r):
		p.Message, p.Hint = fmt.Sprintf("`%c` is a quote of a word processor", r), `texts stand in straight double quotes: "`
	case strings.ContainsRune("‘’‚‛′", r):
		p.Message, p.Hint = fmt.Sprintf("`%c` is a quote of a word processor", r), `texts stand in straight double quotes: "`
	case strings.ContainsRune("–—−", r):
		p.Message, p.Hint, p.Replace = fmt.Sprintf("`%c` is a dash, not a minus", r), "write `-`", "-"
	case r > 127 && unicode.IsSpace(r) || r == '\u200b' || r == '\ufeff':
		p.Message, p.Hint, p.Replace = "this blank is another character than it seems (a blank that does not break)", "write a plain blank", " "
	default:
		return false
	}
	p.To = p.From + n
	return true
}

// emptyHint says what to write in a cell that has nothing but a comment, or not
// even that.
func emptyHint(src string) string {
	if text := strings.TrimSpace(src); len(text) > 1 && text[0] == '#' && text[1] != ' ' {
		return "`#` begins a comment: a text stands in double quotes of its own, `'" + strconv.Quote(text) + "'`"
	}
	return "write `.` for the whole input"
}

// ternaryHint is for who knows the operator of other languages.
const ternaryHint = "there is no `a ? b : c`, write `if a then b else c end`"

// syntaxHint says what people usually mean where the parser stops at toks[i].
func syntaxHint(src string, toks []token, i int) string {
	t := toks[i]
	var before, after token
	if i > 0 {
		before = toks[i-1]
	}
	if i+1 < len(toks) {
		after = toks[i+1]
	}
	next := func(text string) bool { return after.text == text && after.From == t.To }
	prev := func(text string) bool { return i > 0 && before.text == text && before.To == t.From }
	switch {
	case i == 0 && t.text == "/" && identStart(firstByte(after.text)):
		return "a path begins with a dot and has dots in between: `." + strings.ReplaceAll(strings.Trim(strings.TrimSpace(src), "/"), "/", ".") + "`"
	case t.text == "$" && strings.HasPrefix(src[t.To:], "["):
		return "the payload is `.`: write `." + src[t.To:] + "`"
	case i == 0 && t.text == "$" && strings.HasPrefix(src[t.To:], "."):
		return "the payload is `.`: leave the `$` out; below `each`, where `.` is the item, the payload is `$root`"
	case t.text == "{" && prev("{"):
		return "a cell is jq alone, without {{ }}: a field is written `.name`, a text with a value in it \"to \\(.name)\""
	}
	if toks[0].text == "case" && t.kind == tokIdent && (t.text == "when" || toks[0].From == t.From) {
		return "there is no `case`, write `if a == 1 then b elif a == 2 then c else d end`"
	}
	if hint := oddName(src, toks, i); hint != "" && t.text != "is" && t.text != "elseif" && t.text != "elsif" {
		return hint
	}
	switch t.text {
	case "'":
		if text, _, closed := strings.Cut(src[t.To:], "'"); closed && !strings.ContainsAny(text, "\"\\") {
			return "texts stand in double quotes: write `\"" + text + "\"`"
		}
		return "texts stand in double quotes"
	case "&":
		if !next("&") && !prev("&") {
			return "write `+` to join texts, `and` between yes and no"
		}
		return "write `and`"
	case "|":
		if next("|") || prev("|") {
			return "write `or` between yes and no, `//` for another value where there is none"
		}
	case "!":
		return "write `| not` after the value"
	case ":":
		for _, earlier := range toks[:i] {
			if earlier.text == "?" {
				return ternaryHint
			}
		}
		return "object entries look like {name: value}"
	case "=":
		if i == 0 {
			return "a cell is the expression alone, without `=`"
		}
		return "write `:` between a name and its value, `==` to compare"
	case "*":
		if prev("[") {
			return "write `[]` for every element"
		}
	case "(":
		if before.kind == tokVariable || i > 1 && toks[i-2].text == "$" && prev(before.text) {
			name := strings.TrimPrefix(before.text, "$")
			if before.kind == tokVariable {
				if cell := jsonata(src, before.From); cell != "" {
					return "a function has no `$` in front, and its value stands before it: write `" + cell + "`"
				}
			}
			hint := fmt.Sprintf("a function has no `$` in front: `%s`", name)
			if to := habits[strings.ToLower(name)]; to != "" && to[0] != '`' {
				hint += ", which is `" + to + "` here"
			}
			return hint
		}
		if before.kind == tokField {
			name := before.text[1:]
			if to := habits[strings.ToLower(name)]; to != "" && to[0] != '`' {
				name = to
			} else if next(")") || slices.Contains(known()[name], 0) && after.text == ")" {
				// as it is
			} else {
				name += "(...)"
			}
			return "a function comes after a pipe: `| " + name + "`"
		}
	case ")":
		if prev("(") && i > 1 {
			return fmt.Sprintf("a function without arguments has no brackets: `%s`", toks[i-2].text)
		}
	case ";":
		return "write `|` to go on with a value, `,` for several values"
	case "elseif", "elsif":
		return "write `elif`"
	case "otherwise":
		return "write `else`"
	case "is":
		if after.text == "not" {
			return "write `!= null`"
		}
		return "write `== null`"
	case "as":
		return "write `value as $name | ...`"
	case "~":
		return `write test("pattern")`
	case ">":
		if prev("<") {
			return "write `!=`"
		}
	}
	ternary := before.text == "?" && slices.ContainsFunc(toks[i:], func(o token) bool { return o.text == ":" })
	switch {
	case ternary && !(i > 1 && toks[i-2].text == "?"):
		return ternaryHint
	case before.text == "not" && (t.kind == tokIdent || t.kind == tokField || t.kind == tokVariable):
		return "`not` stands behind its value: `" + t.text + " | not`"
	case (t.kind == tokString || t.kind == tokStrOpen || t.kind == tokNumber) && lacksThen(toks[:i]):
		return "write `then` between the condition and its value"
	case before.text == "[" && t.text != "" && t.text[0] >= '0' && t.text[0] <= '9':
		return "the bracket closes behind the position: `[" + strings.TrimRight(strings.SplitN(t.text, ".", 2)[0], ".") + "].name`"
	case t.kind == tokIdent && before.kind == tokIdent && slices.ContainsFunc(toks[:i], func(o token) bool { return o.text == "//" }):
		return "a comment begins with ` #`; `//` gives another value where there is none"
	case i > 1 && before.text == "?" && toks[i-2].text == "?":
		return "write `//` for another value where there is none, or give the row a `default:`"
	case t.text == ")" || t.text == "]" || t.text == "}":
		return "it closes a bracket that is not open"
	case before.text == "as" && t.kind == tokIdent:
		return "a variable starts with $: `$" + t.text + "`"
	case (t.kind == tokString || t.kind == tokStrOpen) && before.kind == tokIdent:
		return fmt.Sprintf("arguments stand in brackets: `%s(...)`", before.text)
	case t.kind == tokNumber && strings.HasPrefix(t.text, "."):
		if identStart(firstByte(after.text)) && after.From == t.To {
			return fmt.Sprintf("a name that starts with a digit needs quotes: .%q", t.text[1:]+after.text)
		}
		return fmt.Sprintf("positions stand in brackets: [%s]", t.text[1:])
	}
	return ""
}

// lacksThen reports whether an `if` or `elif` is open whose `then` has not come.
func lacksThen(toks []token) bool {
	for _, t := range slices.Backward(toks) {
		switch t.text {
		case "then", "else", "end":
			return false
		case "if", "elif":
			return t.kind == tokIdent
		}
	}
	return false
}

// keyword are words of jq that stand behind a value.
var keyword = map[string]bool{"and": true, "or": true, "as": true, "then": true, "elif": true, "else": true, "end": true, "catch": true, "if": true, "def": true,
	"reduce": true, "foreach": true, "try": true, "label": true, "import": true, "include": true}

// oddName recognises a field whose name jq does not take without quotes, where
// reading stopped at the token i: .@odata.nextLink, .$id, .Größe, .Order Date.
func oddName(src string, toks []token, i int) string {
	t := toks[i]
	// rest is what stands there without a blank.
	rest := src[t.From:]
	if end := strings.IndexAny(rest, " \t\r\n|,;:()[]{}"); end >= 0 {
		rest = rest[:end]
	}
	quoted := func(what, name string) string { return fmt.Sprintf("a name with %s needs quotes: .%q", what, name) }
	before := token{}
	if i > 0 {
		before = toks[i-1]
	}
	letter, _ := utf8.DecodeRuneInString(src[t.From:])
	switch {
	case before.text == "." && before.To == t.From && len(rest) > 1 && (rest[0] == '@' || rest[0] == '$'):
		return quoted("`"+rest[:1]+"`", rest)
	case letter >= utf8.RuneSelf && unicode.IsLetter(letter) && before.To == t.From && before.text == ".":
		return quoted("`"+string(letter)+"`", rest)
	case letter >= utf8.RuneSelf && unicode.IsLetter(letter) && before.To == t.From && before.kind == tokField:
		return quoted("`"+string(letter)+"`", before.text[1:]+rest)
	case t.kind == tokIdent && !keyword[t.text] && before.kind == tokField && strings.Trim(src[before.To:t.From], " ") == "":
		return quoted("a blank", before.text[1:]+src[before.To:t.To]) + "; what is done with a value stands behind `|`"
	}
	return ""
}

func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}
