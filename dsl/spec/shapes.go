package spec

import (
	"reflect"
	"slices"
	"strings"

	"crossdock/dsl/ast"
)

// What other tools say with several keys and the language with one.

// several reports keys of n that together say what one key says here, such as
// method and path, in one finding. It returns the keys that are told with it, and
// the key that was meant.
func (d *Decoder) several(n *ast.Node, v reflect.Value, known []string) (told []*ast.Node, name string) {
	strange := func(words ...string) *ast.Pair {
		for i, p := range n.Pairs {
			if !slices.Contains(known, p.Key.Text) && slices.Contains(words, plain(p.Key.Text)) && p.Value.Kind == ast.Scalar && !p.Value.Empty {
				return &n.Pairs[i]
			}
		}
		return nil
	}
	method, path := strange("method", "verb", "http_method"), strange("path", "url", "uri", "endpoint", "route", "address")
	if method != nil && path != nil && slices.Contains(known, strings.ToLower(method.Value.Text)) && slices.Contains(known, "get") {
		name = strings.ToLower(method.Value.Text)
		d.instead(method.Key, path.Key, "`"+name+": "+source(path.Value)+"`")
		d.asMeant(n, *path, v, meaning{name: name})
		return []*ast.Node{method.Key, path.Key}, name
	}
	connection, operation := strange("connection", "service", "connector", "system", "adapter"), strange("operation", "action", "method", "op")
	if connection != nil && operation != nil && slices.Contains(known, "send") {
		d.instead(connection.Key, operation.Key, "`send: "+connection.Value.Text+"."+operation.Value.Text+"`")
		return []*ast.Node{connection.Key, operation.Key}, "send"
	}
	return d.typed(n, v, known)
}

// typed reports a map that names by a key of its own which of its keys is meant:
// {type: hmac, header: X}, where the language writes {hmac: {header: X}}.
func (d *Decoder) typed(n *ast.Node, v reflect.Value, known []string) (told []*ast.Node, name string) {
	if len(n.Pairs) == 0 {
		return nil, ""
	}
	first := n.Pairs[0]
	if !slices.Contains([]string{"type", "kind", "method", "scheme", "mode", "use"}, plain(first.Key.Text)) || slices.Contains(known, first.Key.Text) ||
		first.Value.Kind != ast.Scalar || !slices.Contains(known, first.Value.Text) || n.Get(first.Value.Text) != nil {
		return nil, ""
	}
	name = first.Value.Text
	told = append(told, first.Key)
	f, ok := describe(v.Type()).byName[name]
	if !ok {
		return nil, ""
	}
	t := v.FieldByIndex(f.index).Type()
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var below []string
	alone := ""
	for _, p := range n.Pairs[1:] {
		if !slices.Contains(known, p.Key.Text) {
			told, below = append(told, p.Key), append(below, p.Key.Text+": "+source(p.Value))
			alone = source(p.Value)
		}
	}
	write := name + ": {" + strings.Join(below, ", ") + "}"
	switch {
	case len(below) == 0 && t.Kind() == reflect.Bool:
		write = name + ": true"
	case len(below) == 0:
		write = name + ": ..."
	case len(below) == 1 && (t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(customType)):
		write = name + ": " + alone
	}
	d.unknownKey(first.Key, known, meaning{})
	last := &(*d.Diags)[len(*d.Diags)-1]
	last.Short, last.Fixes = "write `"+write+"`", nil
	return told, name
}

// instead reports two keys for which one is written here.
func (d *Decoder) instead(first, second *ast.Node, write string) {
	if second.Span.Start.Less(first.Span.Start) {
		first, second = second, first
	}
	f := d.Errorf(CodeUnknown, first.Span, "unknown keys `%s` and `%s`", first.Text, second.Text)
	f.Hint = "write " + write
}

// source writes a value on one line, as it would stand in a definition.
func source(n *ast.Node) string {
	switch n.Kind {
	case ast.Map:
		var parts []string
		for _, p := range n.Pairs {
			parts = append(parts, p.Key.Text+": "+source(p.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case ast.List:
		var parts []string
		for _, it := range n.Items {
			parts = append(parts, source(it))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if n.Style != ast.Plain || strings.ContainsAny(n.Text, "{}[],") || strings.Contains(n.Text, ": ") || strings.Contains(n.Text, " #") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(n.Text) + `"`
	}
	return n.Text
}
