package http_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"
	"crossdock/dsl/spec"
	"crossdock/runtime/message"
)

// seen is one request as the target saw it.
type seen struct {
	method, uri, body string
	header            nethttp.Header
}

// target is a server that keeps what it saw and answers as told.
func target(t *testing.T, answer nethttp.HandlerFunc) (url string, last func() seen) {
	t.Helper()
	got := make(chan seen, 100)
	srv := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("target reads body: %v", err)
		}
		got <- seen{r.Method, r.RequestURI, string(body), r.Header}
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, func() seen {
		t.Helper()
		select {
		case s := <-got:
			return s
		case <-time.After(5 * time.Second):
			t.Fatal("the target saw no request")
			return seen{}
		}
	}
}

var testSecrets = map[string]string{"token": "s3cr3t-t0ken", "user": "bob", "password": "pa55:wörd", "id": "client", "key": "k3y&/"}

func lookup(name string) (string, error) {
	v, ok := testSecrets[name]
	if !ok {
		return "", fmt.Errorf("there is no secret `%s`", name)
	}
	return v, nil
}

// open loads a definition whose base_url and allow_private are filled in.
func open(t *testing.T, url, rest string) connectors.Sink {
	t.Helper()
	text := "connection: tms\ntype: http\nbase_url: ${var.url}\nallow_private: [127.0.0.0/8, \"::1\"]\n" + rest
	config := connectortest.Load(t, http.Connector{}, text, connectortest.Vars{"url": url})
	s, err := http.Connector{}.Open(config, connectors.Env{Secret: spec.Sealing(lookup), UserAgent: "crossdock/test", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func deliver(t *testing.T, s connectors.Sink, r connectors.Request) connectors.Response {
	t.Helper()
	a, err := s.Deliver(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestForwards: JSON goes out as it was given, and only to where JSON goes.
func TestForwards(t *testing.T) {
	url, last := target(t, nil)
	s := open(t, url, `
operations:
  json: {post: /j}
  form: {post: /f, body: form}
  raw:  {post: /r, body: raw}
  get:  {get: /g, repeat: safe}
`)
	for op, want := range map[string]bool{"json": true, "form": false, "raw": false, "get": false, "none": false} {
		if got := s.(connectors.Forwarder).Forwards(op); got != want {
			t.Errorf("Forwards(%s) is %t", op, got)
		}
	}
	const text = `{"n":1.10,"a":"x"}`
	deliver(t, s, connectors.Request{Operation: "json", Encoded: []byte(text)})
	if got := string(last().body); got != text {
		t.Errorf("sent %s, want %s", got, text)
	}
}

func TestAddresses(t *testing.T) {
	url, last := target(t, nil)
	s := open(t, url+"/odata/", `
operations:
  order:  {get: "/SalesOrder('{order}')", repeat: safe}
  ship:   {post: "/ship/{a}/{b}"}
  list:   {get: /Deliveries, query: {$filter: "changedAt ge {since}", $top: 500, name: "Name eq '{name?}'", page: "{page?}"}}
  plain:  {delete: /x}
`)
	tests := []struct {
		name, op, want string
		with           map[string]any
	}{
		{"plain", "plain", "DELETE /odata/x", nil},
		{"odata quotes are doubled", "order", "GET /odata/SalesOrder('O%27%27Brien%2F1')", map[string]any{"order": "O'Brien/1"}},
		{"segment", "ship", "POST /odata/ship/a%20b%3Fc%23d/1.5", map[string]any{"a": "a b?c#d", "b": json.Number("1.5")}},
		{"unicode", "ship", "POST /odata/ship/%C3%A9/true", map[string]any{"a": "é", "b": true}},
		{"query", "list", "GET /odata/Deliveries?$filter=changedAt%20ge%202026-01-01T00%3A00%3A00%2B01%3A00&$top=500",
			map[string]any{"since": "2026-01-01T00:00:00+01:00"}},
		{"optional query", "list", "GET /odata/Deliveries?$filter=changedAt%20ge%20x%26a%3Db&$top=500&name=Name%20eq%20'a%27%27b'&page=2",
			map[string]any{"since": "x&a=b", "name": "a'b", "page": json.Number("2")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			deliver(t, s, connectors.Request{Operation: tt.op, With: tt.with})
			if got := last(); got.method+" "+got.uri != tt.want {
				t.Errorf("got  %s %s\nwant %s", got.method, got.uri, tt.want)
			}
		})
	}
	bad := []struct {
		name, op, want string
		with           map[string]any
	}{
		{"missing", "order", "{order}", nil},
		{"null", "order", "{order}", map[string]any{"order": nil}},
		{"empty", "order", "empty", map[string]any{"order": ""}},
		{"object", "order", "single value", map[string]any{"order": map[string]any{}}},
		{"dots", "ship", "..", map[string]any{"a": "..", "b": "x"}},
		{"dot", "ship", "..", map[string]any{"a": ".", "b": "x"}},
		{"escaped dots", "ship", "..", map[string]any{"a": "%2e%2e", "b": "x"}},
		{"dots behind slash", "ship", "..", map[string]any{"a": "x/../../admin", "b": "x"}},
		{"dots behind backslash", "ship", "..", map[string]any{"a": `x\..\admin`, "b": "x"}},
		{"control", "ship", "control", map[string]any{"a": "a\r\nb", "b": "x"}},
		{"no operation", "nope", "nope", nil},
	}
	for _, tt := range bad {
		t.Run("refused: "+tt.name, func(t *testing.T) {
			_, err := s.Deliver(t.Context(), connectors.Request{Operation: tt.op, With: tt.with})
			if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassPermanent || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v (class %d), want a permanent error with %q", err, class, tt.want)
			}
		})
	}
}

func TestBodiesAndHeaders(t *testing.T) {
	url, last := target(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		w.WriteHeader(201)
		io.WriteString(w, `{"id": 12345678901234567890, "rate": 1.10}`)
	})
	s := open(t, url, `
headers: {X-Client: acme, X-Token: "T ${secret.token}"}
operations:
  json:  {post: /j, repeat: keyed, headers: {X-Order: "no {order}", X-Opt: "{opt?}"}}
  named: {post: /j, repeat: keyed, key_header: X-Request-ID}
  form:  {post: /f, body: form}
  raw:   {put: /r, body: raw, content_type: text/xml}
  multi: {post: /m, body: multipart, repeat: keyed}
  none:  {post: /n, body: none, repeat: keyed}
`)
	meta := &message.Meta{Headers: map[string]string{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}
	a := deliver(t, s, connectors.Request{Operation: "json", Key: "key-1", Meta: meta, With: map[string]any{"order": "7"},
		Body: map[string]any{"a": json.Number("1.10"), "b": "<é>"}})
	got := last()
	if got.body != `{"a":1.10,"b":"<é>"}` {
		t.Errorf("body %s", got.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": "key-1", "X-Client": "acme", "X-Token": "T s3cr3t-t0ken",
		"X-Order": "no 7", "X-Opt": "", "Traceparent": meta.Headers["traceparent"], "User-Agent": "crossdock/test", "Content-Length": "21",
	} {
		if got.header.Get(name) != want {
			t.Errorf("header %s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	if a.Status != 201 || a.Headers["x-two"] != "a, b" || a.Cut {
		t.Errorf("answer %+v", a)
	}
	if m := a.Body.(map[string]any); m["id"] != json.Number("12345678901234567890") || m["rate"] != json.Number("1.10") {
		t.Errorf("numbers are not exact: %v", m)
	}
	deliver(t, s, connectors.Request{Operation: "named", Key: "key-2", Encoded: []byte(`{"x":1}`), Body: "other"})
	if got = last(); got.body != `{"x":1}` || got.header.Get("X-Request-Id") != "key-2" || got.header.Get("Idempotency-Key") != "" {
		t.Errorf("named key: %+v", got)
	}
	deliver(t, s, connectors.Request{Operation: "form", Body: map[string]any{"a": "x y", "b": []any{json.Number("1"), "2"}}})
	if got = last(); got.body != "a=x+y&b=1&b=2" || got.header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("form: %+v", got)
	}
	deliver(t, s, connectors.Request{Operation: "raw", Body: "<a/>"})
	if got = last(); got.body != "<a/>" || got.header.Get("Content-Type") != "text/xml" || got.method != "PUT" {
		t.Errorf("raw: %+v", got)
	}
	multi := connectors.Request{Operation: "multi", Key: "k/1", Body: map[string]any{
		"note": "hi", "photo": map[string]any{"filename": `a"b.jpg`, "content_type": "image/jpeg", "base64": "AAEC"}}}
	deliver(t, s, multi)
	first := last()
	deliver(t, s, multi)
	if second := last(); first.body != second.body {
		t.Error("two attempts of one multipart request differ")
	}
	for _, want := range []string{`name="note"`, "\r\n\r\nhi\r\n", `filename="a%22b.jpg"`, "image/jpeg", "\x00\x01\x02"} {
		if !strings.Contains(first.body, want) {
			t.Errorf("multipart lacks %q:\n%s", want, first.body)
		}
	}
	deliver(t, s, connectors.Request{Operation: "none", Key: "key-3", Body: map[string]any{"a": "b"}})
	if got = last(); got.body != "" || got.header.Get("Idempotency-Key") != "key-3" {
		t.Errorf("none: %+v", got)
	}
	for name, r := range map[string]connectors.Request{
		"header injection": {Operation: "json", With: map[string]any{"order": "1\r\nX-Evil: 1"}},
		"key injection":    {Operation: "json", Key: "a\nb", With: map[string]any{"order": "1"}},
		"nested form":      {Operation: "form", Body: map[string]any{"a": map[string]any{}}},
		"raw object":       {Operation: "raw", Body: map[string]any{}},
	} {
		if class, _ := connectors.ClassOf(deliverErr(s, r)); class != connectors.ClassPermanent {
			t.Errorf("%s: class %d", name, class)
		}
	}
}

func deliverErr(s connectors.Sink, r connectors.Request) error {
	_, err := s.Deliver(context.Background(), r)
	if err == nil {
		return errors.New("no error")
	}
	return err
}
