//go:build wasip1

// Command guest is what runs inside the sandbox: the jq of crossdock, alone in
// a memory of its own. It has no files, no network, no environment, and can ask
// its host for one thing, a row of a crosswalk.
package main

import (
	"runtime/debug"
	"unsafe"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/wire"
)

// in is what the host writes a call into, out what it reads the result from.
var in, out []byte

// memoryWanted is from where on garbage is collected more often; the host ends
// what still goes beyond its limit, 64 MiB.
const memoryWanted = 44 << 20

//go:wasmexport room
func room(n uint32) uint32 {
	in = make([]byte, n)
	return pointer(in)
}

//go:wasmexport run
func run() uint64 {
	c, err := wire.ReadCall(in)
	in = nil
	var values []any
	if err == nil {
		values, err = eval(c)
	}
	out = wire.AppendResult(nil, values, err)
	return uint64(pointer(out))<<32 | uint64(len(out))
}

// eval runs the cell.
func eval(c jq.Call) ([]any, error) {
	p, problems := jq.Compile(c.Source, jq.Options{Vars: c.Vars, Unsafe: c.Unsafe, Lookup: func(name string) (jq.Table, bool) { return table(name), true }})
	if p == nil {
		return nil, &jq.RunError{Text: problems[0].Error()} // it was compiled before
	}
	f := &jq.Frame{Vars: c.Values, Time: c.Time, Outputs: c.Outputs, Bytes: c.Bytes}
	if !c.One {
		return p.Run(f, c.In)
	}
	v, ok, err := p.One(f, c.In)
	if err != nil || !ok {
		return nil, err
	}
	return []any{v}, nil
}

// table is a crosswalk of the host.
type table string

// Find asks the host.
func (t table) Find(key, column string) (any, error) {
	q := wire.AppendQuestion(nil, wire.Question{Table: string(t), Key: key, Column: column})
	answer := make([]byte, lookup(pointer(q), uint32(len(q))))
	take(pointer(answer))
	values, err := wire.ReadResult(answer)
	if err != nil || len(values) == 0 {
		return nil, err
	}
	return values[0], nil
}

// lookup leaves an answer with the host and returns its size; take copies it to
// where it is wanted.
//
//go:wasmimport crossdock lookup
func lookup(question, size uint32) uint32

//go:wasmimport crossdock take
func take(to uint32)

func pointer(b []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

// main prepares what every run starts from.
func main() {}

// warm does what is done once, before the host keeps the state that every run
// begins in.
//
//go:wasmexport warm
func warm() {
	debug.SetMemoryLimit(memoryWanted)
	_, _ = eval(jq.Call{Source: `[.a[]? | tostring | ascii_downcase] | join(",")`, In: map[string]any{"a": []any{"x", 1}}, Time: jq.DefaultTime, Outputs: 1, Bytes: 1 << 20})
	debug.FreeOSMemory()
}
