package testrun

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"crossdock/dsl/value"
	"crossdock/runtime/message"
)

// difference is one place where a value is not what was expected.
type difference struct {
	path string
	text string
}

// subset compares: everything in want must be in got; got may have more.
// Numbers are equal when their values are. Keys of want may be paths.
func subset(path string, want, got any) []difference {
	switch w := want.(type) {
	case map[string]any:
		var out []difference
		for _, k := range sortedKeys(w) {
			at := k
			if path != "" {
				at = path + "." + k
			}
			v, ok := Find(got, k)
			if !ok {
				out = append(out, difference{at, "is missing, expected " + show(w[k]) + near(k, got)})
				continue
			}
			out = append(out, subset(at, w[k], v)...)
		}
		return out
	case []any:
		g, ok := got.([]any)
		if !ok {
			return []difference{{path, fmt.Sprintf("is %s, expected %s", show(got), show(want))}}
		}
		if len(g) != len(w) {
			return []difference{{path, fmt.Sprintf("has %d items, expected %d: %s", len(g), len(w), show(got))}}
		}
		var out []difference
		for i := range w {
			out = append(out, subset(fmt.Sprintf("%s[%d]", path, i), w[i], g[i])...)
		}
		return out
	}
	if equal(want, got) {
		return nil
	}
	text := fmt.Sprintf("is %s, expected %s", show(got), show(want))
	if wt, wok := value.Text(want); wok {
		if gt, gok := value.Text(got); gok && wt == gt {
			text += " (one is text, the other is not: quote it, or give the row a type)"
		}
	}
	return []difference{{path, text}}
}

func equal(want, got any) bool {
	if a, err := value.DecimalOf(want); err == nil {
		b, err := value.DecimalOf(got)
		return err == nil && a.Cmp(b) == 0
	}
	return want == got
}

// near says what is there in the place of k: the names where its path ends.
func near(k string, got any) string {
	for at := len(k); at > 0; {
		if at = strings.LastIndexByte(k[:at], '.'); at < 0 {
			break
		}
		if v, there := Find(got, k[:at]); there {
			return namesAt(k[at+1:], v)
		}
	}
	return namesAt(k, got)
}

// namesAt says what is there in the place of k, the first part of which is not.
func namesAt(k string, got any) string {
	if _, isList := got.([]any); isList {
		return "; it is a list: name the item, as in [0]." + k
	}
	m, ok := got.(map[string]any)
	if !ok {
		return ""
	}
	if head, rest, nested := strings.Cut(k, "[]"); nested {
		if _, isList := m[head].([]any); isList {
			return "; name the item: " + head + "[0]" + rest
		}
	}
	names := sortedKeys(m)
	if len(names) > 8 {
		names = append(names[:8], "...")
	}
	if len(names) == 0 {
		return ""
	}
	return "; there are: " + strings.Join(names, ", ")
}

func show(v any) string {
	text := string(message.Marshal(v))
	if len(text) > 200 {
		text = text[:197] + "..."
	}
	return text
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Find follows a path such as lines[1].sku; a name with dots in it is tried as
// it is first.
func Find(v any, path string) (any, bool) {
	if m, ok := v.(map[string]any); ok {
		if found, ok := m[path]; ok {
			return found, true
		}
	}
	for _, part := range parts(path) {
		switch p := part.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				return nil, false
			}
			if v, ok = m[p]; !ok {
				return nil, false
			}
		case int:
			l, ok := v.([]any)
			if p < 0 {
				p += len(l)
			}
			if !ok || p < 0 || p >= len(l) {
				return nil, false
			}
			v = l[p]
		}
	}
	return v, true
}

// Change returns a copy of v with another value at path; nil removes it. Objects
// on the way are made where there are none; an item behind the end of a list is
// added.
func Change(v any, path string, to any) (any, error) { return change(v, parts(path), to) }

func change(v any, path []any, to any) (any, error) {
	if len(path) == 0 {
		return to, nil
	}
	switch p := path[0].(type) {
	case string:
		old, ok := v.(map[string]any)
		if !ok && v != nil {
			if list, isList := v.([]any); isList {
				rest := ""
				if p != "*" && p != "" {
					rest = "." + p
				}
				return nil, fmt.Errorf("a list of %d stands there: name the item, as in `[0]%s`", len(list), rest)
			}
			return nil, fmt.Errorf("`%s` cannot be set in %s", p, show(v))
		}
		m := make(map[string]any, len(old)+1)
		for k, x := range old {
			m[k] = x
		}
		if len(path) == 1 && to == nil {
			delete(m, p)
			return m, nil
		}
		var err error
		m[p], err = change(m[p], path[1:], to)
		return m, err
	default:
		i := p.(int)
		old, ok := v.([]any)
		if !ok && v != nil {
			return nil, fmt.Errorf("item [%d] is meant to be changed, but found %s", i, show(v))
		}
		l := append([]any{}, old...)
		if i < 0 {
			i += len(l)
		}
		switch {
		case i < 0 || i > len(l):
			return nil, fmt.Errorf("there is no item [%d]: the list has %d", p, len(l))
		case len(path) == 1 && to == nil:
			return slices.Delete(l, i, min(i+1, len(l))), nil
		case i == len(l):
			l = append(l, nil)
		}
		var err error
		l[i], err = change(l[i], path[1:], to)
		return l, err
	}
}

// parts splits lines[1].sku into "lines", 1, "sku".
func parts(path string) []any {
	var out []any
	for _, name := range strings.Split(path, ".") {
		for {
			before, rest, indexed := strings.Cut(name, "[")
			if before != "" {
				out = append(out, before)
			}
			if !indexed {
				break
			}
			index, tail, _ := strings.Cut(rest, "]")
			if n, err := strconv.Atoi(index); err == nil {
				out = append(out, n)
			} else {
				out = append(out, strings.Trim(index, `"`))
			}
			name = tail
			if name == "" {
				break
			}
		}
	}
	return out
}
