package lint

import (
	"errors"
	"fmt"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// readings reports patterns of dates that fit no value of the samples (XD2107).
func readings(p *pass) {
	for _, m := range p.mappings() {
		rowsOf(m.Spec.Fields, nil, func(r row) { p.reading(m.Name, r) })
	}
}

func (p *pass) reading(mapping string, r row) {
	c := p.cellOf(r.From)
	if c == nil || !r.Parse.Set() || !c.JQ.PassesOn() || r.Lookup.Set() {
		return
	}
	paths := c.JQ.Paths()
	if len(paths) != 1 {
		return
	}
	at, ok := p.resolve(c, paths[0])
	if !ok {
		return
	}
	typ, err := value.ParseType(r.Type.Value)
	if err != nil {
		return
	}
	convert := func(pattern string, v any) error {
		made, err := value.NewConverter(typ, value.Options{Parse: pattern, Zone: r.Zone.Value})
		if err == nil {
			_, err = made.Convert(v)
		}
		return err
	}
	var first *example
	for i, e := range at.examples {
		if s, isText := e.value.(string); !isText || strings.TrimSpace(s) == "" {
			continue
		}
		var bad *value.Error
		if err := convert(r.Parse.Value, e.value); err == nil || !errors.As(err, &bad) || bad.Code != value.CodeParse {
			return
		}
		if first == nil {
			first = &at.examples[i]
		}
	}
	if first == nil {
		return
	}
	d := diag.Diagnostic{Code: codeSample, Severity: diag.Warning, Span: r.Parse.Span(), Kind: "mapping", Name: mapping, Row: schema.Join(r.path), Source: r.Parse.Value,
		Message: fmt.Sprintf("`%s` in %s is not written so", first.value, first.file), Hint: "write the pattern that the sample has, or mend the sample"}
	for _, pattern := range usual {
		if convert(pattern, first.value) == nil {
			d.Hint, d.Fixes = "write `"+pattern+"`", replaceText(r.Parse, pattern)
			break
		}
	}
	p.about(d)
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
