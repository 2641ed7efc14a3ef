package http

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// special lists the networks that are not the public internet, each with the
// word that explains it. IPv6 outside 2000::/3 is refused as a whole.
var special = []struct {
	net  netip.Prefix
	what string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by carriers"},
	{netip.MustParsePrefix("127.0.0.0/8"), "this machine"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "reserved"},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation"},
	{netip.MustParsePrefix("192.31.196.0/24"), "reserved"},
	{netip.MustParsePrefix("192.52.193.0/24"), "reserved"},
	{netip.MustParsePrefix("192.88.99.0/24"), "reserved"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("192.175.48.0/24"), "reserved"},
	{netip.MustParsePrefix("198.18.0.0/15"), "for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved"},
	{netip.MustParsePrefix("::1/128"), "this machine"},
	{netip.MustParsePrefix("64:ff9b::/96"), "translated IPv4"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
	{netip.MustParsePrefix("2001::/23"), "reserved"},
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation"},
	{netip.MustParsePrefix("2002::/16"), "translated IPv4"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "reserved"},
	{netip.MustParsePrefix("3fff::/20"), "for documentation"},
}

var publicIPv6 = netip.MustParsePrefix("2000::/3")

// privateKind returns what kind of network an address belongs to, "" for the
// public internet.
func privateKind(a netip.Addr) string {
	a = a.WithZone("").Unmap()
	for _, s := range special {
		if s.net.Contains(a) {
			return s.what
		}
	}
	if !a.IsValid() || a.Is6() && !publicIPv6.Contains(a) {
		return "reserved"
	}
	return ""
}

// guard decides which addresses may be dialled.
type guard struct {
	nets  []netip.Prefix
	hosts map[string]bool // host:port as dialled
	own   func(netip.AddrPort) string
}

// newGuard reads the entries of allow_private.
func newGuard(entries []string) (*guard, error) {
	g := &guard{hosts: map[string]bool{}}
	for _, e := range entries {
		if p, err := netip.ParsePrefix(e); err == nil {
			g.nets = append(g.nets, p.Masked())
			continue
		}
		if a, err := netip.ParseAddr(e); err == nil {
			g.nets = append(g.nets, netip.PrefixFrom(a.WithZone(""), a.BitLen()))
			continue
		}
		host, port, err := net.SplitHostPort(e)
		if err != nil || host == "" || port == "" || strings.Contains(host, "/") {
			return nil, fmt.Errorf("`%s` is neither a network such as 10.1.0.0/16 nor host:port", e)
		}
		g.hosts[strings.ToLower(e)] = true
	}
	return g, nil
}

// refusal is the error for an address that may not be dialled.
type refusal struct {
	addr, what string
	own        bool // of crossdock itself: nothing allows it
}

// Error implements error.
func (r *refusal) Error() string {
	if r.own {
		return fmt.Sprintf("the address %s may not be called: it is %s", r.addr, r.what)
	}
	return fmt.Sprintf("the address %s may not be called: it is %s; add it to allow_private of the connection if it is meant", r.addr, r.what)
}

// check judges the address that is about to be dialled, after name resolution.
// One that allow_private names by host and port is only held against what
// nothing allows.
func (g *guard) check(address string, named bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &refusal{addr: address, what: "not an IP address"}
	}
	if g.own != nil {
		if what := g.own(ap); what != "" {
			return &refusal{addr: address, what: what, own: true}
		}
	}
	if named {
		return nil
	}
	a := ap.Addr().WithZone("").Unmap()
	what := privateKind(ap.Addr())
	if what == "" {
		return nil
	}
	for _, p := range g.nets {
		if p.Contains(a) || p.Contains(ap.Addr()) {
			return nil
		}
	}
	return &refusal{addr: a.String(), what: what}
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// dialer returns the dial function of a connection. lent is the engine's, nil
// for the system's.
func (g *guard) dialer(lent dialFunc) dialFunc {
	dialer := func(named bool) *net.Dialer {
		return &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second,
			ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error { return g.check(address, named) }}
	}
	guarded, open := dialer(false), dialer(true)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		named := g.hosts[strings.ToLower(addr)]
		switch {
		case lent != nil:
			c, err := lent(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
				if err := g.check(tcp.String(), named); err != nil {
					c.Close()
					return nil, err
				}
			}
			return c, nil
		case named:
			return open.DialContext(ctx, network, addr)
		}
		return guarded.DialContext(ctx, network, addr)
	}
}
