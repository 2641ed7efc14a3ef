package template

import (
	"encoding/json"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// Trial is an instance that nobody wrote: it takes the template as it is, so
// that files which no client gets are looked at all the same.
type Trial struct {
	Path string // where the instance would stand
	Text []byte
	Gets []string // paths of the files that it is made for
	// Invented are the parameters whose values say nothing about the template.
	Invented []string
}

// maxTrials bounds how many ways of setting parameters are looked at.
const maxTrials = 256

// Trials returns instances, in order, that get the files in want, each file by
// the first that does. Values are those of clients of this or another version,
// where they fit; then defaults, the first of the options, and examples. What
// has few values is varied last: what follows from the code of a client that is
// set otherwise than it is, such as the names of its samples, says nothing.
func (t *Template) Trials(clients []*Instance, want map[string]bool) []Trial {
	if t.Found.HasErrors() {
		return nil
	}
	left := map[string]bool{}
	for _, f := range t.files {
		if want[f.Path] {
			left[f.Path] = true
		}
	}
	var out []Trial
	try := func(like *Instance, values map[string]any, invented []string) {
		if len(left) == 0 {
			return
		}
		if trial, ok := t.trial(like, values, left); ok {
			trial.Invented = invented
			out = append(out, trial)
		}
	}
	for _, c := range clients {
		values, invented := t.lean(c)
		try(c, values, invented)
	}
	var first *Instance
	if len(clients) > 0 {
		first = clients[0]
	}
	base, invented := t.lean(first)
	for _, values := range t.variants(base) {
		try(first, values, append(invented, "code"))
	}
	return out
}

// trial is one instance; false where it gets none of the files that are left.
func (t *Template) trial(like *Instance, values map[string]any, left map[string]bool) (Trial, bool) {
	name, path := "trial", "trial.instance.yaml"
	if like != nil {
		name, path = like.Name, like.Path
	}
	trial := Trial{Path: path, Text: trialText(name, t.Name, values)}
	file, _ := parser.Parse(path, trial.Text)
	if file.Root == nil {
		return trial, false
	}
	in := Head(path, file.Root)
	in.Of = t
	if !in.readParams(t, in.decoder()) {
		return trial, false
	}
	var ignored diag.List
	got, _ := t.choose(in, &spec.Decoder{Diags: &ignored})
	for _, f := range got {
		if left[f.Path] {
			delete(left, f.Path)
			trial.Gets = append(trial.Gets, f.Path)
		}
	}
	return trial, len(trial.Gets) > 0
}

// lean are the values of a client that says no more than it has to, and the
// parameters for which one had to be invented.
func (t *Template) lean(like *Instance) (map[string]any, []string) {
	values, invented := map[string]any{}, []string{}
	for _, p := range t.Params {
		if v, ok := p.like(like); ok {
			values[p.Name] = v
			continue
		}
		switch {
		case p.Default != nil || !p.Required:
		case len(p.Options) > 0 && p.Type.Base == value.List:
			values[p.Name] = p.Options
		case len(p.Options) > 0:
			values[p.Name] = p.Options[0]
		default:
			values[p.Name] = example1(p.Type)
			invented = append(invented, p.Name)
		}
	}
	return values, invented
}

// like is the value that a client has for the parameter, where it fits.
func (p *Param) like(in *Instance) (any, bool) {
	if in == nil {
		return nil, false
	}
	pair := in.Spec.Params.Pair(p.Name)
	if pair == nil {
		return nil, false
	}
	var ignored diag.List
	v, ok := p.read(pair.Value, &spec.Decoder{Diags: &ignored}, "")
	return v.JSON, ok
}

// variants are all ways of setting what has few values, the given one first.
func (t *Template) variants(base map[string]any) []map[string]any {
	out := []map[string]any{base}
	for _, p := range t.Params {
		var other []any
		switch {
		case p.Type.Base == value.Boolean:
			other = []any{true, false}
		case len(p.Options) > 0 && p.Type.Textual():
			for _, o := range p.Options {
				other = append(other, o)
			}
		}
		for _, values := range slices.Clone(out) {
			for _, v := range other {
				if len(out) >= maxTrials || values[p.Name] == v {
					continue
				}
				next := map[string]any{p.Name: v}
				for k, was := range values {
					if k != p.Name {
						next[k] = was
					}
				}
				out = append(out, next)
			}
		}
	}
	return out
}

// example1 is a value of a type.
func example1(t value.Type) any {
	switch t.Base {
	case value.Boolean:
		return true
	case value.Integer, value.Number, value.Fixed:
		return json.Number("1")
	case value.Date:
		return "2026-01-31"
	case value.Time:
		return "12:00"
	case value.DateTime:
		return "2026-01-31T12:00:00Z"
	case value.URL:
		return "https://example.com"
	case value.Object:
		return map[string]any{}
	case value.List:
		if t.Item == nil {
			return []any{"x"}
		}
		return []any{example1(*t.Item)}
	}
	return "trial"
}

// trialText is the file of an instance.
func trialText(name, of string, values map[string]any) []byte {
	raw, _ := json.Marshal(values) // of texts, numbers, lists and maps
	return []byte("instance: " + name + "\nof: " + of + "\nparams: " + string(raw) + "\n")
}

// Invents reports whether a place of the template holds one of the parameters.
func Invents(n string, invented []string) bool {
	return slices.ContainsFunc(invented, func(p string) bool { return strings.Contains(n, "${param."+p+"}") })
}

// Part is one file of a template and the definition it makes.
type Part struct {
	Path, Kind, Name string
	Root             *ast.Node
}

// Parts returns the files that the template is made of.
func (t *Template) Parts() []Part {
	out := make([]Part, 0, len(t.files))
	for _, f := range t.files {
		out = append(out, Part{f.Path, f.Kind.Name, f.name, f.Root})
	}
	return out
}

// Decided returns the files that clients get or not by the condition around a place.
func (t *Template) Decided(at diag.Span) []Part {
	var out []Part
	for _, l := range t.lines {
		if !l.when.Set() || !l.when.Node.Span.Contains(at) {
			continue
		}
		for _, f := range t.files {
			if l.mayName(f.rel) {
				out = append(out, Part{f.Path, f.Kind.Name, f.name, f.Root})
			}
		}
	}
	return out
}

// Has reports whether the template makes a definition of a kind and name, for
// some instance or for all of them.
func (t *Template) Has(kind, name string) bool {
	return slices.ContainsFunc(t.files, func(f *file) bool { return f.Kind.Name == kind && f.name == name })
}

// Meant returns the definition that a path such as pipeline/orders.policy begins
// with, and the rest of the path; false where there is none.
func (t *Template) Meant(text string) (p Part, rest string, ok bool) {
	at, ok := t.target(text)
	if !ok {
		return Part{Kind: at.kind}, "", false
	}
	f := at.files[0]
	return Part{f.Path, f.Kind.Name, f.name, f.Root}, at.path, true
}

// Opened returns the paths below a definition that instances may override; ""
// is the whole of it.
func (t *Template) Opened(kind, name string) []string {
	var out []string
	for _, o := range t.open {
		for _, f := range o.files {
			if f.Kind.Name == kind && f.name == name && !slices.Contains(out, o.path) {
				out = append(out, o.path)
			}
		}
	}
	if kind == "test" && t.Has(kind, name) {
		return []string{""}
	}
	return out
}
