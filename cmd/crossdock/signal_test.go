package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"crossdock/runtime"
)

// lively starts a real process on a workspace of the crash test.
func lively(t *testing.T) *crash {
	t.Helper()
	c := newCrash(t)
	c.store = "embedded:" + filepath.Join(c.dir, ".crossdock", "store")
	var err error
	if c.log, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.log.Close() })
	return c
}

// until asks a real process again and again.
func (c *crash) until(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: not within 30 s; the log:\n%s", what, c.logTail())
		}
		time.Sleep(10 * time.Millisecond) // a real process: nothing signals this
	}
}

// TestSignals: SIGHUP reloads, SIGTERM stops gracefully with exit code 0.
func TestSignals(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a real process")
	}
	c := lively(t)
	c.start()
	generation := func() int {
		var s runtime.Status
		if err := c.client(t).Get(context.Background(), "/v1/status", nil, &s); err != nil {
			t.Fatal(err)
		}
		return s.Generation
	}
	if g := generation(); g != 1 {
		t.Fatalf("generation %d at the start", g)
	}
	// SIGHUP and the watch may both see it; one of them is enough.
	c.save("mappings/out.mapping.yaml", c.mapping(1))
	if err := c.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	c.until("the edit is at work", func() bool { return generation() == 2 })
	for i := 1; i <= 20; i++ {
		if status := c.ask(t, "/in", fmt.Sprintf(`{"k":"s","seq":%d}`, i), ""); status != 202 {
			t.Fatalf("answered %d", status)
		}
	}
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-c.ended
	if state := c.process.ProcessState; !state.Success() {
		t.Errorf("SIGTERM ended it with %v; the log:\n%s", state, c.logTail())
	}
	c.start()
	if b := c.settle(); b.Delivered != 20 || b.Dead != 0 {
		t.Errorf("balance %+v, want 20 delivered", b)
	}
	if n := c.target.deliveries.Load(); n != 20 {
		t.Errorf("the target was called %d times for 20 messages", n)
	}
	c.kill()
}

// TestKilledWhileReadingFiles kills the process again and again while it reads
// a file of many lines: every line has its effect once.
func TestKilledWhileReadingFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("kills real processes")
	}
	c := lively(t)
	const lines = 6000
	c.save("drop.connection.yaml", "connection: drop\ntype: file\ndir: drop\n")
	c.save("pipelines/lines.pipeline.yaml", `pipeline: lines
trigger:
  files: {connection: drop, path: "*.csv", format: csv, every: 20ms, stable_for: 20ms, after: {move_to: done}, on_bad_file: {move_to: bad}}
split: .rows
key: [.k, .seq]
order_by: .k
trace_by: {k: .k}
steps:
  - {send: target.put, map: out}
`)
	var text strings.Builder
	text.WriteString("k,seq\n")
	for i := range lines {
		fmt.Fprintf(&text, "key-%d,%d\n", i%connections, i/connections+1)
	}
	c.start()
	c.save("drop/big.csv~", text.String())
	if err := os.Rename(filepath.Join(c.dir, "drop", "big.csv~"), filepath.Join(c.dir, "drop", "big.csv")); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for n := int64(200); n < lines && kills < 5; n += lines / 6 {
		c.until("lines arrive", func() bool { return c.target.deliveries.Load() >= n })
		c.kill()
		kills++
		c.start()
	}
	c.until("the file is moved", func() bool { _, err := os.Stat(filepath.Join(c.dir, "drop", "done", "big.csv")); return err == nil })
	b := c.settle()
	c.target.mu.Lock()
	effects, doubled := len(c.target.effect), 0
	for _, keys := range c.target.effect {
		if len(keys) > 1 {
			doubled++
		}
	}
	c.target.mu.Unlock()
	t.Logf("%d lines, %d kills | effects %d doubled %d | deliveries %d | balance %+v", lines, kills, effects, doubled, c.target.deliveries.Load(), b)
	if effects != lines || doubled != 0 || b.Dead != 0 {
		t.Errorf("%d effects for %d lines, %d doubled", effects, lines, doubled)
	}
	c.kill()
}
