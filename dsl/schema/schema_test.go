package schema

import (
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/value"
)

// build reads a schema as it stands in a file.
func build(t testing.TB, src string) (*Schema, diag.List) {
	t.Helper()
	file, l := parser.Parse("x.schema.yaml", []byte(src))
	if l.HasErrors() {
		t.Fatal(l)
	}
	name, closed := file.Root.Get("schema"), file.Root.Get("closed")
	s := Build(Source{Name: name.Text, Closed: closed != nil && closed.Text == "true", Fields: file.Root.Get("fields"), Span: file.Root.Span}, &l)
	return s, l
}

func must(t testing.TB, src string) *Schema {
	t.Helper()
	s, l := build(t, src)
	if len(l) > 0 {
		t.Fatal(l)
	}
	return s
}

func decoded(t testing.TB, s string) any {
	t.Helper()
	v, err := decode([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const event = `
schema: canonical/delivery-event@1
fields:
  type: {type: choice, required: true, options: [delivery.completed, delivery.failed]}
  order_no: {type: string, required: true, pattern: "^SO-"}
  occurred_at: {type: datetime, required: true}
  attempt: {type: integer, min: 1, max: 9}
  weight: {type: decimal(2)}
  recipient.name: {type: string, pii: true, max_length: 10}
  consignee.postal_code: {type: string, required: true}
  pod.photo_urls[]: {type: url, max_items: 2}
  lines[].sku: {type: string, required: true}
  lines[].tags: list(string)
  day: date
  at: time
  extra: object
  free:
`

const valid = `{"type":"delivery.failed","order_no":"SO-1","occurred_at":"2026-05-16T14:30:00+02:00","consignee":{"postal_code":"01067"},
  "attempt":2,"weight":1.50,"recipient":{"name":null},"pod":{"photo_urls":["https://x.example/1"]},"lines":[{"sku":"A","tags":["x"]}],
  "day":"2026-05-16","at":"16:00","extra":{"a":1},"free":[1],"unlisted":true}`

func TestValidate(t *testing.T) {
	s := must(t, event)
	if got := s.Validate(decoded(t, valid)); len(got) > 0 {
		t.Fatalf("a valid value: %v", got)
	}
	for _, c := range []struct{ set, to, code, message string }{
		{"type", `"delivered"`, "option", `type: expected one of delivery.completed, delivery.failed, found the text "delivered"`},
		{"type", `null`, "type", "type: expected text, found null"},
		{"order_no", `"X1"`, "pattern", `order_no: expected text like ^SO-, found the text "X1"`},
		{"order_no", `5`, "type", "order_no: expected text, found the number 5"},
		{"occurred_at", `"2026-05-16T14:30:00"`, "format", `occurred_at: "2026-05-16T14:30:00" says no zone`},
		{"occurred_at", `"2026-02-30T14:30:00Z"`, "format", `occurred_at: "2026-02-30T14:30:00Z": there is no such day`},
		{"attempt", `0`, "range", "attempt: expected at least 1, found the number 0"},
		{"attempt", `10`, "range", "attempt: expected at most 9, found the number 10"},
		{"attempt", `1.5`, "type", "attempt: expected a whole number, found the number 1.5"},
		{"attempt", `"1"`, "type", `attempt: expected a whole number, found the text "1"`},
		{"weight", `1.505`, "type", "weight: expected a number with at most 2 digits after the point, found the number 1.505"},
		{"weight", `1e99999`, "range", "weight: expected a number of at most 1000 digits, found the number 1e99999"},
		{"recipient", `{"name":"Maximilian Mustermann"}`, "length", "recipient.name: expected at most 10 characters, found text (hidden)"},
		{"recipient", `{"name":7}`, "type", "recipient.name: expected text, found number (hidden)"},
		{"recipient", `[]`, "type", "recipient: expected an object, found a list"},
		{"consignee", `{}`, "required", "consignee.postal_code is missing"},
		{"pod", `{"photo_urls":["ftp://x"]}`, "format", `pod.photo_urls[0]: "ftp://x" is not an absolute http or https address`},
		{"pod", `{"photo_urls":["https://a.b","https://a.b","https://a.b"]}`, "items", "pod.photo_urls: expected at most 2 items, found 3"},
		{"lines", `[{"sku":"A"},{}]`, "required", "lines[1].sku is missing"},
		{"lines", `[{"sku":"A","tags":["x",1]}]`, "type", "lines[0].tags[1]: expected text, found the number 1"},
		{"lines", `[null]`, "type", "lines[0]: expected an object, found null"},
		{"day", `"2026-05-16T00:00:00"`, "format", "day: expected a date as 2026-05-16"},
		{"at", `"25:00"`, "format", "at: "},
		{"extra", `"x"`, "type", "extra: expected an object"},
	} {
		v := decoded(t, valid).(map[string]any)
		v[c.set] = decoded(t, c.to)
		got := s.Validate(v)
		if len(got) != 1 || got[0].Code != c.code || !strings.HasPrefix(got[0].Message, c.message) {
			t.Errorf("%s = %s: %+v, want %s: %s", c.set, c.to, got, c.code, c.message)
		}
	}
	v := decoded(t, valid).(map[string]any)
	delete(v, "consignee")
	if got := s.Validate(v); len(got) != 1 || got[0].Message != "consignee is missing" {
		t.Errorf("without consignee: %v", got)
	}
	if got := s.Validate("x"); len(got) != 1 || got[0].Message != `the value: expected an object, found the text "x"` {
		t.Errorf("a text: %v", got)
	}
}

func TestClosed(t *testing.T) {
	s := must(t, "schema: a@3\nclosed: true\nfields:\n  order: {type: string}\n  a.b: integer\n  free: object\n")
	if s.Major != 3 || !s.Closed {
		t.Errorf("major %d, closed %v", s.Major, s.Closed)
	}
	got := s.Validate(decoded(t, `{"ordr":"x","a":{"zzz":1},"free":{"z":1}}`))
	if len(got) != 2 || got[0].Message != "a.zzz is not a field of the schema" || got[1].Message != "ordr is not a field of the schema, did you mean `order`?" {
		t.Errorf("%+v", got)
	}
}

func TestLookup(t *testing.T) {
	s := must(t, event)
	for _, c := range []struct {
		path     string
		ok       bool
		typ      string
		optional bool
		pii      bool
	}{
		{"type", true, "choice", false, false}, {"attempt", true, "integer", true, false}, {"recipient.name", true, "string", true, true},
		{"consignee.postal_code", true, "string", false, false}, {"lines", true, "list", true, false}, {"lines[]", true, "object", true, false},
		{"lines[].sku", true, "string", true, false}, {"lines[].tags[]", true, "string", true, false}, {"pod.photo_urls[]", true, "url", true, false},
		{"extra.anything.below", true, "any", true, false}, {"free", true, "any", true, false},
		{"nosuch", false, "", false, false}, {"lines.sku", false, "", false, false}, {"lines[].nosuch", false, "", false, false}, {"type.x", false, "", false, false}, {"type[]", false, "", false, false},
	} {
		f, ok := s.Lookup(Split(c.path))
		if ok != c.ok {
			t.Errorf("%s: found %v", c.path, ok)
			continue
		}
		if !ok {
			continue
		}
		typ := "any"
		if f.Shape != nil {
			typ = f.Shape.Type.String()
		}
		if typ != c.typ || f.Optional != c.optional || f.PII != c.pii || f.Path != c.path {
			t.Errorf("%s: %s optional=%v pii=%v path=%s", c.path, typ, f.Optional, f.PII, f.Path)
		}
	}
	if got := s.Children([]string{"lines"}); !slices.Equal(got, []string{"sku", "tags"}) {
		t.Errorf("children of lines: %v", got)
	}
	var all []string
	for _, f := range s.Fields() {
		all = append(all, f.Path)
	}
	want := "type order_no occurred_at attempt weight recipient recipient.name consignee consignee.postal_code pod pod.photo_urls pod.photo_urls[] lines lines[].sku lines[].tags lines[].tags[] day at extra free"
	if got := strings.Join(all, " "); got != want {
		t.Errorf("fields: %s", got)
	}
	if span, ok := s.Span([]string{"attempt"}); !ok || span.Start != (diag.Point{Line: 7, Col: 3}) {
		t.Errorf("span of attempt: %v %v", span, ok)
	}
}

func TestDefinitionErrors(t *testing.T) {
	for _, c := range []struct{ fields, at, message string }{
		{"a: {typ: string}", "4:7", "unknown key `typ`"},
		{"a: {type: text}", "4:13", `unknown type "text"`},
		{"a: text", "4:6", `unknown type "text"`},
		{"a: {required: yes}", "4:17", `expected true or false, found "yes"`},
		{"a: {type: choice}", "4:6", "a choice needs its options"},
		{"a: {type: choice, options: [x, x]}", "4:34", `option "x" is listed twice`},
		{"a: {type: integer, options: [x]}", "4:31", "options have no meaning for type integer"},
		{"a: {type: string, min: 3}", "4:21", "min is a bound of numbers"},
		{"a: {type: integer, min: x}", "4:27", `min must be a number, found "x"`},
		{"a: {type: integer, min: 5, max: 4}", "4:35", "min is larger than max"},
		{"a: {type: integer, pattern: x}", "4:22", "pattern has no meaning for type integer"},
		{"a: {type: string, pattern: \"(\"}", "4:30", "the pattern is not a regular expression"},
		{"a: {type: string, pattern: \"(?=x)\"}", "4:30", "the pattern is not a regular expression"},
		{"a: {max_length: -1}", "4:19", "max_length must be a whole number"},
		{"a: string\n  a.b: string", "4:3", "field a is of type string and cannot have fields"},
		{"a.b: string\n  a.b: integer", "", ""},
		{"a: string\n  a[]: string", "5:3", "field a is described twice"},
		{"a..b: string", "4:3", `"a..b" is not a field name`},
		{"a[0].b: string", "4:3", `"a[0].b" is not a field name`},
		{"a" + strings.Repeat("[]", 40) + ": string", "4:3", "is nested more than 32 deep"},
		{"a: [string]", "4:6", "field a is described by a list"},
		{"a: {type: string, max_items: 3}", "4:3", "min_items and max_items have no meaning for type string"},
	} {
		if c.at == "" {
			continue // YAML itself refuses the same key twice
		}
		s, l := build(t, "schema: x@1\nclosed: false\nfields:\n  "+c.fields+"\n")
		if s != nil || len(l) == 0 {
			t.Errorf("%s: no finding", c.fields)
			continue
		}
		if at := strings.TrimPrefix(l[0].Span.String(), "x.schema.yaml:"); at != c.at || !strings.Contains(l[0].Message, c.message) {
			t.Errorf("%s: %s %s; want %s %s", c.fields, at, l[0].Message, c.at, c.message)
		}
	}
	var l diag.List
	if s := Build(Source{Name: "x@1", Fields: &ast.Node{Kind: ast.List}}, &l); s != nil || len(l) != 1 {
		t.Errorf("a list of fields: %v %v", s, l)
	}
	l = nil
	if s := Build(Source{Name: "x@1"}, &l); s != nil || len(l) != 1 {
		t.Errorf("no fields: %v %v", s, l)
	}
}

func TestPIIIsHiddenBelow(t *testing.T) {
	s := must(t, "schema: x@1\nfields:\n  person: {type: object, pii: true}\n  person.age: integer\n  person.tags[]: string\n")
	for _, v := range s.Validate(decoded(t, `{"person":{"age":"secret","tags":["ok",true]}}`)) {
		if strings.Contains(v.Message, "secret") || !strings.Contains(v.Message, "(hidden)") {
			t.Errorf("shown: %s", v.Message)
		}
	}
}

const jsonSchema = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object", "required": ["id", "lines"],
  "properties": {
    "id": {"type": "string", "minLength": 2},
    "amount": {"type": "number", "minimum": 0.1},
    "when": {"type": ["string", "null"], "format": "date-time"},
    "status": {"enum": ["A", "B"]},
    "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
    "parent": {"$ref": "#"},
    "map": {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}},
    "either": {"anyOf": [{"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}, {"type": "string"}]}
  },
  "allOf": [{"properties": {"extra": {"type": "boolean"}}, "required": ["extra"]}],
  "$defs": {"line": {"type": "object", "additionalProperties": false, "required": ["sku"], "properties": {"sku": {"type": "string"}, "sub": {"$ref": "#/$defs/line"}}}}
}`

func TestJSONSchema(t *testing.T) {
	var l diag.List
	s := Build(Source{Name: "x@1", JSON: []byte(jsonSchema), File: "x.json"}, &l)
	if s == nil {
		t.Fatal(l)
	}
	for _, c := range []struct {
		path     string
		ok       bool
		typ      string
		optional bool
	}{
		{"id", true, "string", false}, {"amount", true, "number", true}, {"when", true, "datetime", true}, {"lines", true, "list", false},
		{"lines[].sku", true, "string", false}, {"lines[].sub.sub.sku", true, "string", true}, {"parent.parent.id", true, "string", true},
		{"extra", true, "boolean", false}, {"either.x", true, "integer", true}, {"lines[].nosuch", false, "", false}, {"nosuch", false, "", false},
		{"map.a", true, "string", true},
	} {
		f, ok := s.Lookup(Split(c.path))
		if ok != c.ok || ok && (f.Shape.Type.String() != c.typ || f.Optional != c.optional) {
			t.Errorf("%s: %v %+v", c.path, ok, f)
		}
	}
	if f, ok := s.Lookup(Split("map.other")); !ok || f.Shape != nil {
		t.Errorf("another field of a map: %v %+v", ok, f)
	}
	if fields := s.Fields(); len(fields) < 10 || len(fields) > 2000 {
		t.Errorf("%d fields", len(fields))
	}
	if got := s.Validate(decoded(t, `{"id":"ab","lines":[],"extra":true,"amount":0.1,"when":null}`)); len(got) > 0 {
		t.Errorf("valid: %v", got)
	}
	got := s.Validate(decoded(t, `{"id":"a","lines":[{"sku":1,"q":2}],"amount":0.09999999999999999999,"status":"C","parent":{"id":"ab"},"either":{"x":"1"}}`))
	var lines []string
	for _, v := range got {
		lines = append(lines, v.Code+" "+v.Message)
	}
	want := []string{
		"range amount: expected at least 0.1, found the number 0.09999999999999999999",
		"type either.x: expected a whole number, found the text \"1\"",
		"required extra is missing",
		"length id: expected at least 2 characters, found the text \"a\"",
		"unknown_field lines[0].q is not a field of the schema",
		"type lines[0].sku: expected text, found the number 1",
		"required parent.extra is missing",
		"required parent.lines is missing",
		"option status: expected one of A, B, found the text \"C\"",
	}
	slices.Sort(lines)
	slices.Sort(want)
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if got := s.Validate(map[string]any{"amount": json.Number("1e999999999")}); len(got) != 1 || got[0].Code != "range" {
		t.Errorf("a number of a billion digits: %v", got)
	}
}

func TestJSONSchemaErrors(t *testing.T) {
	for _, c := range []struct{ src, message string }{
		{`{"type": "strin"}`, "not a valid JSON Schema"},
		{`{"$ref": "https://example.com/other.json"}`, "other files and addresses are never loaded"},
		{`{"$ref": "file:///etc/passwd"}`, "never loaded"},
		{`{"$ref": "#/$defs/nosuch"}`, "not a valid JSON Schema"},
		{`{"pattern": "("}`, "not a valid JSON Schema"},
		{`{"type": `, "is not JSON"},
		{`{} {}`, "is not JSON"},
	} {
		var l diag.List
		if s := Build(Source{Name: "x@1", JSON: []byte(c.src), File: "x.json"}, &l); s != nil || len(l) != 1 || !strings.Contains(l[0].Message, c.message) {
			t.Errorf("%s: %v", c.src, l)
		} else {
			t.Log(l[0].Message)
		}
	}
}

func TestForeignPatternsAreNotChecked(t *testing.T) {
	var l diag.List
	s := Build(Source{Name: "x@1", JSON: []byte(`{"$id": "#/components/x", "properties": {"a": {"pattern": "^(?!x)"}, "b": {"pattern": "^y"}}}`), File: "x.json"}, &l)
	if s == nil || len(l) != 1 || l[0].Severity != diag.Warning || !strings.Contains(l[0].Message, "is not checked: ^(?!x)") {
		t.Fatal(s, l)
	}
	if got := s.Validate(decoded(t, `{"a":"x","b":"x"}`)); len(got) != 1 || got[0].Path != "b" {
		t.Error(got)
	}
}

func TestKeywordsInWords(t *testing.T) {
	for _, c := range []struct{ schema, doc, code, message string }{
		{`{"maximum": 5.5}`, `6`, "range", "the value: expected at most 5.5, found the number 6"},
		{`{"exclusiveMaximum": 5}`, `5`, "range", "the value: expected less than 5, found the number 5"},
		{`{"exclusiveMinimum": 5}`, `5`, "range", "the value: expected more than 5, found the number 5"},
		{`{"multipleOf": 0.01}`, `0.005`, "range", "the value: expected a multiple of 0.01, found the number 0.005"},
		{`{"const": "A"}`, `"B"`, "option", "the value: expected A, found the text \"B\""},
		{`{"enum": [1, null, {"a": 1}]}`, `2`, "option", "the value: expected one of 1, an object, found the number 2"},
		{`{"uniqueItems": true}`, `[1, 1.0]`, "items", "the value: expected items that differ (those at 0 and 1 are equal), found a list"},
		{`{"minItems": 2}`, `[1]`, "items", "the value: expected at least 2 items, found a list"},
		{`{"maxItems": 1}`, `[1, 2]`, "items", "the value: expected at most 1 items, found a list"},
		{`{"maxLength": 1}`, `"éé"`, "length", "the value: expected at most 1 characters, found the text \"éé\""},
		{`{"pattern": "^a$"}`, `"b"`, "pattern", "the value: expected text like ^a$, found the text \"b\""},
		{`{"properties": {"a": false}}`, `{"a": 1}`, "unknown_field", "a is not a field of the schema"},
		{`{"anyOf": [{"type": "null"}, {"type": "object"}, {"type": ["string", "null"]}]}`, `5`, "type", "the value: expected null or an object or text, found the number 5"},
		{`{"anyOf": [{"type": "null"}, {"enum": ["A"]}]}`, `"B"`, "option", "the value: expected one of A, found the text \"B\""},
		{`{"anyOf": [{"type": "null"}, {"properties": {"a": {"type": "string"}}}]}`, `{"a": 1}`, "type", "a: expected text, found the number 1"},
		{`{"minProperties": 1}`, `{}`, "schema", "the value: expected what `minProperties` of the schema asks for, found an object"},
		{`{"not": {"type": "string"}}`, `"x"`, "schema", "the value: expected a value that `not` of the schema does not exclude, found the text \"x\""},
		{`{"oneOf": [{"type": "string"}, {"minLength": 1}]}`, `"x"`, "schema", "the value: expected a value that fits exactly one of the alternatives in `oneOf`, found the text \"x\""},
		{`{"type": ["integer", "null"]}`, `"x"`, "type", "the value: expected null or a whole number, found the text \"x\""},
		{`{"if": {"properties": {"s": {"const": "F"}}, "required": ["s"]}, "then": {"required": ["r"]}}`, `{"s": "F"}`, "required", "r is missing: it is required when s is F"},
		{`{"dependentRequired": {"country": ["customs"]}}`, `{"country": "CH"}`, "required", "customs is missing: it is required when country is present"},
		{`{"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"country": ["customs"]}}`, `{"country": "CH"}`, "required", "customs is missing: it is required when country is present"},
		{`{"dependentSchemas": {"country": {"properties": {"customs": {"type": "string"}}}}}`, `{"country": "CH", "customs": 1}`, "type", "customs: expected text when country is present, found the number 1"},
		{`{"items": {"dependentRequired": {"a/b": ["c"]}}}`, `[{}, {"a/b": 1}]`, "required", "[1].c is missing: it is required when [1].a/b is present"},
		{`{"if": {"properties": {"s": {"const": "F"}}}, "then": {"required": ["r"]}}`, `{}`, "required", "r is missing: it is required when s is F or missing"},
		{`{"if": {"properties": {"s": {"enum": ["F", "G"]}}, "required": ["s"]}, "else": {"required": ["r"]}}`, `{"s": "H"}`, "required", "r is missing: it is required unless s is one of F, G"},
		{`{"if": {"required": ["s"]}, "then": {"properties": {"r": false}}}`, `{"s": 1, "r": 1}`, "unknown_field", "r must not be there when s is present"},
		{`{"if": {"not": {"required": ["s"]}}, "then": {"required": ["r"]}}`, `{}`, "required", "r is missing: it is required when s is missing"},
		{`{"properties": {"o": {"if": {"properties": {"a": {"properties": {"country": {"const": "US"}}, "required": ["country"]}}, "required": ["a"]}, "then": {"properties": {"a": {"required": ["zip"]}}}}}}`,
			`{"o": {"a": {"country": "US"}}}`, "required", "o.a.zip is missing: it is required when o.a.country is US"},
		{`{"allOf": [{"if": {"properties": {"s": {"const": 1}, "t": {"minimum": 5}}, "required": ["s", "t"]}, "then": {"$ref": "#/$defs/r"}}], "$defs": {"r": {"properties": {"r": {"pattern": "^a$"}}}}}`,
			`{"s": 1, "t": 6, "r": "b"}`, "pattern", "r: expected text like ^a$ when s is 1 and t is at least 5, found the text \"b\""},
		{`{"if": {"required": ["s"]}, "then": {"if": {"required": ["t"]}, "then": {"required": ["r"]}}}`, `{"s": 1, "t": 1}`, "required", "r is missing: it is required when s is present and when t is present"},
		{`{"if": {"propertyNames": {"maxLength": 1}}, "then": {"required": ["r"]}}`, `{"s": 1}`, "required", "r is missing: it is required when what `if` of the schema says is so"},
		{`{"properties": {"then": {"required": ["r"]}}}`, `{"then": {}}`, "required", "then.r is missing"},
		{`{"items": {"properties": {"a": {"type": "boolean"}}}}`, `[{"a": true}, {"a": 1}]`, "type", "[1].a: expected true or false, found the number 1"},
	} {
		var l diag.List
		s := Build(Source{Name: "x@1", JSON: []byte(c.schema), File: "x.json"}, &l)
		if s == nil {
			t.Fatal(c.schema, l)
		}
		got := s.Validate(decoded(t, c.doc))
		if len(got) != 1 || got[0].Code != c.code || got[0].Message != c.message {
			t.Errorf("%s on %s: %+v, want %s", c.schema, c.doc, got, c.message)
		}
	}
}

func TestIntegersOfAnySize(t *testing.T) {
	var l diag.List
	s := Build(Source{Name: "x@1", JSON: []byte(`{"properties": {"list": {"items": {"type": "integer"}}, "b": {"maximum": 5}}}`), File: "x.json"}, &l)
	huge := new(big.Int).Lsh(big.NewInt(1), 80)
	doc := map[string]any{"list": []any{1, json.Number("2"), huge, huge}, "b": map[string]any{}}
	if got := s.Validate(doc); len(got) > 0 {
		t.Error(got)
	}
	if doc["list"].([]any)[2] != any(huge) {
		t.Error("the document was changed")
	}
	doc["b"] = huge
	if got := s.Validate(doc); len(got) != 1 || got[0].Path != "b" {
		t.Error(got)
	}
	own := must(t, "schema: x@1\nfields:\n  a: integer\n  b: decimal(1)\n  c: number\n")
	if got := own.Validate(map[string]any{"a": huge, "b": 1.5, "c": 7}); len(got) > 0 {
		t.Error(got)
	}
	if got := own.Validate(map[string]any{"a": 1.5, "b": 1.55}); len(got) != 2 {
		t.Error(got)
	}
}

func TestSplitJoin(t *testing.T) {
	for _, p := range []string{"a", "a.b", "a[].b", "a[][]", "a.b[].c.d[]"} {
		if got := Join(Split(p)); got != p {
			t.Errorf("%s became %s", p, got)
		}
	}
	if Join([]string{value.Items, "a"}) != "[].a" {
		t.Error("a list at the top")
	}
}

func BenchmarkValidate(b *testing.B) {
	s := must(b, event)
	v := decoded(b, valid)
	b.ReportAllocs()
	for b.Loop() {
		if got := s.Validate(v); len(got) > 0 {
			b.Fatal(got)
		}
	}
}

// buildPair builds a schema of one field without a file.
func buildPair(name, typ string) (*Schema, diag.List) {
	var l diag.List
	fields := &ast.Node{Kind: ast.Map, Pairs: []ast.Pair{{Key: &ast.Node{Text: name}, Value: &ast.Node{Text: typ, Empty: typ == ""}}}}
	return Build(Source{Name: "x@1", Fields: fields}, &l), l
}
