package child

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/wire"
)

// helloWithin is how long a child may take to begin.
const helloWithin = 10 * time.Second

// process is one child. It is used by one run at a time.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	said   heard
	retire *time.Timer // ends it when nobody has called it
	ended  func() error
}

// heard keeps the beginning of what a child says when it dies.
type heard struct{ bytes.Buffer }

func (h *heard) Write(p []byte) (int, error) {
	if room := 4096 - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// start starts a child and waits until it is there.
func start() (*process, error) {
	path, err := self()
	if err != nil {
		return nil, fmt.Errorf("find the program: %w", err)
	}
	return begin(exec.Command(path))
}

// begin makes a child of a command.
func begin(cmd *exec.Cmd) (*process, error) {
	cmd.Args = []string{os.Args[0], Word}
	cmd.Env = environment()
	cmd.SysProcAttr = attributes()
	k, err := open(cmd)
	if err != nil {
		return nil, err
	}
	late := time.AfterFunc(helloWithin, k.kill)
	kind, hello, err := readFrame(k.out)
	if !late.Stop() && err == nil {
		err = fmt.Errorf("it was not there within %s", helloWithin)
	}
	if err == nil && (kind != frameHello || string(hello) != speaks) {
		err = errors.New("the program in its place is another one")
	}
	if err != nil {
		k.end()
		return nil, fmt.Errorf("start a process for cells: %w %s", err, k.said.String())
	}
	return k, nil
}

// open starts a command with pipes on both sides.
func open(cmd *exec.Cmd) (*process, error) {
	k := &process{cmd: cmd}
	k.ended = sync.OnceValue(cmd.Wait)
	cmd.Stderr = &k.said
	var err error
	if k.in, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a pipe: %w", err), k.in.Close())
	}
	k.out = bufio.NewReader(out)
	return k, cmd.Start()
}

// environment is all that a child sees of the environment: how it is to use the
// machine, and where rules of time zones lie.
func environment() []string {
	env := []string{"GOMAXPROCS=1", fmt.Sprintf("GOMEMLIMIT=%d", Room/6*5), "GOTRACEBACK=none"}
	if zones, ok := os.LookupEnv("ZONEINFO"); ok {
		env = append(env, "ZONEINFO="+zones)
	}
	return env
}

func (k *process) pid() int { return k.cmd.Process.Pid }

// kill makes a child end, and whoever reads from it see that.
func (k *process) kill() { _ = k.cmd.Process.Kill() } // it may have ended by itself

// end ends a child for good. It may be called again.
func (k *process) end() {
	k.kill()
	_ = k.in.Close()
	_ = k.ended() // it says that it was killed
}

// ending is in what state a run leaves its child.
type ending byte

const (
	whole ending = iota // it can take the next call
	spent               // it is to be ended, and why is known
	dead                // it has ended, and why is not known
)

// run runs one cell. Its limit counts the time it has a processor for; patience is
// how long it may take by the clock on the wall.
func (k *process) run(ctx context.Context, call []byte, c jq.Call, patience time.Duration) (values []any, end ending, err error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	stop := context.AfterFunc(within, k.kill)
	result, err := k.ask(call, c)
	if !stop() && err == nil {
		end = spent // it is being killed, but was done
	}
	switch {
	case err == nil && result == nil:
		return nil, end, jq.ErrHere
	case err == nil:
		values, err = wire.ReadResult(result)
		if errors.Is(err, wire.ErrBroken) {
			return nil, dead, cannotBeComputed()
		}
		return values, end, err
	case ctx.Err() != nil:
		return nil, spent, &jq.LimitError{Limit: ctx.Err(), Text: "was stopped"}
	case within.Err() != nil:
		return nil, spent, jq.ErrHere // others had the processor
	}
	k.end()
	switch said := k.said.String(); {
	case k.cmd.ProcessState.ExitCode() == exitTime:
		return nil, spent, &jq.LimitError{Limit: jq.ErrTime, Text: fmt.Sprintf("takes longer than %s", c.Time)}
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"):
		return nil, spent, &jq.LimitError{Limit: jq.ErrMemory, Text: fmt.Sprintf("builds more than %d MiB of data", c.Bytes>>20)}
	}
	return nil, dead, cannotBeComputed()
}

func cannotBeComputed() error { return &jq.RunError{Text: "cannot be computed for this input"} }

// ask hands a call to the child, answers its questions and returns its result;
// nil where it cannot hand that over.
func (k *process) ask(call []byte, c jq.Call) (result []byte, err error) {
	if err := writeFrame(k.in, frameCall, call); err != nil {
		return nil, err
	}
	for {
		kind, b, err := readFrame(k.out)
		if err != nil {
			return nil, err
		}
		switch kind {
		case frameResult:
			return b, nil
		case frameHere:
			return nil, nil
		case frameQuestion:
			value, err := find(c, b)
			if err := writeFrame(k.in, frameAnswer, wire.AppendResult(nil, []any{value}, err)); err != nil {
				return nil, err
			}
		default:
			return nil, errNonsense
		}
	}
}
