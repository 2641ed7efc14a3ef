package spec

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

var validation = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	// Texts and cells count as absent when nothing was written.
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Text).Value }, Text{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Cell).Source() }, Cell{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return int64(f.Interface().(Duration).D) }, Duration{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Size).N }, Size{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Secret).Template }, Secret{})
	_ = v.RegisterValidation("header", func(f validator.FieldLevel) bool { return headerName.MatchString(f.Field().String()) })
	return v
})

// headerName is what RFC 9110 lets the name of a header be.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// validate holds one given field to its rules.
func (d *Decoder) validate(p ast.Pair, f field, v reflect.Value) {
	switch {
	case f.required && v.IsZero():
		d.Errorf(CodeUnknown, p.Key.Span, "`%s` is empty", f.name).Hint = "say something behind `" + f.name + ":`"
		return
	case f.rules == "":
		return
	}
	err := validation().Var(v.Interface(), f.rules)
	var fails validator.ValidationErrors
	if !errors.As(err, &fails) {
		return
	}
	n, fail := p.Value, fails[0]
	switch fail.Tag() {
	case "oneof":
		words := strings.Fields(fail.Param())
		g := d.Errorf(CodeUnknown, n.Span, "`%s` cannot be %s", f.name, found(n))
		g.Hint = "you can use: " + strings.Join(words, ", ")
		d.word(g, n, words)
		if f.name == "format" {
			d.Spreadsheet(n.Text)
		}
	case "header":
		f := d.Errorf(CodeUnknown, n.Span, "%s cannot be the name of a header", found(n))
		f.Hint = "letters, digits and hyphens, as in X-Signature"
		if name := strings.Join(strings.Fields(n.Text), "-"); headerName.MatchString(name) {
			f.Hint = "write `" + name + "`"
		} else if name, _, colon := strings.Cut(n.Text, ":"); colon && headerName.MatchString(name) {
			f.Hint = "write `" + name + "`, without the colon"
		}
	case "min", "gte":
		d.Errorf(CodeUnknown, n.Span, "`%s` must be at least %s", f.name, fail.Param())
	case "max", "lte":
		d.Errorf(CodeUnknown, n.Span, "`%s` must be at most %s", f.name, fail.Param())
	default:
		d.Errorf(CodeUnknown, n.Span, "`%s` cannot be %s", f.name, found(n))
	}
}

// head is the first line of a node: where something is missing, the whole of a
// long map would be no help.
func head(n *ast.Node) diag.Span {
	if n.Kind == ast.Map && len(n.Pairs) > 0 {
		return n.Pairs[0].Key.Span
	}
	return n.Span
}
