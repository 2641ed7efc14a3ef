package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOutOfMemory: in a container of 256 MiB large messages come from 64
// connections at once, far more than fits. Senders are told to come later before
// the system ends the process, and whatever it does, what was answered with 202
// is delivered, once and in order.
func TestOutOfMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a real process")
	}
	group := memoryGroup(t, 256<<20)
	c := lively(t)
	unlimited := c.binary
	c.binary = filepath.Join(t.TempDir(), "crossdock")
	if err := os.WriteFile(c.binary, []byte("#!/bin/sh\necho $$ > "+group+"/cgroup.procs && exec "+unlimited+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c.start()
	const each = 2
	var deaths, refused atomic.Int64
	watched, stop := make(chan struct{}), make(chan struct{})
	go func() { // a supervisor
		defer close(watched)
		for {
			select {
			case <-stop:
				return
			case <-c.ended:
				deaths.Add(1)
				c.start()
			}
		}
	}()
	late := time.Now().Add(2 * time.Minute)
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxConnsPerHost: connections, MaxIdleConnsPerHost: connections}}
	var senders sync.WaitGroup
	for s := range connections {
		senders.Go(func() {
			for seq := 1; seq <= each && time.Now().Before(late); {
				body := fmt.Sprintf(`{"k":"key-%d","seq":%d,"lines":[%s{}]}`, s, seq, strings.Repeat(`{"sku":"0012345","quantity":12},`, 25_000))
				resp, err := client.Post("http://"+c.http+"/in", "application/json", strings.NewReader(body))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode == http.StatusAccepted {
						seq++
						continue
					}
				}
				refused.Add(1)
				time.Sleep(100 * time.Millisecond) // a sender that was told to come later
			}
		})
	}
	senders.Wait()
	if time.Now().After(late) {
		t.Errorf("it does not get through: killed %d times, refused %d", deaths.Load(), refused.Load())
	}
	close(stop)
	<-watched
	b := c.settle()
	lost, doubled, reordered, wrong := c.target.judge(each)
	t.Logf("killed %d times, refused %d, accepted %d, delivered %d", deaths.Load(), refused.Load(), b.Accepted, b.Delivered)
	if deaths.Load() > 3 {
		t.Errorf("the system ended it %d times: senders are not refused in time", deaths.Load())
	}
	if refused.Load() == 0 {
		t.Error("nobody was refused: there was memory for all")
	}
	if lost+doubled+reordered+wrong != 0 {
		t.Errorf("lost %d, effects doubled %d, reordered %d, wrong %d", lost, doubled, reordered, wrong)
	}
	if want := int64(connections * each); b.Accepted != want || b.Delivered != want || b.Dead != 0 {
		t.Errorf("the ledger says %+v, sent were %d", b, want)
	}
	c.kill()
}

// memoryGroup makes a control group whose processes have so much memory.
func memoryGroup(t *testing.T, limit int) string {
	t.Helper()
	name := fmt.Sprintf("crossdock-test-%d", os.Getpid())
	dir, file := "/sys/fs/cgroup/"+name, "memory.max"
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil {
		dir, file = "/sys/fs/cgroup/memory/"+name, "memory.limit_in_bytes"
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Skipf("a control group cannot be made here (root may do it where they are mounted): %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Errorf("remove the control group: %v", err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, file), []byte(fmt.Sprint(limit)), 0o644); err != nil {
		t.Skipf("the memory of a control group cannot be limited here: %v", err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil || !bytes.Contains(raw, []byte(fmt.Sprint(limit))) {
		t.Skipf("the memory of a control group is not limited here: %s %v", raw, err)
	}
	return dir
}
