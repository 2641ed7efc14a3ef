package catalogue

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/lineage"
	"crossdock/dsl/lookup"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
	"crossdock/runtime/message"
)

// Field is one line of a mapping sheet.
type Field struct {
	Target   string // path of the target: lines[].sku
	Type     string
	Required bool
	Sources  []string // paths of the source whose values it takes
	Rule     string   // in plain words
	Cell     string   // as written, where the words are not the whole truth
	Lookup   string
	Default  string
	Convert  string // units, patterns and zones of dates, lengths
	Example  string // made from the first sample
	Note     string
	Personal bool
}

// Helper is a value that rows share.
type Helper struct {
	Name, Rule, Cell string
	Sources          []string
}

// Sheet is a mapping, field by field.
type Sheet struct {
	Name, Description string
	Input, Output     string // schemas, "" where none is named
	Sample            string // file the examples were made from
	Fields            []Field
	Helpers           []Helper
	Never             []string // target fields that this source cannot provide
	Unfilled          []string // target fields that no row fills
	Program           string   // file with a whole program instead of rows
	Pipelines         []string // that use it
}

// sheet describes one mapping.
func (c *Catalogue) sheet(m *compile.Mapping) Sheet {
	s := Sheet{Name: plainName(m.Name), Description: m.Spec.Description.Value, Program: m.Spec.Program.Value}
	if m.Input != nil {
		s.Input = m.Input.Name
	}
	if m.Output != nil {
		s.Output = m.Output.Name
	}
	made, file := c.example(m)
	s.Sample = file
	for _, l := range m.Spec.Let {
		words, cell := ruleWords(l.Value)
		s.Helpers = append(s.Helpers, Helper{Name: l.Key.Text, Rule: words, Cell: cell,
			Sources: c.sources(c.graph.Stage(lineage.Let, m.Name, l.Key.Text), nil)})
	}
	c.rows(m, &s, m.Spec.Fields, nil, made)
	for _, n := range m.Spec.CannotProvide {
		s.Never = append(s.Never, n.Value)
	}
	if m.Output != nil && s.Program == "" {
		s.Unfilled = unfilled(m.Output, s.Fields, s.Never)
	}
	for _, p := range c.pipelines {
		if slices.ContainsFunc(stepsOf(p), func(st *compile.Step) bool { return c.mapping(st) == m }) {
			s.Pipelines = append(s.Pipelines, p.Name)
		}
	}
	return s
}

// rows adds one line per row below prefix. made is the value that the sample
// gave there.
func (c *Catalogue) rows(m *compile.Mapping, s *Sheet, rows spec.Fields[spec.Row], prefix []string, made any) {
	for _, r := range rows {
		names := strings.Split(r.Key.Text, ".")
		path := append(slices.Clone(prefix), names...)
		got := dig(made, names)
		f := c.field(m, path, r.Value)
		list := r.Value.Each.Set()
		if !f.Personal && len(r.Value.Fields) == 0 {
			f.Example = short(got)
		}
		if f.Personal && got != nil {
			f.Example = "(personal data)"
		}
		s.Fields = append(s.Fields, f)
		below := path
		if list {
			below = append(slices.Clone(path), value.Items)
			if items, ok := got.([]any); ok && len(items) > 0 {
				got = items[0]
			} else {
				got = nil
			}
		}
		c.rows(m, s, r.Value.Fields, below, got)
	}
}

// field describes one row.
func (c *Catalogue) field(m *compile.Mapping, path []string, r spec.Row) Field {
	f := Field{Target: lineage.Written(path), Required: r.Required, Note: r.Note.Value, Type: r.Type.Value}
	f.Rule, f.Cell = ruleWords(r)
	if r.Const.Node == nil {
		f.Sources = nearest(c.sources(c.graph.Stage(lineage.Output, m.Name, ""), path), len(r.Fields) > 0)
	}
	if len(f.Sources) == 1 && f.Rule == f.Sources[0] {
		f.Rule = "as it is"
	}
	if r.Each.Set() && f.Type == "" {
		f.Type = "list"
	}
	if m.Output != nil {
		if known, ok := m.Output.Schema.Lookup(path); ok && known.Shape != nil {
			f.Personal = known.PII || personalBelow(m.Output, path)
			f.Required = f.Required || known.Shape.Required
			if f.Type == "" && known.Shape.Type.Base != value.Any {
				f.Type = known.Shape.Type.String()
			}
			if f.Note == "" {
				f.Note = known.Shape.Note
			}
		}
	}
	f.Personal = f.Personal || c.personal(m, path)
	f.Lookup = c.lookupWords(m, r.Lookup.Value)
	if r.Default.Node != nil {
		f.Default = text(r.Default.V)
	}
	f.Convert = convertWords(r)
	return f
}

// sources are the places of the input that a place depends on.
func (c *Catalogue) sources(stage *lineage.Stage, path []string) []string {
	if stage == nil {
		return nil
	}
	var out []string
	var visit func(n *lineage.Node, deciding bool)
	visit = func(n *lineage.Node, deciding bool) {
		if n.Via != nil && n.Via.Mode == lineage.Decides {
			deciding = true
		}
		if s := n.Place.Stage; s != nil && len(n.Children) == 0 && !deciding {
			name := ""
			switch s.Kind {
			case lineage.Input:
				name = lineage.Written(n.Place.Path)
			case lineage.Around:
				name = n.Place.String()
			}
			if name != "" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		for _, child := range n.Children {
			visit(child, deciding)
		}
	}
	visit(c.graph.Follow(lineage.Place{Stage: stage, Path: path}, lineage.Backward), false)
	return out
}

// personal reports whether a target is made of personal data.
func (c *Catalogue) personal(m *compile.Mapping, path []string) bool {
	stage := c.graph.Stage(lineage.Output, m.Name, "")
	if stage == nil {
		return false
	}
	found := false
	var visit func(n *lineage.Node)
	visit = func(n *lineage.Node) {
		if s := n.Place.Stage; s != nil && s.Kind == lineage.Input && s.PII != nil && (n.Via == nil || n.Via.Mode <= lineage.Uses) {
			found = found || s.PII(n.Place.Path) || personalBelow(m.Input, n.Place.Path)
		}
		for _, child := range n.Children {
			visit(child)
		}
	}
	visit(c.graph.Follow(lineage.Place{Stage: stage, Path: path}, lineage.Backward))
	return found
}

// personalBelow reports whether a schema knows of personal data below a path.
func personalBelow(s *compile.Schema, path []string) bool {
	if s == nil || len(path) == 0 {
		return false
	}
	at := lineage.Written(path)
	return slices.ContainsFunc(s.Schema.Fields(), func(f schema.Field) bool {
		return f.PII && (strings.HasPrefix(f.Path, at+".") || strings.HasPrefix(f.Path, at+"[]"))
	})
}

// nearest leaves out what says the same twice: of a list with rows of its own the
// fields of its items, and of a field the list around it.
func nearest(sources []string, rows bool) []string {
	below := func(a, b string) bool { return strings.HasPrefix(b, a+"[]") }
	return slices.DeleteFunc(slices.Clone(sources), func(s string) bool {
		return slices.ContainsFunc(sources, func(other string) bool {
			return other != s && (rows && below(other, s) || !rows && below(s, other))
		})
	})
}

// table finds a lookup by the name that a row gives it, with its column. Those of
// a client are found by the mappings of that client.
func (c *Catalogue) table(m *compile.Mapping, ref string) (l *compile.Lookup, column string) {
	client, _, _ := strings.Cut(m.Name, "/")
	for _, name := range []string{client + "/" + ref, ref, "std/" + ref} {
		if l := c.ws.Lookups[name]; l != nil {
			return l, ""
		}
	}
	i := strings.LastIndexByte(ref, '.')
	if i < 0 {
		return nil, ""
	}
	l, _ = c.table(m, ref[:i])
	return l, ref[i+1:]
}

// lookupWords say which table translates a value, and what an unknown code is.
func (c *Catalogue) lookupWords(m *compile.Mapping, ref string) string {
	if ref == "" {
		return ""
	}
	l, column := c.table(m, ref)
	if l == nil {
		return ref
	}
	s := "table " + plainName(l.Name)
	if column != "" {
		s += ", column " + column
	}
	return s + "; " + missWords(l.Table)
}

func missWords(t *lookup.Table) string {
	switch t.OnMiss {
	case lookup.Pass:
		return "an unknown code stays as it is"
	case lookup.Default:
		return "an unknown code takes the default of the table"
	}
	return "an unknown code stops the message"
}

// tables are the names of the lookups that a mapping reads.
func (c *Catalogue) tables(m *compile.Mapping) []string {
	var out []string
	for _, u := range c.graph.Mapping(m.Name) {
		for _, r := range u.Reads {
			if s := r.Stage; s != nil && s.Kind == lineage.Lookup && !slices.Contains(out, s.Name) {
				out = append(out, s.Name)
			}
		}
	}
	return out
}

// unfilled are the target fields that no row fills.
func unfilled(out *compile.Schema, fields []Field, never []string) []string {
	var open []string
	for _, f := range out.Schema.Fields() {
		if f.Shape != nil && len(f.Shape.Fields) > 0 {
			continue
		}
		filled := slices.ContainsFunc(fields, func(x Field) bool {
			return x.Target == f.Path || strings.HasPrefix(f.Path, x.Target+".") || strings.HasPrefix(f.Path, x.Target+"[]") && len(x.Sources) > 0 && !hasRows(fields, x.Target)
		})
		said := slices.ContainsFunc(never, func(n string) bool {
			return f.Path == n || strings.HasPrefix(f.Path, n+".") || strings.HasPrefix(f.Path, n+"[]")
		})
		if !filled && !said {
			open = append(open, f.Path)
		}
	}
	return open
}

func hasRows(fields []Field, target string) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return strings.HasPrefix(f.Target, target+"[].") })
}

// example applies a mapping to its first sample.
func (c *Catalogue) example(m *compile.Mapping) (made any, file string) {
	if c.opt.Apply == nil || c.opt.Files == nil || len(m.Spec.Samples) == 0 {
		return nil, ""
	}
	name := m.Spec.Samples[0].Value
	raw, _, err := compile.ReadBeside(c.opt.Files, c.opt.Std, m.File.Path, name)
	if err != nil {
		return nil, ""
	}
	in, err := message.Decode(raw, message.Limits{})
	if err != nil {
		return nil, ""
	}
	if made, err = c.opt.Apply(m, in); err != nil {
		return nil, ""
	}
	return made, name
}

// dig follows names into a value.
func dig(v any, names []string) any {
	for _, name := range names {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// short writes an example value.
func short(v any) string {
	const most = 60
	if v == nil {
		return ""
	}
	r := []rune(text(v))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}

// text writes a value as people do: a text without quotes, all else as JSON.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(message.Marshal(v))
}

// convertWords say how a row converts its value.
func convertWords(r spec.Row) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if r.Unit.Set() {
		from, to, _ := strings.Cut(r.Unit.Value, "->")
		add("from %s to %s", strings.TrimSpace(from), strings.TrimSpace(to))
	}
	if r.Parse.Set() {
		add("read as %s", strings.ReplaceAll(r.Parse.Value, " | ", " or "))
	}
	if from, to, moved := strings.Cut(r.Zone.Value, "->"); moved {
		add("a time without an offset is of %s; moved to %s", strings.TrimSpace(from), strings.TrimSpace(to))
	} else if r.Zone.Set() {
		add("a time without an offset is of %s", r.Zone.Value)
	}
	if r.Format.Set() {
		add("written as %s", r.Format.Value)
	}
	if digits, ok := strings.CutPrefix(r.Type.Value, "decimal("); ok {
		add("rounded to %s decimals", strings.TrimSuffix(digits, ")"))
	}
	if len(r.TrueValues) > 0 {
		var yes []string
		for _, v := range r.TrueValues {
			yes = append(yes, v.Value)
		}
		add("%s means yes, everything else no", strings.Join(yes, ", "))
	}
	if r.Trim {
		add("blanks at both ends are removed")
	}
	if r.MaxLength > 0 {
		add("at most %d characters, longer ones stop the message", r.MaxLength)
	}
	return strings.Join(parts, "; ")
}
