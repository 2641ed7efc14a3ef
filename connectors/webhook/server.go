package webhook

import (
	"log/slog"
	"net"
	nethttp "net/http"
	"net/netip"
	"sync"
	"time"
)

// ServerOptions bound what one client may hold.
type ServerOptions struct {
	Log            *slog.Logger
	IdleTimeout    time.Duration // 2 min
	MaxHeaderBytes int           // 32 KiB
}

// Server returns a server for h with time limits against slow and idle
// clients. Large bodies get the time they need from the routes.
func Server(h nethttp.Handler, o ServerOptions) *nethttp.Server {
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 2 * time.Minute
	}
	if o.MaxHeaderBytes <= 0 {
		o.MaxHeaderBytes = 32 << 10
	}
	s := &nethttp.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: readTime, WriteTimeout: 2 * time.Minute,
		IdleTimeout: o.IdleTimeout, MaxHeaderBytes: o.MaxHeaderBytes,
	}
	if o.Log != nil {
		s.ErrorLog = slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)
	}
	return s
}

// LimitPerIP wraps a listener so that one address holds at most n connections;
// further ones are closed at once. Connections from this machine, where a
// proxy may stand for everybody, are not counted.
func LimitPerIP(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, max: n, held: map[netip.Addr]int{}}
}

type limited struct {
	net.Listener
	max int

	mu   sync.Mutex
	held map[netip.Addr]int
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
		if err != nil {
			return c, nil // no network address: a pipe or socket file
		}
		if ap.Addr().Unmap().IsLoopback() {
			return c, nil
		}
		ip := owner(ap.Addr())
		if l.take(ip) {
			return &heldConn{Conn: c, release: sync.OnceFunc(func() { l.release(ip) })}, nil
		}
		_ = c.Close()
	}
}

// owner returns what counts as one client: an IPv4 address, or the /64 that
// one IPv6 customer holds.
func owner(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	if p, err := a.Prefix(64); a.Is6() && err == nil {
		return p.Addr()
	}
	return a
}

func (l *limited) take(ip netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[ip] >= l.max {
		return false
	}
	l.held[ip]++
	return true
}

func (l *limited) release(ip netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[ip]--; l.held[ip] <= 0 {
		delete(l.held, ip)
	}
}

type heldConn struct {
	net.Conn
	release func()
}

// Close implements net.Conn.
func (c *heldConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
