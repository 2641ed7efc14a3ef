package jq

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"crossdock/dsl/diag"

	"github.com/itchyny/gojq"
)

// refused names what cells may not use, with the way out.
var refused = map[string]string{
	"now":               "use $run.now, which is the same for the whole run and in tests",
	"env":               "use $vars for values of the environment",
	"$ENV":              "use $vars for values of the environment",
	"input":             "a cell sees one message: use `.` or $original",
	"inputs":            "a cell sees one message: use `.` or $original",
	"debug":             "use `crossdock try` to see values",
	"stderr":            "use `crossdock try` to see values",
	"input_line_number": "a cell sees one message without lines",
	"input_filename":    "use $meta.file.name",
	"$__loc__":          "error messages name the row already",
	"$__prog_args":      "use $params",
	"halt":              "use error(\"why\") to fail the row, or `empty` for no value",
	"halt_error":        "use error(\"why\") to fail the row",
	"get_search_list":   "there are no modules; share values with `let` or a lookup",
	"modulemeta":        "there are no modules; share values with `let` or a lookup",
}

// known returns the arities of every function there is, by name.
var known = sync.OnceValue(func() map[string][]int {
	out := map[string][]int{}
	query, err := gojq.Parse("builtins")
	if err != nil {
		return out
	}
	v, _ := query.Run(nil).Next()
	list, _ := v.([]any)
	for _, e := range list {
		s, _ := e.(string)
		name, n, _ := strings.Cut(s, "/")
		arity, err := strconv.Atoi(n)
		if err == nil && refused[name] == "" {
			out[name] = append(out[name], arity)
		}
	}
	for _, f := range functions {
		out[f.Name] = append(out[f.Name], len(f.Params))
	}
	return out
})

// scope is what a place in a cell can see. It is copied on the way down.
type scope struct {
	vars   []string
	funcs  []string // "name/arity", inner ones last
	labels []string
	defs   []string // the definitions this place is inside of
}

func (s scope) with(change func(*scope)) scope {
	s.vars, s.funcs = slices.Clip(s.vars), slices.Clip(s.funcs)
	s.labels, s.defs = slices.Clip(s.labels), slices.Clip(s.defs)
	change(&s)
	return s
}

type checker struct {
	src      string
	pl       *places
	opt      Options
	problems []Problem
}

// check finds everything that is wrong with a cell that parses.
func check(src string, q *gojq.Query, pl *places, opt Options) []Problem {
	c := &checker{src: src, pl: pl, opt: opt}
	if q.Meta != nil || len(q.Imports) > 0 {
		at := Span{0, len("import")}
		for _, t := range pl.toks {
			if t.kind == tokIdent && (t.text == "import" || t.text == "include" || t.text == "module") {
				at = t.Span
				break
			}
		}
		c.add(Refused, at, "cells cannot load modules", "share values with `let`, a lookup or a mapping of its own")
		return c.problems
	}
	sc := scope{}
	for _, v := range opt.Vars {
		sc.vars = append(sc.vars, "$"+v)
	}
	if q.Term == nil && q.Right == nil && len(q.FuncDefs) == 0 {
		c.add(Syntax, pl.span(q), "the cell is empty", emptyHint(c.src))
		return c.problems
	}
	if q.Term == nil && q.Right == nil {
		c.add(Syntax, pl.span(q), "the cell defines functions and uses none", "end it with an expression, such as `.`")
	}
	c.query(q, sc)
	c.placeholders()
	return c.problems
}

func (c *checker) add(k Kind, at Span, message, hint string) *Problem {
	c.problems = append(c.problems, Problem{Kind: k, From: at.From, To: at.To, Message: message, Hint: hint})
	return &c.problems[len(c.problems)-1]
}

func (c *checker) query(q *gojq.Query, sc scope) {
	if q == nil {
		return
	}
	for _, fd := range q.FuncDefs {
		sc = c.funcDef(fd, sc)
	}
	switch {
	case q.Term != nil:
		c.term(q.Term, sc)
	case q.Right != nil:
		if q.Op == gojq.OpSub && c.dashedName(q, sc) {
			c.query(q.Left, sc)
			return
		}
		if q.Op == gojq.OpMul {
			c.repeatText(q)
		}
		c.typeName(q)
		c.query(q.Left, sc)
		c.query(q.Right, c.patterns(q.Patterns, sc))
	}
}

// dashedName recognises .ship-to, which means .ship minus a function to.
func (c *checker) dashedName(q *gojq.Query, sc scope) bool {
	if q.Right.Term == nil || q.Right.Term.Type != gojq.TermTypeFunc {
		return false
	}
	f := q.Right.Term.Func
	left, ok1 := c.pl.known(q.Left)
	right, ok2 := c.pl.known(keyOf{f})
	op, ok3 := c.pl.known(opOf{q})
	if !ok1 || !ok2 || !ok3 || left.To != op.From || op.To != right.From || c.resolves(f, sc) {
		return false
	}
	from := -1
	for _, t := range c.pl.toks {
		if t.To == left.To && t.kind == tokField {
			from = t.From
		}
	}
	if from < 0 {
		return false
	}
	name := c.text(Span{from + 1, right.To})
	p := c.add(Unknown, Span{from, right.To}, fmt.Sprintf("`.%s` is read as a subtraction", name),
		fmt.Sprintf("a name with a dash needs quotes: .%q", name))
	p.Replace = fmt.Sprintf(".%q", name)
	return true
}

// text returns the source between two offsets, rebuilt from the tokens.
func (c *checker) text(s Span) string {
	var b strings.Builder
	for _, t := range c.pl.toks {
		if t.From >= s.To || t.To <= s.From {
			continue
		}
		b.WriteString(t.text[max(0, s.From-t.From):min(len(t.text), s.To-t.From)])
	}
	return b.String()
}

// repeatText refuses "x" * 100000.
func (c *checker) repeatText(q *gojq.Query) {
	if c.opt.Unsafe {
		return
	}
	for _, side := range []*gojq.Query{q.Left, q.Right} {
		if n, ok := literalNumber(side); ok && n > maxRepeat {
			other := q.Left
			if side == q.Left {
				other = q.Right
			}
			if _, isText := literalText(other); isText {
				c.add(Refused, c.pl.span(q), fmt.Sprintf("repeats a text more than %d times", maxRepeat), "texts this long are no data")
			}
		}
	}
}

const maxRepeat = 10_000

func (c *checker) funcDef(fd *gojq.FuncDef, sc scope) scope {
	id := fd.Name + "/" + strconv.Itoa(len(fd.Args))
	outer := sc.with(func(s *scope) { s.funcs = append(s.funcs, id) })
	inner := outer.with(func(s *scope) {
		s.defs = append(s.defs, id)
		for _, a := range fd.Args {
			if a[0] == '$' {
				s.vars = append(s.vars, a)
				a = a[1:]
			}
			s.funcs = append(s.funcs, a+"/0")
			// A parameter hides a definition of the same name around it.
			for i, d := range s.defs {
				if d == a+"/0" {
					s.defs = slices.Delete(slices.Clone(s.defs), i, i+1)
					break
				}
			}
		}
	})
	c.query(fd.Body, inner)
	return outer
}

func (c *checker) patterns(ps []*gojq.Pattern, sc scope) scope {
	for _, p := range ps {
		sc = sc.with(func(s *scope) { s.vars = append(s.vars, patternVars(p)...) })
	}
	for _, p := range ps {
		c.patternKeys(p, sc)
	}
	return sc
}

func patternVars(p *gojq.Pattern) []string {
	if p.Name != "" {
		return []string{p.Name}
	}
	var out []string
	for _, e := range p.Array {
		out = append(out, patternVars(e)...)
	}
	for _, kv := range p.Object {
		if kv.Key != "" && kv.Key[0] == '$' {
			out = append(out, kv.Key)
		}
		if kv.Val != nil {
			out = append(out, patternVars(kv.Val)...)
		}
	}
	return out
}

func (c *checker) patternKeys(p *gojq.Pattern, sc scope) {
	for _, e := range p.Array {
		c.patternKeys(e, sc)
	}
	for _, kv := range p.Object {
		if kv.KeyString != nil {
			c.str(kv.KeyString, sc)
		}
		c.query(kv.KeyQuery, sc)
		if kv.Val != nil {
			c.patternKeys(kv.Val, sc)
		}
	}
}

func (c *checker) str(s *gojq.String, sc scope) {
	if s == nil {
		return
	}
	for _, q := range s.Queries {
		c.query(q, sc)
	}
}

func (c *checker) index(x *gojq.Index, sc scope) {
	if x == nil {
		return
	}
	c.str(x.Str, sc)
	if n, ok := literalNumber(x.Start); ok && !x.IsSlice && n > maxIndex {
		c.add(Refused, c.pl.span(x.Start), fmt.Sprintf("no list has a position beyond %d", maxIndex), "")
	}
	c.query(x.Start, sc)
	c.query(x.End, sc)
}

func (c *checker) term(t *gojq.Term, sc scope) {
	switch t.Type {
	case gojq.TermTypeIndex:
		c.index(t.Index, sc)
	case gojq.TermTypeFunc:
		c.call(t.Func, sc)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			c.keyVal(kv, sc)
		}
	case gojq.TermTypeArray:
		c.query(t.Array.Query, sc)
	case gojq.TermTypeUnary:
		c.term(t.Unary.Term, sc)
	case gojq.TermTypeFormat:
		c.format(t, sc)
	case gojq.TermTypeString:
		c.str(t.Str, sc)
	case gojq.TermTypeIf:
		c.query(t.If.Cond, sc)
		c.query(t.If.Then, sc)
		for _, e := range t.If.Elif {
			c.query(e.Cond, sc)
			c.query(e.Then, sc)
		}
		c.query(t.If.Else, sc)
	case gojq.TermTypeTry:
		c.query(t.Try.Body, sc)
		c.query(t.Try.Catch, sc)
	case gojq.TermTypeReduce:
		c.query(t.Reduce.Query, sc)
		c.query(t.Reduce.Start, sc)
		c.query(t.Reduce.Update, c.patterns(t.Reduce.Patterns, sc))
	case gojq.TermTypeForeach:
		c.query(t.Foreach.Query, sc)
		c.query(t.Foreach.Start, sc)
		inner := c.patterns(t.Foreach.Patterns, sc)
		c.query(t.Foreach.Update, inner)
		c.query(t.Foreach.Extract, inner)
	case gojq.TermTypeLabel:
		c.query(t.Label.Body, sc.with(func(s *scope) { s.labels = append(s.labels, t.Label.Ident) }))
	case gojq.TermTypeBreak:
		if !slices.Contains(sc.labels, t.Break) {
			c.add(Unknown, c.pl.span(t), fmt.Sprintf("there is no label %s here", t.Break), "write `label "+t.Break+" |` around it")
		}
	case gojq.TermTypeQuery:
		c.query(t.Query, sc)
	}
	for i, s := range t.SuffixList {
		c.index(s.Index, sc)
		if s.Optional && i > 0 && t.SuffixList[i-1].Optional {
			at := c.pl.span(s)
			at.From = c.pl.span(t.SuffixList[i-1]).From
			p := c.add(Doubtful, at, "`??` belongs to conditions", "in jq a default is `a // b`")
			p.Replace, p.Warning = "//", c.opt.Unsafe
		}
	}
}

func (c *checker) keyVal(kv *gojq.ObjectKeyVal, sc scope) {
	if kv.Key != "" && kv.Key[0] == '$' {
		c.variable(kv.Key, c.pl.span(keyOf{kv}), sc)
	}
	c.str(kv.KeyString, sc)
	c.query(kv.KeyQuery, sc)
	c.query(kv.Val, sc)
}

var formats = []string{"@base64", "@base64d", "@csv", "@html", "@json", "@sh", "@text", "@tsv", "@uri", "@urid"}

func (c *checker) format(t *gojq.Term, sc scope) {
	if !slices.Contains(formats, t.Format) {
		at := c.pl.span(baseOf{t})
		at.To = min(at.To, at.From+len(t.Format))
		c.unknown(at, t.Format, "format", formats)
	}
	c.str(t.Str, sc)
}

// unknown adds a problem for a name that does not exist.
func (c *checker) unknown(at Span, name, what string, there []string) {
	p := c.add(Unknown, at, fmt.Sprintf("there is no %s `%s`", what, name), "")
	p.Name = name
	if near := diag.Nearest(name, there); len(near) > 0 {
		p.Hint, p.Replace = "did you mean `"+near[0]+"`?", near[0]
		return
	}
	if len(there) == 0 {
		p.Hint = "there are none here"
	} else if len(there) <= 12 {
		p.Hint = "there are: " + strings.Join(there, ", ")
	}
}

// surroundings are variables that cells have in other places.
var surroundings = []string{"original", "meta", "run", "steps", "params", "vars", "root", "index"}

func (c *checker) variable(name string, at Span, sc scope) {
	if slices.Contains(sc.vars, name) {
		return
	}
	if hint := refused[name]; hint != "" {
		c.add(Refused, at, "`"+name+"` cannot be used here", hint)
		return
	}
	there := slices.Compact(slices.Sorted(slices.Values(sc.vars)))
	c.unknown(at, name, "variable", there)
	p := &c.problems[len(c.problems)-1]
	switch bare := name[1:]; {
	case slices.Contains(payloads, strings.ToLower(bare)):
		p.Hint, p.Replace = "the payload is `.`; "+p.Hint, ""
	case strings.ToUpper(bare) == bare && slices.Contains(there, "$vars"):
		p.Hint, p.Replace = "a value of the environment is `$vars."+strings.ToLower(bare)+"`, from `vars:` of its file; "+p.Hint, ""
	case strings.HasPrefix(p.Hint, "there are: ") && !slices.Contains(surroundings, bare):
		p.Hint = "a field of the payload is written `." + bare + "`; " + p.Hint
	}
}
