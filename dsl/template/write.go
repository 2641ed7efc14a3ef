package template

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
)

// Line is one line of a rendered definition.
type Line struct {
	Text string
	From []Origin // of what stands in the line; the first one is of its key
}

// Origin says where something in a rendered definition was written.
type Origin struct {
	What  string `json:"what"` // template, param or override
	Param string `json:"param,omitempty"`
	File  string `json:"file"`
	Line  int    `json:"line"`
}

// wide is where a value in braces is broken into lines.
const wide = 100

// Lines writes a rendered definition as YAML, and says of every line where it
// comes from.
func (in *Instance) Lines(d *Definition) []Line {
	w := writer{in: in}
	w.pairs(d.Root, "")
	return w.lines
}

// origins tells where a node was written: a text into which parameters were put
// comes from several places.
func (in *Instance) origins(n *ast.Node) []Origin {
	o := Origin{What: "template", File: n.Span.File, Line: n.Span.Start.Line}
	if n.Span.File == in.Path {
		o.What = "override"
	}
	for name, v := range in.values {
		if v.Node.Span.File == n.Span.File && v.Node.Span.Contains(n.Span) {
			o.What, o.Param = "param", name
		}
	}
	out := []Origin{o}
	for _, m := range n.Offsets {
		for name, v := range in.values {
			if m.File != "" && v.Node.Span.File == m.File && v.Node.At(0) == m.Point {
				out = append(out, Origin{"param", name, m.File, m.Point.Line})
			}
		}
	}
	return out
}

type writer struct {
	in    *Instance
	lines []Line
}

func (w *writer) line(text string, from []Origin) {
	w.lines = append(w.lines, Line{text, from})
}

// origins are those of a key and of everything in its value.
func (w *writer) origins(key, v *ast.Node) []Origin {
	var out []Origin
	add := func(n *ast.Node) {
		for _, o := range w.in.origins(n) {
			if !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	if key != nil && (v.Kind != ast.Scalar || w.in.origins(key)[0].What == "override") {
		add(key)
	}
	walkNodes(v, add)
	if len(out) == 0 && key != nil {
		add(key)
	}
	return out
}

// walkNodes calls f for every scalar and for every empty collection.
func walkNodes(n *ast.Node, f func(*ast.Node)) {
	if n.Kind == ast.Scalar || len(n.Pairs)+len(n.Items) == 0 {
		f(n)
	}
	for _, p := range n.Pairs {
		walkNodes(p.Value, f)
	}
	for _, it := range n.Items {
		walkNodes(it, f)
	}
}

func (w *writer) pairs(n *ast.Node, pad string) {
	for _, p := range n.Pairs {
		w.value(pad+Scalar(p.Key, false)+":", pad, p.Key, p.Value)
	}
}

// value writes a value behind what stands in front of it on its line.
func (w *writer) value(front, pad string, key, v *ast.Node) {
	switch {
	case v.Kind == ast.Scalar:
		text := strings.Split(" "+Scalar(v, true), "\n")
		w.line(strings.TrimRight(front+text[0], " "), w.origins(key, v))
		for _, more := range text[1:] {
			if more != "" {
				more = pad + "  " + more
			}
			w.line(more, w.origins(nil, v))
		}
	case v.Flow && len(front)+1+len(flow(v)) <= wide, len(v.Pairs)+len(v.Items) == 0:
		w.line(front+" "+flow(v), w.origins(key, v))
	default:
		w.line(front, w.in.origins(key))
		w.children(v, pad+"  ")
	}
}

func (w *writer) children(v *ast.Node, pad string) {
	if v.Kind == ast.Map {
		w.pairs(v, pad)
		return
	}
	for _, it := range v.Items {
		switch {
		case it.Kind == ast.Map && len(it.Pairs) > 0 && (!it.Flow || len(pad)+2+len(flow(it)) > wide):
			before := len(w.lines)
			w.pairs(it, pad+"  ")
			w.lines[before].Text = pad + "- " + strings.TrimPrefix(w.lines[before].Text, pad+"  ")
		default:
			text := flow(it)
			if it.Kind == ast.Scalar {
				text = Scalar(it, false)
			}
			w.line(pad+"- "+text, w.origins(nil, it))
		}
	}
}

// Flow writes a tree on one line.
func Flow(n *ast.Node) string {
	if n == nil {
		return "nothing"
	}
	return flow(n)
}

func flow(n *ast.Node) string {
	var b strings.Builder
	switch n.Kind {
	case ast.Map:
		b.WriteByte('{')
		for i, p := range n.Pairs {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quoted(p.Key) + ": " + flow(p.Value))
		}
		b.WriteByte('}')
	case ast.List:
		b.WriteByte('[')
		for i, it := range n.Items {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(flow(it))
		}
		b.WriteByte(']')
	default:
		return quoted(n)
	}
	return b.String()
}

// Scalar writes a scalar as a block value; several lines stand below a `|`.
func Scalar(n *ast.Node, block bool) string {
	if block && strings.Contains(n.Text, "\n") && n.Style != ast.Plain && !strings.HasPrefix(n.Text, " ") && !strings.HasPrefix(n.Text, "\n") &&
		!strings.ContainsAny(n.Text, "\r\t") && !strings.HasSuffix(n.Text, "\n\n") && n.Text != "\n" && !strings.Contains(n.Text, " \n") {
		head := "|-\n"
		text := n.Text
		if strings.HasSuffix(text, "\n") {
			head, text = "|\n", strings.TrimSuffix(text, "\n")
		}
		return head + text
	}
	if n.Style == ast.Plain && plainBlock(n.Text) {
		return n.Text
	}
	return quoted(n)
}

// plainBlock reports whether a text may stand without quotes in a block.
func plainBlock(s string) bool {
	return s != "" && strings.TrimSpace(s) == s && !strings.ContainsAny(s, "\n\t\r") && !strings.ContainsAny(s[:1], "-?:,[]{}#&*!|>'\"%@`") &&
		!strings.Contains(s, ": ") && !strings.Contains(s, " #") && !strings.HasSuffix(s, ":") || s != "" && onlyDash(s)
}

// onlyDash reports whether a text begins with a sign that is harmless there.
func onlyDash(s string) bool {
	return len(s) > 1 && strings.ContainsAny(s[:1], "-:?") && s[1] != ' ' && plainBlock(s[1:])
}

// quoted writes a scalar where brackets stand around it.
func quoted(n *ast.Node) string {
	if n.Empty {
		return "null"
	}
	if n.Style == ast.Plain && plainBlock(n.Text) && !strings.ContainsAny(n.Text, ",[]{}?:\"'") {
		return n.Text
	}
	if _, text := spec.Plain(n).(string); n.Style == ast.Plain && !text {
		return n.Text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range n.Text {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
