package schema

import (
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"crossdock/dsl/diag"
	"crossdock/dsl/value"
)

// fromJSON builds a schema from a JSON Schema file.
func (s *Schema) fromJSON(src Source, l *diag.List) bool {
	doc, err := decode(src.JSON)
	if err != nil {
		l.Errorf(CodeUnknown, src.Span, "%s is not JSON: %s", nameOf(src), err)
		return false
	}
	s.document = doc
	if !s.compile(src, l) {
		return false
	}
	im := importer{seen: map[*jsonschema.Schema]*value.Shape{}, fields: map[*value.Shape]*origin{}}
	s.root = im.shape(s.compiled)
	im.finish()
	s.Closed = s.root.Closed
	return true
}

// importer turns compiled JSON Schemas into shapes. A schema that refers to
// itself becomes a cycle of shapes.
//
// A schema may stand at several places and be required at only some of them, so
// each field has a shape of its own. It is filled last, from its origin, because
// in a cycle that is still being built when the field is met.
type importer struct {
	seen   map[*jsonschema.Schema]*value.Shape
	fields map[*value.Shape]*origin
}

// origin is what a field will be a copy of: the first shape that says anything.
type origin struct {
	shapes   []*value.Shape
	required bool
}

func (im *importer) finish() {
	for field, o := range im.fields {
		from := o.shapes[0]
		for _, s := range o.shapes {
			if s.Known() {
				from = s
				break
			}
		}
		*field = *from
		field.Required = o.required
	}
}

// shape returns what a JSON Schema says. Only what holds for every value is
// taken: of alternatives the fields are joined and none of them is required.
func (im *importer) shape(sch *jsonschema.Schema) *value.Shape {
	if known, ok := im.seen[sch]; ok {
		return known
	}
	out := &value.Shape{}
	im.seen[sch] = out
	im.fill(out, sch, true, map[*jsonschema.Schema]bool{})
	if out.Type.Base == value.Any {
		switch {
		case len(out.Fields) > 0:
			out.Type.Base = value.Object
		case out.Item != nil:
			out.Type.Base = value.List
		}
	}
	return out
}

// fill adds what sch says to out; certain is false inside alternatives.
func (im *importer) fill(out *value.Shape, sch *jsonschema.Schema, certain bool, via map[*jsonschema.Schema]bool) {
	if sch == nil || via[sch] {
		return
	}
	via[sch] = true
	if out.Note == "" {
		out.Note = sch.Description
		if out.Note == "" {
			out.Note = sch.Title
		}
	}
	if certain {
		im.own(out, sch)
	}
	im.properties(out, sch, certain)
	if item := itemSchema(sch); item != nil && out.Item == nil {
		out.Item = im.shape(item)
	}
	im.fill(out, sch.Ref, certain, via)
	im.fill(out, sch.RecursiveRef, certain, via)
	if sch.DynamicRef != nil {
		im.fill(out, sch.DynamicRef.Ref, certain, via)
	}
	for _, s := range sch.AllOf {
		im.fill(out, s, certain, via)
	}
	for _, alternatives := range [][]*jsonschema.Schema{sch.AnyOf, sch.OneOf, {sch.Then, sch.Else}} {
		for _, s := range alternatives {
			im.fill(out, s, false, via)
		}
	}
	for _, s := range sch.DependentSchemas {
		im.fill(out, s, false, via)
	}
}

// own takes type, options and whether other fields can occur.
func (im *importer) own(out *value.Shape, sch *jsonschema.Schema) {
	if sch.Types != nil && out.Type.Base == value.Any {
		out.Type.Base = baseOf(sch)
	}
	if sch.Enum != nil && len(out.Options) == 0 {
		for _, v := range sch.Enum.Values {
			text, ok := v.(string)
			if !ok {
				if v == nil {
					continue
				}
				out.Options = nil
				break
			}
			out.Options = append(out.Options, text)
		}
	}
	switch other := sch.AdditionalProperties.(type) {
	case bool:
		out.Open = out.Open || other
		out.Closed = out.Closed || !other && len(sch.PatternProperties) == 0
	case *jsonschema.Schema:
		out.Open = true
	}
	out.Open = out.Open || len(sch.PatternProperties) > 0
}

func (im *importer) properties(out *value.Shape, sch *jsonschema.Schema, certain bool) {
	if len(sch.Properties) == 0 {
		return
	}
	if out.Fields == nil {
		out.Fields = map[string]*value.Shape{}
	}
	for _, name := range slices.Sorted(maps.Keys(sch.Properties)) {
		required := certain && slices.Contains(sch.Required, name) && !nullable(sch.Properties[name], 0)
		shape := im.shape(sch.Properties[name])
		if field, ok := out.Fields[name]; ok {
			o := im.fields[field]
			o.required = o.required || required
			o.shapes = append(o.shapes, shape)
			continue
		}
		field := &value.Shape{}
		im.fields[field] = &origin{shapes: []*value.Shape{shape}, required: required}
		out.Fields[name] = field
		out.Order = append(out.Order, name)
	}
}

func nullable(sch *jsonschema.Schema, depth int) bool {
	if sch == nil || depth > 8 {
		return false
	}
	if sch.Types != nil {
		return slices.Contains(sch.Types.ToStrings(), "null")
	}
	if sch.Ref != nil {
		return nullable(sch.Ref, depth+1)
	}
	for _, s := range slices.Concat(sch.AnyOf, sch.OneOf) {
		if nullable(s, depth+1) {
			return true
		}
	}
	return false
}

func itemSchema(sch *jsonschema.Schema) *jsonschema.Schema {
	if sch.Items2020 != nil {
		return sch.Items2020
	}
	if s, ok := sch.Items.(*jsonschema.Schema); ok {
		return s
	}
	return nil
}

func baseOf(sch *jsonschema.Schema) value.Base {
	types := slices.DeleteFunc(sch.Types.ToStrings(), func(t string) bool { return t == "null" })
	if len(types) != 1 {
		return value.Any
	}
	switch types[0] {
	case "integer":
		return value.Integer
	case "number":
		return value.Number
	case "boolean":
		return value.Boolean
	case "array":
		return value.List
	case "object":
		return value.Object
	}
	if sch.Format != nil {
		switch sch.Format.Name {
		case "date":
			return value.Date
		case "date-time":
			return value.DateTime
		}
	}
	return value.String
}
