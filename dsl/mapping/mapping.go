// Package mapping runs field tables: one row per target field, each row one
// compiled jq cell with its conversions, so that every error names its row.
//
// A Mapping is immutable and safe for concurrent use.
package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/lookup"
	"crossdock/dsl/rule"
	"crossdock/dsl/value"
)

// The slots of `$root` and `$index` behind the variables that every cell has;
// the values of `let` follow.
const (
	slotRoot = cell.BaseVars + iota
	slotIndex
	slotLet
)

// Mapping is one compiled field table, or one jq program.
type Mapping struct {
	Name    string
	Lets    []Row
	Object  Object
	Program *jq.Program // instead of rows
	Span    diag.Span
	Params  any // of the template that it comes from; nil: those of the scope
}

// Object builds one JSON object: its fields in alphabetical order of their
// names, which is the order in which they are written. Ready puts them so.
type Object struct {
	Fields []Field

	keys    []string // the names of the Fields in JSON, with their colon; nil before Ready
	plain   []plain  // of the Fields
	parents []string // names of the input below which plain fields read
}

// Field is one name of an Object: a row, or an object nested by dotted targets.
type Field struct {
	Name   string
	Row    *Row    // nil where Nested is set
	Nested *Object // from dotted targets; left out when it stays empty
}

// Row computes one value.
type Row struct {
	Target string    // as written, dots included
	Span   diag.Span // where it is written

	When   *rule.Program
	From   *jq.Program
	Const  any // where IsConst
	Each   *jq.Program
	Fields *Object // of each item, or of the value of From, or of the payload

	Lookup    *lookup.Table
	Column    string
	Default   any
	Convert   *value.Converter
	Required  bool
	Trim      bool
	MaxLength int

	IsConst    bool
	HasDefault bool
}

// RowError says which row failed and why.
type RowError struct {
	Field   string // the target with positions: lines[2].quantity
	Row     string // the target as written: lines.quantity
	Code    string // required, lookup, several, too_long, jq, expr, or a code of dsl/value
	Message string
	Hint    string
	Span    diag.Span
}

// Error is one failed application of a mapping with every row that failed.
type Error struct {
	Mapping string
	Rows    []RowError
}

// Error names the first row that failed, and how many more there are.
func (e *Error) Error() string {
	r := e.Rows[0]
	s := fmt.Sprintf("mapping %s, row %s: %s", e.Mapping, r.Field, r.Message)
	if n := len(e.Rows) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// maxRowErrors bounds how many failed rows one application reports.
const maxRowErrors = 20

// run is one application of a mapping.
type run struct {
	m     *Mapping
	scope *cell.Scope
	frame *jq.Frame
	path  []place // where in the output we are
	whole bool    // the row is the item at path itself, not a field of it
	errs  []RowError
}

// Apply maps in. The error is an *Error, or the context's.
func (m *Mapping) Apply(s *cell.Scope, in any) (any, error) {
	s = m.inside(s)
	frame := s.Frame(slotLet - cell.BaseVars + len(m.Lets))
	defer cell.Release(frame)
	var depth [8]place
	r := run{m: m, scope: s, frame: frame, path: depth[:0]}
	if err := r.lets(in); err != nil {
		return nil, err
	}
	if m.Program != nil {
		out, ok, err := m.Program.One(frame, in)
		if err == nil && !ok {
			err = errors.New("the program gave no value")
		}
		if err != nil {
			return nil, &Error{Mapping: m.Name, Rows: []RowError{programError(m, err)}}
		}
		return out, nil
	}
	out, _ := r.object(&m.Object, in)
	if err := r.failed(); err != nil {
		return nil, err
	}
	return out, nil
}

// inside is the scope in which the cells of m run.
func (m *Mapping) inside(s *cell.Scope) *cell.Scope {
	if m.Params == nil {
		return s
	}
	own := *s
	own.Params = m.Params
	return &own
}

// failed is the error of the rows that failed, nil if none did.
func (r *run) failed() error {
	if len(r.errs) == 0 {
		return nil
	}
	// Rows run in the order in which they are written out; people read them in
	// the order of the file.
	slices.SortStableFunc(r.errs, func(a, b RowError) int {
		return cmp.Or(cmp.Compare(a.Span.Start.Line, b.Span.Start.Line), cmp.Compare(a.Span.Start.Col, b.Span.Start.Col))
	})
	return &Error{Mapping: r.m.Name, Rows: r.errs}
}

// lets computes the helper values.
func (r *run) lets(in any) error {
	all := r.frame.Vars
	defer func() { r.frame.Vars = all }()
	all[slotRoot], all[slotIndex] = in, nil
	for i := range r.m.Lets {
		r.frame.Vars = all[:slotLet+i] // a helper value sees those before it
		v, ok := r.row(&r.m.Lets[i], in)
		if len(r.errs) > 0 {
			return &Error{Mapping: r.m.Name, Rows: r.errs}
		}
		if ok {
			all[slotLet+i] = v
		}
	}
	return nil
}

// object builds one object; empty tells that no field gave a value.
func (r *run) object(o *Object, in any) (out map[string]any, empty bool) {
	out = make(map[string]any, len(o.Fields))
	var from source
	direct := r.scope.Watch == nil && from.open(o, in)
	for i := range o.Fields {
		f := &o.Fields[i]
		if f.Nested != nil {
			if nested, none := r.object(f.Nested, in); !none {
				out[f.Name] = nested
			}
			continue
		}
		var v any
		var ok bool
		if direct && o.plain[i].key != "" {
			v, ok = r.plain(o.plain[i], f.Row, &from)
		} else {
			v, ok = r.row(f.Row, in)
		}
		if ok {
			out[f.Name] = v
		}
	}
	return out, len(out) == 0
}

// row computes one row; ok is false where the field stays out.
func (r *run) row(row *Row, in any) (v any, ok bool) {
	if !r.wanted(row, in) {
		return nil, false
	}
	if r.scope.Watch != nil {
		r.scope.Watch.Row(row.Span, false)
	}
	if row.Each != nil {
		return r.each(row, in)
	}
	if v, ok = r.source(row, in); !ok {
		return nil, false
	}
	return r.finish(row, v)
}

// wanted reports whether the condition of a row lets it run.
func (r *run) wanted(row *Row, in any) bool {
	if row.When == nil {
		return true
	}
	yes, err := r.scope.Yes(row.When, in)
	if err != nil {
		r.fail(row, "expr", err.Error(), "")
		return false
	}
	return yes
}

// source gives the value a row starts from; nil is a missing one.
func (r *run) source(row *Row, in any) (v any, ok bool) {
	switch {
	case row.IsConst:
		return row.Const, true
	case row.From != nil:
		one, has, err := row.From.One(r.frame, in)
		if err != nil {
			r.failJQ(row, err)
			return nil, false
		}
		if !has {
			one = nil
		}
		if row.Fields == nil || one == nil {
			return one, true
		}
		return r.nested(row, one)
	default:
		return r.nested(row, in)
	}
}

func (r *run) nested(row *Row, in any) (any, bool) {
	r.path = append(r.path, place{row.Target, noItem})
	before := len(r.errs)
	out, empty := r.object(row.Fields, in)
	r.path = r.path[:len(r.path)-1]
	if len(r.errs) > before {
		return nil, false
	}
	if empty {
		return nil, true
	}
	return out, true
}

// each builds a list. Every value that the cell gives adds to it: an array its
// items, nothing none, anything else itself. So the list never looks different
// because there happens to be one of something.
func (r *run) each(row *Row, in any) (any, bool) {
	items, err := r.items(row.Each, in)
	if err != nil {
		r.failJQ(row, err)
		return nil, false
	}
	out := make([]any, 0, len(items))
	index := r.frame.Vars[slotIndex]
	for i, item := range items {
		r.frame.Vars[slotIndex] = i
		mark := len(r.path)
		r.path = append(r.path, place{row.Target, i})
		if v, ok := r.item(row, item); ok {
			out = append(out, v)
		}
		r.path = r.path[:mark]
	}
	r.frame.Vars[slotIndex] = index
	if !r.enough(row, len(out)) {
		return nil, false
	}
	return out, true
}

// enough reports whether a list may have n items.
func (r *run) enough(row *Row, n int) bool {
	if n == 0 && row.Required && len(r.errs) == 0 {
		r.fail(row, "required", "the list is empty, but at least one item is required", "")
		return false
	}
	return true
}

func (r *run) items(each *jq.Program, in any) ([]any, error) {
	if each.Single() {
		v, _, err := each.One(r.frame, in)
		if list, ok := v.([]any); ok || v == nil || err != nil {
			return list, err
		}
		return []any{v}, nil
	}
	values, err := each.Run(r.frame, in)
	return Items(values), err
}

// Items are the items of the values that a cell gave.
func Items(values []any) []any {
	if len(values) == 1 {
		if list, ok := values[0].([]any); ok {
			return list
		}
	}
	var out []any
	for _, v := range values {
		switch v := v.(type) {
		case nil:
		case []any:
			out = append(out, v...)
		default:
			out = append(out, v)
		}
	}
	return out
}

func (r *run) item(row *Row, item any) (any, bool) {
	if row.Fields != nil {
		out, _ := r.object(row.Fields, item)
		return out, true
	}
	r.whole = true
	defer func() { r.whole = false }()
	v := item
	if row.From != nil {
		one, has, err := row.From.One(r.frame, item)
		if err != nil {
			r.failJQ(row, err)
			return nil, false
		}
		if !has {
			one = nil
		}
		v = one
	}
	itemRow := *row
	itemRow.Required = false
	return r.finish(&itemRow, v)
}

// finish applies lookup, default, conversion, trim, max_length and required.
func (r *run) finish(row *Row, v any) (any, bool) {
	if row.Lookup != nil && v != nil {
		code, isText := value.Text(v)
		if !isText {
			r.fail(row, "lookup", "a lookup needs text or a number, found "+value.Describe(v), "")
			return nil, false
		}
		found, err := row.Lookup.Find(code, row.Column)
		if err != nil {
			r.fail(row, "lookup", err.Error(), "add the code to the lookup, or choose another on_miss")
			return nil, false
		}
		v = found
	}
	if v == nil && row.HasDefault {
		v = row.Default
		if r.scope.Watch != nil {
			r.scope.Watch.Row(row.Span, true)
		}
	}
	if v != nil && row.Convert != nil {
		converted, err := row.Convert.Convert(v)
		if err != nil {
			r.failConvert(row, err)
			return nil, false
		}
		v = converted
	}
	if s, isText := v.(string); isText && (row.Trim || row.MaxLength > 0 || row.Required) {
		if row.Trim {
			s = strings.TrimSpace(s)
			v = s
		}
		if n := runes(s); row.MaxLength > 0 && n > row.MaxLength {
			r.fail(row, "too_long", fmt.Sprintf("%d characters, but max_length is %d: %s", n, row.MaxLength, value.Describe(s)),
				"cut it on purpose with .field[:"+fmt.Sprint(row.MaxLength)+"] if that is meant")
			return nil, false
		}
		if row.Required && s == "" {
			r.fail(row, "required", "the value is empty text, but it is required", "")
			return nil, false
		}
	}
	if v == nil {
		if row.Required {
			r.fail(row, "required", "there is no value, but it is required", "")
		}
		return nil, row.writesNull() && !row.Required
	}
	return v, true
}

// writesNull reports whether the row writes null where it has no value, because it
// says so.
func (row *Row) writesNull() bool { return row.IsConst || row.HasDefault && row.Default == nil }

func runes(s string) int {
	n := 0
	for range s {
		n++
	}
	return n
}
