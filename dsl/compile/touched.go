package compile

import (
	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
)

// Touched returns the files of the tests that a change of files can affect:
// tests that changed, or whose mapping or pipeline reaches a changed file.
func (w *Workspace) Touched(files map[string]bool) map[string]bool {
	hit := func(f *ast.File) bool { return f != nil && files[f.Path] }
	shared := false // lookups, schemas and connections are used by name in many ways
	for path := range files {
		f := w.Files[path]
		if f == nil {
			shared = shared || len(path) > 0 && path[len(path)-1] != 'd' // data beside definitions, not documents
			continue
		}
		switch kind, _ := spec.KindOfFile(path); kind.Name {
		case "mapping", "pipeline", "test":
		default:
			shared = true
		}
	}
	out := map[string]bool{}
	for _, t := range w.Tests {
		switch {
		case shared, hit(t.File):
			out[t.File.Path] = true
		case t.Mapping != nil && hit(t.Mapping.File):
			out[t.File.Path] = true
		case t.Pipeline != nil:
			if hit(t.Pipeline.File) || w.usesTouched(t.Pipeline, hit) {
				out[t.File.Path] = true
			}
		}
	}
	return out
}

func (w *Workspace) usesTouched(p *Pipeline, hit func(*ast.File) bool) bool {
	for _, s := range p.ByID {
		if s.Map == nil {
			continue
		}
		if m := w.Mappings[s.Map.Name]; m != nil && hit(m.File) {
			return true
		}
	}
	return false
}
