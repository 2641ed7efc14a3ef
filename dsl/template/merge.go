package template

import (
	"slices"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// merger applies the overrides of an instance to one definition.
type merger struct {
	t     *Template
	in    *Instance
	f     *file
	dec   *spec.Decoder
	root  *ast.Node
	into  *Override
	open  [][]string
	words []string // what is open, as people write it
}

// override applies one override: what is dropped goes first.
func (m *merger) override(o *Override, tree *ast.Node) {
	m.into = o
	m.open, m.words = m.t.openIn(m.f, m.root)
	if drop := tree.Get("drop"); drop != nil {
		items := drop.Items
		if drop.Kind == ast.Scalar && !drop.Empty {
			items = []*ast.Node{drop}
		}
		for _, it := range items {
			if it.Kind != ast.Scalar || it.Empty {
				m.dec.Errorf(spec.CodeUnknown, it.Span, "expected a path such as `notes`, found %s", found(it))
				continue
			}
			m.drop(it, 0, it.Text, o)
		}
	}
	for _, p := range tree.Pairs {
		if slices.Contains(spec.OverrideKeys, p.Key.Text) {
			continue
		}
		m.open, m.words = m.t.openIn(m.f, m.root)
		m.first(p.Key, p.Value)
	}
}

// first applies one entry of an override, whose key may be a dotted path.
func (m *merger) first(key, v *ast.Node) {
	got := find(m.f.Kind.Name, m.root, key.Text)
	if got.rest == "" {
		m.apply(got.segs, m.named(key, got.segs), key, v)
		return
	}
	at := len(key.Text) - len(got.rest)
	last := *key
	last.Text, last.Span, last.Offsets = got.rest, key.Range(at, len(key.Text)), nil
	path := append(slices.Clone(got.segs), got.rest)
	switch {
	case got.node.Kind == ast.Scalar:
		m.missing(&last, got)
	case covered(m.open, path) && (len(got.segs) > 0 || slices.Contains(m.f.Kind.Keys(), got.rest)):
		if got.node.Kind == ast.List {
			m.add(got.segs, got.node, &last, v)
			return
		}
		m.apply(path, &last, &last, v)
	case len(got.segs) == 0 && slices.Contains(m.f.Kind.Keys(), got.rest):
		m.sealed(&last, path)
	default:
		m.missing(&last, got)
	}
}

// named is a key that stands for the end of a dotted path.
func (m *merger) named(key *ast.Node, segs []string) *ast.Node {
	last := segs[len(segs)-1]
	if key.Text == last || strings.HasPrefix(last, mark) {
		return key
	}
	out := *key
	out.Text, out.Offsets = last, nil
	if i := strings.LastIndex(key.Text, last); i >= 0 {
		out.Span = key.Range(i, i+len(last))
	}
	return &out
}

// apply merges a value into the place that segs lead to. key is what the place
// is called from now on, at is what findings point at.
func (m *merger) apply(segs []string, key, at, v *ast.Node) {
	node := get(m.root, segs)
	free := covered(m.open, segs)
	switch {
	case v.Kind == ast.Scalar && v.Style == ast.Plain && (v.Empty || v.Text == "null" || v.Text == "~"):
		m.nothing(at, v, segs)
	case !free && !(leads(m.open, segs) && v.Kind == ast.Map && node != nil && node.Kind != ast.Scalar):
		m.sealed(at, segs)
	case node != nil && node.Kind == ast.Map && v.Kind == ast.Map:
		for _, p := range v.Pairs {
			m.apply(append(slices.Clone(segs), p.Key.Text), p.Key, p.Key, p.Value)
		}
	case node != nil && node.Kind == ast.List && v.Kind == ast.Map:
		m.items(segs, node, at, v)
	default:
		m.change(segs, at, node, v)
		m.root = replaced(m.root, segs, key, v)
	}
}

// items merges into the items of a list by their names.
func (m *merger) items(segs []string, list, at, v *ast.Node) {
	if len(list.Items) > 0 && !named(list) && m.f.Kind.Name != "pipeline" {
		m.dec.Errorf(CodeOverride, v.Span, "the items of `%s` have no names, so they cannot be overridden one by one", m.shown(segs)).
			Hint = "write the whole list: it replaces that of the template"
		return
	}
	for _, p := range v.Pairs {
		list = get(m.root, segs)
		it, path, used := item(list, p.Key.Text)
		if it == nil || used != len(p.Key.Text) {
			m.add(segs, list, p.Key, p.Value)
			continue
		}
		path = append(slices.Clone(segs), path...)
		value, where := m.position(p.Value)
		if value.Kind == ast.Map {
			if len(value.Pairs) > 0 {
				m.apply(path, p.Key, p.Key, value)
			}
		} else {
			m.apply(path, p.Key, p.Key, value)
		}
		if where != nil && covered(m.open, path) {
			m.move(segs, path[len(segs)], where)
		}
	}
}

// position takes `before` and `after` out of an item.
func (m *merger) position(v *ast.Node) (*ast.Node, *ast.Pair) {
	if v.Kind != ast.Map {
		return v, nil
	}
	out := *v
	out.Pairs = nil
	var where *ast.Pair
	for _, p := range v.Pairs {
		if p.Key.Text == "before" || p.Key.Text == "after" {
			where = &ast.Pair{Key: p.Key, Value: p.Value}
			continue
		}
		out.Pairs = append(out.Pairs, p)
	}
	return &out, where
}

// add puts a new item into a list of named ones.
func (m *merger) add(segs []string, list, key, v *ast.Node) {
	if !covered(m.open, append(slices.Clone(segs), mark+key.Text)) {
		m.sealed(key, append(slices.Clone(segs), mark+key.Text))
		return
	}
	value, where := m.position(v)
	names := itemNames(list)
	if where == nil || value.Kind != ast.Map {
		d := m.dec.Errorf(CodeOverride, key.Span, "`%s` of %s has no `%s`", m.shown(segs), m.def(), key.Text)
		d.Hint = "there are: " + some(names, 12) + "; a new one needs `before:` or `after:`"
		m.suggest(d, key, names)
		return
	}
	if value.Get("name") == nil {
		out := *value
		word := &ast.Node{Kind: ast.Scalar, Text: "name", Span: key.Span}
		out.Pairs = append([]ast.Pair{{Key: word, Value: key}}, value.Pairs...)
		value = &out
	}
	i := m.place(list, where)
	if i < 0 {
		return
	}
	out := *list
	out.Items = slices.Insert(slices.Clone(list.Items), i, value)
	m.change(append(slices.Clone(segs), mark+key.Text), key, nil, value)
	m.root = replaced(m.root, segs, nil, &out)
}

// place is where an item belongs, -1 where what it stands beside is not there.
func (m *merger) place(list *ast.Node, where *ast.Pair) int {
	for i := range list.Items {
		if strings.TrimLeft(label(list, i), mark) == where.Value.Text {
			if where.Key.Text == "after" {
				return i + 1
			}
			return i
		}
	}
	names := itemNames(list)
	d := m.dec.Errorf(CodeOverride, where.Value.Span, "there is no `%s` %s which it could stand", where.Value.Text, where.Key.Text)
	d.Hint = "there are: " + some(names, 12)
	m.suggest(d, where.Value, names)
	return -1
}

func (m *merger) move(segs []string, seg string, where *ast.Pair) {
	list := get(m.root, segs)
	rest := *list
	rest.Items = nil
	var it *ast.Node
	for i := range list.Items {
		if label(list, i) == seg {
			it = list.Items[i]
			continue
		}
		rest.Items = append(rest.Items, list.Items[i])
	}
	if i := m.place(&rest, where); i >= 0 && it != nil {
		rest.Items = slices.Insert(rest.Items, i, it)
		m.change(append(slices.Clone(segs), seg, where.Key.Text), where.Value, nil, where.Value)
		m.root = replaced(m.root, segs, nil, &rest)
	}
}

func itemNames(list *ast.Node) []string {
	var names []string
	for i := range list.Items {
		if word := strings.TrimLeft(label(list, i), mark); !strings.HasPrefix(word, "[") {
			names = append(names, word)
		}
	}
	return names
}

// drop removes what a path leads to. The path begins at byte from of n.
func (m *merger) drop(n *ast.Node, from int, text string, o *Override) {
	m.into = o
	m.open, m.words = m.t.openIn(m.f, m.root)
	got := find(m.f.Kind.Name, m.root, text)
	if got.rest != "" {
		known := reachable(m.f, got)
		if got.node == m.root && m.root.Get(containers[m.f.Kind.Name]) != nil {
			known = append(words1(m.root.Get(containers[m.f.Kind.Name])), m.root.Keys()[1:]...)
		} else if got.node != nil && got.node != m.root {
			known = words1(got.node)
		}
		last := *n
		last.Text, last.Span, last.Offsets = got.rest, n.Range(len(n.Text)-len(got.rest), len(n.Text)), nil
		d := m.dec.Errorf(CodeOverride, last.Span, "there is no `%s` in %s to drop", got.rest, m.def())
		d.Hint = "there are: " + some(known, 12)
		if len(known) == 0 {
			d.Hint = "remove it from `drop`"
		}
		m.suggest(d, &last, known)
		return
	}
	if !covered(m.open, got.segs) {
		at := *n
		at.Text, at.Span, at.Offsets = n.Text[from:], n.Range(from, len(n.Text)), nil
		m.sealed(&at, got.segs)
		return
	}
	m.change(got.segs, n, got.node, nil)
	m.root = replaced(m.root, got.segs, nil, nil)
}

func (m *merger) change(segs []string, at *ast.Node, base, v *ast.Node) {
	m.into.Changes = append(m.into.Changes, Change{Path: m.shown(segs), At: at.Span, Base: base, New: v})
}

// shown is a path as it is written: steps go without saying.
func (m *merger) shown(segs []string) string { return written(m.f.Kind.Name, segs) }

func written(kind string, segs []string) string {
	if len(segs) > 1 && segs[0] == "steps" && kind == "pipeline" {
		segs = segs[1:]
	}
	return shown(segs)
}

func (m *merger) def() string { return m.f.Kind.Name + " " + m.f.name }

// nothing reports an entry without a value.
func (m *merger) nothing(at, v *ast.Node, segs []string) {
	span := v.Span
	if v.Empty {
		span = at.Span
	}
	d := m.dec.Errorf(CodeOverride, span, "nothing is written for `%s`, and null never removes anything", m.shown(segs))
	d.Hint = "to remove it write drop: [" + m.shown(segs) + "]"
}

// sealed reports a path that an instance may not change.
func (m *merger) sealed(at *ast.Node, segs []string) {
	d := m.dec.Errorf(CodeOverride, at.Span, "`%s` of %s is sealed in %s", m.shown(segs), m.def(), m.t.Name)
	d.Hint = m.whatIsOpen()
	d.Short = m.nearest(m.shown(segs))
}

// missing reports a path that leads nowhere.
func (m *merger) missing(last *ast.Node, got trail) {
	d := m.dec.Errorf(CodeOverride, last.Span, "%s has no `%s`", m.def(), last.Text)
	if len(got.segs) > 0 {
		d.Message = "`" + m.shown(got.segs) + "` of " + m.def() + " has no `" + last.Text + "`"
	}
	d.Hint = m.whatIsOpen()
	known := reachable(m.f, got)
	if len(got.segs) == 0 {
		known = append(slices.Clone(m.words), known...)
	}
	m.suggest(d, last, slices.DeleteFunc(known, func(s string) bool { return s == "" }))
}

// suggest offers the nearest word where the person wrote another one.
func (m *merger) suggest(d *diag.Diagnostic, at *ast.Node, known []string) {
	near := diag.Nearest(at.Text, known)
	if len(near) == 0 {
		return
	}
	d.Short = "did you mean `" + near[0] + "`?"
	if at.Style == ast.Plain {
		d.Fixes = []diag.Fix{{Title: "replace with `" + near[0] + "`", Edits: []diag.Edit{{Span: d.Span, Text: near[0]}}}}
	}
}

// whatIsOpen says what an instance may change instead.
func (m *merger) whatIsOpen() string {
	if len(m.words) > 0 {
		return "open in " + m.f.Kind.Name + "/" + m.f.name + ": " + some(m.words, 12)
	}
	var all []string
	for _, o := range m.t.open {
		all = append(all, o.node.Text)
	}
	if len(all) == 0 {
		return m.t.Name + " opens nothing: add it below `open:` in " + m.t.Path
	}
	return "nothing of it is open; open in " + m.t.Name + ": " + some(all, 12)
}

// nearest is the open path that a person most likely meant: one that is spelt
// alike, or that shares the longest beginning.
func (m *merger) nearest(path string) string {
	if near := diag.Nearest(path, m.words); len(near) > 0 {
		return "the nearest open path is `" + near[0] + "`"
	}
	best, most := "", -1
	for _, w := range m.words {
		n := 0
		for n < len(w) && n < len(path) && w[n] == path[n] {
			n++
		}
		if n > most {
			best, most = w, n
		}
	}
	if best == "" {
		return ""
	}
	return "the nearest open path is `" + best + "`"
}

// said is one override of an instance, before it is applied.
type said struct {
	target
	at   int // in Overrides
	tree *ast.Node
	node *ast.Node // of a drop: what was written
}

// readOverrides reads `override:` and reports definitions that are not there.
func (in *Instance) readOverrides(t *Template, dec *spec.Decoder, without map[*file]string) []said {
	all := in.Spec.Override
	if all == nil || all.Empty {
		return nil
	}
	if all.Kind != ast.Map {
		dec.Errorf(spec.CodeUnknown, all.Span, "expected a map of kind/name, found %s", all.Kind).Hint = "write override: {mapping/some-name: {fields: {...}}}"
		return nil
	}
	var out []said
	for _, p := range all.Pairs {
		at, ok := t.target(p.Key.Text)
		switch {
		case !ok:
			t.noDefinition(dec, p.Key, cleared(at, p.Key))
			continue
		case at.path != "":
			dec.Errorf(CodeOverride, p.Key.Range(at.from, len(p.Key.Text)), "the path belongs below the definition").
				Hint = "write " + at.def() + ": {" + at.path + ": ...}"
			continue
		case !in.has(dec, p.Key, at, without):
			continue
		case p.Value.Kind != ast.Map:
			d := dec.Errorf(spec.CodeUnknown, p.Value.Span, "an override is a map of what is different, found %s", found(p.Value))
			d.Hint = "write " + p.Key.Text + ": {" + containers[at.kind] + ": {...}}, with the keys of the " + at.kind
			continue
		}
		o := Override{Def: at.def(), Key: p.Key}
		if n := p.Value.Get("until"); n != nil {
			day, err := time.Parse(time.DateOnly, n.Text)
			if n.Kind != ast.Scalar || err != nil {
				dec.Errorf(spec.CodeUnknown, n.Span, "expected a date such as 2027-03-31, found %s", found(n)).Hint = value.DateMeant(n.Text)
			} else {
				o.Until, o.UntilAt = day, n.Span
			}
		}
		if n := p.Value.Get("note"); n != nil {
			o.Note = n.Text
		}
		in.Overrides = append(in.Overrides, o)
		out = append(out, said{target: at, at: len(in.Overrides) - 1, tree: p.Value})
	}
	return out
}

// cleared is a target without a kind where none was written.
func cleared(at target, n *ast.Node) target {
	if !strings.Contains(n.Text, "/") {
		at.kind, at.name = "", n.Text
	}
	return at
}

// has reports whether the instance has a definition, and says why not.
func (in *Instance) has(dec *spec.Decoder, n *ast.Node, at target, without map[*file]string) bool {
	why := ""
	for _, f := range at.files {
		reason, left := without[f]
		if !left {
			return true
		}
		why = reason
	}
	d := dec.Errorf(CodeOverride, n.Span, "%s has no %s `%s`: %s", in.Name, at.kind, at.name, why)
	d.Missing = at.kind + " " + at.name
	d.Hint = "change the parameters, or remove it here"
	return false
}

// readDrops reads the `drop:` of the instance itself.
func (in *Instance) readDrops(t *Template, dec *spec.Decoder, without map[*file]string) []said {
	var out []said
	for _, d := range in.Spec.Drop {
		if !d.Set() {
			continue
		}
		at, ok := t.target(d.Value)
		if !ok {
			t.noDefinition(dec, d.Node, cleared(at, d.Node))
			continue
		}
		if !in.has(dec, d.Node, at, without) {
			continue
		}
		if at.path == "" && !t.opens(at) {
			f := dec.Errorf(CodeOverride, d.Node.Span, "the %s `%s` is sealed in %s", at.kind, at.name, t.Name)
			m := merger{t: t, f: at.files[0]}
			m.open, m.words = t.openIn(m.f, m.f.Root)
			f.Hint = m.whatIsOpen()
			continue
		}
		in.Overrides = append(in.Overrides, Override{Def: at.def(), Key: d.Node})
		s := said{target: at, at: len(in.Overrides) - 1, node: d.Node}
		if at.path == "" {
			in.Overrides[s.at].Changes = []Change{{At: d.Node.Span, Base: at.files[0].Root}}
		}
		out = append(out, s)
	}
	return out
}

// opens reports whether a whole definition is open.
func (t *Template) opens(at target) bool {
	return at.kind == "test" || slices.ContainsFunc(t.open, func(o opening) bool {
		return o.path == "" && o.kind == at.kind && slices.Equal(o.files, at.files)
	})
}

func (in *Instance) dropsWhole(drops []said, f *file) bool {
	return slices.ContainsFunc(drops, func(s said) bool { return s.path == "" && contains(s.files, f) })
}
