// Package system runs what is measured as a child process and reads what it
// costs.
package system

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	Name  string
	Start time.Time
	cmd   *exec.Cmd
	lines chan string
	tail  tail
	read  sync.WaitGroup
	ended chan struct{}
	err   error
}

// tail keeps the last lines for error messages.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(s string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines = append(t.lines, s); len(t.lines) > 8 {
		t.lines = t.lines[1:]
	}
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

// Run starts a program in dir.
func Run(name, dir, program string, args ...string) (*Process, error) {
	p := &Process{Name: name, cmd: exec.Command(program, args...), lines: make(chan string, 1024), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	std, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.Start = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p.read.Go(func() { p.collect(out) })
	p.read.Go(func() { p.collect(std) })
	go func() {
		p.read.Wait()
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *Process) collect(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		p.tail.add(s.Text())
		select {
		case p.lines <- s.Text():
		default: // nobody waits for lines
		}
	}
}

// WaitLine waits for a line of output that contains text, and returns it.
func (p *Process) WaitLine(text string, limit time.Duration) (string, error) {
	timeout := time.After(limit)
	for {
		select {
		case l := <-p.lines:
			if strings.Contains(l, text) {
				return l, nil
			}
		case <-p.ended:
			return "", fmt.Errorf("%s ended: %w\n%s", p.Name, errors.Join(p.err, errors.New("no line with "+text)), p.tail.String())
		case <-timeout:
			return "", fmt.Errorf("%s did not say %q within %s:\n%s", p.Name, text, limit, p.tail.String())
		}
	}
}

// Forget drops the lines that were not waited for.
func (p *Process) Forget() {
	for {
		select {
		case <-p.lines:
		default:
			return
		}
	}
}

// Wait waits for the end.
func (p *Process) Wait(limit time.Duration) error {
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s: %w\n%s", p.Name, p.err, p.tail.String())
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%s still runs after %s:\n%s", p.Name, limit, p.tail.String())
	}
}

// Stop ends the process, at last with force.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.ended:
	case <-time.After(25 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// Tail returns the last lines of output.
func (p *Process) Tail() string { return p.tail.String() }

// WaitPort waits until addr takes connections.
func WaitPort(ctx context.Context, p *Process, addr string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %w\n%s", p.Name, p.err, p.tail.String())
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen on %s:\n%s", p.Name, addr, p.tail.String())
		case <-tick.C:
		}
	}
}

// ticks is how many units of CPU time in /proc make a second on Linux.
const ticks = 100

// CPU returns the processor time used so far.
func (p *Process) CPU() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks
}

// RSS returns the resident memory in bytes.
func (p *Process) RSS() int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10
		}
	}
	return 0
}

// OwnCPU returns the processor time of this process.
func OwnCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Port returns a free address of this machine. It is none of those that the
// system gives to connections by itself: one of them could take it meanwhile.
func Port() (string, error) {
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}

// EndCPU returns the processor time of a process that has ended.
func (p *Process) EndCPU() time.Duration {
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// Files returns how many descriptors the process holds.
func (p *Process) Files() int64 {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return int64(len(list))
}
