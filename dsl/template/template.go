// Package template makes the definitions of a client out of a template, the
// values of its parameters and what the client overrides.
//
// It works on trees and never on text: a value of a parameter is put in as a
// node, and every node of the result still says where it was written, in the
// template or in the instance. So a finding about a rendered definition points
// at the line that a person can change.
//
// Maps merge by key, lists are replaced, items of lists that have names are
// matched by name, `drop` removes, and a path that is sealed or not there is an
// error. A Template and an Instance are immutable once made.
package template

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
)

// The codes of this package beside those of dsl/spec.
const (
	CodeOverride diag.Code = "XD1101" // an override hits nothing, or a sealed path
	CodeParam    diag.Code = "XD1102" // a parameter that nobody reads, or a value outside its type
)

// Source is one ordinary file below the folder of a template.
type Source struct {
	Path string    // from the workspace
	Root *ast.Node // a map that begins with kind and name
	Kind spec.Kind
}

// Template is one version of a set of definitions.
type Template struct {
	Name   string // client@2
	Base   string // client
	Major  int
	Path   string // of its file
	Spec   *spec.Template
	Params []*Param
	Found  diag.List // what is wrong with it by itself
	Shape  *schema.Schema

	files  []*file
	unread []string // files that are there, but whose text cannot be read
	lines  []line   // of `files:`; none: every file belongs to every instance
	open   []opening
}

// file is one definition before it is rendered.
type file struct {
	Source
	rel   string // below the folder of the template
	name  string // as others refer to it; of a test the name of its file
	cells map[*ast.Node]bool
}

// New reads a template: its own file and the ordinary files beside it. unread
// are the paths of those beside it whose text says nothing: their findings are
// told elsewhere.
func New(filePath string, root *ast.Node, sources []Source, unread []string) *Template {
	t := &Template{Path: filePath, Spec: &spec.Template{}}
	dec := &spec.Decoder{Diags: &t.Found, Kind: "template", Name: root.Pairs[0].Value.Text}
	dec.Decode(root, t.Spec)
	t.Name = t.Spec.Name.Value
	base, version, _ := strings.Cut(t.Name, "@")
	t.Base = base
	if n, err := strconv.Atoi(version); err == nil && n > 0 {
		t.Major = n
	} else if t.Spec.Name.Set() {
		dec.Errorf(spec.CodeUnknown, t.Spec.Name.Span(), "a template is named with its major version").Hint = "write " + base + "@" + spec.Major(version)
	}
	folder := path.Dir(filePath) + "/"
	for _, s := range sources {
		f := &file{Source: s, rel: strings.TrimPrefix(s.Path, folder), name: s.Root.Pairs[0].Value.Text, cells: spec.Computed(s.Kind, s.Root)}
		if s.Kind.Name == "test" {
			f.name = strings.TrimSuffix(path.Base(s.Path), s.Kind.Suffix)
		}
		t.files = append(t.files, f)
	}
	for _, file := range unread {
		t.unread = append(t.unread, strings.TrimPrefix(file, folder))
	}
	t.params(dec)
	t.readLines(dec)
	t.readOpen(dec)
	t.readPlaceholders(dec)
	if !t.Found.HasErrors() {
		t.unused(dec)
	}
	return t
}

// param finds a parameter by name, nil where there is none.
func (t *Template) param(name string) *Param {
	for _, p := range t.Params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func (t *Template) paramNames() []string {
	names := make([]string, 0, len(t.Params))
	for _, p := range t.Params {
		names = append(names, p.Name)
	}
	return names
}

var (
	placeholder = regexp.MustCompile(`\$\{param\.([A-Za-z0-9_.-]+)\}`)
	paramRead   = regexp.MustCompile(`params\??\.([A-Za-z_][A-Za-z0-9_]*)|params\??\.?\[\s*["']([^"']+)["']\s*\]`)
	paramsWhole = regexp.MustCompile(`\bparams\b`)
)

// readPlaceholders reports parameters that the files name and that do not exist.
func (t *Template) readPlaceholders(dec *spec.Decoder) {
	for _, f := range t.files {
		walk(f.Root, func(n *ast.Node, key bool) {
			for _, at := range placeholder.FindAllStringSubmatchIndex(n.Text, -1) {
				switch name := n.Text[at[2]:at[3]]; {
				case f.cells[n]:
				case key:
					dec.Errorf(spec.CodeUnknown, n.Range(at[0], at[1]), "a parameter cannot stand in a key").
						Hint = "keys are names; put the parameter into a value"
				case t.param(name) == nil:
					t.noParam(dec, n, at[2], at[3])
				}
			}
		})
	}
}

// noParam reports the name of a parameter that does not exist.
func (t *Template) noParam(dec *spec.Decoder, n *ast.Node, from, to int) {
	name, known := n.Text[from:to], t.paramNames()
	d := dec.Errorf(spec.CodeUnknown, n.Range(from, to), "%s has no parameter `%s`", t.Name, name)
	d.Hint, d.Source = "its parameters: "+strings.Join(known, ", "), n.Text
	if len(known) == 0 {
		d.Hint = "add it below `params:` of the template"
	}
	suggest(d, name, known)
}

// suggest offers the nearest of the known words in place of a wrong one.
func suggest(d *diag.Diagnostic, word string, known []string) {
	if near := diag.Nearest(word, known); len(near) > 0 {
		d.Short = "did you mean `" + near[0] + "`?"
		d.Fixes = []diag.Fix{{Title: "replace with `" + near[0] + "`", Edits: []diag.Edit{{Span: d.Span, Text: near[0]}}}}
	}
}

// unused reports parameters that nothing reads (XD1102).
func (t *Template) unused(dec *spec.Decoder) {
	read := map[string]bool{"code": true}
	all := false
	note := func(text string, code bool) {
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			read[m[1]] = true
		}
		if !code {
			return
		}
		found := paramRead.FindAllStringSubmatch(text, -1)
		for _, m := range found {
			read[m[1]+m[2]] = true
		}
		all = all || len(paramsWhole.FindAllString(text, -1)) > len(found)
	}
	for _, f := range t.files {
		all = all || f.Root.Get("program") != nil // it may read any of them
		walk(f.Root, func(n *ast.Node, _ bool) { note(n.Text, f.cells[n]) })
	}
	for _, l := range t.lines {
		for _, p := range l.params {
			read[p.Name] = true
		}
		note(l.when.Source(), true)
	}
	for name := range read { // misspelt, which is told where it is read
		if near := diag.Nearest(name, t.paramNames()); t.param(name) == nil && len(near) > 0 {
			read[near[0]] = true
		}
	}
	for _, p := range t.Params {
		if !read[p.Name] && !all {
			dec.Warnf(CodeParam, p.key.Span, "no file of the template reads the parameter `%s`", p.Name).
				Hint = "use it as ${param." + p.Name + "}, $params." + p.Name + " or params." + p.Name + ", or remove it"
		}
	}
}

// walk calls f for every scalar and for every key.
func walk(n *ast.Node, f func(n *ast.Node, key bool)) {
	if n.Kind == ast.Scalar {
		f(n, false)
	}
	for _, p := range n.Pairs {
		f(p.Key, true)
		walk(p.Value, f)
	}
	for _, item := range n.Items {
		walk(item, f)
	}
}

// Scope is where the cells of the template's own file stand: they see the
// parameters and nothing else.
func (t *Template) scope() cell.Context {
	return cell.Context{Kind: "template", Name: t.Name, File: t.Path, Role: "when", OnlyParams: true,
		VarShapes: map[string]cell.Shape{"params": {Schema: t.Shape}}}
}

// Reads reports whether an instance of the template depends on the file.
func (t *Template) Reads(filePath string) bool {
	return slices.ContainsFunc(t.files, func(f *file) bool { return f.Path == filePath })
}
