package mask_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"crossdock/dsl/value"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
)

// TestDisguise: other values of the same form, the same for the same, wherever
// they stand; what is not personal stays.
func TestDisguise(t *testing.T) {
	shape := &value.Shape{Fields: map[string]*value.Shape{
		"no": {}, "name": {PII: true}, "age": {PII: true}, "born": {PII: true}, "sex": {PII: true, Options: []string{"x", "y"}}, "vip": {PII: true},
		"lines": {Item: &value.Shape{Fields: map[string]*value.Shape{"name": {}}}},
	}}
	in := map[string]any{"no": "SO-1 for Ada Lovelace", "name": "Ada Lovelace", "age": json.Number("36"), "born": "1815-12-10", "sex": "x", "vip": true,
		"lines": []any{map[string]any{"name": "Bolt", "note": "ADA", "api_key": "k-12345678"}}, "again": " Ada Lovelace "}
	d := mask.NewDisguise([]byte("a key"), nil)
	d.Names(shape)
	d.Learn(in, shape)
	d.Secret("k-12345678")
	out, ok := d.Value(in, shape).(map[string]any)
	if !ok {
		t.Fatal("no map")
	}
	text := string(message.Marshal(out))
	for _, gone := range []string{"Ada", "Lovelace", "1815-12-10", "12345678", `"age":36`, "true"} {
		if strings.Contains(text, gone) {
			t.Errorf("%s is still there: %s", gone, text)
		}
	}
	name, _ := out["name"].(string)
	first, last, _ := strings.Cut(name, " ")
	if len(first) != 3 || len(last) != 8 || first[0] < 'A' || first[0] > 'Z' || out["no"] != "SO-1 for "+name || out["again"] != " "+name+" " {
		t.Errorf("name %q: %s", name, text)
	}
	if _, err := time.Parse(time.DateOnly, out["born"].(string)); err != nil {
		t.Errorf("born %s: %v", out["born"], err)
	}
	if n, ok := out["age"].(json.Number); !ok || len(n) != 2 || n[0] == '0' {
		t.Errorf("age %v", out["age"])
	}
	if sex := out["sex"]; sex != "x" && sex != "y" {
		t.Errorf("sex %v", sex)
	}
	if line := out["lines"].([]any)[0].(map[string]any); line["name"] != "Bolt" {
		t.Errorf("a name that its schema does not call personal has changed: %v", line)
	}
	again := mask.NewDisguise([]byte("a key"), nil)
	again.Names(shape)
	again.Learn(in, shape)
	again.Secret("k-12345678")
	if b := string(message.Marshal(again.Value(in, shape))); b != text {
		t.Errorf("%s, then %s", text, b)
	}
	other := mask.NewDisguise([]byte("another"), nil)
	if b := other.Value(in, shape).(map[string]any)["name"]; b == name {
		t.Error("the key says nothing")
	}
	kept := mask.NewDisguise([]byte("a key"), []string{"name"})
	if b := kept.Value(in, shape).(map[string]any)["name"]; b != "Ada Lovelace" {
		t.Errorf("kept name %v", b)
	}
}

// TestDisguiseAgain: a value that does not fit is tried otherwise, and not for
// ever.
func TestDisguiseAgain(t *testing.T) {
	shape := &value.Shape{Fields: map[string]*value.Shape{"vat": {PII: true}}}
	in := map[string]any{"vat": "DE123456789"}
	d := mask.NewDisguise([]byte("a key"), nil)
	fits := func() (string, bool) {
		v, _ := d.Value(in, shape).(map[string]any)["vat"].(string)
		return v, strings.HasPrefix(v, "DE") && v != "DE123456789"
	}
	v, ok := fits()
	tries := 0
	for ; !ok && d.Again(v); tries++ {
		v, ok = fits()
	}
	if !ok || tries == 0 || tries > 3 {
		t.Errorf("%s after %d tries", v, tries)
	}
	// A value is never given for itself, whatever is kept of it.
	for v, more := "DE123456789", true; more; more = d.Again(v) {
		if v, _ = d.Value(in, shape).(map[string]any)["vat"].(string); v == "DE123456789" {
			t.Fatal("the value itself")
		}
	}
	for tries = 0; d.Again(v); tries++ {
		v, _ = fits()
	}
	if tries > 100 {
		t.Errorf("%d tries", tries)
	}
	if d.Again("never given") {
		t.Error("tries again for what it did not give")
	}
}
