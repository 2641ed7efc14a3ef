package main

import (
	"context"
	"log/slog"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// boundMemory returns how many bytes the process may use: what GOMEMLIMIT says,
// or the container it runs in, or else what the machine has; 0 = not known. In a
// container the collector works harder before the limit is reached, at which
// the system ends the process.
func (a *app) boundMemory(log *slog.Logger) int64 {
	if a.Getenv("GOMEMLIMIT") != "" {
		if set := debug.SetMemoryLimit(-1); set < math.MaxInt64 {
			return set
		}
	}
	if limit, err := memlimit.FromCgroup(); err == nil && limit < 1<<50 {
		if a.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(int64(limit) / 5 * 4)
		}
		log.Info("memory is limited", "bytes", limit)
		return int64(limit)
	}
	total, err := memlimit.FromSystem()
	if err != nil || total > 1<<50 {
		return 0
	}
	return int64(total)
}

// The garbage of messages dies young, so collecting seldom is nearly free while
// little is alive: the heap may grow by slack, but never to more than five
// times, nor to less than one and a half times, of what is alive.
const (
	slack        = 96 << 20
	mostPercent  = 400
	leastPercent = 50
)

// tuneMemory keeps the collector set like that until ctx ends. It leaves it
// alone where GOGC or GOMEMLIMIT say what is wanted.
func (a *app) tuneMemory(ctx context.Context) {
	if a.Getenv("GOGC") != "" || a.Getenv("GOMEMLIMIT") != "" {
		return
	}
	wait := 100 * time.Millisecond // while definitions are loaded
	tick := time.NewTimer(wait)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for set := 0; ; {
		metrics.Read(sample)
		live := max(sample[0].Value.Uint64(), 1<<20)
		percent := int(min(max(slack*100/live, leastPercent), mostPercent))
		if percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		wait = min(wait*5/4, 2*time.Second)
		tick.Reset(wait)
	}
}
