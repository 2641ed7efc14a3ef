package webhook_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/webhook"
)

// pipes is a listener whose connections are in memory, so that a server can
// run inside a synctest bubble.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial() net.Conn {
	a, b := net.Pipe()
	p.conns <- b
	return a
}

// served runs a server in a bubble and hands connections to use.
func served(t *testing.T, ch connectors.Channel, use func(dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newPipes()
		srv := webhook.Server(table(t, webhook.Route{Name: "p", Path: "/x", MaxBody: 1 << 20, Channel: ch}), webhook.ServerOptions{})
		ended := make(chan error)
		go func() { ended <- srv.Serve(l) }()
		use(l.dial)
		srv.Close()
		if err := <-ended; err != nethttp.ErrServerClosed {
			t.Error(err)
		}
	})
}

// closedAfter reads until the other side hangs up and returns how long that
// took, with what was said.
func closedAfter(c net.Conn) (time.Duration, string) {
	began := time.Now()
	text, _ := io.ReadAll(c)
	return time.Since(began), string(text)
}

func TestSlowClients(t *testing.T) {
	ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
	served(t, ch, func(dial func() net.Conn) {
		c := dial()
		io.WriteString(c, "POST /x HTTP/1.1\r\nHost: a\r\n")
		if took, _ := closedAfter(c); took > 6*time.Second {
			t.Errorf("unfinished headers were borne for %s", took)
		}
		c = dial()
		if took, _ := closedAfter(c); took > 6*time.Second {
			t.Errorf("a silent client was borne for %s", took)
		}
		c = dial()
		io.WriteString(c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
		took, text := closedAfter(c)
		if took > 16*time.Second || !strings.Contains(text, " 408 ") && !strings.Contains(text, " 400 ") {
			t.Errorf("an unfinished body was borne for %s, and answered %q", took, text)
		}
		c = dial()
		io.WriteString(c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n{")
		if took, _ = closedAfter(c); took < 30*time.Second || took > 2*time.Minute {
			t.Errorf("an unfinished large body was borne for %s", took)
		}
		c = dial()
		io.WriteString(c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
		if took, text := closedAfter(c); took > 3*time.Minute || !strings.Contains(text, " 202 ") {
			t.Errorf("an idle connection was borne for %s: %q", took, text)
		}
	})
	if len(ch.got) != 1 {
		t.Errorf("%d messages", len(ch.got))
	}
}

// TestSlowButHonest: a large body over a slow line that keeps the lowest rate
// gets through.
func TestSlowButHonest(t *testing.T) {
	ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
	served(t, ch, func(dial func() net.Conn) {
		c := dial()
		const size = 1 << 20
		fmt.Fprintf(c, "POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", size)
		for range 32 {
			io.WriteString(c, strings.Repeat(" ", size/32))
			time.Sleep(2 * time.Second)
		}
		if _, text := closedAfter(c); !strings.Contains(text, " 202 ") {
			t.Errorf("answered %q", text)
		}
	})
}

func TestBadRequests(t *testing.T) {
	ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
	tests := []struct{ name, text, want string }{
		{"large headers", "POST /x HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", " 431 "},
		{"length and chunks", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n", ""},
		{"two lengths", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}", " 400 "},
		{"bad coding", "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n{}", " 501 "},
		{"space before colon", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\n{}", " 400 "},
		{"no host", "POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", " 400 "},
		{"garbage", "\x16\x03\x01\x00\x00\r\n\r\n", " 400 "},
		{"bad chunk", "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", " 400 "},
		{"body cut", "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n{}", ""},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := webhook.Server(table(t, webhook.Route{Name: "p", Path: "/x", Channel: ch}), webhook.ServerOptions{})
	go srv.Serve(l)
	defer srv.Close()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, tt.text)
			c.(*net.TCPConn).CloseWrite()
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			text, _ := io.ReadAll(bufio.NewReader(c))
			if !strings.Contains(string(text), tt.want) || strings.Contains(string(text), " 202 ") && tt.want != "" {
				t.Errorf("answered %q, want %q", text, tt.want)
			}
			if strings.Count(string(text), "HTTP/1.1 ") > 1 {
				t.Errorf("one request was taken for two: %q", text)
			}
		})
	}
	for _, m := range ch.got {
		if len(m.Raw) > 0 {
			t.Errorf("a bad request became a message: %q", m.Raw)
		}
	}
}

// fakeListener gives connections that seem to come from anywhere.
type fakeListener struct{ conns chan net.Conn }

func (f *fakeListener) Accept() (net.Conn, error) {
	c, ok := <-f.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (f *fakeListener) Close() error   { return nil }
func (f *fakeListener) Addr() net.Addr { return &net.TCPAddr{} }

type from struct {
	net.Conn
	ip     string
	closed chan struct{}
}

func (f *from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.ip), Port: 4711} }
func (f *from) Close() error         { close(f.closed); return nil }

func TestLimitPerIP(t *testing.T) {
	f := &fakeListener{make(chan net.Conn, 20)}
	l := webhook.LimitPerIP(f, 2)
	come := func(ip string) *from {
		c := &from{ip: ip, closed: make(chan struct{})}
		f.conns <- c
		return c
	}
	var held []net.Conn
	for _, ip := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2", "127.0.0.1", "127.0.0.1", "127.0.0.1", "::1", "2001:db8::1", "2001:db8::2"} {
		come(ip)
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	for _, ip := range []string{"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::3"} {
		c := come(ip)
		fits := come("192.0.2.9")
		got, err := l.Accept()
		if err != nil || got.RemoteAddr().String() != fits.RemoteAddr().String() {
			t.Errorf("the third connection of %s was taken", ip)
		}
		<-c.closed
		got.Close()
	}
	held[0].Close()
	come("192.0.2.1")
	if c, err := l.Accept(); err != nil || c.RemoteAddr().(*net.TCPAddr).IP.String() != "192.0.2.1" {
		t.Errorf("a place that was given back is not free: %v", err)
	}
}
