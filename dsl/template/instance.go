package template

import (
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Instance is one client's use of a template.
type Instance struct {
	Name        string
	Client      string // its code: definitions are named client/name
	Path        string // of its file
	Root        *ast.Node
	Spec        *spec.Instance
	Of          *Template
	Definitions []Definition
	Overrides   []Override
	Found       diag.List

	values map[string]Value
	json   map[string]any
}

// Definition is one rendered definition.
type Definition struct {
	Kind spec.Kind
	Name string    // without the client
	Path string    // of the file of the template
	Root *ast.Node // begins with kind and name
	Uses []Use
}

// Use is a place where the value of a parameter was put in.
type Use struct {
	Param string
	At    diag.Span // in the template
}

// Override is what an instance says about one definition.
type Override struct {
	Def     string // kind/name
	Key     *ast.Node
	Until   time.Time // zero: for good
	UntilAt diag.Span
	Note    string
	Changes []Change
}

// Change is one place at which an override differs from the template.
type Change struct {
	Path string
	At   diag.Span // in the instance
	Base *ast.Node // what the template says there; nil: nothing
	New  *ast.Node // what the instance says; nil: it is removed
}

// JSON returns the values of the parameters. It must not be changed.
func (in *Instance) JSON() map[string]any { return in.json }

// Value returns the value of a parameter.
func (in *Instance) Value(name string) (Value, bool) {
	v, ok := in.values[name]
	return v, ok
}

// Head reads what an instance says before its template is known: which one it
// is.
func Head(filePath string, root *ast.Node) *Instance {
	in := &Instance{Path: filePath, Root: root, Name: root.Pairs[0].Value.Text, Spec: &spec.Instance{}, values: map[string]Value{}, json: map[string]any{}}
	dec := in.decoder()
	dec.Decode(root, in.Spec)
	in.Client = in.Name
	if code := in.Spec.Params.Get("code"); code != nil && code.Kind == ast.Scalar && code.Text != "" {
		in.Client = code.Text
	}
	return in
}

func (in *Instance) decoder() *spec.Decoder {
	return &spec.Decoder{Diags: &in.Found, Kind: "instance", Name: in.Name}
}

// Render makes the definitions of the instance. What is wrong is in Found; a
// definition whose overrides are wrong is made without them, and no definition
// is made where a parameter, or the template itself, is wrong.
func (in *Instance) Render(t *Template) {
	in.Of = t
	if t.Found.HasErrors() {
		return // one mistake is one finding
	}
	dec := in.decoder()
	if !in.readParams(t, dec) {
		// The overrides are merged for those who compare versions. What is found
		// on the way follows from the parameters, or is found when they are right.
		found := in.Found
		in.merge(t, dec)
		in.Found, in.Definitions = found, nil
		return
	}
	in.merge(t, dec)
}

// merge chooses the files of the instance and applies its overrides to them.
func (in *Instance) merge(t *Template, dec *spec.Decoder) {
	files, without := t.choose(in, dec)
	overrides := in.readOverrides(t, dec, without)
	dropped := in.readDrops(t, dec, without)
	for _, f := range files {
		if in.dropsWhole(dropped, f) {
			continue
		}
		m := merger{t: t, in: in, f: f, dec: dec, root: f.Root}
		for i := range overrides {
			if contains(overrides[i].files, f) {
				m.override(&in.Overrides[overrides[i].at], overrides[i].tree)
			}
		}
		for _, d := range dropped {
			if contains(d.files, f) {
				m.drop(d.node, d.from, d.path, &in.Overrides[d.at])
			}
		}
		s := setter{in: in, cells: f.cells}
		if m.root != f.Root {
			s.cells = spec.Computed(f.Kind, m.root)
		}
		root := s.set(m.root)
		name := f.name
		if f.Kind.Name != "test" {
			name = root.Pairs[0].Value.Text
		}
		in.Definitions = append(in.Definitions, Definition{Kind: f.Kind, Name: name, Path: f.Path, Root: root, Uses: s.uses})
	}
}

func contains(list []*file, f *file) bool {
	for _, o := range list {
		if o == f {
			return true
		}
	}
	return false
}

// readParams holds the values to their types and reports whether all is well.
func (in *Instance) readParams(t *Template, dec *spec.Decoder) bool {
	before, _ := in.Found.Count()
	given, meant := in.Spec.Params, ""
	if given != nil && given.Kind != ast.Map && !given.Empty {
		dec.Errorf(spec.CodeUnknown, given.Span, "expected a map of parameters, found %s", given.Kind).Hint = "its parameters: " + strings.Join(t.paramNames(), ", ")
		return false
	}
	if given != nil {
		meant = in.meantParam(t)
		for _, p := range given.Pairs {
			if t.param(p.Key.Text) == nil {
				t.noParam(dec, p.Key, 0, len(p.Key.Text))
				if meant != "" {
					d := &in.Found[len(in.Found)-1]
					d.Short = "is it `" + meant + "`, which has to be there?"
				}
			}
		}
	}
	for _, p := range t.Params {
		pair := given.Pair(p.Name)
		switch {
		case pair != nil:
			dec.Typeset(pair.Value)
			if v, ok := p.read(pair.Value, dec, "`"+p.Name+"`"); ok {
				in.put(p.Name, v)
			}
		case p.Default != nil:
			var ignored diag.List
			if v, ok := p.read(p.Default, &spec.Decoder{Diags: &ignored}, ""); ok {
				in.put(p.Name, v)
			}
		case p.Required && p.Name == meant:
			// It is told where the other name stands.
		case p.Required && !in.misspelt(p.Name, t):
			at := in.Spec.Name.Span()
			if pair := in.Root.Pair("params"); pair != nil {
				at = pair.Key.Span
			}
			d := dec.Errorf(CodeParam, at, "%s asks for the parameter `%s`", t.Name, p.Name)
			d.Hint = "add `" + p.Name + ": ...` below `params:`"
			if p.Note != "" {
				d.Hint += ": " + p.Note
			}
			if len(p.Options) > 0 {
				d.Hint += " (" + strings.Join(p.Options, ", ") + ")"
			}
		}
	}
	if v, ok := in.values["code"]; ok && v.Node.Kind == ast.Scalar {
		in.Client = v.Node.Text
	}
	after, _ := in.Found.Count()
	return after == before
}

func (in *Instance) put(name string, v Value) { in.values[name], in.json[name] = v, v.JSON }

// meantParam is the parameter for which the only unknown name was written: the only
// one that has to be there and is not, where the value is one of its type. It is ""
// where that cannot be told.
func (in *Instance) meantParam(t *Template) string {
	var strange []ast.Pair
	for _, p := range in.Spec.Params.Pairs {
		if t.param(p.Key.Text) == nil {
			strange = append(strange, p)
		}
	}
	var lacking []*Param
	for _, p := range t.Params {
		if p.Required && in.Spec.Params.Pair(p.Name) == nil {
			lacking = append(lacking, p)
		}
	}
	if len(strange) != 1 || len(lacking) != 1 || in.misspelt(lacking[0].Name, t) {
		return ""
	}
	var ignored diag.List
	if _, ok := lacking[0].read(strange[0].Value, &spec.Decoder{Diags: &ignored}, ""); !ok {
		return ""
	}
	return lacking[0].Name
}

// misspelt reports whether a key that means nothing looks like the name.
func (in *Instance) misspelt(name string, t *Template) bool {
	return in.Spec.Params != nil && spec.Meant(in.Spec.Params, name, t.paramNames())
}

// setter puts the values of parameters into a tree.
type setter struct {
	in    *Instance
	cells map[*ast.Node]bool
	uses  []Use
}

// set returns the tree with every ${param.x} replaced; nil where the whole
// value is a parameter that has none.
func (s *setter) set(n *ast.Node) *ast.Node {
	switch n.Kind {
	case ast.Map:
		var out *ast.Node
		for i, p := range n.Pairs {
			v := s.set(p.Value)
			if v == p.Value && out == nil {
				continue
			}
			if out == nil {
				c := *n
				c.Pairs = append([]ast.Pair{}, n.Pairs[:i]...)
				out = &c
			}
			if v != nil {
				out.Pairs = append(out.Pairs, ast.Pair{Key: p.Key, Value: v})
			}
		}
		if out != nil {
			return out
		}
	case ast.List:
		var out *ast.Node
		for i, it := range n.Items {
			v := s.set(it)
			if v == it && out == nil {
				continue
			}
			if out == nil {
				c := *n
				c.Items = append([]*ast.Node{}, n.Items[:i]...)
				out = &c
			}
			if v != nil {
				out.Items = append(out.Items, v)
			}
		}
		if out != nil {
			return out
		}
	default:
		if !s.cells[n] && strings.Contains(n.Text, "${param.") {
			return s.scalar(n)
		}
	}
	return n
}

// scalar puts values into one text. Alone in it, a value keeps its type.
func (s *setter) scalar(n *ast.Node) *ast.Node {
	found := placeholder.FindAllStringSubmatchIndex(n.Text, -1)
	if len(found) == 1 && found[0][0] == 0 && found[0][1] == len(n.Text) {
		name := n.Text[found[0][2]:found[0][3]]
		v, ok := s.in.values[name]
		if !ok {
			return nil
		}
		s.uses = append(s.uses, Use{name, n.Span})
		return v.Node
	}
	out := *n
	out.Text, out.Offsets = "", nil
	if out.Style == ast.Plain {
		out.Style = ast.DoubleQuoted // it is a text, whatever it looks like
	}
	at := 0
	for _, m := range found {
		name := n.Text[m[2]:m[3]]
		v, ok := s.in.values[name]
		if !ok || v.Node.Kind != ast.Scalar {
			s.unfit(n, m, name, ok)
			copyText(&out, n, at, m[0])
			out.Text += name // so that nothing else seems to be wrong
			at = m[1]
			continue
		}
		copyText(&out, n, at, m[0])
		out.Offsets = append(out.Offsets, ast.Mark{Off: len(out.Text), Point: v.Node.At(0), File: v.Node.Span.File})
		out.Text += v.Node.Text
		s.uses = append(s.uses, Use{name, n.Range(m[0], m[1])})
		at = m[1]
	}
	copyText(&out, n, at, len(n.Text))
	return &out
}

// unfit reports a value that cannot stand inside a text.
func (s *setter) unfit(n *ast.Node, m []int, name string, given bool) {
	p := s.in.Of.param(name)
	dec := s.in.decoder()
	d := dec.Errorf(CodeParam, n.Range(m[0], m[1]), "`%s` is %s and cannot stand inside a text", name, words(p.Type))
	d.Hint = "write ${param." + name + "} alone, or read it in a cell as $params." + name
	if !given {
		d.Message = "`" + name + "` has no value here, and a text cannot go without"
		d.Hint = "give the parameter a default, or write `required: true`"
	}
}

// copyText appends bytes [from, to) of n with the places where they stand.
func copyText(out, n *ast.Node, from, to int) {
	if from == to {
		return
	}
	shift := len(out.Text) - from
	out.Offsets = append(out.Offsets, ast.Mark{Off: len(out.Text), Point: n.At(from)})
	for _, m := range n.Offsets {
		if m.Off > from && m.Off < to {
			m.Off += shift
			out.Offsets = append(out.Offsets, m)
		}
	}
	out.Text += n.Text[from:to]
}
