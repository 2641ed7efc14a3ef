package http

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
)

// answers is a connection that has already said everything.
func answers(text string) *wire {
	return &wire{in: bufio.NewReaderSize(strings.NewReader(text), 4<<10)}
}

func TestMalformedAnswers(t *testing.T) {
	p := &wires{limit: 1000}
	for name, text := range map[string]string{
		"nothing":                  "",
		"other protocol":           "SSH-2.0\r\n\r\n",
		"http/2":                   "HTTP/2.0 200 OK\r\n\r\n",
		"no status":                "HTTP/1.1 OK\r\n\r\n",
		"short status":             "HTTP/1.1 20 OK\r\n\r\n",
		"long status":              "HTTP/1.1 2000 OK\r\n\r\n",
		"status below 100":         "HTTP/1.1 099 OK\r\n\r\n",
		"switch of protocols":      "HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"interim answers only":     strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20),
		"space before colon":       "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
		"folded header":            "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
		"no colon":                 "HTTP/1.1 200 OK\r\nX\r\n\r\n",
		"two lengths":              "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"negative length":          "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"signed length":            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
		"huge length":              "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"empty length":             "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"unknown coding":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"coding twice":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"bad chunk":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"chunk without end":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
		"no end behind last chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
		"headers without end":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 100_000),
		"short body":               "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
	} {
		if a, _, err := p.answer(answers(text), "POST"); err == nil {
			t.Errorf("%s was taken: %+v", name, a)
		}
	}
}

// TestUseAgain: a connection is only used again at a clean end.
func TestUseAgain(t *testing.T) {
	p := &wires{limit: 10}
	for name, tt := range map[string]struct {
		text, method string
		want         bool
	}{
		"length":              {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "POST", true},
		"chunks":              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Trailer: 1\r\n\r\n", "POST", true},
		"head":                {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HEAD", true},
		"no content":          {"HTTP/1.1 204 No Content\r\n\r\n", "POST", true},
		"not modified":        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "GET", true},
		"lf only":             {"HTTP/1.1 200 OK\nContent-Length: 2\n\nab", "POST", true},
		"no reason":           {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "POST", true},
		"close":               {"HTTP/1.1 200 OK\r\nConnection: Keep-Alive, Close\r\nContent-Length: 0\r\n\r\n", "POST", false},
		"http/1.0":            {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "POST", false},
		"http/1.0 kept":       {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "POST", true},
		"up to the end":       {"HTTP/1.1 200 OK\r\n\r\nab", "POST", false},
		"more than asked for": {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n", "POST", false},
		"length and chunks":   {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST", false},
		"larger than is read": {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nabcdefghijk", "POST", false},
	} {
		_, again, err := p.answer(answers(tt.text), tt.method)
		if err != nil || again != tt.want {
			t.Errorf("%s: again %t, %v", name, again, err)
		}
	}
}

// FuzzAnswer compares with net/http: what both can read, both read the same.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nab")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\n\r\n")
	f.Add("HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\nabc")
	f.Add("HTTP/1.1 204 No Content\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := &wires{limit: 1 << 20}
		ours, _, err := p.answer(answers(text), "POST")
		if err != nil || ours.Headers["content-encoding"] != "" {
			return
		}
		in := bufio.NewReader(strings.NewReader(text))
		var theirs *nethttp.Response
		for range maxInterim + 1 {
			if theirs, err = nethttp.ReadResponse(in, &nethttp.Request{Method: "POST"}); err != nil || theirs.StatusCode >= 200 {
				break
			}
		}
		if err != nil {
			return
		}
		body, err := io.ReadAll(theirs.Body)
		if err != nil {
			return
		}
		if ours.Status != theirs.StatusCode || !bytes.Equal(ours.Raw, body) {
			t.Errorf("%q: %d %q, net/http reads %d %q", text, ours.Status, ours.Raw, theirs.StatusCode, body)
		}
	})
}

// FuzzAddress: whatever a value is, host and path stay what they were meant to
// be.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a", "..", "%2e%2e/", "a/../b", "?x#y", "@evil", "\\..\\", "'", "é\x00"} {
		f.Add(s)
	}
	tmpl, err := parsePath("/api", "/orders/{id}/lines('{id}')")
	if err != nil {
		f.Fatal(err)
	}
	query, err := parseQuery(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		raw, _, err := tmpl.Append(nil, map[string]any{"id": value}, appendSegment)
		if err != nil || dotSegment(string(raw)) {
			return
		}
		u, err := url.Parse("https://tms.example.com" + string(raw))
		if err != nil || u.Host != "tms.example.com" || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("%q became %s (%v)", value, raw, err)
		}
		if parts := strings.Split(u.EscapedPath(), "/"); len(parts) != 5 || parts[1] != "api" || parts[2] != "orders" || !strings.HasPrefix(parts[4], "lines('") {
			t.Fatalf("%q became %s", value, raw)
		}
		if clean := path.Clean(u.EscapedPath()); clean != u.EscapedPath() {
			t.Fatalf("%q became %s", value, raw)
		}
		if strings.ContainsAny(string(raw), " \r\n") {
			t.Fatalf("%q became %q", value, raw)
		}
		if _, err := appendQuery(nil, query, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// local opens a sink to a server in this process.
func local(t *testing.T, h nethttp.HandlerFunc) *sink {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	at, err := parseBase(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := &wires{host: at.host, addr: at.host, dial: (&net.Dialer{}).DialContext, limit: 1 << 20, keep: 4}
	t.Cleanup(w.close)
	return &sink{base: at, wires: w}
}

func TestLargeBodies(t *testing.T) {
	s := local(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	})
	for _, n := range []int{0, 1, 32 << 10, 32<<10 + 1, 5 << 20} {
		a, err := s.once(t.Context(), &outgoing{method: "POST", path: "/", body: make([]byte, n)})
		if err != nil || a.Body != fmt.Sprint(n, nil) && a.Body != fmt.Sprintf("%d <nil>", n) {
			t.Errorf("%d bytes: %v %v", n, a.Body, err)
		}
	}
}

// TestEarlyAnswer: an answer before the request was read counts.
func TestEarlyAnswer(t *testing.T) {
	s := local(t, func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(413)
	})
	answered := 0
	for range 10 {
		a, err := s.once(t.Context(), &outgoing{method: "POST", path: "/", body: make([]byte, 8<<20)})
		class, _ := connectors.ClassOf(err)
		switch {
		case err == nil && a.Status == 413:
			answered++
		case err != nil && class == connectors.ClassAmbiguous: // the reset overtook the answer
		default:
			t.Errorf("%d %v", a.Status, err)
		}
	}
	if answered == 0 {
		t.Error("no early answer was read")
	}
}

func TestIdleConnections(t *testing.T) {
	s := local(t, func(nethttp.ResponseWriter, *nethttp.Request) {})
	done := make(chan error)
	for range 16 {
		go func() {
			_, err := s.once(t.Context(), &outgoing{method: "GET", path: "/"})
			done <- err
		}()
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	s.wires.mu.Lock()
	n := len(s.wires.idle)
	s.wires.mu.Unlock()
	if n == 0 || n > 4 {
		t.Errorf("%d idle connections, at most 4 are kept", n)
	}
	s.wires.close()
	s.wires.mu.Lock()
	defer s.wires.mu.Unlock()
	if len(s.wires.idle) != 0 || s.wires.timer != nil {
		t.Error("closing leaves connections behind")
	}
}

// TestSweep: a connection that nobody needs is closed after a while, also
// where no further request comes.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan time.Duration, 1)
		began := time.Now()
		w := &wires{host: "x", addr: "x:80", limit: 1 << 20, keep: 4, dial: func(context.Context, string, string) (net.Conn, error) {
			a, b := net.Pipe()
			go func() {
				defer b.Close()
				r := bufio.NewReader(b)
				for {
					if _, err := nethttp.ReadRequest(r); err != nil {
						gone <- time.Since(began)
						return
					}
					io.WriteString(b, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			}()
			return a, nil
		}}
		for range 3 {
			if _, err := w.do(t.Context(), &outgoing{method: "GET", path: "/"}); err != nil {
				t.Fatal(err)
			}
		}
		if took := <-gone; took != idleFor {
			t.Errorf("closed after %s", took)
		}
		w.close()
	})
}

// TestMovedTarget: a busy connection is not used for ever.
func TestMovedTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dialled := 0
		w := &wires{host: "x", addr: "x:80", limit: 1 << 20, keep: 4, dial: func(context.Context, string, string) (net.Conn, error) {
			dialled++
			a, b := net.Pipe()
			go func() {
				defer b.Close()
				r := bufio.NewReader(b)
				for {
					if _, err := nethttp.ReadRequest(r); err != nil {
						return
					}
					io.WriteString(b, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			}()
			return a, nil
		}}
		for range 60 { // ten minutes
			if _, err := w.do(t.Context(), &outgoing{method: "GET", path: "/"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		if dialled != 2 {
			t.Errorf("dialled %d times in ten minutes", dialled)
		}
		w.close()
	})
}

// TestGivenUp: the end of the context ends a request at once, whether or not
// it has a deadline.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wires{host: "x", addr: "x:80", limit: 1 << 20, keep: 4, dial: func(context.Context, string, string) (net.Conn, error) {
			a, b := net.Pipe()
			go io.Copy(io.Discard, b)
			return a, nil
		}}
		s := &sink{base: base{host: "x"}, wires: w}
		for name, make := range map[string]func() (context.Context, context.CancelFunc){
			"deadline": func() (context.Context, context.CancelFunc) { return context.WithTimeout(t.Context(), time.Minute) },
			"cancel": func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Minute, cancel)
				return ctx, cancel
			},
		} {
			began := time.Now()
			ctx, cancel := make()
			_, err := s.once(ctx, &outgoing{method: "POST", path: "/", body: []byte("{}")})
			if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassAmbiguous || time.Since(began) != time.Minute {
				t.Errorf("%s: %v (class %d) after %s", name, err, class, time.Since(began))
			}
			cancel()
		}
		w.close()
	})
}
