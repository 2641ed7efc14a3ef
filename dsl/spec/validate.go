package spec

import (
	"errors"
	"reflect"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

var validation = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		return name
	})
	// Texts and cells count as absent when nothing was written.
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Text).Value }, Text{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Cell).Source() }, Cell{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return int64(f.Interface().(Duration).D) }, Duration{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Size).N }, Size{})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any { return f.Interface().(Secret).Template }, Secret{})
	return v
})

// validate runs the `validate` tags and reports each failure at its node.
func (d *Decoder) validate(root *ast.Node, into any) {
	err := validation().Struct(into)
	var fails validator.ValidationErrors
	if !errors.As(err, &fails) {
		return
	}
	for _, f := range fails {
		_, path, _ := strings.Cut(f.Namespace(), ".")
		node, missing := locate(root, path)
		name := f.Field()
		switch f.Tag() {
		case "required":
			d.Errorf(CodeUnknown, head(node), "`%s` is missing", orPath(missing, name)).Hint = "add `" + orPath(missing, name) + ":`"
		case "oneof":
			words := strings.Fields(f.Param())
			g := d.Errorf(CodeUnknown, node.Span, "`%s` cannot be %s", name, found(node))
			g.Hint = "you can use: " + strings.Join(words, ", ")
			d.suggest(g, node, words)
		case "min", "gte", "gt":
			d.Errorf(CodeUnknown, node.Span, "`%s` must be at least %s", name, f.Param())
		case "max", "lte", "lt":
			d.Errorf(CodeUnknown, node.Span, "`%s` must be at most %s", name, f.Param())
		default:
			d.Errorf(CodeUnknown, node.Span, "`%s` cannot be %s", name, found(node))
		}
	}
}

// locate follows a validator namespace ("trigger.http.path", "steps[2].send")
// through the tree. It returns the deepest node found and the first part that
// is missing below it.
func locate(n *ast.Node, path string) (*ast.Node, string) {
	for path != "" {
		part, rest, _ := strings.Cut(path, ".")
		name, index, indexed := strings.Cut(part, "[")
		if name != "" {
			next := n.Get(name)
			if next == nil {
				return n, name
			}
			n = next
		}
		if indexed {
			index = strings.TrimSuffix(index, "]")
			if n.Kind == ast.Map {
				if next := n.Get(index); next != nil {
					n = next
				}
			} else {
				i := 0
				for _, c := range index {
					i = i*10 + int(c-'0')
				}
				if i < len(n.Items) {
					n = n.Items[i]
				}
			}
		}
		path = rest
	}
	return n, ""
}

// head is the first line of a node: where something is missing, the whole of a
// long map would be no help.
func head(n *ast.Node) diag.Span {
	if n.Kind == ast.Map && len(n.Pairs) > 0 {
		return n.Pairs[0].Key.Span
	}
	return n.Span
}

func orPath(missing, name string) string {
	if missing != "" {
		return missing
	}
	return name
}
