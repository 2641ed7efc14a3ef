package lint

import (
	"io/fs"
	"slices"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/value"
)

// View looks at documents as the rules do: through schemas, and through the
// samples that definitions name. It is not safe for concurrent use.
type View struct{ pass *pass }

// NewView returns a view of the documents of a workspace. The catalog reads
// samples that are no JSON.
func NewView(ws *compile.Workspace, files fs.FS, catalog compile.Catalog) *View {
	return &View{&pass{Input: Input{Workspace: ws, Files: files, Catalog: catalog}, ws: ws, decoded: map[string]*document{}}}
}

// Field is one field that exists at a place.
type Field struct {
	Name   string
	Shape  *value.Shape // nil where no schema tells of it
	Sample any          // its first value in a sample
	Seen   string       // that sample; "" where none has the field
}

// Fields returns the fields below a place of a document, those of the schema
// first. path leads on from s; items of lists are value.Items.
func (v *View) Fields(s cell.Shape, path []string) []Field {
	at := v.pass.start(s.At(path...), "")
	if at.shape != nil && at.shape.Type.Base == value.List && at.shape.Item == nil {
		return nil
	}
	names, _, _ := at.names()
	ordered := at.shape.Names()
	for _, n := range names {
		if !slices.Contains(ordered, n) {
			ordered = append(ordered, n)
		}
	}
	var out []Field
	for _, n := range ordered {
		f := Field{Name: n}
		if at.shape != nil {
			f.Shape = at.shape.Fields[n]
		}
		if found := below(at.examples, n); len(found) > 0 {
			f.Sample, f.Seen = found[0].value, found[0].file
		}
		out = append(out, f)
	}
	return out
}

// List reports whether a list stands at a place.
func (v *View) List(s cell.Shape, path []string) bool {
	at := v.pass.start(s.At(path...), "")
	if at.shape.Known() {
		return at.shape.Type.Base == value.List
	}
	return slices.ContainsFunc(at.examples, func(e example) bool { _, list := e.value.([]any); return list })
}

// First returns the first value that a sample has at a place.
func (v *View) First(s cell.Shape) (value any, file string, ok bool) {
	for _, e := range v.pass.examples(s) {
		return e.value, e.file, true
	}
	return nil, "", false
}
