package main

import (
	"log/slog"
	"math"
	goruntime "runtime"
	"runtime/debug"

	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox/child"
)

// memoryEach is how much memory there has to be for each process of low priority.
const memoryEach = 1 << 30

// aside is where jq cells go on that have met a limit before: processes of low
// priority, half as many as there are processors. Where memory is short there
// are none, and cells stay in this process. memory is how much there is, 0 where
// nobody knows.
func (a *app) aside(memory int64, log *slog.Logger) (s jq.Sandbox, stop func()) {
	n := min(max(goruntime.GOMAXPROCS(0)/2, 1), child.Most)
	if memory > 0 {
		n = min(n, int(memory/memoryEach))
	}
	if n == 0 {
		return nil, func() {}
	}
	if set := debug.SetMemoryLimit(-1); set < math.MaxInt64 {
		debug.SetMemoryLimit(set - int64(n)*child.Room) // they have to fit beside this one
	}
	pool := child.New(child.Options{Most: n, Log: log})
	return pool, pool.Close
}
