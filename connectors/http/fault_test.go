package http_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"
	"crossdock/runtime/porttest"
)

// raw is a TCP server that reads one request after the other and lets answer
// do what it likes with the connection. It counts requests.
func raw(t *testing.T, answer func(c net.Conn, n int64)) (url string, requests *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	requests = &atomic.Int64{}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					req, err := nethttp.ReadRequest(r)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, req.Body); err != nil {
						return
					}
					n := requests.Add(1)
					answer(c, n)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String(), requests
}

const ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"a\": 1}"

func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

const oneOfEach = `
limits: {timeout: 300ms}
operations:
  post: {post: /p, repeat: keyed}
  bare: {post: /p, body: none, repeat: keyed}
  get:  {get: /g, repeat: keyed}
`

func requestFor(op string) connectors.Request {
	return connectors.Request{Operation: op, Key: "k", Body: map[string]any{"a": "b"}}
}

// TestFaults: what is not known to be without effect is ambiguous, and one
// Deliver is one request, whatever happens to it.
func TestFaults(t *testing.T) {
	tests := []struct {
		name   string
		answer func(c net.Conn, n int64)
		words  string
	}{
		{"reset after the request", func(c net.Conn, _ int64) { reset(c) }, "broke the connection"},
		{"closed after the request", func(c net.Conn, _ int64) { c.Close() }, "without a complete answer"},
		{"no answer", func(c net.Conn, _ int64) { io.Copy(io.Discard, c) }, "did not answer in time"},
		{"cut in the headers", func(c net.Conn, _ int64) { io.WriteString(c, ok[:30]); c.Close() }, "whether it did the work is not known"},
		{"cut in the body", func(c net.Conn, _ int64) { io.WriteString(c, ok[:len(ok)-3]); c.Close() }, "in the middle of its answer"},
		{"cut in a chunk", func(c net.Conn, _ int64) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
			c.Close()
		}, "in the middle of its answer"},
		{"one byte a second", func(c net.Conn, _ int64) {
			for i := range ok {
				if _, err := io.WriteString(c, ok[i:i+1]); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}, "did not answer in time"},
		{"no HTTP", func(c net.Conn, _ int64) { io.WriteString(c, "SSH-2.0-OpenSSH\r\n\r\n"); c.Close() }, "whether it did the work is not known"},
		{"broken gzip", func(c net.Conn, _ int64) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
		}, "whether it did the work is not known"},
		{"endless headers", func(c net.Conn, _ int64) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for range 3000 {
				if _, err := io.WriteString(c, "X-Pad: "+strings.Repeat("a", 100)+"\r\n"); err != nil {
					return
				}
			}
			c.Close()
		}, "whether it did the work is not known"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, op := range []string{"post", "bare", "get"} {
				for _, reused := range []bool{false, true} {
					url, requests := raw(t, func(c net.Conn, n int64) {
						if reused && n == 1 {
							io.WriteString(c, ok)
							return
						}
						tt.answer(c, n)
					})
					s := open(t, url, oneOfEach)
					want := int64(1)
					if reused {
						deliver(t, s, requestFor(op))
						want = 2
					}
					_, err := s.Deliver(t.Context(), requestFor(op))
					class, _ := connectors.ClassOf(err)
					if err == nil || class != connectors.ClassAmbiguous {
						t.Errorf("%s, reused %t: %v (class %d), want ambiguous", op, reused, err, class)
						continue
					}
					if !strings.Contains(err.Error(), tt.words) {
						t.Errorf("%s, reused %t: %q lacks %q", op, reused, err, tt.words)
					}
					if got := requests.Load(); got != want {
						t.Errorf("%s, reused %t: the target saw %d requests, want %d", op, reused, got, want)
					}
				}
			}
		})
	}
}

// TestIdleClose: a server that hangs up between requests costs at most one
// attempt, and never a second request.
func TestIdleClose(t *testing.T) {
	url, requests := raw(t, func(c net.Conn, _ int64) {
		io.WriteString(c, ok)
		c.Close()
	})
	s := open(t, url, oneOfEach)
	attempts := int64(0)
	for range 50 {
		for _, op := range []string{"post", "bare", "get"} {
			attempts++
			if _, err := s.Deliver(t.Context(), requestFor(op)); err != nil {
				if class, _ := connectors.ClassOf(err); class == connectors.ClassPermanent {
					t.Errorf("%s: %v", op, err)
				}
			}
		}
	}
	if got := requests.Load(); got > attempts {
		t.Errorf("%d requests for %d attempts", got, attempts)
	}
}

func TestNotSent(t *testing.T) {
	closed := "http://" + porttest.Take(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing to a TLS client
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	plain, _ := target(t, nil)
	tests := []struct {
		name, url, words string
		ctx              context.Context
	}{
		{"refused", closed, "refuses connections", t.Context()},
		{"unknown host", "http://no-such-host.invalid", "no-such-host.invalid", t.Context()},
		{"silent TLS", "https://" + silent.Addr().String(), "in time; nothing was sent", t.Context()},
		{"plain server, TLS client", strings.Replace(plain, "http:", "https:", 1), "does not speak TLS", t.Context()},
		{"given up before", plain, "before anything was sent", cancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := open(t, tt.url, oneOfEach).Deliver(tt.ctx, requestFor("post"))
			if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassNotSent || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v (class %d), want not sent with %q", err, class, tt.words)
			}
		})
	}
}

func TestAnswersOfAllKinds(t *testing.T) {
	var packed strings.Builder
	z := gzip.NewWriter(&packed)
	io.WriteString(z, `{"a":"`+strings.Repeat("x", 100)+`"}`)
	z.Close()
	var bomb strings.Builder
	z = gzip.NewWriter(&bomb)
	z.Write(make([]byte, 10<<20))
	z.Close()
	head := func(status, rest string) string { return "HTTP/1.1 " + status + "\r\n" + rest }
	sized := func(mime, body string) string {
		return head("200 OK", fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s", mime, len(body), body))
	}
	tests := []struct {
		name, answer string
		status       int
		body         string // fmt %v
		cut          bool
	}{
		{"json", ok, 200, "map[a:1]", false},
		{"wrong success", sized("application/json", `{"error":"x"}`), 200, "map[error:x]", false},
		{"text", sized("text/plain", "done"), 200, "done", false},
		{"json called text", sized("text/plain", `{"a":1}`), 200, "map[a:1]", false},
		{"html", sized("text/html", "{}<html>"), 200, "{}<html>", false},
		{"broken json", sized("application/json", `{"a":`), 200, `{"a":`, false},
		{"two values", sized("application/json", `{} {}`), 200, `{} {}`, false},
		{"repeated key", sized("application/json", `{"a":1,"a":2}`), 200, `map[a:2]`, false},
		{"not utf-8", sized("text/plain", "\xe9"), 200, "\uFFFD", false},
		{"empty", head("200 OK", "Content-Length: 0\r\n\r\n"), 200, "<nil>", false},
		{"no content", head("204 No Content", "\r\n"), 204, "<nil>", false},
		{"chunked", head("200 OK", "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n3\r\n{\"a\r\n5\r\n\":1} \r\n0\r\n\r\n"), 200, "map[a:1]", false},
		{"100 first", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok, 200, "map[a:1]", false},
		{"at the limit", sized("text/plain", strings.Repeat("a", 1000)), 200, strings.Repeat("a", 1000), false},
		{"over the limit", sized("text/plain", strings.Repeat("a", 1001)), 200, "<nil>", true},
		{"chunked over the limit", head("200 OK", "Transfer-Encoding: chunked\r\n\r\n7d0\r\n"+strings.Repeat("a", 2000)), 200, "<nil>", true},
		{"gzip", head("200 OK", fmt.Sprintf("Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", packed.Len(), packed.String())), 200, "map[a:" + strings.Repeat("x", 100) + "]", false},
		{"gzip bomb", head("200 OK", fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), bomb.String())), 200, "<nil>", true},
		{"redirect elsewhere", head("302 Found", "Location: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"), 302, "<nil>", false},
		{"permanent redirect", head("308 Permanent Redirect", "Location: /other\r\nContent-Length: 0\r\n\r\n"), 308, "<nil>", false},
		{"429", head("429 Too Many Requests", "Retry-After: 7\r\nContent-Length: 0\r\n\r\n"), 429, "<nil>", false},
		{"410", head("410 Gone", "Content-Length: 0\r\n\r\n"), 410, "<nil>", false},
		{"503", head("503 Service Unavailable", "Content-Length: 0\r\n\r\n"), 503, "<nil>", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, requests := raw(t, func(c net.Conn, _ int64) { io.WriteString(c, tt.answer) })
			s := open(t, url, "limits: {timeout: 2s, response: 1000B}\noperations: {post: {post: /p}}\n")
			a := deliver(t, s, requestFor("post"))
			if a.Status != tt.status || fmt.Sprint(a.Body) != tt.body || a.Cut != tt.cut || len(a.Raw) > 1000 {
				t.Errorf("got %d %v cut %t (%d bytes)", a.Status, a.Body, a.Cut, len(a.Raw))
			}
			if tt.status == 429 && a.Headers["retry-after"] != "7" {
				t.Errorf("headers %v", a.Headers)
			}
			if requests.Load() != 1 {
				t.Errorf("%d requests", requests.Load())
			}
		})
	}
}

func TestKeepAlive(t *testing.T) {
	var conns atomic.Int64
	srv := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if r.URL.Path == "/404" {
			w.WriteHeader(404)
		}
		io.WriteString(w, `{"a":1}`)
	}))
	srv.Config.ConnState = func(_ net.Conn, s nethttp.ConnState) {
		if s == nethttp.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	s := open(t, srv.URL, "operations: {a: {post: /a}, b: {get: /404}}\n")
	for range 50 {
		deliver(t, s, requestFor("a"))
		deliver(t, s, requestFor("b"))
	}
	if conns.Load() != 1 {
		t.Errorf("%d connections for deliveries one after the other", conns.Load())
	}
}

func TestPages(t *testing.T) {
	url, last := target(t, nil)
	s := open(t, url+"/odata", "auth: {api_key: {query: key, value: \"${secret.key}\"}}\noperations: {list: {get: /Orders, query: {top: 5}}}\n")
	host := strings.TrimPrefix(url, "http://")
	for page, want := range map[string]string{
		"":                          "/odata/Orders?top=5&key=k3y%26%2F",
		url + "/x/Orders?skip=5":    "/x/Orders?skip=5&key=k3y%26%2F",
		"/Orders?skip=5":            "/Orders?skip=5&key=k3y%26%2F",
		"?skip=5":                   "/odata/Orders?skip=5&key=k3y%26%2F",
		"Orders?skip=5":             "/odata/Orders?skip=5&key=k3y%26%2F",
		"//" + host + "/y":          "/y?key=k3y%26%2F",
		"HTTP://" + host + "/z#abc": "/z?key=k3y%26%2F",
	} {
		deliver(t, s, connectors.Request{Operation: "list", Page: page})
		if got := last(); got.uri != want {
			t.Errorf("page %q: asked %s, want %s", page, got.uri, want)
		}
	}
	for _, page := range []string{"https://" + host + "/x", "http://169.254.169.254/", "//evil.example.com/", "http://user@" + host + "/", "http://127.0.0.1:1/", "file:///etc/passwd", "mailto:a@b", "http://[::1", "%zz"} {
		_, err := s.Deliver(t.Context(), connectors.Request{Operation: "list", Page: page})
		if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassPermanent {
			t.Errorf("page %q: %v", page, err)
		}
	}
}

// certificate makes a certificate for 127.0.0.1 that is valid until end, and
// writes it with its key below dir.
func certificate(t *testing.T, dir, name string, end time.Time, hosts ...string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, DNSNames: hosts}
	if len(hosts) == 0 {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	for file, text := range map[string][]byte{name + ".pem": certPEM, name + ".key": keyPEM} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestCertificates(t *testing.T) {
	dir := t.TempDir()
	good := certificate(t, dir, "good", time.Now().Add(time.Hour))
	expired := certificate(t, dir, "expired", time.Now().Add(-24*time.Hour))
	other := certificate(t, dir, "other", time.Now().Add(time.Hour), "other.example.com")
	tests := []struct {
		name, conf string
		cert       tls.Certificate
		words      string
	}{
		{"good", "tls: {ca_file: good.pem}", good, ""},
		{"unknown authority", "", good, "authority that is not trusted"},
		{"expired", "tls: {ca_file: expired.pem}", expired, "expired on "},
		{"other host", "tls: {ca_file: other.pem}", other, "is for another host"},
		{"other host, named", "tls: {ca_file: other.pem, server_name: other.example.com}", other, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) {}))
			srv.Config.ErrorLog = quiet
			srv.TLS = &tls.Config{Certificates: []tls.Certificate{tt.cert}}
			srv.StartTLS()
			defer srv.Close()
			text := "connection: x\ntype: http\nbase_url: " + srv.URL + "\nallow_private: [127.0.0.0/8]\n" + tt.conf + "\noperations: {a: {post: /a}}\n"
			s, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), connectors.Env{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			_, err = s.Deliver(t.Context(), requestFor("a"))
			if tt.words == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassNotSent || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v (class %d), want %q", err, class, tt.words)
			}
		})
	}
}

func TestClientCertificateIsReloaded(t *testing.T) {
	dir := t.TempDir()
	server := certificate(t, dir, "server", time.Now().Add(time.Hour))
	certificate(t, dir, "client", time.Now().Add(time.Hour))
	var shown atomic.Value
	srv := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		shown.Store(r.TLS.PeerCertificates[0].SerialNumber.String())
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAnyClientCert}
	srv.Config.SetKeepAlivesEnabled(false)
	srv.StartTLS()
	defer srv.Close()
	text := "connection: x\ntype: http\nbase_url: " + srv.URL + "\nallow_private: [127.0.0.0/8]\ntls: {ca_file: server.pem, cert_file: client.pem, key_file: client.key, min_version: 1.3}\noperations: {a: {post: /a}}\n"
	s, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), connectors.Env{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	deliver(t, s, requestFor("a"))
	first := shown.Load()
	certificate(t, dir, "client", time.Now().Add(time.Hour))
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "client.pem"), later, later); err != nil {
		t.Fatal(err)
	}
	deliver(t, s, requestFor("a"))
	if shown.Load() == first {
		t.Error("the renewed certificate is not in use")
	}
	if err := os.WriteFile(filepath.Join(dir, "client.pem"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	deliver(t, s, requestFor("a")) // a half-written one does no harm
	for _, missing := range []string{"ca_file: nope.pem", "cert_file: nope.pem, key_file: nope.key"} {
		text := "connection: x\ntype: http\nbase_url: https://x.example.com\ntls: {" + missing + "}\noperations: {a: {post: /a}}\n"
		_, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), connectors.Env{Dir: dir})
		if err == nil || !strings.Contains(err.Error(), "nope.pem") || errors.Is(err, os.ErrExist) {
			t.Errorf("%s: %v", missing, err)
		}
	}
}
