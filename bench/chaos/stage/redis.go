package stage

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"crossdock/runtime/porttest"
)

// Redis is one server with its data in a folder.
type Redis struct {
	Addr string
	p    *process
}

func newRedis(name, dir, logs, fsync string, args ...string) (*Redis, error) {
	addr, err := porttest.Free()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start redis: %w", err)
	}
	_, port, _ := net.SplitHostPort(addr)
	r := &Redis{Addr: addr, p: &process{name: name, log: filepath.Join(logs, name+".log"), args: append([]string{"redis-server", "--port", port,
		"--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", fsync}, args...)}}
	return r, r.start()
}

func (r *Redis) start() error {
	if err := r.p.start(); err != nil {
		return err
	}
	for range 1000 {
		if answer, err := r.do("PING"); err == nil && strings.HasPrefix(answer, "+PONG") {
			return nil
		}
		if !r.p.up() {
			break
		}
		time.Sleep(10 * time.Millisecond) // a real process: nothing signals readiness
	}
	return fmt.Errorf("redis does not answer, see %s", r.p.log)
}

// do sends one inline command and returns the first line of the answer.
func (r *Redis) do(command string) (string, error) {
	c, err := net.DialTimeout("tcp", r.Addr, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return "", err
	}
	if _, err := c.Write([]byte(command + "\r\n")); err != nil {
		return "", err
	}
	b := make([]byte, 4096)
	n, err := c.Read(b)
	return string(b[:n]), err
}

// Stop freezes the server; Go lets it run on.
func (r *Redis) Stop() bool { _, ok := r.p.signal(syscall.SIGSTOP); return ok }

// Go lets a frozen server run on.
func (r *Redis) Go() { r.p.signal(syscall.SIGCONT) }

// Kill ends the server as kill -9 does.
func (r *Redis) Kill() bool { return r.p.kill() }
