package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
)

// open are the cells whose values are shown and kept as they are: in history,
// traces, queues and alerts, where nothing is masked.
var open = map[string]string{
	"key":      "idempotency keys are kept and shown as they are",
	"order_by": "what messages are ordered by is kept and shown as it is",
	"trace_by": "numbers to look for are kept and shown as they are",
}

// personal reports personal data where it is not masked, and rows behind which
// it would not be any more (XD1203).
func personal(p *pass) {
	for _, c := range p.sortedCells() {
		why, isOpen := open[c.Role]
		if c.Kind != "pipeline" || !isOpen || c.JQ == nil {
			continue
		}
		for _, r := range p.reads(c) {
			if path, ok := r.personal(); ok {
				last := r.segments[len(r.segments)-1]
				p.inCell(c, r.segments[0].from, last.to, diag.Diagnostic{Code: codePersonal,
					Message: fmt.Sprintf("`%s` of %s is personal data, and %s", path, r.start.label, why),
					Hint:    "use a number of the business instead, such as an order or customer number"})
			}
		}
	}
	p.personalShown()
	for _, t := range p.tables() {
		if t.out.Std || t.out.Spec.JSONSchema.Set() || t.out.Schema == nil {
			continue // nothing can be said there
		}
		rowsOf(t.fields, nil, func(r row) { p.unmasked(t, r) })
	}
}

// personalShown reports personal data in what people read who need not know it,
// names of files and the log, and notes what operations are told of it.
func (p *pass) personalShown() {
	for _, pl := range p.pipelines() {
		steps(pl, func(s *compile.Step) {
			op := p.ws.Operation(s.Target)
			if op == nil || p.ws.Connections[op.Connection] == nil {
				return
			}
			kind := p.ws.Connections[op.Connection].Type
			for _, f := range s.Spec.With {
				c := p.cellOf(f.Value.From)
				if c == nil || kind == "file" && !op.Binds(f.Key.Text) || !carries(c) {
					continue
				}
				for _, r := range p.reads(c) {
					if path, ok := r.personal(); ok {
						p.shows(c, r, path, op, kind)
					}
				}
			}
		})
	}
}

// shows reports or notes that an operation is told personal data.
func (p *pass) shows(c *cell.Cell, r read, path string, op *compile.Operation, kind string) {
	from, to := r.segments[0].from, r.segments[len(r.segments)-1].to
	d := diag.Diagnostic{Code: codePersonal, Message: fmt.Sprintf("`%s` of %s is personal data", path, r.start.label)}
	switch kind {
	case "file":
		d.Message, d.Hint = d.Message+", and whoever sees the folder reads the name of a file", "name the file by a number of the business instead"
	case "log":
		d.Message, d.Hint = d.Message+", and the log masks nothing", "write a number of the business instead, such as an order or customer number"
	default:
		d.Span, d.Source, d.Kind, d.Name, d.Row, d.Lang = c.Node.Range(from, to), c.Node.Text, c.Kind, c.Name, c.Row, "jq"
		p.result.told = append(p.result.told, telling{op.Ref(), d})
		return
	}
	p.inCell(c, from, to, d)
}

// telling is personal data that an operation is told.
type telling struct {
	operation string
	finding   diag.Diagnostic // if it should not be
}

// alerted reports personal data that goes where alerts go (XD1203).
func alerted(p *pass) {
	for _, name := range sortedKeys(p.ws.Alerts) {
		for _, s := range p.ws.Alerts[name].Pipeline.ByID {
			for _, u := range p.ws.Units {
				for _, t := range p.judged[u].told {
					if t.operation != s.Target {
						continue
					}
					d := t.finding
					d.Message += fmt.Sprintf(", and %s is where the alerts for `%s` go", t.operation, name)
					d.Hint = "write a number of the business instead: `crossdock trace` finds the rest by it"
					p.about(d)
				}
			}
		}
	}
}

// personal reports whether a read leads to personal data, and where.
func (r read) personal() (path string, ok bool) {
	if r.start.schema == nil || len(r.segments) == 0 {
		return "", false
	}
	names := slices.Clone(r.start.path)
	for _, s := range r.segments {
		if s.dynamic {
			return "", false
		}
		names = append(names, s.name)
	}
	f, known := r.start.schema.Lookup(names)
	return schema.Join(names), known && f.PII
}

// unmasked reports a row that copies personal data into a field that is not
// marked as such.
func (p *pass) unmasked(t table, r row) {
	c := p.cellOf(r.From)
	if c == nil || r.Lookup.Set() || len(r.Fields) > 0 || !carries(c) {
		return
	}
	want, known := t.out.Schema.Lookup(r.value())
	if !known || want.PII || !want.Shape.Known() || groupOf(want.Shape.Type) != text {
		return
	}
	for _, from := range p.reads(c) {
		path, ok := from.personal()
		if !ok {
			continue
		}
		d := diag.Diagnostic{Code: codePersonal, Severity: diag.Warning, Span: c.Node.Span, Kind: t.kind, Name: t.name, Row: rowName(t, r), Lang: "jq", Source: c.Node.Text,
			Message: fmt.Sprintf("`%s` of %s is personal data, but `%s` of %s is not marked so: it is not masked from here on", path, from.start.label, want.Path, t.out.Name),
			Hint:    "add `pii: true` to `" + want.Path + "` of " + t.out.Name}
		if span, ok := t.out.Schema.Span(r.value()); ok {
			d.Related = []diag.Related{{Span: span, Message: "this field"}}
		}
		p.about(d)
		return
	}
}

// asks are what makes something else of a value than a part of it.
var asks = regexp.MustCompile(`==|!=|[<>]|\b(if|select|length|test|has|any|all|startswith|endswith|index|contains|lookup)\b`)

// carries reports whether what a cell reads is in what it gives.
func carries(c *cell.Cell) bool {
	src := strings.TrimSpace(c.Node.Text)
	return c.JQ.PassesOn() || !asks.MatchString(src) && (strings.HasPrefix(src, ".") || strings.HasPrefix(src, "$") || strings.HasPrefix(src, `"`) || strings.HasPrefix(src, "["))
}
