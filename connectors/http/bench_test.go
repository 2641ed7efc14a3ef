package http_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	nethttp "net/http"
	"strconv"
	"strings"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"
)

// answerer is the cheapest target there can be: it reads requests of known
// form and answers each with the same bytes.
func answerer(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReaderSize(c, 8<<10)
				for {
					length := 0
					for {
						line, err := r.ReadSlice('\n')
						if err != nil {
							return
						}
						if len(line) <= 2 {
							break
						}
						if text := string(line); strings.HasPrefix(text, "Content-Length: ") {
							length, _ = strconv.Atoi(strings.TrimSpace(text[16:]))
						}
					}
					if _, err := r.Discard(length); err != nil {
						return
					}
					if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\nContent-Length: 15\r\n\r\n{\"id\":\"S-4711\"}"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func BenchmarkDeliver(b *testing.B) {
	text := "connection: x\ntype: http\nbase_url: " + answerer(b) + "\nallow_private: [127.0.0.0/8]\noperations: {a: {post: \"/shipments/{id}\", repeat: keyed}}\n"
	s, err := http.Connector{}.Open(connectortest.Load(b, http.Connector{}, text, nil), connectors.Env{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	body := []byte(`{"pad":"` + strings.Repeat("x", 1000) + `"}`)
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := connectors.Request{Operation: "a", Key: "01JABCDEF", With: map[string]any{"id": "SO-4711"}, Encoded: body}
		for pb.Next() {
			if _, err := s.Deliver(b.Context(), r); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkNetHTTP is the same request through net/http, for comparison.
func BenchmarkNetHTTP(b *testing.B) {
	url := answerer(b) + "/shipments/SO-4711"
	transport := &nethttp.Transport{MaxIdleConnsPerHost: 64}
	defer transport.CloseIdleConnections()
	body := []byte(`{"pad":"` + strings.Repeat("x", 1000) + `"}`)
	b.SetParallelism(16)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, err := nethttp.NewRequestWithContext(b.Context(), "POST", url, bytes.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			r.GetBody = nil
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Idempotency-Key", "01JABCDEF")
			resp, err := transport.RoundTrip(r)
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := io.ReadAll(resp.Body); err != nil {
				b.Error(err)
			}
			resp.Body.Close()
		}
	})
}
