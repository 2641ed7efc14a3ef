package compile

import (
	"errors"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// conversion makes the row's type, pattern, zone and unit ready.
func (b *builder) conversion(dec *spec.Decoder, s *spec.Row, row *mapping.Row, at rowContext) {
	var typ, other value.Type // other: what it has to be, where that is not what it is
	if s.Type.Set() {
		t, err := value.ParseType(s.Type.Value)
		if err != nil {
			b.convertError(dec, s.Type, err)
			return
		}
		typ = t
		if at.checkType(dec, s, typ) {
			other = at.Target.Type
		}
	}
	opt := value.Options{Parse: s.Parse.Value, Format: s.Format.Value, Zone: s.Zone.Value, Unit: s.Unit.Value, TrueValues: texts(s.TrueValues)}
	if !s.Type.Set() && opt.Parse == "" && opt.Format == "" && opt.Zone == "" && opt.Unit == "" && len(opt.TrueValues) == 0 && typ.Base == value.Any {
		return
	}
	patterns := typ.Innermost()
	if other.Temporal() && typ.Temporal() {
		patterns = other // the pattern was written for it
	}
	if b.badPatterns(dec, s, patterns) {
		return
	}
	c, err := value.NewConverter(typ, opt)
	if err != nil && other.Base != value.Any {
		return
	}
	if err != nil {
		where := s.Type
		if len(s.TrueValues) > 0 && !s.Type.Set() {
			where = spec.Text{Node: s.Node.Pair("true_values").Key}
		}
		for _, t := range []spec.Text{s.Unit, s.Zone, s.Format, s.Parse} {
			if t.Set() {
				where = t
			}
		}
		var bad *value.Error
		if errors.As(err, &bad) && bad.Code == value.CodeZone && s.Zone.Set() {
			where = s.Zone
		}
		if errors.As(err, &bad) && bad.Code == value.CodeUnit && s.Unit.Set() {
			where = s.Unit
		}
		b.convertError(dec, where, err)
		return
	}
	row.Convert = c
	b.convertible(dec, s.Const, c, s.Type)
	b.convertible(dec, s.Default, c, s.Type)
}

// convertible reports a fixed value that the conversion beside it refuses.
func (b *builder) convertible(dec *spec.Decoder, v spec.Value, c *value.Converter, typ spec.Text) {
	if !v.Set() || v.V == nil || v.Node.Kind != ast.Scalar {
		return
	}
	_, err := c.Convert(v.V)
	var bad *value.Error
	if err == nil || !errors.As(err, &bad) {
		return
	}
	f := dec.Errorf(CodeTarget, v.Node.Span, "%s", bad.Message)
	f.Hint, f.Source = bad.Hint, v.Node.Text
	if f.Hint == "" && typ.Set() {
		f.Hint = "the value is converted too: write one that fits `type: " + typ.Value + "`"
	}
}

// badPatterns reports what is wrong inside the patterns of a row, to the letter.
func (b *builder) badPatterns(dec *spec.Decoder, s *spec.Row, typ value.Type) bool {
	if !typ.Temporal() && !typ.Numeric() {
		return false
	}
	bad := false
	check := func(t spec.Text, parsing bool) {
		if !t.Set() {
			return
		}
		if cutShort(s.Node, t.Node) {
			bad = true // which the decoder has said
			return
		}
		if at := strings.IndexByte(t.Value, '%'); typ.Temporal() && at >= 0 && at+1 < len(t.Value) {
			f := dec.Errorf(CodePattern, t.Node.Range(at, at+2), "`%s` is no part of a pattern", t.Value[at:at+2])
			f.Hint, f.Source, bad = "patterns are written as in dd.MM.yyyy HH:mm:ss", t.Node.Text, true
			if meant := value.OfPercents(t.Value); meant != "" && len(value.CheckPattern(meant, typ, parsing)) == 0 {
				f.Hint = "write `" + meant + "`"
			}
			return
		}
		problems := value.CheckPattern(t.Value, typ, parsing)
		meant := value.OfForeign(t.Value)
		if capitals := value.OfCapitals(t.Value); meant == "" && len(problems) > 1 {
			meant = capitals
		}
		if len(problems) > 0 && meant != "" && typ.Temporal() && len(value.CheckPattern(meant, typ, parsing)) == 0 {
			f := dec.Errorf(CodePattern, t.Node.Span, "%s", problems[0].Message)
			f.Hint, f.Source, bad = "write `"+meant+"`", t.Node.Text, true
			if t.Node.Style == ast.Plain {
				f.Fixes = []diag.Fix{{Title: "replace with `" + meant + "`", Edits: []diag.Edit{{Span: f.Span, Text: meant}}}}
			}
			return
		}
		for _, p := range problems {
			f := dec.Errorf(CodePattern, t.Node.Range(p.From, p.To), "%s", p.Message)
			f.Hint, f.Source, bad = p.Hint, t.Node.Text, true
			if word, ok := strings.CutPrefix(p.Hint, "write `"); ok && t.Node.Style == ast.Plain {
				if word, rest, closed := strings.Cut(word, "`"); closed && rest == "" {
					f.Fixes = []diag.Fix{{Title: "replace with `" + word + "`", Edits: []diag.Edit{{Span: f.Span, Text: word}}}}
				}
			}
		}
	}
	check(s.Parse, true)
	check(s.Format, false)
	return bad
}

// cutShort reports whether a comma inside { } has ended a pattern: the decimals
// of 1.234,56 stand behind it like another key.
func cutShort(row, pattern *ast.Node) bool {
	i := slices.IndexFunc(row.Pairs, func(p ast.Pair) bool { return p.Value == pattern }) + 1
	return row.Flow && pattern.Style == ast.Plain && i > 0 && i < len(row.Pairs) && row.Pairs[i].Value.Empty &&
		strings.Trim(row.Pairs[i].Key.Text, "0123456789.-) '") == ""
}

func (b *builder) convertError(dec *spec.Decoder, at spec.Text, err error) {
	span := at.Span()
	message, hint := err.Error(), ""
	var bad *value.Error
	if errors.As(err, &bad) {
		message, hint = bad.Message, bad.Hint
	}
	code := CodeTarget
	if bad != nil && bad.Code == value.CodeZone {
		code = CodePattern
	}
	f := dec.Errorf(code, span, "%s", message)
	f.Hint = hint
	if at.Node != nil {
		f.Source = at.Node.Text
	}
}
