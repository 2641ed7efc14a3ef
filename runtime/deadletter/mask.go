package deadletter

import (
	"encoding/json"
	"sort"
	"strings"

	"crossdock/dsl/value"
)

const masked = "[masked]"

// mask hides personal data: what a schema marks as pii, wherever it went from
// there. Fields are known by their name, and values by what they held where
// the schema knows them, so that a mapping does not bring them to light.
type mask struct {
	shape  *value.Shape
	fields map[string]bool
	texts  []string // longest first
	short  map[string]bool
}

// shortText is a text too short to be looked for inside others.
const shortText = 4

// newMask learns what to hide from payloads that shape describes.
func newMask(shape *value.Shape, payloads ...any) *mask {
	m := &mask{shape: shape, fields: map[string]bool{}, short: map[string]bool{}}
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

func (m *mask) learnFields(s *value.Shape, depth int) {
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
func (m *mask) learn(v any, s *value.Shape, secret bool) {
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

func (m *mask) note(text string, secret bool) {
	switch {
	case !secret || text == "" || len(m.texts) > 1000:
	case len(text) < shortText:
		m.short[text] = true
	default:
		m.texts = append(m.texts, text)
	}
}

// letter hides what is personal in a letter.
func (m *mask) letter(l *Letter) {
	if len(m.fields) == 0 {
		return
	}
	l.Payload, l.Original = m.value(l.Payload, m.shape), m.value(l.Original, m.shape)
	if l.Raw != "" {
		l.Raw = masked // it could not be read, so nobody knows what is in it
	}
	for name, result := range l.Steps {
		l.Steps[name] = m.value(result, nil)
	}
	l.Reason = m.text(l.Reason)
	if l.Cause != nil {
		cause := *l.Cause
		cause.Message, cause.Hint = m.text(cause.Message), m.text(cause.Hint)
		l.Cause = &cause
	}
	for i := range l.Refs {
		l.Refs[i].Value = m.text(l.Refs[i].Value)
	}
}

func (m *mask) value(v any, s *value.Shape) any {
	if v != nil && s != nil && s.PII {
		return masked
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
				out[k] = masked
				continue
			}
			out[k] = m.value(x, f)
		}
		return out
	case []any:
		var item *value.Shape
		if s != nil {
			item = s.Item
		}
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = m.value(x, item)
		}
		return out
	case string:
		return m.text(t)
	case json.Number:
		if hidden := m.text(t.String()); hidden != t.String() {
			return hidden
		}
	}
	return v
}

func (m *mask) text(s string) string {
	if m.short[s] {
		return masked
	}
	for _, secret := range m.texts {
		s = strings.ReplaceAll(s, secret, masked)
	}
	return s
}
