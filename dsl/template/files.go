package template

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// line is one entry of `files:`.
type line struct {
	key    *ast.Node
	params []*Param // in its braces
	parts  []string // the text around them: one more than params
	when   spec.Cell
	rule   *rule.Program // nil: always
}

var brace = regexp.MustCompile(`\{([^{}]*)\}`)

// readLines reads `files:` and compares it with what is in the folder.
func (t *Template) readLines(dec *spec.Decoder) {
	for i := range t.Spec.Files {
		f := &t.Spec.Files[i]
		l := line{key: f.Key, when: f.Value.When}
		at, ok := 0, true
		for _, m := range brace.FindAllStringSubmatchIndex(f.Key.Text, -1) {
			p := t.param(f.Key.Text[m[2]:m[3]])
			switch {
			case p == nil:
				t.noParam(dec, f.Key, m[2], m[3])
				ok = false
				continue
			case !p.Type.Textual() && p.Type.Base != value.Integer:
				dec.Errorf(spec.CodeUnknown, f.Key.Range(m[2], m[3]), "`%s` is %s and cannot stand in the name of a file", p.Name, words(p.Type))
				ok = false
				continue
			}
			l.params, l.parts = append(l.params, p), append(l.parts, f.Key.Text[at:m[0]])
			at = m[1]
		}
		if l.parts = append(l.parts, f.Key.Text[at:]); !ok {
			t.lines = append(t.lines, line{key: f.Key, parts: []string{"\x00"}})
			continue
		}
		l.rule = t.compileWhen(l.when)
		t.lines = append(t.lines, l)
		t.present(dec, l)
	}
	if len(t.lines) == 0 {
		return
	}
	for _, f := range t.files {
		if f.Kind.Name != "test" && !slices.ContainsFunc(t.lines, func(l line) bool { return l.mayName(f.rel) }) && !t.Found.HasErrors() {
			dec.Warnf(spec.CodeUnknown, f.Root.Pairs[0].Key.Span, "no instance gets this file: `files` of %s does not name it", t.Name).
				Hint = "add `" + f.rel + ": {when: true}` below `files:` in " + t.Path + ", or remove the file"
		}
	}
}

// compileWhen compiles the condition of a line.
func (t *Template) compileWhen(c spec.Cell) *rule.Program {
	cells := cell.Compiler{Diags: &t.Found}
	p := cells.Rule(c, t.scope())
	if p == nil {
		return nil
	}
	for _, read := range p.Paths() {
		if read.Root != "params" || len(read.Segments) == 0 || t.param(read.Segments[0].Name) != nil {
			continue
		}
		t.noParam(&spec.Decoder{Diags: &t.Found, Kind: "template", Name: t.Name}, c.Node, read.Segments[0].From, read.Segments[0].To)
	}
	return p
}

// present reports a line that names no file, and an option of a parameter for
// which there is none.
func (t *Template) present(dec *spec.Decoder, l line) {
	there := func(name string) bool {
		return slices.ContainsFunc(t.files, func(f *file) bool { return f.rel == name })
	}
	absent := func(name string) *diag.Diagnostic {
		if slices.Contains(t.unread, name) {
			d := dec.Errorf(spec.CodeUnknown, l.key.Span, "the file `%s` cannot be read", name)
			d.Hint = "mend what is found in it"
			return d
		}
		return dec.Errorf(spec.CodeUnknown, l.key.Span, "there is no file `%s` in %s", name, path.Dir(t.Path))
	}
	if len(l.params) == 0 {
		name := l.parts[0]
		if there(name) {
			return
		}
		known := make([]string, 0, len(t.files))
		for _, f := range t.files {
			known = append(known, f.rel)
		}
		d := absent(name)
		if d.Hint != "" {
			return
		}
		d.Hint = "its files: " + strings.Join(known, ", ")
		suggest(d, name, known)
		return
	}
	for _, name := range l.names() {
		if !there(name) && l.rule == nil || !there(name) && l.rule.Truth() == rule.Always {
			if d := absent(name); d.Hint == "" {
				d.Hint = "every option of a parameter in the name needs its file"
			}
			return
		}
	}
}

// names are all names that a line can stand for, where the options of its
// parameters tell.
func (l line) names() []string {
	out := []string{l.parts[0]}
	for i, p := range l.params {
		var next []string
		for _, before := range out {
			for _, o := range p.Options {
				next = append(next, before+o+l.parts[i+1])
			}
		}
		out = next
	}
	return out
}

// mayName reports whether a line can stand for a file.
func (l line) mayName(rel string) bool {
	if len(l.params) == 0 {
		return rel == l.parts[0]
	}
	if names := l.names(); len(names) > 0 {
		return slices.Contains(names, rel)
	}
	if !strings.HasPrefix(rel, l.parts[0]) || !strings.HasSuffix(rel, l.parts[len(l.parts)-1]) {
		return false
	}
	for _, part := range l.parts {
		i := strings.Index(rel, part)
		if i < 0 {
			return false
		}
		rel = rel[i+len(part):]
	}
	return true
}

// name is what a line stands for with the values of an instance.
func (l line) name(values map[string]Value) (string, bool) {
	name := l.parts[0]
	for i, p := range l.params {
		v, ok := values[p.Name]
		if !ok {
			return "", false
		}
		name += v.Node.Text + l.parts[i+1]
	}
	return name, true
}

// choose returns the files that an instance gets, and for each of the others
// why it does not.
func (t *Template) choose(in *Instance, dec *spec.Decoder) (got []*file, without map[*file]string) {
	without = map[*file]string{}
	for _, f := range t.files {
		if f.Kind.Name == "test" {
			continue
		}
		if why := t.takes(f, in, dec); why == "" {
			got = append(got, f)
		} else {
			without[f] = why
		}
	}
	for _, f := range t.files {
		if f.Kind.Name == "test" && t.takesTest(f, got, in, dec) {
			got = append(got, f)
		}
	}
	for _, l := range t.lines {
		if name, ok := l.name(in.values); ok && len(l.params) > 0 && len(l.names()) == 0 && in.yes(l.rule) &&
			!slices.ContainsFunc(t.files, func(f *file) bool { return f.rel == name }) {
			d := dec.Errorf(spec.CodeUnknown, in.values[l.params[0].Name].Node.Span, "%s has no file `%s`", t.Name, name)
			d.Related = []diag.Related{{Span: l.key.Span, Message: "the template asks for it here"}}
		}
	}
	return got, without
}

// takes says why an instance does not get a file; "" where it does.
func (t *Template) takes(f *file, in *Instance, dec *spec.Decoder) string {
	if len(t.lines) == 0 {
		return ""
	}
	why := "`files` of " + t.Name + " does not name " + f.rel
	for _, l := range t.lines {
		if !l.mayName(f.rel) {
			continue
		}
		if name, ok := l.name(in.values); !ok || name != f.rel {
			why = f.rel + " belongs to other values of " + paramNames(l.params)
			continue
		}
		if in.yes(l.rule) {
			return ""
		}
		why = f.rel + " is taken in where " + l.when.Source()
	}
	return why
}

func paramNames(list []*Param) string {
	names := make([]string, 0, len(list))
	for _, p := range list {
		names = append(names, "`"+p.Name+"`")
	}
	return strings.Join(names, " and ")
}

// takesTest reports whether an instance gets a test: where `files` names it as
// that says, else with the definition it lies next to, else with what it tests.
func (t *Template) takesTest(f *file, got []*file, in *Instance, dec *spec.Decoder) bool {
	if slices.ContainsFunc(t.lines, func(l line) bool { return l.mayName(f.rel) }) {
		return t.takes(f, in, dec) == ""
	}
	twin := func(list []*file) bool {
		return slices.ContainsFunc(list, func(o *file) bool {
			return o != f && o.Kind.Name != "test" && strings.TrimSuffix(o.rel, o.Kind.Suffix) == strings.TrimSuffix(f.rel, f.Kind.Suffix)
		})
	}
	if twin(t.files) {
		return twin(got)
	}
	kind, name, _ := strings.Cut(f.Root.Pairs[0].Value.Text, " ")
	about := func(list []*file) bool {
		return slices.ContainsFunc(list, func(o *file) bool { return o.Kind.Name == kind && o.name == strings.TrimSpace(name) })
	}
	return about(got) || !about(t.files)
}

// yes evaluates a condition with the values of the instance.
func (in *Instance) yes(p *rule.Program) bool {
	if p == nil {
		return true
	}
	yes, err := p.Eval(rule.Env{Params: in.JSON()})
	return err == nil && yes
}
