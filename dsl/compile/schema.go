package compile

import (
	"maps"
	"path"
	"strconv"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
)

// schemas builds every contract.
func (b *builder) schemas() {
	units := b.compileAll("schema", (*builder).schema)
	for _, u := range units {
		if u.Schema != nil {
			b.ws.Schemas[u.Name] = u.Schema
		}
	}
	b.take(units)
	b.schemaID = new(int)
	if c := b.opt.Cache; c != nil && c.schemaID != nil && maps.Equal(c.schemas, b.ws.Schemas) {
		b.schemaID = c.schemaID
	}
}

func (b *builder) schema(d *definition) {
	s := &Schema{Definition: d.Definition, Spec: &spec.Schema{}}
	dec := b.decoder(d)
	dec.Decode(d.node, s.Spec)
	b.nearby(d, &s.Spec.JSONSchema)
	b.major(dec, d)
	src := schema.Source{Name: d.Name, Closed: s.Spec.Closed, Fields: s.Spec.Fields, Span: d.head.Value.Span}
	if s.Spec.JSONSchema.Set() {
		raw, at, err := b.readBeside(d, s.Spec.JSONSchema.Value)
		if err != nil {
			dec.Errorf(spec.CodeUnknown, s.Spec.JSONSchema.Span(), "the file `%s` cannot be read: %s", s.Spec.JSONSchema.Value, plainError(err)).
				Hint = "the path is relative to this definition"
			return
		}
		src.JSON, src.File, src.Span = raw, at, s.Spec.JSONSchema.Span()
		s.Digest = meaning(d.node, string(raw))
	}
	s.Schema = schema.Build(src, &b.diags)
	at := cell.Context{Kind: "schema", Name: d.Name, Row: "event_name", Role: "event_name", Shape: cell.Shape{Schema: s.Schema}}
	s.EventName = b.cells.JQ(s.Spec.EventName, at)
	base, _, _ := strings.Cut(path.Base(d.Name), "@")
	s.Event = EventName(base)
	if s.Schema != nil {
		b.unit.Schema = s
	}
}

// major reports a schema whose name does not say its major version: contracts
// are promises, and others name them with it.
func (b *builder) major(dec *spec.Decoder, d *definition) {
	base, version, ok := strings.Cut(d.head.Value.Text, "@")
	if n, err := strconv.Atoi(version); ok && err == nil && n > 0 && base != "" {
		return
	}
	f := dec.Errorf(spec.CodeUnknown, d.head.Value.Span, "a schema is named with its major version")
	f.Hint = "write " + base + "@" + spec.Major(version)
}

// hears reports whether an event of the schema can have that name. Where the
// name is computed from a field with options, the options are the names.
func (s *Schema) hears(name string) bool {
	if s.EventName == nil {
		return s.Event == name
	}
	names, known := s.EventNames()
	if !known {
		return false
	}
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// EventNames returns the names its events can have; known is false where they
// cannot be told from the schema.
func (s *Schema) EventNames() (names []string, known bool) {
	if s.EventName == nil {
		return []string{s.Event}, true
	}
	shape := (cell.Context{Shape: cell.Shape{Schema: s.Schema}}).Result(s.EventName).Known()
	if shape == nil || len(shape.Options) == 0 {
		return nil, false
	}
	for _, o := range shape.Options {
		names = append(names, EventName(o))
	}
	return names, true
}

// EventWords returns the names of its events as the schema writes them.
func (s *Schema) EventWords() []string {
	if s.EventName == nil {
		return []string{s.Event}
	}
	shape := (cell.Context{Shape: cell.Shape{Schema: s.Schema}}).Result(s.EventName).Known()
	if shape == nil {
		return nil
	}
	return shape.Options
}

// schemaRef resolves the name of a schema; nil where none is named or known.
func (b *builder) schemaRef(dec *spec.Decoder, ref spec.Text) *Schema {
	if !ref.Set() {
		return nil
	}
	for _, name := range b.candidates(ref.Value) {
		if s := b.ask(aSchema, name).(*Schema); s != nil {
			return s
		}
	}
	for _, name := range b.candidates(ref.Value) {
		if b.ask(isDefined, "schema/"+name).(bool) {
			return nil // it exists, and its own problems are reported
		}
	}
	dec.Unknown(ref.Node, "schema", b.knownNames("schema"))
	return nil
}
