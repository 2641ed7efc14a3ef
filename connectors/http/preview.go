package http

import (
	"fmt"
	"net/url"
	"strings"

	"crossdock/connectors"
	"crossdock/dsl/spec"
)

// Preview implements connectors.Previewer. A secret stands as ${secret.name}
// where a header holds it; what `auth` adds is left out.
func (Connector) Preview(c connectors.Config) (func(connectors.Request) (connectors.Preview, error), error) {
	settings, ok := c.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("connection %s has no http settings", c.Name)
	}
	at, err := parseBase(settings.BaseURL.Value)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	s := &sink{name: c.Name, base: at, auth: &auth{conf: &Auth{}}, calls: map[string]*call{},
		secrets: newSecrets(func(name string) (spec.Sealed, error) { return spec.Seal("${secret." + name + "}"), nil })}
	for name, op := range c.Operations {
		own, ok := op.Own.(*Operation)
		if !ok {
			return nil, fmt.Errorf("connection %s: operation %s is no http operation", c.Name, name)
		}
		if s.calls[name], err = newCall(s, settings, op, own); err != nil {
			return nil, fmt.Errorf("connection %s: operation %s: %w", c.Name, name, err)
		}
	}
	return s.preview, nil
}

func (s *sink) preview(r connectors.Request) (connectors.Preview, error) {
	c, ok := s.calls[r.Operation]
	if !ok {
		return connectors.Preview{}, connectors.Permanent(fmt.Errorf("connection %s has no operation `%s`", s.name, r.Operation))
	}
	r.Meta, r.Key = nil, "" // the trace and the key belong to the attempt, not to what it says
	o, err := c.prepare(r)
	if err != nil {
		return connectors.Preview{}, err
	}
	p := connectors.Preview{Method: o.method, Address: s.base.scheme + "://" + s.base.host, Path: o.path, Query: map[string]any{}, Headers: map[string]string{}, Form: c.body}
	if o.body != nil {
		p.Body = r.Body
	}
	values, err := url.ParseQuery(o.query)
	if err != nil {
		return p, connectors.Permanent(fmt.Errorf("the query cannot be read: %w", err))
	}
	for name, list := range values {
		p.Query[name] = list[0]
		if len(list) > 1 {
			many := make([]any, len(list))
			for i, v := range list {
				many[i] = v
			}
			p.Query[name] = many
		}
	}
	for line := range strings.SplitSeq(string(o.fixed), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			p.Headers[name] = strings.TrimSpace(value)
		}
	}
	for _, h := range o.extra {
		p.Headers[h.name] = h.value
	}
	if c.body == "multipart" && p.Body != nil {
		p.Headers["Content-Type"] = c.mime // its boundary is made anew for each request
	}
	return p, nil
}
