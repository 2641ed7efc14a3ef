// Package lookup holds crosswalks: tables from the codes of one system to
// those of another. A Table is immutable and safe for concurrent use.
package lookup

import (
	"fmt"
	"sort"
	"strings"

	"crossdock/dsl/diag"
)

// OnMiss says what happens to a code that is not in the table.
type OnMiss uint8

// The ways to answer an unknown code. There is no silent blank.
const (
	Fail    OnMiss = iota // an error that names the code and the nearest known ones
	Pass                  // the code itself
	Default               // the table's default
)

// Table is one crosswalk.
type Table struct {
	Name       string
	Columns    []string // nil for a table with one unnamed value per code
	OnMiss     OnMiss
	IgnoreCase bool

	// Seen is told every code that is looked for, while tests run; nil otherwise.
	Seen func(code string, known bool)

	rows     map[string]any // value, or map[string]any by column
	keys     []string
	fallback any
}

// New returns a table. rows are in source order; a row of a table with columns
// is a map[string]any.
func New(name string, onMiss OnMiss, fallback any, ignoreCase bool) *Table {
	return &Table{Name: name, OnMiss: onMiss, fallback: fallback, IgnoreCase: ignoreCase, rows: map[string]any{}}
}

// Add adds a row and reports false when the code is there already.
func (t *Table) Add(code string, v any) bool {
	k := t.fold(code)
	if _, there := t.rows[k]; there {
		return false
	}
	t.rows[k] = v
	t.keys = append(t.keys, code)
	if m, ok := v.(map[string]any); ok {
		for c := range m {
			t.addColumn(c)
		}
	}
	return true
}

func (t *Table) addColumn(c string) {
	i := sort.SearchStrings(t.Columns, c)
	if i == len(t.Columns) || t.Columns[i] != c {
		t.Columns = append(t.Columns, "")
		copy(t.Columns[i+1:], t.Columns[i:])
		t.Columns[i] = c
	}
}

func (t *Table) fold(code string) string {
	code = strings.TrimSpace(code)
	if t.IgnoreCase {
		code = strings.ToLower(code)
	}
	return code
}

// Codes returns the codes in source order.
func (t *Table) Codes() []string { return t.keys }

// Has reports whether code is in the table.
func (t *Table) Has(code string) bool {
	_, ok := t.rows[t.fold(code)]
	return ok
}

// Values returns every value that Find can give for a column, the default
// included, in source order with repeats removed.
func (t *Table) Values(column string) []any {
	var out []any
	seen := map[string]bool{}
	add := func(v any) {
		if m, ok := v.(map[string]any); ok && column != "" {
			v = m[column]
		}
		if k := fmt.Sprintf("%T%v", v, v); v != nil && !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	for _, k := range t.keys {
		add(t.rows[t.fold(k)])
	}
	if t.OnMiss == Default {
		add(t.fallback)
	}
	return out
}

// Miss is the error for an unknown code of a table that fails on a miss.
type Miss struct {
	Table, Code string
	Near        []string
}

// Error names the table, the code and the nearest known ones.
func (m *Miss) Error() string {
	s := fmt.Sprintf("`%s` is not in the lookup %s", m.Code, m.Table)
	if len(m.Near) > 0 {
		s += " (nearest: " + strings.Join(m.Near, ", ") + ")"
	}
	return s
}

// Find returns the value for a code. column is "" for a table with one value
// per code. A known code whose row lacks the column gives nil.
func (t *Table) Find(code, column string) (any, error) {
	v, ok := t.rows[t.fold(code)]
	if t.Seen != nil {
		t.Seen(t.fold(code), ok)
	}
	if !ok {
		switch t.OnMiss {
		case Pass:
			return code, nil
		case Default:
			v = t.fallback
		default:
			return nil, &Miss{Table: t.Name, Code: code, Near: diag.Nearest(code, t.keys)}
		}
	}
	if column == "" {
		return v, nil
	}
	if m, ok := v.(map[string]any); ok {
		return m[column], nil
	}
	return v, nil
}

// Fold is how a code is compared with those of the table.
func (t *Table) Fold(code string) string { return t.fold(code) }

// Row returns the value of a code as the table has it: with columns, all of
// them by name.
func (t *Table) Row(code string) (any, bool) {
	v, ok := t.rows[t.fold(code)]
	return v, ok
}

// Fallback is what an unknown code gives where OnMiss is Default.
func (t *Table) Fallback() any { return t.fallback }

// Change puts another value in the place of that of a known code, or of the
// fallback where code is nil, and returns how it was. It is for those who try out
// changes of a table that nobody else uses meanwhile.
func (t *Table) Change(code *string, v any) (before any) {
	if code == nil {
		before, t.fallback = t.fallback, v
		return before
	}
	k := t.fold(*code)
	before, t.rows[k] = t.rows[k], v
	return before
}
