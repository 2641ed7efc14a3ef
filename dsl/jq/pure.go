package jq

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// pure is a builtin that computes one value from its input and the values of
// its arguments.
type pure func(m *machine, in any, args []any) (any, error)

// pures holds the builtins that are computed here, by name and arity.
var pures = map[string]pure{
	"length/0":         func(m *machine, in any, _ []any) (any, error) { return m.length(in) },
	"utf8bytelength/0": byteLength,
	"not/0":            func(_ *machine, in any, _ []any) (any, error) { return !truthy(in), nil },
	"keys/0":           func(m *machine, in any, _ []any) (any, error) { return m.keys(in) },
	"has/1":            func(m *machine, in any, args []any) (any, error) { return m.has(in, args[0]) },
	"type/0":           func(_ *machine, in any, _ []any) (any, error) { return gojq.TypeOf(in), nil },
	"tostring/0":       func(m *machine, in any, _ []any) (any, error) { return m.text(in), nil },
	"tojson/0":         func(m *machine, in any, _ []any) (any, error) { return m.json(in), nil },
	"fromjson/0":       func(m *machine, in any, _ []any) (any, error) { return m.fromJSON(in) },
	"tonumber/0":       func(m *machine, in any, _ []any) (any, error) { return m.toNumber(in) },
	"toboolean/0":      toBoolean,
	"add/0": func(m *machine, in any, _ []any) (any, error) {
		switch in.(type) {
		case []any, map[string]any:
			list, err := m.elements(in)
			if err != nil {
				return nil, err
			}
			return m.total(list)
		}
		return nil, fail0("add", in)
	},
	"abs/0":            absolute,
	"reverse/0":        reversed,
	"contains/1":       func(m *machine, in any, args []any) (any, error) { return m.contains(in, args[0]) },
	"inside/1":         func(m *machine, in any, args []any) (any, error) { return m.contains(args[0], in) },
	"indices/1":        func(m *machine, in any, args []any) (any, error) { return m.find("indices", in, args[0]) },
	"index/1":          func(m *machine, in any, args []any) (any, error) { return m.find("index", in, args[0]) },
	"rindex/1":         func(m *machine, in any, args []any) (any, error) { return m.find("rindex", in, args[0]) },
	"startswith/1":     twoTexts("startswith", func(s, t string) any { return strings.HasPrefix(s, t) }),
	"endswith/1":       twoTexts("endswith", func(s, t string) any { return strings.HasSuffix(s, t) }),
	"ltrimstr/1":       twoTexts("ltrimstr", func(s, t string) any { return strings.TrimPrefix(s, t) }),
	"rtrimstr/1":       twoTexts("rtrimstr", func(s, t string) any { return strings.TrimSuffix(s, t) }),
	"trimstr/1":        twoTexts("trimstr", func(s, t string) any { return strings.TrimSuffix(strings.TrimPrefix(s, t), t) }),
	"ltrim/0":          oneText("ltrim", func(s string) any { return strings.TrimLeftFunc(s, unicode.IsSpace) }),
	"rtrim/0":          oneText("rtrim", func(s string) any { return strings.TrimRightFunc(s, unicode.IsSpace) }),
	"trim/0":           oneText("trim", func(s string) any { return strings.TrimSpace(s) }),
	"ascii_downcase/0": oneText("ascii_downcase", func(s string) any { return mapASCII(s, 'A', 'Z', 'a'-'A') }),
	"ascii_upcase/0":   oneText("ascii_upcase", func(s string) any { return mapASCII(s, 'a', 'z', 'A'-'a') }),
	"explode/0":        explode,
	"implode/0":        implode,
	"split/1":          split,
	"join/1":           func(m *machine, in any, args []any) (any, error) { return m.join(in, args[0]) },
	"flatten/0":        func(m *machine, in any, _ []any) (any, error) { return m.flatten(in, nil) },
	"flatten/1":        func(m *machine, in any, args []any) (any, error) { return m.flatten(in, args) },
	"error/0":          func(_ *machine, in any, _ []any) (any, error) { return nil, &thrown{in} },
	"error/1":          func(_ *machine, _ any, args []any) (any, error) { return nil, &thrown{args[0]} },
	"getpath/1":        getPath,
	"to_entries/0":     func(m *machine, in any, _ []any) (any, error) { return m.toEntries(in) },
	"from_entries/0":   func(m *machine, in any, _ []any) (any, error) { return m.fromEntries(in) },
	"transpose/0":      transpose,
	"first/0":          func(m *machine, in any, _ []any) (any, error) { return m.index(in, 0) },
	"last/0":           func(m *machine, in any, _ []any) (any, error) { return m.index(in, -1) },
	"nth/1":            func(m *machine, in any, args []any) (any, error) { return m.index(in, args[0]) },
	"floor/0":          rounding("floor", math.Floor),
	"ceil/0":           rounding("ceil", math.Ceil),
	"round/0":          rounding("round", math.Round),
	"trunc/0":          rounding("trunc", math.Trunc),
	"fabs/0":           rounding("fabs", math.Abs),
	"sqrt/0":           rounding("sqrt", math.Sqrt),
	"min/0":            func(m *machine, in any, _ []any) (any, error) { return m.extreme("min", in) },
	"max/0":            func(m *machine, in any, _ []any) (any, error) { return m.extreme("max", in) },
	"sort/0":           func(m *machine, in any, _ []any) (any, error) { return m.sort(in) },
	"unique/0":         func(m *machine, in any, _ []any) (any, error) { return m.unique(in) },
	"infinite/0":       func(*machine, any, []any) (any, error) { return math.Inf(1), nil },
	"nan/0":            func(*machine, any, []any) (any, error) { return math.NaN(), nil },
	"isnan/0": func(m *machine, in any, _ []any) (any, error) {
		f, ok := m.float(in)
		return ok && math.IsNaN(f), nil
	},
}

func oneText(name string, f func(string) any) pure {
	return func(m *machine, in any, _ []any) (any, error) {
		s, ok := in.(string)
		if !ok {
			return nil, fail0(name, in)
		}
		m.grow(len(s))
		return f(s), nil
	}
}

func twoTexts(name string, f func(s, t string) any) pure {
	return func(m *machine, in any, args []any) (any, error) {
		s, ok1 := in.(string)
		t, ok2 := args[0].(string)
		if !ok1 || !ok2 {
			return nil, fail1(name, in, args[0])
		}
		m.spend(len(t) >> 6)
		return f(s, t), nil
	}
}

func mapASCII(s string, from, to byte, by int) string {
	return strings.Map(func(r rune) rune {
		if rune(from) <= r && r <= rune(to) {
			return r + rune(by)
		}
		return r
	}, s)
}

func rounding(name string, f func(float64) float64) pure {
	return func(m *machine, in any, _ []any) (any, error) {
		x, ok := m.float(in)
		if !ok {
			return nil, fail0(name, in)
		}
		return f(x), nil
	}
}

func (m *machine) length(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return 0, nil
	case string:
		m.spend(len(v) >> 6)
		return utf8.RuneCountInString(v), nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	case int:
		if v < 0 {
			return negated(v), nil
		}
		return v, nil
	case float64:
		return math.Abs(v), nil
	case *big.Int:
		return new(big.Int).Abs(v), nil
	case json.Number:
		return json.Number(strings.TrimPrefix(string(v), "-")), nil
	}
	return nil, fail0("length", v)
}

func byteLength(_ *machine, in any, _ []any) (any, error) {
	s, ok := in.(string)
	if !ok {
		return nil, fail0("utf8bytelength", in)
	}
	return len(s), nil
}

func (m *machine) keys(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		out := m.list(len(v))
		for i := range v {
			out = append(out, i)
		}
		return out, nil
	case map[string]any:
		keys := m.sortedKeys(v)
		out := m.list(len(keys))
		for _, k := range keys {
			out = append(out, k)
		}
		return out, nil
	}
	return nil, fail0("keys", v)
}

func (m *machine) has(v, key any) (any, error) {
	switch v := v.(type) {
	case []any:
		if i, ok := m.integer(key); ok {
			return 0 <= i && i < len(v), nil
		}
	case map[string]any:
		if k, ok := key.(string); ok {
			_, there := v[k]
			return there, nil
		}
	case nil:
		return false, nil
	}
	return nil, fail1("has", v, key)
}

func toBoolean(_ *machine, in any, _ []any) (any, error) {
	switch v := in.(type) {
	case bool:
		return v, nil
	case string:
		if v == "true" || v == "false" {
			return v == "true", nil
		}
		return nil, &failure{kind: wrapped0, name: "toboolean", v: v, err: errInvalidBoolean}
	}
	return nil, fail0("toboolean", in)
}

func absolute(m *machine, in any, _ []any) (any, error) {
	if m.compare(in, 0) < 0 {
		return m.negate(in)
	}
	return in, nil
}

func reversed(m *machine, in any, _ []any) (any, error) {
	list, ok := in.([]any)
	if !ok {
		return nil, fail0("reverse", in)
	}
	out := m.list(len(list))
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out, nil
}

func explode(m *machine, in any, _ []any) (any, error) {
	s, ok := in.(string)
	if !ok {
		return nil, fail0("explode", in)
	}
	return m.runes(s), nil
}

func (m *machine) runes(s string) []any {
	n := utf8.RuneCountInString(s)
	m.grow(n * sizeNumber)
	out := m.list(n)
	for _, r := range s {
		out = append(out, int(r))
	}
	return out
}

func implode(m *machine, in any, _ []any) (any, error) {
	list, ok := in.([]any)
	if !ok {
		return nil, fail0("implode", in)
	}
	m.grow(len(list))
	var b strings.Builder
	for _, v := range list {
		r, ok := m.integer(v)
		if !ok {
			return nil, fail0("implode", list)
		}
		if r < 0 || r > utf8.MaxRune {
			r = utf8.RuneError
		}
		b.WriteRune(rune(r))
	}
	return b.String(), nil
}

func split(m *machine, in any, args []any) (any, error) {
	s, ok1 := in.(string)
	t, ok2 := args[0].(string)
	if !ok1 || !ok2 {
		return nil, fail1("split", in, args[0])
	}
	return m.splitText(s, t), nil
}

func (m *machine) splitText(s, sep string) []any {
	if s == "" {
		return []any{}
	}
	parts := strings.Split(s, sep)
	m.grow(len(parts) * 2 * sizeElement)
	out := m.list(len(parts))
	for _, p := range parts {
		out = append(out, p)
	}
	return out
}

func getPath(m *machine, in any, args []any) (any, error) {
	path, ok := args[0].([]any)
	if !ok {
		return nil, fail1("getpath", in, args[0])
	}
	v := in
	for _, key := range path {
		m.tick()
		w, err := m.index(v, key)
		if err != nil {
			return nil, &failure{kind: wrapped1, name: "getpath", v: in, w: args[0], err: err}
		}
		v = w
	}
	return v, nil
}

func transpose(m *machine, in any, _ []any) (any, error) {
	rows, ok := in.([]any)
	if !ok {
		return nil, fail0("transpose", in)
	}
	width := 0
	for _, r := range rows {
		row, ok := r.([]any)
		if !ok {
			return nil, fail0("transpose", in)
		}
		width = max(width, len(row))
	}
	out := m.list(width)
	for i := range width {
		col := m.list(len(rows))
		for _, r := range rows {
			var v any
			if row := r.([]any); i < len(row) {
				v = row[i]
			}
			col = append(col, v)
		}
		out = append(out, col)
	}
	return out, nil
}
