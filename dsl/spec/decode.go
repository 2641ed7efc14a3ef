// Package spec turns the tree of a definition into the structs that describe
// each kind, and owns their documentation: field docs, required fields and
// allowed words stand in struct tags, from which the loader, the editor
// schemas and the reference are made.
//
// Tags: `yaml:"name"` is the key; `doc:"..."` one sentence for people;
// `validate:"..."` rules of go-playground/validator. A field of a kind that is
// known but not available yet carries `later:"kind"`; one that is read but has
// no effect yet `ignored:"why"`. `lang:"jq"` says in which language a cell is
// written, `ref:"mapping"` what a value names, `names:"mapping"` to what it gives
// its name, `defines:"policy"` and `refers:"operation"` the same of the keys of a
// map, and `takes:"word"` what stands below a key that is read elsewhere.
package spec

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// The codes this package reports.
const (
	CodeUnknown diag.Code = "XD1001" // unknown key, kind or reference; a value of the wrong shape
	CodeEaten   diag.Code = "XD1002" // YAML read something else than what was meant
	CodeSecret  diag.Code = "XD1201" // a secret in a file, or ${secret.x} where it may not stand
)

// Decoder fills structs from trees and collects findings. It never stops at
// the first one.
type Decoder struct {
	Diags *diag.List
	Kind  string // of the definition being read, for findings
	Name  string
	// Var resolves ${var.name}. Nil where placeholders are not allowed.
	Var func(name string) (string, bool)
	// VarNames lists what Var knows, for suggestions.
	VarNames []string

	cells map[*ast.Node]bool // where the computed cells are noted; nil for nowhere
}

// Custom is implemented by types that read themselves from a node.
type Custom interface {
	DecodeNode(n *ast.Node, d *Decoder)
}

func (d *Decoder) into(n *ast.Node, target any) {
	d.value(n, reflect.ValueOf(target).Elem())
}

// Pick fills the struct that into points at from the keys of n that it knows
// and leaves the others alone.
func (d *Decoder) Pick(n *ast.Node, into any) {
	v := reflect.ValueOf(into).Elem()
	info := describe(v.Type())
	var known []ast.Pair
	for _, p := range n.Pairs {
		if _, ok := info.byName[p.Key.Text]; ok {
			known = append(known, p)
		}
	}
	d.fill(n, known, v, nil)
}

// Rest fills the struct that into points at from the keys of n that none of
// the others takes, and reports keys that nobody takes.
func (d *Decoder) Rest(n *ast.Node, into any, others ...any) {
	taken := map[string]bool{}
	var names []string
	for _, o := range others {
		info := describe(reflect.TypeOf(o).Elem())
		for name := range info.byName {
			taken[name] = true
		}
		names = append(names, info.names...)
	}
	v := reflect.ValueOf(into).Elem()
	info := describe(v.Type())
	names = append(slices.Clone(info.names), names...)
	var own []ast.Pair
	meanings := d.intended(n, v, names)
	for _, p := range n.Pairs {
		_, mine := info.byName[p.Key.Text]
		switch {
		case mine:
			own = append(own, p)
		case !taken[p.Key.Text]:
			d.unknownKey(p.Key, names, meanings[p.Key])
			types := []reflect.Type{v.Type()}
			for _, o := range others {
				types = append(types, reflect.TypeOf(o).Elem())
			}
			d.belongs(p.Key.Text, meanings[p.Key], types...)
			for _, o := range append([]any{into}, others...) {
				d.asMeant(n, p, reflect.ValueOf(o).Elem(), meanings[p.Key])
			}
		}
	}
	d.fill(n, own, v, meanings)
}

// Errorf reports an error about the definition being read.
func (d *Decoder) Errorf(code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	f := d.Diags.Errorf(code, span, format, args...)
	f.Kind, f.Name = d.Kind, d.Name
	return f
}

// Warnf reports a warning about the definition being read.
func (d *Decoder) Warnf(code diag.Code, span diag.Span, format string, args ...any) *diag.Diagnostic {
	f := d.Errorf(code, span, format, args...)
	f.Severity = diag.Warning
	return f
}

// Decode fills the struct that into points at from a map node and reports
// unknown keys, wrong shapes and broken `validate` rules.
func (d *Decoder) Decode(n *ast.Node, into any) { d.into(n, into) }

var customType = reflect.TypeFor[Custom]()

func (d *Decoder) value(n *ast.Node, v reflect.Value) {
	if v.CanAddr() && v.Addr().Type().Implements(customType) {
		v.Addr().Interface().(Custom).DecodeNode(n, d)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*ast.Node]() {
			v.Set(reflect.ValueOf(n))
			return
		}
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, v.Elem())
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Slice:
		d.slice(n, v)
	case reflect.Map:
		d.mapping(n, v)
	default:
		d.scalar(n, v)
	}
}

func (d *Decoder) structure(n *ast.Node, v reflect.Value) {
	if n.Kind != ast.Map {
		if n.Empty {
			return
		}
		d.shape(n, "a map of "+oneOf(Keys(v.Type()))).Hint = inFront(n, v.Type())
		return
	}
	d.fill(n, n.Pairs, v, d.intended(n, v, describe(v.Type()).names))
}

// fill decodes pairs of the map n into the fields of v and holds each field to
// its `validate` tag. meanings are the keys that were meant by unknown ones.
func (d *Decoder) fill(n *ast.Node, pairs []ast.Pair, v reflect.Value, meanings map[*ast.Node]meaning) {
	if at := v.FieldByName("Node"); at.IsValid() && at.Type() == reflect.TypeFor[*ast.Node]() {
		at.Set(reflect.ValueOf(n))
	}
	info := describe(v.Type())
	given := make(map[string]bool, len(pairs))
	for i, p := range pairs {
		f, ok := info.byName[p.Key.Text]
		if !ok {
			if d.comma(n, pairs, i, info.names) {
				continue
			}
			d.unknownKey(p.Key, info.names, meanings[p.Key])
			d.belongs(p.Key.Text, meanings[p.Key], v.Type())
			d.asMeant(n, p, v, meanings[p.Key])
			continue
		}
		given[p.Key.Text] = true
		if f.later != "" {
			d.Errorf(CodeUnknown, p.Key.Span, "`%s` is not available yet", p.Key.Text).
				Hint = "it belongs to the language, but this version cannot run it"
			continue
		}
		if f.ignored != "" {
			d.Warnf(CodeUnknown, p.Key.Span, "`%s` has no effect yet", p.Key.Text).Hint = f.ignored
		}
		before := len(*d.Diags)
		target := v.FieldByIndex(f.index)
		d.value(p.Value, target)
		if len(*d.Diags) == before {
			d.validate(p, f, target)
		}
	}
	for _, name := range info.required {
		if !given[name] && !Meant(n, name, info.names) && !among(meanings, name) {
			f := d.Errorf(CodeUnknown, head(n), "`%s` is missing", name)
			f.Hint, f.Missing = "add `"+name+":`", diag.MissingKey
		}
	}
}

// shape reports a value of another shape than expected.
func (d *Decoder) shape(n *ast.Node, want string) *diag.Diagnostic {
	return d.Errorf(CodeUnknown, n.Span, "expected %s, found %s", want, found(n))
}

// scalarShape reports something else where one value was expected.
func (d *Decoder) scalarShape(n *ast.Node, want string) {
	f := d.shape(n, want)
	if n.Flow {
		f.Code = CodeEaten
		f.Hint = "YAML read the brackets as its own; put the text in quotes"
	}
}

func found(n *ast.Node) string {
	if n.Kind != ast.Scalar {
		return n.Kind.String()
	}
	if n.Empty {
		return "nothing"
	}
	text := n.Text
	if len(text) > 40 {
		text = text[:37] + "..."
	}
	return "`" + strings.ReplaceAll(text, "\n", " ") + "`"
}

func (d *Decoder) slice(n *ast.Node, v reflect.Value) {
	items := n.Items
	elem := v.Type().Elem()
	if n.Kind == ast.Scalar && !n.Empty && (elem.Kind() != reflect.Struct || reflect.PointerTo(elem).Implements(customType)) {
		items = []*ast.Node{n} // one value stands for a list of one
	} else if n.Kind != ast.List {
		if n.Empty {
			return
		}
		if items = d.asList(n, elem); items == nil {
			return
		}
	}
	if len(items) == 0 {
		return // as if it were not there
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		d.value(item, out.Index(i))
	}
	v.Set(out)
}

func (d *Decoder) mapping(n *ast.Node, v reflect.Value) {
	if n.Kind != ast.Map {
		if n.Empty {
			return
		}
		if n = d.AsMap(n); n == nil {
			return
		}
	}
	out := reflect.MakeMapWithSize(v.Type(), len(n.Pairs))
	for _, p := range n.Pairs {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(p.Value, item)
		out.SetMapIndex(reflect.ValueOf(p.Key.Text).Convert(v.Type().Key()), item)
	}
	v.Set(out)
}

func (d *Decoder) scalar(n *ast.Node, v reflect.Value) {
	text, ok := d.Text(n)
	if !ok {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, ok := ParseBool(text)
		if !ok {
			f := d.shape(n, "`true` or `false`")
			if word := yesNo[strings.ToLower(text)]; word != "" {
				f.Hint = "write `" + word + "`"
			}
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			f := d.shape(n, "a whole number")
			if number := leadingNumber.FindString(text); number != "" && !strings.ContainsAny(text, ".,") {
				f.Hint = "write `" + number + "`"
			}
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			f := d.shape(n, "a number")
			if share, ok := strings.CutSuffix(text, "%"); ok {
				if percent, err := strconv.ParseFloat(strings.TrimSpace(share), 64); err == nil {
					f.Hint = "write `" + strconv.FormatFloat(percent/100, 'g', -1, 64) + "`"
				}
			}
			return
		}
		v.SetFloat(f)
	case reflect.Interface:
		v.Set(reflect.ValueOf(Plain(n)))
	default:
		panic(fmt.Sprintf("spec: a field of type %s cannot be decoded", v.Type()))
	}
}

// Text returns the text of a scalar with ${var.x} resolved, or reports what is
// wrong with it.
func (d *Decoder) Text(n *ast.Node) (string, bool) {
	if n.Kind != ast.Scalar {
		d.scalarShape(n, "a single value")
		return "", false
	}
	return d.expand(n)
}

// ParseBool reads yes/no words the way the language writes them.
func ParseBool(text string) (value, ok bool) {
	switch text {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

type field struct {
	index   []int
	name    string
	later   string
	ignored string
	rules   string // of validator, without required and omitempty

	required bool
}

type structInfo struct {
	names    []string // available ones, in order
	byName   map[string]field
	required []string
}

var described sync.Map // reflect.Type -> *structInfo

func describe(t reflect.Type) *structInfo {
	if i, ok := described.Load(t); ok {
		return i.(*structInfo)
	}
	info := &structInfo{byName: map[string]field{}}
	for _, f := range reflect.VisibleFields(t) {
		tag, ok := f.Tag.Lookup("yaml")
		if !ok || tag == "-" || f.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(tag, ",")
		later := f.Tag.Get("later")
		first, rules, _ := strings.Cut(f.Tag.Get("validate"), ",")
		if first != "required" && first != "omitempty" {
			rules = f.Tag.Get("validate")
		}
		info.byName[name] = field{f.Index, name, later, f.Tag.Get("ignored"), rules, first == "required"}
		if later == "" {
			info.names = append(info.names, name)
		}
		if first == "required" {
			info.required = append(info.required, name)
		}
	}
	described.Store(t, info)
	return info
}

// Keys returns the keys that a struct type (or pointer to one) takes, in order.
func Keys(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return describe(t).names
}

func oneOf(names []string) string {
	if len(names) > 8 {
		names = append(append([]string{}, names[:8]...), "...")
	}
	return strings.Join(names, ", ")
}
