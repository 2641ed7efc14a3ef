package editor

import (
	"maps"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/schema"
	"crossdock/dsl/template"
)

// home is whose a file is: what stands in a template, in an instance, or below
// the code of a client has names of its own.
type home struct {
	template *template.Template
	ws       *compile.Workspace // in which it is compiled: that of all, or a trial
	code     string             // of the client for which it is compiled
}

// homes are those of all files; files of the workspace itself are not in it.
func (s *State) homes() map[string]home {
	if s.home != nil {
		return s.home
	}
	s.home = map[string]home{}
	for _, ws := range s.all() {
		for _, code := range slices.Sorted(maps.Keys(ws.Clients)) {
			c := ws.Clients[code]
			if c.Of == nil {
				continue
			}
			h := home{c.Of, ws, code}
			if ws.Trial == nil {
				s.home[c.Path] = h
			}
			if _, there := s.home[c.Of.Path]; !there {
				s.home[c.Of.Path] = h
			}
			for _, d := range c.Definitions {
				if _, there := s.home[d.Path]; !there {
					s.home[d.Path] = h
				}
			}
		}
	}
	for _, t := range s.Workspace.Templates { // whatever nobody gets
		for _, p := range append(t.Parts(), template.Part{Path: t.Path}) {
			if _, there := s.home[p.Path]; !there {
				s.home[p.Path] = home{template: t, ws: s.Workspace}
			}
		}
	}
	for path, f := range s.Workspace.Files {
		if _, there := s.home[path]; there || f.Root == nil || len(f.Root.Pairs) == 0 {
			continue
		}
		if code, _, ok := strings.Cut(f.Root.Pairs[0].Value.Text, "/"); ok {
			if c := s.Workspace.Clients[code]; c != nil && c.Of != nil {
				s.home[path] = home{c.Of, s.Workspace, code}
			}
		}
	}
	for path, h := range s.folder.homes { // a text that is half written is still whose it was
		if _, there := s.home[path]; !there && s.Workspace.Files[path] != nil {
			s.home[path] = h
		}
	}
	s.folder.homes = s.home
	return s.home
}

// all are the workspace and the trials of its templates.
func (s *State) all() []*compile.Workspace {
	return append([]*compile.Workspace{s.Workspace}, s.Workspace.Trials...)
}

// Definitions that a template makes are one thing, whatever the number of its
// clients: `client@2 orders` stands for acme/orders and bolt/orders.

// own is the name of a definition as that of its template: kind is that of the
// definition, full its name in a workspace.
func own(ws *compile.Workspace, kind, full string) string {
	code, name, ok := strings.Cut(full, "/")
	if !ok {
		return full
	}
	if c := ws.Clients[code]; c != nil && c.Of != nil && c.Of.Has(kind, name) {
		return ofTemplate(c.Of, name)
	}
	return full
}

func ofTemplate(t *template.Template, name string) string { return t.Name + " " + name }

// short is the name as it is written beside the definition.
func short(name string) string {
	if _, rest, ok := strings.Cut(name, " "); ok {
		return rest
	}
	return name
}

// inTemplate is what stands in front of the name of a definition of a template.
func inTemplate(name string) string { return name[:len(name)-len(short(name))] }

// concrete returns a workspace in which a symbol is compiled, and its name
// there: a definition of a template is looked at as the first client has it.
func (s *State) concrete(sym Symbol) (*State, Symbol) {
	of, name, ok := strings.Cut(sym.Name, " ")
	if !ok {
		return s, sym
	}
	kind, base := definitionOf(sym.Kind, name)
	for _, ws := range s.all() {
		for _, code := range slices.Sorted(maps.Keys(ws.Clients)) {
			c := ws.Clients[code]
			if c.Of == nil || c.Of.Name != of || !slices.ContainsFunc(c.Definitions, func(d template.Definition) bool { return d.Kind.Name == kind && d.Name == base }) {
				continue
			}
			if at := (Symbol{sym.Kind, code + "/" + name}); sym.Kind != "field" || hasField(ws, at) {
				return s.in(ws), at
			}
		}
	}
	return s, sym
}

// hasField reports whether a schema has a field: another client may have added
// it.
func hasField(ws *compile.Workspace, sym Symbol) bool {
	name, field, _ := strings.Cut(sym.Name, "#")
	sc := ws.Schemas[name]
	if sc == nil {
		return false
	}
	_, ok := sc.Schema.Span(schema.Split(field))
	return ok
}

// in is the state with another of its workspaces in front.
func (s *State) in(ws *compile.Workspace) *State {
	if ws == s.Workspace {
		return s
	}
	return &State{Workspace: ws, folder: s.folder, texts: s.texts}
}

// definitionOf returns the kind and name of the definition in which a symbol is
// defined.
func definitionOf(kind, name string) (string, string) {
	base, _, _ := strings.Cut(name, "#")
	switch kind {
	case "field":
		return "schema", base
	case "let":
		return "mapping", base
	case "step":
		return "pipeline", base
	case "column":
		return "lookup", base
	case "operation":
		if dot := strings.LastIndexByte(base, '.'); dot > 0 {
			base = base[:dot]
		}
		return "connection", base
	}
	return kind, base
}

// resolveIn returns the workspace in which a name that stands in a file means
// something, and its full name there; "" where it means nothing.
func (s *State) resolveIn(file, kind, name string) (*State, string) {
	h, at := s.homes()[file]
	in := s
	if at && h.ws != nil {
		in = s.in(h.ws)
		if h.code != "" {
			if full := defined(h.ws, kind, h.code+"/"+name); full != "" {
				return in, full
			}
		}
	}
	return in, defined(in.Workspace, kind, name)
}

// visible keeps the names that can be written in a file, as they are written
// there: those of other clients cannot.
func (s *State) visible(file string, items []Item) []Item {
	h, ok := s.homes()[file]
	if !ok {
		return items
	}
	out := items[:0:0]
	seen := map[string]bool{}
	for _, i := range items {
		kind, name, test := strings.Cut(i.Label, " ")
		if !test {
			kind, name = "", i.Label
		}
		if code, rest, slash := strings.Cut(name, "/"); slash && h.ws.Clients[code] != nil {
			if code != h.code {
				continue
			}
			name = rest
		}
		if i.Label = name; test {
			i.Label = kind + " " + name
		}
		if !seen[i.Label] {
			seen[i.Label] = true
			out = append(out, i)
		}
	}
	return out
}
