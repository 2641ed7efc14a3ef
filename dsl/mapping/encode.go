package mapping

import (
	"sync"

	"crossdock/dsl/cell"
	"crossdock/runtime/message"
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer bounds the buffer that is kept for the next message.
const maxBuffer = 1 << 16

// Writes reports whether Marshal writes without building the value first. It is
// false for a program, which gives a value that may be null.
func (m *Mapping) Writes() bool { return m.Program == nil }

// Marshal maps in and returns message.Marshal of what Apply gives, byte for
// byte, or the error of Apply. It is for a result that is only sent: rows are
// written one after the other, and no object is built of them.
func (m *Mapping) Marshal(s *cell.Scope, in any) ([]byte, error) {
	if !m.Writes() || m.Object.keys == nil {
		v, err := m.Apply(s, in)
		if err != nil {
			return nil, err
		}
		return message.Marshal(v), nil
	}
	s = m.inside(s)
	frame := s.Frame(slotLet - cell.BaseVars + len(m.Lets))
	defer cell.Release(frame)
	var depth [8]place
	r := run{m: m, scope: s, frame: frame, path: depth[:0]}
	if err := r.lets(in); err != nil {
		return nil, err
	}
	buffer := buffers.Get().(*[]byte)
	dst, _ := r.write((*buffer)[:0], &m.Object, in)
	err := r.failed()
	var out []byte
	if err == nil {
		out = append(make([]byte, 0, len(dst)), dst...)
	}
	if cap(dst) <= maxBuffer {
		*buffer = dst
		buffers.Put(buffer)
	}
	return out, err
}

// write is object with the result written to dst. After an error of a row what
// is written means nothing, but the other rows still run for their errors.
func (r *run) write(dst []byte, o *Object, in any) (out []byte, empty bool) {
	dst = append(dst, '{')
	start := len(dst)
	var from source
	direct := r.scope.Watch == nil && from.open(o, in)
	for i := range o.Fields {
		f := &o.Fields[i]
		mark := len(dst)
		if mark > start {
			dst = append(dst, ',')
		}
		dst = append(dst, o.keys[i]...)
		var given bool
		switch {
		case f.Nested != nil:
			dst, given = r.write(dst, f.Nested, in)
			given = !given
		case f.Row.Each != nil && f.Row.Fields != nil:
			dst, given = r.writeList(dst, f.Row, in)
		default:
			var v any
			if direct && o.plain[i].key != "" {
				v, given = r.plain(o.plain[i], f.Row, &from)
			} else {
				v, given = r.row(f.Row, in)
			}
			if given {
				dst = message.Encode(dst, v)
			}
		}
		if !given {
			dst = dst[:mark]
		}
	}
	return append(dst, '}'), len(dst) == start
}

// writeList is each with the objects written to dst.
func (r *run) writeList(dst []byte, row *Row, in any) (out []byte, given bool) {
	if !r.wanted(row, in) {
		return dst, false
	}
	if r.scope.Watch != nil {
		r.scope.Watch.Row(row.Span, false)
	}
	items, err := r.items(row.Each, in)
	if err != nil {
		r.failJQ(row, err)
		return dst, false
	}
	dst = append(dst, '[')
	index := r.frame.Vars[slotIndex]
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		r.frame.Vars[slotIndex] = i
		r.path = append(r.path, place{row.Target, i})
		dst, _ = r.write(dst, row.Fields, item)
		r.path = r.path[:len(r.path)-1]
	}
	r.frame.Vars[slotIndex] = index
	return append(dst, ']'), r.enough(row, len(items))
}
