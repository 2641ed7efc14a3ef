package stage

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"crossdock/bench/chaos/proxy"
	"crossdock/runtime/admin"
	"crossdock/runtime/porttest"
)

// Replica is one running crossdock with proxies around it.
type Replica struct {
	Number int
	Dir    string
	Client *proxy.Proxy // senders come through it
	Target *proxy.Proxy // it reaches the targets through it
	Store  *proxy.Proxy // it reaches Redis through it; nil for the embedded store

	http, admin string
	p           *process
}

func (s *Stage) newReplica(n int) (*Replica, error) {
	r := &Replica{Number: n, Dir: filepath.Join(s.Dir, fmt.Sprintf("replica%d", n))}
	var err error
	if r.http, err = porttest.Free(); err != nil {
		return nil, err
	}
	if r.admin, err = porttest.Free(); err != nil {
		return nil, err
	}
	if r.Client, err = proxy.New(r.http); err != nil {
		return nil, err
	}
	if r.Target, err = proxy.New(s.targets); err != nil {
		return nil, err
	}
	store := "embedded:" + filepath.Join(s.Disk.Dir, "store")
	if s.Redis != nil {
		if r.Store, err = proxy.New(s.Redis.Addr); err != nil {
			return nil, err
		}
		store = "redis://" + r.Store.Addr
		if s.plan.Followers > 0 {
			store += fmt.Sprintf("?replicas=%d", s.plan.Followers)
		}
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the workspace: %w", err)
	}
	fill := strings.NewReplacer("TARGET", r.Target.Addr, "SHARED", s.Shared, "LIMITS", limits(s.plan))
	for name, text := range definitions {
		if err := write(r.Dir, name, fill.Replace(text)); err != nil {
			return nil, err
		}
	}
	args := []string{s.Binary, "run", r.Dir, "--store", store, "--http", r.http, "--admin", r.admin,
		"--lease", fmt.Sprintf("%dms", s.plan.Lease)}
	if s.Redis == nil {
		args = append(args, "--durability", s.plan.Sync)
	}
	r.p = &process{name: fmt.Sprintf("replica%d", n), log: filepath.Join(s.Dir, fmt.Sprintf("replica%d.log", n)), args: args}
	if s.plan.Mutant != "" {
		r.p.env = []string{"CROSSDOCK_MUTANT=" + s.plan.Mutant}
	}
	return r, nil
}

// Start runs the replica and waits until it is ready. One that ends meanwhile
// is started again, as a supervisor would.
func (r *Replica) Start(ctx context.Context, env ...string) error {
	if err := r.p.start(env...); err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Second}
	for {
		resp, err := client.Get("http://" + r.admin + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("replica %d did not become ready, see %s", r.Number, r.p.log)
		case <-time.After(20 * time.Millisecond): // a real process: nothing signals readiness
		}
		if !r.p.up() {
			if err := r.p.start(); err != nil {
				return err
			}
		}
	}
}

// Launch runs the replica and does not wait.
func (r *Replica) Launch(env ...string) error { return r.p.start(env...) }

// Up reports whether the process lives.
func (r *Replica) Up() bool { return r.p.up() }

// Kill ends the replica as kill -9 does.
func (r *Replica) Kill() bool { return r.p.kill() }

// Stop freezes the replica; Go lets it run on.
func (r *Replica) Stop() bool { _, ok := r.p.signal(syscall.SIGSTOP); return ok }

// Go lets a frozen replica run on.
func (r *Replica) Go() { r.p.signal(syscall.SIGCONT) }

// Term asks the replica to end and waits for it.
func (r *Replica) Term() bool {
	ended, ok := r.p.signal(syscall.SIGTERM)
	if !ok {
		return false
	}
	select {
	case <-ended:
		return true
	case <-time.After(40 * time.Second):
		return r.p.kill() && false
	}
}

// Edit changes a definition of the replica.
func (r *Replica) Edit(name, text string) error { return write(r.Dir, name, text) }

// Admin returns a client of the control API.
func (r *Replica) Admin() (*admin.Client, error) {
	token, err := os.ReadFile(filepath.Join(r.Dir, ".crossdock", "admin.token"))
	if err != nil {
		return nil, fmt.Errorf("read the admin token: %w", err)
	}
	return &admin.Client{Base: "http://" + r.admin, Token: strings.TrimSpace(string(token)), HTTP: &http.Client{Timeout: 10 * time.Second}}, nil
}
