package cell

import (
	"slices"

	"crossdock/dsl/jq"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// Shape is a place inside a document, of which a schema, examples or the
// definition that makes it tell what it looks like; the zero value knows nothing.
type Shape struct {
	Schema   *schema.Schema
	Examples *Examples
	Made     *Made
	Path     []string // from the top of the document
}

// Examples are files with example documents, or what a cell makes of them.
type Examples struct {
	From  string   // the definition that names them
	Files []string // as written: relative to From, or to the workspace

	Split *jq.Program // set where each of its results is one example
	Of    Shape       // of Split: what it reads
}

// Made is a document that a definition writes out itself: the rows of a mapping
// without output, or the stand-in answer of an operation.
type Made struct {
	By    string       // who makes it, in words
	Shape *value.Shape // its fields; their types only where they are plain
	Shown bool         // it is one example, and the real document may have more
}

// Known returns what the schema says there, nil where it says nothing.
func (s Shape) Known() *value.Shape {
	if s.Schema == nil {
		return nil
	}
	f, ok := s.Schema.Lookup(s.Path)
	if !ok {
		return nil
	}
	return f.Shape
}

// Items returns the shape of the items where s is or may be a list, else s
// itself: `each` takes both.
func (s Shape) Items() Shape {
	k := s.Known()
	if k != nil && k.Type.Base == value.List || !k.Known() {
		return s.At(value.Items)
	}
	return s
}

// Same reports whether two shapes are of the same place.
func (s Shape) Same(t Shape) bool {
	return s.Schema == t.Schema && s.Examples == t.Examples && s.Made == t.Made && slices.Equal(s.Path, t.Path)
}

// Set reports whether anything tells what the document looks like.
func (s Shape) Set() bool { return s.Schema != nil || s.Examples != nil || s.Made != nil }

// At returns the place below s at path.
func (s Shape) At(path ...string) Shape {
	if !s.Set() {
		return s
	}
	s.Path = append(s.Path[:len(s.Path):len(s.Path)], path...)
	return s
}
