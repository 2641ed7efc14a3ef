package redistest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between a store and a server and breaks their connections on
// demand. It is safe for concurrent use.
type Proxy struct {
	// Addr is where the proxy listens.
	Addr string

	target string
	l      net.Listener
	mode   atomic.Int32
	hidden atomic.Pointer[string] // nothing of this address gets through
	cuts   atomic.Int32
	mu     sync.Mutex
	conns  map[net.Conn]bool
	joined sync.WaitGroup
}

const (
	passing int32 = iota
	cutting       // requests go through; the next reply ends the connection instead
	dark          // nothing goes through, connections stay open
)

// NewProxy starts a proxy to the server; it ends with the test.
func NewProxy(t testing.TB, s *Server) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: s.Addr, l: l, conns: map[net.Conn]bool{}}
	p.joined.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.drop()
		p.joined.Wait()
	})
	return p
}

// URL is where a store finds the proxy.
func (p *Proxy) URL() string { return "redis://" + p.Addr }

// CutReplies lets requests through and closes the connection in place of each
// reply.
func (p *Proxy) CutReplies() { p.mode.Store(cutting) }

// Cuts is how many replies were cut so far.
func (p *Proxy) Cuts() int { return int(p.cuts.Load()) }

// Darken swallows everything, like a partition.
func (p *Proxy) Darken() { p.mode.Store(dark) }

// Hide swallows what comes from, and goes to, one address of this machine, as a
// partition does that leaves the others connected.
func (p *Proxy) Hide(ip string) { p.hidden.Store(&ip) }

// Show ends what Hide began.
func (p *Proxy) Show() {
	if p.hidden.Swap(nil) != nil {
		p.drop()
	}
}

// Heal lets everything through again. What was swallowed stays lost: open
// connections are closed.
func (p *Proxy) Heal() {
	if p.mode.Swap(passing) == dark {
		p.drop()
	}
}

func (p *Proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) track(c net.Conn) { p.mu.Lock(); p.conns[c] = true; p.mu.Unlock() }

func (p *Proxy) accept() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			in.Close()
			continue
		}
		p.track(in)
		p.track(out)
		caller, _, _ := net.SplitHostPort(in.RemoteAddr().String())
		p.joined.Go(func() { p.pipe(out, in, caller, false) })
		p.joined.Go(func() { p.pipe(in, out, caller, true) })
	}
}

// pipe copies one direction and closes both ends when it ends.
func (p *Proxy) pipe(to, from net.Conn, caller string, reply bool) {
	defer func() {
		to.Close()
		from.Close()
		p.mu.Lock()
		delete(p.conns, to)
		delete(p.conns, from)
		p.mu.Unlock()
	}()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if ip := p.hidden.Load(); ip != nil && *ip == caller {
				continue
			}
			switch p.mode.Load() {
			case cutting:
				if reply {
					p.cuts.Add(1)
					return
				}
			case dark:
				continue
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil && err != io.EOF || n == 0 {
			return
		}
	}
}
