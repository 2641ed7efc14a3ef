package editor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
)

// Change is what a new name makes necessary.
type Change struct {
	Edits []diag.Edit       // over all files
	Files map[string]string // files that are named after it: old path to new path
}

// renameable are the kinds of names that can be changed everywhere.
var renameable = map[string]bool{"mapping": true, "lookup": true, "schema": true, "connection": true, "operation": true, "pipeline": true,
	"field": true, "param": true, "policy": true, "verify": true, "alert": true, "let": true, "step": true, "var": true}

var (
	errNoName = errors.New("there is no name here that could be changed")
	errStd    = errors.New("it comes with crossdock and cannot be renamed")
)

// CanRename returns the span of the name at a place, and the name.
func (s *State) CanRename(path string, p diag.Point) (diag.Span, string, error) {
	m, ok := s.mentions().at(path, p)
	if !ok {
		return diag.Span{}, "", errNoName
	}
	if err := s.renames(m); err != nil {
		return diag.Span{}, "", err
	}
	return m.Span, s.Text(path).Slice(m.Span), nil
}

func (s *State) renames(m Mention) error {
	switch {
	case !renameable[m.Symbol.Kind]:
		return fmt.Errorf("a %s is not renamed from here", m.Symbol.Kind)
	case m.Symbol.Kind == "param" && m.Symbol.part() == "code":
		return errors.New("every template has a parameter of this name: it is the code of the client")
	case m.Event:
		return errors.New("this is the name of an event: rename its schema where it is defined")
	case strings.HasPrefix(m.Symbol.Name, "std/"):
		return errStd
	}
	for _, span := range s.definitions(m.Symbol) {
		if strings.HasPrefix(span.File, "std/") {
			return errStd
		}
		if _, ours := spec.KindOfFile(span.File); !ours {
			return errors.New("it is defined in " + span.File + ", which is not a definition of crossdock")
		}
	}
	return nil
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	plainName  = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)
	pathName   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_-]*)*$`)
	schemaName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*@[1-9][0-9]*$`)
)

// Rename returns what changes where the name at a place becomes another.
func (s *State) Rename(path string, p diag.Point, name string) (Change, error) {
	m, ok := s.mentions().at(path, p)
	if !ok {
		return Change{}, errNoName
	}
	if err := s.renames(m); err != nil {
		return Change{}, err
	}
	if err := s.valid(m.Symbol, name); err != nil {
		return Change{}, err
	}
	out := Change{Files: map[string]string{}}
	for _, o := range s.mentions().of(m.Symbol) {
		if strings.HasPrefix(o.Span.File, "std/") {
			continue
		}
		text, ok := s.written(o, name)
		if ok {
			out.Edits = append(out.Edits, diag.Edit{Span: o.Span, Text: text})
		}
		if o.Defines || o.Span.Start.Line == 1 {
			s.fileName(out.Files, o, m.Symbol, name)
		}
	}
	out.Edits = append(out.Edits, s.listed(out.Files)...)
	return out, nil
}

// listed are the changes where a template names a file that gets another name.
func (s *State) listed(files map[string]string) []diag.Edit {
	var out []diag.Edit
	for from, to := range files {
		for _, o := range s.mentions().of(Symbol{"file", from}) {
			text := s.Text(o.Span.File).Slice(o.Span)
			if at := strings.LastIndex(text, path.Base(from)); at >= 0 {
				out = append(out, diag.Edit{Span: o.Span, Text: text[:at] + path.Base(to)})
			}
		}
	}
	return out
}

// valid reports what keeps a name from being used.
func (s *State) valid(sym Symbol, name string) error {
	fit, how := plainName, "letters, digits, - and _"
	switch sym.Kind {
	case "field", "let", "step", "var", "param":
		fit, how = identifier, "letters, digits and _, and begins with a letter"
	case "schema":
		fit, how = schemaName, "letters, digits, - and _, and ends with its major version, such as orders/order@1"
	case "mapping", "lookup", "pipeline":
		fit, how = pathName, "letters, digits, - and _, with / between folders"
	}
	if !fit.MatchString(name) {
		return fmt.Errorf("`%s` cannot be the name of a %s: a name has %s", name, sym.Kind, how)
	}
	other := Symbol{sym.Kind, inTemplate(sym.Name) + name}
	switch sym.Kind {
	case "operation":
		other.Name = sym.Name[:strings.LastIndexByte(sym.Name, '.')+1] + name
	case "let", "step", "param":
		other.Name = sym.Name[:strings.IndexByte(sym.Name, '#')+1] + name
	case "field":
		base, field, _ := strings.Cut(sym.Name, "#")
		parts := schema.Split(field)
		parts[len(parts)-1] = name
		other.Name = base + "#" + schema.Join(parts)
		in, at := s.concrete(Symbol{"schema", base})
		if sc := in.Workspace.Schemas[at.Name]; sc != nil {
			if _, there := sc.Schema.Span(parts); there {
				return fmt.Errorf("%s has a field `%s` already", short(base), schema.Join(parts))
			}
		}
	}
	if other != sym && len(s.definitions(other)) > 0 {
		return fmt.Errorf("there is a %s `%s` already", sym.Kind, other.part())
	}
	return nil
}

// written is how a mention writes the new name; false where it stays as it is.
func (s *State) written(m Mention, name string) (string, bool) {
	switch {
	case m.Event:
		in, at := s.concrete(m.Symbol)
		old := in.Workspace.Schemas[at.Name]
		if old == nil || old.EventName != nil {
			return "", false // the name of the event is computed
		}
		base, _, _ := strings.Cut(path.Base(name), "@")
		if compile.EventName(base) == old.Event {
			return "", false
		}
		return base, true
	case m.Bare:
		base, _, _ := strings.Cut(name, "@")
		return base, true
	case m.Short:
		return s.Text(m.Span.File).Slice(m.Span) + ": ." + name, true
	}
	return name, true
}

// fileName notes that a file has the name in its own.
func (s *State) fileName(files map[string]string, m Mention, sym Symbol, name string) {
	kind, ok := spec.KindOfFile(m.Span.File)
	if !ok || kind.Suffix[0] != '.' || m.Span.Start.Line != 1 || sym.Kind != kind.Name && kind.Name != "test" {
		return
	}
	stem := strings.TrimSuffix(path.Base(m.Span.File), kind.Suffix)
	old, _, _ := strings.Cut(path.Base(short(sym.Name)), "@")
	fresh, _, _ := strings.Cut(path.Base(name), "@")
	if stem != old || old == fresh {
		return
	}
	to := path.Join(path.Dir(m.Span.File), fresh+kind.Suffix)
	if _, err := s.folder.read(to); err != nil {
		files[m.Span.File] = to
	}
}

// writeOnce writes a file unless it holds that already.
func writeOnce(to string, raw []byte) error {
	if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, raw) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	_ = os.Remove(to) // it may be read-only
	if err := os.WriteFile(to, raw, 0o444); err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}
