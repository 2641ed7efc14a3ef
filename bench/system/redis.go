package system

import (
	"context"
	"net"
	"time"
)

// Redis starts a Redis whose data live in dir and returns its URL.
func Redis(ctx context.Context, dir, fsync string) (*Process, string, error) {
	addr, err := Port()
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, "", err
	}
	p, err := Run("redis", dir, "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", dir,
		"--appendonly", "yes", "--appendfsync", fsync, "--save", "", "--maxmemory-policy", "noeviction")
	if err != nil {
		return nil, "", err
	}
	if err := WaitPort(ctx, p, addr, 10*time.Second); err != nil {
		p.Stop()
		return nil, "", err
	}
	return p, "redis://" + addr, nil
}
