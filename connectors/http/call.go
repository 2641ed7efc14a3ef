package http

import (
	"context"
	"errors"
	"fmt"
	"maps"
	nethttp "net/http"
	"net/textproto"
	"strings"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// call is one operation, prepared as far as it can be without a request.
type call struct {
	sink      *sink
	method    string
	path      connectors.Template
	fixedPath string // where the path has no placeholders
	query     []param
	headers   []headerTemplate
	settings  *Settings
	own       *Operation
	body      string
	mime      string
	keyHeader string
	constant  recent[constant]
	blank     *nethttp.Request
}

type headerTemplate struct {
	name  string
	value connectors.Template
}

// constant is what all requests of an operation share while the secrets in it
// stay the same. Its maps are never changed.
type constant struct {
	header nethttp.Header
	query  string
}

// outgoing is one request before it is handed to the transport.
type outgoing struct {
	method string
	path   string // escaped
	query  string
	header nethttp.Header // owned: may be changed
	body   []byte
	key    string
}

func newCall(s *sink, settings *Settings, op connectors.Operation, own *Operation) (*call, error) {
	methods := own.methods()
	if len(methods) != 1 {
		return nil, errors.New("give exactly one of get, post, put, patch, delete and head")
	}
	c := &call{sink: s, method: methods[0].method, settings: settings, own: own, body: own.Body.Value}
	var err error
	if c.path, err = parsePath(s.base.path, methods[0].path.Value); err != nil {
		return nil, err
	}
	c.fixedPath, _ = c.path.Constant()
	if c.query, err = parseQuery(own.Query); err != nil {
		return nil, err
	}
	for _, h := range own.Headers {
		if h.Value.Secret.Set() {
			continue
		}
		t, err := connectors.ParseTemplate(h.Value.Text.Value)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", h.Key.Text, err)
		}
		if _, fixed := t.Constant(); !fixed {
			c.headers = append(c.headers, headerTemplate{textproto.CanonicalMIMEHeaderKey(h.Key.Text), t})
		}
	}
	switch {
	case c.method == "GET", c.method == "HEAD", c.method == "DELETE" && c.body == "":
		c.body = "none"
	case c.body == "":
		c.body = "json"
	}
	c.mime = own.ContentType.Value
	if c.mime == "" {
		c.mime = map[string]string{
			"json": "application/json", "form": "application/x-www-form-urlencoded", "raw": "text/plain; charset=utf-8",
		}[c.body]
	}
	if op.Keyed {
		c.keyHeader = textproto.CanonicalMIMEHeaderKey(op.Header)
		if c.keyHeader == "" {
			c.keyHeader = "Idempotency-Key"
		}
	}
	if c.blank, err = nethttp.NewRequest(c.method, s.base.scheme+"://"+s.base.host+"/", nil); err != nil {
		return nil, fmt.Errorf("base_url: %w", err)
	}
	return c, nil
}

// constants builds the headers and query parameters that do not depend on the
// request: those of the connection, of the operation and of fixed credentials.
func (c *call) constants() (constant, error) {
	h := nethttp.Header{}
	agent := c.sink.agent
	if agent == "" {
		agent = "crossdock"
	}
	h.Set("User-Agent", agent)
	h.Set("Accept", "application/json, */*;q=0.5")
	if c.method == "GET" {
		h.Set("Accept-Encoding", "gzip")
	}
	for _, f := range c.settings.Headers {
		if err := c.setFixed(h, f.Key.Text, f.Value); err != nil {
			return constant{}, err
		}
	}
	for _, f := range c.own.Headers {
		if err := c.setFixed(h, f.Key.Text, f.Value); err != nil {
			return constant{}, err
		}
	}
	query, err := c.sink.auth.fixed(h)
	if err != nil {
		return constant{}, err
	}
	return constant{h, query}, nil
}

func (c *call) setFixed(h nethttp.Header, name string, v TextOrSecret) error {
	text, err := c.sink.secrets.text(v)
	if err != nil {
		return err
	}
	if !v.Secret.Set() {
		t, err := connectors.ParseTemplate(text)
		if err != nil {
			return connectors.Permanent(fmt.Errorf("header %s: %w", name, err))
		}
		fixed, ok := t.Constant()
		if !ok {
			return nil // rendered for each request
		}
		text = fixed
	}
	if !validHeaderValue(text) {
		return connectors.Permanent(fmt.Errorf("the value of header %s holds a line break or control character", name))
	}
	h.Set(name, text)
	return nil
}

// prepare renders one request.
func (c *call) prepare(r connectors.Request) (*outgoing, error) {
	shared, err := c.constant.get(c.constants)
	if err != nil {
		return nil, err
	}
	o := &outgoing{method: c.method, key: r.Key, header: maps.Clone(shared.header)}
	if err := c.address(o, r, shared.query); err != nil {
		return nil, err
	}
	for _, t := range c.headers {
		text, ok, err := t.value.Append(nil, r.With, appendHeader)
		if err != nil {
			return nil, connectors.Permanent(fmt.Errorf("header %s: %w", t.name, err))
		}
		if ok {
			o.header[t.name] = []string{string(text)}
		}
	}
	mime := c.mime
	if o.body, mime, err = encodeBody(c.body, mime, r); err != nil {
		return nil, connectors.Permanent(err)
	}
	if o.body != nil {
		o.header["Content-Type"] = []string{mime}
	}
	if c.keyHeader != "" && r.Key != "" {
		name := c.keyHeader
		if o.body == nil {
			// net/http takes a keyed request without a body for one that it may
			// send again; it only knows the canonical spelling.
			name = strings.ToLower(name)
		}
		if !validHeaderValue(r.Key) {
			return nil, connectors.Permanent(errors.New("the idempotency key holds a control character"))
		}
		o.header[name] = []string{r.Key}
	}
	passTrace(o.header, r.Meta)
	return o, nil
}

func (c *call) address(o *outgoing, r connectors.Request, fixedQuery string) error {
	o.path = c.fixedPath
	if o.path == "" {
		raw, _, err := c.path.Append(make([]byte, 0, 96), r.With, appendSegment)
		if err != nil {
			return connectors.Permanent(err)
		}
		o.path = string(raw)
		if dotSegment(o.path) {
			return connectors.Permanent(errors.New("the path has a . or .. segment once its placeholders are filled, which is refused"))
		}
	}
	if r.Page != "" {
		var err error
		if o.path, o.query, err = c.sink.base.page(o.path, r.Page); err != nil {
			return connectors.Permanent(err)
		}
	} else if len(c.query) > 0 {
		raw, err := appendQuery(make([]byte, 0, 96), c.query, r.With)
		if err != nil {
			return connectors.Permanent(err)
		}
		o.query = string(raw)
	}
	if fixedQuery != "" {
		if o.query != "" {
			o.query += "&"
		}
		o.query += fixedQuery
	}
	return nil
}

// passTrace hands on the trace context that came with the message.
func passTrace(h nethttp.Header, m *message.Meta) {
	if m == nil || m.Headers == nil {
		return
	}
	parent := m.Headers["traceparent"]
	if parent == "" || len(parent) > 128 || !validHeaderValue(parent) {
		return
	}
	h["Traceparent"] = []string{parent}
	if state := m.Headers["tracestate"]; state != "" && len(state) <= 512 && validHeaderValue(state) {
		h["Tracestate"] = []string{state}
	}
}

func appendHeader(dst []byte, text string, at connectors.Place) ([]byte, error) {
	if !validHeaderValue(text) {
		return dst, fmt.Errorf("the value of {%s} holds a line break or control character", at.Name)
	}
	return append(dst, text...), nil
}

func validHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// request turns o into what net/http sends. There is no GetBody on purpose:
// with it, net/http would send keyed requests again by itself.
func (c *call) request(ctx context.Context, o *outgoing) *nethttp.Request {
	req := c.blank.WithContext(ctx)
	u := *c.blank.URL
	u.Path, u.Opaque, u.RawQuery = "", o.path, o.query
	req.URL = &u
	req.Header = o.header
	switch {
	case o.body != nil:
		req.Body, req.ContentLength = newPayload(o.body), int64(len(o.body))
	case o.method == "GET" || o.method == "HEAD":
		// An empty body that net/http does not know to be empty keeps it from
		// repeating the request on its own; nothing of it goes over the wire.
		req.Body = newPayload(nil)
	}
	return req
}
