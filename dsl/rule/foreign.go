package rule

import (
	"regexp"
	"strings"
)

// strange are operators of other languages, the longest first, and what they are
// called here.
var strange = []struct{ theirs, ours string }{
	{"===", "=="}, {"!==", "!="}, {"=>", ">="}, {"=<", "<="}, {"<>", "!="}, {"=!", "!="},
}

// operator words a problem that stands in an operator of another language.
func (c *compilation) operator(p *Problem) bool {
	for _, o := range strange {
		n := len(o.theirs)
		for from := max(0, p.From-n+1); from <= p.From && from+n <= len(c.src); from++ {
			if c.src[from:from+n] != o.theirs || from+n < len(c.src) && strings.IndexByte("=!<>", c.src[from+n]) >= 0 {
				continue
			}
			if o.theirs == "=>" && c.arrow(p, from) {
				return true
			}
			p.From, p.To, p.Replace = from, from+n, o.ours
			p.Message, p.Hint = "`"+o.theirs+"` is no operator here", "write `"+o.ours+"`"
			return true
		}
	}
	return false
}

// arrow words a problem with a function that gives the item a name, as in
// any(list, x => x.open), of which the arrow stands at a place.
func (c *compilation) arrow(p *Problem, at int) bool {
	m := arrowParam.FindStringSubmatchIndex(c.src[:at])
	if m == nil {
		return false
	}
	name := c.src[m[4]:m[5]]
	if _, inScope := c.scope.Names[name]; inScope {
		return false
	}
	end := at + len("=>") + closing(c.src[at+len("=>"):])
	body := regexp.MustCompile(`(^|[^\w."])`+name+`\b(\??\.)?`).ReplaceAllStringFunc(strings.TrimSpace(c.src[at+len("=>"):end]), func(s string) string {
		lead, rest, _ := strings.Cut(s, name)
		if rest == "" {
			rest = "#"
		}
		return lead + rest
	})
	p.From, p.To, p.Replace = m[2], end, body
	p.Message, p.Hint = "a rule gives the items of a list no name: `.x` is a field of the item, `#` the item itself", "write `"+c.whole(m[2], body, end)+"`"
	return true
}

// arrowParam is the name of an item behind the list that is walked over.
var arrowParam = regexp.MustCompile(`,\s*(\(?([A-Za-z_]\w*)\)?)\s*$`)

// whole is the call around a part of the rule with another text in its place, or
// that text alone.
func (c *compilation) whole(from int, text string, to int) string {
	depth := 0
	for i := from - 1; i >= 0; i-- {
		switch c.src[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth < 0 && to < len(c.src) && c.src[to] == ')' {
				return calledName.FindString(c.src[:i]) + c.src[i:from] + text + ")"
			}
		}
	}
	return text
}

var calledName = regexp.MustCompile(`\w+$`)

// closing is where the bracket stands that closes one opened before s, or the end.
func closing(s string) int {
	depth := 0
	for i, r := range s {
		switch r {
		case '(', '[':
			depth++
		case ')', ']':
			if depth--; depth < 0 {
				return i
			}
		}
	}
	return len(s)
}
