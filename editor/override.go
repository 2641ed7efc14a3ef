package editor

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
	"crossdock/dsl/value"
)

// instanceForm is what may stand in an instance of its template: the parameters
// by their names, and the overrides of what is open.
func (s *State) instanceForm(base *spec.Form, root *ast.Node) *spec.Form {
	of := root.Get("of")
	if of == nil {
		return base
	}
	t := s.Workspace.Templates[of.Text]
	if h, ok := s.homes()[root.Span.File]; t == nil && ok && h.template.Name == of.Text {
		t = h.template // of which the file is being written
	}
	if t == nil {
		return base
	}
	out := *base
	out.Keys = slices.Clone(base.Keys)
	for i := range out.Keys {
		switch k := &out.Keys[i]; k.Name {
		case "params":
			k.Form = paramsForm(t)
		case "override":
			k.Form = s.overridesForm(t)
		case "drop":
			k.Form = oneOf(s.openPaths(t))
		}
	}
	return &out
}

func oneOf(words []string) *spec.Form {
	one := &spec.Form{Scalar: &spec.Scalar{Words: words}}
	return &spec.Form{Items: one, Scalar: one.Scalar}
}

func paramsForm(t *template.Template) *spec.Form {
	f := &spec.Form{Keys: []spec.Key{}}
	for _, p := range t.Params {
		f.Keys = append(f.Keys, spec.Key{Name: p.Name, Doc: p.Note, Required: p.Required, Form: paramForm(p.Type, p.Options)})
	}
	return f
}

func paramForm(t value.Type, options []string) *spec.Form {
	f := &spec.Form{Scalar: &spec.Scalar{Words: options, Takes: t.String()}}
	switch t.Base {
	case value.Boolean:
		f.Scalar.Base = spec.IsBool
	case value.List:
		item := value.Type{}
		if t.Item != nil {
			item = *t.Item
		}
		return &spec.Form{Items: paramForm(item, options)}
	case value.Object, value.Any:
		return &spec.Form{Any: true}
	}
	return f
}

// overridesForm has a key for each definition of which something is open.
func (s *State) overridesForm(t *template.Template) *spec.Form {
	f := &spec.Form{Name: "overrides", Keys: []spec.Key{}}
	for _, p := range t.Parts() {
		opened := t.Opened(p.Kind, p.Name)
		name := p.Kind + "/" + p.Name
		if base, _, versioned := strings.Cut(name, "@"); versioned && p.Kind == "schema" {
			name = base
		}
		if _, twice := f.Key(name); len(opened) == 0 || twice {
			continue
		}
		kind, ok := spec.KindNamed(p.Kind)
		if !ok {
			continue
		}
		f.Keys = append(f.Keys, spec.Key{Name: name, Doc: "What is different in " + p.Path + ".", Form: overrideForm(s.form(kind, p.Root), p, opened)})
	}
	return f
}

// overrideForm is what may stand in one override.
func overrideForm(whole *spec.Form, p template.Part, opened []string) *spec.Form {
	f := &spec.Form{Name: "override", Keys: []spec.Key{}}
	var drops []string
	add := func(name, doc string, form *spec.Form) {
		if _, twice := f.Key(name); !twice && form != nil {
			f.Keys = append(f.Keys, spec.Key{Name: name, Doc: doc, Form: named(form)})
		}
	}
	for _, path := range opened {
		if path == "" {
			for _, k := range whole.Keys[min(1, len(whole.Keys)):] {
				if !k.Later {
					add(k.Name, k.Doc, k.Form)
				}
			}
			continue
		}
		first, _, _ := strings.Cut(path, ".")
		k, known := whole.Key(first)
		form := below(whole, path)
		if !known && form == nil {
			for _, container := range []string{"steps", "fields", "rows", "operations", "cases"} {
				if form = below(whole.Below(container), path); form != nil {
					break
				}
			}
		}
		add(path, k.Doc, form)
		if n := p.Root.Get(path); n != nil && n.Kind == ast.Map {
			drops = append(drops, n.Keys()...)
		}
	}
	f.Keys = append(f.Keys, spec.Key{Name: "drop", Doc: "What this client does not have.", Form: oneOf(drops)},
		spec.Key{Name: "until", Doc: "The last day of the override; lint and rebase say so when it is over.", Form: &spec.Form{Scalar: &spec.Scalar{Takes: "a day, as 2026-12-31"}}},
		spec.Key{Name: "note", Doc: "Why it is different.", Form: &spec.Form{Scalar: &spec.Scalar{}}})
	return f
}

// below follows a dotted path through a form; items of lists are gone into by
// the keys they have.
func below(f *spec.Form, path string) *spec.Form {
	for path != "" && f != nil {
		for f.Items != nil && f.Keys == nil && f.Values == nil {
			f = f.Items
		}
		key, rest, _ := strings.Cut(path, ".")
		f, path = f.Below(key), rest
	}
	return f
}

// named is a form in which the items of a list may be written by their names.
func named(f *spec.Form) *spec.Form {
	if f.Items == nil || f.Items.Keys == nil {
		return f
	}
	if _, ok := f.Items.Key("name"); !ok {
		return f
	}
	item := *f.Items
	item.Keys = append(slices.Clone(item.Keys),
		spec.Key{Name: "before", Doc: "The item in front of which a new one stands.", Form: &spec.Form{Scalar: &spec.Scalar{}}},
		spec.Key{Name: "after", Doc: "The item behind which a new one stands.", Form: &spec.Form{Scalar: &spec.Scalar{}}})
	out := *f
	out.Values = &item
	return &out
}

// openPaths are the words by which something of a template can be opened or
// dropped.
func (s *State) openPaths(t *template.Template) []string {
	var out []string
	for _, p := range t.Parts() {
		for _, path := range t.Opened(p.Kind, p.Name) {
			if name := strings.TrimSuffix(p.Kind+"/"+p.Name+"."+path, "."); !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// templateForm is what may stand in the file of a template: `open` takes the
// definitions beside it and their keys, `files` their names.
func (s *State) templateForm(base *spec.Form, root *ast.Node) *spec.Form {
	h, ok := s.homes()[root.Span.File]
	if !ok {
		return base
	}
	t := h.template
	var open []string
	for _, p := range t.Parts() {
		if p.Kind == "test" || slices.Contains(open, p.Kind+"/"+p.Name) {
			continue
		}
		open = append(open, p.Kind+"/"+p.Name)
		for _, k := range p.Root.Keys()[1:] {
			open = append(open, p.Kind+"/"+p.Name+"."+k)
		}
	}
	out := *base
	out.Keys = slices.Clone(base.Keys)
	for i := range out.Keys {
		switch k := &out.Keys[i]; k.Name {
		case "open":
			k.Form = oneOf(open)
		case "files":
			files := *k.Form
			files.Refers = "part"
			k.Form = &files
		}
	}
	return &out
}

// overridden returns the part of a template that an override is about, by the
// keys that lead into it; false outside of overrides.
func (s *State) overridden(file string, keys []string) (template.Part, bool) {
	h, ok := s.homes()[file]
	if !ok || len(keys) < 2 || keys[0] != "override" {
		return template.Part{}, false
	}
	p, _, ok := h.template.Meant(keys[1])
	return p, ok
}
