package plan

import (
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
)

// tree compares two definitions of one kind and words what differs. Comments,
// layout, the order of keys and the quotes of equal texts do not count.
type tree struct {
	kind string
	out  []Detail
}

func (t *tree) add(item, what, before, after string) {
	t.out = append(t.out, Detail{item, what, before, after})
}

// maps compares two maps key by key. at names what they are, "" = the
// definition itself.
func (t *tree) maps(at string, a, b *ast.Node) {
	for _, key := range union(a, b) {
		t.entry(at, key, a.Get(key), b.Get(key))
	}
}

// union is the keys of two maps, in the order of the new one.
func union(a, b *ast.Node) []string {
	keys := b.Keys()
	for _, k := range a.Keys() {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// groups are keys below which every entry has a name of its own, and the word
// for such an entry.
var groups = map[string]map[string]string{
	"mapping":     {"fields": "row", "let": "helper"},
	"schema":      {"fields": "field"},
	"lookup":      {"rows": "entry"},
	"connection":  {"operations": "operation"},
	"crossdock":   {"policies": "policy", "verify": "verification", "alerts": "alert"},
	"environment": {"vars": "variable", "verify": "verification"},
	"pipeline":    {"trace_by": "trace_by"},
}

// silent are keys that say something to people only.
var silent = []string{"description", "note", "samples"}

func (t *tree) entry(at, key string, a, b *ast.Node) {
	word := groups[t.kind][key]
	switch {
	case at == "" && word != "":
		for _, name := range union(a, b) {
			t.named(word, name, a.Get(name), b.Get(name))
		}
		return
	case slices.Contains(silent, key):
		return
	case key == "steps" || key == "to" || key == "on_fail":
		t.steps(at, items(a), items(b))
		return
	case key == "with":
		for _, name := range union(a, b) {
			t.row(joined(at, "with "+name), a.Get(name), b.Get(name))
		}
		return
	}
	item := joined(at, key)
	switch {
	case equal(a, b):
	case a == nil:
		t.add(item, "added", "", inline(b))
	case b == nil:
		t.add(item, "removed", inline(a), "")
	case a.Kind == ast.Map && b.Kind == ast.Map:
		t.maps(item, a, b)
	case haveNames(a) && haveNames(b):
		t.list(item, a, b)
	default:
		t.add(item, "changed", inline(a), inline(b))
	}
}

// named compares one entry of a group.
func (t *tree) named(word, name string, a, b *ast.Node) {
	switch word {
	case "row", "helper":
		t.row(word+" "+name, a, b)
		return
	case "operation", "policy", "verification", "alert", "field":
		if a != nil && b != nil && a.Kind == ast.Map && b.Kind == ast.Map {
			t.maps(word+" "+name, a, b)
			return
		}
	}
	t.leaf(word+" "+name, a, b)
}

func (t *tree) leaf(item string, a, b *ast.Node) {
	switch {
	case equal(a, b):
	case a == nil:
		t.add(item, "added", "", inline(b))
	case b == nil:
		t.add(item, "removed", inline(a), "")
	default:
		t.add(item, "changed", inline(a), inline(b))
	}
}

// list compares lists whose items have names; their order counts.
func (t *tree) list(item string, a, b *ast.Node) {
	word := strings.TrimSuffix(item[strings.LastIndex(item, " ")+1:], "s")
	prefix := strings.TrimSuffix(item, item[strings.LastIndex(item, " ")+1:])
	old, next := byName(a), byName(b)
	var stayed, now []string
	for _, n := range a.Items {
		name := n.Get("name").Text
		if next[name] == nil {
			t.add(prefix+word+" "+name, "removed", inline(n), "")
			continue
		}
		stayed = append(stayed, name)
	}
	for _, n := range b.Items {
		name := n.Get("name").Text
		if old[name] == nil {
			t.add(prefix+word+" "+name, "added", "", inline(n))
			continue
		}
		now = append(now, name)
		t.maps(prefix+word+" "+name, old[name], n)
	}
	if !slices.Equal(stayed, now) {
		t.add(prefix+"order of "+word+"s", "moved", strings.Join(stayed, ", "), strings.Join(now, ", "))
	}
}

func haveNames(n *ast.Node) bool {
	if n == nil || n.Kind != ast.List || len(n.Items) == 0 {
		return false
	}
	return !slices.ContainsFunc(n.Items, func(i *ast.Node) bool { return i.Get("name") == nil })
}

func byName(n *ast.Node) map[string]*ast.Node {
	out := map[string]*ast.Node{}
	for _, i := range n.Items {
		out[i.Get("name").Text] = i
	}
	return out
}

func joined(at, key string) string {
	if at == "" {
		return key
	}
	if strings.HasPrefix(at, "rule ") || strings.Contains(at, " rule ") {
		return at + ", " + key
	}
	return at + " " + key
}

// equal compares what two values say.
func equal(a, b *ast.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case ast.Map:
		keys := union(a, b)
		return len(a.Pairs) == len(b.Pairs) && !slices.ContainsFunc(keys, func(k string) bool { return !equal(a.Get(k), b.Get(k)) })
	case ast.List:
		return slices.EqualFunc(a.Items, b.Items, equal)
	}
	return a.Text == b.Text && (quoted(a) == quoted(b) || !retyped(a))
}

func quoted(n *ast.Node) bool { return n.Style != ast.Plain }

// retyped reports whether a text is another value without its quotes.
func retyped(n *ast.Node) bool {
	_, text := spec.Plain(&ast.Node{Kind: ast.Scalar, Text: n.Text, Style: ast.Plain, Empty: n.Text == ""}).(string)
	return !text
}

// inline writes a value in one line.
func inline(n *ast.Node) string {
	if n == nil {
		return ""
	}
	switch n.Kind {
	case ast.Map:
		list := make([]string, 0, len(n.Pairs))
		for _, p := range n.Pairs {
			if !slices.Contains(silent, p.Key.Text) {
				list = append(list, p.Key.Text+": "+inline(p.Value))
			}
		}
		return "{" + strings.Join(list, ", ") + "}"
	case ast.List:
		list := make([]string, 0, len(n.Items))
		for _, i := range n.Items {
			list = append(list, inline(i))
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	text := strings.Join(strings.Fields(n.Text), " ")
	if quoted(n) && (retyped(n) || text == "") {
		return strconv.Quote(text)
	}
	return text
}
