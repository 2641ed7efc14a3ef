package lint

import (
	"regexp"
	"strconv"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
)

// deadRules reports rules that can never match (XD3102).
func deadRules(p *pass) {
	for _, pl := range p.pipelines() {
		p.neverTrue(pl, pl.When, pl.Spec.When, "when", "every message ends here, filtered")
		steps(pl, func(s *compile.Step) {
			if s.Action == compile.ActWhen {
				p.neverTrue(pl, s.When, s.Spec.When, s.ID, "every run ends here, filtered")
			}
			if s.Route != nil {
				p.routeRules(pl, s)
			}
		})
	}
	for _, m := range p.mappings() {
		rowsOf(m.Spec.Fields, nil, func(r row) {
			c := p.cells[r.When.Node]
			if !r.When.Set() || c == nil || c.Rule == nil || byCount(c.Rule) {
				return
			}
			d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: c.Node.Span, Kind: "mapping", Name: m.Name, Row: c.Row, Lang: "expr", Source: c.Node.Text}
			switch c.Rule.Truth() {
			case rule.Never:
				d.Message, d.Hint = "this is never true, so the row is always left out"+because(c.Rule), "remove the row, or mend the condition"
				p.about(d)
			case rule.Always:
				p.alwaysByClash(c.Rule, d)
			}
		})
	}
}

func (p *pass) neverTrue(pl *compile.Pipeline, program *rule.Program, c spec.Cell, where, so string) {
	if program == nil || byCount(program) {
		return
	}
	d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: c.Node.Span, Kind: "pipeline", Name: pl.Name, Row: where, Lang: "expr", Source: c.Node.Text}
	switch program.Truth() {
	case rule.Never:
		d.Message, d.Hint = "this is never true: "+so+because(program), "mend the condition"
		p.about(d)
	case rule.Always:
		p.alwaysByClash(program, d)
	}
}

// because names the conditions that exclude each other, where they do.
func because(r *rule.Program) string {
	first, second := r.Clash()
	if first == "" {
		return ""
	}
	return " (`" + first + "` and `" + second + "` exclude each other)"
}

func clashes(r *rule.Program) bool {
	first, _ := r.Clash()
	return first != ""
}

// alwaysByClash reports a condition that holds whatever comes, although it
// compares something: `x != "A" or x != "B"`.
func (p *pass) alwaysByClash(r *rule.Program, d diag.Diagnostic) {
	if first, second := r.Clash(); first != "" {
		d.Message = "this is always true: one of `" + first + "` and `" + second + "` holds whatever comes"
		d.Hint = "join them with `and` if neither may be, or remove the condition"
		p.about(d)
	}
}

// routeRules looks at the rules of one route in order.
func (p *pass) routeRules(pl *compile.Pipeline, s *compile.Step) {
	var always *spec.Rule
	var told *diag.Diagnostic // of the rules behind it
	defer func() {
		if told != nil {
			p.about(*told)
		}
	}()
	taken := map[string]*spec.Rule{} // what earlier rules take, by condition
	for i, r := range s.Route.Rules {
		written := &s.Spec.Route.Rules[i]
		if r.When == nil || byCount(r.When) {
			continue
		}
		d := diag.Diagnostic{Code: codeDead, Severity: diag.Warning, Span: written.Name.Span(), Kind: "pipeline", Name: pl.Name, Row: "rule " + r.Name, Source: written.Name.Value}
		switch {
		case r.When.Truth() == rule.Never:
			d.Span, d.Lang, d.Source = written.When.Node.Span, "expr", written.When.Node.Text
			d.Message, d.Hint = "this rule can never match: its condition is never true"+because(r.When), "remove the rule, or mend the condition"
			p.about(d)
			continue
		case r.When.Truth() == rule.Always && clashes(r.When):
			d.Span, d.Lang, d.Source = written.When.Node.Span, "expr", written.When.Node.Text
			p.alwaysByClash(r.When, d)
			continue
		case s.Route.Every, s.Spec.Route.Pick.Value != "first": // what is meant then is said elsewhere
			continue
		case always != nil:
			if told != nil {
				told.Related = append(told.Related, diag.Related{Span: d.Span, Message: "nor can this one"})
				continue
			}
			d.Related = []diag.Related{{Span: d.Span, Message: "this rule can never match"}}
			d.Span, d.Row, d.Lang, d.Source = always.When.Node.Span, "rule "+always.Name.Value, "expr", always.When.Node.Text
			d.Message = "rule `" + always.Name.Value + "` matches everything, so no rule behind it ever does"
			d.Hint = "give it a condition, or move it to the end, or to `otherwise`"
			told = &d
			continue
		case r.When.Truth() == rule.Always:
			always = written
			continue
		}
		cases := caseList(r.When.Source())
		earlier := covered(cases, taken)
		for j := 0; j < i && earlier == nil; j++ {
			if front := s.Route.Rules[j].When; front != nil && front.Truth() == rule.Varies && r.When.Within(front) {
				earlier = &s.Spec.Route.Rules[j]
			}
		}
		if earlier != nil {
			d.Message = "this rule can never match: rule `" + earlier.Name.Value + "` in front of it takes the same messages"
			d.Hint = "remove one of them, or make the one in front stricter"
			d.Related = []diag.Related{{Span: earlier.When.Node.Span, Message: "the rule in front"}}
			p.about(d)
			continue
		}
		for _, c := range cases {
			taken[c] = written
		}
	}
}

// covered returns the last of the rules that together take all cases before,
// nil where one case is left.
func covered(cases []string, taken map[string]*spec.Rule) *spec.Rule {
	var by *spec.Rule
	for _, c := range cases {
		if by = taken[c]; by == nil {
			return nil
		}
	}
	return by
}

var (
	equals = regexp.MustCompile(`^(data(?:\??\.[A-Za-z_]\w*)+) == ("(?:[^"\\]|\\.)*"|'[^'\\]*')$`)
	oneOf  = regexp.MustCompile(`^(data(?:\??\.[A-Za-z_]\w*)+) in \[((?:\s*(?:"(?:[^"\\]|\\.)*"|'[^'\\]*')\s*,?)*)\]$`)
	quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^'\\]*'`)
	blanks = regexp.MustCompile(`\s+`)
)

// caseList takes a condition apart into cases, of which one has to hold. What
// is more than a comparison with texts is one case.
func caseList(src string) []string {
	src = blanks.ReplaceAllString(strings.TrimSpace(src), " ")
	for strings.HasPrefix(src, "(") && strings.HasSuffix(src, ")") && !strings.ContainsAny(src[1:len(src)-1], "()") {
		src = strings.TrimSpace(src[1 : len(src)-1])
	}
	if m := equals.FindStringSubmatch(src); m != nil {
		return []string{m[1] + " = " + unquote(m[2])}
	}
	if m := oneOf.FindStringSubmatch(src); m != nil {
		var out []string
		for _, q := range quoted.FindAllString(m[2], -1) {
			out = append(out, m[1]+" = "+unquote(q))
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{src}
}

func unquote(q string) string {
	if s, err := strconv.Unquote(q); err == nil {
		return s
	}
	return strings.Trim(q, "'")
}
