// Package load is the other side of a system under test: a generator of orders
// and a target that checks what arrives. Both speak plain HTTP/1.1 over kept
// connections with as little work of their own as possible, since they share
// the machine with what is measured.
package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// conn reads HTTP messages from a connection into one buffer.
type conn struct {
	net.Conn
	buf        []byte
	start, end int // what was read and not yet used
}

func newConn(c net.Conn) *conn { return &conn{Conn: c, buf: make([]byte, 32<<10)} }

var errHeader = errors.New("the header of an HTTP message is too long")

func (c *conn) more() error {
	if c.start > 0 && c.start == c.end {
		c.start, c.end = 0, 0
	}
	if c.end == len(c.buf) {
		if c.start == 0 {
			return errHeader
		}
		c.end = copy(c.buf, c.buf[c.start:c.end])
		c.start = 0
	}
	n, err := c.Read(c.buf[c.end:])
	c.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

// message reads one request or response. The results are valid until the next
// call.
func (c *conn) message() (head, body []byte, err error) {
	for {
		if i := bytes.Index(c.buf[c.start:c.end], []byte("\r\n\r\n")); i >= 0 {
			head = c.buf[c.start : c.start+i+2]
			n, chunked := framing(head)
			if chunked {
				// Reading on reuses the buffer that the header stands in.
				head = bytes.Clone(head)
				body, err = c.chunks(i + 4)
				return head, body, err
			}
			for c.end-c.start < i+4+n {
				if err := c.more(); err != nil {
					return nil, nil, err
				}
			}
			head = c.buf[c.start : c.start+i+2]
			body = c.buf[c.start+i+4 : c.start+i+4+n]
			c.start += i + 4 + n
			return head, body, nil
		}
		if err := c.more(); err != nil {
			return nil, nil, err
		}
	}
}

// chunks reads a body in chunks and joins them.
func (c *conn) chunks(skip int) ([]byte, error) {
	c.start += skip
	var body []byte
	for {
		i := bytes.Index(c.buf[c.start:c.end], []byte("\r\n"))
		if i < 0 {
			if err := c.more(); err != nil {
				return nil, err
			}
			continue
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(c.buf[c.start:c.start+i])), 16, 32)
		if err != nil {
			return nil, fmt.Errorf("read the length of a chunk: %w", err)
		}
		need := i + 2 + int(n) + 2
		for c.end-c.start < need {
			if err := c.more(); err != nil {
				return nil, err
			}
		}
		body = append(body, c.buf[c.start+i+2:c.start+i+2+int(n)]...)
		c.start += need
		if n == 0 {
			return body, nil
		}
	}
}

// framing returns how long the body is.
func framing(head []byte) (length int, chunked bool) {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(line) < 15 || line[0]|0x20 != 'c' && line[0]|0x20 != 't' {
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.Contains(bytes.ToLower(value), []byte("chunked"))
		}
	}
	return length, chunked
}

// status returns the status number of a response, 0 where there is none.
func status(head []byte) int {
	if len(head) < 12 {
		return 0
	}
	n, _ := strconv.Atoi(string(head[9:12]))
	return n
}
