// Package stage is everything a run needs besides senders and targets: the
// binary, the disk of the store, Redis, the replicas with their definitions and
// the proxies between them. All of it are real processes.
package stage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"crossdock/bench/chaos/plan"
	"crossdock/bench/chaos/proxy"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/embedded"
	"crossdock/runtime/queue/redis"
)

// Stage is one set-up. Its replicas do not change; some may be down.
type Stage struct {
	Dir, Shared, Binary string
	Disk                *Disk
	Redis, Follower     *Redis       // nil for the embedded store; Follower: a copy of Redis
	Link                *proxy.Proxy // from Follower to Redis
	Replicas            []*Replica

	plan    plan.Plan
	targets string
}

// Build builds the command line from the repository at root. tagged builds with
// the planted mistakes and places to die.
func Build(ctx context.Context, root, out string, tagged bool) error {
	args := []string{"build", "-o", out}
	if tagged {
		args = append(args, "-tags", "mutant")
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/crossdock")...)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build crossdock: %w\n%s", err, text)
	}
	return nil
}

// New sets everything up below dir and starts it.
func New(ctx context.Context, p plan.Plan, dir, binary, targets string) (*Stage, error) {
	s := &Stage{Dir: dir, Shared: filepath.Join(dir, "shared"), Binary: binary, plan: p, targets: targets}
	for _, d := range []string{"in", "out", "done"} {
		if err := os.MkdirAll(filepath.Join(s.Shared, d), 0o755); err != nil {
			return nil, fmt.Errorf("set up: %w", err)
		}
	}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Stage) open(ctx context.Context) error {
	var err error
	if s.Disk, err = newDisk(s.plan.Disk, s.Dir); err != nil {
		return err
	}
	if s.plan.Store == "redis" {
		if err := s.openRedis(); err != nil {
			return err
		}
	}
	for n := range s.plan.Replicas {
		r, err := s.newReplica(n)
		if err != nil {
			return err
		}
		s.Replicas = append(s.Replicas, r)
		ready, cancel := context.WithTimeout(ctx, 30*time.Second)
		err = r.Start(ready)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) openRedis() error {
	var err error
	if s.Redis, err = newRedis("redis", filepath.Join(s.Disk.Dir, "redis"), s.Dir, s.plan.Sync); err != nil || s.plan.Followers == 0 {
		return err
	}
	if s.Link, err = proxy.New(s.Redis.Addr); err != nil {
		return err
	}
	s.Follower, err = newRedis("follower", filepath.Join(s.Disk.Dir, "follower"), s.Dir, s.plan.Sync, "--repl-diskless-sync-delay", "0")
	if err != nil {
		return err
	}
	return s.follow(s.Follower, s.Link.Addr)
}

// CutPower stops the disk in the middle and kills what uses it. Restore brings
// back what survived.
//
// The process is frozen before, as a power cut stops processor and disk
// together: a sync that is under way when ext4 is shut down may come back as
// done although nothing is on the disk, and nobody may live to act on that.
func (s *Stage) CutPower() error {
	freeze, kill := s.Replicas[0].Stop, s.Replicas[0].Kill
	if s.Redis != nil {
		freeze, kill = s.Redis.Stop, s.Redis.Kill
	}
	freeze()
	err := s.Disk.cut()
	kill()
	if err != nil {
		return err
	}
	return s.Disk.again()
}

// FillDisk leaves no room; the function that is returned makes room again.
func (s *Stage) FillDisk() (heal func(), err error) { return s.Disk.fill() }

// StartRedis starts Redis again.
func (s *Stage) StartRedis() error { return s.Redis.start() }

// Open opens the store for a look, when no replica runs any more.
func (s *Stage) Open(ctx context.Context) (queue.Driver, error) {
	if s.Redis == nil {
		return embedded.Open(ctx, filepath.Join(s.Disk.Dir, "store"), embedded.Options{KeepHistory: 30 * 24 * time.Hour})
	}
	return redis.Open(ctx, "redis://"+s.Redis.Addr, redis.Options{KeepHistory: 30 * 24 * time.Hour, Unsafe: true})
}

// Close ends all processes and frees the disk.
func (s *Stage) Close() error {
	for _, r := range s.Replicas {
		r.Kill()
		for _, p := range []*proxy.Proxy{r.Client, r.Target, r.Store} {
			if p != nil {
				p.Close()
			}
		}
	}
	for _, r := range []*Redis{s.Redis, s.Follower} {
		if r != nil {
			r.Kill()
		}
	}
	if s.Link != nil {
		s.Link.Close()
	}
	if s.Disk == nil {
		return nil
	}
	return s.Disk.unmount()
}
