package format_test

import (
	stdjson "encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"crossdock/connectors/format"
	"crossdock/connectors/format/json"
	"crossdock/connectors/format/text"
)

func TestWholeFiles(t *testing.T) {
	tests := []struct {
		name string
		open func(string) format.Reader
		in   string
		raw  string
		val  any
		err  string
	}{
		{"json", js, " {\"a\":1}\n", `{"a":1}`, nil, ""},
		{"json with bom", js, "\ufeff[1]", `[1]`, nil, ""},
		{"empty json", js, " \n", "", nil, "empty"},
		{"utf-16 json", js, "\xff\xfe{\x00", "", nil, "UTF-16"},
		{"json not utf-8", js, "\"\xe9\"", "", nil, "not UTF-8"},
		{"text", tx, "a\r\nb", "a\r\nb", "a\r\nb", ""},
		{"text not utf-8", tx, "\xe9", "", nil, "latin1"},
		{"latin1 text", func(s string) format.Reader { return text.Open(strings.NewReader(s), "latin1") }, "\xe9", "é", "é", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.open(tt.in)
			rec, err := r.Next()
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || string(rec.Raw) != tt.raw || rec.Value != tt.val {
				t.Errorf("got %q %v %v", rec.Raw, rec.Value, err)
			}
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("a second record: %v", err)
			}
		})
	}
}

func js(s string) format.Reader { return json.Open(strings.NewReader(s)) }
func tx(s string) format.Reader { return text.Open(strings.NewReader(s), "") }

func TestAppendText(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.String().Draw(rt, "s")
		var back string
		raw := format.AppendText(nil, s)
		if err := stdjson.Unmarshal(raw, &back); err != nil || utf8.ValidString(s) && back != s {
			rt.Fatalf("%q became %s (%v)", s, raw, err)
		}
	})
}
