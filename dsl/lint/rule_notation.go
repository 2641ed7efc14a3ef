package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// misread says that a number of the samples is written in another way than its
// row reads, and which pattern reads it. One such text is enough: a sample shows
// what comes, and a row that takes only some of it stops messages.
func misread(d *diag.Diagnostic, r *spec.Row, typ value.Type, examples []example) bool {
	if r.When.Set() {
		return false // it may be there for what it cannot read
	}
	opt := value.Options{Parse: r.Parse.Value, Unit: r.Unit.Value}
	before := typ
	if r.Unit.Set() {
		before = value.Type{Base: value.Number} // what the conversion makes whole need not come so
	}
	var texts []string
	var odd, first *example // written otherwise; the first that is not read
	fits := false
	for i, e := range examples {
		s, isText := e.value.(string)
		if !isText || strings.TrimSpace(s) == "" {
			continue
		}
		texts = append(texts, s)
		switch {
		case !unread(s, typ, opt):
			fits = true
		case odd == nil && len(value.Readings(before, s)) > 0:
			odd = &examples[i]
		case first == nil:
			first = &examples[i]
		}
	}
	if odd == nil {
		if first == nil || fits || !r.Parse.Set() {
			return false
		}
		d.Message, d.Hint = fmt.Sprintf("`%s` in %s is not written so", first.value, first.file), "write the pattern that the sample has, or mend the sample"
		return true
	}
	d.Message = fmt.Sprintf("`%s` in %s is not written so", odd.value, odd.file)
	if !r.Parse.Set() {
		d.Span, d.Source = r.Type.Span(), r.Type.Value
		d.Message = fmt.Sprintf("`%s` in %s is not read as a number without `parse`", odd.value, odd.file)
		if typ.Base == value.Integer {
			d.Message = fmt.Sprintf("`%s` in %s is not read as a whole number without `parse`", odd.value, odd.file)
		}
	}
	found := value.Readings(before, texts...)
	if len(found) == 0 {
		texts = []string{odd.value.(string)}
		found = value.Readings(before, texts...)
	}
	d.Hint = toRead(found, texts)
	if len(found) == 1 {
		d.Fixes = reading(r, found[0].Pattern)
	}
	return true
}

// notation is how a row reads numbers.
type notation struct{ row, pattern string }

// noted puts the notation of a row to those of others.
func noted(list []notation, name string, r *spec.Row) []notation {
	typ, err := value.ParseType(r.Type.Value)
	if err != nil || !typ.Numeric() || !r.Parse.Set() || slices.ContainsFunc(list, func(n notation) bool { return n.pattern == r.Parse.Value }) {
		return list
	}
	return append(list, notation{name, r.Parse.Value})
}

// doubtfulNumber says that a text which is a number as JSON writes it is another
// one in the notation of a row beside it (XD2104): the same sender writes 12,50,
// so its 1.000 is hardly one.
func doubtfulNumber(d *diag.Diagnostic, r *spec.Row, typ value.Type, examples []example, numbers []notation) bool {
	if r.Parse.Set() || r.When.Set() {
		return false
	}
	for _, e := range examples {
		s, isText := e.value.(string)
		if !isText || strings.TrimSpace(s) == "" {
			continue
		}
		opt := value.Options{Unit: r.Unit.Value}
		plain, err := value.Convert(s, typ, opt)
		if err != nil {
			continue
		}
		for _, n := range numbers {
			opt.Parse = n.pattern
			if by, err := value.Convert(s, typ, opt); err == nil && by != plain {
				d.Code, d.Span, d.Source = codeDoubtful, r.Type.Span(), r.Type.Value
				d.Message = fmt.Sprintf("`%s` in %s becomes %v, but %v the way `%s` reads numbers", s, e.file, plain, by, n.row)
				d.Hint = "write `parse: \"" + n.pattern + "\"`, or `parse: \"1234.56\"` if the point stands before decimals"
				return true
			}
		}
	}
	return false
}

// toRead says what to write so that texts are read; where only the sender knows
// which number is meant, it says what each pattern makes of one of them.
func toRead(found []value.Reading, texts []string) string {
	var out []string
	for _, f := range found {
		part := "`parse: \"" + f.Pattern + "\"`"
		if len(found) > 1 {
			i := slices.IndexFunc(texts, func(s string) bool {
				i := slices.Index(texts, s)
				return found[0].Numbers[i].Cmp(found[1].Numbers[i]) != 0
			})
			part += " where `" + texts[i] + "` is " + f.Numbers[i].String()
		}
		out = append(out, part)
	}
	return "write " + strings.Join(out, ", ")
}

// untyped reports a row without a type that makes text where its target is a
// number, as the samples have it; what a schema says of the input is told with
// the types.
func (p *pass) untyped(m *compile.Mapping, r row) {
	want := shapeAt(m.Output.Schema, r.value())
	if want == nil || !want.Type.Numeric() || r.converts() || r.From.Node == nil {
		return
	}
	if c := p.cellOf(r.From); c == nil {
		return
	} else if _, known := p.selected(c); known {
		return
	}
	options, text := p.asWritten(r.Row, want.Type)
	if options == "" {
		return
	}
	p.about(diag.Diagnostic{Code: codeSample, Severity: diag.Warning, Span: r.From.Node.Span, Kind: "mapping", Name: m.Name, Row: schema.Join(r.path), Source: r.From.Node.Text, Lang: "jq",
		Message: fmt.Sprintf("`%s` in %s is text, and %s is %s in %s", text.value, text.file, schema.Join(r.value()), kind(want), m.Output.Name),
		Hint:    "add `" + options + "`"})
}

// asWritten says which options make numbers of the texts that samples have for a
// row, and of which text that is; "" where none is written in a notation of its
// own, or only the sender knows which one.
func (p *pass) asWritten(r *spec.Row, typ value.Type) (options string, odd example) {
	examples, _ := p.selects(r)
	var texts []string
	for _, e := range examples {
		s, isText := e.value.(string)
		if !isText || strings.TrimSpace(s) == "" {
			continue
		}
		if texts = append(texts, s); odd.value == nil && unread(s, typ, value.Options{}) {
			odd = e
		}
	}
	found := value.Readings(typ, texts...)
	if odd.value == nil || len(found) != 1 {
		return "", odd
	}
	return "type: " + typ.String() + ", parse: \"" + found[0].Pattern + "\"", odd
}

// reading is the fix that gives a row the pattern of a number.
func reading(r *spec.Row, pattern string) []diag.Fix {
	quoted := `"` + pattern + `"`
	switch {
	case r.Parse.Set() && r.Parse.Node.Style == ast.Plain:
		return replaceText(r.Parse, quoted)
	case r.Parse.Set() && r.Parse.Node.Style == ast.DoubleQuoted:
		return replace(r.Parse.Span(), quoted)
	case !r.Parse.Set() && r.Node.Flow && r.Type.Node.Style == ast.Plain:
		end := diag.Span{File: r.Type.Span().File, Start: r.Type.Span().End, End: r.Type.Span().End}
		return []diag.Fix{{Title: "add `parse: " + quoted + "`", Edits: []diag.Edit{{Span: end, Text: ", parse: " + quoted}}}}
	}
	return nil
}
