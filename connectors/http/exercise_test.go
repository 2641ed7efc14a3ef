package http_test

import (
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"
)

func TestExercise(t *testing.T) {
	var mu sync.Mutex
	var effects []string
	connectortest.Exercise(t, http.Connector{}, connectortest.Harness{
		Definition: `connection: tms
type: http
base_url: ${var.url}
allow_private: [127.0.0.0/8]
auth: {api_key: {query: key, value: "${secret.key}"}}
headers: {X-Client: "${secret.client}"}
limits: {timeout: 5s}
operations:
  create: {post: "/shipments/{id}", repeat: keyed}
`,
		Vars: func(t *testing.T) connectortest.Vars {
			mu.Lock()
			effects = nil
			mu.Unlock()
			srv := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
				mu.Lock()
				defer mu.Unlock()
				effects = append(effects, r.Header.Get("Idempotency-Key"))
			}))
			t.Cleanup(srv.Close)
			return connectortest.Vars{"url": srv.URL}
		},
		Request: connectors.Request{Operation: "create", With: map[string]any{"id": "1"}, Body: map[string]any{"a": "b"}},
		Effects: func(*testing.T) []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string(nil), effects...)
		},
		Keyed: true,
		Bad: map[string]connectortest.Bad{
			"missing placeholder": {Request: connectors.Request{Operation: "create"}, Words: "{id}"},
		},
		Down: func(*testing.T) connectortest.Vars { return connectortest.Vars{"url": "http://127.0.0.1:1"} },
		Hang: func(t *testing.T) connectortest.Vars {
			url, _ := raw(t, func(c net.Conn, _ int64) { io.Copy(io.Discard, c) })
			return connectortest.Vars{"url": url}
		},
	})
}
