package spec

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// A list where a map is expected, and a map where a list is: what was meant can
// mostly be told, so it is read as that, and one finding says what to type.

// named are the keys by which other tools name the entries of a list, and valued
// those of the value beside.
var (
	named  = []string{"name", "key", "id", "target", "field", "code", "from", "source"}
	valued = []string{"value", "to", "target", "val", "values"}
)

// AsMap reports a list where names with values were expected, and returns the map
// that was meant; nil where that cannot be told.
func (d *Decoder) AsMap(n *ast.Node) *ast.Node {
	f := d.shape(n, "a map")
	if n.Kind == ast.Scalar {
		f.Hint = "write a name in front of it, such as {name: " + n.Text + "}"
		if m := arrow.FindStringSubmatch(n.Text); m != nil {
			f.Hint = "write each on a line of its own, with a colon: `" + m[1] + ": " + m[2] + "`"
		}
		return nil
	}
	out := &ast.Node{Kind: ast.Map, Span: n.Span, Flow: n.Flow}
	for _, item := range n.Items {
		pairs := entries(item)
		if len(pairs) == 0 {
			return nil
		}
		for _, p := range pairs {
			if out.Get(p.Key.Text) == nil {
				out.Pairs = append(out.Pairs, p)
			}
		}
	}
	if len(out.Pairs) == 0 {
		return nil
	}
	first := out.Pairs[0]
	f.Hint = "write names in place of the `-`: `" + first.Key.Text + ": " + short(source(first.Value)) + "`"
	return out
}

// arrow is a pair as people write it on a line.
var arrow = regexp.MustCompile(`^(\S+)\s*(?:->|=>|→|=|;|\t)\s*(\S+)`)

// entries are the names with values that one item of a list stands for.
func entries(item *ast.Node) []ast.Pair {
	switch item.Kind {
	case ast.Scalar:
		for _, sign := range []string{": ", "="} {
			if name, text, ok := strings.Cut(item.Text, sign); ok && name != "" && !strings.ContainsAny(name, " .") {
				return []ast.Pair{{Key: scalar(item, strings.TrimSpace(name)), Value: scalar(item, strings.TrimSpace(text))}}
			}
		}
	case ast.Map:
		if len(item.Pairs) == 1 {
			return item.Pairs
		}
		for _, word := range named {
			name := item.Pair(word)
			if name == nil || name.Value.Kind != ast.Scalar || name.Value.Empty {
				continue
			}
			rest := slices.DeleteFunc(slices.Clone(item.Pairs), func(p ast.Pair) bool { return p.Key == name.Key })
			if len(rest) == 1 && slices.Contains(valued, rest[0].Key.Text) {
				return []ast.Pair{{Key: name.Value, Value: rest[0].Value}}
			}
			whole := *item
			whole.Pairs = rest
			return []ast.Pair{{Key: name.Value, Value: &whole}}
		}
	}
	return nil
}

// scalar is a text at the place of another one.
func scalar(at *ast.Node, text string) *ast.Node {
	return &ast.Node{Kind: ast.Scalar, Span: at.Span, Style: at.Style, Text: text, Offsets: at.Offsets}
}

// asList reports a map where a list was expected, and returns the items that were
// meant; nil where that cannot be told. elem is what an item is.
func (d *Decoder) asList(n *ast.Node, elem reflect.Type) []*ast.Node {
	f := d.shape(n, "a list")
	f.Hint = "begin each item with `- `, or put [ ] around"
	if n.Kind != ast.Map || len(n.Pairs) == 0 {
		return nil
	}
	keys := itemKeys(elem)
	if slices.ContainsFunc(n.Pairs, func(p ast.Pair) bool { return slices.Contains(keys, p.Key.Text) }) {
		if n.Flow {
			f.Hint = "put [ ] around: `[" + short(source(n)) + "]`"
		} else {
			f.Hint = "it is one item: write `- ` in front of its first line, `- " + n.Pairs[0].Key.Text + ": " + short(source(n.Pairs[0].Value)) + "`"
		}
		return []*ast.Node{n}
	}
	var out []*ast.Node
	for _, p := range n.Pairs {
		if p.Value.Kind != ast.Map {
			return nil
		}
		item := *p.Value
		if slices.Contains(keys, "name") && item.Get("name") == nil {
			item.Pairs = append([]ast.Pair{{Key: scalar(p.Key, "name"), Value: p.Key}}, item.Pairs...)
		}
		out = append(out, &item)
	}
	if slices.Contains(keys, "name") {
		f.Hint = "write items instead of names: `- name: " + n.Pairs[0].Key.Text + "`, and what belongs to it below"
	} else if first := n.Pairs[0].Value; len(first.Pairs) > 0 {
		f.Hint = "write items instead of names: `- " + first.Pairs[0].Key.Text + ": " + short(source(first.Pairs[0].Value)) + "`"
	}
	f.Span = diag.Span{File: n.Span.File, Start: n.Pairs[0].Key.Span.Start, End: n.Pairs[0].Key.Span.End}
	return out
}

// itemKeys are the keys of an item: a struct, or the options that one embeds.
func itemKeys(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return describe(t).names
}

// short shows the beginning of a long text.
func short(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:57]) + "..."
	}
	return text
}
