package http

import (
	"errors"
	"fmt"
	"maps"
	nethttp "net/http"
	"net/textproto"
	"slices"

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
}

type headerTemplate struct {
	name  string
	value connectors.Template
}

// constant is what all requests of an operation share while the secrets in it
// stay the same. It is never changed.
type constant struct {
	header []byte // as on the wire
	query  string
}

// outgoing is one request before it is written.
type outgoing struct {
	method string
	path   string // escaped
	query  string
	fixed  []byte // headers as on the wire
	extra  []header
	body   []byte
	key    string
}

type header struct{ name, value string }

// set adds a header, or replaces one that was set before.
func (o *outgoing) set(name, value string) {
	for i := range o.extra {
		if o.extra[i].name == name {
			o.extra[i].value = value
			return
		}
	}
	o.extra = append(o.extra, header{name, value})
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
	for _, dynamic := range c.headers {
		h.Del(dynamic.name)
	}
	for _, name := range append(c.sink.auth.dynamic(), "Content-Type", c.keyHeader) {
		h.Del(name)
	}
	var block []byte
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			block = appendHeaderLine(block, name, value)
		}
	}
	return constant{block, query}, nil
}

func (c *call) setFixed(h nethttp.Header, name string, v TextOrSecret) error {
	sealed, err := c.sink.secrets.text(v)
	if err != nil {
		return err
	}
	text := sealed.Reveal()
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
	o := &outgoing{method: c.method, key: r.Key, fixed: shared.header, extra: make([]header, 0, 4+len(c.headers))}
	if err := c.address(o, r, shared.query); err != nil {
		return nil, err
	}
	for _, t := range c.headers {
		text, ok, err := t.value.Append(nil, r.With, appendHeader)
		if err != nil {
			return nil, connectors.Permanent(fmt.Errorf("header %s: %w", t.name, err))
		}
		if ok {
			o.set(t.name, string(text))
		}
	}
	mime := c.mime
	if o.body, mime, err = encodeBody(c.body, mime, r); err != nil {
		return nil, connectors.Permanent(err)
	}
	if o.body != nil {
		o.set("Content-Type", mime)
	}
	if c.keyHeader != "" && r.Key != "" {
		if !validHeaderValue(r.Key) {
			return nil, connectors.Permanent(errors.New("the idempotency key holds a control character"))
		}
		o.set(c.keyHeader, r.Key)
	}
	passTrace(o, r.Meta)
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
func passTrace(o *outgoing, m *message.Meta) {
	if m == nil || m.Headers == nil {
		return
	}
	parent := m.Headers["traceparent"]
	if parent == "" || len(parent) > 128 || !validHeaderValue(parent) {
		return
	}
	o.set("Traceparent", parent)
	if state := m.Headers["tracestate"]; state != "" && len(state) <= 512 && validHeaderValue(state) {
		o.set("Tracestate", state)
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
