package template

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// Param is one parameter.
type Param struct {
	Name     string
	Type     value.Type
	Required bool
	spoilt   bool // it has a default, which is no value of its type
	Options  []string
	Note     string
	Default  *ast.Node // nil: none

	key *ast.Node
}

// Value is what an instance has for a parameter.
type Value struct {
	JSON any
	Node *ast.Node // as it is put into the tree; it says where it was written
}

// params reads the declarations and holds every default to its own type.
func (t *Template) params(dec *spec.Decoder) {
	for i := range t.Spec.Params {
		f := &t.Spec.Params[i]
		p := &Param{Name: f.Key.Text, Required: f.Value.Required, Note: f.Value.Note.Value, Default: f.Value.Default, key: f.Key}
		if !isName(p.Name) {
			dec.Errorf(spec.CodeUnknown, f.Key.Span, "`%s` cannot be used as $params.%s", p.Name, p.Name).Hint = "use letters, digits and _, beginning with a letter"
			continue
		}
		for _, o := range f.Value.Options {
			p.Options = append(p.Options, o.Value)
		}
		t.Params = append(t.Params, p)
		typ, err := value.ParseType(f.Value.Type.Value)
		if err != nil {
			d := dec.Errorf(spec.CodeUnknown, f.Value.Type.Span(), "%s", err)
			if bad, ok := err.(*value.Error); ok {
				d.Message, d.Hint = bad.Message, bad.Hint
			}
			p.Default = nil
			continue
		}
		p.Type = typ
		switch {
		case typ.Base == value.Choice && len(p.Options) == 0 && f.Value.Type.Set():
			dec.Errorf(spec.CodeUnknown, f.Value.Type.Span(), "a choice needs its options").Hint = "add `options: [a, b]`"
			p.Type = value.Type{Base: value.String}
		case len(p.Options) > 0 && !typ.Textual() && !(typ.Base == value.List && typ.Item != nil && typ.Item.Textual()):
			dec.Errorf(spec.CodeUnknown, f.Value.Node.Pair("options").Key.Span, "options are texts, but `%s` is %s", p.Name, words(typ)).
				Hint = "write `type: choice`, or remove the options"
			p.Options = nil
		}
		if p.Default != nil && p.Required {
			dec.Warnf(CodeParam, p.Default.Span, "this default is never used: every instance has to say `%s`", p.Name).
				Hint = "remove `required: true`, or the default"
		}
		if p.Default != nil {
			if _, ok := p.read(p.Default, dec, "the default of `"+p.Name+"`"); !ok {
				p.Default, p.spoilt = nil, true
			}
		}
	}
	t.Shape = t.shapeOf()
}

var nameWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func isName(s string) bool { return nameWord.MatchString(s) }

// shapeOf describes the parameters as a document, for the cells that read them.
func (t *Template) shapeOf() *schema.Schema {
	text := func(s string) *ast.Node { return &ast.Node{Kind: ast.Scalar, Text: s} }
	fields := &ast.Node{Kind: ast.Map}
	for _, p := range t.Params {
		body := &ast.Node{Kind: ast.Map}
		typ := p.Type
		if p.Type.Base == value.Name {
			typ = value.Type{Base: value.String}
		}
		if typ.Base == value.Choice || typ.Base != value.Any {
			body.Pairs = append(body.Pairs, ast.Pair{Key: text("type"), Value: text(typ.String())})
		}
		if p.Type.Textual() && len(p.Options) > 0 {
			options := &ast.Node{Kind: ast.List}
			for _, o := range p.Options {
				options.Items = append(options.Items, text(o))
			}
			body.Pairs = append(body.Pairs, ast.Pair{Key: text("options"), Value: options})
		}
		if p.Required || p.Default != nil || p.spoilt {
			body.Pairs = append(body.Pairs, ast.Pair{Key: text("required"), Value: text("true")})
		}
		fields.Pairs = append(fields.Pairs, ast.Pair{Key: text(p.Name), Value: body})
	}
	var ignored diag.List
	return schema.Build(schema.Source{Name: "the parameters of " + t.Name, Fields: fields, Closed: true}, &ignored)
}

// read takes a node as a value of the parameter, or says why it is none.
func (p *Param) read(n *ast.Node, dec *spec.Decoder, what string) (Value, bool) {
	v, bad := typed(n, p.Type)
	if bad != nil {
		d := dec.Errorf(CodeParam, bad.node.Span, "%s is %s, found %s", what, bad.want, found(bad.node))
		d.Hint = bad.hint
		return Value{}, false
	}
	items := []*ast.Node{n}
	if n.Kind == ast.List {
		items = n.Items
	}
	for _, item := range items {
		if len(p.Options) == 0 || item.Kind != ast.Scalar || slices.Contains(p.Options, item.Text) {
			continue
		}
		d := dec.Errorf(CodeParam, item.Span, "`%s` is not an option of `%s`", item.Text, p.Name)
		d.Hint = "options: " + strings.Join(p.Options, ", ")
		if item.Style == ast.Plain {
			suggest(d, item.Text, p.Options)
		} else {
			d.Short = diag.DidYouMean(item.Text, p.Options)
		}
		return Value{}, false
	}
	return Value{JSON: v, Node: restyled(n, p.Type)}, true
}

// misfit is a node that is not what its type says.
type misfit struct {
	node *ast.Node
	want string
	hint string
}

var (
	clientName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	number     = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	integer    = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
)

// typed reads a node as a value of a type.
func typed(n *ast.Node, t value.Type) (any, *misfit) {
	bad := func(hint string) (any, *misfit) { return nil, &misfit{n, words(t), hint} }
	switch {
	case t.Base == value.Any:
		return spec.Plain(n), nil
	case t.Base == value.Object:
		if n.Kind != ast.Map {
			return bad("")
		}
		return spec.Plain(n), nil
	case t.Base == value.List:
		return listed(n, t)
	case n.Kind != ast.Scalar || n.Empty || n.Style == ast.Plain && (n.Text == "null" || n.Text == "~"):
		return bad("")
	}
	switch t.Base {
	case value.Boolean:
		if b, ok := spec.ParseBool(n.Text); ok {
			return b, nil
		}
		return bad("write true or false")
	case value.Integer:
		if integer.MatchString(n.Text) {
			return json.Number(n.Text), nil
		}
		return bad("")
	case value.Number, value.Fixed:
		if _, decimals, _ := strings.Cut(n.Text, "."); number.MatchString(n.Text) && (t.Base == value.Number || len(decimals) <= t.Digits) {
			return json.Number(n.Text), nil
		}
		return bad("")
	case value.Name:
		if !clientName.MatchString(n.Text) {
			return bad("use lower-case letters, digits and hyphens, beginning with a letter")
		}
	case value.Date, value.DateTime, value.Time, value.URL:
		c, err := value.NewConverter(t, value.Options{})
		if err != nil {
			return n.Text, nil
		}
		if _, err := c.Convert(n.Text); err != nil || t.Base == value.Time && !clock.MatchString(n.Text) {
			return bad(meant(n.Text, t.Base))
		}
	}
	return n.Text, nil
}

// meant says how a day or a time of day is written that has another form.
func meant(text string, t value.Base) string {
	hint := ""
	switch t {
	case value.Date:
		hint = value.DateMeant(text)
	case value.Time:
		if at, err := time.Parse("3:04PM", strings.ToUpper(strings.ReplaceAll(text, " ", ""))); err == nil {
			hint = "write " + at.Format("15:04")
		}
	}
	return cmp.Or(hint, "write it as in "+examples[t])
}

var clock = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$`)

var examples = map[value.Base]string{value.Date: "2026-03-31", value.Time: "16:00", value.DateTime: "2026-03-31T16:00:00Z", value.URL: "https://example.com"}

func listed(n *ast.Node, t value.Type) (any, *misfit) {
	if n.Kind != ast.List {
		return nil, &misfit{n, words(t), "write it with brackets: [" + n.Text + "]"}
	}
	out := make([]any, 0, len(n.Items))
	item := value.Type{}
	if t.Item != nil {
		item = *t.Item
	}
	for _, i := range n.Items {
		v, bad := typed(i, item)
		if bad != nil {
			bad.want = "a list whose items are " + words(item)
			return nil, bad
		}
		out = append(out, v)
	}
	return out, nil
}

// words says a type as people do.
func words(t value.Type) string {
	switch t.Base {
	case value.String, value.Choice:
		return "a text"
	case value.Name:
		return "a name"
	case value.Integer:
		return "a whole number"
	case value.Number:
		return "a number"
	case value.Fixed:
		return "a number of type " + t.String()
	case value.Boolean:
		return "true or false"
	case value.Date:
		return "a date"
	case value.Time:
		return "a time"
	case value.DateTime:
		return "a date with time"
	case value.URL:
		return "an address"
	case value.Object:
		return "a map"
	case value.List:
		return "a list"
	}
	return "a value"
}

func found(n *ast.Node) string {
	switch {
	case n.Kind != ast.Scalar:
		return n.Kind.String()
	case n.Empty:
		return "nothing"
	}
	return "`" + n.Text + "`"
}

// restyled is the node as it is put into a tree: a text stays a text where it
// looks like a number, and a number is one although it was quoted.
func restyled(n *ast.Node, t value.Type) *ast.Node {
	style := ast.Plain
	switch {
	case n.Kind == ast.List && t.Item != nil:
		out := *n
		out.Items = make([]*ast.Node, 0, len(n.Items))
		for _, item := range n.Items {
			out.Items = append(out.Items, restyled(item, *t.Item))
		}
		return &out
	case n.Kind != ast.Scalar || t.Base == value.Any:
		return n
	case t.Textual():
		style = ast.DoubleQuoted
		if _, isText := spec.Plain(n).(string); isText {
			return n
		}
	}
	if n.Style == style {
		return n
	}
	out := *n
	out.Style = style
	return &out
}

// Check says what is wrong with a value, written as in an instance file; "" for
// nothing.
func (p *Param) Check(text string) string {
	f, list := parser.Parse("answer", []byte("value: "+text+"\n"))
	if list.HasErrors() || f.Root == nil {
		return "this cannot be read as a value"
	}
	var found diag.List
	if _, ok := p.read(f.Root.Get("value"), &spec.Decoder{Diags: &found}, "`"+p.Name+"`"); ok {
		return ""
	}
	d := found[0]
	if d.Hint != "" {
		return d.Message + ": " + d.Hint
	}
	return d.Message
}
