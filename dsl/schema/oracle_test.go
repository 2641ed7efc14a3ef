package schema

import (
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"crossdock/dsl/value"
)

// The JSON Schema that a `fields:` schema exports must accept exactly what the
// schema itself accepts.
func TestExportedSchemaAgrees(t *testing.T) {
	for name, src := range map[string]string{"open": event, "closed": "\nschema: x@1\nclosed: true" + event[len("\nschema: canonical/delivery-event@1"):]} {
		t.Run(name, func(t *testing.T) {
			s := must(t, src)
			c := jsonschema.NewCompiler()
			c.AssertFormat()
			for _, f := range []struct {
				name string
				base value.Base
			}{{"date-time", value.DateTime}, {"date", value.Date}, {"uri", value.URL}} {
				conv, err := value.NewConverter(value.Type{Base: f.base}, value.Options{})
				if err != nil {
					t.Fatal(err)
				}
				c.RegisterFormat(&jsonschema.Format{Name: f.name, Validate: func(v any) error {
					if text, ok := v.(string); ok && f.base == value.Date && len(text) != 10 {
						return conv.Check("")
					} else if ok {
						return conv.Check(v)
					}
					return nil
				}})
			}
			exported, err := json.Marshal(s.Document())
			if err != nil {
				t.Fatal(err)
			}
			if err := c.AddResource("x.json", decoded(t, string(exported))); err != nil {
				t.Fatal(err)
			}
			oracle, err := c.Compile("x.json")
			if err != nil {
				t.Fatal(err)
			}
			rapid.Check(t, func(t *rapid.T) {
				v := mutate(t, decode2(valid), 3)
				got, want := s.Validate(v), oracle.Validate(v)
				if (len(got) == 0) != (want == nil) {
					text, _ := json.Marshal(v)
					t.Fatalf("%s\nours: %v\nJSON Schema: %v", text, got, want)
				}
			})
		})
	}
}

func decode2(s string) any {
	v, err := decode([]byte(s))
	if err != nil {
		panic(err)
	}
	return v
}

// mutate changes a value at random places.
func mutate(t *rapid.T, v any, times int) any {
	for range rapid.IntRange(0, times).Draw(t, "times") {
		v = mutateOnce(t, v)
	}
	return v
}

func mutateOnce(t *rapid.T, v any) any {
	switch x := v.(type) {
	case map[string]any:
		if len(x) > 0 && rapid.IntRange(0, 9).Draw(t, "here") > 0 {
			var names []string
			for _, n := range []string{"type", "order_no", "occurred_at", "attempt", "weight", "recipient", "name", "consignee", "postal_code", "pod", "photo_urls", "lines", "sku", "tags", "day", "at", "extra", "free", "unlisted"} {
				if _, ok := x[n]; ok {
					names = append(names, n)
				}
			}
			if len(names) > 0 {
				n := rapid.SampledFrom(names).Draw(t, "name")
				switch rapid.IntRange(0, 9).Draw(t, "what") {
				case 0:
					delete(x, n)
				case 1:
					x["added"] = atom(t)
				default:
					x[n] = mutateOnce(t, x[n])
				}
				return x
			}
		}
	case []any:
		if len(x) > 0 && rapid.IntRange(0, 3).Draw(t, "here") > 0 {
			i := rapid.IntRange(0, len(x)-1).Draw(t, "item")
			x[i] = mutateOnce(t, x[i])
			return x
		}
		return append(x, atom(t))
	}
	return atom(t)
}

func atom(t *rapid.T) any {
	return rapid.SampledFrom([]any{nil, true, "", "SO-9", "delivery.completed", "2026-05-16", "2026-02-30", "2026-05-16T00:00:00Z", "16:00", "16:00:61", "24:00", "https://example.com", "a string of many characters",
		json.Number("1"), json.Number("1.0"), json.Number("1.5"), json.Number("9.00"), json.Number("0.001"), json.Number("-3"), json.Number("12345678901234567890"), json.Number("1.10"), json.Number("1e2"),
		[]any{}, []any{"x"}, map[string]any{}, map[string]any{"name": "x"}, map[string]any{"sku": "A"}}).Draw(t, "atom")
}

func FuzzFields(f *testing.F) {
	f.Add("a", "string", `{"a":1}`)
	f.Add("a[].b", "decimal(2)", `{"a":[{"b":1.234}]}`)
	f.Add("a.b", "list(date)", `{"a":{"b":["x"]}}`)
	f.Fuzz(func(t *testing.T, name, typ, doc string) {
		s, l := buildPair(name, typ)
		if s == nil {
			if len(l) == 0 {
				t.Fatal("no schema and no finding")
			}
			return
		}
		for _, field := range s.Fields() {
			if _, ok := s.Lookup(Split(field.Path)); !ok {
				t.Fatalf("%q: field %q is not found", name, field.Path)
			}
		}
		if v, err := decode([]byte(doc)); err == nil {
			s.Validate(v)
		}
	})
}
