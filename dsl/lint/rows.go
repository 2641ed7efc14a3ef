package lint

import (
	"encoding/json"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// row is one row of a field table with the place of its target in the output.
type row struct {
	*spec.Row
	key   *ast.Node
	above []string // the place that the target is below
	path  []string // of the target
}

// rowsOf calls f for every row, parents before the rows inside them.
func rowsOf(fields spec.Fields[spec.Row], above []string, f func(row)) {
	for i := range fields {
		r := row{Row: &fields[i].Value, key: fields[i].Key, above: above}
		r.path = append(above[:len(above):len(above)], strings.Split(r.key.Text, ".")...)
		f(r)
		inner := r.path
		if r.Each.Set() {
			inner = append(inner[:len(inner):len(inner)], value.Items)
		}
		rowsOf(r.Fields, inner, f)
	}
}

// target is what one value of the row is: the item where it makes a list.
func (r row) value() []string {
	if r.Each.Set() {
		return append(r.path[:len(r.path):len(r.path)], value.Items)
	}
	return r.path
}

// converts reports whether the row changes the kind of its value.
func (r row) converts() bool {
	return r.Type.Set() || r.Parse.Set() || r.Format.Set() || r.Zone.Set() || r.Unit.Set() || len(r.TrueValues) > 0
}

// part returns where segment i of the whole target stands in the key.
func (r row) part(i int) diag.Span {
	i -= len(r.above)
	from := 0
	names := strings.Split(r.key.Text, ".")
	if i < 0 || i >= len(names) {
		return r.key.Span
	}
	for _, n := range names[:i] {
		from += len(n) + 1
	}
	return r.key.Range(from, from+len(names[i]))
}

// cellOf returns the compiled cell of a node, nil where it has errors.
func (p *pass) cellOf(c spec.Cell) *cell.Cell {
	if !c.Set() {
		return nil
	}
	found := p.cells[c.Node]
	if found == nil || found.JQ == nil {
		return nil
	}
	return found
}

// selected returns what a cell selects from its payload or a variable, seen
// from there; ok is false where it computes something, or nothing is known.
func (p *pass) selected(c *cell.Cell) (step value.Step, ok bool) {
	s := c.Result(c.JQ)
	if s.Schema == nil || !cell.Selects(c.JQ) {
		return value.Step{}, false
	}
	paths := c.JQ.Paths()
	if len(paths) == 0 {
		return value.Step{Shape: s.Known()}, s.Known() != nil
	}
	from, rest := c.Start(paths[0])
	names, plain := cell.Names(rest)
	if !plain {
		return value.Step{}, false
	}
	step, _, ok = from.Known().At(names)
	return step, ok && step.Shape.Known()
}

// group is what JSON makes of a type.
type group uint8

const (
	anything group = iota
	text
	number
	boolean
	list
	record
)

var groupWords = [...]string{"anything", "text", "a number", "true or false", "a list", "an object"}

func groupOf(t value.Type) group {
	switch {
	case t.Textual():
		return text
	case t.Numeric():
		return number
	case t.Base == value.Boolean:
		return boolean
	case t.Base == value.List:
		return list
	case t.Base == value.Object:
		return record
	}
	return anything
}

func groupOfValue(v any) group {
	switch v.(type) {
	case string:
		return text
	case json.Number, float64, int:
		return number
	case bool:
		return boolean
	case []any:
		return list
	case map[string]any:
		return record
	}
	return anything
}

// shapeAt is what a schema says of a place, nil where nothing.
func shapeAt(s *schema.Schema, path []string) *value.Shape {
	step, _, ok := s.Shape().At(path)
	if !ok || !step.Shape.Known() {
		return nil
	}
	return step.Shape
}

// last returns the name of the last field of a path, "" where it has none.
func last(p jq.Path) string {
	for i := len(p.Segments) - 1; i >= 0; i-- {
		if s := p.Segments[i]; s.Step == jq.Field {
			return s.Name
		}
	}
	return ""
}
