package http

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"crossdock/connectors"
)

// wires speaks HTTP/1.1 to one host over connections that are used again. It
// exists beside net/http because of what that promises to others: it may send
// a request again, and hides whether a byte of it was written. It is also
// leaner: one goroutine and one write per request.
type wires struct {
	host   string // as in the Host header
	addr   string // host:port to dial
	secure *tls.Config
	dial   dialFunc
	limit  int64 // bytes of an answer
	keep   int   // idle connections

	mu     sync.Mutex
	idle   []*wire // the one used last comes last
	timer  *time.Timer
	closed bool
}

// idleFor is how long an unused connection is kept. Most servers wait longer.
const idleFor = 30 * time.Second

// wireLife is how long a connection is used at most, so that a target that
// moves to another address is followed.
const wireLife = 5 * time.Minute

// handshakeTime bounds a TLS handshake.
const handshakeTime = 10 * time.Second

// wire is one connection. It belongs to one delivery at a time.
type wire struct {
	conn  net.Conn
	under *counted // conn without TLS
	in    *bufio.Reader
	alive func() bool // whether it is still open, while it is idle
	since time.Time   // idle since
	born  time.Time
}

// unsent is an error before the first byte of a request was written.
type unsent struct{ error }

// Unwrap returns the cause.
func (u unsent) Unwrap() error { return u.error }

// take returns a connection that is fit for a request.
func (p *wires) take(ctx context.Context) (*wire, error) {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return p.open(ctx)
		}
		w := p.idle[n-1]
		p.idle[n-1] = nil
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(w.since) < idleFor && w.alive() {
			return w, nil
		}
		w.close()
	}
}

func (p *wires) open(ctx context.Context) (*wire, error) {
	conn, err := p.dial(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	under := &counted{Conn: conn}
	w := &wire{conn: under, under: under, born: time.Now(), alive: prober(conn, p.secure != nil)}
	if p.secure != nil {
		shake, cancel := context.WithTimeout(ctx, handshakeTime)
		defer cancel()
		secured := tls.Client(under, p.secure)
		if err := secured.HandshakeContext(shake); err != nil {
			w.close()
			return nil, err
		}
		w.conn = secured
	}
	w.in = bufio.NewReaderSize(w.conn, 4<<10)
	return w, nil
}

// give keeps a connection for the next request.
func (p *wires) give(w *wire) {
	w.since = time.Now()
	if err := w.conn.SetDeadline(time.Time{}); err != nil || w.since.Sub(w.born) > wireLife {
		w.close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.keep {
		w.close()
		return
	}
	p.idle = append(p.idle, w)
	if p.timer == nil {
		p.timer = time.AfterFunc(idleFor, p.sweep)
	}
}

// sweep closes connections that nobody has needed for a while.
func (p *wires) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for n < len(p.idle) && time.Since(p.idle[n].since) >= idleFor {
		p.idle[n].close()
		n++
	}
	p.idle = append(p.idle[:0], p.idle[n:]...)
	p.timer = nil
	if len(p.idle) > 0 && !p.closed {
		p.timer = time.AfterFunc(max(time.Second, idleFor-time.Since(p.idle[0].since)), p.sweep)
	}
}

// close lets idle connections go; those in use go when they are given back.
func (p *wires) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.idle {
		w.close()
	}
	p.idle = nil
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// close ends a connection. What it could still say matters to nobody.
func (w *wire) close() { _ = w.conn.Close() }

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// do sends one request and reads its answer. An error is unsent where no byte
// of the request was written.
func (p *wires) do(ctx context.Context, o *outgoing) (connectors.Response, error) {
	w, err := p.take(ctx)
	if err != nil {
		return connectors.Response{}, unsent{err}
	}
	if deadline, ok := ctx.Deadline(); ok {
		if err := w.conn.SetDeadline(deadline); err != nil {
			w.close()
			return connectors.Response{}, unsent{err}
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = w.conn.SetDeadline(time.Unix(1, 0)) })
	if err := ctx.Err(); err != nil {
		stop()
		w.close()
		return connectors.Response{}, unsent{err}
	}
	a, again, err := p.exchange(w, o)
	if !stop() && ctx.Err() != nil && err != nil {
		err = ctxCause(ctx, err)
	} else if again && err == nil && ctx.Err() == nil {
		p.give(w)
		return a, nil
	}
	w.close()
	return a, err
}

// ctxCause tells a deadline that ctx ended from one that passed by itself.
func ctxCause(ctx context.Context, err error) error {
	var early unsent
	if errors.As(err, &early) {
		return unsent{ctx.Err()}
	}
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

// exchange writes the request and reads the answer. again says that the
// connection can be used for another one.
func (p *wires) exchange(w *wire, o *outgoing) (a connectors.Response, again bool, err error) {
	before := w.under.written.Load()
	buf := buffers.Get().(*[]byte)
	head := p.appendHead((*buf)[:0], o)
	small := len(o.body) <= 32<<10
	if small {
		head = append(head, o.body...)
	}
	_, err = w.conn.Write(head)
	if cap(head) <= 64<<10 {
		*buf = head[:0]
		buffers.Put(buf)
	}
	if err == nil && !small {
		_, err = w.conn.Write(o.body)
	}
	if err != nil && w.under.written.Load() == before {
		return a, false, unsent{err}
	}
	if err != nil {
		// A target may answer and hang up before it has read everything.
		_ = w.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if early, _, failed := p.answer(w, o.method); failed == nil {
			return early, false, nil
		}
		return a, false, err
	}
	return p.answer(w, o.method)
}

// appendHead writes the request line and headers.
func (p *wires) appendHead(dst []byte, o *outgoing) []byte {
	dst = append(dst, o.method...)
	dst = append(dst, ' ')
	dst = append(dst, o.path...)
	if o.query != "" {
		dst = append(dst, '?')
		dst = append(dst, o.query...)
	}
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, p.host...)
	dst = append(dst, "\r\n"...)
	dst = append(dst, o.fixed...)
	for _, h := range o.extra {
		dst = appendHeaderLine(dst, h.name, h.value)
	}
	if o.body != nil || o.method == "POST" || o.method == "PUT" || o.method == "PATCH" {
		dst = append(dst, "Content-Length: "...)
		dst = appendInt(dst, len(o.body))
		dst = append(dst, "\r\n"...)
	}
	return append(dst, "\r\n"...)
}

func appendHeaderLine(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

func appendInt(dst []byte, n int) []byte {
	if n >= 10 {
		dst = appendInt(dst, n/10)
	}
	return append(dst, byte('0'+n%10))
}

// errMalformed is an answer that is not HTTP/1.1.
var errMalformed = errors.New("the answer is not HTTP/1.1")

// errTooLong is an answer whose headers are larger than anybody needs.
var errTooLong = errors.New("the headers of the answer are too large")

// eof turns an end in the middle into an unexpected one.
func eof(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
