package jq

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/url"
	"strings"

	"github.com/itchyny/gojq"
)

var (
	errInvalidBoolean = errors.New("invalid boolean")
	errInvalidNumber  = errors.New("invalid number")
)

// text returns a string as it is and anything else as JSON.
func (m *machine) text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return string(v)
	case nil:
		return "null"
	case int:
		return itoa(v)
	}
	return m.json(v)
}

// json writes v as JSON after a look at its size, so that the work is paid for
// before it is done.
func (m *machine) json(v any) string {
	m.measure(v)
	b, err := gojq.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// measure pays for writing v.
func (m *machine) measure(v any) {
	switch v := v.(type) {
	case string:
		m.grow(len(v) * 2)
	case json.Number:
		m.grow(len(v))
	case *big.Int:
		m.grow(v.BitLen() / 3)
	case []any:
		m.enter()
		for _, e := range v {
			m.measure(e)
		}
		m.leave()
	case map[string]any:
		m.enter()
		for k, e := range v {
			m.grow(len(k) * 2)
			m.measure(e)
		}
		m.leave()
	default:
		m.grow(sizeNumber)
	}
}

func (m *machine) fromJSON(in any) (any, error) {
	s, ok := in.(string)
	if !ok {
		return nil, fail0("fromjson", in)
	}
	m.grow(len(s) * 4)
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, &failure{kind: wrapped0, name: "fromjson", v: in, err: err}
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fail0("fromjson", in)
	}
	return v, nil
}

func (m *machine) toNumber(in any) (any, error) {
	switch v := in.(type) {
	case int, float64, *big.Int, json.Number:
		return v, nil
	case string:
		if !validNumber(v) {
			return nil, &failure{kind: wrapped0, name: "tonumber", v: in, err: errInvalidNumber}
		}
		return m.value(json.Number(v)), nil
	}
	return nil, fail0("tonumber", in)
}

// validNumber reports whether s is a number as a cell may hold it: a sign,
// digits with at most one point, at least one digit first or after the point,
// and an exponent.
func validNumber(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
		if exponent != "" && (exponent[0] == '+' || exponent[0] == '-') {
			exponent = exponent[1:]
		}
		if exponent == "" || !allDigits(exponent) {
			return false
		}
	}
	whole, frac, dotted := strings.Cut(mantissa, ".")
	if !allDigits(whole) || !allDigits(frac) {
		return false
	}
	return whole != "" || dotted && frac != ""
}

// contains reports whether part is in v: texts by their letters, lists and
// objects by their elements.
func (m *machine) contains(v, part any) (any, error) {
	m.enter()
	defer m.leave()
	n, k := m.num(v), m.num(part)
	switch common(n, k) {
	case isInt:
		return n.i == k.i, nil
	case isFloat:
		return n.float() == k.float(), nil
	case isBig:
		return n.big().Cmp(k.big()) == 0, nil
	}
	a, b := m.plain(v), m.plain(part)
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			m.spend(len(x) >> 5)
			return strings.Contains(x, y), nil
		}
	case []any:
		if y, ok := b.([]any); ok {
			return m.containsAll(x, y), nil
		}
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			return m.containsFields(x, y), nil
		}
	case nil:
		if b == nil {
			return true, nil
		}
	case bool:
		if y, ok := b.(bool); ok && x == y {
			return true, nil
		}
	}
	return nil, fail1("contains", a, b)
}

func (m *machine) containsAll(x, y []any) bool {
next:
	for _, part := range y {
		for _, v := range x {
			if ok, err := m.contains(v, part); err == nil && ok == true {
				continue next
			}
		}
		return false
	}
	return true
}

func (m *machine) containsFields(x, y map[string]any) bool {
	if len(x) < len(y) {
		return false
	}
	for k, part := range y {
		v, there := x[k]
		if !there {
			return false
		}
		if ok, err := m.contains(v, part); err != nil || ok != true {
			return false
		}
	}
	return true
}

// find is index, rindex and indices.
func (m *machine) find(name string, in, part any) (any, error) {
	var list, want []any
	switch v := in.(type) {
	case nil:
		return nil, nil
	case []any:
		list = v
		if p, ok := part.([]any); ok {
			want = p
		} else {
			want = []any{part}
		}
	case string:
		p, ok := part.(string)
		if !ok {
			return nil, fail1(name, in, part)
		}
		list, want = m.runes(v), m.runes(p)
	default:
		return nil, fail1(name, in, part)
	}
	switch name {
	case "indices":
		return m.positions(list, want, -1), nil
	case "index":
		if at := m.positions(list, want, 1); len(at) > 0 {
			return at[0], nil
		}
		return nil, nil
	}
	if len(want) == 0 {
		return nil, nil
	}
	for i := len(list) - len(want); i >= 0; i-- {
		m.tick()
		if m.compareLists(list[i:i+len(want)], want) == 0 {
			return i, nil
		}
	}
	return nil, nil
}

// formatters are the @ functions.
var formatters = map[string]valueFunc{
	"@text": func(m *machine, in any) (any, error) { return m.text(in), nil },
	"@json": func(m *machine, in any) (any, error) { return m.json(in), nil },
	"@html": func(m *machine, in any) (any, error) { return m.replaced(in, htmlEscapes), nil },
	"@uri": func(m *machine, in any) (any, error) {
		s := m.text(in)
		m.grow(3 * len(s))
		return strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), nil
	},
	"@urid": func(m *machine, in any) (any, error) {
		s := m.text(in)
		m.grow(2 * len(s))
		out, err := url.QueryUnescape(strings.ReplaceAll(s, "+", "%2B"))
		if err != nil {
			return nil, &failure{kind: wrapped0, name: "@urid", v: in, err: err}
		}
		return out, nil
	},
	"@csv": func(m *machine, in any) (any, error) {
		return m.row("csv", in, ",", func(s string) string { return `"` + csvEscapes.Replace(s) + `"` })
	},
	"@tsv": func(m *machine, in any) (any, error) { return m.row("tsv", in, "\t", tsvEscapes.Replace) },
	"@sh": func(m *machine, in any) (any, error) {
		if _, ok := in.([]any); !ok {
			in = []any{in}
		}
		return m.row("sh", in, " ", func(s string) string { return "'" + shEscapes.Replace(s) + "'" })
	},
	"@base64": func(m *machine, in any) (any, error) {
		s := m.text(in)
		m.grow(2 * len(s))
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	},
	"@base64d": func(m *machine, in any) (any, error) {
		s, _, _ := strings.Cut(m.text(in), "=")
		m.grow(len(s))
		out, err := base64.RawStdEncoding.DecodeString(s)
		if err != nil {
			return nil, &failure{kind: wrapped0, name: "@base64d", v: in, err: err}
		}
		return string(out), nil
	},
}

var (
	htmlEscapes = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", "'", "&apos;", `"`, "&quot;")
	csvEscapes  = strings.NewReplacer(`"`, `""`, "\x00", `\0`)
	tsvEscapes  = strings.NewReplacer("\t", `\t`, "\r", `\r`, "\n", `\n`, `\`, `\\`, "\x00", `\0`)
	shEscapes   = strings.NewReplacer("'", `'\''`, "\x00", `\0`)
)

func (m *machine) replaced(v any, r *strings.Replacer) string {
	s := m.text(v)
	m.grow(2 * len(s))
	return r.Replace(s)
}

// row joins a list of plain values; null is nothing, except for a shell.
func (m *machine) row(name string, v any, sep string, escape func(string) string) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fail0("@"+name, v)
	}
	cells := make([]string, len(list))
	for i, e := range list {
		switch e := e.(type) {
		case []any, map[string]any:
			return nil, &failure{kind: badRow, name: name, v: e}
		case string:
			m.grow(2*len(e) + sizeElement)
			cells[i] = escape(e)
		default:
			if s := m.json(e); s != "null" || name == "sh" {
				cells[i] = s
			}
		}
	}
	return strings.Join(cells, sep), nil
}
