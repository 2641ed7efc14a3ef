package template

import (
	"slices"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// Pinned returns the file of an instance with another version behind `of:`.
// Nothing else of it changes.
func Pinned(src []byte, in *Instance, version string) []byte {
	of := in.Spec.Of.Node
	fix := diag.Fix{Edits: []diag.Edit{{Span: of.Span, Text: version}}}
	out, _ := diag.ApplyFixes(in.Path, src, diag.List{{Span: of.Span, Fixes: []diag.Fix{fix}}})
	return out
}

// Clash is a place at which an override and a new version of its template have
// to do with one another.
type Clash struct {
	Def, Path string
	At        diag.Span // of the override
	Was, Is   *ast.Node // what the template says, before and now
	Client    *ast.Node // what the client says; nil: it is removed
}

// Upgrade is what becomes of the overrides of a client with a new version.
type Upgrade struct {
	Conflicts []Clash    // the template changed what the client overrides
	Dead      []Clash    // the template says now what the client says
	Expired   []Override // past their `until`
}

// Compare tells what an upgrade from one version to another does to the
// overrides of a client.
func Compare(old, next *Instance, now time.Time) Upgrade {
	var u Upgrade
	for _, o := range old.Overrides {
		if !o.Until.IsZero() && now.After(o.Until.AddDate(0, 0, 1)) {
			u.Expired = append(u.Expired, o)
		}
	}
	after := touched(next)
	for _, was := range touched(old) {
		is, there := counterpart(after, was)
		c := Clash{Def: was.def, Path: was.Path, At: was.At, Was: was.Base, Is: is.Base, Client: was.New}
		switch {
		case !there:
			// Nothing of it is overridden any more: then the findings of the new
			// version say why.
		case is.Path != was.Path:
			c.Path = is.Path // it is built otherwise: what the client says lies deeper now, or less deep
			u.Conflicts = append(u.Conflicts, c)
		case was.New != nil && is.Base != nil && Equal(is.Base, was.New):
			u.Dead = append(u.Dead, c)
		case !Equal(was.Base, is.Base):
			u.Conflicts = append(u.Conflicts, c)
		}
	}
	return u
}

// touch is one place of one definition at which a client differs from its
// template, whatever number of overrides it takes.
type touch struct {
	Change
	def string
}

// touched are the places at which an instance differs from its template, in the
// order in which it says so. What is dropped and written anew is one place.
func touched(in *Instance) []touch {
	var out []touch
	for _, o := range in.Overrides {
		for _, c := range o.Changes {
			i := slices.IndexFunc(out, func(t touch) bool { return t.def == o.Def && t.Path == c.Path })
			if i < 0 {
				out = append(out, touch{c, o.Def})
				continue
			}
			if out[i].New = c.New; c.New != nil {
				out[i].At = c.At
			}
		}
	}
	return out
}

// counterpart is where an override ends up in another version: at the same place,
// or at one above or below it.
func counterpart(list []touch, was touch) (touch, bool) {
	for _, fits := range []func(path string) bool{
		func(path string) bool { return path == was.Path },
		func(path string) bool {
			return strings.HasPrefix(path, was.Path+".") || strings.HasPrefix(was.Path, path+".")
		},
	} {
		if i := slices.IndexFunc(list, func(t touch) bool { return t.def == was.def && fits(t.Path) }); i >= 0 {
			return list[i], true
		}
	}
	return touch{}, false
}
