package stage

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// process is a child that can be killed, stopped and started again. Its output
// goes to a file. It is safe for concurrent use.
type process struct {
	name, log string
	args      []string
	env       []string

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{}
	stopped bool
}

func (p *process) start(extra ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return nil
	}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	defer out.Close()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(append(os.Environ(), p.env...), extra...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // how it ended stands in its log
	p.cmd, p.ended, p.stopped = cmd, ended, false
	return nil
}

func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// signal reports whether there was a process to take it.
func (p *process) signal(s syscall.Signal) (ended chan struct{}, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return nil, false
	}
	return p.ended, p.cmd.Process.Signal(s) == nil
}

// kill ends the process as kill -9 does and reports whether it ran.
func (p *process) kill() bool {
	ended, ok := p.signal(syscall.SIGKILL)
	if ok {
		<-ended
	}
	return ok
}

func (p *process) up() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running()
}
