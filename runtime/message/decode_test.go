package message_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"crossdock/runtime/message"
)

func TestDecodeValues(t *testing.T) {
	for _, c := range []struct {
		in   string
		want any
	}{
		{`null`, nil},
		{` true `, true},
		{"\r\n\tfalse", false},
		{`""`, ""},
		{`"ä€😀"`, "ä€😀"},
		{`"\u00e4\u20AC\ud83d\ude00"`, "ä€😀"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"a\u0000b"`, "a\x00b"},
		{"\"\x7f\"", "\x7f"},
		{`"long enough for whole words, then \n and more of it"`, "long enough for whole words, then \n and more of it"},
		{`0`, json.Number("0")},
		{`-0`, json.Number("-0")},
		{`1.10`, json.Number("1.10")},
		{`9007199254740993`, json.Number("9007199254740993")},
		{`1e400`, json.Number("1e400")},
		{`-1.5E-07`, json.Number("-1.5E-07")},
		{`[]`, []any{}},
		{`{ }`, map[string]any{}},
		{`[1,[2,[]],{"a":[]}]`, []any{json.Number("1"), []any{json.Number("2"), []any{}}, map[string]any{"a": []any{}}}},
		{`{"":1,"a":{"a":null},"\u0061b":"x"}`, map[string]any{"": json.Number("1"), "a": map[string]any{"a": nil}, "ab": "x"}},
	} {
		got, err := message.Decode([]byte(c.in), message.Limits{})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("Decode(%q) = %#v, %v, want %#v", c.in, got, err, c.want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		in     string
		fault  message.Fault
		offset int
		want   string
	}{
		{"", message.FaultSyntax, 0, "the payload is empty, expected JSON at line 1, column 1"},
		{"  \n ", message.FaultSyntax, 4, "the payload is empty, expected JSON at line 2, column 2"},
		{"{\n \"id\": 1,\n \"id\": 2}", message.FaultDuplicate, 13, "duplicate key `id` (first at line 2, column 2) at line 3, column 2"},
		{`{"a":{"b":1,"\u0062":2}}`, message.FaultDuplicate, 12, "duplicate key `b` (first at line 1, column 7) at line 1, column 13"},
		{`{"a":1} x`, message.FaultSyntax, 8, "expected nothing behind the JSON value, found `x` at line 1, column 9"},
		{`{"a":1}{"a":1}`, message.FaultSyntax, 7, "expected nothing behind the JSON value, found `{` at line 1, column 8"},
		{`["ä", "\ud800"]`, message.FaultEncoding, 8, "half of a surrogate pair: `\\ud800` at line 1, column 8"},
		{`"\ud800\u0041"`, message.FaultEncoding, 1, "half of a surrogate pair: `\\ud800` at line 1, column 2"},
		{`"\udc00\ud800"`, message.FaultEncoding, 1, "half of a surrogate pair: `\\udc00` at line 1, column 2"},
		{"[\"a\xff\"]", message.FaultEncoding, 3, "byte 0xFF is not UTF-8 at line 1, column 4"},
		{"\"\xed\xa0\x80\"", message.FaultEncoding, 1, "byte 0xED is not UTF-8 at line 1, column 2"},
		{"\"\xc0\xaf\"", message.FaultEncoding, 1, "byte 0xC0 is not UTF-8 at line 1, column 2"},
		{"\ufeff{}", message.FaultSyntax, 0, "the payload starts with a byte order mark, which JSON does not allow at line 1, column 1"},
		{"\"a\nb\"", message.FaultSyntax, 2, "the control character U+000A must be escaped within text at line 1, column 3"},
		{"\"a\x00b\"", message.FaultSyntax, 2, "the control character U+0000 must be escaped within text at line 1, column 3"},
		{`"abc`, message.FaultSyntax, 0, "text without a closing quote at line 1, column 1"},
		{`"abc\`, message.FaultSyntax, 5, "expected an escape, found the end of the payload at line 1, column 6"},
		{`"\x41"`, message.FaultSyntax, 1, "unknown escape `\\x`; a backslash itself is written `\\\\` at line 1, column 2"},
		{`"\u12"`, message.FaultSyntax, 1, "expected four hexadecimal digits behind `\\u` at line 1, column 2"},
		{`[1,]`, message.FaultSyntax, 3, "expected a value (a comma before the end is not allowed), found `]` at line 1, column 4"},
		{`{"a":1,}`, message.FaultSyntax, 7, "expected a key (a comma before the end is not allowed), found `}` at line 1, column 8"},
		{`{a:1}`, message.FaultSyntax, 1, "expected a key in double quotes, found `a` at line 1, column 2"},
		{`{"a" 1}`, message.FaultSyntax, 5, "expected `:`, found `1` at line 1, column 6"},
		{`{"a":1 "b":2}`, message.FaultSyntax, 7, "expected `,` or `}`, found `\"` at line 1, column 8"},
		{`[1 2]`, message.FaultSyntax, 3, "expected `,` or `]`, found `2` at line 1, column 4"},
		{`[`, message.FaultSyntax, 1, "expected a value, found the end of the payload at line 1, column 2"},
		{`{"a":`, message.FaultSyntax, 5, "expected a value, found the end of the payload at line 1, column 6"},
		{`'a'`, message.FaultSyntax, 0, "text stands in double quotes in JSON, found a single quote at line 1, column 1"},
		{`<order/>`, message.FaultSyntax, 0, "expected JSON, found `<`: this looks like XML or HTML at line 1, column 1"},
		{`nul`, message.FaultSyntax, 0, "expected a value such as `null`, found `n` at line 1, column 1"},
		{`nulll`, message.FaultSyntax, 4, "expected nothing behind the JSON value, found `l` at line 1, column 5"},
		{`NaN`, message.FaultSyntax, 0, "expected a value, found `N` at line 1, column 1"},
		{`007`, message.FaultSyntax, 0, "a number must not start with zeros; codes belong in quotes at line 1, column 1"},
		{`-`, message.FaultSyntax, 1, "expected a digit, found the end of the payload at line 1, column 2"},
		{`1.`, message.FaultSyntax, 2, "expected a digit behind the decimal point, found the end of the payload at line 1, column 3"},
		{`.5`, message.FaultSyntax, 0, "expected a value, found `.` at line 1, column 1"},
		{`+1`, message.FaultSyntax, 0, "expected a value, found `+` at line 1, column 1"},
		{`1e`, message.FaultSyntax, 2, "expected a digit of the exponent, found the end of the payload at line 1, column 3"},
		{deep(201), message.FaultDepth, 200, "more than 200 levels of nested arrays and objects at line 1, column 201"},
		{strings.Repeat(`{"a":`, 201), message.FaultDepth, 1000, "more than 200 levels of nested arrays and objects at line 1, column 1001"},
		{strings.Repeat("1", 1001), message.FaultSize, 0, "a number of 1001 characters, allowed are 1000 at line 1, column 1"},
	} {
		v, err := message.Decode([]byte(c.in), message.Limits{})
		var e *message.Error
		if !errors.As(err, &e) {
			t.Errorf("Decode(%.40q) = %v, %v, want an error", c.in, v, err)
			continue
		}
		if e.Fault != c.fault || e.Offset != c.offset || e.Error() != c.want {
			t.Errorf("Decode(%.40q): %s at %d: %s\nwant %s at %d: %s", c.in, e.Fault, e.Offset, e, c.fault, c.offset, c.want)
		}
	}
}

func TestDecodeLimits(t *testing.T) {
	at := []byte(strings.Repeat("[", 200) + strings.Repeat("]", 200))
	if _, err := message.Decode(at, message.Limits{}); err != nil {
		t.Errorf("200 levels: %v", err)
	}
	wide := []byte("[" + strings.Repeat("[],{},", 300) + "0]")
	if _, err := message.Decode(wide, message.Limits{Depth: 2}); err != nil {
		t.Errorf("closed levels count: %v", err)
	}
	_, err := message.Decode([]byte(`[1,2]`), message.Limits{Size: 4})
	var e *message.Error
	if !errors.As(err, &e) || e.Fault != message.FaultSize || err.Error() != "the payload has 5 bytes, allowed are 4" {
		t.Errorf("size: %v", err)
	}
	if _, err := message.Decode([]byte(strings.Repeat("9", 5000)), message.Unlimited); err != nil {
		t.Errorf("long number within Unlimited: %v", err)
	}
}

// A payload of a hostile depth ends at the limit instead of eating the stack.
func TestDecodeHostileDepth(t *testing.T) {
	if _, err := message.Decode([]byte(strings.Repeat("[", 1_000_000)), message.Unlimited); err == nil {
		t.Error("a million levels were accepted")
	}
}

// What was decoded must not change when the caller reuses its buffer, nor when
// the decoder is used again.
func TestDecodeKeepsNothingOfTheInput(t *testing.T) {
	raw := []byte(`{"a":"text","b":[12.50,"x\ty"]}`)
	v, err := message.Decode(raw, message.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = '#'
	}
	for range 100 {
		if _, err := message.Decode([]byte(order), message.Limits{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(message.Marshal(v)); got != `{"a":"text","b":[12.50,"x\ty"]}` {
		t.Errorf("the value changed to %s", got)
	}
}

// After an error the next document starts clean.
func TestDecodeAfterError(t *testing.T) {
	for _, bad := range []string{`{"a":[1,{"b":2`, `[1,2,{"x":1,"x":2}]`, `["\u0000`} {
		if _, err := message.Decode([]byte(bad), message.Limits{}); err == nil {
			t.Fatalf("%s was accepted", bad)
		}
		v, err := message.Decode([]byte(`{"k":[true]}`), message.Limits{})
		if err != nil || !reflect.DeepEqual(v, map[string]any{"k": []any{true}}) {
			t.Fatalf("after %s: %v, %v", bad, v, err)
		}
	}
}
