package editor

import (
	"path"
	"regexp"

	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
)

var (
	placeholder = regexp.MustCompile(`\$\{param\.([A-Za-z_][A-Za-z0-9_]*)\}`)
	brace       = regexp.MustCompile(`\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	paramRead   = regexp.MustCompile(`\bparams\??\.([A-Za-z_][A-Za-z0-9_]*)`)
)

// template notes what the file of a template says of its parameters and files.
func (w *names) template(t *template.Template, root *ast.Node) {
	if params := root.Get("params"); params != nil {
		for _, p := range params.Pairs {
			w.add(Mention{Symbol: Symbol{"param", t.Name + "#" + p.Key.Text}, Span: inside(p.Key), Defines: true})
		}
	}
	if files := root.Get("files"); files != nil {
		for _, p := range files.Pairs {
			w.add(Mention{Symbol: Symbol{"file", path.Join(path.Dir(t.Path), p.Key.Text)}, Span: inside(p.Key)})
			w.found(t, p.Key, brace)
			if when := p.Value.Get("when"); when != nil {
				w.found(t, when, paramRead)
			}
		}
	}
	if open := root.Get("open"); open != nil {
		for _, n := range append(open.Items, open) {
			w.meant(t, n)
		}
	}
}

// found notes the parameters that an expression finds in a text.
func (w *names) found(t *template.Template, n *ast.Node, re *regexp.Regexp) {
	for _, m := range re.FindAllStringSubmatchIndex(n.Text, -1) {
		w.add(Mention{Symbol: Symbol{"param", t.Name + "#" + n.Text[m[2]:m[3]]}, Span: n.Range(m[2], m[3])})
	}
}

// placeholders notes every ${param.x} below a node.
func (w *names) placeholders(t *template.Template, n *ast.Node) {
	if n.Kind == ast.Scalar {
		w.found(t, n, placeholder)
	}
	for _, p := range n.Pairs {
		w.placeholders(t, p.Value)
	}
	for _, item := range n.Items {
		w.placeholders(t, item)
	}
}

// meant notes the definition in front of a path such as pipeline/orders.policy.
func (w *names) meant(t *template.Template, n *ast.Node) {
	if n.Kind != ast.Scalar {
		return
	}
	p, rest, ok := t.Meant(n.Text)
	if !ok {
		return
	}
	from, to := len(p.Kind)+1, len(n.Text)
	if rest != "" {
		to -= len(rest) + 1
	}
	w.add(Mention{Symbol: Symbol{p.Kind, ofTemplate(t, p.Name)}, Span: n.Range(from, to), Bare: n.Text[from:to] != p.Name})
}

// instance notes what an instance says of its template.
func (w *names) instance(t *template.Template, root *ast.Node, form *spec.Form) {
	if params := root.Get("params"); params != nil {
		for _, p := range params.Pairs {
			w.add(Mention{Symbol: Symbol{"param", t.Name + "#" + p.Key.Text}, Span: inside(p.Key)})
		}
	}
	if drop := root.Get("drop"); drop != nil {
		for _, n := range append(drop.Items, drop) {
			w.meant(t, n)
		}
	}
	if all := root.Get("override"); all != nil {
		w.placeholders(t, all)
	}
}

// override notes the names in what an instance says about one definition.
func (w *names) override(p ast.Pair, f *spec.Form) {
	h, ok := w.state.homes()[p.Key.Span.File]
	if !ok {
		return
	}
	w.meant(h.template, p.Key)
	part, _, ok := h.template.Meant(p.Key.Text)
	if !ok {
		return
	}
	in := &names{index: w.index, kind: part.Kind, name: part.Name, of: h.template}
	in.node(p.Value, f.Below(p.Key.Text))
}
