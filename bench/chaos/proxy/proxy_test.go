package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo answers what it gets.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

func TestModes(t *testing.T) {
	p, err := New(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ask := func() (string, error) {
		c, err := net.Dial("tcp", p.Addr)
		if err != nil {
			return "", err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			return "", err
		}
		if _, err := c.Write([]byte("how do you do")); err != nil {
			return "", err
		}
		b := make([]byte, 13)
		n, err := io.ReadFull(c, b)
		return string(b[:n]), err
	}
	for _, m := range []struct {
		mode    Mode
		want    string
		timeout bool
	}{{Pass, "how do you do", false}, {Cut, "how do yo", false}, {Reset, "", false}, {Partition, "", true}, {Half, "", true}, {Pass, "how do you do", false}} {
		hits := p.Hits.Load()
		p.Set(m.mode, 0)
		got, err := ask()
		if got != m.want || (m.want != "how do you do") != (err != nil) || errors.Is(err, os.ErrDeadlineExceeded) != m.timeout {
			t.Errorf("mode %q: %q %v", m.mode, got, err)
		}
		if hit := p.Hits.Load() > hits; hit != (m.mode != Pass) {
			t.Errorf("mode %q: hits counted: %v", m.mode, hit)
		}
	}
	began := time.Now()
	p.Set(Latency, 50*time.Millisecond)
	if got, err := ask(); got != "how do you do" || err != nil || time.Since(began) < 100*time.Millisecond {
		t.Errorf("latency: %q %v after %s", got, err, time.Since(began))
	}
}
