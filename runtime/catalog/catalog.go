// Package catalog tells the language what connectors there are: their kinds,
// settings, operations and how each is checked.
package catalog

import (
	"time"

	"crossdock/connectors"
	"crossdock/connectors/all"
	"crossdock/connectors/files"
	"crossdock/connectors/schedule"
	"crossdock/connectors/webhook"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Catalog tells the language which connections, schedules and webhooks exist.
// It implements compile.Catalog over the connectors.
type Catalog struct {
	byType map[string]connectors.Connector
}

// New returns a catalog of all connectors.
func New() *Catalog {
	c := &Catalog{byType: map[string]connectors.Connector{}}
	for _, one := range all.All() {
		c.byType[one.Type()] = one
	}
	return c
}

// Connector returns the connector of a kind; nil where there is none.
func (c *Catalog) Connector(typ string) connectors.Connector { return c.byType[typ] }

// Types implements compile.Catalog.
func (c *Catalog) Types() []string {
	var types []string
	for _, one := range all.All() {
		types = append(types, one.Type())
	}
	return types
}

// Settings implements compile.Catalog.
func (c *Catalog) Settings(typ string) any {
	if one := c.byType[typ]; one != nil {
		return one.Settings()
	}
	return nil
}

// Operation implements compile.Catalog.
func (c *Catalog) Operation(typ string) any {
	if one := c.byType[typ]; one != nil {
		return one.Operation()
	}
	return nil
}

// Concurrency implements compile.Catalog.
func (c *Catalog) Concurrency(typ string) int {
	if wide, ok := c.byType[typ].(connectors.Wide); ok {
		return wide.Concurrency()
	}
	return connectors.Limits{}.WithDefaults().Concurrency
}

// Check implements compile.Catalog.
func (c *Catalog) Check(conn *compile.Connection) diag.List {
	return c.byType[conn.Type].Check(Config(conn))
}

// placeholders is what operations with templates implement.
type placeholders interface {
	Placeholders() (names, optional []string)
}

// Placeholders implements compile.Catalog.
func (c *Catalog) Placeholders(op *compile.Operation) (names, optional []string) {
	if p, ok := op.Own.(placeholders); ok {
		return p.Placeholders()
	}
	return nil, nil
}

// ReadOnly implements compile.Catalog.
func (c *Catalog) ReadOnly(op *compile.Operation) bool {
	o, ok := op.Own.(interface{ ReadOnly() bool })
	return ok && o.ReadOnly()
}

// Schedule implements compile.Catalog.
func (c *Catalog) Schedule(expr, zone string, now time.Time) []compile.Remark {
	var out []compile.Remark
	for _, p := range schedule.Check(expr, zone, now) {
		out = append(out, compile.Remark(p))
	}
	return out
}

// Covers implements compile.Catalog.
func (c *Catalog) Covers(expr string, lasts time.Duration, from time.Time) (apart time.Duration, always bool) {
	return schedule.Covers(expr, lasts, from)
}

// Verify implements compile.Catalog.
func (c *Catalog) Verify(v *spec.Verify) diag.List { return webhook.CheckVerify(v) }

// Files implements compile.Catalog.
func (c *Catalog) Files(t *spec.FilesTrigger) diag.List { return files.Check(t) }

// Records implements compile.Catalog.
func (c *Catalog) Records(t *spec.FilesTrigger, raw []byte) ([]any, error) {
	return files.Records(t, raw)
}

// Path implements compile.Catalog.
func (c *Catalog) Path(path string) error { return webhook.CheckPath(path) }

// Overlap implements compile.Catalog.
func (c *Catalog) Overlap(a, b string) bool { return webhook.Overlap(a, b) }

// Cron implements compile.Catalog.
func (c *Catalog) Cron(expr, zone string) error {
	_, err := schedule.Parse(expr, zone)
	return err
}

// Preview returns what renders requests of a connection as they would leave; nil
// where its kind cannot show that, or its settings are wrong.
func (c *Catalog) Preview(conn *compile.Connection) func(connectors.Request) (connectors.Preview, error) {
	one, ok := c.byType[conn.Type].(connectors.Previewer)
	if !ok {
		return nil
	}
	render, err := one.Preview(Config(conn))
	if err != nil {
		return nil // loading tells
	}
	return render
}

// Config is what a connector is opened with.
func Config(c *compile.Connection) connectors.Config {
	out := connectors.Config{Name: c.Name, Settings: c.Settings, Operations: map[string]connectors.Operation{},
		Limits: connectors.Limits{Concurrency: c.Concurrency, Timeout: c.Timeout, Response: c.Response}}
	for name, op := range c.Operations {
		out.Operations[name] = connectors.Operation{Name: name, Keyed: op.Repeat == compile.RepeatKeyed, Header: op.KeyHeader, Own: op.Own}
	}
	return out
}
