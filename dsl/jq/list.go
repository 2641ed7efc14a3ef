package jq

import (
	"encoding/json"
	"maps"
	"math/big"
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

// addLoop adds the numbers of a loop without making a list of them; anything
// that is no number leaves the work to slow.
func addLoop(l *loop, slow valueFunc) valueFunc {
	return func(m *machine, in any) (any, error) {
		elems, err := l.elements(m, in)
		if err != nil {
			return nil, err
		}
		var sum num
		for _, v := range elems {
			m.tick()
			var n num
			ok := true
			switch {
			case l.reckoned != nil:
				if n, v, err = l.reckoned(m, v); err != nil {
					return nil, err
				}
			case l.body != nil:
				if v, ok, err = l.body(m, v); err != nil {
					return nil, err
				}
			}
			if n.kind == noNumber {
				if !ok || v == nil {
					continue
				}
				n = m.num(v)
			}
			switch {
			case n.kind == noNumber:
				return slow(m, in)
			case sum.kind == noNumber:
				sum = n
			default:
				sum = m.addNums(sum, n)
			}
		}
		if sum.kind == noNumber {
			return nil, nil
		}
		return sum.any(), nil
	}
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
