package template

import (
	"slices"
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
		for _, was := range o.Changes {
			is, there := changeAt(next, o.Def, was.Path)
			c := Clash{Def: o.Def, Path: was.Path, At: was.At, Was: was.Base, Is: is.Base, Client: was.New}
			switch {
			case !there:
				// What stands there is built in another way, or is not there any
				// more: then the findings of the new version say so.
			case was.New != nil && is.Base != nil && Equal(is.Base, was.New):
				u.Dead = append(u.Dead, c)
			case !Equal(was.Base, is.Base):
				u.Conflicts = append(u.Conflicts, c)
			}
		}
	}
	return u
}

func changeAt(in *Instance, def, path string) (Change, bool) {
	for _, o := range in.Overrides {
		if o.Def != def {
			continue
		}
		if i := slices.IndexFunc(o.Changes, func(c Change) bool { return c.Path == path }); i >= 0 {
			return o.Changes[i], true
		}
	}
	return Change{}, false
}
