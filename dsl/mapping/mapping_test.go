package mapping_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
	"crossdock/runtime/catalog"
	"crossdock/runtime/message"
)

// load compiles rows, written as they stand below `mapping: m`.
func load(t testing.TB, rows string) *mapping.Mapping {
	t.Helper()
	fsys := fstest.MapFS{
		"m.mapping.yaml":       {Data: []byte("mapping: m\n" + rows + "\n")},
		"strict.lookup.yaml":   {Data: []byte("lookup: strict\non_miss: error\nrows: {01: GROUND, 02: EXPRESS}\n")},
		"passing.lookup.yaml":  {Data: []byte("lookup: passing\non_miss: pass\nignore_case: true\nrows: {ab: AB}\n")},
		"fallback.lookup.yaml": {Data: []byte("lookup: fallback\non_miss: default\ndefault: {type: none}\nrows: {1: {type: a, reason: b}, 2: {type: c}}\n")},
		"p.jq":                 {Data: []byte("{a: .a, root: $root.a, help: $help}\n")},
		"several.jq":           {Data: []byte(".a, .b\n")},
		"none.jq":              {Data: []byte("empty\n")},
	}
	ws, list, err := compile.Load(fsys, compile.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		t.Fatalf("%s\n%v %v", rows, err, list)
	}
	return ws.Mappings["m"].Mapping
}

func decode(t testing.TB, text string) any {
	t.Helper()
	v, err := message.Decode([]byte(text), message.Unlimited)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func scope(original any) *cell.Scope {
	return &cell.Scope{Ctx: context.Background(), Original: original, Meta: map[string]any{"source": "http"},
		Run: map[string]any{"now": "2026-01-15T12:00:00.000Z"}, Vars: map[string]any{"site": "CHI1"}, Steps: map[string]any{}}
}

// lines writes an error the way the tests compare it: field, code and message.
func lines(err error) string {
	var e *mapping.Error
	if !errors.As(err, &e) {
		return "not a mapping error: " + err.Error()
	}
	var out []string
	for _, r := range e.Rows {
		out = append(out, r.Field+" "+r.Code)
	}
	return strings.Join(out, "; ")
}

func TestApply(t *testing.T) {
	for _, c := range []struct{ name, rows, in, want, err string }{
		// Order of what a row does.
		{"path", "fields: {a: .x.y}", `{"x":{"y":1}}`, `{"a":1}`, ""},
		{"lookup", "fields: {a: {from: .c, lookup: strict}}", `{"c":"01"}`, `{"a":"GROUND"}`, ""},
		{"lookup trims the code", "fields: {a: {from: .c, lookup: strict}}", `{"c":" 02 "}`, `{"a":"EXPRESS"}`, ""},
		{"lookup of a number", "fields: {a: {from: .c, lookup: fallback.type}}", `{"c":1}`, `{"a":"a"}`, ""},
		{"lookup keeps the zero", "fields: {a: {from: .c, lookup: strict}}", `{"c":1}`, ``, "a lookup"},
		{"lookup of nothing is nothing", "fields: {a: {from: .c, lookup: strict}}", `{}`, `{}`, ""},
		{"lookup of nothing, then default", "fields: {a: {from: .c, lookup: strict, default: X}}", `{"c":null}`, `{"a":"X"}`, ""},
		{"a miss is no reason for the default of the row", "fields: {a: {from: .c, lookup: strict, default: X}}", `{"c":"99"}`, ``, "a lookup"},
		{"lookup passes", "fields: {a: {from: .c, lookup: passing}}", `{"c":"zz"}`, `{"a":"zz"}`, ""},
		{"lookup without case", "fields: {a: {from: .c, lookup: passing}}", `{"c":"aB"}`, `{"a":"AB"}`, ""},
		{"lookup default", "fields: {a: {from: .c, lookup: fallback.type}}", `{"c":"9"}`, `{"a":"none"}`, ""},
		{"a known code without the column", "fields: {a: {from: .c, lookup: fallback.reason}}", `{"c":"2"}`, `{}`, ""},
		{"then the default of the row", "fields: {a: {from: .c, lookup: fallback.reason, default: other}}", `{"c":"2"}`, `{"a":"other"}`, ""},
		{"lookup of a list", "fields: {a: {from: .c, lookup: strict}}", `{"c":["01"]}`, ``, "a lookup"},
		{"lookup, then type", "fields: {a: {from: .c, lookup: passing, type: integer}}", `{"c":"007"}`, `{"a":7}`, ""},
		{"default, then type", "fields: {a: {from: .c, default: 1, type: decimal(2)}}", `{}`, `{"a":1.00}`, ""},
		{"type, then trim, then max_length", "fields: {a: {from: .c, type: string, trim: true, max_length: 3}}", `{"c":"  abc  "}`, `{"a":"abc"}`, ""},
		{"too long", "fields: {a: {from: .c, max_length: 3}}", `{"c":"äöüß"}`, ``, "a too_long"},
		{"length counts characters", "fields: {a: {from: .c, max_length: 4}}", `{"c":"äöüß"}`, `{"a":"äöüß"}`, ""},
		{"trim, then required", "fields: {a: {from: .c, trim: true, required: true}}", `{"c":"   "}`, ``, "a required"},
		{"default satisfies required", "fields: {a: {from: .c, default: x, required: true}}", `{}`, `{"a":"x"}`, ""},
		// Defaults, missing and null.
		{"default never for false", "fields: {a: {from: .c, default: true}}", `{"c":false}`, `{"a":false}`, ""},
		{"default never for 0 and empty text", "fields: {a: {from: .c, default: 5}, b: {from: .d, default: x}}", `{"c":0,"d":""}`, `{"a":0,"b":""}`, ""},
		{"default for null", "fields: {a: {from: .c, default: 5}}", `{"c":null}`, `{"a":5}`, ""},
		{"a default of false", "fields: {a: {from: .c, type: boolean, default: false}}", `{}`, `{"a":false}`, ""},
		{"missing stays absent", "fields: {a: .c, b: .d}", `{"d":null}`, `{}`, ""},
		{"required false is there", "fields: {a: {from: .c, required: true}}", `{"c":false}`, `{"a":false}`, ""},
		{"required missing", "fields: {a: {from: .c, required: true}}", `{}`, ``, "a required"},
		{"required null", "fields: {a: {from: .c, required: true}}", `{"c":null}`, ``, "a required"},
		{"required empty text", "fields: {a: {from: .c, required: true}}", `{"c":""}`, ``, "a required"},
		{"no value at all", "fields: {a: {from: .c | select(. == 1), required: true}}", `{"c":2}`, ``, "a required"},
		{"const", "fields: {a: {const: 0123}, b: {const: 12}, c: {const: true}, d: {const: \"12\"}, e: {const: [1, {x: y}]}}", `{}`,
			`{"a":"0123","b":12,"c":true,"d":"12","e":[1,{"x":"y"}]}`, ""},
		{"const null is said on purpose", "fields: {a: {const: null}}", `{}`, `{"a":null}`, ""},
		{"several values", "fields: {a: '.c[]', b: .d}", `{"c":[1,2],"d":1}`, ``, "a several"},
		{"one value of a stream", "fields: {a: '.c[]'}", `{"c":[1]}`, `{"a":1}`, ""},
		{"a failing cell", "fields: {a: .c | tonumber}", `{"c":"x"}`, ``, "a jq"},
		// Conditions.
		{"when", "fields: {a: {from: .c, when: data.d == 1}, b: {const: 1, when: data.d == 2}}", `{"c":1,"d":1}`, `{"a":1}`, ""},
		{"when of a required row that is left out", "fields: {a: {from: .c, required: true, when: data.d == 1}}", `{}`, `{}`, ""},
		{"a failing when", "fields: {a: {from: .c, when: data.d > 1}}", `{"c":1,"d":"x"}`, ``, "a expr"},
		// Nesting.
		{"dotted targets", "fields: {a.b.c: .x, a.d: .y, a.b.e: .z}", `{"x":1,"y":2,"z":3}`, `{"a":{"b":{"c":1,"e":3},"d":2}}`, ""},
		{"dotted targets stay away when empty", "fields: {a.b.c: .x, a.d: .y}", `{"y":2}`, `{"a":{"d":2}}`, ""},
		{"nothing of it", "fields: {a.b.c: .x}", `{}`, `{}`, ""},
		{"fields without each", "fields: {a: {fields: {b: .x, c: .y}}}", `{"x":1}`, `{"a":{"b":1}}`, ""},
		{"fields of a part", "fields: {a: {from: .p, fields: {b: .x}}}", `{"p":{"x":1}}`, `{"a":{"b":1}}`, ""},
		{"fields of nothing", "fields: {a: {from: .p, fields: {b: {from: .x, required: true}}}}", `{}`, `{}`, ""},
		{"fields of nothing, required", "fields: {a: {from: .p, required: true, fields: {b: .x}}}", `{}`, ``, "a required"},
		{"fields that stay empty", "fields: {a: {fields: {b: .x}}}", `{}`, `{}`, ""},
		{"an error inside", "fields: {a: {fields: {b.c: {from: .x, required: true}}}}", `{}`, ``, "a.b.c required"},
		// Lists.
		{"each of an array", "fields: {a: {each: .l, fields: {x: .y}}}", `{"l":[{"y":1},{"y":2}]}`, `{"a":[{"x":1},{"x":2}]}`, ""},
		{"each of a stream", "fields: {a: {each: '.l[]', fields: {x: .y}}}", `{"l":[{"y":1},{"y":2}]}`, `{"a":[{"x":1},{"x":2}]}`, ""},
		{"each of one object", "fields: {a: {each: .l, fields: {x: .y}}}", `{"l":{"y":1}}`, `{"a":[{"x":1}]}`, ""},
		{"each of null", "fields: {a: {each: .l, fields: {x: .y}}}", `{"l":null}`, `{"a":[]}`, ""},
		{"each of nothing", "fields: {a: {each: '.l[]?', fields: {x: .y}}}", `{}`, `{"a":[]}`, ""},
		{"each of scalars", "fields: {a: {each: .l}}", `{"l":["a",1,false,0]}`, `{"a":["a",1,false,0]}`, ""},
		{"each of one scalar", "fields: {a: {each: .l}}", `{"l":"a"}`, `{"a":["a"]}`, ""},
		{"each of false", "fields: {a: {each: .l}}", `{"l":false}`, `{"a":[false]}`, ""},
		{"each of one page of several", "fields: {a: {each: '.p[]'}}", `{"p":[[1,2]]}`, `{"a":[1,2]}`, ""},
		{"each of two pages looks the same", "fields: {a: {each: '.p[]'}}", `{"p":[[1,2],[3]]}`, `{"a":[1,2,3]}`, ""},
		{"each of null among others", "fields: {a: {each: '.x, .y'}}", `{"y":1}`, `{"a":[1]}`, ""},
		{"each with from", "fields: {a: {each: .l, from: .u}}", `{"l":[{"u":"x"},{},{"u":"y"}]}`, `{"a":["x","y"]}`, ""},
		{"each with type", "fields: {a: {each: .l, type: integer}}", `{"l":["1","2"]}`, `{"a":[1,2]}`, ""},
		{"each with lookup", "fields: {a: {each: .l, lookup: strict}}", `{"l":["01","77"]}`, ``, "a[1] lookup"},
		{"each required", "fields: {a: {each: .l, required: true, fields: {x: .y}}}", `{"l":[]}`, ``, "a required"},
		{"each left out", "fields: {a: {each: .l, when: data.no == true}}", `{"l":[1]}`, `{}`, ""},
		{"an error in an item", "fields: {lines: {each: .l, fields: {quantity: {from: .q, type: decimal(3), required: true}}}}",
			`{"l":[{"q":1},{"q":"2.5"},{"q":"x"},{}]}`, ``, "lines[2].quantity parse; lines[3].quantity required"},
		{"lists in lists", "fields: {a: {each: .l, fields: {b: {each: .m, fields: {c: '\"\\($index):\\(.)\"'}}, i: $index}}}",
			`{"l":[{"m":[1,2]},{"m":[3]}]}`, `{"a":[{"b":[{"c":"0:1"},{"c":"1:2"}],"i":0},{"b":[{"c":"0:3"}],"i":1}]}`, ""},
		{"errors in lists of lists of the same name", "fields: {a: {each: .l, fields: {a: {each: .m, fields: {x.y: {from: .c, required: true}}}}}}",
			`{"l":[{"m":[{"c":1},{}]}]}`, ``, "a[0].a[1].x.y required"},
		{"a failing each inside a list of the same name", "fields: {a: {each: .l, fields: {a: {each: '.m | keys'}}}}",
			`{"l":[{"m":1}]}`, ``, "a[0].a jq"},
		{"root and index", "fields: {a: {each: .l, fields: {x: '\"\\($root.no)-\\($index + 1)\"'}}}", `{"no":"A","l":[{},{}]}`, `{"a":[{"x":"A-1"},{"x":"A-2"}]}`, ""},
		{"when sees the item", "fields: {a: {each: .l, fields: {x: {from: .y, when: data.y > 1}}}}", `{"l":[{"y":1},{"y":2}]}`, `{"a":[{},{"x":2}]}`, ""},
		// Helper values.
		{"let", "let:\n  s: first(.p[] | select(.r == 1))\n  n: $s.n\nfields: {a: $s.n, b: $n}", `{"p":[{"r":0},{"r":1,"n":"x"}]}`, `{"a":"x","b":"x"}`, ""},
		{"let without a value", "let: {s: .nope}\nfields: {a: $s.n, b: {from: $s, default: 1}}", `{}`, `{"b":1}`, ""},
		{"let with options", "let: {s: {from: .c, lookup: strict}}\nfields: {a: $s}", `{"c":"01"}`, `{"a":"GROUND"}`, ""},
		{"let that fails", "let: {s: .c | tonumber}\nfields: {a: $s}", `{"c":"x"}`, ``, "let s jq"},
		{"let in lists", "let: {s: .c}\nfields: {a: {each: .l, fields: {x: $s + .y}}}", `{"c":1,"l":[{"y":1}]}`, `{"a":[{"x":2}]}`, ""},
		// What a run knows.
		{"names", "fields: {a: $vars.site, b: $meta.source, c: $run.now, d: $original.z}", `{"z":1}`, `{"a":"CHI1","b":"http","c":"2026-01-15T12:00:00.000Z","d":1}`, ""},
		// Numbers stay what they are.
		{"exact numbers", "let: {l: .big}\nfields: {a: .money, b: .big, c: .zip, d: $l, e: {each: .list}, f: {const: 1.10}, g: {from: .none, default: 2.50}, h: {from: .money, type: string}, i: {from: .big, type: string}, j: {from: .money, type: decimal(2)}, k: {from: .exp}}",
			`{"money":1.10,"big":12345678901234567890,"zip":"01067","list":[1.10,0.30],"exp":1e2}`,
			`{"a":1.10,"b":12345678901234567890,"c":"01067","d":12345678901234567890,"e":[1.10,0.30],"f":1.10,"g":2.50,"h":"1.10","i":"12345678901234567890","j":1.10,"k":1e2}`, ""},
		{"types", "fields: {a: {from: .a, type: string}, b: {from: .b, type: integer}, c: {from: .c, type: boolean, true_values: [X, Y]}, d: {from: .d, type: boolean, true_values: [X]}, w: {from: .w, type: decimal(2), unit: lb -> kg}}",
			`{"a":1067,"b":"12","c":"X","d":"n","w":10}`, `{"a":"1067","b":12,"c":true,"d":false,"w":4.54}`, ""},
		{"dates", "fields: {a: {from: .a, type: date, parse: yyyyMMdd}, b: {from: .b, type: datetime, parse: dd.MM.yyyy HH:mm, zone: Europe/Berlin}, c: {from: .c, type: datetime}}",
			`{"a":20260516,"b":"16.05.2026 08:00","c":"2026-05-16T08:00:00+02:00"}`, `{"a":"2026-05-16","b":"2026-05-16T08:00:00+02:00","c":"2026-05-16T08:00:00+02:00"}`, ""},
		{"numbers as people write them", "let: {n: {from: .b, type: number, parse: \"1 234,56\"}}\nfields: {a: {from: .a, type: decimal(2), parse: \"1.234,56\", format: \"1,234.56-\"}, b: {from: $n + 1}, c: {from: .c, type: integer, parse: \"1.234\"}, d: {each: .d, from: ., type: number, parse: \"1234,56\"}}",
			`{"a":"-1.234,5","b":"1 234,5","c":"12.000","d":["1,50",2.50]}`, `{"a":"1,234.50-","b":1235.5,"c":12000,"d":[1.50,2.50]}`, ""},
		{"another notation", "fields: {a: {from: .a, type: decimal(2), parse: \"1.234,56\"}, b: {from: .b, type: number}}", `{"a":"12.50","b":"12,50"}`, ``, "a parse; b parse"},
		{"a time without zone", "fields: {a: {from: .a, type: datetime}}", `{"a":"2026-05-16T08:00:00"}`, ``, "a zone"},
		// Programs.
		{"program", "let: {help: .b}\nprogram: p.jq", `{"a":1.10,"b":2}`, `{"a":1.10,"help":2,"root":1.10}`, ""},
		{"program with several values", "program: several.jq", `{"a":1,"b":2}`, ``, "program several"},
		{"program without a value", "program: none.jq", `{"a":1}`, ``, "program jq"},
		// All that is wrong, in the order of the file.
		{"all errors", "fields: \n  z: {from: .a, required: true}\n  a: .b | tonumber\n  m: {from: .c, lookup: strict}\n  n.k: {from: .a, required: true}", `{"b":"x","c":"9"}`, ``,
			"z required; a jq; m lookup; n.k required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := load(t, c.rows)
			in := decode(t, c.in)
			out, err := m.Apply(scope(in), in)
			written, writeErr := m.Marshal(scope(in), in)
			if fmt.Sprint(err) != fmt.Sprint(writeErr) || err == nil && string(written) != string(message.Marshal(out)) {
				t.Errorf("Marshal gives %s %v, Apply %s %v", written, writeErr, message.Marshal(out), err)
			}
			switch {
			case err != nil && c.err == "":
				t.Fatalf("failed: %v", err)
			case err != nil:
				if got := lines(err); got != c.err {
					t.Errorf("errors\n got %s\nwant %s", got, c.err)
				}
				return
			case c.err != "":
				t.Fatalf("gave %s, want the error %s", message.Marshal(out), c.err)
			}
			if got := string(message.Marshal(out)); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
			if got := string(message.Marshal(in)); got != string(message.Marshal(decode(t, c.in))) {
				t.Errorf("the input changed: %s", got)
			}
			agree(t, m, in, out)
		})
	}
}

// agree checks that Rows gives what Apply gave.
func agree(t *testing.T, m *mapping.Mapping, in, out any) {
	t.Helper()
	if m.Program != nil {
		return
	}
	rows, err := m.Rows(scope(in), in)
	if err != nil {
		t.Fatal(err)
	}
	built := map[string]any{}
	for _, r := range rows {
		if len(r.Errors) > 0 {
			t.Errorf("Rows found an error where Apply found none: %v", r.Errors)
		}
		if !r.Given {
			continue
		}
		at := built
		parts := strings.Split(r.Target, ".")
		for _, p := range parts[:len(parts)-1] {
			if at[p] == nil {
				at[p] = map[string]any{}
			}
			at = at[p].(map[string]any)
		}
		at[parts[len(parts)-1]] = r.Value
	}
	if got, want := string(message.Marshal(built)), string(message.Marshal(out)); got != want {
		t.Errorf("Rows gives\n%s, Apply\n%s", got, want)
	}
}

// TestRowsOfErrors: one failing row does not keep Rows from showing the others.
func TestRowsOfErrors(t *testing.T) {
	m := load(t, "fields: {a: .x | tonumber, b: .y, c: {from: .z, required: true}}")
	in := decode(t, `{"x":"n","y":1}`)
	rows, err := m.Rows(scope(in), in)
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	if len(rows[0].Errors) != 1 || rows[0].Errors[0].Code != "jq" || !rows[1].Given || len(rows[1].Errors) != 0 || len(rows[2].Errors) != 1 {
		t.Errorf("%+v", rows)
	}
	_, err = m.Apply(scope(in), in)
	if got := lines(err); got != "a jq; c required" {
		t.Error(got)
	}
}

func TestErrorWords(t *testing.T) {
	m := load(t, "fields:\n  a: '.l[]'\n  b: {from: .b, required: true}")
	in := decode(t, `{"l":[1,2]}`)
	_, err := m.Apply(scope(in), in)
	var e *mapping.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	if want := "mapping m, row a: gives several values, the first two are 1 and 2 (and 1 more)"; err.Error() != want {
		t.Errorf("got %q", err)
	}
	if h := e.Rows[0].Hint; !strings.Contains(h, "first(") || !strings.Contains(h, "[") {
		t.Errorf("the hint does not tell what to type: %q", h)
	}
	if at := e.Rows[0].Span.String(); at != "m.mapping.yaml:3:6" {
		t.Errorf("place %s", at)
	}
}

// TestLimits: cells that would take all time or memory end as errors of their
// row, and the other rows still speak.
func TestLimits(t *testing.T) {
	for _, cell := range []string{
		`last(range(1e12))`, `"[range(1e12)]"`, `'reduce range(100) as $i ("ab"; . + .)'`,
		`{each: range(1e12)}`, `{from: .a, when: "len(1..100000000) > 0"}`,
	} {
		m := load(t, "fields:\n  a: "+cell+"\n  b: {from: .none, required: true}")
		in := decode(t, `{"a":1}`)
		s := scope(in)
		s.Time, s.Bytes = 50e6, 8<<20
		_, err := m.Apply(s, in)
		if err == nil {
			t.Errorf("%s: no error", cell)
			continue
		}
		if got := lines(err); got != "a limit; b required" && !(strings.Contains(cell, "when") && strings.HasPrefix(got, "a expr")) {
			t.Errorf("%s: %s (%v)", cell, got, err)
		}
	}
}

// TestManyErrors: the number of reported rows is bounded.
func TestManyErrors(t *testing.T) {
	m := load(t, "fields: {a: {each: .l, fields: {x: {from: .y, required: true}}}}")
	in := decode(t, "["+strings.Repeat("{},", 9999)+"{}]")
	_, err := m.Apply(scope(in), map[string]any{"l": in})
	var e *mapping.Error
	if !errors.As(err, &e) || len(e.Rows) > 20 {
		t.Fatalf("%d rows reported", len(e.Rows))
	}
}

func TestConcurrent(t *testing.T) {
	m := load(t, "let: {s: .no}\nfields: {no: $s, lines: {each: .l, fields: {i: $index, x: '\"\\($root.no)\\(.y)\"', c: {from: .c, lookup: strict, default: none}}}}")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			in := decode(t, strings.ReplaceAll(`{"no":"@","l":[{"y":1,"c":"01"},{"y":2}]}`, "@", string(rune('a'+i))))
			want := strings.ReplaceAll(`{"lines":[{"c":"GROUND","i":0,"x":"@1"},{"c":"none","i":1,"x":"@2"}],"no":"@"}`, "@", string(rune('a'+i)))
			for range 200 {
				out, err := m.Apply(scope(in), in)
				if err != nil || string(message.Marshal(out)) != want {
					t.Errorf("%s %v", message.Marshal(out), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestDefaultNull writes null where there is no value, and only there.
func TestDefaultNull(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                           `{"a":null,"at":{"b":null},"list":[]}`,
		`{"a":0,"b":"x","l":[{}]}`:     `{"a":0,"at":{"b":"x"},"list":[{"c":null}]}`,
		`{"a":null,"l":[{"c":false}]}`: `{"a":null,"at":{"b":null},"list":[{"c":false}]}`,
	} {
		m := load(t, "fields:\n  a: {from: .a, default: null}\n  at.b: {from: .b, trim: true, default: null}\n  list: {each: .l, fields: {c: {from: .c, default: null}}}")
		body := decode(t, in)
		out, err := m.Apply(scope(body), body)
		if got := string(message.Marshal(out)); err != nil || got != want {
			t.Errorf("%s gives %s, %v; want %s", in, got, err, want)
		}
	}
}
