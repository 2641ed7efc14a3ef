package message_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"crossdock/runtime/message"
)

// FuzzDecode holds Decode against encoding/json: whatever one accepts the other
// accepts with the same value, except for what Decode refuses on purpose.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{order, `{"a":1,"a":2}`, `"\ud800"`, `"\ud83d\ude00"`, `[1,2.50,-0,1e400]`, `{"\u0061":[{}],"b":null}`,
		" [true , false]\n", "\"\x7f\u2028\"", `"`, `{`, `[,]`, `01`, "\xff", `"\u0000"`, strings.Repeat("[", 300)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := message.Decode(raw, message.Limits{})
		want, wantErr := standard(raw)
		if err != nil {
			var e *message.Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(raw) || e.Line < 1 || e.Column < 1 || !utf8.ValidString(e.Message) {
				t.Fatalf("%q: a bad error: %#v", raw, err)
			}
			if wantErr == nil && e.Fault == message.FaultSyntax {
				t.Fatalf("%q: refused with %v, the standard library accepts it", raw, err)
			}
			return
		}
		if wantErr != nil {
			t.Fatalf("%q: accepted, the standard library says %v", raw, wantErr)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %#v, the standard library reads %#v", raw, got, want)
		}
	})
}

func standard(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("trailing data")
	}
	return v, nil
}

// FuzzEncode writes text and reads it back with the standard library.
func FuzzEncode(f *testing.F) {
	f.Add("plain", "k")
	f.Add("\x00\x1f\"\\\x7fä€😀\u2028", "\xff")
	f.Fuzz(func(t *testing.T, s, key string) {
		out := message.Marshal(map[string]any{key: s, "list": []any{s}})
		v, err := standard(out)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		clean := strings.ToValidUTF8(s, "\ufffd")
		if list := v.(map[string]any)["list"].([]any); utf8.ValidString(s) && list[0] != clean {
			t.Fatalf("%q came back as %q", s, list[0])
		}
	})
}
