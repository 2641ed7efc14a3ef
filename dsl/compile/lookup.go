package compile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/lookup"
	"crossdock/dsl/spec"
)

// lookups builds the crosswalks.
func (b *builder) lookups() {
	units := b.compileAll("lookup", (*builder).lookup)
	for _, u := range units {
		b.ws.Lookups[u.Name] = u.Lookup
	}
	b.take(units)
	b.tableNames = sortedKeys(b.ws.Lookups)
}

func (b *builder) lookup(d *definition) {
	l := &Lookup{Definition: d.Definition, Spec: &spec.Lookup{}}
	dec := b.decoder(d)
	dec.Decode(d.node, l.Spec)
	b.nearby(d, &l.Spec.File)
	onMiss, ok := map[string]lookup.OnMiss{"error": lookup.Fail, "pass": lookup.Pass, "default": lookup.Default}[l.Spec.OnMiss.Value]
	switch {
	case ok || l.Spec.OnMiss.Set():
	case l.Spec.Default.Set():
		f := dec.Errorf(CodeLookup, d.node.Pair("default").Key.Span, "the lookup does not say that unknown codes get this default")
		f.Hint, f.Missing = "add `on_miss: default`", diag.MissingKey
	default:
		f := dec.Errorf(CodeLookup, d.head.Value.Span, "the lookup does not say what happens to an unknown code")
		f.Hint, f.Missing = "add `on_miss: error`, `on_miss: pass`, or `on_miss: default` with a `default:`", diag.MissingKey
	}
	if onMiss == lookup.Default && !l.Spec.Default.Set() {
		dec.Errorf(CodeLookup, l.Spec.OnMiss.Span(), "`on_miss: default` needs a `default:`").Hint = "add `default:` with the value for unknown codes"
	}
	l.Table = lookup.New(d.Name, onMiss, l.Spec.Default.V, l.Spec.IgnoreCase)
	switch {
	case l.Spec.File.Set() && l.Spec.Rows != nil:
		dec.Errorf(spec.CodeUnknown, l.Spec.File.Span(), "a lookup has either `rows` or `file`")
	case l.Spec.File.Set():
		b.lookupFile(dec, d, l)
	case l.Spec.Rows != nil && l.Spec.Rows.Kind != ast.Map && !l.Spec.Rows.Empty:
		dec.AsMap(l.Spec.Rows)
		if f := &b.diags[len(b.diags)-1]; f.Hint == "" {
			f.Hint = "write rows such as `01: GROUND`"
		}
	case l.Spec.Rows != nil && l.Spec.Rows.Kind == ast.Map:
		for _, p := range l.Spec.Rows.Pairs {
			if p.Value.Empty || p.Value.Kind == ast.List {
				dec.Errorf(CodeLookup, p.Key.Span, "the code `%s` has no value", p.Key.Text).Hint = "write a value, or {column: value}"
				continue
			}
			if !l.Table.Add(p.Key.Text, spec.Plain(p.Value)) {
				dec.Errorf(CodeLookup, p.Key.Span, "the code `%s` stands here twice (codes are compared without blanks around them%s)",
					p.Key.Text, map[bool]string{true: " and without case"}[l.Spec.IgnoreCase]).Hint = "remove one of the two rows"
			}
		}
	case l.Spec.Rows != nil:
		dec.Errorf(spec.CodeUnknown, l.Spec.Rows.Span, "expected rows such as `01: GROUND`, found %s", l.Spec.Rows.Kind)
	default:
		dec.Errorf(spec.CodeUnknown, d.head.Key.Span, "a lookup needs `rows` or `file`")
	}
	b.columns(dec, l, onMiss)
	b.unit.Lookup = l
}

// columns reports rows of a table that are made in different ways, and a
// default that does not fit.
func (b *builder) columns(dec *spec.Decoder, l *Lookup, onMiss lookup.OnMiss) {
	wide := len(l.Table.Columns) > 0
	if odd := fewWide(l.Spec.Rows); wide && len(odd) > 0 {
		for _, p := range odd {
			dec.Errorf(CodeLookup, p.Value.Span, "the code `%s` has columns, but others have one value", p.Key.Text).Hint = "write one value, as the other codes have it"
		}
	} else if wide && l.Spec.Rows != nil {
		oddColumns(dec, l.Spec.Rows)
		for _, p := range l.Spec.Rows.Pairs {
			if p.Value.Kind == ast.Scalar && !p.Value.Empty {
				dec.Errorf(CodeLookup, p.Value.Span, "the code `%s` has one value, but others have the columns %s", p.Key.Text, strings.Join(l.Table.Columns, ", ")).
					Hint = "write {" + l.Table.Columns[0] + ": ...}"
			}
		}
	}
	def := l.Spec.Default.Node
	switch {
	case def == nil:
	case !contains([]string{"error", "pass", "default"}, l.Spec.OnMiss.Value):
		// It may have been meant.
	case onMiss != lookup.Default:
		dec.Warnf(CodeLookup, def.Span, "this default is never used").Hint = "write `on_miss: default`, or remove it"
	case wide && def.Kind != ast.Map:
		dec.Errorf(CodeLookup, def.Span, "the rows have the columns %s, but the default has not", strings.Join(l.Table.Columns, ", ")).
			Hint = "write default: {" + l.Table.Columns[0] + ": ...}"
	case !wide && def.Kind == ast.Map && len(l.Table.Codes()) > 0:
		dec.Errorf(CodeLookup, def.Span, "the rows have one value each, but the default has columns")
	case wide:
		for _, p := range def.Pairs {
			if !contains(l.Table.Columns, p.Key.Text) {
				dec.Unknown(p.Key, "column", l.Table.Columns)
			}
		}
	}
}

// fewWide are the rows with columns where most rows have one value.
func fewWide(rows *ast.Node) []ast.Pair {
	var wide []ast.Pair
	single := 0
	if rows != nil {
		for _, p := range rows.Pairs {
			switch {
			case p.Value.Kind == ast.Map:
				wide = append(wide, p)
			case p.Value.Kind == ast.Scalar && !p.Value.Empty:
				single++
			}
		}
	}
	if single <= len(wide) {
		return nil
	}
	return wide
}

// oddColumns reports a column that one row alone has, and that is nearly called
// as one that all others have and this one has not.
func oddColumns(dec *spec.Decoder, rows *ast.Node) {
	count, n := map[string]int{}, 0
	for _, p := range rows.Pairs {
		if p.Value.Kind != ast.Map {
			continue
		}
		n++
		for _, c := range p.Value.Pairs {
			count[c.Key.Text]++
		}
	}
	for _, p := range rows.Pairs {
		for _, c := range p.Value.Pairs {
			if count[c.Key.Text] > 1 || n < 3 {
				continue
			}
			var lost []string
			for _, name := range sortedKeys(count) {
				if count[name] == n-1 && p.Value.Pair(name) == nil {
					lost = append(lost, name)
				}
			}
			if near := diag.Nearest(c.Key.Text, lost); len(near) > 0 {
				f := dec.Errorf(CodeLookup, c.Key.Span, "no other code has a column `%s`", c.Key.Text)
				f.Short, f.Hint = "did you mean `"+near[0]+"`?", "columns of the other codes: "+strings.Join(lost, ", ")
				if c.Key.Style == ast.Plain {
					f.Fixes = []diag.Fix{{Title: "replace with `" + near[0] + "`", Edits: []diag.Edit{{Span: c.Key.Span, Text: near[0]}}}}
				}
			}
		}
	}
}

// lookupFile reads the rows of a CSV file with a header line.
func (b *builder) lookupFile(dec *spec.Decoder, d *definition, l *Lookup) {
	raw, at, err := b.readBeside(d, l.Spec.File.Value)
	if err != nil {
		dec.Errorf(spec.CodeUnknown, l.Spec.File.Span(), "the file `%s` cannot be read: %s", l.Spec.File.Value, plainError(err)).
			Hint = "the path is relative to this definition"
		return
	}
	l.Digest = meaning(d.node, string(raw))
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1 // compared below, in words of people
	r.TrimLeadingSpace = true
	if head, _, _ := bytes.Cut(raw, []byte("\n")); bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		r.Comma = ';'
	}
	columns, err := r.Read()
	if err != nil {
		dec.Errorf(CodeLookup, l.Spec.File.Span(), "%s has no header line", at)
		return
	}
	key := 0
	if l.Spec.KeyColumn.Set() {
		key = -1
		for i, c := range columns {
			if strings.TrimSpace(c) == l.Spec.KeyColumn.Value {
				key = i
			}
		}
		if key < 0 {
			dec.Unknown(l.Spec.KeyColumn.Node, "column", columns)
			return
		}
	}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return
		}
		if err != nil {
			var bad *csv.ParseError
			line, what := 0, err.Error()
			if errors.As(err, &bad) {
				line, what = bad.StartLine, bad.Err.Error()
			}
			f := dec.Errorf(CodeLookup, l.Spec.File.Span(), "%s cannot be read: line %d: %s", at, line, what)
			f.Related = []diag.Related{{Span: lineOf(at, line), Message: "this line"}}
			return
		}
		line, _ := r.FieldPos(0)
		if len(row) != len(columns) {
			f := dec.Errorf(CodeLookup, l.Spec.File.Span(), "%s cannot be read: line %d has %d columns, but the header has %d", at, line, len(row), len(columns))
			f.Hint = "every line needs the columns of the header"
			f.Related = []diag.Related{{Span: lineOf(at, line), Message: "this line"}}
			return
		}
		if !l.Table.Add(row[key], b.csvRow(columns, row, key)) {
			f := dec.Errorf(CodeLookup, l.Spec.File.Span(), "the code `%s` stands twice in %s, again in line %d", strings.TrimSpace(row[key]), at, line)
			f.Hint = "remove one of the two lines"
			f.Related = []diag.Related{{Span: lineOf(at, line), Message: "the second one"}}
		}
	}
}

// lineOf is the start of a line of a file.
func lineOf(file string, line int) diag.Span {
	return diag.Span{File: file, Start: diag.Point{Line: line, Col: 1}, End: diag.Point{Line: line, Col: 2}}
}

// csvRow is the value of a table with two columns, or the columns by name.
func (b *builder) csvRow(columns, row []string, key int) any {
	values := map[string]any{}
	for i, c := range columns {
		if i != key && i < len(row) && row[i] != "" {
			values[strings.TrimSpace(c)] = row[i]
		}
	}
	if len(columns) == 2 {
		return values[strings.TrimSpace(columns[1-key])]
	}
	return values
}

// findTable finds a lookup by name for a jq or expr cell.
func (b *builder) findTable(name string) *lookup.Table {
	for _, name := range b.candidates(name) {
		if l := b.ask(aLookup, name).(*Lookup); l != nil {
			return l.Table
		}
	}
	b.ask(namesOf, b.client+"\x00lookup") // they are suggested
	return nil
}

// tableRef resolves `table` or `table.column`.
func (b *builder) tableRef(dec *spec.Decoder, ref spec.Text) (*lookup.Table, string) {
	if t := b.findTable(ref.Value); t != nil {
		if len(t.Columns) > 0 {
			f := dec.Errorf(spec.CodeUnknown, ref.Span(), "the lookup `%s` has several columns", ref.Value)
			f.Hint, f.Missing = fmt.Sprintf("choose one: %s.%s", ref.Value, strings.Join(t.Columns, ", "+ref.Value+".")), "columns "+t.Name
			return nil, ""
		}
		return t, ""
	}
	name, column := splitRef(ref.Value)
	t := b.findTable(name)
	if t == nil {
		known := b.knownNames("lookup")
		if near := diag.Nearest(name, known); column != "" && len(near) > 0 {
			known = append(known, near[0]+"."+column) // the table is misspelt, not the column
		}
		dec.Unknown(ref.Node, "lookup", known)
		if f := &(*dec.Diags)[len(*dec.Diags)-1]; f.Short == "" {
			f.Hint += "; a new one is written by `crossdock new lookup " + name + " .code --from sample.json`"
		}
		return nil, ""
	}
	for _, c := range t.Columns {
		if c == column {
			return t, column
		}
	}
	f := dec.Errorf(spec.CodeUnknown, ref.Node.Range(len(ref.Value)-len(column), len(ref.Value)), "the lookup `%s` has no column `%s`", name, column)
	f.Short = diag.DidYouMean(column, t.Columns)
	f.Hint, f.Missing = "its columns: "+strings.Join(t.Columns, ", "), "columns "+name
	if len(t.Columns) == 0 {
		f.Hint = "it has one value per code: write `lookup: " + name + "`"
	}
	return nil, ""
}

// Table finds the lookup that a cell of a client, or of the workspace (""), means,
// that of the shipped library included; nil where there is none.
func (w *Workspace) Table(client, name string) *lookup.Table {
	b := &builder{ws: w, client: client}
	return b.findTable(name)
}
