package jq

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

func (c *checker) resolves(f *gojq.Func, sc scope) bool {
	if f.Name[0] == '$' {
		return slices.Contains(sc.vars, f.Name)
	}
	if slices.Contains(sc.funcs, f.Name+"/"+strconv.Itoa(len(f.Args))) {
		return true
	}
	return slices.Contains(known()[f.Name], len(f.Args)) || refused[f.Name] != ""
}

func (c *checker) call(f *gojq.Func, sc scope) {
	at := c.pl.span(keyOf{f})
	id := f.Name + "/" + strconv.Itoa(len(f.Args))
	if f.Name[0] == '$' {
		c.variable(f.Name, at, sc)
		return
	}
	for _, a := range f.Args {
		if f.Name != "lookup" || a != f.Args[0] || !c.bareName(a, sc) {
			c.query(a, sc)
		}
	}
	if slices.Contains(sc.funcs, id) {
		if slices.Contains(sc.defs, id) && !c.opt.Unsafe {
			c.add(Refused, at, fmt.Sprintf("`%s` calls itself", f.Name), "walk data with `..` or `recurse`, or use reduce over a list")
		}
		return
	}
	if hint := refused[f.Name]; hint != "" {
		c.add(Refused, at, "`"+f.Name+"` cannot be used here", hint)
		return
	}
	arities, ok := known()[f.Name]
	if !ok {
		names := make([]string, 0, len(known())+len(sc.funcs))
		for n := range known() {
			names = append(names, n)
		}
		for _, n := range sc.funcs {
			n, _, _ = strings.Cut(n, "/")
			names = append(names, n)
		}
		slices.Sort(names)
		c.unknown(at, f.Name, "function", names)
		p := &c.problems[len(c.problems)-1]
		if len(f.Args) == 0 {
			path := fieldMeant(c.src, at)
			// What other tools take for a path is no function misspelt.
			if path != "."+f.Name || !alikeLetters(f.Name, p.Replace) {
				p.Hint, p.Replace = "", ""
			}
			if p.Replace == "" {
				p.Hint = fmt.Sprintf("a field is written `%s`, a text \"%s\"", path, f.Name)
			}
		}
		if h := habit(f.Name, len(f.Args), c.argument(f), sc.vars); h != "" {
			p.Hint, p.Replace = h, ""
			if below := strings.TrimPrefix(fieldMeant(c.src, at), ".data"); f.Name == "data" && len(f.Args) == 0 && len(below) > 1 {
				p.Hint = "write `" + below + "`: " + h
			}
		}
		if cut := c.cutOut(f); cut != "" {
			p.Hint, p.Replace = "write `"+cut+"`", ""
		}
		return
	}
	if !slices.Contains(arities, len(f.Args)) {
		c.add(Unknown, at, fmt.Sprintf("`%s` does not take %s", f.Name, countArgs(len(f.Args))), arityHint(f.Name, arities))
		p := &c.problems[len(c.problems)-1]
		if meant := meantCall(f.Name, c.argument(f), len(f.Args), sc.vars); meant != "" {
			p.Hint = meant
		} else if len(f.Args) == 1 && slices.Contains(arities, 0) {
			p.Hint = "write `" + pipedCall(f.Name, c.argument(f)) + "`"
		} else if len(f.Args) == 1 && len(arities) > 0 && arities[0] > 1 && strings.Contains(c.argument(f), ",") {
			p.Hint = "`;` stands between arguments: " + p.Hint
		}
		return
	}
	c.bounded(f, at)
}

// meantCall is what somebody means who calls a function as another one is called:
// by its name in another language, or as a variable.
func meantCall(name, arg string, args int, vars []string) string {
	switch {
	case args == 0 && slices.Contains(vars, "$"+name):
		return "a variable starts with $: `$" + name + "`"
	case name == "round" && args == 1 && strings.Trim(arg, "0123456789 ") == "":
		return "write `exact_round(" + strings.TrimSpace(arg) + ")`, which keeps that many digits"
	case (name == "implode" || name == "add") && args == 1 && strings.HasPrefix(strings.TrimSpace(arg), `"`):
		return "write `join(" + arg + ")`"
	}
	return ""
}

// cutOut is a part of a text as jq takes it, where a function of another language
// says with numbers which one.
func (c *checker) cutOut(f *gojq.Func) string {
	var n []int
	for _, a := range f.Args {
		x, ok := literalNumber(a)
		if !ok || x != float64(int(x)) {
			return ""
		}
		n = append(n, int(x))
	}
	switch name := strings.ToLower(f.Name); {
	case len(n) == 1 && name == "left":
		return fmt.Sprintf(".[:%d]", n[0])
	case len(n) == 1 && name == "right":
		return fmt.Sprintf(".[-%d:]", n[0])
	case len(n) == 1 && (name == "substring" || name == "slice" || name == "substr"):
		return fmt.Sprintf(".[%d:]", n[0])
	case len(n) == 2 && (name == "substring" || name == "slice"):
		return fmt.Sprintf(".[%d:%d]", n[0], n[1])
	case len(n) == 2 && name == "substr":
		return fmt.Sprintf(".[%d:%d]", n[0], n[0]+n[1])
	case len(n) == 2 && name == "mid" && n[0] > 0:
		return fmt.Sprintf(".[%d:%d]", n[0]-1, n[0]-1+n[1])
	}
	return ""
}

// argument is the text of the only argument of a call.
func (c *checker) argument(f *gojq.Func) string {
	if len(f.Args) != 1 {
		return ""
	}
	at := c.pl.span(f.Args[0])
	return c.src[at.From:at.To]
}

// bareName reports whether an argument is a word alone that names nothing: a text
// without its quotes.
func (c *checker) bareName(q *gojq.Query, sc scope) bool {
	if q.Term == nil || q.Term.Func == nil || len(q.Term.SuffixList) > 0 {
		return false
	}
	f := q.Term.Func
	return len(f.Args) == 0 && f.Name[0] != '$' && !c.resolves(f, sc)
}

// alikeLetters reports whether a name is a function written in another way:
// tostring and toString. Names of fields are near many functions.
func alikeLetters(name, function string) bool {
	plain := strings.NewReplacer("_", "", "-", "")
	return function != "" && (strings.ToLower(name) == name || strings.EqualFold(plain.Replace(name), plain.Replace(function)))
}

func countArgs(n int) string {
	switch n {
	case 0:
		return "no argument"
	case 1:
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

func arityHint(name string, arities []int) string {
	if name == "exact_div" {
		return "write `exact_div(a; b; decimals)`"
	}
	var forms []string
	for _, n := range arities {
		form := name
		if n > 0 {
			form += "(" + strings.Join([]string{"a", "b", "c", "d", "e"}[:min(n, 5)], "; ") + ")"
		}
		forms = append(forms, "`"+form+"`")
	}
	return "write " + strings.Join(forms, " or ")
}

// regexFunctions take a regular expression as their first argument.
var regexFunctions = map[string]bool{
	"test": true, "match": true, "capture": true, "scan": true, "splits": true, "sub": true, "gsub": true,
}

// bounded refuses calls of builtins that can run without a bound.
func (c *checker) bounded(f *gojq.Func, at Span) {
	switch f.Name {
	case "repeat", "until", "while":
		if !c.opt.Unsafe {
			c.add(Refused, at, fmt.Sprintf("`%s` can run without an end", f.Name), "use reduce, foreach or limit over range(n)")
		}
	case "recurse":
		if !c.opt.Unsafe && len(f.Args) > 0 && !descends(f.Args[0]) {
			c.add(Refused, at, "`recurse` with this argument can run without an end", "give it a path into the data, such as recurse(.children[]?)")
		}
	case "lookup":
		c.table(f)
	case "convert":
		names, spans := make([]string, len(f.Args)), make([]Span, len(f.Args))
		for i, a := range f.Args {
			names[i], _ = literalText(a)
			spans[i] = c.pl.span(a)
		}
		c.measures(names, spans)
	case "localtime", "strflocaltime":
		c.add(Doubtful, at, fmt.Sprintf("`%s` depends on the time zone of the machine", f.Name), "use `zone:` and `format:` on the row").Warning = true
	}
	if regexFunctions[f.Name] || f.Name == "split" && len(f.Args) == 2 {
		c.regex(f)
	}
}

// regex refuses patterns made from data and compiles the literal ones.
func (c *checker) regex(f *gojq.Func) {
	arg := f.Args[0]
	re, ok := literalRegex(arg)
	if !ok {
		if !c.opt.Unsafe {
			c.add(Refused, c.pl.span(arg), fmt.Sprintf("the pattern of `%s` is made while running", f.Name),
				"write the regular expression as a text; for plain texts use contains, split or startswith")
		}
		return
	}
	if _, err := regexp.Compile(re); err != nil {
		msg := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		p := c.add(Doubtful, c.pl.span(arg), "the regular expression cannot work: "+msg, "")
		if strings.Contains(re, "(?=") || strings.Contains(re, "(?!") || strings.Contains(re, "(?<=") || strings.Contains(re, "(?<!") {
			p.Message, p.Hint = "a regular expression cannot look ahead or behind here", "match what stands there too, and take the part with `capture(\"(?<part>...)...\").part`"
		}
		p.Warning = c.opt.Unsafe
	}
}

func (c *checker) table(f *gojq.Func) {
	name, ok := literalText(f.Args[0])
	if !ok {
		c.add(Refused, c.pl.span(f.Args[0]), "the table of `lookup` is chosen while running", "write its name as a text"+c.quoted(f.Args[0]))
		return
	}
	if c.opt.Lookup != nil {
		if _, ok := c.opt.Lookup(name); ok {
			return
		}
	}
	at := c.pl.span(f.Args[0])
	before := len(c.problems)
	c.unknown(at, name, "lookup", c.opt.Tables)
	p := &c.problems[before]
	p.Table = true
	if p.Replace != "" {
		p.Replace = strconv.Quote(p.Replace)
	}
}

// quoted shows a word alone as the text that was meant.
func (c *checker) quoted(q *gojq.Query) string {
	if q.Term == nil || q.Term.Func == nil || len(q.Term.Func.Args) > 0 || q.Term.Func.Name[0] == '$' {
		return ""
	}
	return ": `lookup(" + strconv.Quote(q.Term.Func.Name) + ")`"
}
