package lint

import (
	"encoding/json"
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/lookup"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// made compares what a row certainly makes with what the schema says.
func (p *pass) made(t table, r row) {
	want := shapeAt(t.out.Schema, r.value())
	if want == nil || r.converts() {
		return
	}
	at, what, ok := p.makes(r, want)
	if !ok {
		return
	}
	wanted := groupOf(want.Type)
	if wanted == anything || what.group == anything || what.group == wanted {
		return
	}
	d := diag.Diagnostic{Code: codeTarget, Span: at.Span, Kind: t.kind, Name: t.name, Row: rowName(t, r), Source: at.Text,
		Message: schema.Join(r.value()) + " is " + kind(want) + " in " + t.out.Name + ", but this row makes " + groupWords[what.group]}
	switch {
	case what.constant && wanted == text && at.Kind == ast.Scalar:
		d.Hint = "write it in quotes: \"" + at.Text + "\""
		d.Fixes = replace(at.Span, `"`+at.Text+`"`)
	case what.constant:
		d.Hint = "write " + groupWords[wanted]
		if wanted == number && numeral.MatchString(at.Text) {
			d.Hint, d.Fixes = "write it without quotes: "+at.Text, replace(at.Span, at.Text)
		}
	case wanted == list:
		d.Hint = "write `each:` instead of `from:`"
	case wanted == record || what.group == list || what.group == record:
		d.Hint = "select the value that is meant"
	default:
		d.Hint = "add `type: " + want.Type.String() + "`"
		if wanted == number {
			if options, _ := p.asWritten(r.Row, want.Type); options != "" {
				d.Hint = "add `" + options + "`"
			}
		}
	}
	p.about(d)
}

var numeral = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// product is what a row makes.
type product struct {
	group    group
	constant bool
}

// makes infers what a row makes, where that is certain, and from which part of
// it.
func (p *pass) makes(r row, want *value.Shape) (at *ast.Node, what product, ok bool) {
	if r.Default.Set() && r.Default.V != nil && groupOfValue(r.Default.V) != groupOf(want.Type) && groupOf(want.Type) != anything {
		return r.Default.Node, product{groupOfValue(r.Default.V), true}, true
	}
	switch {
	case r.Const.Set():
		what = product{groupOfValue(r.Const.V), true}
		if n, isNumber := r.Const.V.(json.Number); isNumber && want.Type.Base == value.Integer && strings.ContainsAny(string(n), ".eE") {
			return nil, product{}, false // the schema says so when it is checked
		}
		return r.Const.Node, what, true
	case r.Lookup.Set():
		return p.lookedUp(r)
	}
	c := p.cellOf(r.From)
	if c == nil || len(r.Fields) > 0 {
		return nil, product{}, false
	}
	if literal.MatchString(strings.TrimSpace(c.Node.Text)) {
		return c.Node, product{group: text}, true
	}
	if step, known := p.selected(c); known {
		return c.Node, product{group: groupOf(step.Shape.Type)}, true
	}
	return nil, product{}, false
}

// literal is a cell that is one text, with or without interpolation.
var literal = regexp.MustCompile(`^"([^"\\]|\\[^(]|\\\([^"()]*\))*"$`)

// lookedUp infers what a lookup gives: the kind that all its values share.
func (p *pass) lookedUp(r row) (*ast.Node, product, bool) {
	l, column := p.lookup(r.Lookup.Value)
	if l == nil || l.Table == nil || l.Table.OnMiss == lookup.Pass || column == "" && len(l.Table.Columns) > 0 {
		return nil, product{}, false
	}
	g := anything
	for i, v := range l.Table.Values(column) {
		if got := groupOfValue(v); i == 0 {
			g = got
		} else if got != g {
			return nil, product{}, false
		}
	}
	return r.Lookup.Node, product{group: g}, g != anything
}
