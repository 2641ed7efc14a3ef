package load

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"
)

// Client is one kept connection to a system under test. It is for one user at a
// time.
type Client struct {
	Addr string
	c    *conn
}

// Dial connects a Client.
func Dial(addr string) (*Client, error) {
	raw, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, fmt.Errorf("reach the system: %w", err)
	}
	return &Client{Addr: addr, c: newConn(raw)}, nil
}

// patience is how long an answer may take before it counts as none.
const patience = 30 * time.Second

// Post sends one request to path and returns how it was answered. last says that
// the other side closes the connection behind this answer.
func (c *Client) Post(path string, body []byte) (code int, answer []byte, last bool, err error) {
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, c.Addr, len(body))
	if err := c.c.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, true, fmt.Errorf("send: %w", err)
	}
	if _, err := c.c.Write(append(request, body...)); err != nil {
		return 0, nil, true, fmt.Errorf("send: %w", err)
	}
	head, answer, err := c.c.message()
	if err != nil {
		return 0, nil, true, fmt.Errorf("read the answer: %w", err)
	}
	return status(head), answer, closes(head), nil
}

// Close ends the connection.
func (c *Client) Close() { _ = c.c.Close() } // nothing is under way on it

func closes(head []byte) bool {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(name, []byte("Connection")) {
			return bytes.EqualFold(bytes.TrimSpace(value), []byte("close"))
		}
	}
	return false
}

// Serve answers requests on all connections of l until it is closed. answer gets
// the request line and what stands behind it; a nil answer ends the connection.
func Serve(l net.Listener, answer func(head, body []byte) []byte) error {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve: %w", err)
		}
		go serve(newConn(c), answer) // ends when the client closes
	}
}

func serve(c *conn, answer func(head, body []byte) []byte) {
	defer c.Close()
	for {
		head, body, err := c.message()
		if err != nil {
			return
		}
		out := answer(head, body)
		if out == nil {
			return
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}
