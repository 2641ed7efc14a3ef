package lint

import (
	"fmt"
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/value"
)

// floats reports binary arithmetic where money or weights are computed
// (XD2106).
func floats(p *pass) {
	for _, c := range p.sortedCells() {
		if c.JQ == nil || c.Role != "from" && c.Role != "each" && c.Role != "program" {
			continue
		}
		if c.Role != "program" && !p.exact(c) {
			continue
		}
		for _, s := range p.computations(c) {
			if !s.inner {
				p.arithmetic(c, s)
			}
		}
		if c.Role != "program" {
			p.adding(c)
		}
	}
}

// computation is one computation of a cell: `a * b + c` is one, of two operators.
type computation struct {
	jq.Use
	left, right *computation // operands that are computed, too
	inner       bool         // it is an operand itself
}

// computations are those of a cell that work in binary, each with what it is
// computed of.
func (p *pass) computations(c *cell.Cell) []*computation {
	var all []*computation
	for _, u := range c.JQ.Uses() {
		if u.Kind == jq.UseArithmetic && p.binary(c, u) {
			all = append(all, &computation{Use: u})
		}
	}
	operand := func(at jq.Span) *computation {
		from, to := at.From, at.To
		for from < to && strings.ContainsRune("( ", rune(c.Node.Text[from])) {
			from++
		}
		for from < to && strings.ContainsRune(") ", rune(c.Node.Text[to-1])) {
			to--
		}
		for _, s := range all {
			if l := s.Left.From; l >= at.From && l <= from && s.Right.To >= to && s.Right.To <= at.To {
				s.inner = true
				return s
			}
		}
		return nil
	}
	for _, s := range all {
		s.left, s.right = operand(s.Left), operand(s.Right)
	}
	return all
}

// first is the operator of a computation that stands first.
func (s *computation) first() jq.Use {
	if s.left != nil {
		return s.left.first()
	}
	return s.Use
}

// exactly writes a computation with functions that are exact; "" where one of its
// operands is not simple enough to be repeated.
func (s *computation) exactly(src string) string {
	if s.Text == "+" {
		if terms := s.terms(src); terms != nil {
			return "[" + strings.Join(terms, ", ") + "] | exact_sum"
		}
		return ""
	}
	left, right := s.left.written(src, s.Left), s.right.written(src, s.Right)
	if left == "" || right == "" || operators[s.Text] == "" {
		return ""
	}
	return fmt.Sprintf(operators[s.Text], left, right)
}

// terms are what a sum adds, those of sums within it, too.
func (s *computation) terms(src string) (out []string) {
	for _, side := range []struct {
		of *computation
		at jq.Span
	}{{s.left, s.Left}, {s.right, s.Right}} {
		if side.of != nil && side.of.Text == "+" {
			more := side.of.terms(src)
			if more == nil {
				return nil
			}
			out = append(out, more...)
			continue
		}
		term := side.of.written(src, side.at)
		if term == "" {
			return nil
		}
		out = append(out, term)
	}
	return out
}

func (s *computation) written(src string, at jq.Span) string {
	if s != nil {
		return s.exactly(src)
	}
	if text := strings.TrimSpace(src[at.From:at.To]); atom.MatchString(text) {
		return text
	}
	return ""
}

// operators are what to write instead.
var operators = map[string]string{"+": "[%s, %s] | exact_sum", "-": "exact_sub(%s; %s)", "*": "exact_mul(%s; %s)", "/": "exact_div(%s; %s; 2)"}

func (p *pass) arithmetic(c *cell.Cell, s *computation) {
	u := s.first()
	d := diag.Diagnostic{Code: codeFloat, Severity: diag.Warning, Message: "`" + u.Text + "` computes in binary: 1.10 * 3 is 3.3000000000000003",
		Hint: "use exact_sum, exact_sub, exact_mul or exact_div"}
	text := s.exactly(c.Node.Text)
	switch {
	case text != "" && len(text) <= 90:
		d.Hint = "write `" + text + "`"
		// What stands around it could change the meaning, and how many digits
		// a quotient has is for people to say.
		whole := strings.TrimSpace(c.Node.Text) == strings.TrimSpace(c.Node.Text[s.Left.From:s.Right.To])
		if whole && !strings.Contains(text, "exact_div") && c.Node.Style == ast.Plain && !strings.ContainsAny(text, "[,") {
			d.Fixes = replace(c.Node.Range(s.Left.From, s.Right.To), text)
		}
	case s.left == nil && s.right == nil && operators[u.Text] != "":
		d.Hint = "write `" + fmt.Sprintf(operators[u.Text], "a", "b") + "`"
	}
	p.inCell(c, u.From, u.To, d)
}

// atom is an operand that needs no brackets.
var atom = regexp.MustCompile(`^(\$?[A-Za-z_.][\w.]*|[0-9.]+)$`)

// money are names of values that have to be exact.
var money = regexp.MustCompile(`(?i)(amount|price|cost|charge|freight_?value|total|weight|tax|vat|discount|rate|surcharge|gross|net)([A-Z_][A-Za-z]*)?$`)

// exact reports whether the value of a row is money, a weight or a decimal.
func (p *pass) exact(c *cell.Cell) bool {
	if c.Target.Known() && groupOf(c.Target.Type) != number && c.Target.Type.Base != value.Any {
		return false
	}
	if c.Target.Known() && c.Target.Type.Base == value.Fixed {
		return true
	}
	if typ := p.rowType(c); typ != "" {
		return strings.HasPrefix(typ, "decimal") || typ == "number" && named(c)
	}
	return named(c)
}

func named(c *cell.Cell) bool {
	if strings.HasPrefix(c.Row, "with of ") {
		return false
	}
	parts := strings.Split(strings.TrimPrefix(c.Row, "let "), ".")
	n := len(parts)
	return money.MatchString(parts[n-1]) || n > 1 && parts[n-1] == "value" && money.MatchString(parts[n-2])
}

// rowType is the `type:` beside the cell.
func (p *pass) rowType(c *cell.Cell) string {
	if p.types == nil {
		p.types = map[*cell.Cell]string{}
		for _, m := range p.mappings() {
			note := func(r row) {
				for _, s := range []*cell.Cell{p.cellOf(r.From), p.cellOf(r.Each)} {
					if s != nil && r.Type.Set() {
						p.types[s] = r.Type.Value
					}
				}
			}
			rowsOf(m.Spec.Let, nil, note)
			rowsOf(m.Spec.Fields, nil, note)
		}
	}
	return p.types[c]
}

// binary reports whether an operator works on numbers with a fraction: not on
// texts, lists and objects, and not on whole numbers alone.
func (p *pass) binary(c *cell.Cell, u jq.Use) bool {
	left, right := p.operand(c, u.Left), p.operand(c, u.Right)
	if c.Role == "program" {
		// The target is not known here: only what certainly is such a number counts.
		return left == fraction || right == fraction
	}
	if left == other || right == other {
		return false
	}
	return !(left == whole && right == whole && u.Text != "/")
}

type operand uint8

const (
	unknown operand = iota
	whole
	fraction
	other // no number
)

var integer = regexp.MustCompile(`^[0-9]+$`)

func (p *pass) operand(c *cell.Cell, at jq.Span) operand {
	src := strings.TrimSpace(c.Node.Text[at.From:at.To])
	switch {
	case src == "":
		return unknown
	case strings.ContainsRune("\"[{@", rune(src[0])):
		return other
	case strings.HasSuffix(src, "| tostring"), strings.HasSuffix(src, "| length"):
		return other
	case integer.MatchString(src):
		return whole
	}
	out := unknown
	for _, path := range c.JQ.Paths() {
		n := len(path.Segments)
		if n == 0 || path.Segments[n-1].From < at.From || path.Segments[n-1].To > at.To {
			continue
		}
		end, ok := p.resolve(c, path)
		if !ok || !end.shape.Known() {
			if name := last(path); c.Role == "program" && money.MatchString(name) {
				out = fraction
			}
			continue
		}
		switch b := end.shape.Type; {
		case b.Base == value.Integer:
			out = whole
		case b.Base == value.Fixed || b.Base == value.Number:
			return fraction
		case groupOf(b) == text || groupOf(b) == list || groupOf(b) == record:
			return other
		}
	}
	return out
}

// sum finds `add`, which is + over a list.
var sum = regexp.MustCompile(`(^|[|(\s])add($|[\s|)(])`)

func (p *pass) adding(c *cell.Cell) {
	src := c.Node.Text
	for _, m := range sum.FindAllStringIndex(src, -1) {
		from := m[0] + strings.Index(src[m[0]:m[1]], "add")
		if quotes := strings.Count(src[:from], `"`); quotes%2 == 1 {
			continue // inside a text
		}
		if c.Target.Known() && groupOf(c.Target.Type) == list {
			continue
		}
		d := diag.Diagnostic{Code: codeFloat, Severity: diag.Warning,
			Message: "`add` computes in binary: 0.1 + 0.2 is 0.30000000000000004", Hint: "write `exact_sum`"}
		if !strings.HasPrefix(src[from+3:], "(") {
			d.Fixes = replace(c.Node.Range(from, from+3), "exact_sum")
		}
		p.inCell(c, from, from+3, d)
	}
}
