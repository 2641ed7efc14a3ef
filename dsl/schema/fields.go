package schema

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// The codes this package reports.
const (
	CodeUnknown diag.Code = "XD1001" // an unknown key, or a value of the wrong shape
	CodeEaten   diag.Code = "XD1002" // YAML read something else than what was meant
)

// keys are what a field may say, in the order of the reference.
var keys = spec.Keys(reflect.TypeFor[spec.SchemaField]())

// limits are the checks of a field that a shape does not carry.
type limits struct {
	pattern              string
	min, max             *value.Decimal
	minLength, maxLength *int
	minItems, maxItems   *int
	example              string
}

// draft is a field on its way to a shape.
type draft struct {
	shape    *value.Shape
	limits   limits
	declared bool
	children map[string]*draft
	order    []string
	item     *draft
}

func newDraft() *draft { return &draft{shape: &value.Shape{}} }

func (d *draft) child(name string) *draft {
	if name == value.Items {
		if d.item == nil {
			d.item = newDraft()
		}
		return d.item
	}
	if c, ok := d.children[name]; ok {
		return c
	}
	if d.children == nil {
		d.children = map[string]*draft{}
	}
	c := newDraft()
	d.children[name] = c
	d.order = append(d.order, name)
	return c
}

// builder reads `fields:`.
type builder struct {
	schema *Schema
	diags  *diag.List
	root   *draft
}

func (s *Schema) fromFields(src Source, l *diag.List) bool {
	before, _ := l.Count()
	b := &builder{schema: s, diags: l, root: newDraft()}
	b.root.shape.Required = true
	switch {
	case src.Fields == nil || src.Fields.Empty:
		l.Errorf(CodeUnknown, src.Span, "the schema lists no fields").Hint = "write `fields:` with one line per field, or `json_schema: file.json`"
		return false
	case src.Fields.Kind != ast.Map:
		l.Errorf(CodeUnknown, src.Fields.Span, "fields must be a map, found %s", src.Fields.Kind).Hint = "one line per field: `order_no: {type: string, required: true}`"
		return false
	}
	for _, p := range src.Fields.Pairs {
		b.field(p.Key, p.Value)
	}
	b.settle(b.root, nil)
	if after, _ := l.Count(); after > before {
		return false
	}
	s.root = b.root.shape
	s.root.Closed = src.Closed
	s.document = document(src.Name, b.root, src.Closed)
	s.checks = newCheck("", b.root)
	return true
}

func (b *builder) errorf(n *ast.Node, format string, args ...any) *diag.Diagnostic {
	return b.diags.Errorf(CodeUnknown, n.Span, format, args...)
}

// nested reports a field whose own fields stand below it, as they do in documents and in
// OpenAPI, and reads them as what was meant: names joined by dots.
func (b *builder) nested(key, body *ast.Node) bool {
	if body == nil || body.Kind != ast.Map || len(body.Pairs) == 0 || strings.HasPrefix(key.Text, `"`) {
		return false
	}
	at, name, below := body.Pairs[0].Key, key.Text+".", body.Pairs
	if p := body.Pair("items"); p != nil && p.Value.Kind == ast.Map {
		at, name, below = p.Key, strings.TrimSuffix(key.Text, "[]")+"[].", p.Value.Pairs
		if inner := p.Value.Pair("properties"); inner != nil {
			below = inner.Value.Pairs
		}
	} else if p := body.Pair("properties"); p != nil && p.Value.Kind == ast.Map {
		at, below = p.Key, p.Value.Pairs
	}
	for _, p := range below {
		if p.Value.Kind != ast.Map || slices.Contains(keys, p.Key.Text) && !fieldBody(p.Value) || p.Key.Text == "owner" || p.Key.Text == "example" || strings.ContainsAny(p.Key.Text, `."`) {
			return false
		}
	}
	if len(below) == 0 {
		return false
	}
	f := b.diags.Errorf(CodeUnknown, at.Span, "fields of `%s` do not stand below it: their names are joined by dots", key.Text)
	f.Hint = "write `" + name + below[0].Key.Text + ": {...}`, one line per field"
	for _, p := range below {
		joined := *p.Key
		joined.Text = name + p.Key.Text
		b.field(&joined, p.Value)
	}
	return true
}

// fieldBody reports whether a map says what a field is.
func fieldBody(n *ast.Node) bool {
	return slices.ContainsFunc(n.Pairs, func(p ast.Pair) bool { return slices.Contains(keys, p.Key.Text) })
}

// field reads one line: a dotted name and what is said about it.
func (b *builder) field(key, body *ast.Node) {
	if b.nested(key, body) {
		return
	}
	path := Split(key.Text)
	if bad := checkName(key.Text); bad != "" {
		b.errorf(key, "%q is not a field name: %s", key.Text, bad).Hint = "names joined by dots, [] behind a list: lines[].sku"
		return
	}
	listed := path[len(path)-1] == value.Items
	if listed {
		path = path[:len(path)-1]
	}
	d := b.root
	for _, name := range path {
		d = d.child(name)
	}
	if d.declared {
		f := b.errorf(key, "field %s is described twice", Join(path))
		if span, ok := b.schema.spans[Join(path)]; ok {
			f.Related = append(f.Related, diag.Related{Span: span, Message: "first here"})
		}
		return
	}
	d.declared = true
	b.schema.spans[Join(path)] = key.Span
	if listed {
		// `name[]: {type: url, required: true}` speaks of the items, but for
		// what only a list can have.
		b.schema.spans[Join(append(path, value.Items))] = key.Span
		item := d.child(value.Items)
		b.body(body, item, key)
		d.shape.Required, item.shape.Required = item.shape.Required, true
		d.shape.Note, d.shape.PII = item.shape.Note, item.shape.PII
		d.limits.minItems, d.limits.maxItems = item.limits.minItems, item.limits.maxItems
		item.limits.minItems, item.limits.maxItems = nil, nil
		d.shape.Type = value.Type{Base: value.List}
		return
	}
	b.body(body, d, key)
}

// maxDepth bounds the steps of one field name.
const maxDepth = 32

func (b *builder) body(n *ast.Node, d *draft, key *ast.Node) {
	switch {
	case n == nil || n.Kind == ast.Scalar && n.Empty:
		return // nothing is said: any value
	case n.Kind == ast.Scalar:
		b.typeOf(n, d)
		return
	case n.Kind == ast.List:
		b.errorf(n, "field %s is described by a list", key.Text).Hint = "write {type: choice, options: [...]}"
		return
	}
	// The type comes first: what the other keys mean depends on it.
	if t := n.Get("type"); t != nil {
		b.typeOf(t, d)
	}
	for _, p := range n.Pairs {
		b.key(p.Key, p.Value, d)
	}
	if o := n.Get("owner"); o != nil && len(d.shape.Options) > 0 {
		for _, p := range o.Pairs {
			if !slices.Contains(d.shape.Options, p.Key.Text) {
				b.errorf(p.Key, "%q is no option of %s", p.Key.Text, key.Text).Short = diag.DidYouMean(p.Key.Text, d.shape.Options)
			}
		}
	}
	misspelt := slices.ContainsFunc(n.Keys(), func(k string) bool { return len(diag.Nearest(k, []string{"options"})) > 0 })
	if d.shape.Type.Base == value.Choice && len(d.shape.Options) == 0 && !misspelt && n.Get("enum") == nil && n.Get("values") == nil {
		b.errorf(n, "a choice needs its options").Hint = "add `options: [a, b]`"
	}
}

// habits are what other languages of schemas call the same.
var habits = map[string]string{"enum": "options", "values": "options", "mandatory": "required", "nullable": "required", "minimum": "min", "maximum": "max",
	"length": "max_length", "size": "max_length", "regex": "pattern", "format": "type", "description": "note", "comment": "note", "personal": "pii", "system": "owner"}

func didYouMean(key string) string {
	if to := habits[key]; to != "" {
		return "did you mean `" + to + "`?"
	}
	return diag.DidYouMean(key, keys)
}

func (b *builder) typeOf(n *ast.Node, d *draft) {
	if n.Kind != ast.Scalar {
		b.errorf(n, "type must be one word, found %s", n.Kind).Hint = "for example string, decimal(2) or list(string)"
		return
	}
	t, err := value.ParseType(n.Text)
	if err != nil {
		f := b.errorf(n, "%s", err.Error())
		if e, ok := err.(*value.Error); ok {
			f.Message, f.Hint = e.Message, e.Hint
		}
		return
	}
	d.shape.Type = t
	// list(T) is a list whose items are of type T.
	for t.Base == value.List && t.Item != nil {
		item := d.child(value.Items)
		item.shape.Type, item.shape.Required = *t.Item, true
		d, t = item, *t.Item
	}
}

func (b *builder) key(key, n *ast.Node, d *draft) {
	if !slices.Contains(keys, key.Text) {
		f := b.diags.Errorf(CodeUnknown, key.Span, "unknown key `%s`", key.Text)
		f.Short, f.Hint = didYouMean(key.Text), "a field can say "+strings.Join(keys, ", ")
		return
	}
	if key.Text == "type" {
		return
	}
	if key.Text == "options" {
		b.options(n, d)
		return
	}
	if key.Text == "owner" && n.Kind == ast.Map {
		b.owners(n, d)
		return
	}
	if n.Kind != ast.Scalar || n.Empty {
		b.errorf(n, "%s must be a single value, found %s", key.Text, n.Kind)
		return
	}
	switch key.Text {
	case "required":
		b.flag(n, &d.shape.Required)
	case "pii":
		b.flag(n, &d.shape.PII)
	case "owner":
		d.shape.Owner = n.Text
	case "protected":
		d.shape.Protected = new(bool)
		b.flag(n, d.shape.Protected)
	case "note":
		d.shape.Note = n.Text
	case "example":
		d.limits.example = n.Text
	case "pattern":
		if b.fits(key, d, d.shape.Type.Base == value.Any || d.shape.Type.Textual(), "texts") {
			if _, err := regexp.Compile(n.Text); err != nil {
				f := b.errorf(n, "the pattern is not a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
				if strings.Contains(n.Text, "(?=") || strings.Contains(n.Text, "(?!") || strings.Contains(n.Text, "(?<") {
					f.Hint = "looking ahead and behind is not possible: write what the whole text is, such as ^SO-[0-9]+$"
				}
				return
			}
			d.limits.pattern = n.Text
		}
	case "min", "max":
		b.bound(key, n, d)
	default:
		b.count(key, n, d)
	}
}

func (b *builder) fits(key *ast.Node, d *draft, ok bool, kinds string) bool {
	if !ok {
		b.errorf(key, "%s has no meaning for type %s", key.Text, d.shape.Type).Hint = "it belongs to " + kinds
	}
	return ok
}

func (b *builder) flag(n *ast.Node, into *bool) {
	switch n.Text {
	case "true":
		*into = true
	case "false":
		*into = false
	default:
		b.errorf(n, "expected true or false, found %q", n.Text)
	}
}

// owners reads which system each option belongs to.
func (b *builder) owners(n *ast.Node, d *draft) {
	if d.shape.Type.Base != value.Choice {
		b.errorf(n, "only the options of a choice can have owners of their own").Hint = "write `owner: erp`, or use `type: choice`"
		return
	}
	d.shape.Owners = map[string]string{}
	for _, p := range n.Pairs {
		if p.Value.Kind != ast.Scalar || p.Value.Empty {
			b.errorf(p.Value, "the owner of %q must be the name of a system", p.Key.Text)
			continue
		}
		d.shape.Owners[p.Key.Text] = p.Value.Text
	}
}

func (b *builder) options(n *ast.Node, d *draft) {
	if n.Kind != ast.List {
		f := b.errorf(n, "options must be a list, found %s", n.Kind)
		f.Hint = "options: [a, b]"
		if parts := strings.FieldsFunc(n.Text, func(r rune) bool { return strings.ContainsRune("|,;/ ", r) }); n.Kind == ast.Scalar && len(parts) > 0 {
			f.Hint = "write `options: [" + strings.Join(parts, ", ") + "]`"
		}
		return
	}
	if base := d.shape.Type.Base; base != value.Choice && base != value.String && base != value.Any {
		b.errorf(n, "options have no meaning for type %s", d.shape.Type).Hint = "use `type: choice`"
		return
	}
	for _, item := range n.Items {
		switch {
		case item.Kind != ast.Scalar:
			b.errorf(item, "an option is one word or text, found %s", item.Kind)
		case slices.Contains(d.shape.Options, item.Text):
			b.errorf(item, "option %q is listed twice", item.Text)
		default:
			d.shape.Options = append(d.shape.Options, item.Text)
		}
	}
	if len(n.Items) == 0 {
		b.errorf(n, "no option is listed")
	}
}

func (b *builder) bound(key, n *ast.Node, d *draft) {
	hint := map[bool]string{true: "min_length", false: "max_length"}[key.Text == "min"]
	if !d.shape.Type.Numeric() && d.shape.Type.Base != value.Any {
		f := b.errorf(key, "%s is a bound of numbers, not of type %s", key.Text, d.shape.Type)
		if d.shape.Type.Textual() {
			f.Hint = "for the number of characters write " + hint
		} else if d.shape.Type.Base == value.List {
			f.Hint = "for the number of items write " + strings.Replace(hint, "length", "items", 1)
		}
		return
	}
	v, err := value.ParseDecimal(n.Text)
	if err != nil {
		b.errorf(n, "%s must be a number, found %q", key.Text, n.Text)
		return
	}
	if key.Text == "min" {
		d.limits.min = &v
	} else {
		d.limits.max = &v
	}
	if d.limits.min != nil && d.limits.max != nil && d.limits.min.Cmp(*d.limits.max) > 0 {
		b.errorf(n, "min is larger than max")
	}
}

func (b *builder) count(key, n *ast.Node, d *draft) {
	v, err := strconv.Atoi(n.Text)
	if err != nil || v < 0 {
		b.errorf(n, "%s must be a whole number, found %q", key.Text, n.Text)
		return
	}
	textual := d.shape.Type.Base == value.Any || d.shape.Type.Textual()
	l := &d.limits
	defer func() {
		for _, pair := range [][2]*int{{l.minLength, l.maxLength}, {l.minItems, l.maxItems}} {
			if pair[0] != nil && pair[1] != nil && *pair[0] > *pair[1] {
				unit := key.Text[len("min_"):] // length or items
				b.errorf(n, "min_%s is larger than max_%s", unit, unit)
				break
			}
		}
	}()
	switch key.Text {
	case "min_length":
		if b.fits(key, d, textual, "texts") {
			d.limits.minLength = &v
		}
	case "max_length":
		if b.fits(key, d, textual, "texts") {
			d.limits.maxLength = &v
		}
	case "min_items":
		d.limits.minItems = &v
	case "max_items":
		d.limits.maxItems = &v
	}
}

// settle gives parents their type, joins the drafts into shapes and sees that
// a field with fields is an object and one with items a list.
func (b *builder) settle(d *draft, path []string) {
	span := func() diag.Span { return b.schema.spans[Join(path)] }
	s := d.shape
	if len(d.children) > 0 {
		if s.Type.Base == value.Any {
			s.Type = value.Type{Base: value.Object}
		}
		if s.Type.Base != value.Object {
			b.diags.Errorf(CodeUnknown, span(), "field %s is of type %s and cannot have fields of its own", Join(path), s.Type).Hint =
				"for a list write " + Join(path) + "[]." + d.order[0]
		}
		s.Fields, s.Order = map[string]*value.Shape{}, d.order
	}
	if d.item != nil {
		if s.Type.Base == value.Any {
			s.Type = value.Type{Base: value.List}
		}
		if s.Type.Base != value.List {
			b.noList(d, path, span())
		}
		b.settle(d.item, append(path[:len(path):len(path)], value.Items))
		d.item.shape.Required = true
		s.Item = d.item.shape
	}
	for _, name := range d.order {
		c := d.children[name]
		b.settle(c, append(path[:len(path):len(path)], name))
		s.Fields[name] = c.shape
		// A required field makes its parents required, unless they are
		// described on their own.
		if c.shape.Required && !d.declared && d != b.root && !isItem(path) {
			s.Required = true
		}
	}
	if (d.limits.minItems != nil || d.limits.maxItems != nil) && s.Type.Base != value.List {
		b.diags.Errorf(CodeUnknown, span(), "min_items and max_items have no meaning for type %s", s.Type).Hint = "they belong to lists"
	}
}

// noList reports a field with items that is no list: it is said to be something
// else, or has fields of its own, which belong to its items.
func (b *builder) noList(d *draft, path []string, at diag.Span) {
	if len(d.children) == 0 || d.declared {
		b.diags.Errorf(CodeUnknown, at, "field %s is of type %s and cannot have items", Join(path), d.shape.Type)
		return
	}
	name := Join(path) + "." + d.order[0]
	for p, s := range b.schema.spans {
		if p == name || strings.HasPrefix(p, name+".") {
			at = s
		}
	}
	f := b.diags.Errorf(CodeUnknown, at, "%s is a list here (`%s[]`), and this field stands below it as below an object", Join(path), Join(path))
	f.Hint = "write `" + Join(path) + "[]." + d.order[0] + "`"
}

func isItem(path []string) bool { return len(path) > 0 && path[len(path)-1] == value.Items }
