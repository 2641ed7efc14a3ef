// Package mask hides personal data in what people see: what a schema marks as
// pii, wherever it went from there.
package mask

import (
	"encoding/json"
	"sort"
	"strings"

	"crossdock/dsl/value"
)

// Hidden stands where something personal stood.
const Hidden = "[masked]"

// Mask hides personal data: what a schema marks as pii, wherever it went from
// there. Fields are known by their name, and values by what they held where
// the schema knows them, so that a mapping does not bring them to light.
type Mask struct {
	shape  *value.Shape
	fields map[string]bool
	texts  []string // longest first
	short  map[string]bool
}

// shortText is a text too short to be looked for inside others.
const shortText = 4

// New learns what to hide from payloads that shape describes. A Mask is not safe
// for concurrent use while it learns, and is afterwards.
func New(shape *value.Shape, payloads ...any) *Mask {
	m := &Mask{shape: shape, fields: map[string]bool{}, short: map[string]bool{}}
	m.learnFields(shape, 0)
	if len(m.fields) == 0 {
		return m
	}
	for _, p := range payloads {
		m.learn(p, shape, false)
	}
	sort.Slice(m.texts, func(i, j int) bool { return len(m.texts[i]) > len(m.texts[j]) })
	return m
}

func (m *Mask) learnFields(s *value.Shape, depth int) {
	if s == nil || depth > 50 {
		return
	}
	for name, f := range s.Fields {
		if f != nil && f.PII {
			m.fields[name] = true
		}
		m.learnFields(f, depth+1)
	}
	m.learnFields(s.Item, depth+1)
}

// learn collects the values of personal fields. secret says that v is one.
func (m *Mask) learn(v any, s *value.Shape, secret bool) {
	secret = secret || s != nil && s.PII
	switch t := v.(type) {
	case map[string]any:
		for k, x := range t {
			var f *value.Shape
			if s != nil {
				f = s.Fields[k]
			}
			m.learn(x, f, secret || m.fields[k])
		}
	case []any:
		var item *value.Shape
		if s != nil {
			item = s.Item
		}
		for _, x := range t {
			m.learn(x, item, secret)
		}
	case string:
		m.note(t, secret)
	case json.Number:
		m.note(t.String(), secret)
	}
}

func (m *Mask) note(text string, secret bool) {
	switch {
	case !secret || text == "" || len(m.texts) > 1000:
	case len(text) < shortText:
		m.short[text] = true
	default:
		m.texts = append(m.texts, text)
	}
}

// Fields returns the names of personal fields.
func (m *Mask) Fields() map[string]bool { return m.fields }

// Empty reports whether there is nothing to hide.
func (m *Mask) Empty() bool { return len(m.fields) == 0 }

// Value returns v, which shape describes where it is as received, without
// personal data. shape is nil for what nothing describes.
func (m *Mask) Value(v any, s *value.Shape) any {
	if v != nil && s != nil && s.PII {
		return Hidden
	}
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, x := range t {
			var f *value.Shape
			if s != nil {
				f = s.Fields[k]
			}
			if x != nil && m.fields[k] {
				out[k] = Hidden
				continue
			}
			out[k] = m.Value(x, f)
		}
		return out
	case []any:
		var item *value.Shape
		if s != nil {
			item = s.Item
		}
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = m.Value(x, item)
		}
		return out
	case string:
		return m.Text(t)
	case json.Number:
		if hidden := m.Text(t.String()); hidden != t.String() {
			return hidden
		}
	}
	return v
}

// Text returns s without the personal data of the payloads.
func (m *Mask) Text(s string) string {
	if m.short[s] {
		return Hidden
	}
	for _, secret := range m.texts {
		s = strings.ReplaceAll(s, secret, Hidden)
	}
	return s
}
