package spec

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"crossdock/dsl/ast"
)

// Form says what may stand at a place of a definition: a single value, a map, a
// list, or several of them. Editors and schemas are made from forms; the
// decoder reads the same structs and tags. Forms are immutable, may contain
// themselves, and are safe for concurrent use.
type Form struct {
	Name   string  // of the struct it was made of; "" for plain values and for maps and lists of others
	Scalar *Scalar // a single value may stand there
	Keys   []Key   // a map with these keys may
	Values *Form   // a map with keys of one's own may
	Items  *Form   // a list may
	Any    bool    // whatever JSON can say may
	Empty  bool    // nothing may stand behind the key

	Defines string // kind of what the keys of Values give a name to: "policy"
	Refers  string // kind of what the keys of Values name: "operation"
}

// Map reports whether a map may stand there.
func (f *Form) Map() bool { return f.Keys != nil || f.Values != nil }

// Key is one key of a map.
type Key struct {
	Name     string
	Doc      string // one sentence
	Form     *Form
	Required bool
	Later    bool   // it belongs to the language, but is refused today
	Ignored  string // why it has no effect
}

// Key returns the key of that name.
func (f *Form) Key(name string) (Key, bool) {
	if f != nil {
		for _, k := range f.Keys {
			if k.Name == name {
				return k, true
			}
		}
	}
	return Key{}, false
}

// Below returns the form of what stands under a key of a map; nil where that key
// has no meaning.
func (f *Form) Below(key string) *Form {
	switch {
	case f == nil:
		return nil
	case f.Values != nil:
		return f.Values
	}
	k, _ := f.Key(key)
	return k.Form
}

// Base is the kind of a single value.
type Base uint8

// The kinds of single values. Everything is text that is read as such.
const (
	IsText Base = iota
	IsBool
	IsInteger
	IsNumber
)

// Scalar says which single value may stand at a place.
type Scalar struct {
	Base     Base
	Lang     string   // "jq" or "expr": the value is a cell
	Words    []string // nothing but these; none: any
	Pattern  string   // regular expression for the whole text; "" for any
	Takes    string   // what is expected, in words: "a length of time"
	Examples []string
	Ref      string   // kind of what it names: "mapping", "operation", "schema" ...
	Name     string   // kind of definition to which it gives a name
	Min, Max *int     // of numbers; beside a Pattern: whole numbers between them may stand there too
	Never    []string // what may not be said
}

var forms struct {
	sync.Mutex
	made map[formKey]*Form
}

// formKey is all that a form depends on.
type formKey struct {
	typ  reflect.Type
	tags reflect.StructTag
}

// FormOf returns the form of what a struct of that type is decoded from.
func FormOf(t reflect.Type) *Form {
	forms.Lock()
	defer forms.Unlock()
	if forms.made == nil {
		forms.made = map[formKey]*Form{}
	}
	return formOf(t, "")
}

// Form returns the form of a whole definition of the kind; nil where this
// version cannot run it. What belongs to a type of connection is not in it.
func (k Kind) Form() *Form {
	into := k.fresh()
	if into == nil {
		return nil
	}
	return FormOf(reflect.TypeOf(into))
}

// formed is implemented by types outside of this package that read themselves.
type formed interface{ Form() Form }

// tagged are the tags that belong to the form of a key and not to the key.
func tagged(tag reflect.StructTag) reflect.StructTag {
	var out []string
	for _, name := range []string{"validate", "lang", "ref", "names", "takes", "defines", "refers"} {
		if v := tag.Get(name); v != "" {
			out = append(out, name+":"+strconv.Quote(v))
		}
	}
	return reflect.StructTag(strings.Join(out, " "))
}

func formOf(t reflect.Type, tag reflect.StructTag) *Form {
	for t.Kind() == reflect.Pointer && t != reflect.TypeFor[*ast.Node]() {
		t = t.Elem()
	}
	key := formKey{t, tag}
	if f := forms.made[key]; f != nil {
		return f
	}
	f := &Form{}
	forms.made[key] = f // it may contain itself
	f.fill(t, tag)
	return f
}

func (f *Form) fill(t reflect.Type, tag reflect.StructTag) {
	switch v := reflect.New(t).Elem().Interface().(type) {
	case formed:
		*f = v.Form()
		return
	default:
		if f.custom(v, tag) || f.text(v, tag) {
			return
		}
	}
	required := strings.HasPrefix(tag.Get("validate"), "required")
	switch t.Kind() {
	case reflect.Struct:
		f.Name, f.Empty, f.Keys = t.Name(), !required, keysOf(t)
	case reflect.Slice:
		if value, isFields := fieldsOf(t); isFields {
			f.Values, f.Empty = formOf(value, inner(tag)), !required
			f.Defines, f.Refers = tag.Get("defines"), tag.Get("refers")
			return
		}
		f.Items, f.Empty = formOf(t.Elem(), inner(tag)), !required
		f.Scalar = f.Items.Scalar // one value stands for a list of one
	case reflect.Bool:
		f.Scalar = &Scalar{Base: IsBool}
	case reflect.Int, reflect.Int64:
		f.Scalar = &Scalar{Base: IsInteger}
		f.Scalar.bounds(tag.Get("validate"))
	case reflect.Float64:
		f.Scalar = &Scalar{Base: IsNumber}
		f.Scalar.bounds(tag.Get("validate"))
	case reflect.String:
		f.Scalar = &Scalar{}
	default:
		f.Any, f.Empty = true, true
	}
}

// inner are the tags that speak of the values inside a list or map.
func inner(tag reflect.StructTag) reflect.StructTag {
	var out []string
	for _, name := range []string{"lang", "ref", "takes"} {
		if v := tag.Get(name); v != "" {
			out = append(out, name+":"+strconv.Quote(v))
		}
	}
	return reflect.StructTag(strings.Join(out, " "))
}

// fieldsOf returns what the entries of a Fields are.
func fieldsOf(t reflect.Type) (reflect.Type, bool) {
	if t.Elem().Kind() != reflect.Struct || !strings.HasPrefix(t.Elem().Name(), "Field[") {
		return nil, false
	}
	v, _ := t.Elem().FieldByName("Value")
	return v.Type, true
}

func keysOf(t reflect.Type) []Key {
	keys := []Key{}
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" || f.Anonymous {
			continue
		}
		keys = append(keys, Key{
			Name: name, Doc: f.Tag.Get("doc"), Form: formOf(f.Type, tagged(f.Tag)),
			Required: strings.HasPrefix(f.Tag.Get("validate"), "required"),
			Later:    f.Tag.Get("later") != "", Ignored: f.Tag.Get("ignored"),
		})
	}
	return keys
}

func (s *Scalar) bounds(rules string) {
	for _, r := range strings.Split(rules, ",") {
		name, n, _ := strings.Cut(r, "=")
		v, err := strconv.Atoi(n)
		switch {
		case err != nil:
		case name == "min" || name == "gte":
			s.Min = &v
		case name == "max" || name == "lte":
			s.Max = &v
		}
	}
}

// ConnectionForm returns the form of a connection of one type: its own keys and
// those of its operations are fields of the two structs.
func ConnectionForm(settings, operation any) *Form {
	base := FormOf(reflect.TypeFor[Connection]())
	own := FormOf(reflect.TypeOf(settings))
	op := *FormOf(reflect.TypeFor[Operation]())
	op.Keys = slices.Concat(FormOf(reflect.TypeOf(operation)).Keys, op.Keys)
	out := *base
	out.Keys = nil
	for _, k := range base.Keys {
		if k.Name == "operations" {
			ops := *k.Form
			ops.Values = &op
			k.Form = &ops
			out.Keys = append(out.Keys, own.Keys...)
		}
		out.Keys = append(out.Keys, k)
	}
	return &out
}

// PipelineTestForm returns the form of a test of a pipeline: what it expects has
// keys of its own.
func PipelineTestForm() *Form {
	test := *FormOf(reflect.TypeFor[Test]())
	test.Keys = slices.Clone(test.Keys)
	for i, k := range test.Keys {
		if k.Name != "cases" {
			continue
		}
		list, one := *k.Form, *k.Form.Items
		one.Keys = slices.Clone(one.Keys)
		for j := range one.Keys {
			if one.Keys[j].Name == "expect" {
				one.Keys[j].Form = FormOf(reflect.TypeFor[Expectation]())
			}
		}
		list.Items, test.Keys[i].Form = &one, &list
	}
	return &test
}
