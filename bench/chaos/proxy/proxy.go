// Package proxy stands between two processes and breaks their connections on
// demand.
package proxy

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Mode says what happens to what passes.
type Mode string

// The modes of a Proxy.
const (
	Pass      Mode = ""
	Latency   Mode = "latency"   // each piece comes later
	Cut       Mode = "cut"       // a request goes through, the reply ends after a few bytes
	Reset     Mode = "reset"     // connections are reset, over and over
	Partition Mode = "partition" // nothing goes through, connections stay open
	Half      Mode = "half"      // requests go through, replies do not
)

// Proxy forwards TCP connections. It is safe for concurrent use.
type Proxy struct {
	Addr string
	Hits atomic.Int64 // pieces or connections that a fault met

	l      net.Listener
	mu     sync.Mutex
	target string
	mode   Mode
	delay  time.Duration
	pairs  map[*pair]bool
	closed bool
	joined sync.WaitGroup
}

type pair struct{ in, out net.Conn }

func (p *pair) end(hard bool) {
	for _, c := range []net.Conn{p.in, p.out} {
		if t, ok := c.(*net.TCPConn); ok && hard {
			_ = t.SetLinger(0) // a reset instead of an orderly end
		}
		_ = c.Close() // it is broken on purpose
	}
}

// New starts a proxy to target.
func New(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a proxy: %w", err)
	}
	p := &Proxy{Addr: l.Addr().String(), l: l, target: target, pairs: map[*pair]bool{}}
	p.joined.Go(p.accept)
	return p, nil
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.l.Close()
	p.drop()
	p.joined.Wait()
}

// Set changes the mode. What a partition has swallowed stays lost: connections
// that lived through one are ended.
func (p *Proxy) Set(m Mode, delay time.Duration) {
	p.mu.Lock()
	old := p.mode
	p.mode, p.delay = m, delay
	p.mu.Unlock()
	if old == Partition || old == Half || m == Reset {
		p.drop()
	}
}

// Lead sends new connections to another target and ends the others.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.drop()
}

func (p *Proxy) drop() {
	p.mu.Lock()
	pairs := p.pairs
	p.pairs = map[*pair]bool{}
	p.mu.Unlock()
	for c := range pairs {
		c.end(true)
	}
}

func (p *Proxy) now() (Mode, time.Duration, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.delay, p.target
}

func (p *Proxy) accept() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		p.joined.Go(func() { p.serve(in) })
	}
}

func (p *Proxy) serve(in net.Conn) {
	mode, _, target := p.now()
	if mode == Reset {
		p.Hits.Add(1)
		(&pair{in, in}).end(true)
		return
	}
	out, err := net.DialTimeout("tcp", target, 2*time.Second)
	if err != nil {
		(&pair{in, in}).end(true) // refused there, reset here
		return
	}
	c := &pair{in, out}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		c.end(true)
		return
	}
	p.pairs[c] = true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pipe(c, c.out, c.in, false) })
	p.pipe(c, c.in, c.out, true)
	both.Wait()
}

// pipe copies one direction and ends both when it ends.
func (p *Proxy) pipe(c *pair, to, from net.Conn, reply bool) {
	defer func() {
		c.end(false)
		p.mu.Lock()
		delete(p.pairs, c)
		p.mu.Unlock()
	}()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			mode, delay, _ := p.now()
			piece := b[:n]
			switch {
			case mode == Latency:
				p.Hits.Add(1)
				time.Sleep(delay)
			case mode == Cut && reply:
				p.Hits.Add(1)
				_, _ = to.Write(piece[:min(n, 9)])
				return
			case mode == Partition, mode == Half && reply:
				p.Hits.Add(1)
				continue
			}
			if _, err := to.Write(piece); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
