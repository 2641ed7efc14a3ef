package jq

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// total adds the values of a list.
func (m *machine) total(list []any) (any, error) {
	var sum any
	for i := 0; i < len(list); i++ {
		m.tick()
		v := list[i]
		switch {
		case v == nil:
		case sum == nil:
			// Runs of numbers, texts, lists and objects are added in one go: one by
			// one the work could grow with the square of their number.
			n := 1
			if m.num(v).kind != noNumber {
				sum, n = m.addNumbers(list[i:])
			} else if n = run(list[i:]); n > 0 {
				sum = m.addRun(list[i : i+n])
			} else {
				sum, n = v, 1
			}
			i += n - 1
		default:
			var err error
			if sum, err = m.add(sum, v); err != nil {
				return nil, err
			}
		}
	}
	return sum, nil
}

// addNumbers adds the numbers that list starts with, and says how many.
func (m *machine) addNumbers(list []any) (sum any, n int) {
	total := m.num(list[0])
	for n = 1; n < len(list); n++ {
		m.tick()
		if list[n] == nil {
			continue
		}
		v := m.num(list[n])
		if v.kind == noNumber {
			break
		}
		total = m.addNums(total, v)
	}
	return total.any(), n
}

// run returns how many values at the start of list are of the same kind as the
// first, if that is text, list or object; null counts with any of them.
func run(list []any) int {
	n := 0
	for _, v := range list {
		same := v == nil
		switch v.(type) {
		case string:
			_, same = list[0].(string)
		case []any:
			_, same = list[0].([]any)
		case map[string]any:
			_, same = list[0].(map[string]any)
		}
		if !same || list[0] == nil {
			break
		}
		n++
	}
	return n
}

func (m *machine) addRun(list []any) any {
	m.spend(len(list))
	switch list[0].(type) {
	case string:
		size := 0
		for _, v := range list {
			s, _ := v.(string)
			size += len(s)
		}
		m.grow(size)
		var b strings.Builder
		b.Grow(size)
		for _, v := range list {
			s, _ := v.(string)
			b.WriteString(s)
		}
		return b.String()
	case []any:
		size := 0
		for _, v := range list {
			l, _ := v.([]any)
			size += len(l)
		}
		out := m.list(size)
		for _, v := range list {
			l, _ := v.([]any)
			out = append(out, l...)
		}
		return out
	}
	out := map[string]any{}
	for _, v := range list {
		o, _ := v.(map[string]any)
		m.grow(len(o) * sizeEntry)
		maps.Copy(out, o)
	}
	return out
}

// join puts sep between texts; other plain values become texts, null nothing.
func (m *machine) join(in, sep any) (any, error) {
	switch in.(type) {
	case []any, map[string]any:
	default:
		return nil, fail1("join", in, sep)
	}
	list, err := m.elements(in)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return "", nil
	}
	if s, ok := sep.(string); ok {
		if out, ok := m.joinTexts(list, s); ok {
			return out, nil
		}
	}
	parts := make([]any, 0, 2*len(list))
	for i, v := range list {
		if i == 0 {
			parts = append(parts, "")
		} else {
			parts = append(parts, sep)
		}
		switch v.(type) {
		case bool, int, float64, *big.Int, json.Number:
			v = m.json(v)
		}
		parts = append(parts, v)
	}
	return m.total(parts)
}

// joinTexts is join where everything is text or becomes one.
func (m *machine) joinTexts(list []any, sep string) (string, bool) {
	texts := make([]string, len(list))
	size := 0
	for i, v := range list {
		switch v := v.(type) {
		case string:
			texts[i] = v
		case nil:
		case bool, int, float64, *big.Int, json.Number:
			texts[i] = m.json(v)
		default:
			return "", false
		}
		size += len(texts[i]) + len(sep)
	}
	m.grow(size + len(list)*sizeElement)
	return strings.Join(texts, sep), true
}

func (m *machine) flatten(in any, args []any) (any, error) {
	switch in.(type) {
	case []any, map[string]any:
	default:
		return nil, fail0("flatten", in)
	}
	list, err := m.elements(in)
	if err != nil {
		return nil, err
	}
	depth := -1.0
	if len(args) > 0 {
		var ok bool
		if depth, ok = m.float(args[0]); !ok {
			return nil, fail0("flatten", args[0])
		}
		if depth < 0 || depth != depth {
			return nil, &failure{kind: negativeDepth, v: depth}
		}
	}
	return m.flattenInto(m.list(len(list)), list, depth), nil
}

func (m *machine) flattenInto(out, list []any, depth float64) []any {
	m.enter()
	defer m.leave()
	for _, v := range list {
		if inner, ok := v.([]any); ok && depth != 0 {
			out = m.flattenInto(out, inner, depth-1)
			continue
		}
		m.tick()
		out = m.push(out, v)
	}
	return out
}

func (m *machine) toEntries(in any) (any, error) {
	switch v := in.(type) {
	case map[string]any:
		keys := m.sortedKeys(v)
		out := m.list(len(keys))
		for _, k := range keys {
			m.growObject(2)
			out = append(out, map[string]any{"key": k, "value": v[k]})
		}
		return out, nil
	case []any:
		out := m.list(len(v))
		for i, e := range v {
			m.growObject(2)
			out = append(out, map[string]any{"key": i, "value": e})
		}
		return out, nil
	}
	return nil, fail0("keys", in)
}

// fromEntries reads key or one of its other spellings, and value or Value.
func (m *machine) fromEntries(in any) (any, error) {
	list, err := m.elements(in)
	if err != nil {
		return nil, err
	}
	m.growObject(len(list))
	out := make(map[string]any, len(list))
	for _, e := range list {
		m.tick()
		k, v, err := m.entry(e)
		if err != nil {
			return nil, err
		}
		out[k] = v
	}
	return out, nil
}

func (m *machine) entry(e any) (string, any, error) {
	var key any
	for _, name := range [...]string{"key", "Key", "name", "Name"} {
		var err error
		if key, err = get(e, name); err != nil {
			return "", nil, err
		}
		if truthy(key) {
			break
		}
	}
	has, err := m.has(e, "value")
	if err != nil {
		return "", nil, err
	}
	name := "Value"
	if has == true {
		name = "value"
	}
	v, err := get(e, name)
	if err != nil {
		return "", nil, err
	}
	k, ok := key.(string)
	if !ok {
		return "", nil, &failure{kind: keyNotText, v: key}
	}
	return k, v, nil
}

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
