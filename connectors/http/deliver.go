package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptrace"

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
	transport *nethttp.Transport
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
	answer, err := s.once(ctx, c, o)
	if err == nil && answer.Status == nethttp.StatusUnauthorized {
		c.constant.forget() // a rotated secret is picked up at once
		if s.auth.renew(o) {
			if err := s.auth.sign(ctx, o); err != nil {
				return connectors.Response{}, err
			}
			return s.once(ctx, c, o)
		}
	}
	return answer, err
}

// once sends one request and reads its answer.
func (s *sink) once(ctx context.Context, c *call, o *outgoing) (connectors.Response, error) {
	w := &watch{}
	w.trace.GotConn = w.got
	req := c.request(httptrace.WithClientTrace(ctx, &w.trace), o)
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		return connectors.Response{}, classify(ctx, err, w.sent(), s.base.host)
	}
	answer, err := readAnswer(resp, s.limits.Response, o.method)
	closed := resp.Body.Close()
	if err != nil {
		return connectors.Response{}, classify(ctx, err, true, s.base.host)
	}
	if closed != nil && !answer.Cut && !errors.Is(closed, io.EOF) {
		return connectors.Response{}, classify(ctx, closed, true, s.base.host)
	}
	return answer, nil
}

// Close implements connectors.Sink.
func (s *sink) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}
