package lint

import (
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// picks reports fields that an operation takes by their names, such as the columns
// of a CSV file, and that no step which sends to it gives (XD2102).
func picks(p *pass) {
	senders := map[*compile.Operation][]*compile.Step{}
	for _, pl := range p.pipelines() {
		for _, s := range effects(pl) {
			if op := p.ws.Operation(s.Target); op != nil && s.Action != compile.ActEmit && len(op.Picks()) > 0 {
				senders[op] = append(senders[op], s)
			}
		}
	}
	for _, name := range sortedKeys(p.ws.Connections) {
		c := p.ws.Connections[name]
		for _, of := range sortedKeys(c.Operations) {
			if op := c.Operations[of]; len(senders[op]) > 0 && own(c.File.Path) {
				p.picked(c, op, senders[op])
			}
		}
	}
}

// picked looks at the fields of one operation. Nothing is said where the payload of
// some step is not known.
func (p *pass) picked(c *compile.Connection, op *compile.Operation, senders []*compile.Step) {
	given, shown := []string{}, false
	for _, s := range senders {
		names, byExample, known := p.sent(op, s)
		if !known {
			return
		}
		given, shown = append(given, names...), shown || byExample
	}
	var columns []string
	for _, t := range op.Picks() {
		columns = append(columns, t.Value)
	}
	var spare []string // what is given and not taken
	for _, name := range given {
		if !slices.Contains(columns, name) && !slices.Contains(spare, name) {
			spare = append(spare, name)
		}
	}
	slices.Sort(spare)
	for _, t := range op.Picks() {
		if slices.Contains(given, t.Value) {
			continue
		}
		d := diag.Diagnostic{Code: codeTarget, Span: t.Span(), Kind: "connection", Name: c.Name, Row: op.Name, Source: t.Value,
			Message: "`" + t.Value + "` is always empty: nothing that is sent to " + op.Ref() + " has it",
			Hint:    "add it to what is sent, or remove it here",
			Related: []diag.Related{{Span: target(senders[0]).Span(), Message: "it is sent here"}}}
		if shown {
			d.Severity = diag.Warning
		}
		switch near := diag.Nearest(t.Value, spare); {
		case len(several(t.Value, given)) > 1:
			d.Message = "`" + t.Value + "` is one name, and nothing that is sent to " + op.Ref() + " is called so"
			d.Hint, spare = "write ["+strings.Join(several(t.Value, given), ", ")+"]", nil
		case op.Binds(t.Value) && gives(senders, t.Value):
			d.Hint = "what `with` gives for {" + t.Value + "} only fills the placeholder: give the column another name, and add it to `with` too"
		case len(near) > 0:
			d.Short, d.Fixes = "did you mean `"+near[0]+"`?", replace(t.Span(), near[0])
		case len(spare) == 1:
			d.Short = "did you mean `" + spare[0] + "`?"
		}
		if len(spare) > 1 || len(spare) == 1 && d.Short == "" {
			d.Hint += "; sent and not written: " + listed(spare, 20)
		}
		p.about(d)
	}
}

// several are the names that stand in one text, as people write them who know
// lists with commas or semicolons, if all of them are known.
func several(text string, known []string) []string {
	names := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",;| ", r) })
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil
		}
	}
	return names
}

// sent returns the names of the payload that a step sends.
func (p *pass) sent(op *compile.Operation, s *compile.Step) (names []string, byExample, known bool) {
	for _, row := range s.Spec.With {
		if name, _, _ := strings.Cut(row.Key.Text, "."); !op.Binds(row.Key.Text) {
			names = append(names, name)
		}
	}
	shape := s.Shape
	switch {
	case s.Spec.Map.Set():
		m := p.ws.Mappings[mapOf(s)]
		if m == nil {
			return nil, false, false
		}
		shape = m.Makes()
	case len(s.Spec.With) > 0:
		return names, false, true
	}
	at := p.start(shape, "")
	below, _, listed := at.names()
	if at.shape != nil && at.shape.Open {
		return nil, false, false
	}
	return append(names, below...), !listed, len(below) > 0
}

// mapOf is the full name of the mapping of a step.
func mapOf(s *compile.Step) string {
	if s.Map == nil {
		return ""
	}
	return s.Map.Name
}

// gives reports whether a step gives a value of that name with `with`.
func gives(senders []*compile.Step, name string) bool {
	return slices.ContainsFunc(senders, func(s *compile.Step) bool {
		return slices.ContainsFunc(s.Spec.With, func(f spec.Field[spec.Row]) bool { return f.Key.Text == name })
	})
}
