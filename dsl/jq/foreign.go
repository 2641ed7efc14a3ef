package jq

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/unit"
)

// filter is a path with a condition in brackets, as JSONata and JSONPath write
// it: lineItems[qty > 1].sku, $.lines[?(@.role=='SH')].
var filter = regexp.MustCompile(`(?:\$\.|\.)?([A-Za-z_][\w.]*)(\[\s*(?:\?\s*\(?\s*)?(?:@?\.)?([A-Za-z_][\w.]*)\s*(===?|=|!=|>=|<=|>|<)\s*('[^']*'|"[^"]*"|-?\d+(?:\.\d+)?|true|false|null)\s*\)?\s*\])(\[\s*0\s*\])?((?:\.[A-Za-z_]\w*)*)`)

// ofOthers replaces problems of what is no jq, but another language, by one that
// shows it as jq writes it.
func ofOthers(src string, problems []Problem) []Problem {
	return filtered(src, ofAutomation(src, problems))
}

// filtered replaces the problems inside a filter of another language by one that
// shows the cell as jq writes it.
func filtered(src string, problems []Problem) []Problem {
	if !strings.Contains(src, "[") {
		return problems
	}
	for _, m := range filter.FindAllStringSubmatchIndex(src, -1) {
		at := -1
		rest := problems[:0:0]
		for i, p := range problems {
			if p.Warning || p.From < m[0] || p.From >= m[1] {
				rest = append(rest, p)
			} else if at < 0 {
				at = i
			}
		}
		if at < 0 {
			continue
		}
		part := func(n int) string {
			if m[2*n] < 0 {
				return ""
			}
			return src[m[2*n]:m[2*n+1]]
		}
		op, value := part(4), part(5)
		if op == "=" || op == "===" {
			op = "=="
		}
		if value[0] == '\'' {
			value = `"` + strings.Trim(value, "'") + `"`
		}
		all := fmt.Sprintf(".%s[] | select(.%s %s %s)", part(1), part(3), op, value)
		if below := part(7); below != "" {
			all += " | " + below
		}
		hint := "write `[" + all + "]`, or `first(" + all + ")` for one of them"
		if part(6) != "" {
			hint = "write `first(" + all + ")`"
		}
		return append(rest, Problem{Kind: Syntax, From: m[4], To: m[5], Message: "brackets with a condition are no jq", Hint: hint})
	}
	return problems
}

// automated is an expression of Power Automate or of a data factory, with the sign
// in front of it or without: @triggerBody()?['order']['no'].
var automated = regexp.MustCompile(`^\s*(?:@\{?\s*)?(\w+)\(\s*(?:'[^']*')?\s*\)((?:\??\[\s*'[^']*'\s*\]|\??\[\s*\d+\s*\]|\??\.[A-Za-z_]\w*)*)\s*\}?\s*$`)

// automatedPart is one step of its path: a name in brackets, a number, a name.
var automatedPart = regexp.MustCompile(`\[\s*'([^']*)'\s*\]|\[\s*(\d+)\s*\]|\.([A-Za-z_]\w*)`)

// identifier is a name that a path takes as it is.
var identifier = regexp.MustCompile(`^[A-Za-z_]\w*$`)

// ofAutomation replaces what is wrong with such an expression by one problem that
// shows the path as jq writes it.
func ofAutomation(src string, problems []Problem) []Problem {
	m := automated.FindStringSubmatchIndex(src)
	if m == nil || len(problems) == 0 || !strings.Contains(src, "@") && m[4] == m[5] {
		return problems
	}
	path := ""
	for _, part := range automatedPart.FindAllStringSubmatch(src[m[4]:m[5]], -1) {
		switch name := part[1] + part[3]; {
		case part[2] != "":
			path += "[" + part[2] + "]"
		case identifier.MatchString(name):
			path += "." + name
		default:
			path += "." + strconv.Quote(name)
		}
	}
	if path == "" || path[0] == '[' {
		path = "." + path
	}
	return []Problem{{Kind: Syntax, From: m[0], To: m[1], Message: "`" + src[m[2]:m[3]] + "()` is an expression of another tool", Hint: "write `" + path + "`"}}
}

// called is a function with a dollar in front, as JSONata writes it; behind it
// its argument, where that is one path or the like.
var called = regexp.MustCompile(`^\$([A-Za-z]\w*)\(\s*(\$\.|\.)?([A-Za-z_][\w.\[\]]*)?\s*\)`)

// jsonata shows what a call of JSONata that begins at byte from is in jq; "" where
// that is not known.
func jsonata(src string, from int) string {
	m := called.FindStringSubmatch(src[from:])
	if m == nil || m[3] == "" {
		return ""
	}
	to, path := habits[strings.ToLower(m[1])], "."+m[3]
	switch {
	case to == "add" || strings.HasPrefix(to, "add ") || to == "exact_sum":
		if !strings.Contains(path, "[]") {
			if i := strings.LastIndex(path, "."); i > 0 {
				path = path[:i] + "[]" + path[i:]
			} else {
				path += "[]"
			}
		}
		return pipedCall(to, path)
	case to == "":
		if _, ok := known()[m[1]]; ok {
			return pipedCall(m[1], path)
		}
		return ""
	}
	if out := pipedCall(to, path); strings.HasPrefix(out, path) {
		return out
	}
	return ""
}

// braces are a name in braces inside a text, as other languages fill it in.
var braces = regexp.MustCompile(`\$?\{\{?\s*(\.[A-Za-z_][\w.]*)\s*\}?\}`)

// placeholders reports names in braces inside texts: jq leaves them as they are.
func (c *checker) placeholders() {
	for _, t := range c.pl.toks {
		if t.kind != tokString && t.kind != tokStrPart {
			continue
		}
		for _, m := range braces.FindAllStringSubmatchIndex(t.text, -1) {
			path := t.text[m[2]:m[3]]
			p := c.add(Doubtful, Span{t.From + m[0], t.From + m[1]}, "this stays as it is written: a text takes a value in as `\\(...)`", "")
			p.Hint, p.Replace, p.Warning = "write `\\("+path+")`", `\(`+path+`)`, true
		}
	}
}

// measures looks at the units of convert that are written in the cell.
func (c *checker) measures(args []string, spans []Span) {
	var quantities []string
	for i, name := range args {
		if name == "" {
			continue
		}
		u, err := findUnit(name)
		if err == nil {
			quantities = append(quantities, u.Dimension)
			if len(quantities) == 2 && quantities[0] != quantities[1] {
				c.add(Unknown, spans[i], fmt.Sprintf("%s is no %s", u.Name, quantities[0]), "both units measure the same: weight, length, volume or temperature")
			}
			continue
		}
		p := c.add(Unknown, spans[i], fmt.Sprintf("there is no unit `%s`", name), "the units are "+strings.Join(unit.Names(), ", "))
		if near := unit.Word(name); near != "" {
			p.Replace, p.Hint = `"`+near+`"`, "did you mean `"+near+"`?"
		} else if near := diag.Nearest(name, unit.Names()); len(near) > 0 {
			p.Replace, p.Hint = `"`+near[0]+`"`, "did you mean `"+near[0]+"`?"
		}
	}
}
