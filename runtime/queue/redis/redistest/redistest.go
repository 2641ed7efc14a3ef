// Package redistest starts real Redis servers for tests.
package redistest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/porttest"
)

// Server is a redis-server child process on a free port of this machine, with
// its data in a directory of the test. It is not safe for concurrent use.
type Server struct {
	// Addr is host:port. It stays the same over Restart.
	Addr string
	// Dir holds the data and redis.log.
	Dir string

	t    testing.TB
	args []string
	port string
	bus  string // port of a cluster's nodes among themselves
	cmd  *exec.Cmd
}

// Start runs a server with appendonly yes and appendfsync everysec; args, such
// as "--appendfsync", "always", come after these and win. The server ends with
// the test. Without redis-server on the machine the test is skipped, or fails
// where the environment variable CI is set.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return start(t, append([]string{"--save", "", "--appendonly", "yes", "--appendfsync", "everysec"}, args...))
}

// StartSentinel runs a server as a sentinel with a configuration file, which the
// sentinel will write to.
func StartSentinel(t testing.TB, config string) *Server {
	t.Helper()
	return start(t, []string{"--sentinel"}, config)
}

// StartCluster runs a Redis Cluster of three masters with a replica each, and
// returns its nodes, masters first, when it is up.
func StartCluster(t testing.TB, args ...string) []*Server {
	t.Helper()
	ctx := context.Background()
	var nodes []*Server
	var ids []string
	for range 6 {
		bus := FreePort(t)
		s := Start(t, append([]string{"--cluster-enabled", "yes", "--cluster-node-timeout", "1500", "--cluster-port", bus}, args...)...)
		id, err := s.Client().Do(ctx, "cluster", "myid").Text()
		if err != nil {
			t.Fatalf("cluster: %v", err)
		}
		if len(nodes) > 0 {
			if err := s.Client().Do(ctx, "cluster", "meet", "127.0.0.1", nodes[0].port, nodes[0].bus).Err(); err != nil {
				t.Fatalf("cluster meet: %v", err)
			}
		}
		s.bus = bus
		nodes, ids = append(nodes, s), append(ids, id)
	}
	for i, slots := range [][2]int{{0, 5460}, {5461, 10922}, {10923, 16383}} {
		if err := nodes[i].Client().ClusterAddSlotsRange(ctx, slots[0], slots[1]).Err(); err != nil {
			t.Fatalf("cluster slots: %v", err)
		}
	}
	until(t, "the replicas of the cluster know their masters", func() bool {
		for i := range 3 {
			if nodes[3+i].Client().Do(ctx, "cluster", "replicate", ids[i]).Err() != nil {
				return false
			}
		}
		return true
	})
	until(t, "the cluster is up", func() bool {
		for i, s := range nodes {
			info, err := s.Client().ClusterInfo(ctx).Result()
			if err != nil || !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:6") {
				return false
			}
			if info, err = s.Client().Info(ctx, "replication").Result(); err != nil || i >= 3 && !strings.Contains(info, "master_link_status:up") {
				return false
			}
		}
		return true
	})
	return nodes
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func start(t testing.TB, args []string, config ...string) *Server {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		message := "redis-server is not installed: apt-get install redis-server (Debian, Ubuntu) or brew install redis"
		if os.Getenv("CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	s := &Server{t: t, Dir: t.TempDir()}
	s.port = FreePort(t)
	s.Addr = net.JoinHostPort("127.0.0.1", s.port)
	s.args = append([]string{path}, config...)
	s.args = append(s.args, "--port", s.port, "--bind", "127.0.0.1", "--dir", s.Dir, "--logfile", filepath.Join(s.Dir, "redis.log"))
	s.args = append(s.args, args...)
	s.Restart()
	t.Cleanup(s.Kill)
	return s
}

// URL is where a store finds the server.
func (s *Server) URL() string { return "redis://" + s.Addr }

// Client returns a client that is closed with the test.
func (s *Server) Client() *goredis.Client {
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr, Protocol: 2, MaxRetries: -1})
	s.t.Cleanup(func() { c.Close() })
	return c
}

// Run starts the server after Kill, on the data it left, and returns at once.
func (s *Server) Run() {
	s.t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.SysProcAttr = dieWithParent()
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
}

// Restart is Run, and returns when the server answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Run()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := s.ping()
		if err == nil {
			return
		}
		<-time.After(5 * time.Millisecond)
		if time.Now().After(deadline) || strings.Contains(s.Log(), "FATAL CONFIG") {
			s.t.Fatalf("redis-server does not answer: %v\n%s", err, s.Log())
		}
	}
}

// ping asks on a plain connection; any answer but "loading" counts, for a server
// may ask for a password.
func (s *Server) ping() error {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	b := make([]byte, 100)
	n, err := conn.Read(b)
	if err != nil {
		return err
	}
	if answer := string(b[:n]); strings.HasPrefix(answer, "-LOADING") {
		return errors.New(answer)
	}
	return nil
}

// Await returns when the server has ended by itself.
func (s *Server) Await() {
	s.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		s.t.Fatal("redis-server goes on")
	}
}

// Kill ends the server like a crash (SIGKILL) and waits for its end.
func (s *Server) Kill() {
	// Errors mean that it has ended already.
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Pause stops the server where it is (SIGSTOP); Resume lets it go on.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signal %v to redis-server: %v", sig, err)
	}
}

// FailSyncs makes every fsync of the server fail with EIO, as a dying disk does,
// until mend is called. It skips where strace cannot do that.
func (s *Server) FailSyncs() (mend func()) {
	s.t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		s.t.Skip("strace is not installed: apt-get install strace")
	}
	cmd := exec.Command(path, "-f", "-p", strconv.Itoa(s.cmd.Process.Pid), "-o", filepath.Join(s.Dir, "strace.log"),
		"-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO")
	cmd.SysProcAttr = dieWithParent()
	told, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start strace: %v", err)
	}
	var text string
	lines := bufio.NewScanner(told)
	for lines.Scan() {
		if text += lines.Text() + "\n"; strings.Contains(text, "attached") {
			break
		}
	}
	mend = sync.OnceFunc(func() {
		// Errors mean that it ended with the server.
		_ = cmd.Process.Signal(syscall.SIGINT)
		_, _ = io.Copy(io.Discard, told)
		_ = cmd.Wait()
	})
	s.t.Cleanup(mend)
	if !strings.Contains(text, "attached") {
		s.t.Skipf("strace may not look at processes here: %s", text)
	}
	return mend
}

// Flush empties the server.
func (s *Server) Flush() {
	s.t.Helper()
	c := goredis.NewClient(&goredis.Options{Addr: s.Addr, Protocol: 2})
	defer c.Close()
	if err := c.FlushAll(context.Background()).Err(); err != nil {
		s.t.Fatalf("flush redis: %v", err)
	}
}

// Log is what the server has logged.
func (s *Server) Log() string {
	b, err := os.ReadFile(filepath.Join(s.Dir, "redis.log"))
	if err != nil {
		return fmt.Sprintf("no log: %v", err)
	}
	return string(b)
}

// FreePort is a port of this machine where nothing listens.
func FreePort(t testing.TB) string {
	t.Helper()
	_, port, err := net.SplitHostPort(porttest.Take(t))
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	return port
}
