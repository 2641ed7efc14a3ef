package lint

import (
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/spec"
)

// given is one value that a row writes.
type given struct {
	step   string // of pipelines: the step whose `with` has the row
	path   []string
	from   []origin
	states []string // the texts that it can be, where they are known
	at     diag.Span
	row    string
}

// origin is where a value comes from: the result of a step, or else the
// payload, at path as far as that is known.
type origin struct {
	step string
	path []string
}

// givens notes what the rows of a mapping, or the `with` of a pipeline, write.
func givens(p *pass) {
	for _, m := range p.mappings() {
		let := map[string][]origin{}
		for _, f := range m.Spec.Let {
			let[f.Key.Text] = p.origins(f.Value, let)
		}
		p.give("", m.Spec.Fields, let)
	}
	for _, pl := range p.pipelines() {
		steps(pl, func(s *compile.Step) { p.give(s.ID, s.Spec.With, nil) })
	}
}

func (p *pass) give(step string, fields spec.Fields[spec.Row], let map[string][]origin) {
	rowsOf(fields, nil, func(r row) {
		if len(r.Fields) > 0 {
			return // the rows inside it are what is written
		}
		p.result.gives = append(p.result.gives, given{step: step, path: r.value(), from: p.origins(*r.Row, let), states: p.states(r), at: r.key.Span, row: strings.Join(r.path, ".")})
	})
}

// origins returns where the value of a row comes from. A fixed value comes from
// whoever started the run.
func (p *pass) origins(r spec.Row, let map[string][]origin) []origin {
	var out []origin
	for _, s := range []spec.Cell{r.From, r.Each} {
		c := p.cellOf(s)
		if c == nil {
			continue
		}
		for _, path := range c.JQ.Paths() {
			switch names, plain := cell.Names(path); {
			case path.Var == "steps" && len(path.Segments) > 0 && path.Segments[0].Step == jq.Field:
				out = append(out, origin{step: path.Segments[0].Name})
			case path.Var == "" && c.Shape.Schema != nil && plain:
				out = append(out, origin{path: append(c.Shape.Path[:len(c.Shape.Path):len(c.Shape.Path)], names...)})
			case path.Var == "" || path.Var == "original" || path.Var == "root":
				out = append(out, origin{})
			default:
				out = append(out, let[path.Var]...)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, origin{})
	}
	return out
}

// states returns the texts that a row can give, nil where they are not known.
func (p *pass) states(r row) []string {
	if s, isText := r.Const.V.(string); isText && r.Const.Set() {
		return []string{s}
	}
	if r.Lookup.Set() {
		var out []string
		if l, column := p.lookup(r.Lookup.Value); l != nil && l.Table != nil {
			for _, v := range l.Table.Values(column) {
				if s, isText := v.(string); isText {
					out = append(out, s)
				}
			}
		}
		return out
	}
	if c := p.cellOf(r.From); c != nil {
		if text := strings.TrimSpace(c.Node.Text); literal.MatchString(text) && !strings.Contains(text, `\`) {
			return []string{strings.Trim(text, `"`)}
		}
	}
	return nil
}

// lookup finds a table by the name that a row writes, and its column.
func (p *pass) lookup(name string) (l *compile.Lookup, column string) {
	client := p.unit.Client
	if l = p.ws.LookupFor(client, name); l != nil {
		return l, ""
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return p.ws.LookupFor(client, name[:i]), name[i+1:]
	}
	return nil, ""
}
