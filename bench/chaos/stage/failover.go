package stage

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"crossdock/bench/chaos/proxy"
)

// follow makes r a copy of the server at addr and waits until it is one.
func (s *Stage) follow(r *Redis, addr string) error {
	host, port, _ := strings.Cut(addr, ":")
	if _, err := r.do("REPLICAOF " + host + " " + port); err != nil {
		return fmt.Errorf("make a copy of redis: %w", err)
	}
	for range 1000 {
		if answer, err := r.do("INFO replication"); err == nil && strings.Contains(answer, "master_link_status:up") {
			return nil
		}
		time.Sleep(20 * time.Millisecond) // nothing signals the end of the copying
	}
	return fmt.Errorf("redis was not copied in time, see %s", r.p.log)
}

// CutFollower parts the copy from Redis: what is confirmed by Redis alone now
// will be lost.
func (s *Stage) CutFollower() { s.Link.Set(proxy.Partition, 0) }

// FailOver ends Redis for good, makes its copy the master, leads everybody
// there, and starts a new copy.
func (s *Stage) FailOver() error {
	s.Redis.Kill()
	s.Link.Close()
	if answer, err := s.Follower.do("REPLICAOF NO ONE"); err != nil || !strings.HasPrefix(answer, "+OK") {
		return fmt.Errorf("promote the copy of redis: %s %w", answer, err)
	}
	s.Redis = s.Follower
	for _, r := range s.Replicas {
		r.Store.Lead(s.Redis.Addr)
	}
	var err error
	if s.Link, err = proxy.New(s.Redis.Addr); err != nil {
		return err
	}
	if s.Follower, err = newRedis("follower2", filepath.Join(s.Disk.Dir, "follower2"), s.Dir, s.plan.Sync, "--repl-diskless-sync-delay", "0"); err != nil {
		return err
	}
	return s.follow(s.Follower, s.Link.Addr)
}
