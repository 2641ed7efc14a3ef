package lint

import (
	"fmt"
	"regexp"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// doubtful reports cells and rows that work, but hardly as meant (XD2104).
func doubtful(p *pass) {
	for _, c := range p.sortedCells() {
		if c.JQ == nil {
			continue
		}
		if one := takesOne[c.Role]; one != "" {
			p.severalValues(c, one)
		}
		for _, u := range c.JQ.Uses() {
			switch u.Kind {
			case jq.UseDefault:
				p.alternative(c, u)
			case jq.UseToNumber:
				p.toNumber(c, u)
			case jq.UseTimeFormat:
				p.timeFormat(c, u)
			case jq.UseAssign:
				p.inCell(c, u.From, u.To, diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning,
					Message: "`=` changes a field here and does not compare, so the condition always holds", Hint: "write `==`"})
			}
		}
	}
	for _, m := range p.mappings() {
		p.lacking(m)
		rowsOf(m.Spec.Fields, nil, func(r row) {
			p.numericCode(m.Name, r)
			p.unitOf(m.Name, r)
			var out *schema.Schema
			if m.Output != nil {
				out = m.Output.Schema
			}
			p.zoneless(m.Name, r, out)
		})
	}
}

// alternative reports `a // b` where a may be false.
func (p *pass) alternative(c *cell.Cell, u jq.Use) {
	right := strings.TrimSpace(c.Node.Text[u.Right.From:u.Right.To])
	if right == "false" {
		return // false stays false
	}
	var field string
	for _, path := range c.JQ.Paths() {
		n := len(path.Segments)
		if n == 0 || path.Segments[n-1].From < u.Left.From || path.Segments[n-1].To > u.Left.To {
			continue
		}
		if at, ok := p.resolve(c, path); ok && isBoolean(at) {
			field = last(path)
		}
	}
	if field == "" {
		return
	}
	d := diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning,
		Message: "`//` replaces false too, and `" + field + "` is true or false", Hint: "write `default:` on the row: it fires only where the value is missing"}
	if c.Kind != "mapping" {
		d.Hint = "write `if ." + field + " == null then " + right + " else ." + field + " end`"
	}
	p.inCell(c, u.From, u.To, d)
}

func isBoolean(at place) bool {
	if at.shape.Known() {
		return at.shape.Type.Base == value.Boolean
	}
	for _, e := range at.examples {
		if _, ok := e.value.(bool); ok {
			return true
		}
	}
	return false
}

// postal are names of fields whose digits are no number.
var postal = regexp.MustCompile(`(?i)(^|_)(zip|plz|postal|postcode|post_code|ean|gtin|upc|sscc|phone|iban)|zip_?code|postal_?code`)

// code are names of fields whose digits may be no number.
var code = regexp.MustCompile(`(?i)(code|_id|Id|_no|No|_number|Number|sku|material|account|reference|_ref|Ref)$`)

// toNumber reports a postal code or number plate that becomes a number.
func (p *pass) toNumber(c *cell.Cell, u jq.Use) {
	if name := p.codeBefore(c, u.From); name != "" {
		p.inCell(c, u.From, u.To, diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning,
			Message: "`" + name + "` is a code, not a number: 01067 becomes 1067", Hint: "leave it text: remove `tonumber`"})
	}
}

// codeBefore returns the name of the code that a cell reads in front of a byte.
func (p *pass) codeBefore(c *cell.Cell, off int) string {
	var near jq.Path
	for _, path := range c.JQ.Paths() {
		if n := len(path.Segments); n > 0 && path.Segments[n-1].To <= off {
			near = path
		}
	}
	name := last(near)
	if postal.MatchString(name) || postal.MatchString(c.Row) || code.MatchString(name) && p.leadingZero(c, near) != "" {
		return name
	}
	return ""
}

// leadingZero returns a value of the samples that begins with a zero, "" where
// there is none.
func (p *pass) leadingZero(c *cell.Cell, path jq.Path) string {
	at, ok := p.resolve(c, path)
	if !ok {
		return ""
	}
	for _, e := range at.examples {
		if s, isText := e.value.(string); isText && zeros.MatchString(s) {
			return s
		}
	}
	return ""
}

var zeros = regexp.MustCompile(`^0[0-9]+$`)

// numericCode reports a row that makes a number of a code.
func (p *pass) numericCode(mapping string, r row) {
	if r.Type.Value != "integer" && r.Type.Value != "number" {
		return
	}
	c := p.cellOf(r.From)
	if c == nil {
		return
	}
	target := r.path[len(r.path)-1]
	for _, path := range c.JQ.Paths() {
		name, example := last(path), ""
		if code.MatchString(name) || code.MatchString(target) {
			example = p.leadingZero(c, path)
		}
		isPostal := postal.MatchString(name) || postal.MatchString(target)
		if !isPostal && example == "" {
			continue
		}
		if example == "" {
			example = "01067"
		}
		d := diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning, Span: r.Type.Span(), Kind: "mapping", Name: mapping, Row: schema.Join(r.path), Source: r.Type.Value,
			Message: fmt.Sprintf("`%s` is a code, not a number: %s becomes %s", name, example, strings.TrimLeft(example, "0")),
			Hint:    "write `type: string`", Fixes: replace(r.Type.Span(), "string")}
		p.about(d)
		return
	}
}
