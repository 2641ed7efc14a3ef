package compile

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/rule"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// against holds values that a definition writes out against what a schema says of
// their place.
type against struct {
	dec   *spec.Decoder
	name  string // of the schema
	types bool   // also their types, not only their options
}

// stubFits reports values of a stand-in answer that the schema of the response
// refuses: the other side would never answer that. What counts as no success may
// hold anything.
func stubFits(dec *spec.Decoder, op *Operation, s *spec.Stub) {
	if op == nil || op.Response == nil || op.Response.Schema == nil || !succeeds(op, s) {
		return
	}
	f := against{dec: dec, name: op.Response.Name, types: true}
	shape := op.Response.Schema.Shape()
	f.value(s.Body.Node, shape, "")
	for _, row := range s.Fields {
		at := shapeAt(op.Response, row.Key.Text)
		f.value(row.Value.Const.Node, at, row.Key.Text)
		f.quoted(row.Value.From.Node, at, row.Key.Text)
	}
}

// succeeds reports whether a stand-in answer certainly counts as success: only then
// it is held against its schema when it comes.
func succeeds(op *Operation, s *spec.Stub) bool {
	if s.Fault != "" || s.Status < 200 || s.Status > 299 {
		return false
	}
	if op.SuccessWhen == nil {
		return true
	}
	if len(s.Fields) > 0 {
		return false // what they make is known when it runs
	}
	yes, err := op.SuccessWhen.Eval(rule.Env{Response: map[string]any{"status": s.Status, "headers": map[string]any{}, "body": s.Body.V}})
	return err == nil && yes
}

// expectedStubs looks at the stand-in answers of a case. One that is followed by
// others, and those of a message that dies, may be wrong on purpose.
func expectedStubs(dec *spec.Decoder, op *Operation, c *spec.Case, stubs spec.Stubs) {
	if len(stubs) == 0 || c.ExpectError != nil {
		return
	}
	if outcome := c.Expect.Get("outcome"); outcome != nil && outcome.Text == "dead" {
		return
	}
	stubFits(dec, op, &stubs[len(stubs)-1])
}

// expectedOptions reports values that a case expects at a place where its schema
// lists others: they never come.
func expectedOptions(dec *spec.Decoder, of *Schema, values *ast.Node) {
	if of == nil || of.Schema == nil || values == nil {
		return
	}
	f := against{dec: dec, name: of.Name}
	for _, one := range append([]*ast.Node{values}, values.Items...) {
		for _, p := range one.Pairs {
			f.value(p.Value, shapeAt(of, p.Key.Text), p.Key.Text)
		}
	}
}

// shapeAt is what a schema says of a path such as lines[0].sku; nil where it says
// nothing.
func shapeAt(s *Schema, path string) *value.Shape {
	step, _, ok := s.Schema.Shape().At(schema.Split(indexed.ReplaceAllString(path, value.Items)))
	if !ok {
		return nil
	}
	return step.Shape
}

func (f against) value(n *ast.Node, shape *value.Shape, path string) {
	if n == nil || !shape.Known() {
		return
	}
	switch n.Kind {
	case ast.Map:
		for _, p := range n.Pairs {
			f.value(p.Value, shape.Fields[p.Key.Text], strings.TrimPrefix(path+"."+p.Key.Text, "."))
		}
	case ast.List:
		for _, item := range n.Items {
			f.value(item, shape.Item, path)
		}
	default:
		f.scalar(n, spec.Plain(n), shape, path)
	}
}

// quoted looks at a cell that is nothing but a text.
func (f against) quoted(n *ast.Node, shape *value.Shape, path string) {
	if n == nil || !shape.Known() {
		return
	}
	var text string
	if err := json.Unmarshal([]byte(n.Text), &text); err == nil && !strings.Contains(n.Text, `\(`) {
		f.scalar(n, text, shape, path)
	}
}

func (f against) scalar(n *ast.Node, v any, shape *value.Shape, path string) {
	text, isText := v.(string)
	if isText && len(shape.Options) > 0 {
		if !slices.Contains(shape.Options, text) {
			at := *n
			at.Text = text
			f.dec.Unknown(&at, "option", shape.Options)
			d := &(*f.dec.Diags)[len(*f.dec.Diags)-1]
			d.Code, d.Message, d.Hint = "XD2102", "`"+text+"` is not an option of "+path+" in "+f.name, "options: "+strings.Join(shape.Options, ", ")
			d.Missing = ""
			if n.Text != text {
				d.Fixes = nil // the text is a part of a cell
			}
		}
		return
	}
	have, want := kindOf(v), kindWanted(shape)
	if !f.types || v == nil || want == "" || have == want {
		return
	}
	d := f.dec.Errorf("XD2102", n.Span, "%s is %s in %s, and this is %s", path, want, f.name, have)
	switch {
	case isText && want == "a number" && numeric(text), isText && want == "true or false" && (text == "true" || text == "false"):
		d.Hint = "write it without the quotes: " + text
	case want == "text":
		d.Hint = "write it in quotes: \"" + n.Text + "\""
	default:
		d.Hint = "write " + want + ", as the other side answers"
	}
}

func numeric(text string) bool {
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// kindOf words what a plain value is.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case bool:
		return "true or false"
	}
	return "a number"
}

// kindWanted words what a schema wants of a plain value; "" where it does not say.
func kindWanted(shape *value.Shape) string {
	switch t := shape.Type; {
	case t.Base == value.Boolean:
		return "true or false"
	case t.Numeric():
		return "a number"
	case t.Textual():
		return "text"
	}
	return ""
}
