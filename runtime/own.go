package runtime

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue/redis"
)

// own knows the addresses of crossdock itself. Definitions may not call them,
// whatever allow_private says: who may write definitions is not thereby somebody
// who may operate crossdock, or write into its store.
type own struct {
	mu    sync.RWMutex
	known []ownAddr
}

type ownAddr struct {
	at   netip.AddrPort
	all  bool // every address of this machine
	what string
}

// resolveTime bounds looking for the addresses of the store.
const resolveTime = 5 * time.Second

// listener adds an address that this process listens on.
func (o *own) listener(at net.Addr, what string) {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return
	}
	ap := tcp.AddrPort()
	o.add(ownAddr{netip.AddrPortFrom(ap.Addr().WithZone("").Unmap(), ap.Port()), ap.Addr().IsUnspecified(), what})
}

func (o *own) add(a ownAddr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known = append(o.known, a)
}

// store adds the addresses of a Redis. One on this machine may listen on all of
// its addresses.
func (o *own) store(ctx context.Context, url string) {
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	for _, host := range redis.Hosts(url) {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			continue
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			continue
		}
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", strings.Trim(name, "[]"))
		if err != nil {
			continue // then the store cannot be reached by that name either
		}
		for _, ip := range found {
			ip = ip.WithZone("").Unmap()
			o.add(ownAddr{netip.AddrPortFrom(ip, uint16(n)), local(ip), "the store of crossdock"})
		}
	}
}

// is returns what an address that is about to be dialled is of crossdock, "" for
// everything else.
func (o *own) is(at netip.AddrPort) string {
	ip := at.Addr().WithZone("").Unmap()
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, a := range o.known {
		if a.at.Port() == at.Port() && (a.at.Addr() == ip || a.all && local(ip)) {
			return a.what
		}
	}
	return ""
}

// local reports whether an address leads to this machine.
func local(ip netip.Addr) bool {
	if ip.IsLoopback() || ip.IsUnspecified() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // better one call too few
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if have, ok := netip.AddrFromSlice(n.IP); ok && have.Unmap() == ip {
				return true
			}
		}
	}
	return false
}

// Own tells the engine of an address on which this process serves something
// else than webhooks, so that no definition calls it.
func (e *Engine) Own(at net.Addr, what string) { e.own.listener(at, what) }
