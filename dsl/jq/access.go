package jq

import (
	"encoding/json"
	"math/big"
	"unicode/utf8"
)

// index reads key from v: a name, a position, a slice or, for a list, the
// positions of a sublist.
func (m *machine) index(v, key any) (any, error) {
	switch k := key.(type) {
	case string:
		return get(v, k)
	case int, float64, *big.Int, json.Number:
		i, _ := m.integer(k)
		switch v := v.(type) {
		case nil:
			return nil, nil
		case []any:
			if i < 0 {
				i += len(v)
			}
			if i < 0 || i >= len(v) {
				return nil, nil
			}
			return v[i], nil
		case string:
			return m.letter(v, i), nil
		}
		return nil, &failure{kind: notArray, v: v}
	case []any:
		switch v := v.(type) {
		case nil:
			return nil, nil
		case []any:
			return m.positions(v, k, -1), nil
		}
		return nil, &failure{kind: notArray, v: v}
	case map[string]any:
		if v == nil {
			return nil, nil
		}
		start, ok1 := k["start"]
		end, ok2 := k["end"]
		if !ok1 || !ok2 {
			return nil, &failure{kind: notStartEnd, v: k}
		}
		return m.cut(v, start, end)
	}
	switch v.(type) {
	case []any:
		return nil, &failure{kind: indexNotNumber, v: key}
	case string:
		return nil, &failure{kind: textIndexNotNumber, v: key}
	}
	return nil, &failure{kind: keyNotText, v: key}
}

// letter returns the character of s at a position, or null outside of it.
func (m *machine) letter(s string, i int) any {
	m.spend(len(s) >> 5)
	n := utf8.RuneCountInString(s)
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return nil
	}
	for _, r := range s {
		if i == 0 {
			return string(r)
		}
		i--
	}
	return nil
}

// cut returns the part of a list or a text between two positions.
func (m *machine) cut(v, start, end any) (any, error) {
	size, kind := 0, indexNotNumber
	s, isText := v.(string)
	list, isList := v.([]any)
	switch {
	case v == nil:
		return nil, nil
	case isText:
		m.spend(len(s) >> 5)
		size, kind = utf8.RuneCountInString(s), textIndexNotNumber
	case isList:
		size = len(list)
	default:
		return nil, &failure{kind: notArray, v: v}
	}
	from, to := 0, size
	if start != nil {
		i, ok := m.floorIndex(start)
		if !ok {
			return nil, &failure{kind: kind, v: start}
		}
		from = within(i, 0, size)
	}
	if end != nil {
		i, ok := m.ceilIndex(end)
		if !ok {
			return nil, &failure{kind: kind, v: end}
		}
		to = within(i, from, size)
	}
	if isList {
		return list[from:to], nil
	}
	a, b := byteOffsets(s, from, to)
	return s[a:b], nil
}

// within counts a negative position from the end and keeps it in range.
func within(i, low, size int) int {
	if i < 0 {
		i += size
	}
	return max(low, min(i, size))
}

// byteOffsets turns positions of characters into positions of bytes.
func byteOffsets(s string, from, to int) (a, b int) {
	a, b = len(s), len(s)
	n := 0
	for i := range s {
		if n == from {
			a = i
		}
		if n == to {
			b = i
			break
		}
		n++
	}
	return min(a, b), b
}

// positions returns where list contains part; most limits how many are looked
// for, -1 for all.
func (m *machine) positions(list, part []any, most int) []any {
	out := []any{}
	if len(part) == 0 {
		return out
	}
	for i := 0; i+len(part) <= len(list) && most != 0; i++ {
		m.tick()
		if m.compareLists(list[i:i+len(part)], part) == 0 {
			out = m.push(out, i)
			most--
		}
	}
	return out
}

// maxDepth bounds how deep the functions that recurse into data go.
const maxDepth = 10_000

// enter pays for one level of recursion into data and stops at maxDepth.
func (m *machine) enter() {
	m.tick()
	if m.depth++; m.depth > maxDepth {
		panic(&LimitError{ErrMemory, "builds data that is nested too deeply"})
	}
}

func (m *machine) leave() { m.depth-- }

// descend gives v and everything inside it, parents first.
func (m *machine) descend(v any, yield yieldFunc) error {
	m.enter()
	defer m.leave()
	if err := yield(v); err != nil {
		return err
	}
	switch v.(type) {
	case []any, map[string]any:
		elems, err := m.elements(v)
		if err != nil {
			return err
		}
		for _, e := range elems {
			if err := m.descend(e, yield); err != nil {
				return err
			}
		}
	}
	return nil
}
