//go:build !unix

package http

import "net"

// alive cannot be told here without waiting: a connection that died costs one
// attempt.
func alive(net.Conn, bool) bool { return true }
