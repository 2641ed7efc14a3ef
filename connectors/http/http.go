// Package http delivers effects to HTTP targets.
//
// One Deliver is one request on the wire. Nothing is repeated behind the back
// of the engine: not on a connection that died, not on a redirect, not on a
// slow answer. The one exception is an OAuth access token that the target
// refuses with 401: it is fetched anew and the refused request sent once more.
//
// Addresses inside private, local and reserved networks are refused when they
// are dialled, after name resolution, unless the connection allows them.
// Proxies of the environment are not used. Requests are HTTP/1.1.
package http

import (
	"fmt"

	"crossdock/connectors"
)

// Connector is the kind of connection named http.
type Connector struct{}

// Type implements connectors.Connector.
func (Connector) Type() string { return "http" }

// Settings implements connectors.Connector.
func (Connector) Settings() any { return &Settings{} }

// Operation implements connectors.Connector.
func (Connector) Operation() any { return &Operation{} }

// Open implements connectors.Connector. It reads certificate files, and fails
// where they or the settings are wrong; it does not connect.
func (Connector) Open(c connectors.Config, env connectors.Env) (connectors.Sink, error) {
	settings, ok := c.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("connection %s has no http settings", c.Name)
	}
	base, err := parseBase(settings.BaseURL.Value)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	s := &sink{
		name:    c.Name,
		base:    base,
		limits:  c.Limits.WithDefaults(),
		secrets: newSecrets(env.Secret),
		agent:   env.UserAgent,
		calls:   make(map[string]*call, len(c.Operations)),
	}
	if s.wires, s.transport, err = newTransport(settings, base, s.limits, env); err != nil {
		return nil, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	if s.auth, err = newAuth(settings, s); err != nil {
		return nil, fmt.Errorf("connection %s: %w", c.Name, err)
	}
	for name, op := range c.Operations {
		own, ok := op.Own.(*Operation)
		if !ok {
			return nil, fmt.Errorf("connection %s: operation %s is no http operation", c.Name, name)
		}
		one, err := newCall(s, settings, op, own)
		if err != nil {
			return nil, fmt.Errorf("connection %s: operation %s: %w", c.Name, name, err)
		}
		s.calls[name] = one
	}
	return s, nil
}
