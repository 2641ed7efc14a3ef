package log_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/log"
)

func TestLines(t *testing.T) {
	var out bytes.Buffer
	config := connectortest.Load(t, log.Connector{}, `
connection: trace
type: log
level: warn
max_size: 20B
operations:
  note: {text: "order {order}", level: error}
  bare: {}
`, nil)
	s, err := log.Connector{}.Open(config, connectors.Env{Log: slog.New(slog.NewJSONHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tests := []struct {
		r    connectors.Request
		want map[string]string
	}{
		{connectors.Request{Operation: "note", Key: "k1", MessageID: "m1", With: map[string]any{"order": "A\n\x1b[31m"}, Body: map[string]any{"a": "<x>"}},
			map[string]string{"level": "ERROR", "msg": "order A\n\x1b[31m", "key": "k1", "message": "m1", "payload": `{"a":"<x>"}`}},
		{connectors.Request{Operation: "bare", Encoded: []byte(`{"a":"ééééééééééé"}`)},
			map[string]string{"level": "WARN", "msg": "bare", "payload": `{"a":"ééééééé... (30 bytes in all)`}},
	}
	for _, tt := range tests {
		out.Reset()
		if a, err := s.Deliver(t.Context(), tt.r); err != nil || a.Status != 200 {
			t.Fatalf("%v %v", a, err)
		}
		if strings.Count(out.String(), "\n") != 1 {
			t.Errorf("one delivery is one line, got %q", out.String())
		}
		var got map[string]string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		for name, want := range tt.want {
			if got[name] != want {
				t.Errorf("%s is %q, want %q", name, got[name], want)
			}
		}
	}
	_, err = s.Deliver(t.Context(), connectors.Request{Operation: "note"})
	if class, _ := connectors.ClassOf(err); class != connectors.ClassPermanent || !strings.Contains(err.Error(), "{order}") {
		t.Errorf("missing value: %v", err)
	}
}

func TestFindings(t *testing.T) {
	_, found := connectortest.Decode(t, log.Connector{}, "connection: x\ntype: log\nlevle: info\noperations: {a: {text: \"{x\"}}\n", nil)
	if len(found) != 1 || !strings.Contains(found[0].Message, "levle") {
		t.Errorf("unknown key: %v", found)
	}
	_, found = connectortest.Decode(t, log.Connector{}, "connection: x\ntype: log\noperations: {a: {text: \"{x\"}}\n", nil)
	if len(found) != 1 || !strings.Contains(found[0].Message, "placeholder") || found[0].Span.Start.Line != 3 {
		t.Errorf("broken template: %v", found)
	}
}
