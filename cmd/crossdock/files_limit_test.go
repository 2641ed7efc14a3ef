package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestOutOfFiles gives a process few open files and uses them up with
// connections that say nothing. It neither dies nor spins, and when they are gone
// it goes on: what it took in, then and before, has its effect once.
func TestOutOfFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a real process")
	}
	c := lively(t)
	wrapped := filepath.Join(t.TempDir(), "crossdock")
	if err := os.WriteFile(wrapped, []byte("#!/bin/sh\nulimit -n 90\nexec "+c.binary+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.binary = wrapped
	c.start()
	n := 0
	send := func() bool {
		conn, err := net.DialTimeout("tcp", c.http, time.Second)
		if err != nil {
			return false
		}
		defer conn.Close()
		body := fmt.Sprintf(`{"k":"key-0","seq":%d}`, n+1)
		if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST /in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		answer := make([]byte, 12)
		if _, err := conn.Read(answer); err != nil || string(answer) != "HTTP/1.1 202" {
			return false
		}
		n++
		return true
	}
	for range 20 {
		if !send() {
			t.Fatal("refused with files to spare")
		}
	}
	var idle []net.Conn
	for range 120 {
		conn, err := net.DialTimeout("tcp", c.http, time.Second)
		if err != nil {
			break
		}
		idle = append(idle, conn)
	}
	before := busy(t, c.process.Process.Pid)
	began := time.Now()
	failed := 0
	for time.Since(began) < 3*time.Second {
		if !send() {
			failed++
		}
	}
	used := busy(t, c.process.Process.Pid) - before
	if failed == 0 {
		t.Error("every request was answered: the files were not used up")
	}
	if used > 2*time.Second {
		t.Errorf("it was busy for %v of 3 s", used)
	}
	select {
	case <-c.ended:
		t.Fatalf("it ended; the log:\n%s", c.logTail())
	default:
	}
	for _, conn := range idle {
		conn.Close()
	}
	c.until("it goes on", send)
	b := c.settle()
	t.Logf("%d taken in, %d requests failed meanwhile, %v of processor time; %+v", n, failed, used, b)
	if b.Accepted < int64(n) || b.Dead != 0 || b.Delivered != b.Accepted {
		t.Errorf("%d were taken in: %+v", n, b)
	}
}

// busy is the processor time of a process so far.
func busy(t *testing.T, pid int) time.Duration {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("this system does not tell the time of a process")
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
