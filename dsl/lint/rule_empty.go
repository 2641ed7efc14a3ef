package lint

import (
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
)

// mayBeEmpty reports whether a row sometimes gives nothing, as far as that is
// certain: it has a condition, or what it selects is optional.
func (l *loss) mayBeEmpty(r *row) bool {
	switch {
	case r.Required:
		return false
	case r.When.Set():
		return true
	case r.Default.Set() && r.Default.V != nil, r.Const.Set(), r.Each.Set(), len(r.Fields) > 0:
		return false
	}
	c := l.p.cellOf(r.From)
	if c == nil {
		return false
	}
	if filtered(c) {
		return true
	}
	step, ok := l.p.selected(c)
	return ok && step.Optional
}

// without returns a sample that has nothing at the place that a row reads, which
// other samples have; "" where none is like that, or a contract says what comes
// in.
func (l *loss) without(r *row) string {
	if l.m.Spec.Input.Set() || r.Required || r.When.Set() || r.Default.Set() || r.Const.Set() || r.Each.Set() || len(r.Fields) > 0 {
		return ""
	}
	c := l.p.cellOf(r.From)
	if c == nil || !onePlace.MatchString(strings.TrimSpace(c.Node.Text)) {
		return ""
	}
	at := c.Result(c.JQ)
	if at.Examples == nil || len(at.Path) == 0 {
		return ""
	}
	last := at.Path[len(at.Path)-1]
	at.Path = at.Path[:len(at.Path)-1]
	lacks, had := "", false
	for _, e := range l.p.examples(at) {
		object, ok := e.value.(map[string]any)
		switch {
		case !ok:
		case object[last] != nil:
			had = true
		case lacks == "":
			lacks = e.file
		}
	}
	if !had {
		return "" // it is told as a place that no sample has
	}
	return lacks
}

// onePlace is a path of jq and nothing else.
var onePlace = regexp.MustCompile(`^(\.|\$\w+\.)(\w+|"[^"]*"|\[\d+\]|\.)*$`)

// unsaid warns of a required field that a payload like a sample would lose: what
// a mapping makes is not held against its output when it runs.
func (l *loss) unsaid(r row, path []string, sample string) {
	name := schema.Join(path)
	d := diag.Diagnostic{Code: codeLost, Severity: diag.Warning, Kind: "mapping", Name: l.m.Name, Row: name, Span: r.From.Node.Span, Source: r.From.Node.Text, Lang: "jq",
		Message: l.m.Output.Name + " requires `" + name + "`, and " + sample + " has nothing at `" + strings.TrimSpace(r.From.Node.Text) + "`",
		Hint:    "add `required: true` (a message without it goes to the dead letters then), or a `default:`"}
	if fix, ok := requiring(r); ok {
		d.Fixes = []diag.Fix{fix}
	}
	before := len(l.p.list)
	l.p.about(d)
	l.voidIfGiven(before, path)
}

// filtered reports whether a cell ends with a filter that may let nothing pass.
func filtered(c *cell.Cell) bool { return endsInSelect.MatchString(strings.TrimSpace(c.Node.Text)) }

// endsInSelect is a path behind which select stands and nothing else.
var endsInSelect = regexp.MustCompile(`^\$?[\w.]+\s*\|\s*select\(.*\)$`)

// always reports whether a row certainly gives something.
func (l *loss) always(r *row) bool {
	if r.Const.Set() || r.Required || r.Default.Set() && r.Default.V != nil {
		return true
	}
	c := l.p.cellOf(r.From)
	if c == nil || r.Each.Set() {
		return false
	}
	step, ok := l.p.selected(c)
	return ok && !step.Optional
}

func (l *loss) empty(r row, path []string) {
	name := schema.Join(path)
	d := diag.Diagnostic{Code: codeLost, Kind: "mapping", Name: l.m.Name, Row: name}
	if r.When.Set() {
		d.Span, d.Source = r.When.Node.Span, r.When.Node.Text
		d.Message = l.m.Output.Name + " requires `" + name + "`, but this row is left out where `when` is false"
		d.Hint = "remove `when`, or make the field optional in the schema"
	} else {
		d.Span, d.Source, d.Lang = r.From.Node.Span, r.From.Node.Text, "jq"
		d.Message = l.m.Output.Name + " requires `" + name + "`, but `" + strings.TrimSpace(r.From.Node.Text) + "` may be missing"
		d.Hint = "add `required: true` (the message goes to the dead letters then) or a `default:`"
		if fix, ok := requiring(r); ok {
			d.Fixes = []diag.Fix{fix}
		}
	}
	before := len(l.p.list)
	l.p.about(d)
	l.voidIfGiven(before, path)
}

// requiring is the fix that makes a row required.
func requiring(r row) (diag.Fix, bool) {
	n := r.From.Node
	switch {
	case n.Style != ast.Plain:
	case r.Short && !strings.ContainsAny(n.Text, "{}[],?#:"):
		return diag.Fix{Title: "require it", Edits: []diag.Edit{{Span: n.Span, Text: "{from: " + n.Text + ", required: true}"}}}, true
	case !r.Short && r.Node.Flow:
		end := diag.Span{File: n.Span.File, Start: n.Span.End, End: n.Span.End}
		return diag.Fix{Title: "require it", Edits: []diag.Edit{{Span: end, Text: ", required: true"}}}, true
	}
	return diag.Fix{}, false
}
