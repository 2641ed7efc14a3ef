package lint

import (
	"fmt"
	"slices"
	"strconv"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
)

// wants reports conditions that samples contradict: a text compared with a number,
// and what is neither yes nor no where yes or no is asked (XD2110). What a schema
// says is held against a rule when it is compiled.
func (p *pass) wants(c *cell.Cell) {
	for _, w := range c.Rule.Wants() {
		if w.Kind == rule.WantsBool && w.Op != "" {
			p.textAsTruth(c, w)
		}
		got := p.sampled(c, w.Path)
		if got == anything {
			continue
		}
		d := diag.Diagnostic{Code: codeTypes, Severity: diag.Warning}
		switch kind := map[rule.WantKind]group{rule.WantsBool: boolean, rule.WantsNumber: number, rule.WantsText: text}[w.Kind]; {
		case got == kind:
			continue
		case w.Op == "":
			d.Message = fmt.Sprintf("`%s` is %s in the samples, but a rule asks for yes or no", w.Path, groupWords[got])
			d.Hint = fmt.Sprintf("compare it: `%s == ...`, or write `%s != nil` for whether it is there", w.Path, w.Path)
		default:
			d.Message = fmt.Sprintf("this is always %t: it compares `%s` (%s) with %s", w.Op == "!=", w.Path, groupWords[got], literalWords(kind, w.Literal))
			d.Hint = "compare " + groupWords[got] + " with " + groupWords[got]
			if word, ok := counterpart(got, w.Literal); ok {
				d.Hint = "write it as it is in the samples: " + word
				if c.Node.Style == ast.Plain || c.Node.Style == ast.Literal {
					d.Fixes = replace(c.Node.Range(w.LitFrom, w.LitTo), word)
				}
			}
		}
		p.inCell(c, w.From, w.To, d)
	}
}

// textAsTruth reports a text, as the schema has it, that is compared with yes or
// no, with the texts that it can be (XD3101).
func (p *pass) textAsTruth(c *cell.Cell, w rule.Want) {
	r := p.ruleRead(c, w.Path)
	at := r.start
	for _, seg := range r.segments {
		next, v, _ := at.next(seg)
		if v != exists {
			return
		}
		at = next
	}
	if at.schema == nil || !at.shape.Known() || !at.shape.Type.Textual() || at.shape.Type.Temporal() {
		return
	}
	d := diag.Diagnostic{Code: codeAnswer, Message: fmt.Sprintf("`%s` is text, and never `%s`", w.Path, w.Literal), Hint: "compare it with the text that means it"}
	if texts := textsAt(at); len(texts) > 0 {
		d.Hint += ": " + listed(texts, 8)
	}
	if at.shape.Note != "" {
		d.Hint += "; its schema says: " + at.shape.Note
	}
	p.inCell(c, w.LitFrom, w.LitTo, d)
}

// textsAt are the texts that can stand at a place, or do so in the samples, as a
// rule writes them.
func textsAt(at place) []string {
	var out []string
	for _, o := range at.shape.Options {
		out = append(out, strconv.Quote(o))
	}
	for _, e := range at.examples {
		if t, ok := e.value.(string); ok && len(at.shape.Options) == 0 && len(t) <= 30 && !slices.Contains(out, strconv.Quote(t)) {
			out = append(out, strconv.Quote(t))
		}
	}
	return out
}

// sampled is what all samples have at a path of a rule, anything where they do not
// agree or a schema knows.
func (p *pass) sampled(c *cell.Cell, path rule.Path) group {
	r := p.ruleRead(c, path)
	at := r.start
	if at.schema != nil || !at.known() {
		return anything
	}
	for _, seg := range r.segments {
		next, v, _ := at.next(seg)
		if v != exists {
			return anything
		}
		at = next
	}
	got := anything
	for i, e := range at.examples {
		g := groupOfValue(e.value)
		if g == anything || i > 0 && g != got {
			return anything
		}
		got = g
	}
	return got
}

func literalWords(g group, literal string) string {
	if g == text {
		return "the text " + literal
	}
	return literal
}

// counterpart writes a literal as a value of another kind: "3" as 3, 3 as "3".
func counterpart(to group, literal string) (string, bool) {
	word, err := strconv.Unquote(literal)
	if err != nil && len(literal) > 1 && literal[0] == '\'' && literal[len(literal)-1] == '\'' {
		word, err = literal[1:len(literal)-1], nil
	}
	switch {
	case err == nil && to == number && numeral.MatchString(word), err == nil && to == boolean && (word == "true" || word == "false"):
		return word, true
	case err != nil && to == text:
		return strconv.Quote(literal), true
	}
	return "", false
}
