package editor

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
)

// Symbol is something that has a name: a definition, or a part of one.
type Symbol struct {
	Kind string // mapping, lookup, column, schema, field, connection, operation, policy, let, step ...
	Name string // in full: "tms.create", "shop/order@1#shipTo.zip", "order-to-shipment#heavy"
}

// part is the last part of the name of something inside a definition.
func (s Symbol) part() string {
	_, part, ok := strings.Cut(s.Name, "#")
	if !ok {
		return short(s.Name)
	}
	return part
}

// Mention is one place where a name stands.
type Mention struct {
	Symbol  Symbol
	Span    diag.Span // of the name alone
	Defines bool
	Lang    string // "jq" or "expr" inside cells
	Event   bool   // an event is named, by the name of its schema
	Short   bool   // jq: {name} for {name: .name}
	Std     bool   // the name stands with std/ in front
	Bare    bool   // a schema without its version
}

// index knows who defines and who uses each name.
type index struct {
	state    *State
	mentions []Mention
	byFile   map[string][]int
	bySymbol map[Symbol][]int
	seen     map[Mention]bool
}

// Index returns the mentions of all names.
func (s *State) mentions() *index {
	if s.index != nil {
		return s.index
	}
	x := &index{state: s, byFile: map[string][]int{}, bySymbol: map[Symbol][]int{}, seen: map[Mention]bool{}}
	s.index = x
	for path, f := range s.Workspace.Files {
		kind, ok := spec.KindOfFile(path)
		if ok && f.Root != nil {
			x.file(kind, f)
		}
	}
	for _, ws := range s.all() {
		x.cells(ws)
		x.rows(ws)
	}
	slices.SortStableFunc(x.mentions, func(a, b Mention) int {
		if c := strings.Compare(a.Span.File, b.Span.File); c != 0 {
			return c
		}
		return compare(a.Span.Start, b.Span.Start)
	})
	for i, m := range x.mentions {
		x.byFile[m.Span.File] = append(x.byFile[m.Span.File], i)
		x.bySymbol[m.Symbol] = append(x.bySymbol[m.Symbol], i)
	}
	return x
}

func compare(a, b diag.Point) int {
	switch {
	case a.Less(b):
		return -1
	case b.Less(a):
		return 1
	}
	return 0
}

func (x *index) add(m Mention) {
	if m.Span.File == "" || m.Span.Start.Line == 0 || x.seen[m] {
		return // cells of templates are compiled for each client
	}
	x.seen[m] = true
	x.mentions = append(x.mentions, m)
}

// at returns the mention at a place; the shortest where several are.
func (x *index) at(path string, p diag.Point) (Mention, bool) {
	best := -1
	for _, i := range x.byFile[path] {
		s := x.mentions[i].Span
		if p.Less(s.Start) || s.End.Less(p) {
			continue
		}
		if best < 0 || x.mentions[best].Span.Contains(s) {
			best = i
		}
	}
	if best < 0 {
		return Mention{}, false
	}
	return x.mentions[best], true
}

func (x *index) of(s Symbol) []Mention {
	var out []Mention
	for _, i := range x.bySymbol[s] {
		out = append(out, x.mentions[i])
	}
	return out
}

// file notes the names in the keys and values of one definition.
func (x *index) file(kind spec.Kind, f *ast.File) {
	form := x.state.form(kind, f.Root)
	if form == nil || f.Root.Kind != ast.Map || len(f.Root.Pairs) == 0 {
		return
	}
	w := &names{index: x, kind: kind.Name, name: f.Root.Pairs[0].Value.Text, std: strings.HasPrefix(f.Path, "std/")}
	h, ours := x.state.homes()[f.Path]
	switch {
	case !ours:
	case kind.Name == "template":
		w.template(h.template, f.Root)
	case kind.Name == "instance":
		w.instance(h.template, f.Root, form)
	default:
		if h.ws.Files[f.Path] != nil && !strings.HasPrefix(w.name, h.code+"/") {
			w.of = h.template
		}
		w.placeholders(h.template, f.Root)
	}
	w.node(f.Root, form)
}

// form is the form of a definition, which may depend on what it says.
func (s *State) form(kind spec.Kind, root *ast.Node) *spec.Form {
	catalog := s.folder.opt.Catalog
	switch typ := root.Get("type"); {
	case kind.Name == "instance" && len(root.Pairs) > 0:
		return s.instanceForm(kind.Form(), root)
	case kind.Name == "template" && len(root.Pairs) > 0:
		return s.templateForm(kind.Form(), root)
	case kind.Name == "test" && root.Get("test") != nil && strings.HasPrefix(root.Get("test").Text, "pipeline"):
		return spec.PipelineTestForm()
	case kind.Name == "connection" && typ != nil && catalog != nil && catalog.Settings(typ.Text) != nil:
		return spec.ConnectionForm(catalog.Settings(typ.Text), catalog.Operation(typ.Text))
	}
	return kind.Form()
}

// names walks one definition.
type names struct {
	*index
	kind, name string
	std        bool
	of         *template.Template // that has the definition; nil for the workspace
}

// full is a name as it is known in the workspace.
func (w *names) full(name string) string {
	if w.of != nil {
		return ofTemplate(w.of, name)
	}
	if w.std && !strings.HasPrefix(name, "std/") {
		return "std/" + name
	}
	return name
}

func (w *names) node(n *ast.Node, f *spec.Form) {
	if n == nil || f == nil {
		return
	}
	switch n.Kind {
	case ast.Scalar:
		if f.Scalar != nil && !n.Empty && n.Text != "" {
			w.scalar(n, f.Scalar)
		}
	case ast.List:
		for _, item := range n.Items {
			w.node(item, f.Items)
		}
	case ast.Map:
		for _, p := range n.Pairs {
			if f.Name == "overrides" {
				w.override(p, f)
				continue
			}
			w.key(p, f)
			w.node(p.Value, f.Below(p.Key.Text))
		}
	}
}

// key notes what the keys of a map define or name.
func (w *names) key(p ast.Pair, f *spec.Form) {
	k := p.Key
	switch f.Defines {
	case "policy", "verify", "alert", "var":
		w.add(Mention{Symbol: Symbol{f.Defines, k.Text}, Span: k.Span, Defines: true})
	case "operation":
		w.add(Mention{Symbol: Symbol{"operation", w.full(w.name) + "." + k.Text}, Span: k.Span, Defines: true})
	case "let":
		w.add(Mention{Symbol: Symbol{"let", w.full(w.name) + "#" + k.Text}, Span: k.Span, Defines: true})
	case "field":
		w.field(w.full(w.name), k, true)
	}
	switch f.Refers {
	case "operation":
		w.operation(k)
	case "emitted":
		w.reference(k, "schema")
	}
	if f.Name == "StepOptions" || f.Name == "Step" || f.Name == "Otherwise" {
		if k.Text == "as" && p.Value.Kind == ast.Scalar {
			w.add(Mention{Symbol: Symbol{"step", w.full(w.name) + "#" + p.Value.Text}, Span: p.Value.Span, Defines: true})
		}
	}
}

// field notes the parts of a dotted name in a schema.
func (w *names) field(schema string, k *ast.Node, defines bool) {
	path := ""
	for _, part := range dotted(k.Text) {
		path = joinPath(path, part.name, part.list)
		w.add(Mention{Symbol: Symbol{"field", schema + "#" + strings.TrimSuffix(path, "[]")}, Span: k.Range(part.from, part.to), Defines: defines})
	}
}

// scalar notes what a single value names.
func (w *names) scalar(n *ast.Node, s *spec.Scalar) {
	if s.Name != "" {
		w.add(Mention{Symbol: Symbol{s.Name, w.full(n.Text)}, Span: n.Span, Defines: true})
	}
	switch s.Ref {
	case "", "zone", "type", "unit", "pattern", "connector", "target":
	case "operation":
		w.operation(n)
	case "lookup":
		w.table(n, 0, len(n.Text))
	case "event":
		w.event(n)
	case "test":
		kind, rest, ok := strings.Cut(n.Text, " ")
		name := strings.TrimSpace(rest)
		if ok && name != "" {
			at := strings.LastIndex(n.Text, name)
			if full := w.resolve(n.Span.File, kind, name); full != "" {
				w.add(Mention{Symbol: Symbol{kind, full}, Span: n.Range(at+len(name)-tail(full, name), at+len(name))})
			}
		}
	case "file":
		w.add(Mention{Symbol: Symbol{"file", beside(n.Span.File, n.Text)}, Span: inside(n)})
	default:
		w.reference(n, s.Ref)
	}
}

// inside is the span of a scalar without its quotes.
func inside(n *ast.Node) diag.Span { return n.Range(0, len(n.Text)) }

// reference notes the name of a definition.
func (w *names) reference(n *ast.Node, kind string) {
	name, std := n.Text, false
	from := 0
	if rest, ok := strings.CutPrefix(name, "std/"); ok {
		name, std, from = rest, true, len("std/")
	}
	full := w.resolve(n.Span.File, kind, n.Text)
	if full == "" {
		if kind == "schema" {
			w.event(n)
		}
		return
	}
	if from == 0 {
		from = len(n.Text) - tail(full, name)
	}
	w.add(Mention{Symbol: Symbol{kind, full}, Span: n.Range(from, len(n.Text)), Std: std})
}

func (w *names) operation(n *ast.Node) {
	dot := strings.LastIndexByte(n.Text, '.')
	if dot < 0 {
		return
	}
	conn := w.resolve(n.Span.File, "connection", n.Text[:dot])
	if conn == "" {
		return
	}
	from := dot - tail(conn, n.Text[:dot])
	if strings.HasPrefix(n.Text, "std/") {
		from = len("std/")
	}
	w.add(Mention{Symbol: Symbol{"connection", conn}, Span: n.Range(from, dot), Std: strings.HasPrefix(n.Text, "std/")})
	w.add(Mention{Symbol: Symbol{"operation", conn + "." + n.Text[dot+1:]}, Span: n.Range(dot+1, len(n.Text))})
}

// table notes `table` or `table.column` between two bytes of a scalar.
func (x *index) table(n *ast.Node, from, to int) { x.tableIn(n, from, to, "") }

func (x *index) tableIn(n *ast.Node, from, to int, lang string) {
	text := n.Text[from:to]
	if full := x.resolve(n.Span.File, "lookup", text); full != "" {
		x.add(Mention{Symbol: Symbol{"lookup", full}, Span: n.Range(to-tail(full, text), to), Lang: lang})
		return
	}
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 {
		return
	}
	if full := x.resolve(n.Span.File, "lookup", text[:dot]); full != "" {
		x.add(Mention{Symbol: Symbol{"lookup", full}, Span: n.Range(from+dot-tail(full, text[:dot]), from+dot), Lang: lang})
		x.add(Mention{Symbol: Symbol{"column", full + "#" + text[dot+1:]}, Span: n.Range(from+dot+1, to), Lang: lang})
	}
}

// event notes the schema whose events are heard under a name.
func (x *index) event(n *ast.Node) {
	for _, name := range x.state.hears(n.Span.File, n.Text) {
		x.add(Mention{Symbol: Symbol{"schema", name}, Span: inside(n), Event: true})
	}
}
