package child

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"syscall"
	"time"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/wire"
)

// Word is the argument with which a program becomes a child: it then does nothing
// but Main.
const Word = "cells-of-low-priority"

// exitTime is the code of a child that ended itself because a run went on beyond
// its time.
const exitTime = 75

const (
	programsMost = 64       // that are kept compiled
	litterMost   = 16 << 20 // that is kept between two runs, in bytes
)

// Main is all that a child does: it takes calls from standard input and writes
// results to standard output, until the other side is gone. It returns the exit
// code.
func Main() int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // a stop of all is for the process to do, in order
	lower()
	s := &server{out: os.Stdout, programs: map[string]*jq.Program{}, calls: make(chan []byte), answers: make(chan []byte)}
	go s.read(os.Stdin) // ends with the process
	if err := writeFrame(s.out, frameHello, []byte(speaks)); err != nil {
		return 1
	}
	for call := range s.calls {
		if err := s.serve(call); err != nil {
			return 1
		}
		if held() > litterMost {
			debug.FreeOSMemory()
		}
	}
	return 0
}

// server is the child's side.
type server struct {
	out            io.Writer
	programs       map[string]*jq.Program
	calls, answers chan []byte
}

// read hands on what comes in. When nothing can come any more nobody waits for a
// result either, so it ends the process, whatever runs.
func (s *server) read(in io.Reader) {
	r := bufio.NewReader(in)
	for {
		kind, b, err := readFrame(r)
		switch {
		case errors.Is(err, io.EOF):
			os.Exit(0)
		case err != nil:
			os.Exit(1)
		case kind == frameCall:
			s.calls <- b
		case kind == frameAnswer:
			s.answers <- b
		default:
			os.Exit(1)
		}
	}
}

// serve runs one cell and writes what it gives.
func (s *server) serve(call []byte) error {
	c, err := wire.ReadCall(call)
	if err != nil {
		return err
	}
	values, err := s.eval(c)
	var run *jq.RunError
	if errors.As(err, &run) && run.Unwrap() != nil {
		return writeFrame(s.out, frameHere, nil) // a defect is to be seen where it is counted
	}
	result, err := wire.AppendExact(nil, values, err)
	if err != nil || len(result) > frameMost {
		return writeFrame(s.out, frameHere, nil)
	}
	return writeFrame(s.out, frameResult, result)
}

// eval runs the cell. Its time is what the child has had of the processor, so
// that it fails by what it does and not because others were served first.
func (s *server) eval(c jq.Call) ([]any, error) {
	p, err := s.program(c)
	if err != nil {
		return nil, err
	}
	began, base := used(), time.Now()
	var overdue *time.Timer
	overdue = time.AfterFunc(time.Hour, func() {
		left := c.Time + c.Time/4 - (used() - began)
		if left <= 0 {
			os.Exit(exitTime) // it could not end itself
		}
		overdue.Reset(max(left, time.Millisecond))
	})
	overdue.Reset(c.Time + c.Time/4)
	defer overdue.Stop()
	f := &jq.Frame{Vars: c.Values, Time: c.Time, Outputs: c.Outputs, Bytes: c.Bytes, Clock: func() time.Time { return base.Add(used() - began) }}
	if !c.One {
		return p.Run(f, c.In)
	}
	v, ok, err := p.One(f, c.In)
	if err != nil || !ok {
		return nil, err
	}
	return []any{v}, nil
}

// program compiles a cell, or takes it from those that were compiled.
func (s *server) program(c jq.Call) (*jq.Program, error) {
	key := fmt.Sprintf("%t %s\n%s", c.Unsafe, strings.Join(c.Vars, " "), c.Source)
	if p := s.programs[key]; p != nil {
		return p, nil
	}
	p, problems := jq.Compile(c.Source, jq.Options{Vars: slices.Clone(c.Vars), Unsafe: c.Unsafe, Lookup: func(name string) (jq.Table, bool) { return table{s, name}, true }})
	if p == nil {
		return nil, &jq.RunError{Text: problems[0].Error()} // it was compiled before
	}
	p.Forget()
	if len(s.programs) == programsMost {
		clear(s.programs)
	}
	s.programs[key] = p
	return p, nil
}

// table is a crosswalk of the process.
type table struct {
	s    *server
	name string
}

// Find asks the process.
func (t table) Find(key, column string) (any, error) {
	if err := writeFrame(t.s.out, frameQuestion, wire.AppendQuestion(nil, wire.Question{Table: t.name, Key: key, Column: column})); err != nil {
		os.Exit(1) // nobody is there any more
	}
	values, err := wire.ReadResult(<-t.s.answers)
	if err != nil || len(values) == 0 {
		return nil, err
	}
	return values[0], nil
}

// held is what the heap of the child takes, garbage included.
func held() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
