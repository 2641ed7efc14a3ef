package webhook_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/webhook"
	"crossdock/runtime/message"
	"crossdock/runtime/room"
)

// channel keeps what it was sent and answers as told.
type channel struct {
	mu       sync.Mutex
	got      []message.Message
	receipts []connectors.Receipt
	err      error
}

func (c *channel) Send(_ context.Context, m ...message.Message) ([]connectors.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, m...)
	return c.receipts, c.err
}

func (c *channel) last() message.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got[len(c.got)-1]
}

func table(t *testing.T, routes ...webhook.Route) *webhook.Table {
	t.Helper()
	table, err := webhook.NewTable(routes, webhook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func call(h nethttp.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRouting(t *testing.T) {
	ok := &channel{receipts: []connectors.Receipt{{IDs: []string{"m1"}}}}
	h := table(t,
		webhook.Route{Name: "a", Path: "/hooks/a", Channel: ok},
		webhook.Route{Name: "put", Method: "PUT", Path: "/hooks/a", Channel: ok},
		webhook.Route{Name: "client", Path: "/hooks/{client}", Channel: ok},
		webhook.Route{Name: "orders", Path: "/hooks/{client}/orders", Channel: ok},
		webhook.Route{Name: "deep", Path: "/hooks/{client}/{kind}", Channel: ok},
		webhook.Route{Name: "root", Path: "/", Channel: ok})
	tests := []struct {
		method, path string
		want         int
		allow        string
		query        map[string]string
	}{
		{"POST", "/hooks/a", 202, "", nil},
		{"PUT", "/hooks/a", 202, "", nil},
		{"POST", "/", 202, "", nil},
		{"GET", "/hooks/a", 405, "POST, PUT", nil},
		{"POST", "/hooks/acme", 202, "", map[string]string{"client": "acme"}},
		{"POST", "/hooks/a%2Fb?client=evil&x=1", 202, "", map[string]string{"client": "a/b", "x": "1"}},
		{"POST", "/hooks/acme/orders", 202, "", map[string]string{"client": "acme"}},
		{"POST", "/hooks/acme/stock", 202, "", map[string]string{"client": "acme", "kind": "stock"}},
		{"DELETE", "/hooks/acme/stock", 405, "POST", nil},
		{"POST", "/hooks/", 404, "", nil},
		{"POST", "/hooks/..", 404, "", nil},
		{"POST", "/hooks/%2e%2e", 404, "", nil},
		{"POST", "/hooks/a/", 404, "", nil},
		{"POST", "/nope", 404, "", nil},
		{"POST", "/hooks/a/b/c", 404, "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			w := call(h, tt.method, tt.path, "{}")
			if w.Code != tt.want || w.Header().Get("Allow") != tt.allow {
				t.Fatalf("got %d %q, want %d %q", w.Code, w.Header().Get("Allow"), tt.want, tt.allow)
			}
			for name, want := range tt.query {
				if got := ok.last().Meta.Query[name]; got != want {
					t.Errorf("query %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestPaths(t *testing.T) {
	for _, path := range []string{"/", "/a", "/a/{b}/c", "/{a}/{b}"} {
		if err := webhook.CheckPath(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"", "a", "/a?b", "/a b", "/a/../b", "/a//b", "/a{b}", "/{}", "/{a}/{a}", "/a%20"} {
		if webhook.CheckPath(path) == nil {
			t.Errorf("%s was taken", path)
		}
	}
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"/a", "/a", true}, {"/a", "/b", false}, {"/a", "/{x}", false}, {"/{x}", "/{y}", true},
		{"/{x}/b", "/a/{y}", true}, {"/{x}/b", "/{y}/{z}", false}, {"/a/b", "/a", false},
	} {
		if got := webhook.Overlap(tt.a, tt.b); got != tt.want {
			t.Errorf("Overlap(%s, %s) = %t", tt.a, tt.b, got)
		}
	}
	ch := &channel{}
	_, err := webhook.NewTable([]webhook.Route{{Name: "x", Path: "/{a}", Channel: ch}, {Name: "y", Path: "/{b}", Channel: ch}}, webhook.Options{})
	if err == nil || !strings.Contains(err.Error(), "x and y") {
		t.Errorf("overlapping routes: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	receipt := func(r ...connectors.Receipt) *channel { return &channel{receipts: r} }
	tests := []struct {
		name    string
		channel *channel
		reply   webhook.Reply
		want    int
		body    string
	}{
		{"accepted", receipt(connectors.Receipt{IDs: []string{"01J"}}), webhook.Reply{}, 202, `{"id":"01J","status":"accepted"}`},
		{"duplicate", receipt(connectors.Receipt{IDs: []string{"01J"}, Duplicate: true}), webhook.Reply{Status: 200}, 200, `{"id":"01J","status":"duplicate"}`},
		{"split", receipt(connectors.Receipt{IDs: []string{"a", `b"`}}), webhook.Reply{}, 202, `{"ids":["a","b\""],"status":"accepted"}`},
		{"filtered", receipt(connectors.Receipt{Filtered: true}), webhook.Reply{}, 202, `{"status":"filtered"}`},
		{"fixed", receipt(connectors.Receipt{IDs: []string{"x"}}), webhook.Reply{Status: 200, Body: []byte("OK"), Type: "text/plain"}, 200, "OK"},
		{"empty", receipt(connectors.Receipt{IDs: []string{"x"}}), webhook.Reply{Status: 204}, 204, ""},
		{"rejected", &channel{err: &connectors.Rejection{Status: 422, Message: "2 fields are wrong", Problems: []connectors.Problem{{Field: "items[0].qty", Message: "is missing"}}}},
			webhook.Reply{}, 422, `{"title":"Unprocessable Entity","status":422,"detail":"2 fields are wrong","errors":[{"field":"items[0].qty","message":"is missing"}]}`},
		{"conflict", &channel{err: &connectors.Rejection{Status: 409, Message: "known with another content"}},
			webhook.Reply{}, 409, `{"title":"Same key, other content","status":409,"detail":"known with another content"}`},
		{"store down", &channel{err: errors.New("dial tcp 10.0.0.1: secret details")},
			webhook.Reply{}, 503, `{"title":"Not now","status":503,"detail":"the message could not be stored; send it again later"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var observed int
			h, err := webhook.NewTable([]webhook.Route{{Name: "p", Path: "/x", Channel: tt.channel, Reply: tt.reply}},
				webhook.Options{Observe: func(_ string, status int) { observed = status }})
			if err != nil {
				t.Fatal(err)
			}
			w := call(h, "POST", "/x", "{}")
			if w.Code != tt.want || strings.TrimSpace(w.Body.String()) != tt.body || observed != tt.want {
				t.Errorf("got %d %s (observed %d)\nwant %d %s", w.Code, w.Body, observed, tt.want, tt.body)
			}
			if tt.want == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		})
	}
}

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRoomForLargeBodies: a large body is refused before it is read while others
// take the memory there is; small ones are not, and it is given back.
func TestRoomForLargeBodies(t *testing.T) {
	r := room.New(200_000)
	ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
	h, err := webhook.NewTable([]webhook.Route{{Name: "p", Path: "/x", MaxBody: 150_000, Channel: ch}}, webhook.Options{Room: r})
	if err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat(" ", 100_000)
	for range 10 {
		if w := call(h, "POST", "/x", large); w.Code != 202 {
			t.Fatalf("a large one: %d %s", w.Code, w.Body)
		}
	}
	if !r.Try(110_000) {
		t.Fatal("memory was not given back")
	}
	if w := call(h, "POST", "/x", large); w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "memory") {
		t.Errorf("a large one too many: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := call(h, "POST", "/x", packed(t, "{}"), "Content-Encoding", "gzip"); w.Code != 503 {
		t.Errorf("one that may become large: %d %s", w.Code, w.Body)
	}
	if w := call(h, "POST", "/x", "{}"); w.Code != 202 {
		t.Errorf("a small one: %d %s", w.Code, w.Body)
	}
	r.Leave(110_000)
	if w := call(h, "POST", "/x", large); w.Code != 202 {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestLimitsAndTypes(t *testing.T) {
	tests := []struct {
		name, format, body string
		headers            []string
		want               int
		detail             string
	}{
		{"json", "", `{"a":1}`, []string{"Content-Type", "application/json"}, 202, ""},
		{"json with charset", "", `{}`, []string{"Content-Type", `Application/JSON; charset="UTF-8"`}, 202, ""},
		{"vendor json", "", `{}`, []string{"Content-Type", "application/cloudevents+json"}, 202, ""},
		{"no type", "", `{}`, nil, 202, ""},
		{"xml for json", "", `<a/>`, []string{"Content-Type", "text/xml"}, 415, "application/json"},
		{"latin1", "", `{}`, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, "iso-8859-1"},
		{"form for json", "", `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		{"form", "form", `a=b`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 202, ""},
		{"json for form", "form", `{}`, []string{"Content-Type", "application/json"}, 415, "form"},
		{"text takes all", "text", `<a/>`, []string{"Content-Type", "text/xml; charset=iso-8859-1"}, 202, ""},
		{"at the limit", "", strings.Repeat(" ", 100), nil, 202, ""},
		{"too large", "", strings.Repeat(" ", 1101), nil, 413, "1,101 bytes; this webhook takes at most 100"},
		{"gzip", "", packed(t, `{"a":1}`), []string{"Content-Encoding", "gzip"}, 202, ""},
		{"gzip bomb", "", packed(t, strings.Repeat("a", 50000)), []string{"Content-Encoding", "gzip"}, 413, "unpacked"},
		{"broken gzip", "", "not gzip", []string{"Content-Encoding", "gzip"}, 400, "gzip"},
		{"truncated gzip", "", packed(t, `{"a":1}`)[:20], []string{"Content-Encoding", "gzip"}, 400, "gzip"},
		{"brotli", "", "x", []string{"Content-Encoding", "br"}, 415, "gzip"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
			h := table(t, webhook.Route{Name: "p", Path: "/x", Format: tt.format, MaxBody: 100, Channel: ch})
			w := call(h, "POST", "/x", tt.body, tt.headers...)
			if w.Code != tt.want {
				t.Fatalf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
			if tt.want != 202 {
				var p struct{ Detail string }
				if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || !strings.Contains(p.Detail, tt.detail) {
					t.Errorf("detail %q lacks %q", p.Detail, tt.detail)
				}
				if len(ch.got) != 0 {
					t.Error("a refused body reached the channel")
				}
			}
			if tt.name == "gzip" && string(ch.last().Raw) != `{"a":1}` {
				t.Errorf("raw %q", ch.last().Raw)
			}
		})
	}
	t.Run("chunked", func(t *testing.T) {
		ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
		srv := httptest.NewServer(table(t, webhook.Route{Name: "p", Path: "/x", MaxBody: 100, Channel: ch}))
		defer srv.Close()
		for _, n := range []int{100, 101, 5000} {
			resp, err := nethttp.Post(srv.URL+"/x", "application/json", io.MultiReader(strings.NewReader(strings.Repeat(" ", n))))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if want := map[bool]int{true: 202, false: 413}[n <= 100]; resp.StatusCode != want {
				t.Errorf("%d bytes: %d", n, resp.StatusCode)
			}
		}
	})
	t.Run("many headers", func(t *testing.T) {
		ch := &channel{}
		var headers []string
		for i := range 101 {
			headers = append(headers, "X-"+strings.Repeat("a", i+1), "1")
		}
		w := call(table(t, webhook.Route{Name: "p", Path: "/x", Channel: ch}), "POST", "/x", "{}", headers...)
		if w.Code != 431 {
			t.Errorf("got %d", w.Code)
		}
	})
}

func TestMeta(t *testing.T) {
	ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
	none := table(t, webhook.Route{Name: "p", Path: "/x", Channel: ch})
	call(none, "POST", "/x", "{}", "X-Event", "a", "Traceparent", "00-1-2-01", "Content-Type", "application/json")
	m := ch.last().Meta
	if len(m.Headers) != 1 || m.Headers["traceparent"] != "00-1-2-01" || m.Source != "http" || m.Path != "/x" || m.Type != "application/json" || m.ReceivedAt.IsZero() {
		t.Errorf("meta %+v", m)
	}
	all := table(t, webhook.Route{Name: "p", Path: "/x", Channel: ch, Headers: webhook.AllHeaders})
	call(all, "POST", "/x", "{}", "X-Event", "a", "Authorization", "Bearer x", "Cookie", "a=b")
	if m := ch.last().Meta; len(m.Headers) != 1 || m.Headers["x-event"] != "a" {
		t.Errorf("headers %v", m.Headers)
	}
	some := table(t, webhook.Route{Name: "p", Path: "/x", Channel: ch, Headers: webhook.KeepHeaders("x-topic", "Authorization")})
	call(some, "POST", "/x", "{}", "X-Event", "a", "X-Topic", "t", "Authorization", "Bearer x")
	if m := ch.last().Meta; len(m.Headers) != 1 || m.Headers["x-topic"] != "t" {
		t.Errorf("headers %v", m.Headers)
	}
}
