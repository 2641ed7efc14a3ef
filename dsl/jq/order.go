package jq

import "slices"

// ranked is a value with what it is sorted by.
type ranked struct{ value, key any }

// rankAll pairs the elements of in with their keys, sorted by key.
func (m *machine) rankAll(name string, in any, keys []any) ([]ranked, error) {
	list, ok := in.([]any)
	if !ok {
		if keys == nil {
			return nil, fail0(name, in)
		}
		return nil, fail1(name, in, keys)
	}
	if keys == nil {
		keys = list
	}
	m.grow(len(list) * 2 * sizeElement)
	out := make([]ranked, len(list))
	for i, v := range list {
		out[i] = ranked{v, keys[i]}
	}
	slices.SortStableFunc(out, func(a, b ranked) int { return m.compare(a.key, b.key) })
	return out, nil
}

func (m *machine) sort(in any) (any, error) { return m.sorted("sort", in, nil) }

func (m *machine) sorted(name string, in any, keys []any) (any, error) {
	all, err := m.rankAll(name, in, keys)
	if err != nil {
		return nil, err
	}
	out := m.list(len(all))
	for _, r := range all {
		out = append(out, r.value)
	}
	return out, nil
}

func (m *machine) unique(in any) (any, error) { return m.distinct("unique", in, nil) }

func (m *machine) distinct(name string, in any, keys []any) (any, error) {
	all, err := m.rankAll(name, in, keys)
	if err != nil {
		return nil, err
	}
	out := m.list(len(all))
	var last any
	for i, r := range all {
		if i == 0 || m.compare(last, r.key) != 0 {
			out, last = append(out, r.value), r.key
		}
	}
	return out, nil
}

func (m *machine) grouped(in any, keys []any) (any, error) {
	all, err := m.rankAll("group_by", in, keys)
	if err != nil {
		return nil, err
	}
	out := []any{}
	var group []any
	var last any
	for i, r := range all {
		if i == 0 || m.compare(last, r.key) != 0 {
			if i > 0 {
				out = m.push(out, group)
			}
			group, last = nil, r.key
		}
		group = m.push(group, r.value)
	}
	if len(all) > 0 {
		out = m.push(out, group)
	}
	return out, nil
}

func (m *machine) extreme(name string, in any) (any, error) {
	list, ok := in.([]any)
	if !ok {
		return nil, fail0(name, in)
	}
	return m.pick(list, list, name == "min"), nil
}

// pick returns the value whose key is least, the first of them, or greatest,
// the last of them.
func (m *machine) pick(list, keys []any, least bool) any {
	if len(list) == 0 {
		return nil
	}
	best := 0
	for i := 1; i < len(keys); i++ {
		if (m.compare(keys[best], keys[i]) > 0) == least {
			best = i
		}
	}
	return list[best]
}
