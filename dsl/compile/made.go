package compile

import (
	"slices"

	"crossdock/dsl/cell"
	"crossdock/dsl/jq"
	"crossdock/dsl/mapping"
	"crossdock/dsl/value"
)

// made is what rows make where no schema says it: their targets, and below a row
// that only passes something on, what is known of that.
func (b *builder) made(o *mapping.Object) *value.Shape { return madeOf(o, b.byProgram()) }

// madeByRow is the same of one row.
func (b *builder) madeByRow(r *mapping.Row) *value.Shape { return madeBy(r, b.byProgram()) }

// byProgram finds cells by their programs.
func (b *builder) byProgram() map[*jq.Program]*cell.Cell {
	from := map[*jq.Program]*cell.Cell{}
	for _, c := range b.cells.Cells {
		if c.JQ != nil {
			from[c.JQ] = c
		}
	}
	return from
}

func madeOf(o *mapping.Object, from map[*jq.Program]*cell.Cell) *value.Shape {
	s := &value.Shape{Type: value.Type{Base: value.Object}, Closed: true, Fields: map[string]*value.Shape{}}
	for _, f := range o.Fields {
		s.Order = append(s.Order, f.Name)
		if f.Nested != nil {
			s.Fields[f.Name] = madeOf(f.Nested, from)
		} else {
			s.Fields[f.Name] = madeBy(f.Row, from)
		}
	}
	slices.Sort(s.Order)
	return s
}

// madeBy is what one row makes.
func madeBy(r *mapping.Row, from map[*jq.Program]*cell.Cell) *value.Shape {
	switch {
	case r.IsConst && !r.HasDefault:
		return shapeOf(r.Const)
	case r.Each != nil:
		list := &value.Shape{Type: value.Type{Base: value.List}}
		if r.Fields != nil {
			list.Item = madeOf(r.Fields, from)
		}
		return list
	case r.Fields != nil:
		return madeOf(r.Fields, from)
	case r.From == nil || r.Convert != nil || r.Lookup != nil || r.HasDefault || from[r.From] == nil:
		return &value.Shape{}
	}
	passed := from[r.From].Result(r.From).Known()
	if passed == nil {
		return &value.Shape{}
	}
	return passed
}

// shapeOf is what a value shows of others like it. Only objects and lists have
// something below them that can be asked for in vain; what else stands there may
// be of another type the next time.
func shapeOf(v any) *value.Shape {
	switch v := v.(type) {
	case map[string]any:
		s := &value.Shape{Type: value.Type{Base: value.Object}, Order: sortedKeys(v), Fields: make(map[string]*value.Shape, len(v))}
		for name, field := range v {
			s.Fields[name] = shapeOf(field)
		}
		return s
	case []any:
		s := &value.Shape{Type: value.Type{Base: value.List}}
		for _, item := range v {
			s.Item = either(s.Item, shapeOf(item))
		}
		return s
	}
	return &value.Shape{}
}

// either is the shape of what looks like a or like b; nil is no shape yet.
func either(a, b *value.Shape) *value.Shape {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.Type.Base != b.Type.Base:
		return &value.Shape{}
	}
	s := &value.Shape{Type: a.Type, Item: either(a.Item, b.Item)}
	if a.Fields != nil || b.Fields != nil {
		s.Fields = map[string]*value.Shape{}
	}
	for _, one := range []*value.Shape{a, b} {
		for name, field := range one.Fields {
			s.Fields[name] = either(s.Fields[name], field)
		}
	}
	s.Order = sortedKeys(s.Fields)
	return s
}

// answered is what the stand-in answers of an operation show of its real ones: nil
// where none has a body. An answer that is refused is never a result.
func (b *builder) answered(op *Operation) *cell.Made {
	var shape *value.Shape
	for _, s := range op.Stubs {
		switch {
		case !s.HasBody || s.Status < 200 || s.Status > 299:
		case s.Fields != nil:
			shape = either(shape, b.made(&s.Fields.Object))
		default:
			shape = either(shape, shapeOf(s.Body))
		}
	}
	if !shape.Known() {
		return nil
	}
	return &cell.Made{By: "the stub of " + op.Ref(), Shape: shape, Shown: true}
}
