package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/file"
)

func TestExercise(t *testing.T) {
	var dir string
	connectortest.Exercise(t, file.Connector{}, connectortest.Harness{
		Definition: "connection: out\ntype: file\ndir: ${var.dir}\noperations:\n  add: {append: \"{name}.ndjson\"}\n",
		Vars: func(t *testing.T) connectortest.Vars {
			dir = t.TempDir()
			return connectortest.Vars{"dir": dir}
		},
		Request: connectors.Request{Operation: "add", With: map[string]any{"name": "x"}, Body: map[string]any{"a": "b"}},
		Effects: func(t *testing.T) []string {
			raw, err := os.ReadFile(filepath.Join(dir, "x.ndjson"))
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				t.Fatal(err)
			}
			return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		},
		Bad: map[string]connectortest.Bad{
			"missing placeholder": {Request: connectors.Request{Operation: "add"}, Words: "{name}"},
			"escaping":            {Request: connectors.Request{Operation: "add", With: map[string]any{"name": "../x"}}, Words: "{name}"},
		},
		Down: func(t *testing.T) connectortest.Vars {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return connectortest.Vars{"dir": path}
		},
	})
}
