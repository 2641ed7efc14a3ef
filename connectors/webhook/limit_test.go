package webhook

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// slot takes messages in, and can be held up.
type slot struct{ hold chan struct{} }

func (s *slot) Send(ctx context.Context, _ ...message.Message) ([]connectors.Receipt, error) {
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return []connectors.Receipt{{IDs: []string{"1"}}}, nil
}

func TestRateOfALimiter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		rate, burst int
		per         time.Duration
	}{
		{100, 100, time.Second}, {1, 10, time.Second}, {60, 10, time.Minute}, {6000, 100, time.Minute}, {3600, 10, time.Hour},
	} {
		l := NewLimiter(Limits{Rate: c.rate, Per: c.per})
		first := 0
		for l.take(now) == 0 {
			first++
		}
		if first != c.burst {
			t.Errorf("%d in %s: a burst of %d, want %d", c.rate, c.per, first, c.burst)
		}
		// Whoever obeys the wait is let through, and over time gets the rate.
		let, at := 0, now
		for at.Before(now.Add(10 * c.per)) {
			wait := l.take(at)
			if wait == 0 {
				let++
				continue
			}
			at = at.Add(wait)
		}
		if let < 10*c.rate-1 || let > 10*c.rate+1 {
			t.Errorf("%d in %s: %d in ten times that", c.rate, c.per, let)
		}
	}
	if (*Limiter)(nil).take(now) != 0 || !(*Limiter)(nil).enter() {
		t.Error("no limits hold somebody up")
	}
}

// listen serves routes until the test ends.
func listen(t *testing.T, routes ...Route) string {
	t.Helper()
	table, err := NewTable(routes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server(table, ServerOptions{})
	ended := make(chan struct{})
	go func() { defer close(ended); _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-ended })
	return l.Addr().String()
}

func send(t *testing.T, addr, path string) (int, string) {
	t.Helper()
	resp, err := nethttp.Post("http://"+addr+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Retry-After")
}

func TestBeyondTheRate(t *testing.T) {
	addr := listen(t, Route{Name: "a", Path: "/a", Channel: &slot{}, Limiter: NewLimiter(Limits{Rate: 1, Per: time.Hour})}, Route{Name: "b", Path: "/b", Channel: &slot{}})
	for i := range 10 {
		if status, _ := send(t, addr, "/a"); status != 202 {
			t.Fatalf("message %d: %d", i, status)
		}
	}
	status, after := send(t, addr, "/a")
	if status != 429 || after != "3600" {
		t.Errorf("beyond the rate: %d, Retry-After %s", status, after)
	}
	for range 50 {
		if status, _ := send(t, addr, "/b"); status != 202 {
			t.Fatalf("another webhook: %d", status)
		}
	}
}

func TestTooManyAtOnce(t *testing.T) {
	s := &slot{hold: make(chan struct{})}
	l := NewLimiter(Limits{Concurrent: 3})
	addr := listen(t, Route{Name: "a", Path: "/a", Channel: s, Limiter: l})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if status, _ := send(t, addr, "/a"); status != 202 {
				t.Errorf("one of three: %d", status)
			}
		})
	}
	for deadline := time.Now().Add(10 * time.Second); l.open.Load() < 3; {
		if time.Now().After(deadline) {
			t.Fatal("the requests do not come in")
		}
		time.Sleep(time.Millisecond) // real sockets
	}
	if status, after := send(t, addr, "/a"); status != 429 || after == "" {
		t.Errorf("the fourth: %d, Retry-After %q", status, after)
	}
	close(s.hold)
	wg.Wait()
	if status, _ := send(t, addr, "/a"); status != 202 {
		t.Errorf("after the others: %d", status)
	}
}

// TestSlowAndGreedyCallers: beside callers that never finish their headers or
// bodies, or send bombs of headers, good ones are all served.
func TestSlowAndGreedyCallers(t *testing.T) {
	addr := listen(t, Route{Name: "a", Path: "/a", Channel: &slot{}})
	beginnings := []string{"POST /a HTTP/1.1\r\nHost: x\r\nX-Slow: ", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", "P"}
	for i := range 300 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, beginnings[i%len(beginnings)]); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 50 {
			bomb(t, addr, i)
		}
	})
	for i := range 200 {
		if status, _ := send(t, addr, "/a"); status != 202 {
			t.Errorf("good call %d: %d", i, status)
		}
	}
	wg.Wait()
}

// bomb sends too many headers, or too large ones, and expects to be refused.
func bomb(t *testing.T, addr string, i int) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	var b strings.Builder
	b.WriteString("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n")
	if i%2 == 0 {
		for j := range 200 {
			fmt.Fprintf(&b, "X-%d: y\r\n", j)
		}
	} else {
		b.WriteString("X-Bomb: " + strings.Repeat("y", 1<<20) + "\r\n")
	}
	b.WriteString("\r\n")
	if _, err := io.WriteString(c, b.String()); err != nil {
		return // cut off at once
	}
	resp, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return
	}
	resp.Body.Close()
	if resp.StatusCode != 431 {
		t.Errorf("bomb %d: %d", i, resp.StatusCode)
	}
}
