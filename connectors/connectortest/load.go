// Package connectortest holds connectors to what the engine relies on, and
// reads their settings from definition text the way the loader does.
package connectortest

import (
	"testing"

	"crossdock/connectors"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/spec"
)

// Vars are values for ${var.x} in definition text.
type Vars map[string]string

// Load reads one connection definition for a connector and fails the test
// where it has findings.
func Load(t testing.TB, c connectors.Connector, text string, vars Vars) connectors.Config {
	t.Helper()
	config, found := Decode(t, c, text, vars)
	for _, d := range found {
		t.Errorf("%s: %s (%s)", d.Span, d.Message, d.Hint)
	}
	if len(found) > 0 {
		t.FailNow()
	}
	return config
}

// Decode reads one connection definition and returns what the loader and the
// connector's own Check have to say about it.
func Decode(t testing.TB, c connectors.Connector, text string, vars Vars) (connectors.Config, diag.List) {
	t.Helper()
	file, found := parser.Parse("test.connection.yaml", []byte(text))
	if file.Root == nil {
		t.Fatalf("the definition cannot be read: %v", found)
	}
	d := &spec.Decoder{Diags: &found, Kind: "connection", Var: func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}}
	var common spec.Connection
	d.Pick(file.Root, &common)
	config := connectors.Config{
		Name: common.Name.Value, Settings: c.Settings(), Operations: map[string]connectors.Operation{},
		Limits: connectors.Limits{
			Concurrency: common.Limits.Concurrency, Timeout: common.Limits.Timeout.D, Response: common.Limits.Response.N,
		},
	}
	d.Rest(file.Root, config.Settings, &spec.Connection{})
	for _, op := range common.Operations {
		own := c.Operation()
		d.Rest(op.Value.Node, own, &spec.OperationOptions{})
		config.Operations[op.Key.Text] = connectors.Operation{
			Name: op.Key.Text, Keyed: op.Value.Repeat.Value == "keyed", Header: op.Value.KeyHeader.Value, Own: own,
		}
	}
	if !found.HasErrors() {
		found.Add(c.Check(config)...)
	}
	return config, found.Tidy()
}
