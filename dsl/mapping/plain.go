package mapping

import (
	"cmp"
	"slices"

	"crossdock/runtime/message"
)

// plain is how a row reads that starts from a field of an object. Such rows are
// most of a mapping, and what they read is looked up once for all of them.
type plain struct {
	key    string // "" for the other rows
	parent int    // in Object.parents, 0 for the input itself
	bare   bool   // nothing more is done to the value than to put a default in place of nothing
}

// maxParents bounds the parents of one object.
const maxParents = 4

// Ready puts the fields in order and finds what they share. It is called once,
// when all fields are there; an Object without it gives the same more slowly.
func (o *Object) Ready() {
	slices.SortFunc(o.Fields, func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	o.keys, o.plain, o.parents = make([]string, len(o.Fields)), make([]plain, len(o.Fields)), nil
	for i := range o.Fields {
		o.keys[i] = string(message.Marshal(o.Fields[i].Name)) + ":"
		if nested := o.Fields[i].Nested; nested != nil {
			nested.Ready()
		} else {
			o.plain[i] = o.plainly(o.Fields[i].Row)
		}
	}
}

// plainly is how row reads, the zero value if it does more than that.
func (o *Object) plainly(row *Row) plain {
	if row.From == nil || row.When != nil || row.IsConst || row.Each != nil || row.Fields != nil {
		return plain{}
	}
	bare := row.Lookup == nil && row.Convert == nil && !row.Required && !row.Trim && row.MaxLength == 0
	path, ok := row.From.Path()
	switch {
	case !ok:
	case len(path) == 1:
		return plain{key: path[0], bare: bare}
	case len(path) == 2:
		i := slices.Index(o.parents, path[0])
		if i < 0 {
			if i = len(o.parents); i == maxParents {
				return plain{}
			}
			o.parents = append(o.parents, path[0])
		}
		return plain{key: path[1], parent: i + 1, bare: bare}
	}
	return plain{}
}

// source is an input that is an object, with the parents of an Object.
type source [1 + maxParents]map[string]any

// open reports whether in is an object with objects or nothing at the parents
// of o. Otherwise rows run one by one, so that each has its error.
func (s *source) open(o *Object, in any) bool {
	top, ok := in.(map[string]any)
	if !ok || o.keys == nil {
		return false
	}
	s[0] = top
	for i, name := range o.parents {
		v := top[name]
		if s[1+i], ok = v.(map[string]any); !ok && v != nil {
			return false
		}
	}
	return true
}

// plain computes a plain row; ok is false where the field stays out.
func (r *run) plain(p plain, row *Row, from *source) (v any, ok bool) {
	v = from[p.parent][p.key]
	if !p.bare {
		return r.finish(row, v)
	}
	if v == nil && row.HasDefault {
		v = row.Default
	}
	return v, v != nil || row.writesNull()
}
