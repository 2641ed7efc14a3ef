package template

import (
	"reflect"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// opening is one entry of `open:`.
type opening struct {
	target
	node *ast.Node
}

// target is a path into a definition of the template.
type target struct {
	kind, name string
	path       string // dotted; "" is the whole definition
	files      []*file
	from       int // byte of the text where path begins
}

func (t target) def() string { return t.kind + "/" + t.name }

// target takes kind/name.path apart. Several files may make the same definition
// for different instances.
func (t *Template) target(text string) (target, bool) {
	kind, rest, ok := strings.Cut(text, "/")
	if !ok {
		return target{}, false
	}
	best := target{kind: kind}
	for _, f := range t.files {
		for _, name := range f.names() {
			if f.Kind.Name != kind || !begins(rest, name) || len(name) < len(best.name) {
				continue
			}
			if len(name) > len(best.name) {
				best.files = nil
			}
			best.name = name
			if !slices.Contains(best.files, f) {
				best.files = append(best.files, f)
			}
		}
	}
	if best.name == "" {
		return target{kind: kind, name: rest}, false
	}
	best.path = strings.TrimPrefix(rest[len(best.name):], ".")
	best.from = len(text) - len(best.path)
	return best, true
}

// names are the names under which a file can be meant: a schema also without
// its version.
func (f *file) names() []string {
	if base, _, ok := strings.Cut(f.name, "@"); ok && f.Kind.Name == "schema" {
		return []string{f.name, base}
	}
	return []string{f.name}
}

// readOpen reads `open:` and reports paths that are not there.
func (t *Template) readOpen(dec *spec.Decoder) {
	for _, o := range t.Spec.Open {
		if !o.Set() {
			continue
		}
		at, ok := t.target(o.Value)
		if !ok {
			t.noDefinition(dec, o.Node, at)
			continue
		}
		t.open = append(t.open, opening{at, o.Node})
		if at.path == "" {
			continue
		}
		known, fits := []string{}, false
		for _, f := range at.files {
			got := find(f.Kind.Name, f.Root, at.path)
			switch {
			case got.rest == "":
				fits = true
			case got.node != nil && got.node == f.Root && slices.Contains(f.Kind.Keys(), got.rest):
				fits = true // the template is silent, an instance may speak
			default:
				for _, word := range reachable(f, got) {
					if !slices.Contains(known, word) {
						known = append(known, word)
					}
				}
			}
		}
		if !fits {
			got := find(at.files[0].Kind.Name, at.files[0].Root, at.path)
			from := len(o.Node.Text) - len(got.rest)
			d := dec.Errorf(CodeOverride, o.Node.Range(from, len(o.Node.Text)), "the %s `%s` has no `%s`", at.kind, at.name, got.rest)
			d.Hint = "you can open: " + some(known, 12)
			if first, more, deeper := strings.Cut(got.rest, "."); deeper {
				d.Span = o.Node.Range(from, from+len(first))
				if near := diag.Nearest(first, known); len(near) > 0 {
					d.Hint = "write `" + o.Node.Text[:from] + near[0] + "." + more + "`"
				}
				suggest(d, first, known)
				continue
			}
			suggest(d, got.rest, known)
		}
	}
}

// reachable are the words that could stand in place of what was not found.
func reachable(f *file, got trail) []string {
	var out []string
	switch {
	case got.node == nil:
	case got.node == f.Root:
		out = append(out, f.Root.Keys()[1:]...)
		if c := f.Root.Get(containers[f.Kind.Name]); c != nil {
			out = append(out, words1(c)...)
		}
		for _, k := range f.Kind.Keys()[1:] {
			if !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	default:
		out = words1(got.node)
	}
	return out
}

// words1 are the words by which one can go on from a node.
func words1(n *ast.Node) []string {
	if n.Kind == ast.Map {
		return n.Keys()
	}
	var out []string
	for i := range n.Items {
		word := strings.TrimLeft(label(n, i), mark)
		if !strings.HasPrefix(word, "[") {
			out = append(out, word)
		}
	}
	return out
}

func some(names []string, n int) string {
	if len(names) > n {
		return strings.Join(names[:n], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// noDefinition reports a path that begins with no definition of the template.
func (t *Template) noDefinition(dec *spec.Decoder, n *ast.Node, at target) {
	var kinds, defs, ofKind []string
	for _, f := range t.files {
		if !slices.Contains(kinds, f.Kind.Name) {
			kinds = append(kinds, f.Kind.Name)
		}
		if def := f.Kind.Name + "/" + f.name; f.Kind.Name != "test" && !slices.Contains(defs, def) {
			defs = append(defs, def)
		}
		if f.Kind.Name == at.kind && !slices.Contains(ofKind, f.name) {
			ofKind = append(ofKind, f.name)
		}
	}
	switch {
	case at.kind == "":
		d := dec.Errorf(CodeOverride, n.Span, "`%s` does not say which definition", n.Text)
		d.Hint = "write kind/name, such as " + example(defs)
		for _, def := range defs {
			if _, name, _ := strings.Cut(def, "/"); begins(n.Text, name) {
				d.Short = "did you mean `" + def + n.Text[len(name):] + "`?"
				d.Fixes = []diag.Fix{{Title: "replace with `" + def + n.Text[len(name):] + "`", Edits: []diag.Edit{{Span: n.Span, Text: def + n.Text[len(name):]}}}}
				break
			}
		}
	case len(ofKind) == 0:
		_, known := spec.KindNamed(at.kind)
		d := dec.Errorf(CodeOverride, n.Range(0, len(at.kind)), "there is no kind `%s`", at.kind)
		if known {
			d.Message = t.Name + " has no " + at.kind
		}
		d.Hint = "its definitions: " + some(defs, 12)
		suggest(d, at.kind, kinds)
	default:
		if len(t.unread) > 0 {
			return // it may stand in a file that cannot be read, which is found
		}
		end := len(n.Text)
		word := at.name
		// What follows a dot may be a path: the name alone is looked at first.
		if first, _, dotted := strings.Cut(at.name, "."); dotted && len(diag.Nearest(first, ofKind)) > 0 {
			word, end = first, len(at.kind)+1+len(first)
		}
		d := dec.Errorf(CodeOverride, n.Range(len(at.kind)+1, end), "%s has no %s `%s`", t.Name, at.kind, word)
		d.Hint = "its " + plural(at.kind) + ": " + some(ofKind, 12)
		suggest(d, word, ofKind)
	}
}

func plural(kind string) string { return kind + "s" }

func example(defs []string) string {
	for _, def := range defs {
		if strings.HasPrefix(def, "pipeline/") {
			return def
		}
	}
	return "pipeline/orders"
}

// openIn returns what is open in one definition, as segments, and as people
// write it.
func (t *Template) openIn(f *file, root *ast.Node) (segs [][]string, written []string) {
	if f.Kind.Name == "test" {
		return [][]string{{}}, []string{""} // tests promise nothing to others
	}
	for _, o := range t.open {
		if o.kind != f.Kind.Name || !slices.Contains(f.names(), o.name) {
			continue
		}
		got := find(o.kind, root, o.path)
		path := slices.Clone(got.segs)
		if got.rest != "" {
			path = append(path, got.rest)
		}
		segs, written = append(segs, path), append(written, o.path)
	}
	return segs, written
}

// covered reports whether a path lies below an open one.
func covered(open [][]string, path []string) bool {
	return slices.ContainsFunc(open, func(o []string) bool {
		return len(o) <= len(path) && reflect.DeepEqual(o, path[:len(o)]) || len(o) == 0
	})
}

// leads reports whether something below a path is open.
func leads(open [][]string, path []string) bool {
	return slices.ContainsFunc(open, func(o []string) bool {
		return len(o) > len(path) && (len(path) == 0 || reflect.DeepEqual(o[:len(path)], path))
	})
}
