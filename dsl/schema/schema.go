package schema

import (
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/value"
)

// Schema is one contract.
type Schema struct {
	Name   string // with its major version: "canonical/shipment@2"
	Major  int    // 0 where the name carries none
	Closed bool   // fields that are not listed are refused

	root     *value.Shape
	document any                  // the JSON Schema, as decoded JSON
	compiled *jsonschema.Schema   // nil for `fields:`
	checks   *check               // nil for JSON Schema files
	spans    map[string]diag.Span // path -> where it is written
}

// Field is one place in a document.
type Field struct {
	Path     string // "lines[].sku"
	Shape    *value.Shape
	Optional bool // it, or something on the way to it, may be missing
	PII      bool // it, or something on the way to it, is personal data
}

// Source is what a schema is built from: either Fields, or JSON with File and
// Span for messages.
type Source struct {
	Name   string
	Closed bool
	Fields *ast.Node // the value of `fields:`

	JSON []byte    // content of the file named by `json_schema:`
	File string    // its path, for messages
	Span diag.Span // where the file is named
}

// Build makes a schema and adds everything that is wrong with it to l. It
// returns nil where the schema cannot be used.
func Build(src Source, l *diag.List) *Schema {
	s := &Schema{Name: src.Name, Closed: src.Closed, spans: map[string]diag.Span{}}
	if _, major, ok := strings.Cut(src.Name, "@"); ok {
		if n, err := strconv.Atoi(major); err == nil {
			s.Major = n
		}
	}
	var ok bool
	if src.JSON != nil {
		ok = s.fromJSON(src, l)
	} else {
		ok = s.fromFields(src, l)
	}
	if !ok {
		return nil
	}
	return s
}

// Shape returns the shape of the whole document.
func (s *Schema) Shape() *value.Shape {
	if s == nil {
		return nil
	}
	return s.root
}

// Lookup returns the field at path, whose segments are names and "[]" for the
// items of a list. It returns false where the schema knows that there is no
// such field. A field of which nothing is known has a nil Shape.
func (s *Schema) Lookup(path []string) (Field, bool) {
	step, _, ok := s.Shape().At(path)
	if !ok {
		return Field{}, false
	}
	return Field{Path: Join(path), Shape: step.Shape, Optional: step.Optional, PII: step.PII}, true
}

// Children returns the names of the fields at path in the order of the schema.
// Where path is a list, they are those of its items.
func (s *Schema) Children(path []string) []string {
	step, _, ok := s.Shape().At(path)
	if !ok || step.Shape == nil {
		return nil
	}
	if step.Shape.Item != nil && len(step.Shape.Fields) == 0 {
		return step.Shape.Item.Names()
	}
	return step.Shape.Names()
}

// Span returns where the field at path is written, if it is.
func (s *Schema) Span(path []string) (diag.Span, bool) {
	span, ok := s.spans[Join(path)]
	return span, ok
}

// Document returns the JSON Schema (2020-12) as decoded JSON. It must not be
// changed.
func (s *Schema) Document() any { return s.document }

// maxWalk bounds how deep Fields follows a schema that refers to itself.
const maxWalk = 12

// Fields returns every field in the order of the schema, parents before their
// children. A schema that refers to itself is followed a few levels deep.
func (s *Schema) Fields() []Field {
	var out []Field
	walk(s.Shape(), nil, Field{}, map[*value.Shape]int{}, &out)
	return out
}

func walk(shape *value.Shape, path []string, parent Field, seen map[*value.Shape]int, out *[]Field) {
	// A shape inside itself is shown once more and then left.
	if shape == nil || len(path) > maxWalk || seen[shape] > 1 {
		return
	}
	seen[shape]++
	defer func() { seen[shape]-- }()
	for _, name := range shape.Order {
		child := shape.Fields[name]
		at := append(path[:len(path):len(path)], name)
		f := Field{Path: Join(at), Shape: child, Optional: parent.Optional || !child.Required, PII: parent.PII || child.PII}
		*out = append(*out, f)
		walk(child, at, f, seen, out)
	}
	if shape.Item != nil {
		at := append(path[:len(path):len(path)], value.Items)
		f := Field{Path: Join(at), Shape: shape.Item, Optional: parent.Optional, PII: parent.PII || shape.Item.PII}
		if len(shape.Item.Fields) == 0 {
			*out = append(*out, f)
		}
		walk(shape.Item, at, f, seen, out)
	}
}
