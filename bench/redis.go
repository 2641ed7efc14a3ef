package main

import (
	"fmt"
	"os/exec"

	"crossdock/bench/system"
)

// redis measures the same way with a Redis as the store, beside a chain of two
// Bento processes over Redis Streams. (The Redis components of Benthos itself
// live in a module that the public module proxy does not serve.)
func (b *bench) redis() error {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return fmt.Errorf("this section needs redis-server: %w", err)
	}
	own := func(fsync string) func(dir, addr, target string) ([]*system.Process, error) {
		return func(dir, addr, target string) ([]*system.Process, error) {
			r, url, err := system.Redis(b.ctx, dir, fsync)
			if err != nil {
				return nil, err
			}
			p, err := b.own(dir, addr, target, "--store", url, "--unsafe")
			return []*system.Process{p, r}, err
		}
	}
	all := []*contender{
		{name: "crossdock, Redis, appendfsync everysec", stage: own("everysec")},
		{name: "Bento, two processes over Redis Streams, everysec", stage: b.chain},
		{name: "Benthos, stores nothing", stage: b.peerHTTP},
		{name: "crossdock, Redis, appendfsync always", stage: own("always")},
	}
	s := b.report.Section("Webhook to HTTP target over Redis", "The same work with a Redis of its own as the store (append-only file); "+
		"duplicates are removed in the same write. CPU and memory are those of crossdock and Redis together.",
		"system", "messages/s", "CPU per message", "answer p50 / p99", "whole way p50 / p99", "memory")
	s.Note("The Bento chain (1.4.1, the free continuation of Benthos) looks a key up in a cache and then puts the order on a stream: " +
		"two steps, of which a crash can keep the first and lose the second.")
	return b.race(s, all, b.pick(40_000, 2_000))
}
