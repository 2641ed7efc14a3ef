package embedded

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/queuetest"
)

// resident is the memory of this process in bytes, 0 where the system does not
// tell.
func resident() int {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")))
			if err != nil {
				return 0
			}
			return kb << 10
		}
	}
	return 0
}

// fill applies n small jobs with keys of their own.
func fill(tb testing.TB, d queue.Driver, n int) {
	const producers, each = 16, 50
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := p * each; i < n; i += producers * each {
				var c queue.Commit
				for k := i; k < min(i+each, n); k++ {
					c.Jobs = append(c.Jobs, queue.Job{
						ID: fmt.Sprintf("w%016x", uint64(k)*0x9e3779b97f4a7c15), Lane: "in/backlog", Key: fmt.Sprintf("K-%d", k),
						Priority: queue.Normal, Body: []byte("{\"n\":1}"),
					})
				}
				if _, err := d.Apply(tb.Context(), c); err != nil {
					tb.Errorf("apply: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkDepth measures what a million waiting jobs cost: memory per job,
// the time to open the store again, and the pace of other work beside them.
// Run it alone, with -benchtime 30000x.
func BenchmarkDepth(b *testing.B) {
	const n = 1_000_000
	dir := b.TempDir()
	d, err := Open(b.Context(), dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	debug.FreeOSMemory()
	before := resident()
	fill(b, d, n)
	loaded := resident()
	debug.FreeOSMemory()
	settled := resident()
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
	begin := time.Now()
	if d, err = Open(b.Context(), dir, Options{}); err != nil {
		b.Fatal(err)
	}
	opened := time.Since(begin)
	b.Logf("resident: %d MiB idle, %d MiB after %d jobs, %d MiB when settled, opened again in %v",
		before>>20, loaded>>20, n, settled>>20, opened)
	queuetest.Cycles(b, d)
	b.ReportMetric(float64(loaded)/n, "B/job-total")
	b.ReportMetric(float64(settled-before)/n, "B/job-settled")
	b.ReportMetric(opened.Seconds(), "open-s")
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}
