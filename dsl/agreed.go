package dsl

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
)

// agreed makes one finding of several that have one cause: a placeholder for which
// every step gives the same value under another name is misspelt itself, and
// lines of one test that expect what no row makes any more miss one row.
func agreed(list diag.List, ws *compile.Workspace) diag.List {
	return sameRow(misspeltPlaceholders(list, ws))
}

// misspeltPlaceholders moves findings of two steps or more, of which each gives
// the same value that nothing takes, to the placeholder.
func misspeltPlaceholders(list diag.List, ws *compile.Workspace) diag.List {
	type bind struct{ op, placeholder string }
	steps := map[bind][]int{}
	common := map[bind][]string{} // what all of them give
	for i, d := range list {
		if !strings.HasPrefix(d.Missing, compile.MissingValue) {
			continue
		}
		op, name, given := compile.Unbound(d.Missing)
		b := bind{op, name}
		if len(steps[b]) == 0 {
			common[b] = given
		}
		common[b] = slices.DeleteFunc(slices.Clone(common[b]), func(n string) bool { return !slices.Contains(given, n) })
		steps[b] = append(steps[b], i)
	}
	var gone []int
	for b, at := range steps {
		conn, op, _ := strings.Cut(b.op, ".")
		c := ws.Connections[conn]
		if len(at) < 2 || len(common[b]) != 1 || c == nil || c.Operations[op] == nil || c.File == nil || c.Spec == nil {
			continue
		}
		name, given := b.placeholder, common[b][0]
		n, from, to := placeholder(c.Operations[op].Spec.Node, name)
		if n == nil {
			continue
		}
		d := diag.Diagnostic{Code: list[at[0]].Code, Span: n.Range(from, to), Kind: "connection", Name: conn, Row: op, Source: n.Text,
			Message: "no step gives a value for {" + name + "}", Short: "did you mean `" + given + "`?",
			Fixes: []diag.Fix{{Title: "replace with `" + given + "`", Edits: []diag.Edit{{Span: n.Range(from, to), Text: given}}}}}
		for _, i := range at {
			d.Related = append(d.Related, diag.Related{Span: list[i].Span, Message: "`" + given + "` is given here"})
		}
		list[at[0]] = d
		gone = append(gone, at[1:]...)
	}
	return without(list, gone)
}

// placeholder finds the name of a placeholder below a node.
func placeholder(n *ast.Node, name string) (at *ast.Node, from, to int) {
	if n == nil {
		return nil, 0, 0
	}
	if n.Kind == ast.Scalar {
		for _, end := range []string{"}", "?}"} {
			if i := strings.Index(n.Text, "{"+name+end); i >= 0 {
				return n, i + 1, i + 1 + len(name)
			}
		}
		return nil, 0, 0
	}
	for _, p := range n.Pairs {
		if at, from, to = placeholder(p.Value, name); at != nil {
			return at, from, to
		}
	}
	for _, e := range n.Items {
		if at, from, to = placeholder(e, name); at != nil {
			return at, from, to
		}
	}
	return nil, 0, 0
}

// sameRow tells once for each test that a row is gone: its other lines are
// pointed at. A name that is nearly right is a mistake of its own line.
func sameRow(list diag.List) diag.List {
	type key struct{ file, missing, message string }
	first := map[key]int{}
	var gone []int
	for i, d := range list {
		if !strings.HasPrefix(d.Missing, compile.MissingRow) || !isTest(d) || d.Short != "" {
			continue
		}
		k := key{d.Span.File, d.Missing, d.Message}
		at, told := first[k]
		if !told {
			first[k] = i
			continue
		}
		list[at].Related = append(list[at].Related, diag.Related{Span: d.Span, Message: "it is expected here, too"})
		gone = append(gone, i)
	}
	return without(list, gone)
}

func without(list diag.List, gone []int) diag.List {
	out := list[:0:0]
	for i, d := range list {
		if !slices.Contains(gone, i) {
			out = append(out, d)
		}
	}
	return out
}
