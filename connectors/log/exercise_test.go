package log_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/log"
)

func TestExercise(t *testing.T) {
	var out *bytes.Buffer
	connectortest.Exercise(t, log.Connector{}, connectortest.Harness{
		Definition: "connection: trace\ntype: log\noperations:\n  note: {text: \"order {order}\"}\n",
		Env: func(*testing.T) connectors.Env {
			out = &bytes.Buffer{}
			return connectors.Env{Log: slog.New(slog.NewJSONHandler(out, nil))} // the handler locks its writes
		},
		Request: connectors.Request{Operation: "note", With: map[string]any{"order": "1"}, Body: map[string]any{"a": "b"}},
		Effects: func(*testing.T) []string {
			return strings.FieldsFunc(out.String(), func(r rune) bool { return r == '\n' })
		},
		Keyed: true,
		Bad: map[string]connectortest.Bad{
			"missing placeholder": {Request: connectors.Request{Operation: "note"}, Words: "{order}"},
		},
	})
}
