package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"crossdock/dsl/sandbox/child"
)

// children are the processes that a process has started and that are at work.
func children(t *testing.T, of int) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("this system does not tell who started whom")
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(raw), ") ")
		if fields := strings.Fields(rest); len(fields) > 2 && fields[0] != "Z" && fields[1] == strconv.Itoa(of) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive reports whether a process is at work.
func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// TestCellsAside: cells that have met a limit go on in a process of low priority,
// which knows nothing of the environment, outlives a reload, and ends with the
// process whether that is stopped or killed.
func TestCellsAside(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a real process for several seconds")
	}
	t.Setenv("XD_TOKEN", "do-not-tell")
	c := lively(t)
	trap := func(cell string) {
		c.save("trap.mapping.yaml", fmt.Sprintf("mapping: trap\nfields:\n  k: {const: k}\n  seq: {from: '%s', type: integer}\n", cell))
	}
	trap("last(range(1e12))")
	c.save("trap.pipeline.yaml", "pipeline: trap\ntrigger: {http: {path: /trap, verify: none}}\nkey: .n\ntrace_by: {n: .n}\nsteps:\n  - {send: target.put, map: trap}\n")
	c.start()
	send := func(n int) {
		if status := c.ask(t, "/trap", fmt.Sprintf(`{"n":%d}`, n), ""); status != 202 {
			t.Errorf("answered %d", status)
		}
	}
	reloads := func(n int) {
		c.until("a reload", func() bool {
			raw, err := os.ReadFile(c.log.Name())
			return err == nil && strings.Count(string(raw), `"msg":"reloaded"`) == n
		})
	}
	of := func() int { return c.process.Process.Pid }
	aside := func(from int) (pid int) {
		n := from
		c.until("a process of low priority", func() bool {
			if pids := children(t, of()); len(pids) > 0 {
				pid = pids[0]
				return true
			}
			if c.settled() { // the first one meets its limit in the process
				n++
				send(n)
			}
			return false
		})
		return pid
	}
	pid := aside(0)
	for _, f := range []string{"environ", "cmdline"} {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, f))
		if err != nil || strings.Contains(string(raw), "do-not-tell") || f == "cmdline" && !strings.Contains(string(raw), child.Word) {
			t.Errorf("%s: %q %v", f, raw, err)
		}
	}
	trap(".n") // while the other one runs aside
	reloads(1)
	if !alive(pid) {
		t.Error("the reload has ended it")
	}
	send(1000)
	b := c.settle()
	if b.Dead < 1 || b.Delivered != 1 || b.Accepted != b.Dead+1 {
		t.Errorf("balance %+v", b)
	}
	c.kill()
	c.until("it ends with the process that was killed", func() bool { return !alive(pid) })

	c.start()
	trap("last(range(1e12))")
	reloads(2)
	pid = aside(2000)
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-c.ended
	if alive(pid) {
		t.Error("it is left behind by a stop")
	}
}

// settled reports whether no message is open.
func (c *crash) settled() bool {
	b, err := c.balance()
	return err == nil && b.Open == 0
}
