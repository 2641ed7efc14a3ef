package plan

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/ast"
)

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
