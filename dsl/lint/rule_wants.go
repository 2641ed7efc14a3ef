package lint

import (
	"fmt"
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
