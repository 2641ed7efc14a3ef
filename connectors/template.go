package connectors

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Template is text with {name} placeholders, such as /orders/{order}. A name
// written as {name?} may be absent. {{ and }} stand for the braces themselves.
// Templates are immutable.
type Template struct {
	source string
	parts  []part
}

type part struct {
	literal  string
	name     string // "" for a literal
	optional bool
	quoted   bool // inside '...' of the literal text around it
}

// ParseTemplate reads a template and says what is wrong with it.
func ParseTemplate(source string) (Template, error) {
	t := Template{source: source}
	var lit strings.Builder
	quoted := false
	flush := func() {
		if lit.Len() > 0 {
			t.parts = append(t.parts, part{literal: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(source); i++ {
		c := source[i]
		doubled := i+1 < len(source) && source[i+1] == c
		switch {
		case (c == '{' || c == '}') && doubled:
			lit.WriteByte(c)
			i++
		case c == '{':
			end := strings.IndexByte(source[i:], '}')
			if end < 0 {
				return Template{}, fmt.Errorf("`%s` opens a placeholder and does not close it; write {name}", source[i:])
			}
			name, optional := strings.CutSuffix(source[i+1:i+end], "?")
			if !placeholderName(name) {
				return Template{}, fmt.Errorf("`%s` is not a placeholder; write {name} with letters, digits and _", source[i:i+end+1])
			}
			flush()
			t.parts = append(t.parts, part{name: name, optional: optional, quoted: quoted})
			i += end
		case c == '}':
			return Template{}, fmt.Errorf("`%s` has a } without {; write }} for the sign itself", source)
		default:
			if c == '\'' {
				quoted = !quoted
			}
			lit.WriteByte(c)
		}
	}
	flush()
	return t, nil
}

func placeholderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '.' && c != '-') {
			return false
		}
	}
	return s != ""
}

// String returns the template as written.
func (t Template) String() string { return t.source }

// Constant returns the text of a template without placeholders.
func (t Template) Constant() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].name == "":
		return t.parts[0].literal, true
	}
	return "", false
}

// Placeholders returns the names in the template in order of appearance, and
// those of them that may be absent.
func (t Template) Placeholders() (names, optional []string) {
	for _, p := range t.parts {
		if p.name == "" {
			continue
		}
		names = append(names, p.name)
		if p.optional {
			optional = append(optional, p.name)
		}
	}
	return names, optional
}

// Place tells where in a text a value is put, so that it can be made safe for
// that place.
type Place struct {
	Name   string // of the placeholder
	Quoted bool   // between single quotes of the literal text
}

// Append renders the template onto dst. value appends a text escaped for the
// place it stands in. A value that is absent, null, a map or a list is an error
// that names it; where an optional one is absent, ok is false and dst is
// returned as it was.
func (t Template) Append(dst []byte, with map[string]any, value func(dst []byte, text string, at Place) ([]byte, error)) (out []byte, ok bool, err error) {
	start := len(dst)
	for _, p := range t.parts {
		if p.name == "" {
			dst = append(dst, p.literal...)
			continue
		}
		v, found := with[p.name]
		if !found || v == nil {
			if p.optional {
				return dst[:start], false, nil
			}
			return dst[:start], false, fmt.Errorf("there is no value for {%s}; give one with `with: {%s: ...}`", p.name, p.name)
		}
		text, isText := ScalarText(v)
		if !isText {
			return dst[:start], false, fmt.Errorf("{%s} takes a single value, not %s", p.name, shapeOf(v))
		}
		if dst, err = value(dst, text, Place{p.name, p.quoted}); err != nil {
			return dst[:start], false, err
		}
	}
	return dst, true, nil
}

// Each calls f for every part in order: a literal text, or the name of a
// placeholder.
func (t Template) Each(f func(literal, name string)) {
	for _, p := range t.parts {
		f(p.literal, p.name)
	}
}

// MapLiterals returns the template with every literal text replaced by f of it.
func (t Template) MapLiterals(f func(string) string) Template {
	out := Template{source: t.source, parts: make([]part, len(t.parts))}
	copy(out.parts, t.parts)
	for i := range out.parts {
		if out.parts[i].name == "" {
			out.parts[i].literal = f(out.parts[i].literal)
		}
	}
	return out
}

// Literals returns the text between the placeholders.
func (t Template) Literals() []string {
	var all []string
	for _, p := range t.parts {
		if p.name == "" {
			all = append(all, p.literal)
		}
	}
	return all
}

// ScalarText returns a JSON text, number or boolean as text.
func ScalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return strconv.FormatInt(int64(v), 10), true
		}
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case fmt.Stringer: // exact numbers of the languages
		return v.String(), true
	}
	return "", false
}

func shapeOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return "this"
}
