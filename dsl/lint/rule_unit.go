package lint

import (
	"fmt"
	"regexp"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/unit"
)

// unitOf reports rows whose names and units say different things (XD2104): a
// target in kg that is given g.
func (p *pass) unitOf(mapping string, r row) {
	c := p.cellOf(r.From)
	if c == nil || !c.JQ.PassesOn() || len(r.Fields) > 0 || r.Lookup.Set() {
		return
	}
	paths := c.JQ.Paths()
	if len(paths) != 1 {
		return
	}
	made, asked := unitIn(r.path[len(r.path)-1]), unitIn(last(paths[0]))
	d := diag.Diagnostic{Code: codeDoubtful, Severity: diag.Warning, Kind: "mapping", Name: mapping, Row: schema.Join(r.path)}
	from, to, converts := strings.Cut(r.Unit.Value, "->")
	switch {
	case !converts && !r.Unit.Set() && differ(made, asked):
		d.Span, d.Lang, d.Source = c.Node.Span, "jq", c.Node.Text
		d.Message = fmt.Sprintf("`%s` is in %s and `%s` in %s", last(paths[0]), asked.Name, r.path[len(r.path)-1], made.Name)
		d.Hint = fmt.Sprintf("add `unit: %s -> %s`", asked.Name, made.Name)
	case converts && (differ(made, find(to)) || differ(asked, find(from))):
		d.Span, d.Source = r.Unit.Span(), r.Unit.Value
		d.Message = fmt.Sprintf("this makes %s, and `%s` is in %s", find(to).Name, r.path[len(r.path)-1], made.Name)
		if !differ(made, find(to)) {
			d.Message = fmt.Sprintf("this reads %s, and `%s` is in %s", find(from).Name, last(paths[0]), asked.Name)
		}
		right := strings.TrimSpace(from) + " -> " + made.Name
		switch {
		case asked.Name != "" && made.Name != "":
			right = asked.Name + " -> " + made.Name
		case made.Name == "":
			right = asked.Name + " -> " + strings.TrimSpace(to)
		case find(from).Name == made.Name: // the other way round
			right = find(to).Name + " -> " + made.Name
		}
		if from, to, _ := strings.Cut(right, " -> "); from == to {
			d.Hint = "remove `unit`: there is nothing to convert"
			break
		}
		d.Hint, d.Fixes = "write `"+right+"`", replace(r.Unit.Span(), right)
	default:
		return
	}
	p.about(d)
}

// differ reports whether two units measure the same in another size.
func differ(a, b unit.Unit) bool {
	return a.Name != "" && a.Dimension == b.Dimension && a.Name != b.Name
}

// find is the unit of a name, the zero value where there is none.
func find(name string) unit.Unit {
	u, _ := unit.Find(name)
	return u
}

// words of a name: weight_kg, weightKg, weight-kg.
var nameWords = regexp.MustCompile(`[A-Z]?[a-z0-9]+|[A-Z]+`)

// unitIn is the unit that the last word of a name says; the zero value where it
// says none. A name that is nothing but a short unit says none.
func unitIn(name string) unit.Unit {
	words := nameWords.FindAllString(name, -1)
	if len(words) == 0 {
		return unit.Unit{}
	}
	word := strings.ToLower(words[len(words)-1])
	if full := unit.Word(word); full != "" && full != "t" { // ton may be one of three
		return find(full)
	}
	if len(words) < 2 || word == "in" || word == "t" || word == "f" || word == "k" || word == "c" {
		return unit.Unit{} // check_in, plan_t
	}
	return find(word)
}
