package mutation

import (
	"regexp"

	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
)

// What nothing reads and nobody calls cannot be noticed by any test, and does no
// harm when it is wrong: clients of a template leave rows out, and pipelines, whose
// helpers and operations stay.

// called are the operations that a pipeline, a poll or the look of another one
// calls, by their full names.
func called(ws *compile.Workspace) map[string]bool {
	out := map[string]bool{}
	add := func(ref string) {
		if op := ws.Operation(ref); op != nil {
			out[op.Ref()] = true
			if op.Check != nil {
				out[op.Check.Operation] = true
			}
		}
	}
	for _, p := range ws.Pipelines {
		add(p.Trigger.From)
		for _, s := range p.ByID {
			add(s.Target)
		}
	}
	return out
}

var words = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]*`)

// read are the words in the cells of a mapping: a helper that is not among them
// is read by nobody.
func read(m *mapping.Mapping) map[string]bool {
	out := map[string]bool{}
	note := func(source string) {
		for _, w := range words.FindAllString(source, -1) {
			out[w] = true
		}
	}
	var object func(o *mapping.Object)
	row := func(r *mapping.Row) {
		if r.When != nil {
			note(r.When.Source())
		}
		if r.From != nil {
			note(r.From.Source())
		}
		if r.Each != nil {
			note(r.Each.Source())
		}
		if r.Fields != nil {
			object(r.Fields)
		}
	}
	object = func(o *mapping.Object) {
		for i := range o.Fields {
			if f := &o.Fields[i]; f.Nested != nil {
				object(f.Nested)
			} else {
				row(f.Row)
			}
		}
	}
	for i := range m.Lets {
		row(&m.Lets[i])
	}
	if m.Program != nil {
		note(m.Program.Source())
	}
	object(&m.Object)
	return out
}
