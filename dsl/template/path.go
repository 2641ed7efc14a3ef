package template

import (
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
)

// containers are the keys under which a path may begin without saying so: a
// pipeline has its route below `steps`, a mapping its targets below `fields`.
var containers = map[string]string{"pipeline": "steps", "mapping": "fields", "lookup": "rows", "schema": "fields", "connection": "operations", "test": "cases"}

// trail is how far a dotted path leads into a tree.
type trail struct {
	segs []string  // keys, and for items of lists what tells them apart
	node *ast.Node // where they lead to
	rest string    // what is not there
}

// find follows a dotted path through a definition.
func find(kind string, root *ast.Node, text string) trail {
	t := follow(root, text)
	if len(t.segs) > 0 || t.rest == "" {
		return t
	}
	if c := containers[kind]; c != "" {
		if inner := follow(root.Get(c), text); len(inner.segs) > 0 {
			inner.segs = append([]string{c}, inner.segs...)
			return inner
		}
	}
	return t
}

// follow goes as far as the tree does. Keys may have dots of their own: the
// longest one wins.
func follow(n *ast.Node, text string) trail {
	t := trail{node: n, rest: text}
	for t.rest != "" && t.node != nil {
		var next *ast.Node
		var segs []string
		used := 0
		switch t.node.Kind {
		case ast.Map:
			for _, p := range t.node.Pairs {
				if k := p.Key.Text; len(k) > used && begins(t.rest, k) {
					next, segs, used = p.Value, []string{k}, len(k)
				}
			}
		case ast.List:
			next, segs, used = item(t.node, t.rest)
		}
		if next == nil {
			return t
		}
		t.node, t.segs = next, append(t.segs, segs...)
		t.rest = strings.TrimPrefix(t.rest[used:], ".")
	}
	return t
}

// begins reports whether a path begins with a word.
func begins(text, word string) bool {
	return text == word || strings.HasPrefix(text, word) && word != "" && text[len(word)] == '.'
}

// item finds an item of a list: by its name, or, where it is the only one with
// that key, by what it does, and then goes to the value of the key.
func item(list *ast.Node, text string) (next *ast.Node, segs []string, used int) {
	for i, it := range list.Items {
		for _, key := range []string{"name", "as"} {
			if n := it.Get(key); n != nil && n.Kind == ast.Scalar && len(n.Text) > used && begins(text, n.Text) {
				next, segs, used = it, []string{label(list, i)}, len(n.Text)
			}
		}
	}
	if next != nil {
		return next, segs, used
	}
	word, _, _ := strings.Cut(text, ".")
	at := -1
	for i, it := range list.Items {
		if it.Get(word) != nil {
			if at >= 0 {
				return nil, nil, 0
			}
			at = i
		}
	}
	if at < 0 {
		return nil, nil, 0
	}
	return list.Items[at].Get(word), []string{label(list, at), word}, len(word)
}

// mark stands in front of what is no key, so that a label is never taken for
// one.
const mark = "\x01"

// label tells an item from the others of its list.
func label(list *ast.Node, i int) string {
	it := list.Items[i]
	for _, key := range []string{"name", "as"} {
		if n := it.Get(key); n != nil && n.Kind == ast.Scalar && n.Text != "" {
			return mark + n.Text
		}
	}
	for _, p := range it.Pairs {
		only := !slices.ContainsFunc(list.Items, func(o *ast.Node) bool { return o != it && o.Get(p.Key.Text) != nil })
		if only {
			return mark + mark + p.Key.Text
		}
	}
	return mark + mark + "[" + strconv.Itoa(i) + "]"
}

// named reports whether the items of a list are told apart by their names.
func named(list *ast.Node) bool {
	return len(list.Items) > 0 && !slices.ContainsFunc(list.Items, func(it *ast.Node) bool { return it.Get("name") == nil && it.Get("as") == nil })
}

// shown is a path for people.
func shown(segs []string) string {
	var out []string
	for _, s := range segs {
		if inner, hidden := strings.CutPrefix(s, mark+mark); hidden {
			if strings.HasPrefix(inner, "[") {
				out = append(out, inner)
			}
			continue
		}
		out = append(out, strings.TrimPrefix(s, mark))
	}
	return strings.Join(out, ".")
}

// get follows segments that were found before.
func get(n *ast.Node, segs []string) *ast.Node {
	for _, s := range segs {
		if n == nil {
			return nil
		}
		n = child(n, s)
	}
	return n
}

func child(n *ast.Node, seg string) *ast.Node {
	if n.Kind != ast.List {
		return n.Get(seg)
	}
	for i := range n.Items {
		if label(n, i) == seg {
			return n.Items[i]
		}
	}
	return nil
}

// replaced returns a copy of the tree with another value at a place; nil
// removes it. Nothing but the way to the place is copied. A key that is not
// there yet is added at the end.
func replaced(n *ast.Node, segs []string, key, v *ast.Node) *ast.Node {
	if len(segs) == 0 {
		return v
	}
	out := *n
	if n.Kind == ast.List {
		out.Items = nil
		for i, it := range n.Items {
			if label(n, i) == segs[0] {
				if it = replaced(it, segs[1:], key, v); it == nil {
					continue
				}
			}
			out.Items = append(out.Items, it)
		}
		return &out
	}
	out.Pairs = nil
	there := false
	for _, p := range n.Pairs {
		if p.Key.Text == segs[0] {
			there = true
			if p.Value = replaced(p.Value, segs[1:], key, v); p.Value == nil {
				continue
			}
			if len(segs) == 1 && key != nil {
				p.Key = key
			}
		}
		out.Pairs = append(out.Pairs, p)
	}
	if !there && len(segs) == 1 && v != nil {
		out.Pairs = append(out.Pairs, ast.Pair{Key: key, Value: v})
	}
	return &out
}

// isText reports whether a scalar is a text wherever its type is not known.
func isText(n *ast.Node) bool { _, ok := spec.Plain(n).(string); return ok }

// Equal reports whether two trees say the same.
func Equal(a, b *ast.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Pairs) != len(b.Pairs) || len(a.Items) != len(b.Items) ||
		a.Kind == ast.Scalar && isText(a) != isText(b) {
		return false
	}
	for _, p := range a.Pairs {
		if other := b.Get(p.Key.Text); other == nil || !Equal(p.Value, other) {
			return false
		}
	}
	for i := range a.Items {
		if !Equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	return true
}
