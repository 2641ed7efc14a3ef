package mask_test

import (
	"encoding/json"
	"strings"
	"testing"

	"crossdock/dsl/value"
	"crossdock/runtime/mask"
)

// TestHiddenWhereverItGoes: a value that a schema marks as personal is hidden
// in its place, under its name elsewhere, and inside texts.
func TestHiddenWhereverItGoes(t *testing.T) {
	shape := &value.Shape{Fields: map[string]*value.Shape{
		"name": {PII: true}, "no": {}, "age": {PII: true}, "address": {PII: true, Fields: map[string]*value.Shape{"street": {}}},
	}}
	in := map[string]any{"name": "Ada Lovelace", "no": "4711", "age": json.Number("36"), "address": map[string]any{"street": "St James's Square 12"}}
	m := mask.New(shape, in)
	if m.Empty() || !m.Fields()["name"] || m.Fields()["no"] {
		t.Errorf("fields %v", m.Fields())
	}
	shown, err := json.Marshal(m.Value(in, shape))
	if err != nil || strings.Contains(string(shown), "Ada") || strings.Contains(string(shown), "36") || !strings.Contains(string(shown), "4711") {
		t.Errorf("%s %v", shown, err)
	}
	mapped, err := json.Marshal(m.Value(map[string]any{"to": "for Ada Lovelace", "years": json.Number("36"), "line": "St James's Square 12", "no": "4711", "name": "Eve"}, nil))
	if want := `{"line":"[masked]","name":"[masked]","no":"4711","to":"for [masked]","years":"[masked]"}`; string(mapped) != want {
		t.Errorf("%s, want %s (%v)", mapped, want, err)
	}
	if got := m.Text("36 orders of Ada Lovelace"); got != "36 orders of [masked]" {
		t.Errorf("%s: a short value is hidden only where it is the whole text", got)
	}
	if m := mask.New(nil, in); !m.Empty() || m.Text("Ada Lovelace") != "Ada Lovelace" {
		t.Error("hidden without a schema")
	}
}
