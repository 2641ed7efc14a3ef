package editor

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/template"
)

// namedIn is what a reference of a kind could name in a file, as it is written
// there.
func (s *State) namedIn(file, kind string) []Item {
	h, ok := s.homes()[file]
	if !ok {
		return s.named(kind)
	}
	return s.visible(file, s.in(h.ws).named(kind))
}

// partsBeside are the files of which a template is made.
func (s *State) partsBeside(file string) []Item {
	h, ok := s.homes()[file]
	if !ok {
		return nil
	}
	var out []Item
	for _, p := range h.template.Parts() {
		out = append(out, Item{Label: strings.TrimPrefix(p.Path, path.Dir(h.template.Path)+"/"), Kind: "file"})
	}
	return out
}

var (
	placeholderOpen = regexp.MustCompile(`\$\{(param|var)\.\w*$`)
	paramsOpen      = regexp.MustCompile(`\bparams\??\.\w*$`)
)

// completePlaceholder returns what could stand in a ${param.x} or ${var.x} that
// is being written, and behind params. in the file of a template; false
// elsewhere.
func (s *State) completePlaceholder(file string, d *draft) ([]Item, bool) {
	before, _, _ := strings.Cut(d.node.Text, marker)
	before += d.prefix
	h, ours := s.homes()[file]
	m := placeholderOpen.FindStringSubmatch(before)
	switch {
	case m == nil && ours && file == h.template.Path && paramsOpen.MatchString(before):
		return paramItems(h.template), true
	case m == nil:
		return nil, false
	case m[1] == "param" && ours:
		return paramItems(h.template), true
	case m[1] == "var" && s.Workspace.Environment != nil:
		return words(slices.Sorted(maps.Keys(s.Workspace.Environment.Vars))...), true
	}
	return nil, true
}

func paramItems(t *template.Template) []Item {
	var out []Item
	for _, p := range t.Params {
		out = append(out, Item{Label: p.Name, Kind: "variable", Detail: p.Type.String(), Doc: p.Note})
	}
	return out
}
