package spec

import (
	"reflect"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// What is said of keys and names that mean nothing where they stand.

// CutValue is what findings about a value that a comma has ended miss; their fix is
// about all of it.
const CutValue = "rest"

// StrangeKey is what findings about a key that means nothing miss.
const StrangeKey = "meaning"

// meaning is what an unknown key stands for.
type meaning struct {
	name string // the key that was meant; "" where that is not known
	told bool   // there is a finding about it, with others
}

// intended tells which key was meant by each unknown key of n: by what other
// tools call it, by its spelling, or because one key that has to be there is not,
// and one stands there that could be it. known are all keys that n may have, and
// v is the struct whose keys have to be there.
func (d *Decoder) intended(n *ast.Node, v reflect.Value, known []string) map[*ast.Node]meaning {
	out, info := map[*ast.Node]meaning{}, describe(v.Type())
	together, name := d.several(n, v, known)
	for _, key := range together {
		out[key] = meaning{name, true}
	}
	var unclear []ast.Pair
	for _, p := range n.Pairs {
		if _, ok := info.byName[p.Key.Text]; ok || slices.Contains(known, p.Key.Text) || slices.Contains(together, p.Key) {
			continue
		}
		if name := guess(n, p.Key.Text, known); name != "" {
			out[p.Key] = meaning{name: name}
		} else if otherwise(p.Key.Text, known) == "" && !p.Value.Empty {
			unclear = append(unclear, p)
		}
	}
	if d.foreign(n, unclear, known) {
		for _, p := range unclear {
			out[p.Key] = meaning{told: true}
		}
		return out
	}
	if len(unclear) != 1 || aside(unclear[0].Key.Text) {
		return out
	}
	lacking := slices.DeleteFunc(slices.Clone(info.required), func(name string) bool { return n.Get(name) != nil || Meant(n, name, known) })
	if len(lacking) == 1 && d.fits(unclear[0].Value, info.byName[lacking[0]], v) {
		out[unclear[0].Key] = meaning{name: lacking[0]}
	}
	return out
}

// foreign reports in one finding a map of which no key is known: something else was
// meant to stand there.
func (d *Decoder) foreign(n *ast.Node, unclear []ast.Pair, known []string) bool {
	if len(unclear) < 2 || len(unclear) != len(n.Pairs) || n.Flow && slices.ContainsFunc(unclear, func(p ast.Pair) bool { return p.Value.Empty }) {
		return false
	}
	var names []string
	for _, p := range unclear[:min(3, len(unclear))] {
		names = append(names, "`"+p.Key.Text+"`")
	}
	f := d.Errorf(CodeUnknown, unclear[0].Key.Span, "unknown keys %s: none of what stands here is known", strings.Join(names, ", "))
	f.Hint, f.Missing = "you can use: "+strings.Join(known, ", "), StrangeKey
	return true
}

// fits reports whether a value could be that of a field.
func (d *Decoder) fits(n *ast.Node, f field, v reflect.Value) bool {
	var found diag.List
	inner := *d
	inner.Diags, inner.cells = &found, nil
	target := reflect.New(v.FieldByIndex(f.index).Type()).Elem()
	inner.value(n, target)
	if len(found) == 0 {
		inner.validate(ast.Pair{Key: n, Value: n}, f, target)
	}
	return !slices.ContainsFunc(found, func(x diag.Diagnostic) bool { return x.Span.Start == n.Span.Start })
}

// aside reports whether a key says something about a thing rather than what it
// does: it stands for no other key.
func aside(key string) bool {
	return slices.Contains([]string{"comment", "description", "note", "remark", "title", "enabled", "disabled", "active", "tags", "labels", "owner", "version", "author"}, plain(key))
}

// guess returns the key that was meant by an unknown one, of those that do not
// stand there already; "" where nothing is like it.
func guess(n *ast.Node, key string, known []string) string {
	free := slices.DeleteFunc(slices.Clone(known), func(name string) bool { return n.Get(name) != nil })
	if name := meant(key, free); name != "" {
		return name
	}
	if otherwise(key, known) != "" {
		return ""
	}
	if near := diag.Nearest(key, known); len(near) > 0 {
		return near[0]
	}
	return meant(key, known) // it stands there twice
}

// among reports whether a key was meant by an unknown one, or could be by several
// that are told together.
func among(meanings map[*ast.Node]meaning, name string) bool {
	for _, m := range meanings {
		if m.told || m.name == name {
			return true
		}
	}
	return false
}

// asMeant reads the value of an unknown key as that of the one that was meant, so
// that what is wrong below it is found, too. Where it does not fit there it was
// perhaps not meant, and nothing is said.
func (d *Decoder) asMeant(n *ast.Node, p ast.Pair, v reflect.Value, m meaning) {
	name := m.name
	f, ok := describe(v.Type()).byName[name]
	if m.told || !ok || f.later != "" || f.ignored != "" || n.Get(name) != nil {
		return
	}
	target := v.FieldByIndex(f.index)
	if !target.IsZero() {
		return // another one was meant for it, too
	}
	var found diag.List
	inner := *d
	inner.Diags = &found
	inner.value(p.Value, target)
	if slices.ContainsFunc(found, func(x diag.Diagnostic) bool { return x.Span.Start == p.Value.Span.Start }) {
		target.SetZero()
		return
	}
	*d.Diags = append(*d.Diags, found...)
}

// Meant reports whether an unknown key of n is the name misspelt, or what others
// call it: then that is what there is to say, not that the name is missing.
func Meant(n *ast.Node, name string, known []string) bool {
	if n == nil {
		return false
	}
	for _, key := range n.Keys() {
		if !slices.Contains(known, key) && (guess(n, key, known) == name || asks(key, name)) {
			return true
		}
	}
	return false
}

// UnknownKey reports a key that has no meaning here.
func (d *Decoder) UnknownKey(key *ast.Node, known []string) {
	d.unknownKey(key, known, meaning{name: meant(key.Text, known)})
}

// unknownKey reports a key, and what was meant by it.
func (d *Decoder) unknownKey(key *ast.Node, known []string, m meaning) {
	if m.told {
		return
	}
	name := m.name
	f := d.Errorf(CodeUnknown, key.Span, "unknown key `%s`", key.Text)
	f.Hint, f.Missing = "you can use: "+strings.Join(known, ", "), StrangeKey
	near := diag.Nearest(key.Text, known)
	switch hint := otherwise(key.Text, known); {
	case name != "" && (len(near) == 0 || near[0] != name):
		f.Short = "here it is called `" + name + "`"
	case hint != "":
		f.Short = hint
	default:
		d.suggest(f, key, known)
	}
}

// belongs adds to the finding about an unknown key where it has a meaning: one
// level further down, below another key of the same map.
func (d *Decoder) belongs(key string, m meaning, types ...reflect.Type) {
	if m.told {
		return
	}
	f := &(*d.Diags)[len(*d.Diags)-1]
	if f.Short != "" {
		return // it is more likely misspelt
	}
	for _, t := range types {
		info := describe(t)
		for _, name := range info.names {
			inner := t.FieldByIndex(info.byName[name].index).Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && slices.Contains(describe(inner).names, key) {
				f.Short = "it belongs below `" + name + "`"
				f.Hint = "write " + name + ": {" + key + ": ...}"
				return
			}
		}
	}
}

// comma reports a key that is the rest of a text: inside { } a comma ends what
// stands in front of it. The rest of the rest was told with it.
func (d *Decoder) comma(n *ast.Node, pairs []ast.Pair, i int, known []string) bool {
	rest := func(i int) bool { return pairs[i].Value.Empty && !slices.Contains(known, pairs[i].Key.Text) }
	first := i
	for first > 0 && rest(first) {
		first--
	}
	before := pairs[first]
	if !n.Flow || first == i || before.Value.Kind != ast.Scalar || before.Value.Empty || before.Value.Style != ast.Plain || !slices.Contains(known, before.Key.Text) {
		return false
	}
	if first+1 < i {
		return true
	}
	text, end := before.Value.Text, i
	for last := before.Value.Span.End; end < len(pairs) && rest(end); end++ {
		key := pairs[end].Key
		if key.Span.Start.Line != last.Line || key.Span.Start.Col > last.Col+1 {
			text += ", "
		} else {
			text += "," // as in 1.234,56
		}
		text, last = text+key.Text, key.Span.End
	}
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	f := d.Errorf(CodeUnknown, pairs[i].Key.Span, "unknown key `%s`: inside { } the comma ends the text of `%s`", pairs[i].Key.Text, before.Key.Text)
	f.Missing = CutValue
	f.Short = "quote it if it belongs to `" + before.Key.Text + "`"
	f.Hint = "write " + before.Key.Text + ": " + quoted
	span := diag.Span{File: before.Value.Span.File, Start: before.Value.Span.Start, End: pairs[end-1].Key.Span.End}
	f.Fixes = []diag.Fix{{Title: "quote the text of `" + before.Key.Text + "`", Edits: []diag.Edit{{Span: span, Text: quoted}}}}
	return true
}

// Unknown reports a name that refers to nothing.
func (d *Decoder) Unknown(ref *ast.Node, what string, known []string) {
	f := d.Errorf(CodeUnknown, ref.Span, "there is no %s `%s`", what, ref.Text)
	f.Missing = what + " " + ref.Text
	if len(known) == 0 {
		f.Hint = "this workspace has no " + what + " yet"
	} else if len(known) <= 12 {
		f.Hint = "you can use: " + strings.Join(known, ", ")
	}
	d.word(f, ref, known)
	another := what != "schema" && strings.Contains(ref.Text, "/") // of another client: nobody writes that here
	if how := written[what]; how != "" && f.Short == "" && !another {
		if f.Hint != "" {
			f.Hint += "; "
		}
		f.Hint += "to write it: " + strings.TrimSpace("crossdock new "+what+" "+ref.Text+how)
	}
}

// written are the definitions that a command writes, with what it wants to know besides
// the name. A lookup has a hint of its own where the row is known.
var written = map[string]string{
	"connection": " ", "mapping": " --from-sample FILE --to SCHEMA", "schema": " ",
}

// elsewhere are names that are the same but for the folder they begin with, such
// as those of several clients.
func elsewhere(near []string) []string {
	var out []string
	_, first, _ := strings.Cut(near[0], "/")
	for _, n := range near {
		if _, rest, inside := strings.Cut(n, "/"); inside && rest == first {
			out = append(out, n)
		}
	}
	return out
}

func (d *Decoder) suggest(f *diag.Diagnostic, at *ast.Node, known []string) {
	near := diag.SameEnd(at.Text, known)
	if len(near) == 0 || !strings.ContainsAny(near[0], "/@") {
		near = diag.Nearest(at.Text, known)
	}
	if len(near) == 0 {
		return
	}
	if others := elsewhere(near); len(others) > 1 {
		last := len(others) - 1
		f.Short = "did you mean `" + strings.Join(others[:last], "`, `") + "` or `" + others[last] + "`?" // which one, nobody can know
		return
	}
	f.Short = "did you mean `" + near[0] + "`?"
	if at.Style == ast.Plain {
		f.Fixes = append(f.Fixes, diag.Fix{Title: "replace with `" + near[0] + "`",
			Edits: []diag.Edit{{Span: at.Span, Text: near[0]}}})
	}
}
