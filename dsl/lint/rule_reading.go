package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// readings reports patterns of dates that fit no value of the samples, and
// numbers in the samples that their rows do not read (XD2107).
func readings(p *pass) {
	for _, m := range p.mappings() {
		var numbers []notation
		each := func(f func(name string, r *spec.Row)) {
			for i := range m.Spec.Let {
				f("let "+m.Spec.Let[i].Key.Text, &m.Spec.Let[i].Value)
			}
			rowsOf(m.Spec.Fields, nil, func(r row) { f(schema.Join(r.path), r.Row) })
		}
		each(func(name string, r *spec.Row) { numbers = noted(numbers, name, r) })
		each(func(name string, r *spec.Row) { p.reading(m.Name, name, r, numbers) })
		rowsOf(m.Spec.Fields, nil, func(r row) {
			if m.Output != nil {
				p.untyped(m, r)
			}
		})
	}
}

// selects returns what the samples have where a row only selects a value.
func (p *pass) selects(r *spec.Row) ([]example, bool) {
	c := p.cellOf(r.From)
	if c == nil || !c.JQ.PassesOn() || r.Lookup.Set() {
		return nil, false
	}
	paths := c.JQ.Paths()
	if len(paths) != 1 {
		return nil, false
	}
	at, ok := p.resolve(c, paths[0])
	return at.examples, ok
}

func (p *pass) reading(mapping, name string, r *spec.Row, numbers []notation) {
	typ, err := value.ParseType(r.Type.Value)
	if err != nil || !typ.Numeric() && !r.Parse.Set() {
		return
	}
	examples, ok := p.selects(r)
	if !ok {
		return
	}
	d := diag.Diagnostic{Code: codeSample, Severity: diag.Warning, Span: r.Parse.Span(), Kind: "mapping", Name: mapping, Row: name, Source: r.Parse.Value}
	if typ.Numeric() {
		ok = misread(&d, r, typ, examples) || doubtfulNumber(&d, r, typ, examples, numbers)
	} else {
		ok = unfit(&d, r, typ, examples)
	}
	if ok {
		p.about(d)
	}
}

// converted is the error of a conversion.
func converted(v any, typ value.Type, opt value.Options) error {
	made, err := value.NewConverter(typ, opt)
	if err == nil {
		_, err = made.Convert(v)
	}
	return err
}

// unread reports whether a text is written in another way than a row reads.
func unread(v any, typ value.Type, opt value.Options) bool {
	var bad *value.Error
	err := converted(v, typ, opt)
	return errors.As(err, &bad) && (bad.Code == value.CodeParse || bad.Code == value.CodeType && typ.Numeric())
}

// unfit says that a pattern of dates fits no value.
func unfit(d *diag.Diagnostic, r *spec.Row, typ value.Type, examples []example) bool {
	if seconds(d, r, examples) {
		return true
	}
	var first *example
	for i, e := range examples {
		if strings.TrimSpace(asText(e.value)) == "" {
			continue
		}
		if !unread(e.value, typ, value.Options{Parse: r.Parse.Value, Zone: r.Zone.Value}) {
			return false
		}
		if first == nil {
			first = &examples[i]
		}
	}
	if first == nil {
		return false
	}
	d.Message, d.Hint = fmt.Sprintf("`%s` in %s is not written so", first.value, first.file), "write the pattern that the sample has, or mend the sample"
	for _, pattern := range usual {
		if converted(first.value, typ, value.Options{Parse: pattern, Zone: r.Zone.Value}) == nil {
			d.Hint, d.Fixes = "write `"+pattern+"`", replaceText(r.Parse, pattern)
			break
		}
	}
	return true
}

// asText is a text or number as it stands in a sample; "" for anything else.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// seconds says that seconds are read as milliseconds, which are a day in 1970.
func seconds(d *diag.Diagnostic, r *spec.Row, examples []example) bool {
	if r.Parse.Value != "epoch_ms" || len(examples) == 0 {
		return false
	}
	for _, e := range examples {
		if n, err := strconv.ParseInt(asText(e.value), 10, 64); err != nil || n < 1e8 || n >= 1e11 {
			return false
		}
	}
	d.Message = fmt.Sprintf("`%s` in %s counts seconds: as milliseconds it is in 1970 or so", asText(examples[0].value), examples[0].file)
	d.Hint, d.Fixes = "write `epoch`", replaceText(r.Parse, "epoch")
	return true
}

// usual are patterns that are offered.
var usual = func() []string {
	out := []string{"epoch", "epoch_ms", "odata"}
	for _, day := range []string{"yyyyMMdd", "yyyy-MM-dd", "dd.MM.yyyy", "dd-MM-yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "yyyy/MM/dd", "ddMMyyyy"} {
		for _, clock := range []string{"", " HH:mm", " HH:mm:ss", "'T'HH:mm:ss", "HHmm", "HHmmss"} {
			out = append(out, day+clock)
		}
	}
	return out
}()

// replaceText puts another text in the place of one that stands without quotes.
func replaceText(t spec.Text, text string) []diag.Fix {
	if t.Node.Text != t.Value {
		return nil
	}
	return replace(t.Span(), text)
}
