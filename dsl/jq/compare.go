package jq

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
)

// compare orders values the way jq does: null, false, true, numbers, texts,
// lists, objects. It pays one step for every pair of values it looks at.
func (m *machine) compare(l, r any) int {
	m.tick()
	switch x := l.(type) {
	case string:
		if y, ok := r.(string); ok {
			m.spend(min(len(x), len(y)) >> 9)
			return strings.Compare(x, y)
		}
	case json.Number:
		if y, ok := r.(json.Number); ok && x == y {
			// Only numbers out of range compare unlike themselves, and those are
			// infinite, which equal themselves too.
			return 0
		}
	case []any:
		if y, ok := r.([]any); ok {
			return m.compareLists(x, y)
		}
	case map[string]any:
		if y, ok := r.(map[string]any); ok {
			return m.compareObjects(x, y)
		}
	}
	a, b := m.num(l), m.num(r)
	switch common(a, b) {
	case isInt:
		return cmp.Compare(a.i, b.i)
	case isFloat:
		switch x, y := a.float(), b.float(); {
		case x < y || math.IsNaN(x):
			return -1
		case x == y:
			return 0
		}
		return 1
	case isBig:
		return a.big().Cmp(b.big())
	}
	return cmp.Compare(rank(l), rank(r))
}

func rank(v any) int {
	switch v := v.(type) {
	case bool:
		if v {
			return 2
		}
		return 1
	case int, float64, *big.Int, json.Number:
		return 3
	case string:
		return 4
	case []any:
		return 5
	case map[string]any:
		return 6
	}
	return 0
}

func (m *machine) compareLists(x, y []any) int {
	m.enter()
	defer m.leave()
	for i := range min(len(x), len(y)) {
		if c := m.compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// compareObjects compares the sorted names first, then the values by name.
func (m *machine) compareObjects(x, y map[string]any) int {
	m.enter()
	defer m.leave()
	m.grow(8 * (len(x) + len(y)))
	xs, ys := slices.Sorted(maps.Keys(x)), slices.Sorted(maps.Keys(y))
	m.spend(len(xs) + len(ys))
	if c := slices.Compare(xs, ys); c != 0 {
		return c
	}
	for _, k := range xs {
		if c := m.compare(x[k], y[k]); c != 0 {
			return c
		}
	}
	return 0
}

// sortedKeys returns the names of an object in order.
func (m *machine) sortedKeys(o map[string]any) []string {
	m.grow(len(o) * sizeElement)
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
