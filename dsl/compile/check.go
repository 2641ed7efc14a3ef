package compile

import (
	"errors"
	"fmt"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// targetField is what the output schema says about a row's target.
func (at rowContext) targetField() *value.Shape {
	if at.out == nil || at.lets {
		return nil
	}
	f, ok := at.out.Schema.Lookup(schema.Split(at.Row))
	if !ok {
		return nil
	}
	return f.Shape
}

// checkConst compares a constant with what the output schema says.
func (b *builder) checkConst(dec *spec.Decoder, v spec.Value, at rowContext) {
	t := at.Target
	if t == nil || v.V == nil {
		return
	}
	if text, ok := v.V.(string); ok && len(t.Options) > 0 && !contains(t.Options, text) {
		f := dec.Errorf(CodeTarget, v.Node.Span, "`%s` is not an option of %s in %s", text, at.Row, at.out.Name)
		f.Row, f.Hint = at.Row, "options: "+strings.Join(t.Options, ", ")
	}
}

// checkOutcomes compares the texts that a cell can give with what the output
// schema and the conversion of the row take, as checkConst does with a constant:
// no sample may ever come to that branch.
func (b *builder) checkOutcomes(dec *spec.Decoder, s *spec.Row, row *mapping.Row, at rowContext) {
	if row.From == nil || row.Lookup != nil || s.Each.Set() || len(s.Fields) > 0 {
		return
	}
	for _, o := range row.From.Outcomes() {
		var made any = o.Value
		var bad *value.Error
		if row.Convert != nil {
			v, err := row.Convert.Convert(o.Value)
			if err != nil && !errors.As(err, &bad) {
				continue
			}
			made = v
		}
		text, isText := made.(string)
		var f *diag.Diagnostic
		switch t := at.Target; {
		case bad != nil:
			f = dec.Errorf(CodeTarget, s.From.Node.Range(o.From, o.To), "%s", bad.Message)
			f.Hint = bad.Hint
		case t != nil && len(t.Options) > 0 && isText && !contains(t.Options, text):
			f = dec.Errorf(CodeTarget, s.From.Node.Range(o.From, o.To), "`%s` is not an option of %s in %s", text, at.Row, at.out.Name)
			f.Hint = "options: " + strings.Join(t.Options, ", ")
			if near := diag.Nearest(o.Value, t.Options); len(near) > 0 {
				f.Short = "did you mean `" + near[0] + "`?"
				if s.From.Node.Style == ast.Plain {
					f.Fixes = []diag.Fix{{Title: "replace with `\"" + near[0] + "\"`", Edits: []diag.Edit{{Span: f.Span, Text: `"` + near[0] + `"`}}}}
				}
			}
		default:
			continue
		}
		f.Row, f.Lang, f.Source = at.Row, "jq", s.From.Node.Text
	}
}

// checkLookup compares what a lookup can give with the options of the target.
func (b *builder) checkLookup(dec *spec.Decoder, s *spec.Row, row *mapping.Row, at rowContext) {
	t := at.Target
	if t == nil || row.Lookup == nil || len(t.Options) == 0 {
		return
	}
	for _, v := range row.Lookup.Values(row.Column) {
		if text, ok := v.(string); ok && !contains(t.Options, text) {
			span := s.Lookup.Span()
			var related []diag.Related
			near := diag.Nearest(text, t.Options)
			own := b.overridden(row, text)
			if own == nil && len(near) > 0 {
				own = b.misspelt(row, text) // the table is what has to be mended
			}
			if own != nil {
				span, related = own.Span, []diag.Related{{Span: span, Message: "the row that looks it up"}}
			}
			f := dec.Errorf(CodeTarget, span, "the lookup %s can give `%s`, which is not an option of %s in %s", s.Lookup.Value, text, at.Row, at.out.Name)
			f.Row, f.Hint, f.Related = at.Row, "options: "+strings.Join(t.Options, ", "), related
			if len(near) > 0 {
				f.Short = "did you mean `" + near[0] + "`?"
			}
		}
	}
}

// misspelt finds where a table of the workspace says a value; nil where that is
// not in its definition.
func (b *builder) misspelt(row *mapping.Row, text string) *ast.Node {
	l, _ := b.ask(aLookup, row.Lookup.Name).(*Lookup)
	if l == nil || l.Std || l.Spec.Rows == nil {
		return nil
	}
	for _, p := range l.Spec.Rows.Pairs {
		v := p.Value
		if row.Column != "" {
			v = v.Get(row.Column)
		}
		if v != nil && v.Text == text {
			return v
		}
	}
	return nil
}

// overridden finds a value of a crosswalk that a client wrote in its instance,
// nil where the template wrote it.
func (b *builder) overridden(row *mapping.Row, text string) *ast.Node {
	l, _ := b.ask(aLookup, row.Lookup.Name).(*Lookup)
	if l == nil || l.Client == "" || l.Spec.Rows == nil {
		return nil
	}
	for _, p := range l.Spec.Rows.Pairs {
		v := p.Value
		if row.Column != "" {
			v = v.Get(row.Column)
		}
		if v != nil && v.Text == text && v.Span.File != l.File.Path {
			return v
		}
	}
	return nil
}

// checkType compares a row's type with what the output schema says, and reports whether it is
// another one.
func (at rowContext) checkType(dec *spec.Decoder, s *spec.Row, typ value.Type) bool {
	t := at.Target
	if t == nil || t.Type.Base == value.Any || s.Each.Set() {
		return false
	}
	if s.Format.Set() {
		if typ.Numeric() && t.Type.Numeric() {
			f := dec.Errorf(CodeTarget, s.Format.Node.Span, "%s is %s in %s, but `format` makes text of it", at.Row, t.Type, at.out.Name)
			f.Row, f.Hint, f.Source = at.Row, "remove `format`", s.Format.Node.Text
		}
		return false
	}
	if fits(typ.Base, t.Type.Base) {
		return false
	}
	f := dec.Errorf(CodeTarget, s.Type.Span(), "%s is %s in %s, but this row makes %s", at.Row, t.Type, at.out.Name, fmt.Sprint(typ))
	f.Row, f.Hint = at.Row, fmt.Sprintf("write `type: %s`", t.Type)
	return true
}

// fits reports whether a value made as one type is fine where another one is
// declared.
func fits(made, declared value.Base) bool {
	if made == declared || made == value.Any {
		return true
	}
	switch declared {
	case value.Number:
		return made == value.Integer || made == value.Fixed
	case value.Fixed:
		return made == value.Integer
	case value.String, value.Choice, value.Name:
		return made == value.String || made == value.Date || made == value.DateTime || made == value.Time || made == value.URL
	case value.Integer:
		return false
	}
	return false
}
