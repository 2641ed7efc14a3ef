package plan

import (
	"fmt"
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

// row compares a row, and the rows inside it one by one. A short row says the
// same as a long one with nothing but from.
func (t *tree) row(item string, a, b *ast.Node) {
	head, inner := rowParts(a), fieldsOf(a)
	next, innerNext := rowParts(b), fieldsOf(b)
	before, after := head.text(), next.text()
	switch {
	case a == nil:
		t.add(item, "added", "", inlineRow(b))
		return
	case b == nil:
		t.add(item, "removed", inlineRow(a), "")
		return
	case before != after:
		t.add(item, "changed", before, after)
	}
	for _, name := range union(inner, innerNext) {
		sep := "."
		if head.has("each") || next.has("each") {
			sep = "[]."
		}
		t.row(item+sep+name, inner.Get(name), innerNext.Get(name))
	}
}

// parts are the options of a row in a fixed order.
type parts [][2]string

func (p parts) has(key string) bool {
	return slices.ContainsFunc(p, func(x [2]string) bool { return x[0] == key })
}

func (p parts) text() string {
	if len(p) == 1 && p[0][0] == "from" {
		return p[0][1]
	}
	out := make([]string, len(p))
	for i, x := range p {
		out[i] = x[0] + ": " + x[1]
	}
	return "{" + strings.Join(out, ", ") + "}"
}

var rowOrder = []string{"each", "from", "const", "lookup", "default", "type", "parse", "format", "zone", "unit", "trim", "max_length", "true_values", "required", "when"}

func rowParts(n *ast.Node) parts {
	if n == nil {
		return nil
	}
	if n.Kind != ast.Map {
		return parts{{"from", inline(n)}}
	}
	var out parts
	for _, key := range rowOrder {
		if v := n.Get(key); v != nil {
			out = append(out, [2]string{key, inline(v)})
		}
	}
	return out
}

func fieldsOf(n *ast.Node) *ast.Node {
	if n != nil && n.Kind == ast.Map {
		return n.Get("fields")
	}
	return nil
}

func inlineRow(n *ast.Node) string {
	text := rowParts(n).text()
	if f := fieldsOf(n); f != nil {
		text = strings.TrimSuffix(text, "}") + fmt.Sprintf(", fields: %s}", strings.Join(f.Keys(), ", "))
	}
	return text
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

// steps compares lists of steps, which are known by what they do.
func (t *tree) steps(at string, a, b []*ast.Node) {
	old, next := signed(a), signed(b)
	var stayed, now []string
	for _, s := range old {
		if find(next, s.sign) == nil {
			t.add(joined(at, s.sign), "removed", inline(s.node), "")
			continue
		}
		stayed = append(stayed, s.sign)
	}
	for _, s := range next {
		was := find(old, s.sign)
		if was == nil {
			t.add(joined(at, s.sign), "added", "", inline(s.node))
			continue
		}
		now = append(now, s.sign)
		if s.node.Kind == ast.Map && was.Kind == ast.Map {
			t.step(at, s.sign, was, s.node)
		}
	}
	if !slices.Equal(stayed, now) {
		t.add(joined(at, "order of steps"), "moved", strings.Join(stayed, ", "), strings.Join(now, ", "))
	}
}

// step compares two steps that do the same. A route speaks for itself.
func (t *tree) step(at, sign string, a, b *ast.Node) {
	route, was := b.Get("route"), a.Get("route")
	if route == nil || was == nil {
		t.maps(joined(at, sign), a, b)
		return
	}
	for _, key := range union(was, route) {
		if key == "rules" && haveNames(was.Get(key)) && haveNames(route.Get(key)) {
			t.list(joined(at, "rules"), was.Get(key), route.Get(key))
			continue
		}
		t.otherwise(joined(at, "route"), key, was.Get(key), route.Get(key))
	}
}

func (t *tree) otherwise(at, key string, a, b *ast.Node) {
	if key == "otherwise" && a != nil && b != nil && a.Get("to") != nil && b.Get("to") != nil {
		t.steps(joined(at, key), items(a.Get("to")), items(b.Get("to")))
		return
	}
	t.entry(at, key, a, b)
}

type signedStep struct {
	sign string
	node *ast.Node
}

// signed names steps by what they do; the second of the same kind is #2.
func signed(list []*ast.Node) []signedStep {
	count := map[string]int{}
	var out []signedStep
	for _, n := range list {
		sign := "step"
		if n.Kind == ast.Scalar {
			sign = n.Text
		}
		for _, key := range []string{"send", "call", "emit", "map", "dead_letter", "route", "split", "when", "ignore"} {
			v := n.Get(key)
			if v == nil {
				continue
			}
			sign = key
			if slices.Contains([]string{"send", "call", "emit", "map"}, key) {
				sign += " " + v.Text
			}
			break
		}
		if count[sign]++; count[sign] > 1 {
			sign += " #" + strconv.Itoa(count[sign])
		}
		out = append(out, signedStep{sign, n})
	}
	return out
}

func find(list []signedStep, sign string) *ast.Node {
	for _, s := range list {
		if s.sign == sign {
			return s.node
		}
	}
	return nil
}

func items(n *ast.Node) []*ast.Node {
	if n == nil {
		return nil
	}
	if n.Kind == ast.List {
		return n.Items
	}
	return []*ast.Node{n}
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
