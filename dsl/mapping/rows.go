package mapping

import (
	"crossdock/dsl/cell"
)

// RowResult is what one row gave.
type RowResult struct {
	Target string // as written, dots included
	Row    *Row
	Value  any
	Given  bool // false: the field stays out
	Errors []RowError
}

// Rows maps in and tells what every row gave, in the order of the output. It is
// what `try` shows; Apply gives the same values.
func (m *Mapping) Rows(s *cell.Scope, in any) ([]RowResult, error) {
	s = m.inside(s)
	frame := s.Frame(slotLet - cell.BaseVars + len(m.Lets))
	defer cell.Release(frame)
	r := run{m: m, scope: s, frame: frame}
	if err := r.lets(in); err != nil {
		return nil, err
	}
	var out []RowResult
	r.list(&m.Object, in, &out)
	return out, nil
}

func (r *run) list(o *Object, in any, out *[]RowResult) {
	for i := range o.Fields {
		f := &o.Fields[i]
		if f.Nested != nil {
			r.list(f.Nested, in, out)
			continue
		}
		r.errs = nil
		v, ok := r.row(f.Row, in)
		*out = append(*out, RowResult{Target: f.Row.Target, Row: f.Row, Value: v, Given: ok, Errors: r.errs})
	}
}
