// Package porttest finds addresses for servers that are started later, or again,
// at a place that others know: replicas, Redis servers, targets that are down.
package porttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
)

// Systems take the ports of connections, and of servers that ask for any port,
// from 32768 up. What lies below is taken by nobody who did not choose it, so an
// address that is free, or refuses connections, stays so.
const lowest, highest = 20000, 32000

// Free is an address on the loopback interface where nothing listens. No two
// tests are likely to be given the same one.
func Free() (string, error) {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest)))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("find a free port: %w", err)
		}
		return l.Addr().String(), l.Close()
	}
	return "", fmt.Errorf("find a free port: 100 of the ports %d to %d are in use", lowest, highest)
}

// Take is Free for a test, which it ends when there is none.
func Take(t testing.TB) string {
	t.Helper()
	addr, err := Free()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}
