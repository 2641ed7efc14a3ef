package compile

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
)

// rowErrors are the codes with which a row can fail.
var rowErrors = []string{"required", "type", "parse", "zone", "unit", "range", "option", "lookup", "too_long", "several", "jq", "limit", "rule", "definition"}

// expectedRows looks at what a case expects of a mapping: a target that no row
// makes can never be there, nor fail.
func expectedRows(dec *spec.Decoder, m *Mapping, c *spec.Case) {
	if m.Mapping == nil || m.Mapping.Program != nil || len(m.Mapping.Object.Fields) == 0 {
		return // a program makes what it likes
	}
	if c.Expect != nil {
		for _, p := range c.Expect.Pairs {
			expectedTarget(dec, &m.Mapping.Object, p.Key, p.Key.Text)
		}
	}
	if e := c.ExpectError; e != nil {
		if e.Code.Set() && !slices.Contains(rowErrors, e.Code.Value) {
			dec.Unknown(e.Code.Node, "error of a row", rowErrors)
			(*dec.Diags)[len(*dec.Diags)-1].Hint = "you can use: " + strings.Join(rowErrors, ", ")
		}
		if e.Field.Set() && !strings.HasPrefix(e.Field.Value, "let ") {
			expectedTarget(dec, &m.Mapping.Object, e.Field.Node, e.Field.Value)
		}
	}
}

// expectedTarget walks a path such as lines[0].sku through the rows.
func expectedTarget(dec *spec.Decoder, o *mapping.Object, at *ast.Node, path string) {
	for i, name := range strings.Split(path, ".") {
		if i > 0 && name != "" && strings.Trim(name, "0123456789") == "" {
			before, after := strings.Join(strings.Split(path, ".")[:i], "."), strings.Join(strings.Split(path, ".")[i+1:], ".")
			f := dec.Errorf(spec.CodeUnknown, at.Span, "no row makes `%s`", path)
			f.Hint = strings.TrimSuffix("an item is written in brackets: \""+before+"["+name+"]."+after, ".") + "\""
			return
		}
		name, _, _ = strings.Cut(name, "[")
		i := slices.IndexFunc(o.Fields, func(f mapping.Field) bool { return f.Name == name })
		if i < 0 {
			known := make([]string, 0, len(o.Fields))
			for _, f := range o.Fields {
				known = append(known, f.Name)
			}
			dec.Unknown(at, "row", known)
			f := &(*dec.Diags)[len(*dec.Diags)-1]
			f.Message, f.Missing = "no row makes `"+path+"`", ""
			return
		}
		f := o.Fields[i]
		switch {
		case f.Nested != nil:
			o = f.Nested
		case f.Row != nil && f.Row.Fields != nil:
			o = f.Row.Fields
		default:
			return // what a row makes of its own is known when it runs
		}
	}
}
