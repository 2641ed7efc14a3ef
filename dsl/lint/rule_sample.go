package lint

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// sampleFits reports samples that do not fit the schema of the definition that
// names them (XD2107).
func sampleFits(p *pass) {
	check := func(d compile.Definition, list []spec.Text, s *compile.Schema) {
		if s == nil || s.Schema == nil {
			return
		}
		for _, name := range list {
			doc := p.sample(d.File.Path, name.Value)
			for i, v := range doc.values {
				bad := s.Schema.Validate(v)
				if len(bad) == 0 {
					continue
				}
				which := "the sample"
				if len(doc.values) > 1 {
					which = fmt.Sprintf("record %d of the sample", i+1)
				}
				f := diag.Diagnostic{Code: codeSample, Severity: diag.Warning, Span: name.Span(), Kind: d.Kind, Name: d.Name, Source: name.Value,
					Message: fmt.Sprintf("%s does not fit %s: %s", which, s.Name, bad[0].Message),
					Hint:    "mend the sample, or the schema where the other system really sends this"}
				if n := len(bad) - 1; n > 0 {
					f.Message += fmt.Sprintf(" (and %d more)", n)
				}
				p.about(f)
				break
			}
		}
	}
	for _, m := range p.mappings() {
		check(m.Definition, m.Spec.Samples, m.Input)
	}
	for _, pl := range p.pipelines() {
		check(pl.Definition, pl.Spec.Samples, pl.Accept)
	}
}

// tells are names of fields that say what an item of a list is.
var tells = regexp.MustCompile(`(?i)^(role|type|kind|qualifier|function|usage|purpose|partner_?function|address_?type|(entity_?)?id_?code)$`)

// firstOfMany reports cells that take the first item of a list whose items say
// themselves what they are (XD2108).
func firstOfMany(p *pass) {
	for _, c := range p.sortedCells() {
		if c.JQ == nil {
			continue
		}
		for _, path := range c.JQ.Paths() {
			for i, seg := range path.Segments {
				if seg.Step == jq.Index && seg.N == 0 && i > 0 && path.Segments[i-1].Step == jq.Field && i+1 < len(path.Segments) {
					p.firstItem(c, path, i)
				}
			}
		}
	}
}

// firstItem looks at segment i of a path, which takes the first item.
func (p *pass) firstItem(c *cell.Cell, path jq.Path, i int) {
	if sorted := strings.TrimSpace(c.Node.Text[:path.Segments[i].From]); strings.Contains(sorted, "sort") || strings.Contains(sorted, "select") {
		return
	}
	whole := path
	path.Segments = path.Segments[:i:i]
	at, ok := p.resolve(c, path)
	if !ok {
		return
	}
	items, v, _ := at.next(segment{name: value.Items})
	if v != exists {
		return
	}
	name, seen := items.tell(at)
	if name == "" || len(whole.Segments) > i+1 && whole.Segments[i+1].Name == name {
		return
	}
	list := path.Segments[i-1].Name
	example := `"` + "..." + `"`
	d := diag.Diagnostic{Code: codeFirst, Severity: diag.Warning, Message: fmt.Sprintf("`%s[0]` takes whichever comes first, and the items differ by `%s`", list, name)}
	if len(seen) > 0 {
		d.Message += ": " + listed(seen, 5)
		example = `"` + seen[0] + `"`
	}
	before := strings.TrimSpace(c.Node.Text[path.Segments[0].From:path.Segments[i-1].To])
	if path.Var != "" {
		before = "$" + path.Var + "." + strings.TrimPrefix(before, ".")
	} else if !strings.HasPrefix(before, ".") {
		before = "." + before
	}
	d.Hint = fmt.Sprintf("choose by it: `first(%s[]? | select(.%s == %s))`", before, name, example)
	seg := whole.Segments[i]
	p.inCell(c, seg.From, seg.To, d)
}

// tell returns the field that says what an item is, and its values; "" where the
// samples never have two items, or nothing tells them apart.
func (items place) tell(list place) (name string, seen []string) {
	several := len(list.examples) == 0
	for _, e := range list.examples {
		if l, isList := e.value.([]any); isList && len(l) > 1 {
			several = true
		}
	}
	if !several {
		return "", nil
	}
	names, _, _ := items.names()
	for _, n := range names {
		if !tells.MatchString(n) {
			continue
		}
		for _, e := range below(items.examples, n) {
			if s, isText := e.value.(string); isText && !slices.Contains(seen, s) {
				seen = append(seen, s)
			}
		}
		if items.shape.Known() && items.shape.Fields[n] != nil && len(seen) == 0 {
			seen = items.shape.Fields[n].Options
		}
		if len(seen) > 1 {
			sort.Strings(seen)
			return n, seen
		}
		seen = nil
	}
	return "", nil
}
