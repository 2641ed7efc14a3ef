package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/value"
)

// types reports jq cells that compare or compute what does not go together
// (XD2110), and comparisons with a text that is no option (XD3102).
func types(p *pass) {
	for _, c := range p.sortedCells() {
		if c.JQ == nil {
			p.wants(c)
			continue
		}
		for _, o := range c.JQ.Operations() {
			switch {
			case o.Takes != 0:
				p.input(c, o)
			case strings.Contains(comparisons, " "+o.Name+" "):
				if !p.compared(c, o) {
					p.optionOf(c, o, o.Left, o.Right)
					p.optionOf(c, o, o.Right, o.Left)
				}
			default:
				p.computed(c, o)
			}
		}
	}
}

const comparisons = " == != < <= > >= "

// term is what is known of a value in a cell.
type term struct {
	group    group
	declared bool // by a schema or by the cell, not only by samples
	src      string
}

// term says what an operand certainly is.
func (p *pass) term(c *cell.Cell, o jq.Operand) term {
	t := term{declared: true, src: strings.TrimSpace(c.Node.Text[o.From:o.To])}
	if !o.Known {
		return t
	}
	groups := map[group]bool{}
	for types, g := range jqGroups {
		if o.Types&types != 0 {
			groups[g] = true
		}
	}
	for _, path := range o.Paths {
		g, declared := p.groupOfPath(c, path)
		groups[g] = true
		t.declared = t.declared && declared
	}
	if len(groups) == 1 {
		for g := range groups {
			t.group = g
		}
	}
	return t
}

// word says what a term is: `.weight`, a number.
func (t term) word() string {
	if t.group == text && strings.HasPrefix(t.src, `"`) {
		return "the text " + t.src
	}
	if len(t.src) > 40 || numeral.MatchString(t.src) || t.src == "true" || t.src == "false" {
		return groupWords[t.group]
	}
	return "`" + t.src + "` (" + groupWords[t.group] + ")"
}

var jqGroups = map[jq.Types]group{jq.IsBoolean: boolean, jq.IsNumber: number, jq.IsString: text, jq.IsArray: list, jq.IsObject: record}

// groupOfPath says what a path leads to: as a schema says, or as all samples
// have it.
func (p *pass) groupOfPath(c *cell.Cell, path jq.Path) (g group, declared bool) {
	switch {
	case path.Var == "vars" && len(path.Segments) == 1:
		return text, true
	case path.Var == "index" && len(path.Segments) == 0:
		return number, true
	}
	at, ok := p.resolve(c, path)
	if !ok {
		return anything, true
	}
	if at.shape.Known() {
		if g := groupOf(at.shape.Type); g != anything {
			return g, true
		}
	}
	for _, e := range at.examples {
		got := groupOfValue(e.value)
		if got == anything || g != anything && got != g {
			return anything, false
		}
		g = got
	}
	return g, false
}

func severity(declared bool) diag.Severity {
	if declared {
		return diag.Error
	}
	return diag.Warning
}

// compared reports a comparison whose answer is always the same, because its
// sides are of different types.
func (p *pass) compared(c *cell.Cell, o jq.Operation) bool {
	left, right := p.term(c, o.Left), p.term(c, o.Right)
	if left.group == right.group || left.group == anything || right.group == anything {
		return false
	}
	answer := o.Name == "!="
	if o.Name[0] == '<' || o.Name[0] == '>' { // jq orders types, not values
		answer = (rank(left.group) > rank(right.group)) == (o.Name[0] == '>')
	}
	d := diag.Diagnostic{Code: codeTypes, Severity: severity(left.declared && right.declared),
		Message: fmt.Sprintf("this is always %t: it compares %s with %s", answer, left.word(), right.word())}
	if !p.unquoted(c, &d, o.Left, left, right.group) && !p.unquoted(c, &d, o.Right, right, left.group) {
		d.Hint = together(left, right)
	}
	p.inCell(c, o.From, o.To, d)
	return true
}

// rank is the order of types in jq.
func rank(g group) int { return slices.Index([]group{boolean, number, text, list, record}, g) }

// unquoted says how a literal is written that the other side can equal.
func (p *pass) unquoted(c *cell.Cell, d *diag.Diagnostic, o jq.Operand, t term, other group) bool {
	word, err := strconv.Unquote(t.src)
	switch {
	case err == nil && other == number && numeral.MatchString(word), err == nil && other == boolean && (word == "true" || word == "false"):
		d.Hint = "write it without the quotes: " + word
		if c.Node.Style == ast.Plain || c.Node.Style == ast.Literal {
			d.Fixes = replace(c.Node.Range(o.From, o.To), word)
		}
		return true
	case other == text && numeral.MatchString(t.src):
		d.Hint = "write it as a text: \"" + t.src + "\""
		return true
	}
	return false
}

// together says how two values that do not go together can be compared.
func together(left, right term) string {
	var of, with term
	switch {
	case left.group == list || left.group == record:
		of, with = left, right
	case right.group == list || right.group == record:
		of, with = right, left
	case left.group == text && right.group == number:
		return "write `(" + left.src + " | tonumber)` where it holds a number"
	case left.group == number && right.group == text:
		return "write `(" + right.src + " | tonumber)` where it holds a number"
	default:
		return "compare " + groupWords[left.group] + " with " + groupWords[left.group]
	}
	if with.group == number {
		return "write `(" + of.src + " | length)` for how many there are"
	}
	return "select the value inside it that is meant"
}

// computed reports arithmetic that always fails.
func (p *pass) computed(c *cell.Cell, o jq.Operation) {
	left, right := p.term(c, o.Left), p.term(c, o.Right)
	if left.group == anything || right.group == anything || arithmetic(o.Name, left.group, right.group) {
		return
	}
	d := diag.Diagnostic{Code: codeTypes, Severity: severity(left.declared && right.declared),
		Message: fmt.Sprintf("`%s` cannot work with %s and %s", o.Name, groupWords[left.group], groupWords[right.group])}
	one, other := left, right
	if left.group == text {
		one, other = right, left
	}
	switch {
	case o.Name == "+" && other.group == text && (one.group == number || one.group == boolean):
		d.Hint = "write `(" + one.src + " | tostring)`"
	case other.group == text && one.group != list && one.group != record || left.group == text && right.group == text:
		d.Hint = "write `(" + other.src + " | tonumber)` where it holds a number"
	default:
		d.Hint = "select the values that are meant"
	}
	p.inCell(c, o.From, o.To, d)
}

// arithmetic reports whether jq can compute with such values.
func arithmetic(op string, a, b group) bool {
	switch op {
	case "+":
		return a == b && a != boolean
	case "-":
		return a == b && (a == number || a == list)
	case "*":
		return a == b && (a == number || a == record) || a == text && b == number || a == number && b == text
	case "/":
		return a == b && (a == number || a == text)
	}
	return a == b && a == number // %
}

// input reports a function that fails on what it is given.
func (p *pass) input(c *cell.Cell, o jq.Operation) {
	got := p.term(c, o.Left)
	want := anything
	for types, g := range jqGroups {
		if o.Takes == types {
			want = g
		}
	}
	if got.group == anything || got.group == want || want == anything {
		return
	}
	d := diag.Diagnostic{Code: codeTypes, Severity: severity(got.declared),
		Message: fmt.Sprintf("`%s` works on %s, but is given %s", o.Name, groupWords[want], groupWords[got.group])}
	switch {
	case want == text && (got.group == number || got.group == boolean):
		d.Hint = "write `tostring | " + o.Name + "`"
	case want == number && got.group == text:
		d.Hint = "write `tonumber | " + o.Name + "` where it holds a number"
	case want == list:
		d.Hint = "put it between brackets, or select the list that is meant"
	default:
		d.Hint = "select the value that is meant"
	}
	p.inCell(c, o.From, o.To, d)
}

// optionOf reports a comparison of a choice with a text that is none of its
// options.
func (p *pass) optionOf(c *cell.Cell, o jq.Operation, of, with jq.Operand) {
	word, err := strconv.Unquote(strings.TrimSpace(c.Node.Text[with.From:with.To]))
	if err != nil || o.Name != "==" && o.Name != "!=" || !of.Known || len(of.Paths) != 1 || of.Types != 0 {
		return
	}
	at, ok := p.resolve(c, of.Paths[0])
	if !ok || !at.shape.Known() || at.shape.Type.Base != value.Choice || len(at.shape.Options) == 0 || slices.Contains(at.shape.Options, word) {
		return
	}
	d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning,
		Message: fmt.Sprintf("`%s` cannot be %q, so this is always %t", last(of.Paths[0]), word, o.Name == "!="),
		Hint:    "options: " + strings.Join(at.shape.Options, ", ")}
	if near := diag.Nearest(word, at.shape.Options); len(near) > 0 {
		d.Short = "did you mean `" + near[0] + "`?"
		d.Fixes = replace(c.Node.Range(with.From+1, with.To-1), near[0])
	}
	p.inCell(c, with.From, with.To, d)
}
