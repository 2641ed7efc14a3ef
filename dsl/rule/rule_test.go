package rule

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"crossdock/dsl/value"
)

func decode(t testing.TB, s string) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// everywhere is a scope with every name and no schema.
func everywhere() Scope {
	s := Scope{Names: map[string]*value.Shape{}}
	for _, n := range Names {
		s.Names[n] = nil
	}
	s.Lookup = func(table string) (func(string) bool, bool) {
		return func(code string) bool { return code == "01" || code == "7" }, table == "codes"
	}
	s.Tables = []string{"codes"}
	return s
}

func compile(t testing.TB, src string) *Program {
	t.Helper()
	p, problems := Compile(src, everywhere())
	if p == nil || len(problems) > 0 {
		t.Fatalf("%s: %+v", src, problems)
	}
	return p
}

const document = `{
  "status": "RELEASED", "hazmat": false, "urgent": true, "attempt": 2, "amount": 25.10, "planned": 25.1, "big": 12345678901234567890, "big2": 12345678901234567891,
  "text": "5", "zip": "01067", "empty": "", "blanks": "  ", "none": null, "list": [1, 2, 3], "nothing": [], "object": {},
  "texts": {"print": true}, "items": [{"sku": "A", "qty": 3, "price": 1.10, "tags": ["x"]}, {"sku": "B", "qty": 10}],
  "at": "2026-05-16T14:30:00+02:00", "until": "2026-05-16T13:00:00Z", "day": "2026-05-16", "weird-name": 1, "pod": {"photo_urls": ["u"]},
  "reason": "site_closed", "fine": 25.10000000000000001, "fines": [25.10000000000000001], "tenth": 0.1, "max": 9223372036854775807, "min": -9223372036854775808, "huge": 1e400, "code": "01", "number_code": 7, "float": 2.0, "id": "0012", "prefix": "PRE-1"
}`

func TestEval(t *testing.T) {
	env := Env{Data: decode(t, document), Meta: decode(t, `{"consumer":{"carrier":"UPS"},"headers":{"x":"1"}}`),
		Steps: decode(t, `{"order":{"serviceTicket":"T-1"}}`), Params: decode(t, `{"returns":true,"key":"status","at":1}`), State: decode(t, `{"visits":2}`),
		Left: decode(t, `{"amount":100.00,"currency":"EUR"}`), Right: decode(t, `{"amount":"100.50","currency":"EUR"}`), Response: decode(t, `{"status":201,"body":{"documentNo":"4"}}`)}
	for _, c := range []struct {
		src  string
		want bool
	}{
		// Rules as the language's documentation has them.
		{`data.status == "RELEASED"`, true}, {`data.hazmat`, false}, {`data.service_level in ["GROUND", "EXPRESS"]`, false}, {`true`, true},
		{`data.reason in ["site_closed", "recipient_absent"] and (data.attempt ?? 1) < 3`, true}, {`steps.order.serviceTicket != nil`, true},
		{`(data.attempt ?? 1) >= 3 or data.reason == "refused"`, false}, {`len(data.pod?.photo_urls ?? []) > 0`, true}, {`len(data.gone?.photo_urls ?? []) > 0`, false},
		{`close_to(data.amount, data.planned, 25.00, 5)`, true}, {`left.currency == right.currency and close_to(left.amount, right.amount, 1.00, 0.5)`, true},
		{`response.status in [200, 201] and not blank(response.body.documentNo)`, true}, {`data.carrier == meta.consumer.carrier`, false},
		{`state.visits < 3`, true}, {`params.returns`, true}, {`data.texts?.print == true`, true}, {`data.temperature_max != nil`, false},
		{`not (data.return_planned ?? false)`, true}, {`not in_lookup("codes", data.status)`, true}, {`in_lookup("codes", data.code)`, true}, {`in_lookup("codes", data.number_code)`, true},
		{`in_lookup("codes", data.gone)`, false}, {`data.at <= data.until`, true}, {`data.until > data.at`, true},
		// Numbers are exact, whatever way they are written.
		{`data.amount == data.planned`, true}, {`data.big == data.big2`, false}, {`data.big < data.big2`, true}, {`data.big != data.big2`, true}, {`data.amount == 25.1`, true}, {`data.amount == 25.10`, true},
		{`data.fine > 25.1`, true}, {`data.fine == 25.1`, false}, {`data.fine != 25.1`, true}, {`any(data.fines, # > 25.1)`, true}, {`any(data.fines, # == 25.1)`, false}, {`data.big > 9223372036854775807`, true},
		{`let f = data.fine; f > 25.1`, true}, {`(data.fine ?? 1) > 25.1`, true}, {`data.amount >= 25.1 and data.fine <= 25.2`, true}, {`25.1 < data.fine`, true}, {`data.tenth + 0.2 > 0.3`, true},
		{`data.max + data.max > 0`, true}, {`data.max * 4 > 0`, true}, {`-data.max - data.max < 0`, true}, {`data.min * -1 > 0`, true}, {`data.max - 1 == 9223372036854775806`, true}, {`data.huge > 1`, true}, {`data.huge == data.huge`, true},
		{`data.float == 2`, true}, {`data.attempt == 2.0`, true}, {`data.attempt in [1, 2]`, true}, {`data.float in [1, 2]`, true}, {`data.attempt in 1..3`, true}, {`data.attempt in 3..9`, false}, {`data.amount in 1..30`, false},
		{`2 in data.list`, true}, {`5 in data.list`, false}, {`data.attempt in data.list`, true}, {`"sku" in data.items[0]`, true}, {`data.big in [1]`, false},
		{`data.amount * 2 > 50`, true}, {`data.attempt + 1 == 3`, true}, {`data.attempt - 3 < 0`, true}, {`-data.attempt == -2`, true}, {`data.attempt ** 2 == 4`, true}, {`data.attempt % 2 == 0`, true},
		// A missing field is nothing.
		{`data.gone == "x"`, false}, {`data.gone != "x"`, true}, {`data.gone == nil`, true}, {`data.none == nil`, true}, {`data.gone in ["a"]`, false}, {`data.gone contains "x"`, false},
		{`data.gone matches "x"`, false}, {`data.gone startsWith "x"`, false}, {`data.a.b.c == nil`, true}, {`data.items[9].sku == nil`, true}, {`data.gone == data.gone2`, true}, {`"x" in data.gone`, false},
		{`nil in [nil]`, true}, {`data.gone in [nil, "x"]`, true}, {`data.list[-1] == 3`, true}, {`data.list[0] + data.list[1] == 3`, true},
		// Text stays text.
		{`data.text == 5`, false}, {`data.text == "5"`, true}, {`data.attempt == "2"`, false}, {`data.zip == "01067"`, true}, {`float(data.text) > 4`, true}, {`int(data.id) == 12`, true}, {`data.id == "12"`, false},
		{`string(data.attempt) == "2"`, true}, {`string(data.amount) == "25.10"`, true}, {`data.prefix startsWith "PRE-"`, true}, {`data.zip matches "^[0-9]{5}$"`, true}, {`data.status contains "LEAS"`, true}, {`not (data.zip endsWith "8")`, true},
		{`lower(data.status) == "released"`, true}, {`len(data.zip) == 5`, true}, {`data.zip[0:2] == "01"`, true}, {`data.prefix + "x" == "PRE-1x"`, true}, {`data["weird-name"] == 1`, true}, {`split(data.prefix, "-")[1] == "1"`, true},
		{`data.day < "2026-06-01"`, true}, {`data.at < "2026-05-16T12:30:01Z"`, true}, {`data.status > "A"`, true},
		// blank.
		{`blank(data.empty) and blank(data.blanks) and blank(data.none) and blank(data.gone) and blank(data.nothing) and blank(data.object)`, true},
		{`blank(data.hazmat) or blank(data.attempt) or blank(data.list) or blank(data.texts)`, false},
		// Lists.
		{`any(data.items, .qty > 5)`, true}, {`all(data.items, .qty > 5)`, false}, {`count(data.items, .qty > 2) == 2`, true}, {`none(data.items, .sku == "C")`, true}, {`one(data.items, .sku == "A")`, true},
		{`sum(data.items, .qty) == 13`, true}, {`sum(data.list) == 6`, true}, {`any(data.items, .sku == "A" and .price == 1.1)`, true}, {`any(data.items, .gone == nil)`, true}, {`any(data.items, {.qty > 5})`, true},
		{`any(data.items, any(.tags ?? [], # == "x"))`, true}, {`max(data.list) == 3`, true}, {`min(data.attempt, 5) == 2`, true}, {`mean(data.list) == 2`, true}, {`first(data.items).sku == "A"`, true}, {`first(data.list) < 2`, true},
		{`len(filter(data.items, .qty > 5)) == 1`, true}, {`find(data.items, .sku == "B").qty == 10`, true}, {`"B" in map(data.items, .sku)`, true}, {`any(data.list, # > 2)`, true}, {`any(data.items, .sku == data.items[1].sku)`, true},
		{`count(data.list, # in [1, 3]) == 2`, true}, {`data.items[0] == first(data.items)`, true}, {`len(data.items) == 2`, true}, {`"status" in keys(data)`, true},
		{`all(data.nothing, # > 5)`, true}, {`data[params.key] == "RELEASED"`, true}, {`data.list[params.at] == 2`, true}, {`data.list[params.at] > 1`, true},
		// The rest of expr.
		{`data.attempt > 1 ? data.urgent : false`, true}, {`if data.attempt > 1 { data.urgent } else { false }`, true}, {`let a = data.attempt; a > 1 and a < 3`, true}, {`let i = data.items; any(i, .qty > 5)`, true},
		{`data.items | any(.qty > 5)`, true}, {`data.status not in ["NEW"]`, true}, {`!data.hazmat`, true}, {`not data.hazmat && data.urgent`, true}, {`data.hazmat || data.urgent`, true},
		{`type(data.attempt) == "int"`, true}, {`abs(data.attempt - 5) == 3`, true}, {`round(data.amount) == 25`, true}, {`date(data.day) < date("2026-06-01")`, true}, {`date("2026-05-17") - date(data.day) == duration("24h")`, true},
		{`hours_between(data.at, data.until) == 0.5`, true}, {`hours_between(data.until, data.at) < 0`, true}, {`within(data.at, "14:00-15:00")`, true}, {`within(data.at, "22:00-06:00")`, false},
		{`within(data.at, "12:00-13:00", "UTC")`, true}, {`within("2026-05-16T23:00:00Z", "22:00-06:00")`, true}, {`within("2026-05-16T06:00:00Z", "22:00-06:00")`, false}, {`within("2026-05-16T23:59:00Z", "12:00-24:00")`, true},
		{`close_to(100, 105, 0, 5)`, true}, {`close_to(99.74, 105, 0, 5)`, false}, {`close_to(0.1 , 0.3, 0.2, 0)`, true}, {`close_to("25.00", 25, 0, 0)`, true},
		{`data.hazmat == false`, true}, {`"größe" == "größe" and data.status == "RELEASED"`, true}, {`-1 < data.attempt`, true}, {`data.attempt == 1 + 1`, true},
	} {
		p, problems := Compile(c.src, everywhere())
		if p == nil || len(problems) > 0 {
			t.Errorf("%s: %+v", c.src, problems)
			continue
		}
		for range 2 { // states are reused
			got, err := p.Eval(env)
			if err != nil || got != c.want {
				t.Errorf("%s = %v (%v), want %v", c.src, got, err, c.want)
			}
		}
		careful, err := p.careful()
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if got, err := careful.Eval(env); err != nil || got != c.want {
			t.Errorf("%s carefully = %v (%v), want %v", c.src, got, err, c.want)
		}
	}
}

// Values that come from computing rather than from decoding.
func TestEvalComputedNumbers(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 80)
	env := Env{Data: map[string]any{"i": 3, "f": 2.5, "b": huge, "small": big.NewInt(7), "l": int64(4), "list": []any{1, 2.5, huge, json.Number("3")}, "json": json.Number("3")}}
	for src, want := range map[string]bool{
		`data.i == 3`: true, `data.i > 2.5`: true, `data.f * 2 == 5`: true, `data.f == 2.5`: true, `data.b > 1`: true, `data.small == 7`: true, `data.l + 1 == 5`: true, `data.i == data.json`: true,
		`data.i in data.list`: true, `3 in data.list`: true, `data.b in data.list`: true, `data.f in [2.5]`: true, `data.i in 1..3`: true, `sum(data.list) > 6`: true, `max(data.list) > 6`: true,
		`any(data.list, # == 2.5)`: true, `data.b == data.b`: true, `data.small < data.b`: true, `close_to(data.i, data.json, 0, 0)`: true, `string(data.i) == "3"`: true, `int(data.f) == 2`: true,
		`data.l == 4`: true, `data.l in [4]`: true, `-data.l == -4`: true, `data.f - data.i < 0`: true, `"3" == data.i`: false,
	} {
		if got, err := compile(t, src).Eval(env); err != nil || got != want {
			t.Errorf("%s = %v, %v", src, got, err)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	env := Env{Data: decode(t, document)}
	for _, c := range []struct{ src, code, path, message string }{
		{`data.gone > 3`, "missing", "data.gone", "data.gone is missing, and `>` needs a value"},
		{`data.none < 3`, "missing", "data.none", "data.none is missing"},
		{`data.text > 3`, "type", "data.text", "`>` cannot compare data.text, which is the text \"5\" (it is text: write `float(data.text)`)"},
		{`data.status < data.attempt`, "type", "data.status", "cannot put data.status (the text \"RELEASED\") and data.attempt (the number 2) in order"},
		{`data.gone < data.attempt`, "missing", "data.gone", "data.gone is missing"},
		{`data.gone + 1 == 2`, "missing", "data.gone", "data.gone is missing, and `+` needs a value"},
		{`data.status * 2 == 2`, "type", "data.status", "`*` expects a number, but data.status is the text \"RELEASED\""},
		{`data.attempt + data.status == "x"`, "type", "", "`+` expects"},
		{`not data.gone`, "missing", "data.gone", "data.gone is missing, and `not` needs a value"},
		{`data.gone and true`, "missing", "data.gone", "data.gone is missing"},
		{`data.status or true`, "type", "data.status", "`or` expects true or false, but data.status is the text"},
		{`data.gone`, "missing", "data.gone", "data.gone is missing, expected true or false (write `data.gone ?? false`)"},
		{`data.status`, "type", "data.status", "data.status is the text \"RELEASED\", expected true or false"},
		{`len(data.gone) > 0`, "missing", "data.gone", "data.gone is missing, and `len` needs a value"},
		{`len(data.attempt) > 0`, "type", "data.attempt", "`len` expects a list, text or object, but data.attempt is the number 2"},
		{`any(data.gone, # > 1)`, "missing", "data.gone", "data.gone is missing"},
		{`any(data.status, # == "x")`, "type", "data.status", "`any` expects a list"},
		{`any(data.items, .gone > 1)`, "type", "data.items[].gone", "data.items[].gone: in one of the items it is missing"},
		{`any(data.items, .sku.x == 1)`, "type", "data.items[].sku.x", "asks for the field `x` of the text \"A\""},
		{`data.status.x == 1`, "type", "data.status.x", "data.status.x asks for the field `x` of the text \"RELEASED\" (only an object has fields)"},
		{`data.items.sku == "A"`, "type", "data.items.sku", "asks for the field `sku` of a list (walk over the list"},
		{`data.texts[0] == 1`, "type", "data.texts[0]", "asks for an item of an object"},
		{`data.attempt contains "x"`, "type", "data.attempt", "`contains` expects text, but data.attempt is the number 2"},
		{`data.list contains "x"`, "type", "data.list", "`contains` expects text, but data.list is a list (write `x in data.list`)"},
		{`data.attempt matches "x"`, "type", "data.attempt", "`matches` expects text"},
		{`"a" in data.status`, "type", "", "`in` needs a list or an object on its right"},
		{`close_to(data.gone, 1, 1, 1)`, "missing", "", "close_to: the first value is missing"},
		{`close_to(data.status, 1, 1, 1)`, "type", "", "close_to: the first value must be a number, found the text \"RELEASED\""},
		{`hours_between(data.day, data.at) > 1`, "type", "", "hours_between: the first datetime must be a datetime with an offset"},
		{`within(data.gone, "22:00-06:00")`, "missing", "", "within: the datetime is missing"},
		{`in_lookup("codes", data.items)`, "type", "", "in_lookup: a code is text or a number, found a list"},
		{`int(data.status) > 1`, "type", "data.status", "`int` expects a number, or text that holds one"},
		{`upper(data.attempt) == "X"`, "type", "data.attempt", "`upper` expects text"},
		{`data.attempt % 0 == 1`, "type", "", ""},
		{`data.attempt ? true : false`, "type", "data.attempt", "`if` expects true or false"},
		{`any(data.list, #)`, "type", "", "`any` asks each item of data.list, and the answer to one is not true or false"},
	} {
		p := compile(t, c.src)
		got, err := p.Eval(env)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || c.path != "" && e.Path != c.path || !strings.Contains(e.Error(), c.message) {
			t.Errorf("%s = %v, %#v; want %s %s: %s", c.src, got, err, c.code, c.path, c.message)
			continue
		}
		for _, word := range []string{"interface", "map[", "float64", "json.", "<nil>", "goroutine", "reflect", "int64"} {
			if strings.Contains(e.Error(), word) {
				t.Errorf("%s speaks of %s: %s", c.src, word, e)
			}
		}
	}
}

// A path that cannot be followed matters only where it is needed.
func TestUnneededPathsDoNotFail(t *testing.T) {
	env := Env{Data: decode(t, `{"kind": "plain", "body": "text", "list": [1]}`)}
	for src, want := range map[string]bool{
		`data.kind == "plain" or data.body.id == 1`:            true,
		`data.kind == "structured" and data.body.id == 1`:      false,
		`data.kind == "structured" ? data.body.id > 1 : true`:  true,
		`data.kind == "plain" or any(data.list.x, # > data.z)`: true,
	} {
		if got, err := compile(t, src).Eval(env); err != nil || got != want {
			t.Errorf("%s = %v, %v", src, got, err)
		}
	}
	if _, err := compile(t, `data.kind == "plain" and data.body.id == 1`).Eval(env); err == nil {
		t.Error("a needed path did not fail")
	}
}

func TestPaths(t *testing.T) {
	for src, want := range map[string]string{
		`data.a.b == meta.c`:                     "data.a.b@0-8 meta.c@12-18",
		`any(data.items, .qty > data.limit)`:     "data.items@4-14 data.items[].qty@16-20 data.limit@23-33",
		`any(data.items, any(.sub, #.x == "1"))`: "data.items@4-14 data.items[].sub@20-24 data.items[].sub[].x@26-29",
		`let o = data.order; o.id == "1"`:        "data.order@8-18 data.order.id@20-24",
		`data["weird name"][0].x == 1`:           `data["weird name"][0].x@0-23`,
		`any(filter(data.items ?? [], .a), .b)`:  "data.items@11-21 data.items[].a@29-31 data.items[].b@34-36",
		`data.größe == 1 and data.x`:             `data["größe"]@0-12 data.x@22-28`,
		`data[params.key].x == 1`:                "data@0-4 params.key@5-15",
		`data.a?.b?.c ?? false`:                  "data.a.b.c@0-12",
	} {
		var got []string
		for _, p := range compile(t, src).Paths() {
			got = append(got, p.String()+"@"+itoa(p.From)+"-"+itoa(p.To))
		}
		if joined := strings.Join(got, " "); joined != want {
			t.Errorf("%s reads\n %s, want\n %s", src, joined, want)
		}
	}
}

func itoa(n int) string { return string(value.DecimalFromInt(int64(n)).Append(nil)) }

func TestTruth(t *testing.T) {
	for src, want := range map[string]Truth{
		`true`: Always, `false`: Never, `not false`: Always, `1 == 1`: Always, `1 > 2`: Never, `data.x == 1`: Varies, `data.x == 1 or true`: Always, `false and data.x == 1`: Never,
		`data.x == 1 and true`: Varies, `data.x == 1 ? true : true`: Always, `blank("")`: Always, `not (data.a == 1 and false)`: Always, `in_lookup("codes", "01")`: Varies, `len([1]) == 1`: Always,
		`data.x == "A" and data.x == "B"`: Never, `data.x == "A" and data.y == "B"`: Varies, `data.x == "A" or data.x == "B"`: Varies, `data.x in ["A", "B"] and data.n > 1 and data.x == "C"`: Never,
		`data.x in ["A", "B"] and data.x == "B"`: Varies, `data.x != "A" or data.x != "B"`: Always, `data.x != "A" and data.x != "B"`: Varies, `data.x == 1 and data.x == 1.0`: Varies,
		`data.x == "A" and not (data.x == "A")`: Never, `not (data.x in ["A"]) and data.x in ["A"]`: Never, `data.x == nil and data.x == "A"`: Never, `"A" == data.x && 2 == data.x`: Never,
		`(data.x == "A" and data.x == "B") or data.y == 1`: Varies, `data.x == "A" or data.x != "A"`: Always, `data.x == data.y and data.x == "A"`: Varies, `data.x == "A" or data.x == "A"`: Varies,
	} {
		if got := compile(t, src).Truth(); got != want {
			t.Errorf("%s: %d, want %d", src, got, want)
		}
	}
}

// TestClash: the conditions that exclude each other are named.
func TestClash(t *testing.T) {
	first, second := compile(t, `data.y > 1 and data.x == "A" and data.x in ["B", "C"]`).Clash()
	if first != `data.x == "A"` || second != `data.x in ["B", "C"]` {
		t.Errorf("%s, %s", first, second)
	}
	if first, second := compile(t, `data.x == "A" and false`).Clash(); first != "" || second != "" {
		t.Errorf("%s, %s", first, second)
	}
}

func TestExplain(t *testing.T) {
	p := compile(t, `data.status == "X" and (data.attempt ?? 1) < 3 and any(data.items, .qty > 1) and data.gone == nil and data.status != "Y"`)
	var got []string
	for _, r := range p.Explain(Env{Data: decode(t, `{"status":"X","attempt":2,"items":[1]}`)}) {
		got = append(got, r.Path+"="+value.Describe(r.Value))
	}
	if want := `data.status=the text "X", data.attempt=the number 2, data.items=a list, data.gone=null`; strings.Join(got, ", ") != want {
		t.Errorf("%s", strings.Join(got, ", "))
	}
}

func TestConcurrentUse(t *testing.T) {
	p := compile(t, `data.n > 10 and any(data.items, .q == data.n)`)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			env := Env{Data: map[string]any{"n": json.Number(itoa(g * 4)), "items": []any{map[string]any{"q": json.Number(itoa(g * 4))}}}}
			for range 500 {
				if got, err := p.Eval(env); err != nil || got != (g*4 > 10) {
					t.Errorf("%d: %v %v", g, got, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestFunctionExamples(t *testing.T) {
	for _, f := range Functions {
		if f.Example == "" {
			continue
		}
		if got, err := compile(t, f.Example).Eval(Env{Data: map[string]any{}}); err != nil || !got {
			t.Errorf("%s: %v, %v", f.Example, got, err)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	env := Env{Data: decode(b, document)}
	for _, src := range []string{
		`data.status == "RELEASED"`,
		`data.attempt > 1`,
		`data.reason in ["site_closed", "recipient_absent"] and (data.attempt ?? 1) < 3`,
		`data.amount == data.planned`,
		`any(data.items, .qty > 5)`,
		`close_to(data.amount, data.planned, 25.00, 5)`,
	} {
		b.Run(src, func(b *testing.B) {
			p := compile(b, src)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(env); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		compile(b, `data.reason in ["site_closed", "recipient_absent"] and (data.attempt ?? 1) < 3`)
	}
}
