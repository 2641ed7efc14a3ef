package http

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"

	"crossdock/connectors"
)

// sink is one open http connection.
type sink struct {
	name      string
	base      base
	limits    connectors.Limits
	secrets   *secrets
	agent     string
	auth      *auth
	wires     *wires
	transport *nethttp.Transport // for access tokens
	calls     map[string]*call
}

// Deliver implements connectors.Sink.
func (s *sink) Deliver(ctx context.Context, r connectors.Request) (connectors.Response, error) {
	c, ok := s.calls[r.Operation]
	if !ok {
		return connectors.Response{}, connectors.Permanent(fmt.Errorf("connection %s has no operation `%s`", s.name, r.Operation))
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.limits.Timeout)
		defer cancel()
	}
	o, err := c.prepare(r)
	if err != nil {
		return connectors.Response{}, err
	}
	if err := s.auth.sign(ctx, o); err != nil {
		return connectors.Response{}, err
	}
	answer, err := s.once(ctx, o)
	if err == nil && answer.Status == nethttp.StatusUnauthorized {
		c.constant.forget() // a rotated secret is picked up at once
		if s.auth.renew(o) {
			if err := s.auth.sign(ctx, o); err != nil {
				return connectors.Response{}, err
			}
			return s.once(ctx, o)
		}
	}
	return answer, err
}

// Forwards implements connectors.Forwarder.
func (s *sink) Forwards(operation string) bool {
	c := s.calls[operation]
	return c != nil && c.body == "json"
}

// once sends one request and reads its answer.
func (s *sink) once(ctx context.Context, o *outgoing) (connectors.Response, error) {
	a, err := s.wires.do(ctx, o)
	if err == nil {
		return a, nil
	}
	var early unsent
	if errors.As(err, &early) {
		return connectors.Response{}, classify(ctx, early.error, false, s.base.host)
	}
	return connectors.Response{}, classify(ctx, err, true, s.base.host)
}

// Close implements connectors.Sink.
func (s *sink) Close() error {
	s.wires.close()
	return nil
}
