//go:build unix

package http

import (
	"net"
	"syscall"
)

// alive looks whether an idle connection is still open, without waiting and
// without taking anything from it. Bytes that nobody asked for make a plain
// connection unfit; below TLS they may be a session ticket.
func alive(c net.Conn, secure bool) bool {
	s, ok := c.(syscall.Conn)
	if !ok {
		return true // a connection in memory
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false
	}
	fit := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case n > 0:
			fit = secure
		case err == syscall.EAGAIN || err == syscall.EWOULDBLOCK:
			fit = true
		}
		return true
	})
	return err == nil && fit
}
