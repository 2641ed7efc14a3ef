//go:build unix

package http

import (
	"net"
	"syscall"
)

// prober returns a function that looks whether an idle connection is still
// open, without waiting and without taking anything from it. Bytes that nobody
// asked for make a plain connection unfit; below TLS they may be a session
// ticket.
func prober(c net.Conn, secure bool) func() bool {
	open := func() bool { return true }
	s, ok := c.(syscall.Conn)
	if !ok {
		return open // a connection in memory
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return open
	}
	fit := false
	var b [1]byte
	peek := func(fd uintptr) bool {
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		fit = n > 0 && secure || n <= 0 && (err == syscall.EAGAIN || err == syscall.EWOULDBLOCK)
		return true
	}
	return func() bool {
		fit = false
		return raw.Read(peek) == nil && fit
	}
}
