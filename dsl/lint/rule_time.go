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

// timeFormat reports months written as minutes and the other way round.
func (p *pass) timeFormat(c *cell.Cell, u jq.Use) {
	message, hint := "", ""
	switch {
	case strings.Contains(u.Text, "%Y-%M") || strings.Contains(u.Text, "%Y%M") || strings.Contains(u.Text, "%M-%d") || strings.Contains(u.Text, "%M/%d") || strings.Contains(u.Text, "%d.%M"):
		message, hint = "`%M` are minutes, and this looks like a month", "write `%m`"
	case strings.Contains(u.Text, "%H:%m") || strings.Contains(u.Text, "%H%m") || strings.Contains(u.Text, "%m:%S"):
		message, hint = "`%m` is the month, and this looks like minutes", "write `%M`"
	case strings.Contains(u.Text, "%G") && strings.Contains(u.Text, "%m"):
		message, hint = "`%G` is the year of the calendar week, which differs from the year around 1 January", "write `%Y`"
	default:
		return
	}
	p.inCell(c, u.From, u.To, diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning, Message: message, Hint: hint})
}

// local are times without an offset.
var local = regexp.MustCompile(`^\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)?$`)

// zoneless reports a datetime whose samples carry no offset, where the row
// names no zone.
func (p *pass) zoneless(mapping string, r row, out *schema.Schema) {
	if r.Zone.Set() || r.Parse.Set() || r.Format.Set() {
		return // patterns without a zone are refused while compiling
	}
	declared := r.Type.Value == "datetime"
	if !r.Type.Set() && out != nil {
		want := shapeAt(out, r.value())
		declared = want != nil && want.Type.Base == value.DateTime
	}
	c := p.cellOf(r.From)
	if !declared || c == nil || !c.JQ.PassesOn() {
		return // what is computed may well carry an offset
	}
	for _, path := range c.JQ.Paths() {
		at, ok := p.resolve(c, path)
		if !ok {
			continue
		}
		for _, e := range at.examples {
			s, isText := e.value.(string)
			if !isText || !local.MatchString(s) {
				continue
			}
			d := diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning, Span: c.Node.Span, Kind: "mapping", Name: mapping, Row: schema.Join(r.path), Lang: "jq", Source: c.Node.Text,
				Message: fmt.Sprintf("`%s` in %s is local time, and nothing says of which place", s, e.file), Hint: "add the `zone:` that is meant, such as zone: Europe/Berlin"}
			if !r.Type.Set() {
				d.Hint = "add `type: datetime` and the `zone:` that is meant, such as zone: Europe/Berlin"
			}
			p.about(d)
			return
		}
	}
}
