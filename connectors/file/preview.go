package file

import (
	"fmt"

	"crossdock/connectors"
)

// Preview implements connectors.Previewer: the name of the file, and what is
// written into it.
func (Connector) Preview(c connectors.Config) (func(connectors.Request) (connectors.Preview, error), error) {
	settings, ok := c.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("connection %s has no file settings", c.Name)
	}
	tasks := map[string]*task{}
	for name, op := range c.Operations {
		own, ok := op.Own.(*Operation)
		if !ok {
			return nil, fmt.Errorf("connection %s: operation %s is no file operation", c.Name, name)
		}
		var err error
		if tasks[name], err = newTask(name, own); err != nil {
			return nil, fmt.Errorf("connection %s: operation %s: %w", c.Name, name, err)
		}
	}
	return func(r connectors.Request) (connectors.Preview, error) {
		t := tasks[r.Operation]
		if t == nil {
			return connectors.Preview{}, connectors.Permanent(fmt.Errorf("connection %s has no operation `%s`", c.Name, r.Operation))
		}
		p := connectors.Preview{Method: "write", Address: settings.Dir.Value, Form: t.body, Body: r.Body}
		if t.grow {
			p.Method = "append"
		}
		var err error
		if p.Path, err = t.file(r.With); err != nil {
			return p, connectors.Permanent(err)
		}
		if _, err := t.encode(r); err != nil {
			return p, connectors.Permanent(err)
		}
		if row, ok := r.Body.(map[string]any); ok && t.body == "csv" { // other fields are not written
			written := map[string]any{}
			for _, name := range t.columns {
				if v, ok := row[name]; ok {
					written[name] = v
				}
			}
			p.Body = written
		}
		return p, nil
	}, nil
}
