package mapping_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"crossdock/dsl/mapping"
	"crossdock/runtime/message"
)

// plainRows reads single fields in every way that can be taken together, with
// rows between them that cannot.
const plainRows = `
let: {first: .a}
fields:
  one: .a
  code: {from: .e, lookup: passing, default: X}
  two: {from: .b, default: 7}
  deep.a: .a.b
  deep.b: {from: .a.c, default: none, trim: true}
  deep.c: .b.a
  deep.d: {from: .a.b, required: true}
  deep.e.f: .c.a
  deep.e.g: .d.a
  deep.e.h: .e.a
  deep.e.i: .f.a
  deep.e.j: .g.a
  deep.e.k: {from: .c.b, default: null}
  four: {from: .z, default: null}
  sum: .a + .b
  three: .a.b.c
  list:
    each: .c
    fields: {x: .a, y: .a.b, z: {from: .b.a, default: 0}, v: {from: .c, max_length: 1}, at: $index}
  with: {from: .d, fields: {x: .a, y: .b.a}}`

// slow is o without what Ready found out.
func slow(o *mapping.Object) mapping.Object {
	out := mapping.Object{Fields: slices.Clone(o.Fields)}
	for i := range out.Fields {
		f := &out.Fields[i]
		if f.Nested != nil {
			nested := slow(f.Nested)
			f.Nested = &nested
			continue
		}
		row := *f.Row
		if row.Fields != nil {
			fields := slow(row.Fields)
			row.Fields = &fields
		}
		f.Row = &row
	}
	return out
}

// TestPlainRows compares rows taken together with the same rows one by one, for
// values and for errors.
func TestPlainRows(t *testing.T) {
	fast := load(t, plainRows)
	one := *fast
	one.Object = slow(&fast.Object)
	result := func(m *mapping.Mapping, in any) string {
		out, err := m.Apply(scope(in), in)
		if err != nil {
			return fmt.Sprintf("%+v", err.(*mapping.Error).Rows)
		}
		return string(message.Marshal(out))
	}
	written := func(m *mapping.Mapping, in any) string {
		out, err := m.Marshal(scope(in), in)
		if err != nil {
			return fmt.Sprintf("%+v", err.(*mapping.Error).Rows)
		}
		return string(out)
	}
	var failed, gave int
	check := func(t interface{ Fatalf(string, ...any) }, in any) {
		want := result(&one, in)
		if got := result(fast, in); got != want {
			t.Fatalf("%s gives\n%s\nand row by row\n%s", message.Marshal(in), got, want)
		}
		if got := written(fast, in); got != want {
			t.Fatalf("%s is written\n%s\nand gives\n%s", message.Marshal(in), got, want)
		}
		if strings.HasPrefix(want, "[") {
			failed++
		} else {
			gave++
		}
	}
	for _, in := range []string{`null`, `[]`, `"x"`, `1`, `{}`, `{"a":1}`, `{"a":{"b":1}}`, `{"a":{"b":1},"b":[]}`, `{"a":{"b":1},"c":{"a":2}}`,
		`{"a":{"b":"x","c":null},"b":{"a":false},"c":[{"a":1},{"a":{"b":2}},null,3]}`, `{"a":{"b":1},"d":{"b":2}}`,
		`{"a":{"b":{"c":1}}}`, `{"a":{"b":{"c":1},"c":"x"},"b":{"a":2},"d":{"a":3,"b":{}},"e":{"a":4},"f":{},"g":{"a":false}}`} {
		check(t, decode(t, in))
	}
	rapid.Check(t, func(rt *rapid.T) { check(rt, someValue(rt, 4)) })
	if failed == 0 || gave == 0 {
		t.Errorf("%d inputs failed and %d did not", failed, gave)
	}
}

func someValue(t *rapid.T, depth int) any {
	kinds := []string{"object", "object", "object", "list", "null", "text", "number", "false"}
	if depth == 0 {
		kinds = kinds[4:]
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "object":
		out := map[string]any{}
		for _, k := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			if rapid.IntRange(0, 2).Draw(t, k) > 0 {
				out[k] = someValue(t, depth-1)
			}
		}
		return out
	case "list":
		out := make([]any, rapid.IntRange(0, 3).Draw(t, "items"))
		for i := range out {
			out[i] = someValue(t, depth-1)
		}
		return out
	case "text":
		return rapid.SampledFrom([]string{"", "x", "xy"}).Draw(t, "text")
	case "number":
		return rapid.IntRange(-1, 2).Draw(t, "number")
	case "false":
		return false
	}
	return nil
}
