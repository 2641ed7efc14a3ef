package editor

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/lint"
	"crossdock/dsl/mapping"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
	"crossdock/runtime/testrun"
)

// Hover returns what there is to say about a place; false where that is nothing.
func (s *State) Hover(ctx context.Context, path string, p diag.Point) (Hover, bool) {
	f := s.Workspace.Files[path]
	kind, ok := spec.KindOfFile(path)
	if f == nil || f.Root == nil || !ok {
		return Hover{}, false
	}
	at := locate(f.Root, s.form(kind, f.Root), p)
	if at.node == nil {
		return Hover{}, false
	}
	h := Hover{Span: at.node.Span}
	var parts []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			parts = append(parts, text)
		}
	}
	if at.isKey {
		if k, known := at.form.Key(at.node.Text); known {
			add("**" + k.Name + "** " + takes(k.Form) + "\n\n" + k.Doc)
		}
	}
	if m, found := s.mentions().at(path, p); found {
		if text := s.aboutSymbol(m.Symbol); strings.TrimSpace(text) != "" {
			h.Span = m.Span
			add("**" + m.Symbol.part() + "** " + m.Symbol.Kind + "\n\n" + text)
		}
	}
	if lang := at.lang(); lang != "" {
		if span, text := functionAt(s.Text(path), at.node, p, lang); text != "" {
			h.Span = span
			add(text)
		}
	}
	add(s.valueAt(ctx, path, at))
	h.Text = strings.Join(parts, "\n\n---\n\n")
	return h, h.Text != ""
}

// located is a key or value of a definition.
type located struct {
	node  *ast.Node
	form  *spec.Form // of the value, or of the map that has the key
	isKey bool
	pairs []ast.Pair // that lead to it, outermost first
}

func (l located) lang() string {
	if l.isKey || l.form == nil || l.form.Scalar == nil {
		return ""
	}
	return l.form.Scalar.Lang
}

func covers(s diag.Span, p diag.Point) bool { return !p.Less(s.Start) && !s.End.Less(p) }

func locate(n *ast.Node, f *spec.Form, p diag.Point) located {
	for _, pair := range n.Pairs {
		if covers(pair.Key.Span, p) {
			return located{node: pair.Key, form: f, isKey: true, pairs: []ast.Pair{pair}}
		}
		if covers(pair.Value.Span, p) {
			in := locate(pair.Value, f.Below(pair.Key.Text), p)
			in.pairs = append([]ast.Pair{pair}, in.pairs...)
			return in
		}
	}
	for _, item := range n.Items {
		if covers(item.Span, p) {
			var below *spec.Form
			if f != nil {
				below = f.Items
			}
			return locate(item, below, p)
		}
	}
	if n.Kind == ast.Scalar {
		return located{node: n, form: f}
	}
	return located{}
}

var function = regexp.MustCompile(`[A-Za-z_]\w*`)

// functionAt is the doc of the function at a place of a cell.
func functionAt(t *diag.Text, n *ast.Node, p diag.Point, lang string) (diag.Span, string) {
	for _, at := range function.FindAllStringIndex(n.Text, -1) {
		span := n.Range(at[0], at[1])
		if !covers(span, p) || at[0] > 0 && strings.ContainsAny(n.Text[at[0]-1:at[0]], ".$") {
			continue
		}
		name := n.Text[at[0]:at[1]]
		if lang == "expr" {
			for _, f := range rule.Functions {
				if f.Name == name {
					return span, "**" + f.Signature + "**\n\n" + f.Doc
				}
			}
			return span, ""
		}
		for _, f := range jq.Functions() {
			if f.Name != name {
				continue
			}
			text := "**" + name + "**"
			if len(f.Params) > 0 {
				text = "**" + name + "(" + strings.Join(f.Params, "; ") + ")**"
			}
			text += "\n\n" + f.Doc
			if len(f.Examples) > 0 {
				e := f.Examples[0]
				text += "\n\n`" + e.Cell + "` on `" + e.In + "` gives `" + e.Out + "`"
			}
			return span, text
		}
		for _, b := range builtins {
			if b.name == name {
				return span, "**" + name + "**\n\n" + b.doc
			}
		}
	}
	return diag.Span{}, ""
}

// valueAt is what the row or cell at a place gives on the first sample.
func (s *State) valueAt(ctx context.Context, path string, at located) string {
	of, client := path, ""
	if h, ok := s.homes()[path]; ok {
		if s, client = s.in(h.ws), h.code; len(at.pairs) > 2 && at.pairs[0].Key.Text == "override" {
			p, _, known := h.template.Meant(at.pairs[1].Key.Text)
			if !known {
				return ""
			}
			at.pairs, of = at.pairs[2:], p.Path
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Workspace.Mappings)) {
		m := s.Workspace.Mappings[name]
		if m != nil && m.File != nil && m.File.Path == of && m.Client == client && m.Mapping != nil && m.Spec != nil {
			if text := s.rowValue(ctx, m, at); text != "" {
				return text
			}
			break
		}
	}
	if at.lang() == "" {
		return ""
	}
	for _, c := range s.Workspace.Cells {
		if c.Node == at.node {
			return s.cellValue(ctx, c)
		}
	}
	return ""
}

// patience bounds an evaluation that somebody waits for.
const patience = 300 * time.Millisecond

// rowValue runs the mapping on its first sample and tells what became of the row
// at a place. Rows inside of others are run as part of them.
func (s *State) rowValue(ctx context.Context, m *compile.Mapping, at located) string {
	if len(at.pairs) < 2 || at.pairs[0].Key.Text != "fields" {
		return ""
	}
	in, file, ok := s.view().First(cell.Shape{Examples: &cell.Examples{From: m.File.Path, Files: texts(m.Spec.Samples)}})
	if !ok {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := m.Mapping.Rows(testrun.ScopeOf(ctx, s.Workspace, m, time.Now(), nil, in), in)
	if err != nil {
		return ""
	}
	target := at.pairs[1].Key.Text
	for _, r := range rows {
		if r.Target == target {
			return rowText(r, file)
		}
	}
	return ""
}

func rowText(r mapping.RowResult, file string) string {
	switch {
	case len(r.Errors) > 0:
		return "on " + file + " it **fails**: " + r.Errors[0].Message
	case !r.Given:
		return "on " + file + ": nothing, the field stays out"
	}
	return "on " + file + ": `" + preview(r.Value, 300) + "`"
}

// cellValue runs a cell on the first sample of its payload.
func (s *State) cellValue(ctx context.Context, c *cell.Cell) string {
	in, file, ok := s.view().First(c.Shape)
	if !ok || c.JQ == nil && c.Rule == nil {
		return ""
	}
	original, _, _ := s.view().First(c.VarShapes["original"])
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	scope := testrun.Scope(ctx, s.Workspace, time.Now(), nil, original)
	if c.Rule != nil {
		yes, err := scope.Yes(c.Rule, in)
		if err != nil {
			return "on " + file + " it **fails**: " + err.Error()
		}
		return "on " + file + ": `" + preview(yes, 10) + "`"
	}
	if len(c.JQ.Vars()) > cell.BaseVars {
		return "" // it reads values of the mapping around it
	}
	values, err := scope.All(c.JQ, in)
	if err != nil {
		return "on " + file + " it **fails**: " + err.Error()
	}
	if len(values) == 0 {
		return "on " + file + ": nothing"
	}
	return "on " + file + ": `" + preview(values[0], 300) + "`"
}

func (s *State) view() *lint.View {
	if s.views == nil {
		s.views = lint.NewView(s.Workspace, s.folder.files, s.folder.opt.Catalog)
	}
	return s.views
}

func texts(list []spec.Text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Value)
	}
	return out
}
