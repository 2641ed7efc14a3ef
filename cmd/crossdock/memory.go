package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

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
