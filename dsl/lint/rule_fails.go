package lint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// Bounds of what is tried of one mapping: its samples are examples, and who
// wants to see more runs tests.
const (
	triedValues = 10                     // documents of its samples, or rows of a table
	triedTime   = 250 * time.Millisecond // for all of them
	triedCell   = 50 * time.Millisecond  // for one cell
)

// fails runs mappings on their own samples and reports rows that fail there, and
// values that the output contract refuses (XD2107). What is wrong with a
// definition or a sample is said first: then nothing is tried.
func fails(p *pass) {
	for _, m := range p.mappings() {
		if m.Mapping == nil || len(m.Spec.Samples) == 0 || m.Spec.Input.Set() && m.Input.Broken() || p.faulty() || p.readsMore() || p.strict(m) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), triedTime)
		p.try(ctx, m)
		cancel()
	}
}

// faulty reports whether something is wrong with the definition looked at, in its
// own file or in what overrides it: it cannot be run, or would say the same in
// other words.
func (p *pass) faulty() bool { return p.unit.Said().HasErrors() || p.list.HasErrors() }

// strict reports whether the cells of a mapping run in the sandbox, which is too
// slow to start for a look at a definition.
func (p *pass) strict(m *compile.Mapping) bool {
	_, strict := p.ws.Untrusted(m.File.Path)
	return strict
}

// readsMore reports whether the definition looked at reads what is known only
// when a message comes.
func (p *pass) readsMore() bool {
	more := []string{"steps", "original", "meta", "vars"}
	for _, c := range p.unit.Cells {
		if c.JQ != nil {
			for _, path := range c.JQ.Paths() {
				if slices.Contains(more, path.Var) {
					return true
				}
			}
		}
		if c.Rule != nil {
			for _, path := range c.Rule.Paths() {
				if slices.Contains(more, path.Root) {
					return true
				}
			}
		}
	}
	return false
}

// failure is what a row does on samples.
type failure struct {
	at            diag.Span
	code          string // of the first one
	message, hint string
	sample        string
}

// try runs m on its samples. A row is reported that fails on all of them: a
// sample may show what a row is not for.
func (p *pass) try(ctx context.Context, m *compile.Mapping) {
	scope := &cell.Scope{Ctx: ctx, Time: triedCell, Steps: map[string]any{}, Meta: map[string]any{}, Run: map[string]any{
		"id": "lint", "now": p.Now.UTC().Format("2006-01-02T15:04:05.000Z"), "pipeline": "lint", "attempt": 1, "revision": p.ws.Revision, "client": m.Client}}
	var all map[string]failure // by row
	nulls := map[string]failure{}
	n := 0
	for _, name := range m.Spec.Samples {
		for _, in := range p.sample(m.File.Path, name.Value).values {
			if n++; n > triedValues {
				break
			}
			if m.Input != nil && m.Input.Schema != nil && len(m.Input.Schema.Validate(in)) > 0 {
				continue // which is said of the sample
			}
			scope.Original = in
			found, out, ok := failures(scope, m, in, name.Value)
			if !ok {
				return
			}
			nullTexts(out, "", func(path, text string) {
				row := rowAt(&m.Mapping.Object, schema.Split(positions.ReplaceAllString(path, value.Items)))
				if path = positions.ReplaceAllString(path, ""); row == nil || nulls[path].message != "" || hasText(in, "null") {
					return
				}
				nulls[path] = failure{at: row.Span, sample: name.Value, message: text}
			})
			if all == nil {
				all = found
			}
			maps.DeleteFunc(all, func(row string, _ failure) bool { _, again := found[row]; return !again })
		}
	}
	for _, row := range slices.Sorted(maps.Keys(all)) {
		f := all[row]
		if f.hint == "" {
			f.hint = "see what it gets with `crossdock try " + m.Name + "`, and mend the row or the sample"
		}
		f.message = fmt.Sprintf("the row fails on %s: %s", f.sample, f.message)
		p.rowFails(m, row, f, codeSample)
	}
	for _, row := range slices.Sorted(maps.Keys(nulls)) {
		f := nulls[row]
		f.message = fmt.Sprintf("the row makes the text `%s` of %s: what is not there becomes the word null", f.message, f.sample)
		f.hint = "write `\\(.name // \"\")` with another value, or let the row have a `when:`"
		p.rowFails(m, row, f, codeDoubtful)
	}
}

// failures are the rows that fail on one sample; false where a limit was met.
func failures(scope *cell.Scope, m *compile.Mapping, in any, sample string) (map[string]failure, any, bool) {
	found := map[string]failure{}
	note := func(row string, f failure) {
		row = positions.ReplaceAllString(row, "")
		if _, told := found[row]; !told {
			f.sample = sample
			found[row] = f
		}
	}
	out, err := m.Mapping.Apply(scope, in)
	var rows *mapping.Error
	switch {
	case errors.As(err, &rows):
		for _, e := range rows.Rows {
			if e.Code == "limit" {
				return nil, nil, false
			}
			note(e.Row, failure{at: e.Span, code: e.Code, message: e.Message, hint: e.Hint})
		}
	case err != nil:
		return nil, nil, false
	case m.Output != nil && m.Output.Schema != nil:
		for _, v := range m.Output.Schema.Validate(out) {
			row := rowAt(&m.Mapping.Object, schema.Split(positions.ReplaceAllString(v.Path, value.Items)))
			if row == nil {
				continue // what is missing altogether is said elsewhere
			}
			hint := "mend the row, or the field of " + m.Output.Name
			switch v.Code {
			case "type":
				hint = "give the row a `type:`, or mend the field of " + m.Output.Name
			case "required":
				hint = "add a `default:`, or `required: true` (a message without it goes to the dead letters then)"
			case "option":
				hint = "translate it with a `lookup:`, or add the option to " + m.Output.Name
			}
			note(v.Path, failure{at: row.Span, message: v.Message, hint: hint})
		}
	}
	return found, out, true
}

// positions are those of items in a path.
var positions = regexp.MustCompile(`\[[0-9]+\]`)

// rowAt is the row that makes the value at a path; nil where no single one does.
func rowAt(o *mapping.Object, path []string) *mapping.Row {
	path = slices.DeleteFunc(path, func(name string) bool { return name == value.Items })
	for len(path) > 0 {
		at := slices.IndexFunc(o.Fields, func(f mapping.Field) bool { return f.Name == path[0] })
		if at < 0 {
			return nil
		}
		f := o.Fields[at]
		path = path[1:]
		switch {
		case f.Row != nil && (len(path) == 0 || f.Row.Fields == nil):
			return f.Row
		case f.Row != nil:
			o = f.Row.Fields
		default:
			o = f.Nested
		}
	}
	return nil
}

// rowFails reports a row that fails on the samples, unless something else is said
// of its line.
func (p *pass) rowFails(m *compile.Mapping, name string, f failure, code diag.Code) {
	at := f.at
	rowsOf(m.Spec.Fields, nil, func(r row) {
		switch {
		case r.From.Node == nil || !f.at.Contains(r.From.Node.Span):
		case (f.code == "parse" || f.code == "type") && r.Parse.Set():
			at = r.Parse.Span()
		case f.code == "type" && r.Type.Set():
			at = r.Type.Span()
		default:
			at = r.From.Node.Range(0, len(r.From.Node.Text))
		}
	})
	if at.File == "" || slices.ContainsFunc(p.list, func(d diag.Diagnostic) bool {
		return d.Span.File == at.File && d.Span.Start.Line >= f.at.Start.Line && d.Span.Start.Line <= f.at.End.Line
	}) {
		return
	}
	p.about(diag.Diagnostic{Code: code, Severity: diag.Warning, Span: at, Kind: m.Kind, Name: m.Name, Row: name, Source: name, Message: f.message, Hint: f.hint})
}
